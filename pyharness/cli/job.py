# SPDX-License-Identifier: BSD-3-Clause
"""Jobs: ``sim``, ``report``, ``classify``."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pyharness.cli import complete
from pyharness.cli.common import ConfigArgument, OutOption, commands, console, note
from pyharness.errors import RunInterrupted

if TYPE_CHECKING:
    from pyharness.record import Record

__all__ = ("classify", "report", "sim", "summary")


def summary(record: Record) -> Table:
    """Return the figures of a record, complete or partial, as a table; what the report judges it judges alike."""
    from pyharness.record import peripheral_training_j
    from pyharness.report.source import Source
    from pyharness.report.verdict import answers, quantity, verdict

    def in_ascii(value: float, unit: str) -> str:
        return quantity(value, unit).replace("\N{MICRO SIGN}", "u")

    source = Source(record)
    found = answers(source)
    trained, judged = found[0], verdict(source, found)
    table = Table(box=None, show_header=False, pad_edge=False)
    if source.verified and source.tolerance is not None:
        told = f": {trained.judgement}" if trained.state == "short" else ""
        table.add_row(f"devices verified within {source.tolerance * 100:.3g} % of target", f"{trained.value}{told}")
    if record.devices:
        pulses = [d.pulses for d in record.devices]
        worst = max(abs(d.error_rel) for d in record.devices)
        table.add_row("worst conductance error", f"{worst:.2%}")
        table.add_row("pulses per device", f"{sum(pulses) / len(pulses):.1f} mean, {max(pulses)} most")
    if record.variation:
        words = {"device_to_device": "device", "cycle_to_cycle": "pulse"}
        parts = [f"{words[kind]} {', '.join(names)}" for kind, names in record.variation.spread.items()]
        table.add_row("variation", f"{'; '.join(parts)}; sigmas times {record.variation.scale:g}")
    if record.training_time_s is not None:
        table.add_row("training time (simulated)", in_ascii(record.training_time_s, "s"))
    if record.energy_j:
        e = record.energy_j
        table.add_row("energy from the drivers", in_ascii(e.total, "J"))
        table.add_row(
            "  reset, write, verify, inference",
            ", ".join(in_ascii(x, "J") for x in (e.reset, e.write, e.verify, e.inference)),
        )
    if (peripheral_j := peripheral_training_j(record)) is not None:
        table.add_row("periphery while training (assumed)", in_ascii(peripheral_j, "J"))
    if record.accuracy:
        a = record.accuracy
        table.add_row(
            "accuracy", f"{a.value:.2%} ({a.correct} of {a.total}; 95 %: {a.ci95_low:.2%} .. {a.ci95_high:.2%})"
        )
        if a.bayes_limit is not None:
            table.add_row("best possible (Bayes)", f"{a.bayes_limit:.2%}")
        if (noise := record.config.get("test", {}).get("pixel_noise")) is not None:
            table.add_row("  pixels flipped in the test", f"{noise:.0%}")
        table.add_row("same answer as the software network", f"{a.agree_with_software} of {a.total}")
    if record.software:
        table.add_row("software network without errors", f"{record.software.network:.2%}")
        table.add_row("logistic regression in floats", f"{record.software.logistic_regression:.2%}")
    table.add_row("verdict", judged.word if judged.level == "pass" else f"{judged.word}: {judged.text}")
    table.add_row("wall time, CPU time", f"{record.wall_s:.1f} s, {record.cpu_s:.1f} s")
    return table


@commands.command()
def sim(
    config: ConfigArgument = None,
    out: OutOption = Path("build/sim"),
    seed: Annotated[int | None, typer.Option(min=0, help="Replace the configuration's seed.")] = None,
    waves: Annotated[bool, typer.Option(help="Record waveforms (the configuration must allow it).")] = True,
) -> None:
    """Program the array through the RTL, classify the test images, write record, report and waveforms."""
    from pyharness.bench.runner import read_record, run_sim
    from pyharness.config import SimConfig, load_config
    from pyharness.yamlfile import checked

    loaded = load_config(config)
    data = loaded.model_dump()
    if seed is not None:
        data["seed"] = seed
    data["waves"] = data["waves"] and waves
    command = shlex.join(["pyharness", *sys.argv[1:]])
    where = _where(config)
    folder = run_sim(checked(SimConfig, data, "configuration"), out, command, progress=True, where=where)
    record = read_record(folder)
    console.print(summary(record))  # before the report, whose figures take some seconds
    console.print(f"record    {folder / 'results.json'}", soft_wrap=True)
    if (folder / "waves.vcd").exists():
        console.print(f"waveform  {folder / 'waves.vcd'}", soft_wrap=True)
    asked, a = loaded.test.count, record.accuracy
    if a is not None and a.total < asked and "count" in loaded.test.model_fields_set:
        note(f"{a.total} test images, {asked} asked for (test.count): each test image of a data set is shown once")
    _tell_of_untrained(record)
    _draw_report(record, folder)


@commands.command()
def report(
    run: Annotated[Path, typer.Argument(help="Folder of a run.", autocompletion=complete.runs)] = Path(
        "build/sim/latest"
    ),
) -> None:
    """Write the report of a run anew."""
    from pyharness.bench.runner import read_record

    record = read_record(run)
    console.print(summary(record))
    _draw_report(record, run)


def _draw_report(record: Record, folder: Path) -> None:
    """Write a run's report and say where it is."""
    from pyharness.report import write_report

    try:
        path = write_report(record, folder)
    except KeyboardInterrupt:
        state = "complete" if record.status == "complete" else "kept"
        raise RunInterrupted(
            f"interrupted while drawing the report; the record is {state}: pyharness report {shlex.quote(str(folder))} draws it"
        ) from None
    console.print(f"report    {path}", soft_wrap=True)


