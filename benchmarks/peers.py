# SPDX-License-Identifier: BSD-3-Clause
"""The same work through this coupling and through the two others on PyPI, spicebind and cocotbext-ams, in one run.

Every tool gets the same circuit, HDL, test, tolerances and cocotb runner; each run is alone and has a time limit.  The
row "limit" is what the work costs without any coupling: plain ``ngspice -b`` on recorded edges plus vvp on the HDL.
The peers' accuracy is a matter of their step, which they pay for: each is run coarse and fine, the finest settings, and
this coupling beside them, on a tenth of the work.

- W1, causality: an RC, driven by edges off any grid; every crossing of its output is known in closed form.
  D->A error: the analog side's time of an edge against the HDL's.  Of a peer it is the first point in ngspice's own
  raw file with the drive on its new side (the circuit sees the source rise on the straight line from the point
  before, so up to one step less); of this coupling, where the log of edges has the start of the ramp, which the closed
  form checks.  A->D error: the HDL's time of an event against the closed form for the edges as the HDL made them,
  for this coupling with its ramps, for the peers with jumps; an error of the edge before is part of it.  Of the limit: of
  plain ngspice's own steps.  Early: events before the exact crossing, of which the solver's error causes some, and
  before the analog side's own, which none should be.
- W2, write-verify: 30 memristors (msdc, chromium) with 5110 Ohm and a drive each; a controller at 1 MHz pulses each until the
  comparator is high.  Pulses and devices written show whether it was the same work.  This coupling asks for a time point
  inside each ramp, for accuracy; without it, it does the work of the limit.
- W3: what each tool does with a mistake.  The test looks at no value, so that what is shown is what the tool itself says.

CPU is user and system time of the simulator's process, start-up included, of runs below 25 s the lesser of two; start-up is
a run of one edge.  CPU per edge or event has the analog solution in it, which the limit's tells.  Ratios hold, times are
this machine's.

Usage: python benchmarks/peers.py [OUTPUT_FOLDER] [--short]
The peers come into build/peers by pip; spicebind is compiled then (C++17 compiler, ngspice's headers, NGSPICE_ROOT if not /usr).
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge import piecewise, rc_solver_error
from support.peers.faults import FAULTS, NO_FAULT, fault_settings, try_faults
from support.peers.install import provide_peers
from support.peers.launch import Run
from support.peers.matching import pair
from support.peers.tables import Row, show
from support.peers.tools import AMS, OURS, PEERS, SPICEBIND, Circuit, Outcome, Setting, installed, play, tool_version
from support.peers.workloads import RC_RISE_S, array_circuit, plain_ngspice, rc_circuit

from pyharness.cosim import SolverOptions
from pyharness.cosim.selftest import RcJob, crossings

RC_EDGES, ARRAY_S = 400, 0.36
LIMIT_S, FAULT_LIMIT_S = 600.0, 60.0
ROUNDS, REPEATED_S = 2, 25.0
WORKAROUNDS = {
    SPICEBIND: "sources written as 'v n 0 external', without the documented DC value",
    AMS: "DC values taken out of the deck that it generates, by a wrapper in the test (its README names ngspice 45+)",
}


class Bench:
    """One run of the benchmark.

    Attributes:
        folder: where the runs are kept.
        missing: peers that could not be installed -> why.
        shipped: how a peer that is there ends as it is documented; empty for well.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.missing = provide_peers()
        self.shipped: dict[str, str] = {}
        for tool in PEERS:
            if installed(tool):
                setting = Setting(tool, tool, step="1n", workaround=False)
                run = play(setting, FAULTS[NO_FAULT], folder / f"{tool}-shipped", FAULT_LIMIT_S).run
                self.shipped[tool] = run.ending

    def notes(self) -> dict[str, str]:
        """Return for each peer how it could be used."""
        told = {tool: f"not installed: {why}" for tool, why in self.missing.items()}
        for tool, ending in self.shipped.items():
            told[tool] = "as documented, no work-around"
            if ending:
                told[tool] = f"as documented: {ending}; measured with a work-around: {WORKAROUNDS[tool]}"
        return told

    def rows(
        self, circuit: Circuit, settings: Sequence[Setting], row: Callable[[Setting, Outcome], Row], name: str
    ) -> tuple[list[Row], Outcome | None]:
        """Play the circuit in every setting; return the rows and our outcome."""
        rows: list[Row] = []
        ours: Outcome | None = None
        for number, setting in enumerate(settings):
            print(f"{name}: {setting.name} ...", file=sys.stderr, flush=True)
            if setting.tool in self.missing:
                rows.append({"run": setting.name, "ending": "not installed"})
                continue
            setting = replace(setting, workaround=bool(self.shipped.get(setting.tool)))
            outcomes: list[Outcome] = []

            def once(
                folder: Path, setting: Setting = setting, outcomes: list[Outcome] = outcomes, circuit: Circuit = circuit
            ) -> Run:
                outcomes.append(play(setting, circuit, folder, LIMIT_S))
                return outcomes[-1].run

            run = repeated(once, self.folder / f"{name}-{number}")
            outcome = outcomes[0]
            failed = run.ending or ("" if outcome.result is not None else "no result")
            told = {"ending": failed} if failed else row(setting, outcome)
            rows.append({"run": setting.name, **told, "cpu_s": run.cpu_s, "rss_mb": run.rss_mb})
            if setting.tool == OURS and not failed:
                ours = ours or outcome
        return rows, ours

    def limit(self, circuit: Circuit, corners: Mapping[str, Sequence[tuple[float, float]]], name: str) -> Row:
        """Return the row of the work without a coupling."""
        print(f"{name}: limit ...", file=sys.stderr, flush=True)
        runs = [
            repeated(lambda folder: plain_ngspice(circuit, corners, folder, LIMIT_S), self.folder / f"{name}-ngspice"),
            repeated(lambda folder: play(Setting("none", "limit"), circuit, folder, LIMIT_S).run, self.folder / f"{name}-vvp"),
        ]  # fmt: skip
        row: Row = {"run": "limit", "cpu_s": sum(r.cpu_s for r in runs), "rss_mb": max(r.rss_mb for r in runs)}
        ending = "; ".join(r.ending for r in runs if r.ending)
        return row | ({"ending": ending} if ending else {})

    def causality(self, edges: int, options: SolverOptions, settings: Sequence[Setting], name: str) -> list[Row]:
        """W1."""
        job = RcJob.random(edges, options, seed=1)
        first = RcJob((20_000,), options)
        circuit, one_edge = rc_circuit(job.gaps_ps, options), rc_circuit(first.gaps_ps, options, 1_000)

        def row(setting: Setting, outcome: Outcome) -> Row:
            late, lost, _ = pair(outcome.edges, outcome.analog_edges, within_s=200e-9)
            exact = [(t, int(up)) for t, up in crossings(_corners(outcome, setting, circuit.duration_ps))]
            wrong, missed, extra = pair(exact, outcome.events, within_s=200e-9)
            own, _, _ = pair(outcome.analog_events, outcome.events, within_s=200e-9)
            return {
                **_errors("d2a", late),
                "edges": len(outcome.edges),
                "lost": lost,
                **_errors("a2d", wrong),
                "events": len(outcome.events),
                "crossings": len(exact),
                "missed": missed,
                "extra": extra,
                "early_exact": sum(e < -1e-12 for e in wrong),  # a tick of the HDL: both times are rounded to it
                "early_own": sum(e < -1e-12 for e in own),
            }

        limit = self.limit(circuit, {"drive": job.corners}, name)
        limit |= {"edges": edges, "events": len(crossings(job.corners)), "a2d_max_s": rc_solver_error(job)}
        rows, _ = self.rows(circuit, settings, row, name)
        idle = [self.limit(one_edge, {"drive": first.corners}, f"{name}-start")]
        idle += self.rows(one_edge, settings, lambda *_: {}, f"{name}-start")[0]
        for one, started in zip([limit, *rows], idle, strict=True):
            if "ending" not in started and "ending" not in one:
                one["start_cpu_s"] = started["cpu_s"]
        return [limit, *rows]

    def write_verify(self, simulated_s: float, settings: Sequence[Setting], name: str) -> list[Row]:
        """W2."""
        circuit = array_circuit(simulated_s)

        def row(setting: Setting, outcome: Outcome) -> Row:
            late, lost, _ = pair(outcome.edges, outcome.analog_edges, within_s=100e-6)
            found = {key: value for key, value in (outcome.result or {}).items() if key != "transitions"}
            return {**_errors("d2a", late), "edges": len(outcome.edges), "lost": lost, **found}

        rows, ours = self.rows(circuit, settings, row, name)
        limit: Row = {"run": "limit", "ending": "no recorded edges to play back"}
        if ours is not None and ours.result is not None:
            waves: dict[str, list[tuple[float, float]]] = {}
            for to_analog, at_s, level, pin in ours.result["transitions"]:
                if to_analog:
                    waves.setdefault(pin, []).append((at_s, level))
            corners = {pin: piecewise(wave, circuit.rise_s) for pin, wave in waves.items()}
            replay = [(round(t * 1e12), level) for t, level in ours.events]
            limit = self.limit(replace(circuit, settings={"replay": replay}), corners, name)
        for one in (limit, *rows):
            one["simulated_s"] = simulated_s
            if "ending" not in one and "ending" not in limit:
                one["cpu_over_limit"] = one["cpu_s"] / limit["cpu_s"]
        return [limit, *rows]

    def faults(self) -> dict[str, dict[str, str]]:
        """W3: tool -> fault -> what became of it."""
        told: dict[str, dict[str, str]] = {}
        for setting in fault_settings({tool: bool(ending) for tool, ending in self.shipped.items()}):
            print(f"W3: {setting.name} ...", file=sys.stderr, flush=True)
            told[setting.tool] = try_faults(setting, self.folder / f"W3-{setting.tool}", FAULT_LIMIT_S)
        return told | {tool: dict.fromkeys(FAULTS, "not installed") for tool in self.missing}


