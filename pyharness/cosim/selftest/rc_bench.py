# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of the RC self-test: random edges into an RC, every event recorded.

Started by :func:`pyharness.cosim.selftest.measure_rc`; its settings come by the file that ``PYHARNESS_RC`` names.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions


@cocotb.test()
async def record(dut: Any) -> None:
    """Play the edges; write the transitions and the run's counters."""
    path = Path(os.environ["PYHARNESS_RC"])
    job = json.loads(path.read_text())
    block = AnalogBlock(
        dut.u_rc,
        job["netlist"],
        [L2E("drive", rise_s=job["rise_s"], fall_s=job["rise_s"]), E2L("sense", threshold_v=0.5)],
        options=SolverOptions(**job["options"]),
        log_edges=True,
    )
    if job["bridge"]:
        await block.start()
    level = 0
    for gap_ps in job["gaps_ps"]:
        await Timer(gap_ps, "ps")
        level = 1 - level
        dut.drive.value = level
    await Timer(job["tail_ps"], "ps")
    if not job["bridge"]:
        return
    counters = block.statistics()
    result = {
        "transitions": [asdict(t) for t in block.transitions()],
        "counters": {name: getattr(counters, name) for name, _ in counters._fields_},
        "ngspice": block.ngspice_version,
    }
    await block.stop()
    path.with_suffix(".out.json").write_text(json.dumps(result))
