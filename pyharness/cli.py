# SPDX-License-Identifier: BSD-3-Clause
"""The ``pyharness`` command.

Exit status: 0 done, 1 the job failed or its input is wrong (one message on standard error), 2 wrong usage, 130
interrupted, 143 terminated.
"""

from __future__ import annotations

import functools
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pyharness import __version__
from pyharness.errors import ConfigError, PyharnessError, RunInterrupted
from pyharness.progress import progress
from pyharness.record import Record, peripheral_training_j, replace_text

__all__ = ("app", "main")

_typer = typer.Typer(
    add_completion=True, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__.split("\n")[0]
)
# a table that goes to a file is not folded to eighty columns
_console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)

OutOption = Annotated[Path, typer.Option("--out", help="Folder for runs; each gets its own folder inside.")]
ConfigArgument = Annotated[str | None, typer.Argument(help="YAML file, or the name of a shipped one (sim, smoke).")]


class Simulator(StrEnum):
    """Digital simulators of the coupling."""

    icarus = "icarus"
    verilator = "verilator"


def _version(show: bool) -> None:
    if show:
        print(__version__)
        raise typer.Exit


@_typer.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Mixed-signal co-simulation of Verilog controllers and Verilog-A memristors."""


@contextmanager
def _writing(option: str, path: Path) -> Iterator[None]:
    """Turn a failure to write ``path``, given by ``option``, into a message."""
    try:
        yield
    except OSError as cause:
        # folders are made where there are none: what exists and is in the way is a file
        reason = "it is not a folder" if isinstance(cause, FileExistsError) else cause.strerror or cause
        raise ConfigError(
            f"{option} {path}: cannot write '{cause.filename or path}': {reason}: name a place that can be written"
        ) from None


def _keep_existing(paths: list[Path], force: bool) -> None:
    """Refuse to replace a file unasked."""
    for path in paths:
        if path.exists() and not force:
            raise ConfigError(f"'{path}' exists: give another name, or --force to replace it")


def _make_folder(path: Path) -> None:
    """Make the folder of a long run's results, and write to it for a try."""
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        pass


def summary(record: Record) -> Table:
    """Return the figures of a record as a table."""
    table = Table(box=None, show_header=False, pad_edge=False)
    reached = sum(abs(d.error_rel) <= 0.02 for d in record.devices)
    pulses = [d.pulses for d in record.devices]
    table.add_row("devices within 2 % of target", f"{reached} of {len(record.devices)}")
    if record.devices:
        worst = max(abs(d.error_rel) for d in record.devices)
        table.add_row("worst conductance error", f"{worst:.2%}")
        table.add_row("pulses per device", f"{sum(pulses) / len(pulses):.1f} mean, {max(pulses)} most")
    if record.variation:
        words = {"device_to_device": "device", "cycle_to_cycle": "pulse"}
        parts = [f"{words[kind]} {', '.join(names)}" for kind, names in record.variation.spread.items()]
        table.add_row("variation", f"{'; '.join(parts)}; sigmas times {record.variation.scale:g}")
    if record.training_time_s is not None:
        table.add_row("training time (simulated)", f"{record.training_time_s * 1e3:.1f} ms")
    if record.energy_j:
        e = record.energy_j
        table.add_row("energy from the drivers", f"{e.total * 1e6:.2f} uJ")
        table.add_row(
            "  reset, write, verify, inference",
            ", ".join(f"{x * 1e6:.3f}" for x in (e.reset, e.write, e.verify, e.inference)) + " uJ",
        )
    if (peripheral_j := peripheral_training_j(record)) is not None:
        table.add_row("periphery while training (assumed)", f"{peripheral_j * 1e6:.1f} uJ")
    if record.accuracy:
        a = record.accuracy
        table.add_row(
            "accuracy", f"{a.value:.2%} ({a.correct} of {a.total}; 95 %: {a.ci95_low:.2%} .. {a.ci95_high:.2%})"
        )
        if a.bayes_limit is not None:
            table.add_row("best possible (Bayes)", f"{a.bayes_limit:.2%}")
        table.add_row("same answer as the software network", f"{a.agree_with_software} of {a.total}")
    if record.software:
        table.add_row("software network without errors", f"{record.software.network:.2%}")
        table.add_row("logistic regression in floats", f"{record.software.logistic_regression:.2%}")
    table.add_row("wall time, CPU time", f"{record.wall_s:.1f} s, {record.cpu_s:.1f} s")
    return table


