# SPDX-License-Identifier: BSD-3-Clause
"""Jobs: ``sim``, ``report``, ``classify``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pyharness.cli import complete
from pyharness.cli.common import ConfigArgument, OutOption, commands, console

if TYPE_CHECKING:
    from pyharness.record import Record

__all__ = ("classify", "report", "sim", "summary")


def summary(record: Record) -> Table:
    """Return the figures of a record as a table."""
    from pyharness.record import peripheral_training_j

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
        if (noise := record.config.get("test", {}).get("pixel_noise")) is not None:
            table.add_row("  pixels flipped in the test", f"{noise:.0%}")
        table.add_row("same answer as the software network", f"{a.agree_with_software} of {a.total}")
    if record.software:
        table.add_row("software network without errors", f"{record.software.network:.2%}")
        table.add_row("logistic regression in floats", f"{record.software.logistic_regression:.2%}")
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
    from pyharness.report import write_report
    from pyharness.yamlfile import checked

    loaded = load_config(config)
    data = loaded.model_dump()
    if seed is not None:
        data["seed"] = seed
    data["waves"] = data["waves"] and waves
    command = shlex.join(["pyharness", *sys.argv[1:]])
    folder = run_sim(checked(SimConfig, data, "configuration"), out, command, progress=True)
    record = read_record(folder)
    report = write_report(record, folder)
    console.print(summary(record))
    console.print(f"record    {folder / 'results.json'}\nreport    {report}", soft_wrap=True)
    if (folder / "waves.vcd").exists():
        console.print(f"waveform  {folder / 'waves.vcd'}", soft_wrap=True)


@commands.command()
def report(
    run: Annotated[Path, typer.Argument(help="Folder of a run.", autocompletion=complete.runs)] = Path(
        "build/sim/latest"
    ),
) -> None:
    """Write the report of a run anew."""
    from pyharness.bench.runner import read_record
    from pyharness.report import write_report

    record = read_record(run)
    console.print(summary(record))
    console.print(f"report    {write_report(record, run)}", soft_wrap=True)


@commands.command()
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
    console.print(table)