_ASK = {
    "stuck_low": "does a positive V(p,n) raise the conductance? is the state's rate zero where it starts ({start})?",
    "stuck_high": "does a negative V(p,n) lower the conductance? is the state's rate zero where it starts ({start})?",
    "given_up": "are write_verify.max_pulses too few, or the pulses too small or too large for this device?",
}
"""Status of most devices, none of which was trained -> what to look at."""


def _tell_of_untrained(record: Record) -> None:
    """Say what may be wrong where no device at all reached its target."""
    statuses = Counter(d.status for d in record.devices)
    if not statuses or statuses["reached"] or record.config["training"]["method"] == "manhattan":
        return
    start = record.config["device"]["start_fraction"]
    ask = _ASK.get(statuses.most_common(1)[0][0], "").format(
        start="device.start_fraction" + (f" {start:g}" if isinstance(start, float) else "")
    )
    counts = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in statuses.most_common())
    note(f"no device trained: {counts}" + (f"; {ask}" if ask else ""))


def _where(config: str | None) -> str:
    """Return how messages name a configuration that is checked as a whole."""
    return f"configuration '{config or 'sim'}'"


@commands.command()
def classify(config: ConfigArgument = None) -> None:
    """Train the network in software only; show its accuracy against pixel noise beside the Bayes limit, where one is known."""
    from pyharness.bench.job import build_job
    from pyharness.bench.progress import show_told
    from pyharness.config import load_config
    from pyharness.network.images import accuracy_curve
    from pyharness.yamlfile import led_by

    loaded = load_config(config)
    with led_by(_where(config)), show_told():
        job = build_job(loaded)
    noises = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    table = Table("pixel noise", "accuracy", "Bayes limit", box=None)
    curve = accuracy_curve(job.images, lambda bits: job.network.predict(bits).label, noises)
    for noise, (accuracy, limit) in zip(noises, curve, strict=True):
        table.add_row(f"{noise:.0%}", f"{accuracy:.2%}", "not known" if limit is None else f"{limit:.2%}")
    console.print(table)
