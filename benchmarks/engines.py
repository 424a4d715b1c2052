# SPDX-License-Identifier: BSD-3-Clause
"""The same jobs by engine numpy and in co-simulation: how much quicker, how far apart.

A job programs 30 chromium devices of measured scatter, as configs/paper.yaml does, and classifies nothing.  Times are CPU seconds of the
whole job, processes that it starts included, less software training, which is the same for both; engine numpy is timed when its machine
code is there, over several jobs.  Differences are of the conductances read back, of all devices, and of those with as many pulses in both.

Usage: python benchmarks/engines.py OUTPUT_FOLDER [--jobs N] [--numpy-jobs N]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from pyharness.bench.job import build_job
from pyharness.bench.runner import read_record, run_sim
from pyharness.config import SimConfig
from pyharness.record import Record
from pyharness.study.run import run_point
from pyharness.study.spec import load_study, points


def cpu_s() -> float:
    """Return what this process and those that it waited for have used."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def training_s(config: SimConfig) -> float:
    """Return what software training of a job takes: a second job of the same network takes none."""
    begun = time.process_time()
    build_job(config)
    first = time.process_time() - begun
    begun = time.process_time()
    build_job(config)
    return first - (time.process_time() - begun)


def by_numpy(configs: list[SimConfig]) -> tuple[float, list[dict[str, Any]]]:
    """Return CPU seconds a job, and the results."""
    run_point(configs[0].model_dump_json(), 3600)  # machine code
    for config in configs:
        build_job(config)  # software training
    begun = cpu_s()
    found = [run_point(config.model_dump_json(), 3600) for config in configs]
    took_s = (cpu_s() - begun) / len(configs)
    for outcome in found:
        if outcome.status != "pass":
            raise SystemExit(f"a job of engine numpy did not pass: {outcome.message}")
    return took_s, [outcome.result for outcome in found]


def in_cosimulation(config: SimConfig) -> tuple[float, Record]:
    """Return CPU seconds of the job, and its record."""
    begun = cpu_s()
    with tempfile.TemporaryDirectory() as folder:
        record = read_record(run_sim(config, Path(folder), "benchmarks/engines.py"))
    return cpu_s() - begun, record


def main() -> None:
    """Measure, print, write engines.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--jobs", type=int, default=3, help="in co-simulation")
    parser.add_argument("--numpy-jobs", type=int, default=20)
    args = parser.parse_args()
    study = load_study("paper")
    wanted = {"write_verify.initial_reset": False}
    configs = [p.config for p in points(study) if p.series == "chromium" and p.varied == wanted][: args.numpy_jobs]
    spice = [config.model_copy(update={"engine": "ngspice"}) for config in configs[: args.jobs]]
    software_s = training_s(spice[0])
    numpy_s, results = by_numpy(configs)
    rows = []
    for config, result in zip(spice, results, strict=False):
        took_s, record = in_cosimulation(config)
        ours, theirs = (np.array(x) for x in (result["final_siemens"], [d.final_siemens for d in record.devices]))
        off = np.abs(ours / theirs - 1)
        same = np.array(result["pulses"]) == [d.pulses for d in record.devices]
        rows.append(
            {
                "seed": config.seed,
                "cosimulation_s": took_s - software_s,  # the testbench trains; this process has the network by then
                "ratio": (took_s - software_s) / numpy_s,
                "conductance_max": float(off.max()),
                "conductance_median": float(np.median(off)),
                "same_pulses": int(same.sum()),
                "conductance_max_same_pulses": float(off[same].max()),
                "beyond_half_a_percent": int((off > 0.005).sum()),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    print(
        f"engine numpy: {numpy_s * 1e3:.1f} ms of CPU a job over {len(configs)} jobs; software training {software_s:.2f} s"
    )
    args.output.mkdir(parents=True, exist_ok=True)
    found = {"numpy_s": numpy_s, "software_training_s": software_s, "jobs": rows}
    (args.output / "engines.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
