# SPDX-License-Identifier: BSD-3-Clause
"""What a tool does with a mistake: does it say so, stop, pass, or never end?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pyharness.cosim import SolverOptions

from .launch import Run
from .tools import OURS, Circuit, Setting, play
from .workloads import rc_circuit

NO_FAULT = "no fault"
_GOOD = rc_circuit([200_000] * 6, SolverOptions(tmax_s=1e-7))
FAULTS: Mapping[str, Circuit] = {
    NO_FAULT: _GOOD,
    "X on a D->A pin": replace(_GOOD, play="unknown", duration_ps=2_000_000),
    "netlist: syntax error": replace(_GOOD, netlist=(*_GOOD.netlist, "b9 sense 0 v=1+")),
    "netlist: unknown model": replace(_GOOD, netlist=(*_GOOD.netlist, "d9 sense 0 nowhere")),
    "netlist: missing subcircuit": replace(_GOOD, netlist=(*_GOOD.netlist, "x9 sense 0 nowhere")),
    "no convergence in mid-run": replace(_GOOD, netlist=(*_GOOD.netlist, "b9 never 0 v=(v(never)*v(drive)>0.3)?0:1")),
    "wrong port name": replace(_GOOD, bound="drvie"),
    "wrong instance name": replace(_GOOD, instance="u_cr"),
    "exception in a test that stops the tool then": replace(_GOOD, play="exception", duration_ps=2_000_000),
    "exception in a test that does not": replace(
        _GOOD, play="exception", duration_ps=2_000_000, settings={"clean_up": False}
    ),
}
_LOGGED = re.compile(r"^\s*[-\d.]+ns\s+(?:WARNING|ERROR|CRITICAL)\s+(?!cocotb\.(?:regression|Test))\S+\s+(.*)")
_PRINTED = re.compile(
    r"^(?:NGSPICE: \w+ |\*\* )(.*(?:error|warning|fail|can't|cannot|unknown|abort|too small).*)", re.I
)


def try_faults(setting: Setting, folder: Path, limit_s: float) -> dict[str, str]:
    """Return what became of each fault, in words."""
    told: dict[str, str] = {}
    usual: set[str] = set()
    for number, (name, circuit) in enumerate(FAULTS.items()):
        run = play(setting, circuit, folder / str(number), limit_s).run
        lines = _telling(run)
        if name == NO_FAULT:
            usual = set(lines)
        told[name] = _words(run, [line for line in lines if line not in usual])
    return told


def _telling(run: Run) -> list[str]:
    """Return what of the log tells that something is wrong, apart from cocotb's report of the test."""
    found = (_LOGGED.match(line) or _PRINTED.match(line) for line in run.log.splitlines())
    # a build's own folders say nothing
    return [re.sub(r"\S*/(?=\S+:\d+:)", "", match[1]).strip() for match in found if match]


def _words(run: Run, lines: list[str]) -> str:
    failed = run.tests not in ("", "passed")
    told = ["test fails" if failed else "test passes" if run.tests else "no test result"]
    if run.status is None:
        told.append(f"hangs (ended after {run.limit_s:g} s)")
    elif run.status:
        told.append(run.process_ending)
    if lines:
        told.append(f"log: {lines[0]}")
    if failed:
        told.append(f"message: {' '.join(run.tests.split())}")
    return "; ".join(told if lines or failed else [*told, "no message"])


def fault_settings(peers: Mapping[str, bool]) -> list[Setting]:
    """Return one setting of each tool; ``peers``: which are there -> whether they need their work-around."""
    return [Setting(OURS, OURS), *(Setting(tool, tool, step="1n", workaround=needed) for tool, needed in peers.items())]
