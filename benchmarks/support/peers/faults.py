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
    "netlist: element without its value": replace(_GOOD, netlist=(*_GOOD.netlist, "c9 sense 0")),
    "netlist: node missing": replace(_GOOD, netlist=(*_GOOD.netlist, "r9 sense")),
    "missing subcircuit": replace(_GOOD, netlist=(*_GOOD.netlist, "x9 sense 0 nowhere")),
    "wrong port name": replace(_GOOD, bound="drvie"),
    "exception in the test": replace(_GOOD, play="exception", duration_ps=2_000_000),
}
_TELLING = re.compile(r"error|warning|critical|fail|not found|cannot|can't|unknown|undefined|abort|fatal", re.I)
_LOG_PREFIX = re.compile(r"^\s*[-\d.]+ns\s+(INFO|WARNING|ERROR|CRITICAL)\s+\S+\s+")


def try_faults(setting: Setting, folder: Path, limit_s: float) -> dict[str, str]:
    """Return what became of each fault, in words."""
    told: dict[str, str] = {}
    usual: set[str] = set()
    for number, (name, circuit) in enumerate(FAULTS.items()):
        run = play(setting, circuit, folder / str(number), limit_s).run
        lines = _telling(run)
        told[name] = _words(run, [line for line in lines if line not in usual])
        if name == NO_FAULT:
            usual = set(lines)
    return told


def _telling(run: Run) -> list[str]:
    """Return what of the log tells that something is wrong."""
    lines = (line for line in run.log.splitlines() if _TELLING.search(line) and not re.search(r"\sINFO\s", line))
    return [_LOG_PREFIX.sub("", line).strip() for line in lines]


def _words(run: Run, lines: list[str]) -> str:
    if run.tests not in ("", "passed"):
        return run.ending
    said = f"log: {lines[0]}" if lines else "no message"
    if run.status is None:
        return f"hangs (ended after {run.limit_s:g} s), {said}"
    if run.ending:
        return f"{run.ending}, {said}"
    return f"test passes, {said}" if run.tests else f"exit status 0 without a test result, {said}"


def fault_settings(peers: Mapping[str, bool]) -> list[Setting]:
    """Return one setting of each tool; ``peers``: which are there -> whether they need their work-around."""
    return [Setting(OURS, OURS), *(Setting(tool, tool, step="1n", workaround=needed) for tool, needed in peers.items())]