@_typer.command()
def sim(
    config: ConfigArgument = None,
    out: OutOption = Path("build/sim"),
    seed: Annotated[int | None, typer.Option(help="Replace the configuration's seed.")] = None,
    waves: Annotated[bool, typer.Option(help="Record waveforms (the configuration must allow it).")] = True,
) -> None:
    """Program the array through the RTL, classify the test images, write record, report and waveforms."""
    from pyharness.bench.runner import read_record, run_sim
    from pyharness.config import SimConfig, load_config
    from pyharness.report import write_report

    loaded = load_config(config)
    data = loaded.model_dump()
    if seed is not None:
        data["seed"] = seed
    data["waves"] = data["waves"] and waves
    command = shlex.join(["pyharness", *sys.argv[1:]])
    folder = run_sim(SimConfig.model_validate(data), out, command, progress=True)
    record = read_record(folder)
    report = write_report(record, folder)
    _console.print(summary(record))
    _console.print(f"record    {folder / 'results.json'}\nreport    {report}", soft_wrap=True)
    if (folder / "waves.vcd").exists():
        _console.print(f"waveform  {folder / 'waves.vcd'}", soft_wrap=True)


@_typer.command()
def report(run: Annotated[Path, typer.Argument(help="Folder of a run.")] = Path("build/sim/latest")) -> None:
    """Write the report of a run anew."""
    from pyharness.bench.runner import read_record
    from pyharness.report import write_report

    record = read_record(run)
    _console.print(summary(record))
    _console.print(f"report    {write_report(record, run)}", soft_wrap=True)


@_typer.command()
def classify(config: ConfigArgument = None) -> None:
    """Train the network in software only; show its accuracy against pixel noise beside the Bayes limit, where one is known."""
    from pyharness.bench.job import build_job
    from pyharness.config import load_config
    from pyharness.network.images import accuracy_curve

    job = build_job(load_config(config))
    noises = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    table = Table("pixel noise", "accuracy", "Bayes limit", box=None)
    curve = accuracy_curve(job.images, lambda bits: job.network.predict(bits).label, noises)
    for noise, (accuracy, limit) in zip(noises, curve, strict=True):
        table.add_row(f"{noise:.0%}", f"{accuracy:.2%}", "not known" if limit is None else f"{limit:.2%}")
    _console.print(table)


@_typer.command()
def selftest(
    edges: Annotated[int, typer.Option(min=10, max=100_000, help="Edges to play.")] = 400,
    simulator: Annotated[Simulator, typer.Option(help="The digital side.")] = Simulator.icarus,
) -> None:
    """Measure the coupling on this machine: an RC whose every crossing is known in closed form."""
    from pyharness.cosim import SolverOptions
    from pyharness.cosim.selftest import RcJob, measure_rc
    from pyharness.errors import SimulationError

    table = Table(
        "reltol",
        "edges",
        "D->A error",
        "events",
        "A->D error",
        "after the crossing by",
        "missed, extra, early",
        box=None,
    )
    bad = 0
    for reltol in (1e-3, 1e-5, 1e-7):
        options = SolverOptions(reltol=reltol, tmax_s=1e-6, crossing_tol_s=2e-11)
        with tempfile.TemporaryDirectory(prefix="pyharness-") as folder:
            e = measure_rc(RcJob.random(edges, options, seed=1), Path(folder), simulator=simulator.value)
        # a femtosecond: what is left of a double that counts seconds
        bad += e.missed + e.extra + e.early + (e.d2a_error_max_s > 1e-15)
        table.add_row(
            f"{reltol:g}", str(e.edges), f"{e.d2a_error_max_s * 1e12:.3f} ps", str(e.events), f"{e.a2d_error_max_s * 1e12:.4g} ps",
            f"{e.window_max_s * 1e12:.3g} ps", f"{e.missed}, {e.extra}, {e.early}",
        )  # fmt: skip
    _console.print(table)
    _console.print("the A->D error is the solver's: it falls with reltol", soft_wrap=True)
    if bad:
        raise SimulationError(f"{bad} events are not where they belong: report this, with the version of ngspice")


