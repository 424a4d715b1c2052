# SPDX-License-Identifier: BSD-3-Clause
"""Models fitted to measurements: ``fit``, ``fit-pulses``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pyharness.cli import complete
from pyharness.cli.common import commands, console, keep_existing, make_folder, writing
from pyharness.errors import ConfigError
from pyharness.files import replace_file
from pyharness.progress import progress

__all__ = ("fit", "fit_pulse_file")


@commands.command()
def fit(
    dopant: Annotated[str, typer.Argument(help="tungsten, tin, chromium or carbon.", autocompletion=complete.cards)],
    model: Annotated[Path | None, typer.Option(help="Verilog-A file; msdc by default.")] = None,
    plan: Annotated[Path | None, typer.Option(help="What may vary; fit.yaml beside the model by default.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with the measured tables; the shipped ones by default.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Card to start from; the plan's start by default.", autocompletion=complete.cards)
    ] = None,
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
    with writing("--out", out):
        keep_existing([record, card], force)
        make_folder(out)
    with progress() as show:
        result = fit_card(
            module, fit_plan, measured, start=first, max_evaluations=evaluations, search=search, seed=seed,
            progress=lambda n, cost: show(f"fitting {module.name} to {dopant}", n, search + evaluations, f"cost {cost:.3f}"),
        )  # fmt: skip
    with writing("--out", out):
        replace_file(record, record_of(measured, result))
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
    console.print(table)
    for p in result.pulses:
        mark = "" if p.reached else " !"
        console.print(
            f"SET pulse {p.amplitude_v:g} V {p.width_s * 1e3:g} ms: {p.model_ohm:.0f} Ohm, measured {p.measured_ohm:.0f} Ohm (x2){mark}"
        )
    console.print(
        f"SET voltage against frequency: sign {'right' if result.trend_right else 'WRONG'}; {out / dopant}.yaml and .json"
    )
    if not result.converged:
        console.print(f"not converged: stopped at the limit of {evaluations} evaluations: give more by --evaluations")


@commands.command("fit-pulses")
def fit_pulse_file(
    file: Annotated[
        Path, typer.Argument(help="CSV file: device, pulse, amplitude_v, width_s, series_ohm, resistance_ohm.")
    ],
    start: Annotated[
        str | None,
        typer.Option(help="Card to start from; the model's defaults if left out.", autocompletion=complete.cards),
    ] = None,
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
    from pyharness.veriloga import check_card_name, load_device, load_module, model_reference

    first = load_device(start) if start else None
    if model:
        module = load_module(model)
    elif first:
        module = first.module
    else:
        raise ConfigError("there is nothing to start from: give --start CARD (chromium, mine.yaml), or --model FILE.va")
    pulses = f.load_pulses(file)
    if first and first.module.name != module.name:
        raise ConfigError(
            f"card '{first.name}' is of model '{first.module.name}', but {model} has '{module.name}': give one of the two"
        )
    fit_plan = f.load_plan(plan or module.source.with_name("fit.yaml"))
    begin = dict(first.card.parameters) if first else {}
    paths = [output, output.with_suffix(".json")] if output else []
    if output:
        check_card_name(output)
        with writing("-o", output):
            keep_existing(paths, force)
            make_folder(output.parent)
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
        file.name, f"card '{first.name}'" if first else f"the defaults of {module.name}", begin, pulses, trains, found, devices,
        {"cycle_to_cycle": cycles, "device_to_device": apart}, unknown + unknown_too,
    )  # fmt: skip
    console.print(f.estimate_table(found, values))
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
        console.print(line, soft_wrap=True)
    if output:
        named = dopant or (first.card.dopant if first else "unstated")
        made = f.pulse_card(result, named, source, model_reference(module, output.parent))
        with writing("-o", output):
            f.write_card(made, output, f"fit-pulses {file.name}")
            replace_file(paths[1], f.pulse_record(result))
        console.print(f"card      {output}", soft_wrap=True)
