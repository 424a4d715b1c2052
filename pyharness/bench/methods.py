# SPDX-License-Identifier: BSD-3-Clause
"""What ``training.method`` says, on any chip."""

from __future__ import annotations

from pyharness.bench.driver import Outcome
from pyharness.bench.in_the_loop import fine_tune
from pyharness.bench.manhattan import train_by_signs
from pyharness.bench.on_chip import Chip

__all__ = ("train",)

_ON_CHIP = {"in_the_loop": fine_tune, "manhattan": train_by_signs}


async def train(chip: Chip) -> list[Outcome]:
    """Program all devices to the job's targets, then train on; return what became of each."""
    outcomes = await chip.program({})
    method = _ON_CHIP.get(chip.job.config.training.method)
    return await method(chip, outcomes) if method else outcomes
