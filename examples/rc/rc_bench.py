# SPDX-License-Identifier: BSD-3-Clause
"""1 kOhm and 100 pF: half of a step is reached after RC ln 2, 69.3 ns."""

import cocotb
from cocotb.simtime import get_sim_time
from cocotb.triggers import RisingEdge, Timer

from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions


@cocotb.test(timeout_time=1, timeout_unit="us")
async def half_of_the_step(dut):
    """The comparator's edge comes at the crossing's own time."""
    circuit = ["r1 drive sense 1k", "c1 sense 0 100p"]
    pins = [L2E("drive", rise_s=1e-12), E2L("sense", threshold_v=0.5)]
    block = AnalogBlock(dut.u_rc, circuit, pins, options=SolverOptions(reltol=1e-6, tmax_s=1e-8))
    await block.start()
    await Timer(10, "ns")
    dut.drive.value = 1
    begun_ns = get_sim_time("ns")
    await RisingEdge(dut.sense)
    dut._log.info("crossed after %.2f ns", get_sim_time("ns") - begun_ns)
    assert abs(get_sim_time("ns") - begun_ns - 69.31) < 0.1
    await block.stop()
