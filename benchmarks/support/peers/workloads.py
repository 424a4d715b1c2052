# SPDX-License-Identifier: BSD-3-Clause
"""The circuits of the comparison, and what a run of one costs at least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyharness.cosim.selftest
from pyharness.cosim import SolverOptions
from pyharness.cosim.selftest import RcJob
from pyharness.veriloga import emit_ngspice, load_device

from .launch import Run, measure
from .tools import Circuit

CELLS = 30
SERIES_OHM = 5110
RC_RISE_S = 1e-9
_RC_TAIL_PS = 1_000_000


def rc_circuit(gaps_ps: Sequence[int], options: SolverOptions, tail_ps: int = _RC_TAIL_PS) -> Circuit:
    """Return the RC of the coupling's self-test, driven by edges with these gaps."""
    job = RcJob(tuple(gaps_ps), options)
    return Circuit(
        source=Path(pyharness.cosim.selftest.__file__).with_name("rc.v"),
        top="rc_top",
        shell="u_rc",
        port="drive",
        width=1,
        definitions=(),
        netlist=tuple(job.netlist),
        drive="drive",
        high_v=1.0,
        threshold_v=0.5,
        rise_s=RC_RISE_S,
        options=options,
        play="edges",
        settings={"gaps_ps": list(gaps_ps), "tail_ps": tail_ps},
        duration_ps=sum(gaps_ps) + tail_ps,
    )


def array_circuit(duration_s: float) -> Circuit:
    """Return 30 memristors, each with its own drive and resistor, before one comparator.

    One is driven at a time, so the comparator sees the sum of all the resistors' voltages, and one node (for the errors
    of the edges) the sum of all drives: what is saved stays small, or the tools that keep it would be charged for that.
    """
    device = load_device("chromium")
    cell = emit_ngspice(
        device.module, name="cell", parameters=device.card.parameters, instance_parameters=("x0",)
    )  # as B sources, which every ngspice takes
    netlist = ["rsense sense 0 1k", "rdrives drives 0 1k"]
    for i in range(CELLS):
        netlist += [
            f"x{i} d{i} s{i} cell",
            f"r{i} s{i} 0 {SERIES_OHM}",
            f"gs{i} 0 sense s{i} 0 1m",
            f"gd{i} 0 drives d{i} 0 1m",
        ]
    return Circuit(
        source=Path(__file__).with_name("array.v"),
        top="array_top",
        shell="u_array",
        port="d",
        width=CELLS,
        definitions=tuple(cell.text.splitlines()),
        netlist=tuple(netlist),
        drive="drives",
        # at this voltage a cell takes some pulses to the threshold
        high_v=0.44,
        threshold_v=0.2,
        rise_s=100e-9,
        options=SolverOptions(reltol=5e-5, trtol=0.5, tmax_s=1e-3, crossing_tol_s=2e-8),  # those of the main job
        play="array",
        settings={},
        duration_ps=round(duration_s * 1e12),
    )


def plain_ngspice(
    circuit: Circuit, corners: Mapping[str, Sequence[tuple[float, float]]], folder: Path, limit_s: float
) -> Run:
    """Run the circuit in ``ngspice -b`` with its nodes driven by piecewise-linear sources."""
    folder.mkdir(parents=True)
    waves = {node: " ".join(f"{t!r} {v!r}" for t, v in points) for node, points in corners.items()}
    sources = [f"v{node} {node} 0 " + (f"pwl({waves[node]})" if node in waves else "0") for node in circuit.nodes]
    o = circuit.options
    deck = [
        "* limit",
        *circuit.definitions,
        *circuit.netlist,
        *sources,
        o.options_line(),
        f".save v(sense) v({circuit.drive})",
        f".tran {o.tmax_s / 10!r} {circuit.duration_ps * 1e-12!r} 0 {o.tmax_s!r}",
        ".end",
    ]
    (folder / "deck.cir").write_text("\n".join([*deck, ""]))
    return measure(["ngspice", "-n", "-b", "-r", "dump.raw", "deck.cir"], folder, limit_s)
