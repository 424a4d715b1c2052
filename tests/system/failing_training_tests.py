# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_training_in_rtl.py: the main job on an array that fails when it is shown images."""

from typing import Any

from pyharness.bench.main_job import main_job  # noqa: F401  the test that cocotb finds here
from pyharness.bench.rtl_chip import RtlChip
from pyharness.errors import SimulationError


async def _show(self: RtlChip, images: Any) -> Any:
    raise SimulationError("the array answers no more")


RtlChip.show = _show  # type: ignore[method-assign]