class Target(StrEnum):
    """What a model is compiled to."""

    auto = "auto"
    ngspice = "ngspice"
    osdi = "osdi"
    numpy = "numpy"
    verilog = "verilog"


@_typer.command("compile")
def compile_model(
    model: Annotated[Path, typer.Argument(help="Verilog-A file; for the Verilog target a device card, too.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; text goes to standard output by default.")
    ] = None,
    target: Annotated[
        Target,
        typer.Option(help="auto: by the ending of -o (.osdi, .py, .vh, .sub, .cir), else by what this ngspice loads."),
    ] = Target.auto,
    name: Annotated[
        str | None, typer.Option(help="Name of the subcircuit, the module's by default; prefix of the Verilog names.")
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
    from pyharness.veriloga import (
        compile_numpy,
        compile_osdi,
        device_model,
        emit_ngspice,
        emit_verilog,
        load_module,
        osdi_compiler,
    )
    from pyharness.veriloga.ngspice import left_out

    if target is Target.verilog and model.suffix != ".va":
        if param or instance or name:
            raise ConfigError(
                "a card says itself what is put in and what stays free: leave --param, --instance and --name out"
            )
        _write_text(output, device_model(str(model)), force)
        return
    module = load_module(model, include or [])
    values: dict[str, float] = {}
    for item in param or []:
        key, _, text = item.partition("=")
        if key in values:
            raise ConfigError(f"--param sets '{key}' once only, got {values[key]!r} and then {item!r}: keep one")
        try:
            values[key] = float(text)
        except ValueError:
            raise ConfigError(f"--param takes NAME=NUMBER, got {item!r}") from None
    free = instance if instance is not None else [p.name for p in module.parameters.values() if p.instance]
    if target is not Target.osdi and instance is None and (own := [n for n in free if n.lower() == "m"]):
        free.remove(own[0])
        print(
            f"pyharness: parameter '{own[0]}' is put in: in a netlist m counts devices (--param {own[0]}=...)",
            file=sys.stderr,
        )
    if output is not None:
        with _writing("-o", output):
            _keep_existing([output], force)
    if target is Target.auto:
        endings = {
            ".osdi": Target.osdi,
            ".py": Target.numpy,
            ".vh": Target.verilog,
            ".sub": Target.ngspice,
            ".cir": Target.ngspice,
        }
        # a library needs a file, and takes its values on the .model line
        may_be_library = output is not None and not values and not name
        by_tool = Target.osdi if may_be_library and ngspice_has_osdi() else Target.ngspice
        target = endings.get(output.suffix.lower() if output else "", by_tool)
        print(f"pyharness: target {target.value}", file=sys.stderr)
    if target is Target.osdi:
        if output is None:
            raise ConfigError("an OSDI library is no text: give -o FILE.osdi")
        if values or name:
            raise ConfigError("--param and --name have no place in an OSDI library: put values on the .model line")
        if output.exists() and not output.is_file():
            raise ConfigError(f"-o {output}: an OSDI library replaces a file only, and this is none: give -o FILE.osdi")
        with _writing("-o", output):
            compile_osdi(module, output, instance_parameters=instance, openvaf=osdi_compiler())
        return
    if target is Target.numpy:
        text, ignored = compile_numpy(module, values, tuple(free)).source, left_out(module)
    elif target is Target.verilog:
        text, ignored = emit_verilog(module, values, free, prefix=name or "device"), left_out(module)
    else:
        subcircuit = emit_ngspice(module, name=name or module.name.lower(), parameters=values, instance_parameters=free)
        text, ignored = subcircuit.text + "\n", subcircuit.ignored
    for what in ignored:
        print(f"pyharness: not in the {target.value} target: {what}", file=sys.stderr)
    _write_text(output, text, force=True)  # what is in the way was refused before


def _write_text(output: Path | None, text: str, force: bool) -> None:
    """Write ``text`` to a file, or to standard output."""
    if output is None:
        sys.stdout.write(text)
        return
    with _writing("-o", output):
        _keep_existing([output], force)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")


@_typer.command()
def fit(
    dopant: Annotated[str, typer.Argument(help="tungsten, tin, chromium or carbon.")],
    model: Annotated[Path | None, typer.Option(help="Verilog-A file; msdc by default.")] = None,
    plan: Annotated[Path | None, typer.Option(help="What may vary; fit.yaml beside the model by default.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with the measured tables; the shipped ones by default.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="Card to start from; the plan's start by default.")] = None,
    search: Annotated[
        int, typer.Option(min=0, help="Generations of a search over all of the plan before the fit.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 1,
    evaluations: Annotated[int, typer.Option(min=1, help="Limit of the fit's length.")] = 150,
    out: Annotated[Path, typer.Option("--out", help="Folder for <dopant>.yaml and <dopant>.json.")] = Path("build/fit"),
    force: Annotated[bool, typer.Option(help="Replace the files of an earlier fit.")] = False,
) -> None:
    """Fit a model to a measured device: writes a card, and a table of model against measurement."""
    from pyharness.fit import FACTORS, LIMITS, card_of, fit_card, load_measured, load_plan, record_of, write_card
    from pyharness.resources import model_dir
    from pyharness.veriloga import load_card, load_module

    source = model or model_dir() / "msdc" / "msdc.va"
    measured = load_measured(dopant, data)
    fit_plan = load_plan(plan or source.with_name("fit.yaml"))
    module = load_module(source)
    first = load_card(start)[1].parameters if start else None
    record, card = (out / f"{dopant}{ending}" for ending in (".json", ".yaml"))
    with _writing("--out", out):
        _keep_existing([record, card], force)
        _make_folder(out)
    with progress() as show:
        result = fit_card(
            module, fit_plan, measured, start=first, max_evaluations=evaluations, search=search, seed=seed,
            progress=lambda n, cost: show(f"fitting {module.name} to {dopant}", n, search + evaluations, f"cost {cost:.3f}"),
        )  # fmt: skip
    with _writing("--out", out):
        record.write_text(record_of(measured, result), encoding="utf-8")
        write_card(card_of(module, measured, result), card, f"fit {dopant}")
    table = Table(title=f"{dopant}: deviation of {module.name} from the measurement, and limit (beyond it: !)")
    for heading in (
        "source",
        *(
            ("vset_v (30 mV)" if name == "vset_v" else f"{name} ({'x2' if name in FACTORS else f'{limit:.0%}'})")
            for name, limit in LIMITS.items()
        ),
    ):
        table.add_column(heading, justify="right")
    for row in result.rows:
        cells = [
            f"{row.deviation[n] * 1e3:+.0f} mV{'' if row.reached(n) else ' !'}"
            if n == "vset_v"
            else f"{row.deviation[n]:+.1%}{'' if row.reached(n) else ' !'}"
            for n in LIMITS
        ]
        table.add_row(f"{row.amplitude_v:g} V {row.frequency_hz:g} Hz", *cells)
    _console.print(table)
    for p in result.pulses:
        mark = "" if p.reached else " !"
        _console.print(
            f"SET pulse {p.amplitude_v:g} V {p.width_s * 1e3:g} ms: {p.model_ohm:.0f} Ohm, measured {p.measured_ohm:.0f} Ohm (x2){mark}"
        )
    _console.print(
        f"SET voltage against frequency: sign {'right' if result.trend_right else 'WRONG'}; {out / dopant}.yaml and .json"
    )
    if not result.converged:
        _console.print(f"not converged: stopped at the limit of {evaluations} evaluations: give more by --evaluations")


@_typer.command("fit-pulses")
def fit_pulse_file(
    file: Annotated[
        Path, typer.Argument(help="CSV file: device, pulse, amplitude_v, width_s, series_ohm, resistance_ohm.")
    ],
    start: Annotated[str | None, typer.Option(help="Card to start from; the model's defaults if left out.")] = None,
    model: Annotated[Path | None, typer.Option(help="Verilog-A file; the card's model by default.")] = None,
    plan: Annotated[Path | None, typer.Option(help="What may vary; fit.yaml beside the model by default.")] = None,
    free: Annotated[
        list[str] | None, typer.Option(help="Parameter that may vary; again for several; all of the plan by default.")
    ] = None,
    search: Annotated[
        int, typer.Option(min=0, help="Generations of a search over all of the plan before the fit.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 1,
    evaluations: Annotated[int, typer.Option(min=1, help="Limit of each fit's length.")] = 100,
    dopant: Annotated[str | None, typer.Option(help="Name of the device in the card; the start's by default.")] = None,
    source: Annotated[str, typer.Option(help="Who measured what, for the card.")] = "",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Card to write, and a .json record beside it; neither by default."),
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace existing files.")] = False,
) -> None:
    """Fit a model to your own measured pulses; writes a card with what the pulses tell, its scatter and its residuals."""
    from pyharness import fit as f
    from pyharness.resources import model_dir
    from pyharness.veriloga import check_card_name, load_card, load_module

    name, card = load_card(start) if start else ("", None)
    model = model or (model_dir() / card.model / f"{card.model}.va" if card else None)
    if model is None:
        raise ConfigError("there is nothing to start from: give --start CARD (chromium, mine.yaml), or --model FILE.va")
    module, pulses = load_module(model), f.load_pulses(file)
    if card and card.model != module.name:
        raise ConfigError(
            f"card '{name}' is of model '{card.model}', but {model} has '{module.name}': give one of the two"
        )
    fit_plan = f.load_plan(plan or module.source.with_name("fit.yaml"))
    begin = dict(card.parameters) if card else {}
    paths = [output, output.with_suffix(".json")] if output else []
    if output:
        check_card_name(output)
        with _writing("-o", output):
            _keep_existing(paths, force)
            _make_folder(output.parent)
    with progress() as show:
        trains = f.train_model(module, fit_plan, begin, free)
        values = module.check_parameters(begin)
        found = f.fit_pulses(
            trains, fit_plan, pulses, values, search=search, seed=seed, max_evaluations=evaluations,
            progress=lambda n, cost: show(f"fitting {module.name} to {file.name}", n, search + 5, f"squares {cost:.4g}"),
        )  # fmt: skip
        devices, apart, unknown = f.between_devices(trains, fit_plan, pulses, found, file.name)
        own = devices or {d: found for d in pulses.devices}
        cycles, unknown_too = f.between_pulses(trains, fit_plan, pulses, own, file.name)
    result = f.PulseResult(
        file.name, f"card '{name}'" if card else f"the defaults of {module.name}", begin, pulses, trains, found, devices,
        {"cycle_to_cycle": cycles, "device_to_device": apart}, unknown + unknown_too,
    )  # fmt: skip
    _console.print(f.estimate_table(found, values))
    lines = [
        *f.residual_lines(result),
        *(f"go together: {a}, {b} (correlation {r:+.3f})" for a, b, r in f.related(found)),
    ]
    if found.undetermined:
        lines.append(f"not told by these pulses, left at the start: {', '.join(found.undetermined)}")
    for kind, entries in result.spread.items():
        lines += [
            f"{kind}, {n}: {s['distribution']}, sigma {s['sigma']:g} {s['unit']}".rstrip() for n, s in entries.items()
        ]
    lines += result.unknown
    if not found.converged:
        lines.append(f"not converged: stopped at the limit of {evaluations} evaluations: give more by --evaluations")
    for line in lines:
        _console.print(line, soft_wrap=True)
    if output:
        made = f.pulse_card(result, dopant or (card.dopant if card else "unstated"), source)
        with _writing("-o", output):
            f.write_card(made, output, f"fit-pulses {file.name}")
            paths[1].write_text(f.pulse_record(result), encoding="utf-8")
        _console.print(f"card      {output}", soft_wrap=True)


@_typer.command()
def qa(
    subjects: Annotated[
        list[str] | None, typer.Argument(help="Cards, models or .va files; all that are shipped by default.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for <model>.json.")] = Path("build/qa"),
    rated_v: Annotated[float | None, typer.Option(help="Amplitude that the device is made for, in volt.")] = None,
    set_v: Annotated[float | None, typer.Option(help="Amplitude of a SET pulse, in volt.")] = None,
    reset_v: Annotated[float | None, typer.Option(help="Amplitude of a RESET pulse, in volt (negative).")] = None,
    pulse_s: Annotated[float | None, typer.Option(help="Width of the pulses, in seconds.")] = None,
    series_ohm: Annotated[float | None, typer.Option(help="Resistor between source and device, in ohm.")] = None,
) -> None:
    """Check a memristor model: form, numerics, physics, agreement of the targets."""
    from pyharness.errors import SimulationError
    from pyharness.qa import run_suite, shipped_subjects, subject_of, table_of, write_table

    drive = {"rated_v": rated_v, "set_v": set_v, "reset_v": reset_v, "pulse_s": pulse_s, "series_ohm": series_ohm}
    given: dict[str, Any] = {name: value for name, value in drive.items() if value is not None}
    chosen = [replace(subject_of(name), **given) for name in subjects or shipped_subjects()]
    with _writing("--out", out):
        _make_folder(out)
    answers = []
    with progress() as show:
        for subject in chosen:
            words = f"checking {subject.module.name}, {subject.name}"
            answers.append((subject, run_suite(subject, functools.partial(show, words))))
    for subject, checks in answers:
        _console.print(table_of(subject, checks))
    with _writing("--out", out):
        paths = write_table(answers, out)
    _console.print(f"written: {', '.join(map(str, paths))}")
    failed = [f"{s.module.name}, {s.name}: {c.name}" for s, checks in answers for c in checks if not c.passed]
    if failed:
        raise SimulationError(f"{len(failed)} checks failed: {'; '.join(failed)}")


class _Terminated(BaseException):
    """SIGTERM, as an exception: what runs below the command is ended on its way."""


@_typer.command()
def study(
    file: Annotated[str, typer.Argument(help="YAML file of a study, or the name of a shipped one (paper).")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for store and summary; build/study/<study> if left out.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Local processes; one a processor if left out.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, in place of local processes.")
    ] = None,
    cluster: Annotated[
        Path | None, typer.Option(help="YAML file of a dask-jobqueue cluster (Slurm, LSF, SGE).")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Name of a series; again for several.")] = None,
    retry: Annotated[bool, typer.Option(help="Do runs again that did not pass.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many runs there are and how long they take.")
    ] = False,
) -> None:
    """Do the runs of a study that its store lacks; write summary.json, and print the tables.

    Ends with status 1 if a run did not pass.
    """
    import json

    from pyharness.study.execute import Workers, carry_out, connect
    from pyharness.study.show import Watch, comparison, difference_table, series_tables
    from pyharness.study.spec import chosen, load_study, points
    from pyharness.study.store import Store
    from pyharness.study.summary import differences, summary_json

    plan = chosen(load_study(file), only)
    members = [(p.series, place, p.id, p.varied) for place, p in enumerate(points(plan))]
    ids = list(dict.fromkeys(one for _, _, one, _ in members))
    folder = out or Path("build/study") / plan.study
    if dry_run:
        _tell_runs(plan, folder / "study.db", ids)
        return
    with Store(folder / "study.db") as store:
        store.declare(plan.study, members)
        if retry:
            store.forget(ids)
        done = len(store.done(ids))
        _console.print(f"{len(ids)} runs, {done} of them stored in {folder / 'study.db'}")
        if done < len(ids):
            try:
                with connect(Workers(workers, scheduler, cluster)) as client, progress() as show:
                    carry_out(plan, store, client, Watch(_console, show, store, plan, len(ids), done))
            except KeyboardInterrupt:
                _console.print(
                    f"stopped with {len(store.done(ids))} of {len(ids)} runs stored; the same command goes on"
                )
                raise
        found = summary_json(store, plan)
        path = replace_text(folder / "summary.json", json.dumps(found, indent=1))
        for series in plan.series:
            _console.print(*series_tables(_console, store, plan, series))
        for check in plan.spot_checks:
            if measured := differences(store, plan, check):
                _console.print(difference_table(check.series, measured))
        if found["statements"]:
            _console.print(comparison(found["statements"]))
        _console.print(f"summary   {path}", soft_wrap=True)
        named = [*(series.name for series in plan.series), *(check.name for check in plan.spot_checks)]
        bad = [row for name in named for row in store.rows(plan.study, name) if row.status != "pass"]
    if bad:
        _console.print(f"{len(bad)} runs did not pass; pyharness study {file} --retry does them again")
        raise typer.Exit(1)


def _tell_runs(plan: Any, path: Path, ids: list[str]) -> None:
    """Say what ``pyharness study`` would do."""
    from pyharness.study.spec import points
    from pyharness.study.store import Store

    stored: set[str] = set()
    means: dict[str, float] = {}
    engines = {p.id: p.config.engine for p in points(plan)}
    if path.is_file():
        with Store(path, write=False) as store:
            stored = store.done(ids)
            means = {e: m for e in set(engines.values()) if (m := store.mean_wall_s(e)) is not None}
    left = [one for one in ids if one not in stored]
    known = [means[engines[one]] for one in left if engines[one] in means]
    _console.print(f"{len(ids)} runs, {len(stored)} stored, {len(left)} to do")
    if left and len(known) == len(left):
        _console.print(f"about {sum(known):.0f} s on one worker, from the stored runs of the same engines")
    elif left:
        unknown = sorted({engines[one] for one in left if engines[one] not in means})
        _console.print(f"no run of engine {', '.join(unknown)} is stored yet: how long one takes is not known")


@_typer.command()
def replay(
    run: Annotated[str, typer.Argument(help="Id of a run, or its beginning.")],
    store: Annotated[Path, typer.Option(help="Store of the study.")] = Path("build/study/paper/study.db"),
) -> None:
    """Do a stored run again in this process; ends with status 1 unless every bit of its result is the same."""
    import json

    from pyharness.study.code import code_version
    from pyharness.study.run import run_point
    from pyharness.study.store import Store

    with Store(store, write=False) as opened:
        row = opened.get(run)
    if row.code != code_version():
        _console.print(f"stored by pyharness {row.code}, this is {code_version()}: results may differ")
    outcome = run_point(json.dumps(row.config), float("inf"))
    same = (outcome.status, outcome.result) == (row.status, row.result)
    _console.print(
        f"{row.id} ({row.series}, {row.varied}, seed {row.seed}): {'the same' if same else 'another result'}"
    )
    if not same:
        different = [k for k in {*row.result, *outcome.result} if row.result.get(k) != outcome.result.get(k)]
        raise ConfigError(
            f"run {row.id} was '{row.status}', now '{outcome.status}'; other values: {', '.join(sorted(different))}"
        )


def _terminate(*_: object) -> None:
    raise _Terminated


def app() -> None:
    """Run the command line; a user's error is one message, not a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        _typer()
    except _Terminated:
        sys.exit(128 + signal.SIGTERM)
    except PyharnessError as error:
        print(f"pyharness: {error}", file=sys.stderr)
        sys.exit(130 if isinstance(error, RunInterrupted) else 1)


def main() -> None:
    """Entry of ``python -m pyharness``."""
    app()
