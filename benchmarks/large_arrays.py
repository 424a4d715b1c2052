# SPDX-License-Identifier: BSD-3-Clause
"""Arrays larger than the paper's: programmed and used, every answer compared with the integer model of the network.

- 32 x 32 and 32 x 1 cells (1056 devices) in the behavioural view: two groups of neurons, noisy images of two kinds.
- 16 x 16 and 16 x 1 cells (272 devices) in co-simulation with ngspice: the main job on 4 x 4 images.

Usage: python benchmarks/large_arrays.py OUTPUT_FOLDER [--only behavioural|ngspice]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.program_bench import build, play, write_settings

from pyharness.bench.array import ArrayElectrics
from pyharness.bench.runner import read_record, run_sim
from pyharness.config import SimConfig
from pyharness.network.reference import Arithmetic, Network

SIZE, IMAGES = 32, 40
TOLERANCE = 0.05
READ_CODE = 60  # of 32 rows all may be on: their sum must fit the reference row's 11 bits
STRIPES = [
    [["####", "....", "####", "...."], ["....", "####", "....", "####"]],
    [["#.#.", "#.#.", "#.#.", "#.#."], [".#.#", ".#.#", ".#.#", ".#.#"]],
]


def network_of(g_siemens: NDArray[np.float64], table: list[int], threshold: int) -> Network:
    """Return the integer model of a network of these conductances, without biases."""
    return Network(
        g1_siemens=g_siemens[: SIZE * SIZE].reshape(SIZE, SIZE),
        g2_siemens=g_siemens[SIZE * SIZE :].reshape(SIZE, 1),
        bias=(0,) * (SIZE + 1),
        table=tuple(table),
        shift=5,
        threshold=threshold,
        arithmetic=Arithmetic(read_code=READ_CODE),
    )


def behavioural() -> dict[str, Any]:
    """Program and use 1056 devices without SPICE or Python; compare classes and sums with the integer model."""
    rng, electrics = np.random.default_rng(1), ArrayElectrics()
    devices = SIZE * SIZE + SIZE
    # verify codes: every other hidden neuron answers to one half of the pixels, the rest to the other; scattered
    first = np.arange(SIZE) < SIZE // 2
    even = np.arange(SIZE) % 2 == 0
    strong = np.concatenate([(first[:, None] == even).ravel(), even])
    targets = np.where(strong, 760, 360) + rng.integers(-100, 100, devices)
    images = (rng.random((IMAGES, SIZE)) < np.where(first == (np.arange(IMAGES) % 2 == 0)[:, None], 0.7, 0.3)).astype(
        int
    )
    table = [min(i, 63) for i in range(64)]
    # in the widest gap of the sums that the targets themselves would give, so that both classes are there
    wanted = network_of(np.array([electrics.conductance(int(code), READ_CODE * 1e-3) for code in targets]), table, 0)
    sums = np.sort(wanted.predict(images).accumulator)[IMAGES // 4 : -IMAGES // 4]
    widest = int(np.argmax(np.diff(sums)))
    threshold = int(sums[widest] + sums[widest + 1]) // 2
    settings = {
        "SET_MAX": 2000, "RESET_START": 600, "STEP_MIN": 4, "SET_CYCLES": 200, "RESET_CYCLES": 10, "ALGORITHM": 2,
        "LAW_SLOPE": 1755, "TRIM_GAIN": 7680, "TOLERANCE": round(TOLERANCE * 65536), "READ_CODE": READ_CODE, "SHIFT": 5,
        "THRESHOLD": threshold,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writes = write_settings(folder, settings, {"ACTIVATION": table, "TARGET": targets})
        (folder / "images.txt").write_text(
            "".join(f"{sum(int(b) << i for i, b in enumerate(image)):x}\n" for image in images)
        )
        build(folder, {"L1_ROWS": SIZE, "L1_COLS": SIZE, "L2_ROWS": SIZE, "L2_COLS": 1})
        begun = time.monotonic()
        told, outcomes = play(folder, [writes, "+pyh_images=images.txt", "+pyh_answers=answers.txt"])
        wall_s = time.monotonic() - begun
        answers = np.loadtxt(folder / "answers.txt", int)
    g = np.array([electrics.conductance(code + 0.5, READ_CODE * 1e-3) for code in outcomes[:, 2]])
    network = network_of(g, table, threshold)
    expected = network.predict(images)
    return {
        "devices": devices,
        "reached": int((outcomes[:, 4] == 1).sum()),
        "pulses_mean": float(outcomes[:, 3].mean()),
        "passed": "PASS" in told,
        "images": IMAGES,
        "same_class": int((answers[:, 0] == expected.label).sum()),
        "of_class_1": int(expected.label.sum()),
        "largest_difference_of_sums": int(np.abs(answers[:, 1] - expected.accumulator).max()),
        "wall_s": wall_s,
    }


def ngspice() -> dict[str, Any]:
    """Train, program and use 272 devices in co-simulation."""
    config = SimConfig.model_validate(
        {
            "images": STRIPES,
            "training": {"hidden": 16, "restarts": 1, "window_siemens": (1e-4, 2.5e-4)},
            "write_verify": {"tolerance": TOLERANCE, "confirm": 1},
            "test": {"count": 20, "pixel_noise": 0.1},
            "waves": False,
        }
    )
    with tempfile.TemporaryDirectory() as name:
        record = read_record(run_sim(config, Path(name), "benchmarks/large_arrays.py"))
    assert record.accuracy is not None
    return {
        "devices": len(record.devices),
        "reached": sum(d.status == "reached" for d in record.devices),
        "pulses_mean": float(np.mean([d.pulses for d in record.devices])),
        "images": record.accuracy.total,
        "correct": record.accuracy.correct,
        "same_class": record.accuracy.agree_with_software,
        "bayes_limit": record.accuracy.bayes_limit,
        "training_time_s": record.training_time_s,
        "wall_s": record.wall_s,
        "cpu_s": record.cpu_s,
    }


def main() -> None:
    """Run both; write the figures, and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", choices=["behavioural", "ngspice"])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "large_arrays.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    for name, job in (("behavioural", behavioural), ("ngspice", ngspice)):
        if options.only in (None, name):
            found[name] = job()
            print(name, json.dumps(found[name]), flush=True)
            path.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
