# SPDX-License-Identifier: BSD-3-Clause
"""The same work through this coupling and through the two others on PyPI, spicebind and cocotbext-ams, in one run.

Every tool gets the same circuit, HDL, test, tolerances and cocotb runner; each run is alone and has a time limit.  The
row "limit" is what the work costs without any coupling: plain ``ngspice -b`` on recorded edges plus vvp on the HDL.

- W1, causality: an RC, driven by 400 edges off any grid; every crossing of its output is known in closed form.
  D->A error: the analog side's time of an edge against the HDL's.  Of a peer it is the first point in ngspice's own
  raw file with the drive on its new side (the circuit sees the source rise on the straight line from the point
  before, so up to one step less); of this coupling, where the log of edges has the start of the ramp, which the closed
  form checks.  A->D error: the HDL's time of an event against the closed form for the edges as the HDL made them,
  for this coupling with its ramps, for the peers with jumps; an error of the edge before is part of it.  Early: events
  before the exact crossing, of which the solver's error causes some, and before the analog side's own, which none should be.
- W2, write-verify: 30 memristors (msdc, chromium) with 5110 Ohm and a drive each; a controller at 1 MHz pulses each until the
  comparator is high.  Pulses and devices written show whether it was the same work.
- W3: what each tool does with a mistake.  The test looks at no value, so that what is shown is what the tool itself says.

CPU is user and system time of the simulator's process; start-up is a run of one edge.  Ratios hold, times are this machine's.

Usage: python benchmarks/peers.py [OUTPUT_FOLDER] [--short]
Peers: pip install 'pyharness[peers]' (spicebind needs a C++17 compiler, ngspice's headers and NGSPICE_ROOT=/usr)
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge import piecewise, rc_solver_error
from support.peers.faults import FAULTS, NO_FAULT, fault_settings, try_faults
from support.peers.launch import Run
from support.peers.matching import pair
from support.peers.tools import AMS, OURS, PEERS, SPICEBIND, Circuit, Outcome, Setting, installed, play, tool_version
from support.peers.workloads import RC_RISE_S, array_circuit, plain_ngspice, rc_circuit

from pyharness.cosim import SolverOptions
from pyharness.cosim.selftest import RcJob, crossings

RC_EDGES, ARRAY_S = 400, 0.36
LIMIT_S, FAULT_LIMIT_S = 600.0, 60.0
WORKAROUNDS = {
    SPICEBIND: "sources written as 'v n 0 external', without the documented DC value",
    AMS: "DC values taken out of the deck that it generates, by a wrapper in the test",
}
Row = dict[str, Any]


class Bench:
    """One run of the benchmark.

    Attributes:
        folder: where the runs are kept.
        needs: peers that are there -> whether they need their work-around.
        shipped: how a peer as it is documented ends; empty for well.
    """

    def __init__(self, folder: Path, short: bool) -> None:
        self.folder = folder
        self.edges = RC_EDGES // 10 if short else RC_EDGES
        self.array_s = ARRAY_S / 10 if short else ARRAY_S
        self.shipped: dict[str, str] = {}
        self.needs: dict[str, bool] = {}
        for tool in PEERS:
            if installed(tool):
                setting = Setting(tool, tool, step="1n", workaround=False)
                self.shipped[tool] = play(setting, FAULTS[NO_FAULT], folder / f"{tool}-shipped", FAULT_LIMIT_S).run.ending
                self.needs[tool] = bool(self.shipped[tool])

    def rows(
        self, circuit: Circuit, settings: Sequence[Setting], row: Callable[[Setting, Outcome], Row], name: str
    ) -> tuple[list[Row], Outcome | None]:
        """Play the circuit in every setting; return the rows and our outcome."""
        rows: list[Row] = []
        ours: Outcome | None = None
        for number, setting in enumerate(settings):
            print(f"{name}: {setting.name} ...", file=sys.stderr, flush=True)
            if not installed(setting.tool):
                rows.append({"run": setting.name, "ending": "not installed"})
                continue
            setting = replace(setting, workaround=self.needs.get(setting.tool, False))
            outcome = play(setting, circuit, self.folder / f"{name}-{number}", LIMIT_S)
            failed = outcome.run.ending or ("" if outcome.result is not None else "no result")
            cost = {"cpu_s": outcome.run.cpu_s, "rss_mb": outcome.run.rss_mb}
            rows.append({"run": setting.name, **({"ending": failed} if failed else row(setting, outcome)), **cost})
            if setting.tool == OURS and not failed:
                ours = outcome
        return rows, ours

    def limit(self, circuit: Circuit, corners: dict[str, Sequence[tuple[float, float]]], name: str) -> Row:
        """Return the row of the work without a coupling."""
        analog = plain_ngspice(circuit, corners, self.folder / f"{name}-ngspice", LIMIT_S)
        digital = play(Setting("none", "limit"), circuit, self.folder / f"{name}-vvp", LIMIT_S).run
        runs: list[Run] = [analog, digital]
        row: Row = {"run": "limit", "cpu_s": sum(r.cpu_s for r in runs), "rss_mb": max(r.rss_mb for r in runs)}
        ending = "; ".join(r.ending for r in runs if r.ending)
        return row | ({"ending": ending} if ending else {})

    def causality(self) -> list[Row]:
        """W1."""
        options = SolverOptions(reltol=1e-5, tmax_s=1e-6, crossing_tol_s=2e-11)
        job = RcJob.random(self.edges, options, seed=1)
        settings = [
            Setting(OURS, OURS),
            Setting(SPICEBIND, "spicebind 1 ns step", step="1n"),
            Setting(SPICEBIND, "spicebind 0.1 ns step", step="0.1n"),
            Setting(AMS, "cocotbext-ams default (100 ns sync, 0.1 ns step)"),
            Setting(AMS, "cocotbext-ams 1 ns sync, 0.1 ns step", step="0.1n", sync_ns=1.0),
        ]

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
                "crossings": len(exact),
                "missed": missed,
                "extra": extra,
                "early_exact": sum(e < -1e-12 for e in wrong),  # a tick of the HDL: both times are rounded to it
                "early_own": sum(e < -1e-12 for e in own),
            }

        circuit = rc_circuit(job.gaps_ps, options)
        rows, _ = self.rows(circuit, settings, row, "W1")
        idle, _ = self.rows(rc_circuit([20_000], options, 1_000), settings, lambda *_: {}, "W1 start-up")
        for one, started in zip(rows, idle, strict=True):
            if "cpu_s" in started and "ending" not in started:
                one["start_cpu_s"] = started["cpu_s"]
        limit = self.limit(circuit, {"drive": job.corners}, "W1")
        limit |= {"d2a_max_s": 0.0, "d2a_median_s": 0.0, "a2d_max_s": rc_solver_error(job)}
        return [limit, *rows]

    def write_verify(self) -> list[Row]:
        """W2."""
        circuit = array_circuit(self.array_s)
        settings = [
            Setting(OURS, OURS),
            Setting(SPICEBIND, "spicebind 10 us step", step="10u"),
            Setting(AMS, "cocotbext-ams 10 us sync and step", step="10u", sync_ns=10_000.0),
            Setting(SPICEBIND, "spicebind 1 us step", step="1u"),
        ]

        def row(setting: Setting, outcome: Outcome) -> Row:
            late, lost, _ = pair(outcome.edges, outcome.analog_edges, within_s=100e-6)
            return {**_errors("d2a", late), "edges": len(outcome.edges), "lost": lost, **(outcome.result or {})}

        rows, ours = self.rows(circuit, settings, row, "W2")
        for one in rows:
            one.pop("transitions", None)
        if ours is None or ours.result is None:
            return [{"run": "limit", "ending": "no recorded edges to play back"}, *rows]
        waves: dict[str, list[tuple[float, float]]] = {}
        for to_analog, at_s, level, pin in ours.result["transitions"]:
            if to_analog:
                waves.setdefault(pin, []).append((at_s, level))
        corners = {pin: piecewise(wave, circuit.rise_s) for pin, wave in waves.items()}
        replay = [(round(t * 1e12), level) for t, level in ours.events]
        limit = self.limit(replace(circuit, settings={"replay": replay}), corners, "W2")
        for one in rows:
            if "cpu_s" in one and "ending" not in one and "ending" not in limit:
                one["cpu_over_limit"] = one["cpu_s"] / limit["cpu_s"]
        return [limit, *rows]

    def faults(self) -> dict[str, dict[str, str]]:
        """W3: tool -> fault -> what became of it."""
        told: dict[str, dict[str, str]] = {}
        for setting in fault_settings(self.needs):
            print(f"W3: {setting.name} ...", file=sys.stderr, flush=True)
            told[setting.tool] = try_faults(setting, self.folder / f"W3-{setting.tool}", FAULT_LIMIT_S)
        return told | {tool: dict.fromkeys(FAULTS, "not installed") for tool in PEERS if tool not in told}


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


def _pair(row: Row, name: str, unit_s: float) -> str:
    values = [row.get(f"{name}_{what}_s") for what in ("max", "median")]
    return " / ".join("-" if v is None else f"{v / unit_s:.3g}" if v < 1000 * unit_s else f"{v / unit_s:.0f}" for v in values)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"\n{title}\n")
    widths = [max(len(line[i]) for line in (head, *rows)) for i in range(len(head))]
    for line in (head, ["-" * w for w in widths], *rows):
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |")


def _count(row: Row, *names: str) -> str:
    return " / ".join(str(row.get(name, "-")) for name in names)


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    print(", ".join(f"{tool} {number}" for tool, number in result["versions"].items()))
    for tool, note in result["peers"].items():
        print(f"{tool}: {note}")

    def cells(row: Row, of: Callable[[Row], list[str]], cost: Callable[[Row], list[str]]) -> list[str]:
        measured = of(row)
        return [row["run"], *([row["ending"], *["-"] * (len(measured) - 1)] if "ending" in row else measured), *cost(row)]

    def number(row: Row, name: str, form: str) -> str:
        return format(row[name], form) if name in row else "-"

    _table(
        f"W1, causality: {result['edges']} edges. Errors max / median in ps.",
        ["run", "D->A", "edges lost", "A->D", "missed / extra / of", "early: exact / own", "CPU s", "of it start-up"],
        [
            cells(
                r,
                lambda r: [
                    _pair(r, "d2a", 1e-12),
                    _count(r, "lost"),
                    _pair(r, "a2d", 1e-12),
                    _count(r, "missed", "extra", "crossings"),
                    _count(r, "early_exact", "early_own"),
                ],
                lambda r: [number(r, "cpu_s", ".2f"), number(r, "start_cpu_s", ".2f")],
            )
            for r in result["w1"]
        ],
    )
    _table(
        f"W2, write-verify: 30 memristors, {result['array_s']:g} s simulated. Errors max / median in us.",
        ["run", "write edges", "edges lost", "pulses / written", "CPU s", "CPU / limit", "RSS MB"],
        [
            cells(
                r,
                lambda r: [_pair(r, "d2a", 1e-6), _count(r, "lost"), _count(r, "pulses", "written")],
                lambda r: [number(r, "cpu_s", ".1f"), number(r, "cpu_over_limit", ".2f"), number(r, "rss_mb", ".0f")],
            )
            for r in result["w2"]
        ],
    )
    print("\nW3, mistakes\n")
    for fault in FAULTS:
        print(f"- {fault}")
        for tool, told in result["w3"].items():
            print(f"    {tool:13} {told[fault]}")


def main(out: Path, short: bool) -> None:
    """Measure everything, write ``peers.json``, print the tables."""
    with tempfile.TemporaryDirectory(prefix="pyharness-peers-") as name:
        bench = Bench(Path(name), short)
        result: dict[str, Any] = {
            "versions": {tool: tool_version(tool) for tool in (OURS, "cocotb", *PEERS)} | {"python": platform.python_version()},
            "peers": {
                tool: "not installed"
                if tool not in bench.needs
                else f"as documented: {bench.shipped[tool]}; measured with a work-around: {WORKAROUNDS[tool]}"
                if bench.needs[tool]
                else "as documented, no work-around"
                for tool in PEERS
            },
            "edges": bench.edges,
            "array_s": bench.array_s,
            "w3": bench.faults(),
            "w1": bench.causality(),
            "w2": bench.write_verify(),
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
