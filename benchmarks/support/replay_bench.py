# SPDX-License-Identifier: BSD-3-Clause
"""The main job with the analog side replaced by a recording: what its digital side costs alone."""

from typing import Any

import cocotb
import numpy as np

from pyharness.bench import main_job as job
from pyharness.cosim.engine import Statistics


class Recording:
    """Stands for an AnalogBlock whose comparators a Verilog module plays from a file."""

    ngspice_version = "recording"

    def __init__(self, *_: Any, meters: Any = (), **__: Any) -> None:
        self._meters = meters

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def energy_j(self) -> dict[str, Any]:
        """No energy."""
        return {meter.name: np.zeros(8) for meter in self._meters}

    def statistics(self) -> Statistics:
        """No events."""
        return Statistics()


job.AnalogBlock = Recording  # type: ignore[misc,assignment]
replayed = cocotb.test()(job.main_job.func)
