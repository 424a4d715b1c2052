# SPDX-License-Identifier: BSD-3-Clause
"""Device models: ``compile``, ``qa``."""

from __future__ import annotations

import functools
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pyharness.cli import complete
from pyharness.cli.common import commands, console, keep_existing, make_folder, note, write_text, writing
from pyharness.errors import ConfigError
from pyharness.progress import progress

if TYPE_CHECKING:
    from pyharness.veriloga import Module

__all__ = ("compile_model", "qa")


class Target(StrEnum):
    """What a model is compiled to."""

    auto = "auto"
    ngspice = "ngspice"
    osdi = "osdi"
    numpy = "numpy"
    verilog = "verilog"


_ENDINGS = {
    ".osdi": Target.osdi,
    ".py": Target.numpy,
    ".vh": Target.verilog,
    ".sub": Target.ngspice,
    ".cir": Target.ngspice,
}


def _numbers(param: list[str]) -> dict[str, float]:
    """Return the values that ``--param`` gives."""
    values: dict[str, float] = {}
    for item in param:
        key, _, text = item.partition("=")
        if key in values:
            raise ConfigError(f"--param sets '{key}' once only, got {values[key]!r} and then {item!r}: keep one")
        try:
            values[key] = float(text)
        except ValueError:
            raise ConfigError(f"--param takes NAME=NUMBER, got {item!r}") from None
    return values


def _note_numbers(module: Module, free: list[str], values: dict[str, float]) -> None:
    """Say which parameters an instance line cannot set, for ngspice takes such a line and ignores it."""
    fixed = [p.name for p in module.parameters.values() if not p.local and p.name not in (*free, *values)]
    if fixed:
        example = "x0" if "x0" in fixed else fixed[0]
        words = " ".join(f"--instance {name}" for name in (*free, example))
        note(
            f"put in as numbers, which ngspice ignores on an instance line without a word: {', '.join(fixed)}; {words} leaves {example} "
            f'free, as (* type="instance" *) in the source does'
        )


