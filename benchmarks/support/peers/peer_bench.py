# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of the comparison: the same test on every tool; only loading the analog side differs.

``PYHARNESS_PEERS`` names the job, a JSON file; the result goes beside it.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer
from cocotb.types import LogicArray

Step = Callable[[], Awaitable[None]]
Steps = tuple[Step, Step]
"""What comes after playing: let the analog side come to its end and write down what it tells; stop it."""


@cocotb.test()
async def work(dut: Any) -> None:
    """Start the analog side, play, stop; write down what only the test knows."""
    path = Path(os.environ["PYHARNESS_PEERS"])
    job = json.loads(path.read_text())
    result: dict[str, Any] = {}
    finish, stop = await STARTERS[job["tool"]](dut, job, result)
    try:
        await PLAYERS[job["play"]](dut, job)
        await finish()
    finally:
        if job.get("clean_up", True):
            await stop()
    if job["play"] == "array":
        result |= {name: int(getattr(dut.u_control, name).value) for name in ("pulses", "written")}
    path.with_suffix(".out.json").write_text(json.dumps(result))


# -- what is played ----------------------------------------------------------------------------------------------------


async def play_edges(dut: Any, job: dict[str, Any]) -> None:
    """Toggle the drive after each gap."""
    level = 0
    for gap_ps in job["gaps_ps"]:
        await Timer(gap_ps, "ps")
        level = 1 - level
        dut.drive.value = level
    await Timer(job["tail_ps"], "ps")


async def play_array(dut: Any, job: dict[str, Any]) -> None:
    """Let the controller work; without an analog side, give it the recorded comparator."""
    at = 0
    for time_ps, level in job.get("replay", []):
        await Timer(time_ps - at, "ps")
        at = time_ps
        dut.u_array.sense.value = level
    await Timer(job["duration_ps"] - at, "ps")


async def play_unknown(dut: Any, job: dict[str, Any]) -> None:
    """Set X on the drive in mid-run."""
    await Timer(1, "us")
    dut.drive.value = LogicArray("X")
    await Timer(1, "us")


async def play_exception(dut: Any, job: dict[str, Any]) -> None:
    """Fail as a test does."""
    await Timer(1, "us")
    raise ValueError("the test's own")


PLAYERS = {"edges": play_edges, "array": play_array, "unknown": play_unknown, "exception": play_exception}


# -- the tools ---------------------------------------------------------------------------------------------------------


async def start_nothing(dut: Any, job: dict[str, Any], result: dict[str, Any]) -> Steps:
    """No analog side, or one that its own start-up brings along (spicebind)."""

    async def nothing() -> None:
        pass

    return nothing, nothing


async def start_pyharness(dut: Any, job: dict[str, Any], result: dict[str, Any]) -> Steps:
    """Ours; the events' places in the analog time go into the result."""
    from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions

    rise_s = job["rise_s"]
    block = AnalogBlock(
        getattr(dut, job["shell"]),
        job["netlist"],
        [
            L2E(job["port"], node=job["node"], lsb_v=job["high_v"], rise_s=rise_s, fall_s=rise_s),
            E2L("sense", threshold_v=job["threshold_v"]),
        ],
        options=SolverOptions(**job["options"]),
        log_edges=True,
    )
    await block.start()

    async def finish() -> None:
        result["transitions"] = [(t.to_analog, t.analog_s, t.level, t.pin) for t in block.transitions()]

    return finish, block.stop


async def start_cocotbext_ams(dut: Any, job: dict[str, Any], result: dict[str, Any]) -> Steps:
    """cocotbext-ams; its ``start`` runs to the end of the analog time, so it is waited for when all is played."""
    import cocotbext.ams._bridge as inside
    from cocotbext.ams import AnalogBlock, DigitalPin, MixedSignalBridge

    if job["workaround"]:  # the deck is written inside the package: take the DC values out of it
        written = inside.generate_netlist

        def without_dc(*args: Any, **kwargs: Any) -> list[str]:
            return [re.sub(r" dc \S+ external$", " external", line) for line in written(*args, **kwargs)]

        inside.generate_netlist = without_dc
    block = AnalogBlock(
        name=job["shell"],
        spice_file=job["deck"],
        subcircuit="dut",
        digital_pins={
            job["port"]: DigitalPin("input", width=job["width"], vdd=job["high_v"]),
            "sense": DigitalPin("output", threshold=job["threshold_v"]),
        },
        vdd=job["high_v"],
        tran_step=job["step"],
        extra_lines=job["extra_lines"],
    )
    bridge = MixedSignalBridge(dut, [block], simulator_lib=job["libngspice"], **job["bridge"])
    running = cocotb.start_soon(bridge.start(duration_ns=job["duration_ps"] / 1000))

    async def finish() -> None:
        await running
        ctypes.CDLL(job["libngspice"]).ngSpice_Command(b"write dump.raw")

    return finish, bridge.stop


STARTERS = {
    "none": start_nothing,
    "spicebind": start_nothing,
    "pyharness": start_pyharness,
    "cocotbext-ams": start_cocotbext_ams,
}