def repeated(once: Callable[[Path], Run], folder: Path) -> Run:
    """Return the cheapest of some runs, of a long one the first; or one that failed."""
    runs: list[Run] = []
    while len(runs) < (1 if runs and runs[0].cpu_s > REPEATED_S else ROUNDS):
        runs.append(once(folder / str(len(runs))))
        if runs[-1].ending:
            return runs[-1]
    return min(runs, key=lambda run: run.cpu_s)


def _corners(outcome: Outcome, setting: Setting, duration_ps: int) -> list[tuple[float, float]]:
    """Return the drive as the HDL made it: with the ramps of our pins, or jumping as the peers' do."""
    ramp_s = RC_RISE_S if setting.tool == OURS else 0.0
    corners, level = [(0.0, 0.0)], 0.0
    for at_s, new in outcome.edges:
        corners += [(at_s, level), (at_s + ramp_s, float(new))]
        level = float(new)
    return [*corners, (duration_ps * 1e-12, level)]


def _errors(name: str, errors: Sequence[float]) -> Row:
    sizes = [abs(e) for e in errors]
    return {f"{name}_max_s": max(sizes), f"{name}_median_s": statistics.median(sizes)} if sizes else {}


def main(out: Path, short: bool) -> None:
    """Measure everything, write ``peers.json``, print the tables."""
    edges, array_s = (RC_EDGES // 10, ARRAY_S / 10) if short else (RC_EDGES, ARRAY_S)
    with tempfile.TemporaryDirectory(prefix="pyharness-peers-") as name:
        bench = Bench(Path(name))
        result: dict[str, Any] = {
            "versions": {tool: tool_version(tool) for tool in (OURS, "cocotb", *PEERS)}
            | {"python": platform.python_version()},
            "peers": bench.notes(),
            "w3": bench.faults(),
            "w1": bench.causality(
                edges,
                SolverOptions(reltol=1e-5, tmax_s=1e-6, crossing_tol_s=2e-11),
                [
                    Setting(OURS, OURS),
                    Setting(SPICEBIND, "spicebind 1 ns step", step="1n"),
                    Setting(SPICEBIND, "spicebind 0.1 ns step", step="0.1n"),
                    Setting(AMS, "cocotbext-ams default (100 ns sync, 0.1 ns step)"),
                    Setting(AMS, "cocotbext-ams 1 ns sync, 0.1 ns step", step="0.1n", sync_ns=1.0),
                ],
                "W1",
            )
            + bench.causality(
                edges // 10,
                SolverOptions(reltol=1e-7, tmax_s=1e-6, crossing_tol_s=1e-12),
                [
                    Setting(OURS, "pyharness, reltol 1e-7"),
                    Setting(SPICEBIND, "spicebind 0.01 ns step, reltol 1e-7", step="0.01n"),
                    Setting(AMS, "cocotbext-ams 0.1 ns sync and step, reltol 1e-7", step="0.1n", sync_ns=0.1),
                ],
                "W1-fine",
            ),
            "w2": bench.write_verify(
                array_s,
                [
                    Setting(OURS, OURS),
                    Setting(OURS, "pyharness, no point inside ramps", edge_corners=0),
                    Setting(SPICEBIND, "spicebind 10 us step", step="10u"),
                    Setting(AMS, "cocotbext-ams 10 us sync and step", step="10u", sync_ns=10_000.0),
                ],
                "W2",
            )
            + bench.write_verify(
                array_s / 10,
                [
                    Setting(OURS, OURS),
                    Setting(SPICEBIND, "spicebind 1 us step", step="1u"),
                    Setting(AMS, "cocotbext-ams 1 us sync and step", step="1u", sync_ns=1_000.0),
                ],
                "W2-fine",
            ),
        }
    (out / "peers.json").write_text(json.dumps(result, indent=1) + "\n")
    show(result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="compare with spicebind and cocotbext-ams")
    parser.add_argument("output", nargs="?", type=Path, default=Path("build/bench"))
    parser.add_argument("--short", action="store_true", help="a tenth of the work, to try it out")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    main(arguments.output, arguments.short)
