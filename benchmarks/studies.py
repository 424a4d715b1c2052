# SPDX-License-Identifier: BSD-3-Clause
"""What the study layer costs, and what it survives, measured in one run.

- Throughput of two workers over one on the same runs, start-up apart: in rounds, one after the other, the median of the rounds.  It says
  what the machine lets through: beside it are the processors that were free, and the share of the time that the workers were in a run.
- Overhead of a run: the time of a worker between two runs, and the driver's CPU, start-up in it.
- Memory of the driver, and of the largest process of a run, over a study of many runs.
- A study killed (SIGKILL, the whole process group) at random moments and gone on with: each run stored once, none begun again that was
  stored, every result equal to the bit to an undisturbed study's.

Usage: python benchmarks/studies.py OUTPUT_FOLDER [--runs N] [--kills N] [--kill-runs N] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import yaml

from pyharness.study.spec import load_study

DRIVER = Path(__file__).parent / "support" / "study_driver.py"
SEED = 7
BASE = {
    "engine": "numpy",
    "images": [[["#."]], [[".#"]]],
    "training": {"hidden": 1, "targets_siemens": [2e-4, 2.5e-4, 1.5e-4]},
    "test": {"count": 0},
    "write_verify": {"tolerance": 0.02},
    "variation": {"device": True, "cycle": True},
    "waves": False,
}
"""Three devices: a whole job, of a hundredth of a second."""
PAPER = load_study("paper").base
"""30 devices, and a network trained in software for each seed: what studies are made of."""


def start(folder: Path, runs: int, workers: int, base: dict[str, Any] = BASE) -> subprocess.Popen[bytes]:
    """Start a study of so many runs, or go on with it."""
    folder.mkdir(exist_ok=True)
    series = [{"name": "arrays", "repeats": runs}]
    (folder / "study.yaml").write_text(yaml.safe_dump({"study": "bench", "base": base, "series": series}))
    words = [sys.executable, str(DRIVER), str(folder / "study.yaml"), str(folder), str(workers)]
    return subprocess.Popen(words, start_new_session=True)


def whole(folder: Path, runs: int, workers: int, base: dict[str, Any] = BASE) -> dict[str, Any]:
    """Carry a study out; return what it took."""
    with start(folder, runs, workers, base) as process:
        if process.wait():
            raise SystemExit(f"the study ended with status {process.returncode}")
    took: dict[str, Any] = json.loads((folder / "took.json").read_text())
    return took


def steady(took: dict[str, Any], workers: int) -> dict[str, float]:
    """Return the figures after start-up: from the first fifth of the runs on, when every process has its machine code."""
    later = took["stored"][len(took["stored"]) // 5 :]
    lasted_s = later[-1][0] - later[0][0]
    in_runs_s = sum(wall_s for _, wall_s in later[1:])
    runs = len(later) - 1
    return {
        "runs_per_s": runs / lasted_s,
        "busy": in_runs_s / (workers * lasted_s),
        "between_runs_s": (workers * lasted_s - in_runs_s) / runs,
        "driver_cpu_s": took["driver_cpu_s"] / len(took["stored"]),
        "startup_s": took["stored"][0][0],
    }


def throughput(folder: Path, rounds: int) -> dict[str, float]:
    """Return two workers over one, and the overhead of a run."""
    found: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    free = []
    for number in range(rounds):
        for workers in (1, 2):
            free.append(psutil.cpu_count() * (1 - psutil.cpu_percent(2) / 100))
            found[workers].append(steady(whole(folder / f"t{number}-{workers}", 50 * workers, workers, PAPER), workers))

    def median(workers: int, key: str) -> float:
        return statistics.median(one[key] for one in found[workers])

    ratios = [two["runs_per_s"] / one["runs_per_s"] for one, two in zip(found[1], found[2], strict=True)]
    return {
        "processors": psutil.cpu_count(),
        "processors_free": statistics.median(free),
        "two_over_one": statistics.median(ratios),
        "two_over_one_least": min(ratios),
        "two_over_one_most": max(ratios),
        **{f"{key}_{n}": median(n, key) for n in (1, 2) for key in found[n][0]},
    }


def memory(folder: Path, runs: int) -> dict[str, float]:
    """Return resident memory: driver's early, in the middle and last, its growth in the last half, and the processes' most."""
    took = whole(folder / "memory", runs, 2)
    samples = took["memory"]
    early, middle, last = (samples[int(share * (len(samples) - 1))][1] for share in (0.1, 0.5, 1.0))
    return {
        "memory_runs": len(took["stored"]),
        "memory_lasted_s": took["stored"][-1][0],
        "driver_early_bytes": early,
        "driver_middle_bytes": middle,
        "driver_last_bytes": last,
        "driver_grown_last_half": last / middle - 1,
        "run_process_most_bytes": max(sample[2] for sample in samples),
    }


def results(folder: Path) -> dict[str, tuple[str, str]]:
    with closing(sqlite3.connect(folder / "study.db")) as db:
        return {one: (status, result) for one, status, result in db.execute("SELECT id, status, result FROM runs")}


def begun(folder: Path) -> Counter[str]:
    lines = (folder / "asked").read_text().split() if (folder / "asked").exists() else []
    return Counter(line.removeprefix("run-") for line in lines)


def killed(folder: Path, runs: int, kills: int) -> dict[str, float]:
    """Kill a study again and again; return what was begun, and stored."""
    calm, rough = folder / "calm", folder / "rough"
    whole(calm, runs, 2)
    draw = random.Random(SEED)
    again = moments = 0
    for _ in range(kills):
        before, done = begun(rough), set(results(rough)) if moments else set()
        process = start(rough, runs, 2)
        family: list[psutil.Process] = []
        # the moment counts from the first new run on: start-up lasts long beside it, and nothing is at stake in it
        wait_s = draw.uniform(0, 4)
        while begun(rough) == before and process.poll() is None:
            time.sleep(0.02)
        time.sleep(wait_s)
        if process.poll() is None:
            moments += 1
            family = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if psutil.wait_procs(family, 60)[1]:
            raise SystemExit("a run outlived its study")
        again += sum((begun(rough) - before)[one] for one in done)
    done, before = set(results(rough)), begun(rough)
    whole(rough, runs, 2)
    again += sum((begun(rough) - before)[one] for one in done)
    total = begun(rough)
    return {
        "kill_runs": runs,
        "kills": moments,
        "kill_stored": len(results(rough)),
        "kill_begun": sum(total.values()),
        "kill_begun_twice": sum(count > 1 for count in total.values()),
        "kill_stored_begun_again": again,
        "kill_results_differ": sum(results(calm).get(one) != found for one, found in results(rough).items()),
    }


def main() -> None:
    """Measure; print each figure, and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=int, default=10_000, help="of the study whose memory is watched; 0: none")
    parser.add_argument("--kills", type=int, default=10, help="of one study; 0: none")
    parser.add_argument("--kill-runs", type=int, default=1200, help="of that study")
    parser.add_argument("--rounds", type=int, default=5, help="of one worker, then two; 0: none")
    options = parser.parse_args()
    result: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="pyharness-bench-") as name:
        folder = Path(name)
        parts = (
            (options.rounds, lambda: throughput(folder, options.rounds)),
            (options.kills, lambda: killed(folder, options.kill_runs, options.kills)),
            (options.runs, lambda: memory(folder, options.runs)),
        )
        for part in (part for wanted, part in parts if wanted):
            found = part()
            result |= found
            for key, value in found.items():
                print(f"{key:26} {value:.6g}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "studies.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
