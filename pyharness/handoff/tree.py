# SPDX-License-Identifier: BSD-3-Clause
"""The checklist's rows on the package: what lies in its folder."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import jsonschema

from pyharness.errors import ConfigError, VerilogAError
from pyharness.handoff.manifest import INDEX, MANIFEST, manifest_faults
from pyharness.veriloga import load_module

__all__ = ("PACKAGE_CRITERIA", "PLACES", "REPORT", "model_sources", "read_tree")

PLACES = {
    "models": "veriloga/*/*.va",
    "manual": "manual/{model}.html",
    "loaders": "loaders/{model}/*",
    "symbols": "xschem/*.sym",
    "cells": "generated/ngspice/*1t1r*.sub",
    "rtl": "hdl/*.v",
    "registers": "hdl/registers.*",
    "controller": "hdl/README.md",
    "behavioural": "hdl/analog/analog_array_model.v",
    "runner": "benches/run.py",
    "currents": "benches/ngspice/*.csv",
    "outcomes": "benches/icarus/expected.txt",
    "state": "state/state.json",
    "schema": "state/state.schema.json",
    "manifest": MANIFEST,
    "sbom": "sbom.cdx.json",
    "licence": "LICENSE",
    "versions": INDEX,
    "changes": "CHANGELOG.md",
    "policy": "SUPPORT.md",
}
"""Where the parts of a package lie, as patterns below its folder: the one place that knows."""

REPORT = "qa/"
"""Folder of this report, which a manifest made before it cannot hold."""

_SIMULATORS = ("ngspice", "osdi", "xyce", "gnucap", "spectre", "hspice")

Finding = tuple[str, list[str]]
"""What was found, and what is wrong with it."""


def _files(tree: Path, part: str, model: str = "*") -> list[Path]:
    return sorted(p for p in tree.glob(PLACES[part].format(model=model)) if p.is_file())


def _lacking(tree: Path, parts: Sequence[str]) -> list[str]:
    return [f"no {part} ({PLACES[part]})" for part in parts if not _files(tree, part)]


def model_sources(tree: Path) -> dict[str, Path]:
    """Return model -> its source in the package."""
    return {p.stem: p for p in _files(tree, "models") if p.stem == p.parent.name}


def _manuals(tree: Path) -> Finding:
    faults, named = _lacking(tree, ["models"]), 0
    for model, source in model_sources(tree).items():
        pages = _files(tree, "manual", model)
        if not pages:
            faults.append(f"no manual of {model} ({PLACES['manual'].format(model=model)})")
            continue
        try:
            parameters = load_module(source).parameters
        except VerilogAError as cause:
            faults.append(str(cause))
            continue
        text = pages[0].read_text(encoding="utf-8")
        named += len(parameters)
        faults += [f"the manual of {model} lacks parameter {n}" for n in parameters if f"<code>{n}</code>" not in text]
        headings = (
            "Quick start",
            "Equations",
            "Operating-point variables",
            "Known limits",
            "Version history",
            "Contact",
        )
        faults += [f"the manual of {model} lacks '{h}'" for h in headings if f">{h}</h2>" not in text]
    return f"{len(model_sources(tree))} models, {named} parameters", faults


def _loaders(tree: Path) -> Finding:
    faults, count = _lacking(tree, ["models"]), 0
    for model in model_sources(tree):
        names = [p.name.lower() for p in _files(tree, "loaders", model)]
        count += len(names)
        endings = {"gnucap": (".gc",), "spectre": (".scs",), "hspice": (".sp",)}
        faults += [
            f"no loader of {model} for {one}"
            for one in _SIMULATORS
            if not any(one in n or n.endswith(endings.get(one, ("\0",))) for n in names)
        ]
    return f"{count} decks", faults


def _symbols(tree: Path) -> Finding:
    return f"{len(_files(tree, 'symbols'))} symbols, {len(_files(tree, 'cells'))} cells", _lacking(
        tree, ["symbols", "cells"]
    )


def _controller(tree: Path) -> Finding:
    faults = _lacking(tree, ["rtl", "registers", "controller"])
    for page in _files(tree, "controller")[:1]:
        text = page.read_text(encoding="utf-8")
        wanted = (
            ("registers", "regist"),
            ("state diagrams", "stateDiagram|mermaid"),
            ("timing", "clocks?|settl"),
            ("synthesis", "^## Synthesis"),
            ("proofs", "^## Proofs"),
        )
        faults += [
            f"{page.name} tells no {name}" for name, pattern in wanted if not re.search(pattern, text, re.M | re.I)
        ]
    return f"{len(_files(tree, 'rtl'))} Verilog files", faults


def _behavioural(tree: Path) -> Finding:
    faults = _lacking(tree, ["behavioural", "controller"])
    pages = _files(tree, "controller")[:1]
    section = re.search(r"behavioural view.*", pages[0].read_text(encoding="utf-8"), re.I | re.S) if pages else None
    if pages and not (section and re.search(r"\d+(\.\d+)?e-\d+|\d %", section[0])):
        faults.append("its error to the circuit is not stated")
    return "view of the array with stated error", faults


def _benches(tree: Path) -> Finding:
    expected = [*_files(tree, "currents"), *_files(tree, "outcomes")]
    return f"{len(expected)} files of expected values", _lacking(tree, ["runner", "currents", "outcomes"])


def _state(tree: Path) -> Finding:
    faults, devices = _lacking(tree, ["state", "schema"]), 0
    if not faults:
        try:
            state, schema = (
                json.loads(_files(tree, part)[0].read_text(encoding="utf-8")) for part in ("state", "schema")
            )
            jsonschema.validate(state, schema)
            devices = len(state.get("devices", []))
        except (json.JSONDecodeError, jsonschema.SchemaError) as cause:
            faults.append(f"no JSON, or no schema: {str(cause).splitlines()[0]}")
        except jsonschema.ValidationError as cause:
            faults.append(f"{cause.json_path}: {cause.message[:120]}")
    return f"{devices} devices, as the schema says", faults


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, names with ``/`` to contents."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _manifest(tree: Path) -> Finding:
    faults, count = _lacking(tree, ["manifest", "sbom", "licence", "versions"]), 0
    files = {name: data for name, data in read_tree(tree).items() if not name.startswith(REPORT)}
    if MANIFEST in files:
        count = len(files) - 1
        try:
            faults += manifest_faults(files, apart=REPORT)
        except ConfigError as cause:
            faults.append(str(cause))
    return f"{count} files as hashed", faults


def _policy(tree: Path) -> Finding:
    faults = _lacking(tree, ["policy", "changes"])
    for page in _files(tree, "policy")[:1]:
        text = page.read_text(encoding="utf-8")
        wanted = (("where to report", "issue|report|contact"), ("how versions change", "version"))
        faults += [f"{page.name} does not say {name}" for name, pattern in wanted if not re.search(pattern, text, re.I)]
    return "way to report, policy of changes, changelog", faults


PACKAGE_CRITERIA: tuple[tuple[str, str, str, Callable[[Path], Finding], str], ...] = (
    ("C31", "manual", "one for each model, every parameter of its source in it, quick start to contact", _manuals, ""),
    ("C32", "loaders", f"decks for {', '.join(_SIMULATORS)} for each model", _loaders, "present; the open simulators' are run by the benches, not by this report"),
    ("C33", "symbols", "symbols, and a netlist of the 1T1R cell", _symbols, "present; not opened in xschem"),
    ("C34", "digital side", "RTL, register map, state diagrams, timing, results of synthesis and proofs", _controller, "the results are told in the controller's README; the tools' own logs are not shipped"),
    ("C35", "behavioural view", "a view of the array for digital simulators, its error to the circuit stated", _behavioural, ""),
    ("C36", "benches", "one command, expected values with it", _benches, "no container is shipped: the runner needs Python, ngspice and Icarus Verilog"),
    ("C37", "programmed state", "a state file that its schema accepts", _state, ""),
    ("C38", "integrity", "SHA-256 of every file, licence, bill of materials, versions of the tools", _manifest, f"this report's own folder, {REPORT}, is hashed after it was written"),
    ("C40", "contact", "where to report, and how versions change", _policy, ""),
)  # fmt: skip
"""Rows on the package: id, check, criterion, what finds the value and the faults, note."""
