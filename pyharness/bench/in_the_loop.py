# SPDX-License-Identifier: BSD-3-Clause
"""Fine-tuning in the loop: measured answers correct the targets, write-verify brings the devices there, round after round.

The forward pass is the array's, the backward pass software's (chip in the loop: Yao et al., Nature 577 (2020) 641; Wan et al.,
Nature 608 (2022) 504).  Devices that write-verify cannot bring to their target keep what they have, and the others make up for it.
What is on the chip after the last round counts: no earlier state is gone back to.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pyharness.bench.driver import Outcome
from pyharness.bench.job import verify_codes
from pyharness.bench.on_chip import Chip, Floats, Observation, observe, training_rng, tuned_biases, with_biases

__all__ = ("fine_tune",)

_STEP = (
    0.25  # largest change in a round, as a share of the window: the array's offsets hold near where they were measured
)
_PULL = 3e-3  # nats for a change of the whole window: what gains less is not worth pulses


def _correction(
    seen: Observation, movable: NDArray[np.bool_], window_siemens: tuple[float, float]
) -> tuple[Floats, Floats, Floats]:
    """Return the change of each conductance in siemens, 0 where it is not ``movable``, and the biases to go with it."""
    low, high = window_siemens
    span, count = high - low, len(movable)

    def loss(p: Floats) -> tuple[float, Floats]:
        change = p[:count] * span
        value, by_g, by_biases = seen.loss(change, p[count:-1], p[-1:])
        return value + _PULL * float((p[:count] ** 2).sum()), np.concatenate(
            [by_g * span + 2 * _PULL * p[:count], by_biases]
        )

    down = np.clip((low - seen.g_siemens) / span, -_STEP, 0) * movable
    up = np.clip((high - seen.g_siemens) / span, 0, _STEP) * movable
    _, _, b1, b2 = seen.weights
    bounds = [*zip(down, up, strict=True), *[(None, None)] * (len(b1) + 1)]
    start = np.concatenate([np.zeros(count), b1, b2])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:count] * span, found[count:-1], found[-1:]


async def fine_tune(chip: Chip, outcomes: list[Outcome]) -> list[Outcome]:
    """Fine-tune a programmed chip; return what became of each device when its target was set last.

    Each round ends with one program command.  Devices whose target moves by less than the tolerance get the code that they have for a
    target, so that the controller passes them by.  After the last round only the biases are tuned.
    """
    t, w = chip.job.config.training, chip.job.config.write_verify
    rng = training_rng(chip.job)
    reachable = np.array([o.status == "reached" for o in outcomes])
    for left in reversed(range(t.rounds + 1)):
        seen = await observe(chip, outcomes, rng)
        movable = reachable & (left > 0 and chip.pulses_left != 0)
        change, b1, b2 = _correction(seen, movable, t.window_siemens)
        moved = np.abs(change) > w.tolerance * seen.g_siemens
        if not moved.any():
            await chip.load(with_biases(chip.job, seen.scales, *tuned_biases(seen)))
            break
        job = chip.job
        targets = np.where(moved, (seen.g_siemens + change) * job.programming_factor, job.targets_siemens)
        codes = np.array([o.code for o in outcomes])
        codes[moved] = np.clip(
            verify_codes(job.electrics, targets[moved], job.read_v, job.path_ohm[moved]), 1, job.electrics.full_code
        )
        await chip.load(
            replace(with_biases(job, seen.scales, b1, b2), targets_siemens=targets, target_codes=np.maximum(codes, 0))
        )
        found = await chip.program({"INIT_ENABLE": 0})
        # a device that was passed by reads as reached, whatever became of it when it was asked for more
        outcomes = [o if m else replace(o, status=was.status) for o, was, m in zip(found, outcomes, moved, strict=True)]
        reachable &= [o.status == "reached" for o in outcomes]
    return outcomes
