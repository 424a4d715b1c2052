# SPDX-License-Identifier: BSD-3-Clause
"""The random regression: simulations side by side, each compared with the model on every clock.

A simulation leaves its trace, inputs and outputs of every clock, so that other tools (replay.v, mutation.py) can play the
same stimulus again.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from controller_model import Controller
from layout import STATES, Row, Shape, read_trace, unpack
from observer import Observer
from stimulus import devices_text, noise_text

from pyharness.cosim import simulate
from pyharness.resources import controller_sources, hdl_dir

__all__ = ("RUNS", "Result", "Run", "compare", "play")

HERE = Path(__file__).parent
DEFAULT = Shape()
FOUR = Shape((1, 2), (2, 1))
LARGE = Shape((9, 3), (3, 1), 40)
SMALL = Shape((1, 1), (1, 1), 120)
WIDE = Shape((33, 9), (9, 1))
TALL = Shape((5, 1), (1, 3), 40)


@dataclass(frozen=True)
class Run:
    """One simulation: seed, bus master (``plain`` or ``library``; ``sweep``: plain,
    with resets and aborts at every clock; ``corners``: plain, with the episodes of stimulus.CORNERS;
    ``neurons``: plain, with images at the ends of all ranges), least number of clocks, size of the array."""

    seed: int
    bus: str = "plain"
    clocks: int = 16_000
    shape: Shape = DEFAULT

    @property
    def name(self) -> str:
        return f"{self.seed}-{self.bus}"


RUNS = (
    *(Run(seed) for seed in range(1, 3)),
    *(Run(seed, shape=FOUR) for seed in range(3, 12)),
    Run(20, "library", 9_000),
    *(Run(seed, "library", 9_000, FOUR) for seed in range(21, 24)),
    Run(30, clocks=10_000, shape=LARGE),
    Run(31, "library", 9_000, SMALL),
    Run(32, clocks=12_000, shape=SMALL),
    Run(33, clocks=12_000, shape=TALL),
    Run(40, "sweep", shape=SMALL),
    Run(41, "corners", shape=FOUR),
    Run(42, "neurons", 12_000, WIDE),
)
"""The regression."""


@dataclass
class Result:
    """Of one run: its folder, clocks, seconds of the simulation and the comparison, first difference if any, coverage."""

    run: Run
    folder: Path
    clocks: int
    simulated_s: float
    compared_s: float
    difference: str
    seen: dict[str, set]


def differences(shape: Shape, row: Row, clock: int, expected: int) -> str:
    """Tell which outputs differ at a clock."""
    found, wanted = unpack(row.outputs, shape.outputs), unpack(expected, shape.outputs)
    parts = [f"{n} is {found[n]:#x} instead of {wanted[n]:#x}" for n in found if found[n] != wanted[n]]
    return f"clock {clock}: {', '.join(parts)}; states {unpack(row.states, STATES)}"


def compare(rows: Iterable[Row], model: Controller, observer: Observer | None = None) -> tuple[int, str]:
    """Return the number of clocks that agree and the first difference."""
    clocks = 0
    for row in rows:
        for n in range(row.count):
            expected = model.outputs(row.inputs)
            if expected != row.outputs:
                return clocks, differences(model.shape, row, row.clock + n, expected)
            if observer and n == 0:
                observer.row(row.inputs, row.outputs, row.states)
            model.clock(row.inputs)
            clocks += 1
    return clocks, ""


def run_one(run: Run, folder: Path, sources: Sequence[Path]) -> Result:
    """Simulate and compare."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"devices {run.seed}")
    (folder / "devices.hex").write_text(devices_text(rng, run.shape, run.seed, run.bus == "corners"))
    (folder / "noise.hex").write_text(noise_text(rng))
    begin = time.perf_counter()
    simulate(
        [*sources, HERE / "scripted_array.v", HERE / "random_bench.v"],
        "random_bench",
        "random_tests",
        folder,
        parameters=run.shape.parameters,
        include_dirs=[hdl_dir(), HERE],
        python_path=[HERE],
        seed=run.seed,
        environment={
            "RANDOM_JOBS_SEED": str(run.seed),
            "RANDOM_JOBS_BUS": run.bus,
            "RANDOM_JOBS_CLOCKS": str(run.clocks),
        },
    )
    middle = time.perf_counter()
    model = Controller(run.shape)
    observer = Observer(run.shape, model)
    model.on_sums = observer.neurons
    clocks, difference = compare(read_trace(folder / "trace.txt"), model, observer)
    return Result(run, folder, clocks, middle - begin, time.perf_counter() - middle, difference, dict(observer.seen))


def play(runs: Sequence[Run], folder: Path, sources: Sequence[Path] = ()) -> list[Result]:
    """Play all runs, as many at a time as there are processors."""
    sources = sources or controller_sources()
    folders = [folder / run.name for run in runs]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        return list(pool.map(run_one, runs, folders, [sources] * len(runs)))
