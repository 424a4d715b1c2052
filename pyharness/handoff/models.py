# SPDX-License-Identifier: BSD-3-Clause
"""The models' part of the archive: sources, what is generated from them, decks, symbols."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

from pyharness.errors import ConfigError
from pyharness.handoff.decks import CELL, bench_deck, cell_deck, cell_text
from pyharness.handoff.golden import golden_text
from pyharness.handoff.loaders import loader_decks
from pyharness.handoff.subjects import EXAMPLE, START, Subject, example_of, subjects
from pyharness.handoff.symbols import symbols
from pyharness.resources import model_dir, shipped_models
from pyharness.veriloga import device_model, emit_osdi, emit_verilog, load_module
from pyharness.veriloga.header import read_header

__all__ = ("copy_tree", "model_versions", "put", "write_models", "write_sources")

_SOURCES = {".va", ".md", ".yaml", ".csv"}
_OSDI_HEADER = "osdi_0_3.h"


def put(path: Path, text: str) -> None:
    """Write a text file, its folders with it; line feeds on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def copy_tree(source: Path, target: Path, endings: set[str]) -> None:
    """Copy the files with these endings; what an editor or a simulator left beside them stays behind."""
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.is_file() and path.suffix in endings and not any(part.startswith(".") for part in inside.parts):
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / inside)


def model_versions() -> dict[str, str]:
    """Return the version that the head of each model's source states.

    Raises:
        ConfigError: a source without one.
    """
    found = {}
    for name, source in shipped_models().items():
        found[name] = read_header(source, name).version
        if not found[name]:
            raise ConfigError(f"{name}.va: a model to hand off states its version in its head, '// {name} 1.0.0: ...'")
    return found


def write_sources(folder: Path) -> None:
    """Write ``veriloga/``: models, cards, descriptions, the measured data that the cards were fitted to."""
    copy_tree(model_dir(), folder / "veriloga", _SOURCES)


def write_models(folder: Path) -> None:
    """Write ``generated/``, ``loaders/``, ``xschem/`` and the decks of ``benches/ngspice/``."""
    generated, bench = folder / "generated", folder / "benches" / "ngspice"
    for subject in subjects():
        name = subject.name
        put(generated / "ngspice" / f"{name}.sub", subject.subcircuit.text + "\n")
        put(generated / "ngspice" / f"{name}_{CELL}.sub", cell_text(subject))
        put(generated / "verilog" / f"{name}.vh", _verilog(subject))
        put(bench / f"{name}.cir", bench_deck(subject))
        put(bench / f"{name}.csv", golden_text(name))
        if name == EXAMPLE:
            put(bench / f"{name}_{CELL}.cir", cell_deck(subject))
            put(bench / f"{name}_{CELL}.csv", golden_text(f"{name}_{CELL}"))
    put(generated / "osdi" / _OSDI_HEADER, (files("pyharness.veriloga") / _OSDI_HEADER).read_text(encoding="utf-8"))
    for model, source in shipped_models().items():
        put(generated / "osdi" / f"{model}.c", emit_osdi(load_module(source)))
        for file, text in loader_decks(example_of(model)).items():
            put(folder / "loaders" / model / file, text)
    for file, text in symbols().items():
        put(folder / "xschem" / file, text)


def _verilog(subject: Subject) -> str:
    """Return the device's equations for the behavioural view of the array."""
    return device_model(subject.name) if subject.card else emit_verilog(subject.module, {}, (START,))
