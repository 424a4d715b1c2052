# SPDX-License-Identifier: BSD-3-Clause
"""A switched converter: power stage with switch, diode, inductor and load in SPICE, the loop closed in RTL."""

import cocotb
import pytest
from cocotb.triggers import ClockCycles, Timer

from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions

POWER = [
    "vsupply in 0 5",
    "s1 in sw gate 0 power",
    ".model power sw(vt=0.5 vh=0.1 ron=50m roff=1meg)",
    "d1 0 sw schottky",
    ".model schottky d(is=1u n=1.05 rs=20m cjo=100p)",
    "l1 sw coil 100u",
    "rl coil out 50m",
    "c1 out 0 22u",
    "rload out 0 3",
    "bsense low 0 v = 1.2 - v(out)",
    "rsense low 0 1meg",
]


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def the_output_is_regulated(dut):
    """After the start-up the output stays within 3 % of 1.2 V, and a heavier load does not move its mean."""
    dut.rst_n.value = 0
    await ClockCycles(dut.clk, 3)
    block = AnalogBlock(
        dut.u_power,
        [*POWER, "bload out 0 i = v(extra)"],
        [L2E("gate", rise_s=20e-9, fall_s=20e-9), E2L("low", threshold_v=0.0)],
        options=SolverOptions(tmax_s=2e-6, crossing_tol_s=5e-9),
        sources={"extra": 0.0},
    )
    await block.start()
    dut.rst_n.value = 1
    await Timer(4, "ms")
    for load_a in (0.0, 0.3):
        block.set_voltage("extra", load_a)
        await Timer(3, "ms")
        samples = []
        for _ in range(400):
            await Timer(2.3, "us")
            samples.append(block.voltage("out"))
        assert sum(samples) / len(samples) == pytest.approx(1.2, rel=0.03)
    await block.stop()
