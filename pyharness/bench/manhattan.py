# SPDX-License-Identifier: BSD-3-Clause
"""The Manhattan rule on the chip: one fixed pulse a device and round, SET or RESET by the sign of the loss' derivative.

Nothing is verified (Prezioso et al., Nature 521 (2015) 61).  The controller does it as write-verify with one pulse at most and a target at
either end of its range; the read before the pulse decides nothing, the one after it tells the code.  The signs come from the array's
answers; the biases, which are registers, are tuned in software from the same answers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pyharness.bench.driver import Outcome
from pyharness.bench.job import Job
from pyharness.bench.on_chip import Chip, observe, training_rng, tuned_biases, with_biases
from pyharness.bench.settings import manhattan_registers

__all__ = ("train_by_signs",)


async def train_by_signs(chip: Chip, outcomes: list[Outcome]) -> list[Outcome]:
    """Train a programmed chip; return what the controller told of each device last: given up, unless nothing was asked of it."""
    job: Job = chip.job
    rng, settings = training_rng(job), manhattan_registers(job.config, job.electrics)
    for left in reversed(range(job.config.training.rounds + 1)):
        seen = await observe(chip, outcomes, rng)
        biases = tuned_biases(seen)
        job = with_biases(chip.job, seen.scales, *biases)
        await chip.load(job)
        if not left or chip.pulses_left == 0:
            break
        _, by_g, _ = seen.loss(np.zeros_like(seen.g_siemens), *biases)
        codes = np.array([max(o.code, 0) for o in outcomes])
        codes[by_g < 0], codes[by_g > 0] = job.electrics.full_code, 0
        await chip.load(replace(job, target_codes=codes))
        outcomes = await chip.program(settings)
    return outcomes
