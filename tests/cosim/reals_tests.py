# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_reals.py."""

from math import exp

import cocotb
import pytest
from cocotb.triggers import Timer, ValueChange

from pyharness.cosim import E2R, R2E, AnalogBlock, SolverOptions

NETLIST = ["r1 push follow 1k", "c1 follow 0 1n"]
OPTIONS = SolverOptions(reltol=1e-5, tmax_s=2e-8)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_real_drives_and_a_real_follows(dut):
    """The HDL's real charges an RC by gain and offset; the other real follows the exact curve in steps of 1 mV."""
    pins = [R2E("push", gain=2.0, offset_v=0.5), E2R("follow", step_v=1e-3)]
    block = AnalogBlock(dut.u_rc, NETLIST, pins, options=OPTIONS)
    dut.u_rc.push.value = -0.25
    await Timer(1, "us")
    await block.start()
    assert block.voltage("push") == pytest.approx(0.0, abs=1e-9)
    dut.u_rc.push.value = 0.25
    seen = 0
    for _ in range(30):
        await ValueChange(dut.u_rc.follow)
        seen += 1
    await Timer(1, "us")
    # within the 1 mV step, and the analog step of at most 20 ns on a time constant of 1 us
    assert dut.u_rc.follow.value == pytest.approx(block.voltage("follow"), abs=0.01)
    assert seen == 30
    await Timer(10, "us")
    assert dut.u_rc.follow.value == pytest.approx(1 - exp(-11), abs=2e-3)
    await block.stop()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_real_that_is_not_finite(dut):
    """Must fail with the pin and the time."""
    dut.u_rc.push.value = 0.0
    await Timer(1, "us")
    block = AnalogBlock(dut.u_rc, NETLIST, [R2E("push"), E2R("follow")], options=OPTIONS)
    await block.start()
    await Timer(1, "us")
    dut.u_rc.push.value = float("inf")
    await Timer(10, "us")