@commands.command("compile")
def compile_model(
    model: Annotated[
        str,
        typer.Argument(
            help="Verilog-A file, or a card or shipped model; a card's values are put in.",
            autocompletion=complete.models_and_cards,
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; text goes to standard output by default.")
    ] = None,
    target: Annotated[
        Target,
        typer.Option(help="auto: by the ending of -o (.osdi, .py, .vh, .sub, .cir), else by what this ngspice loads."),
    ] = Target.auto,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the subcircuit, the card's or module's by default; prefix of the Verilog names."),
    ] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, put in.")] = None,
    instance: Annotated[
        list[str] | None, typer.Option(help="Parameter to leave free; the marked ones by default.")
    ] = None,
    include: Annotated[list[Path] | None, typer.Option("-I", help="Folder to search for `include files.")] = None,
    force: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Translate a Verilog-A module: ngspice subcircuit, OSDI library, NumPy or Verilog functions."""
    from pyharness.spice import ngspice_has_osdi
    from pyharness.veriloga import compile_numpy, device_model, emit_ngspice, emit_verilog, load_any
    from pyharness.veriloga.ngspice import left_out

    module, device = load_any(model, include or [])
    given = _numbers(param or [])
    if output is not None:
        with writing("-o", output):
            keep_existing([output], force)
    auto = target is Target.auto
    if auto:
        # a library needs a file, and takes its values on the .model line
        may_be_library = output is not None and not given and not name and not device
        by_tool = Target.osdi if may_be_library and ngspice_has_osdi() else Target.ngspice
        target = _ENDINGS.get(output.suffix.lower() if output else "", by_tool)
    values = {**(device.card.parameters if device else {}), **given}
    free = instance if instance is not None else [p.name for p in module.parameters.values() if p.instance]
    if target is not Target.osdi and instance is None and (own := [n for n in free if n.lower() == "m"]):
        free.remove(own[0])
        note(f"parameter '{own[0]}' is put in: in a netlist m counts devices (--param {own[0]}=...)")
    text, ignored = "", tuple[str, ...]()
    if target is Target.osdi:
        if given or name:
            raise ConfigError("--param and --name have no place in an OSDI library: put values on the .model line")
        _write_library(module, output, instance)
        if device:
            line = " ".join([".model", device.name, module.name, *(f"{k}={v!r}" for k, v in values.items())])
            note(f"an OSDI library has the model alone; the card is the line {line}")
    elif target is Target.verilog and device:
        if param or instance or name:
            raise ConfigError(
                "a card says itself what is put in and what stays free: leave --param, --instance and --name out"
            )
        text = device_model(model)
    elif target is Target.numpy:
        text, ignored = compile_numpy(module, values, tuple(free)).source, left_out(module)
    elif target is Target.verilog:
        text, ignored = emit_verilog(module, values, free, prefix=name or "device"), left_out(module)
    else:
        called = name or (device.name if device else module.name.lower())
        subcircuit = emit_ngspice(module, name=called, parameters=values, instance_parameters=free)
        text, ignored = subcircuit.text + "\n", subcircuit.ignored
        if instance is None:
            _note_numbers(module, free, values)
    for what in ignored:
        note(f"not in the {target.value} target: {what}")
    if text:
        write_text(output, text, force=True)  # what is in the way was refused before
    if output:
        console.print(f"written: {output} (target {target.value})", soft_wrap=True)
    elif auto:
        note(f"target {target.value}")


def _write_library(module: Module, output: Path | None, instance: list[str] | None) -> None:
    from pyharness.veriloga import compile_osdi, is_model_type, osdi_compiler

    if output is None:
        raise ConfigError("an OSDI library is no text: give -o FILE.osdi")
    if output.exists() and not output.is_file():
        raise ConfigError(f"-o {output}: an OSDI library replaces a file only, and this is none: give -o FILE.osdi")
    if is_model_type(module.name):
        note(
            f"ngspice has a model type '{module.name.lower()}' of its own and does not find the library's module: rename it, or use the "
            "target ngspice"
        )
    with writing("-o", output):
        compile_osdi(module, output, instance_parameters=instance, openvaf=osdi_compiler())


Strict = Annotated[bool, typer.Option(help="Remarks on form are faults, too, as for the shipped models.")]


@commands.command()
def qa(
    subjects: Annotated[
        list[str] | None,
        typer.Argument(
            help="Cards, models or .va files; all that are shipped by default.",
            autocompletion=complete.models_and_cards,
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for <model>.json.")] = Path("build/qa"),
    rated_v: Annotated[float | None, typer.Option(help="Amplitude that the device is made for, in volt.")] = None,
    set_v: Annotated[float | None, typer.Option(help="Amplitude of a SET pulse, in volt.")] = None,
    reset_v: Annotated[float | None, typer.Option(help="Amplitude of a RESET pulse, in volt (negative).")] = None,
    pulse_s: Annotated[float | None, typer.Option(help="Width of the pulses, in seconds.")] = None,
    series_ohm: Annotated[float | None, typer.Option(help="Resistor between source and device, in ohm.")] = None,
    strict: Strict = False,
) -> None:
    """Check a memristor model: form, numerics, physics, agreement of the targets."""
    from pyharness.errors import SimulationError
    from pyharness.qa import run_suite, shipped_subjects, subject_of, table_of, write_table

    drive = {"rated_v": rated_v, "set_v": set_v, "reset_v": reset_v, "pulse_s": pulse_s, "series_ohm": series_ohm}
    given: dict[str, Any] = {name: value for name, value in drive.items() if value is not None}
    chosen = [replace(subject_of(name), **given) for name in subjects or shipped_subjects()]
    with writing("--out", out):
        make_folder(out)
    answers = []
    with progress() as show:
        for subject in chosen:
            words = f"checking {subject.module.name}, {subject.name}"
            answers.append((subject, run_suite(subject, functools.partial(show, words))))
    for subject, checks in answers:
        console.print(table_of(subject, checks))
    with writing("--out", out):
        paths = write_table(answers, out)
    console.print(f"written: {', '.join(map(str, paths))}")
    failed = [
        f"{s.module.name}, {s.name}: {c.name}"
        for s, checks in answers
        for c in checks
        if not c.passed and (strict or not c.form)
    ]
    if failed:
        raise SimulationError(f"{len(failed)} checks failed: {'; '.join(failed)}")


@commands.command()
def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Verilog-A files; the shipped models by default."),
    ] = None,
    include: Annotated[list[Path] | None, typer.Option("-I", help="Folder to search for `include files.")] = None,
    strict: Strict = False,
) -> None:
    """Look at the source of models alone, in seconds: faults of the language; remarks on form: licence, ranges, units; any module will do."""
    from pyharness.errors import VerilogAError
    from pyharness.qa.form import FORM
    from pyharness.qa.subject import Subject
    from pyharness.resources import shipped_models
    from pyharness.veriloga import load_module

    faults = []
    for file in files or shipped_models().values():
        try:
            subject = Subject("default", load_module(file, include or []), {})
        except VerilogAError as cause:
            faults.append(str(cause))
            continue
        for found in (check(subject) for check in FORM):
            if found.passed:
                continue
            if found.form and not strict:
                note(f"{file}: remark, {found.name}: {found.meaning}")
            else:
                faults.append(f"{file}: {found.name}: {found.meaning}")
        console.print(f"{file}: module {subject.module.name}", soft_wrap=True)
    if faults:
        raise VerilogAError("\n".join(faults))
