# SPDX-License-Identifier: BSD-3-Clause
"""The coupling alone: ``selftest``."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pyharness.cli.common import commands, console

__all__ = ("selftest",)


class Simulator(StrEnum):
    """Digital simulators of the coupling."""

    icarus = "icarus"
    verilator = "verilator"


@commands.command()
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
        bad += e.misplaced
        table.add_row(
            f"{reltol:g}", str(e.edges), f"{e.d2a_error_max_s * 1e12:.3f} ps", str(e.events), f"{e.a2d_error_max_s * 1e12:.4g} ps",
            f"{e.window_max_s * 1e12:.3g} ps", f"{e.missed}, {e.extra}, {e.early}",
        )  # fmt: skip
    console.print(table)
    console.print("the A->D error is the solver's: it falls with reltol", soft_wrap=True)
    if bad:
        raise SimulationError(f"{bad} events are not where they belong: report this, with the version of ngspice")
