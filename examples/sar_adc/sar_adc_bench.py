# SPDX-License-Identifier: BSD-3-Clause
"""A SAR ADC: RTL converter logic, an R-2R ladder in SPICE, a comparator with an input capacitance."""

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, Timer

from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions

LSB_V = 1 / 128


def ladder() -> list[str]:
    """Eight bits of 10 kOhm and 20 kOhm; the sign bit hangs on -2 V instead of +2 V by its inverted driver."""
    lines = ["rend n0 0 20k"]
    for bit in range(8):
        lines.append(f"rb{bit} bit{bit} n{bit} 20k")
        if bit:
            lines.append(f"rl{bit} n{bit - 1} n{bit} 10k")
        sign = -1 if bit == 7 else 1
        # bit of the two's complement code, taken off the weighted input by a subranging source
        lines.append(
            f"bb{bit} bit{bit} 0 v = {2 * sign} * floor(v(word) / {2**bit} - 2 * floor(v(word) / {2 ** (bit + 1)}))"
        )
    return [*lines, "cin n7 0 1p", "bcmp diff 0 v = v(vin) - v(n7)", "rcmp diff 0 1meg"]


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def every_level_converts(dut):
    """Inputs over the whole range give the code below them."""
    block = AnalogBlock(
        dut.u_analog,
        ladder(),
        [
            # the code as a number of volts 0 .. 255, ramped in a nanosecond; rounding in the ladder makes it bits
            L2E("code", bits=8, node="word", offset_v=1e-3, rise_s=1e-9, fall_s=1e-9),
            E2L("cmp", node="diff", threshold_v=0.0),
        ],
        options=SolverOptions(tmax_s=1e-6, crossing_tol_s=1e-9),
        sources={"vin": 0.0},
    )
    dut.rst_n.value = 0
    await ClockCycles(dut.clk, 2)
    dut.rst_n.value = 1
    await block.start()
    for expected in (-128, -77, -1, 0, 1, 40, 126, 127):
        block.set_voltage("vin", (expected + 0.5) * LSB_V)
        await Timer(1, "us")
        await RisingEdge(dut.clk)
        dut.start.value = 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        await RisingEdge(dut.done)
        await Timer(1, "ns")
        assert dut.result.value.to_signed() == expected
    await block.stop()
