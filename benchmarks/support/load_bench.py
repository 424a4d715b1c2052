# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of bridge.py: an idle block beside a fast clock, a million hand-overs, many runs in one process."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions

NETLIST = ["r1 drive sense 1k", "c1 sense 0 100p"]
PINS = [L2E("drive", rise_s=1e-9, fall_s=1e-9), E2L("sense", threshold_v=0.5)]
SETTINGS = json.loads(os.environ["PYHARNESS_LOAD"])


def block_of(dut: Any, **options: float) -> AnalogBlock:
    return AnalogBlock(dut.u_rc, NETLIST, PINS, options=SolverOptions(**options))  # type: ignore[arg-type]


def resident_bytes() -> int:
    """Memory of this process that no file backs: what a leak would grow."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Anonymous:")) * 1024


def write(result: dict[str, float]) -> None:
    Path("load.json").write_text(json.dumps(result))


@cocotb.test()
async def idle_clock(dut: Any) -> None:
    """The simulator toggles 100 MHz; the analog side, where there is one, has nothing to do."""
    block = block_of(dut, tmax_s=1e-3)
    if SETTINGS["bridge"]:
        await block.start()
    dut.fast.value = 1
    await Timer(SETTINGS["clock_ms"], "ms")
    points = 0
    if SETTINGS["bridge"]:
        points = block.statistics().points
        await block.stop()
    write({"points": points})


@cocotb.test()
async def hand_overs(dut: Any) -> None:
    """One run with a million hand-overs to the digital side, memory watched from the first tenth on."""
    block = block_of(dut, reltol=1e-3, tmax_s=2e-7)
    await block.start()
    first = 0
    while (syncs := block.statistics().syncs) < SETTINGS["hand_overs"]:
        for _ in range(500):
            await Timer(401, "ns")
            dut.drive.value = 1 - int(dut.drive.value)
        if not first and syncs > SETTINGS["hand_overs"] / 10:
            first = resident_bytes()
    grown = resident_bytes() - first
    await block.stop()
    write({"hand_overs": syncs, "grown_bytes": grown})


@cocotb.test()
async def many_runs(dut: Any) -> None:
    """Blocks started and stopped one after another, memory watched from the twentieth on."""
    first = 0
    for run in range(SETTINGS["runs"] + 20):
        block = block_of(dut)
        await block.start()
        dut.drive.value = 1 - int(dut.drive.value)
        await Timer(1, "us")
        await block.stop()
        if run == 19:
            first = resident_bytes()
    write({"runs": SETTINGS["runs"], "grown_bytes": resident_bytes() - first})
