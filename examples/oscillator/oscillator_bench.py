# SPDX-License-Identifier: BSD-3-Clause
"""The first example: 1 kOhm and 1 nF between a flip-flop and a comparator with hysteresis."""

from math import log

import cocotb
import pytest
from cocotb.simtime import get_sim_time
from cocotb.triggers import RisingEdge, Timer

from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_period_is_two_rc_ln_1_5(dut):
    """Between 0.4 V and 0.6 V of a 1 V swing each way takes RC ln(0.6 / 0.4)."""
    block = AnalogBlock(
        dut.u_rc,
        ["r1 drive high 1k", "c1 high 0 1n"],
        [L2E("drive", rise_s=1e-9, fall_s=1e-9), E2L("high", threshold_v=0.5, hysteresis_v=0.2)],
        options=SolverOptions(reltol=1e-6, tmax_s=1e-7),
    )
    dut.drive.value = 0
    await Timer(1, "ns")
    await block.start()
    dut.drive.value = 1
    await RisingEdge(dut.high)
    begun = get_sim_time("ns")
    for _ in range(10):
        await RisingEdge(dut.high)
    assert (get_sim_time("ns") - begun) / 10 == pytest.approx(2000 * log(1.5) + 1, abs=1)
    await block.stop()
