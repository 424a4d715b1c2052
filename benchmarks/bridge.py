# SPDX-License-Identifier: BSD-3-Clause
"""Cost and exactness of the coupling, as ratios measured in one run.

- CPU of the main job in co-simulation over the sum of ``ngspice -b`` with equal stimuli (the recorded edges as
  piecewise-linear sources) and of the same testbench and RTL in vvp with the recorded comparators played back.
- Errors on an RC with a closed-form solution, beside the error of plain ngspice with equal stimuli and tolerance.
- CPU of many edges over the same sum; of a 100 MHz clock beside an idle analog side over the clock alone; of waveforms.
- Memory: growth over 10^6 hand-overs in one run, and over 200 runs in one process.

Usage: python benchmarks/bridge.py OUTPUT_FOLDER
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from dataclasses import asdict
from importlib.resources import files
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from pyharness.bench.job import build_job
from pyharness.bench.runner import hdl_sources, run_sim
from pyharness.config import SimConfig
from pyharness.cosim import SolverOptions, simulate
from pyharness.cosim.selftest import CAPACITANCE_F, RESISTANCE_OHM, RcJob, crossings, measure_rc, response, run_rc
from pyharness.record import Record, write_record
from pyharness.resources import hdl_dir
from pyharness.spice import run_batch

IMAGES = 100
RC_EDGES = (400, 100_000)
ROUNDS = 3
CLOCK_MS = 20


def children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def piecewise(events: list[tuple[float, float]], ramp_s: float) -> list[tuple[float, float]]:
    """Turn (start, level) of ramps into corners; a ramp begins where an unfinished one has got to."""
    corners, begin, v0, v1 = [(0.0, 0.0)], -1.0, 0.0, 0.0
    for start, level in events:
        if start < begin + ramp_s:
            now = v0 + (v1 - v0) * (start - begin) / ramp_s
            corners[-1] = (start, now)
        else:
            now = v1
            if start > corners[-1][0]:
                corners.append((start, now))
        corners.append((start + ramp_s, level))
        begin, v0, v1 = start, now, level
    return corners


def rc_solver_error(job: RcJob) -> float:
    """Return the largest crossing error of plain ngspice: from each point before a crossing the exact curve is followed."""
    corners = job.corners
    wave = " ".join(f"{t!r} {v!r}" for t, v in corners)
    o = job.options
    deck = [*job.netlist, f"v1 drive 0 pwl({wave})", o.options_line()]
    run = run_batch(deck, f".tran {o.tmax_s / 10!r} {corners[-1][0]!r} 0 {o.tmax_s!r}", save=["v(sense)"])
    t, v = run.vectors["time"], run.vectors["v(sense)"]
    starts = np.array([c[0] for c in corners])
    tau, worst = RESISTANCE_OHM * CAPACITANCE_F, 0.0
    for exact, _ in crossings(corners):
        k = int(np.searchsorted(t, exact, side="right")) - 1
        piece = int(np.searchsorted(starts, t[k], side="right")) - 1
        drive = corners[piece + 1][1]
        if corners[piece][1] != drive:  # on a ramp: compare the voltage there instead, over the slope
            at = response(v[k], (t[k], corners[piece][1]), corners[piece + 1], exact)
            worst = max(worst, abs(at - 0.5) * tau / abs(drive - 0.5))
        else:
            worst = max(worst, abs(t[k] + tau * log((drive - v[k]) / (drive - 0.5)) - exact))
    return worst


def rc_exactness(folder: Path) -> dict[str, Any]:
    """Return the errors of 400 and of 100,000 edges, beside plain ngspice's own over as many."""
    options = SolverOptions(reltol=1e-5, tmax_s=1e-6, crossing_tol_s=2e-11)
    found: dict[str, Any] = {"rc_reltol": options.reltol}
    for edges in RC_EDGES:
        errors = asdict(measure_rc(RcJob.random(edges, options, seed=1), folder / f"rc{edges}"))
        found |= {f"{k}_{edges}": v for k, v in errors.items() if k != "edges"}
        # a piecewise-linear source of very many corners takes ngspice quadratic time: in parts
        parts = max(1, edges // 2000)
        found[f"a2d_solver_error_max_s_{edges}"] = max(
            rc_solver_error(RcJob.random(edges // parts, options, seed=part)) for part in range(1, parts + 1)
        )
    return found


def many_edges(folder: Path) -> dict[str, float]:
    """Return the CPU of 2,000 edges over plain ngspice with equal stimuli and the testbench alone; the best of rounds."""
    job = RcJob.random(2000, SolverOptions(reltol=1e-5, tmax_s=1e-6, crossing_tol_s=2e-11), seed=1)
    wave = " ".join(f"{t!r} {v!r}" for t, v in job.corners)
    o = job.options
    deck = [*job.netlist, f"v1 drive 0 pwl({wave})", o.options_line()]
    best = {"cosim": float("inf"), "ngspice": float("inf"), "vvp": float("inf")}
    for number in range(ROUNDS):
        for name, bridge in (("cosim", True), ("vvp", False)):
            before = children_cpu_s()
            run_rc(job, folder / f"{name}{number}", bridge=bridge)
            best[name] = min(best[name], children_cpu_s() - before)
        run = run_batch(deck, f".tran {o.tmax_s / 10!r} {job.corners[-1][0]!r} 0 {o.tmax_s!r}", save=["v(sense)"])
        best["ngspice"] = min(best["ngspice"], run.cpu_s)
    return {f"many_edges_{k}_cpu_s": v for k, v in best.items()} | {
        "many_edges_cpu_over_limit": best["cosim"] / (best["ngspice"] + best["vvp"])
    }


def load(folder: Path, test: str, **settings: object) -> tuple[dict[str, float], float]:
    """Run one test of load_bench.py; return what it wrote and the CPU seconds."""
    before = children_cpu_s()
    simulate(
        [files("pyharness.cosim.selftest") / "rc.v"],  # type: ignore[list-item]
        "rc_top",
        "load_bench",
        folder,
        testcase=test,
        environment={"PYHARNESS_LOAD": json.dumps(settings)},
        python_path=[Path(__file__).parent / "support"],
    )
    result: dict[str, float] = json.loads((folder / "load.json").read_text())
    return result, children_cpu_s() - before


def idle_clock(folder: Path) -> dict[str, float]:
    """Return the CPU of a 100 MHz clock beside an idle analog side over that of the clock alone; the best of rounds."""
    best = {True: float("inf"), False: float("inf")}
    points = 0.0
    for number in range(ROUNDS):
        for bridge in (True, False):
            found, cpu_s = load(folder / f"clock{bridge}{number}", "idle_clock", bridge=bridge, clock_ms=CLOCK_MS)
            best[bridge] = min(best[bridge], cpu_s)
            points = max(points, found["points"])
    return {"idle_clock_cpu_ratio": best[True] / best[False], "idle_clock_points": points}


def memory(folder: Path) -> dict[str, float]:
    """Return the growth in bytes over 10^6 hand-overs in a run, and over 200 runs in a process."""
    one, _ = load(folder / "hand_overs", "hand_overs", hand_overs=1_000_000)
    many, _ = load(folder / "runs", "many_runs", runs=200)
    return {
        "hand_overs": one["hand_overs"],
        "hand_overs_grown_bytes": one["grown_bytes"],
        "runs": many["runs"],
        "runs_grown_bytes": many["grown_bytes"],
    }


def waves(folder: Path) -> dict[str, float]:
    """Return the CPU of a short main job with waveforms over the same without."""
    used = {}
    for on in (True, False):
        before = children_cpu_s()
        run_sim(SimConfig.model_validate({"test": {"count": 16}, "waves": on}), folder / f"waves{on}", "benchmark")
        used[on] = children_cpu_s() - before
    return {"waves_cpu_ratio": used[True] / used[False]}


def main_job(folder: Path) -> dict[str, float]:
    """Return the CPU of the main job over that of its two sides apart, on the same work."""
    config = SimConfig.model_validate({"test": {"count": IMAGES}, "device": {"target": "ngspice"}, "waves": False})
    before = children_cpu_s()
    run = run_sim(config, folder / "sim", "benchmark", log_edges=True)
    cosim_s = children_cpu_s() - before
    edges = json.loads((run / "edges.json").read_text())
    record = Record.model_validate_json((run / "results.json").read_text())

    job = build_job(config)
    played: dict[str, list[tuple[float, float]]] = {}
    for _, at, pin, to_analog, level in edges:
        if to_analog:
            played.setdefault(pin, []).append((at, level))
    sources = job.array.batch_sources({pin: piecewise(w, job.electrics.edge_s) for pin, w in played.items()})
    solver = job.solver()
    batch = run_batch(
        [*job.array.netlist, *sources, solver.options_line()],
        f".tran {solver.tmax_s / 10!r} {record.bridge['analog_s']!r} 0 {solver.tmax_s!r}",
        save=["v(l1_row0)"],
        timeout_s=1800,
    )
    replay_s = replay(config, folder / "replay", edges, record)
    return {
        "cosim_cpu_s": cosim_s,
        "ngspice_cpu_s": batch.cpu_s,
        "vvp_cpu_s": replay_s,
        "cpu_over_limit": cosim_s / (batch.cpu_s + replay_s),
        "cosim_points": record.bridge["points"],
        "ngspice_points": len(batch.vectors["time"]),
        "images": IMAGES,
    }


def main(out: Path) -> None:
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="pyharness-bench-") as name:
        for part in (rc_exactness, many_edges, idle_clock, memory, waves, main_job):
            found = part(Path(name))
            result |= found
            for key, value in found.items():
                print(f"{key:32} {value:.6g}", flush=True)
    (out / "bridge.json").write_text(json.dumps(result, indent=1) + "\n")


def replay(config: SimConfig, folder: Path, edges: list[Any], record: Record) -> float:
    """Run the digital side alone on the recorded comparators; return its CPU seconds.

    Raises:
        AssertionError: its answers differ from the recorded run's, so it was not the same work.
    """
    folder.mkdir()
    (folder / "job.json").write_text(config.model_dump_json())
    start = record.model_copy(deep=True, update={"pulses": [], "devices": [], "answers": [], "accuracy": None})
    write_record(start, folder)
    levels = {"l1_cmp": 0, "l2_cmp": 0}
    lines = []
    for tick, _, pin, to_analog, level in edges:
        if to_analog:
            continue
        port, bit = pin[:6], int(pin[6:] or 0)
        levels[port] = (levels[port] & ~(1 << bit)) | (int(level) << bit)
        lines.append(f"{tick} {levels['l1_cmp']} {levels['l2_cmp']}")
    (folder / "comparators.txt").write_text("\n".join([*lines, ""]))
    (folder / "replay.v").write_text(REPLAY)
    before = children_cpu_s()
    simulate(
        [*hdl_sources(), folder / "replay.v"],
        "system_top",
        "replay_bench",
        folder,
        extra_roots=["replay"],
        include_dirs=[hdl_dir()],
        python_path=[Path(__file__).parent / "support"],
        seed=config.seed,
    )
    used = children_cpu_s() - before
    again = Record.model_validate_json((folder / "results.json").read_text())
    assert again.answers == record.answers, "the replayed run gave other answers"
    return used


REPLAY = """`timescale 1ps / 1ps
module replay;
    integer file, found;
    reg [63:0] at;
    reg [2:0] first;
    reg second;
    initial begin
        system_top.u_array.l1_cmp = 0;
        system_top.u_array.l2_cmp = 0;
        file = $fopen("comparators.txt", "r");
        found = $fscanf(file, "%d %d %d", at, first, second);
        while (found == 3) begin
            #(at - $time);
            system_top.u_array.l1_cmp = first;
            system_top.u_array.l2_cmp = second;
            found = $fscanf(file, "%d %d %d", at, first, second);
        end
    end
endmodule
"""

if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench")
    target.mkdir(parents=True, exist_ok=True)
    main(target)
