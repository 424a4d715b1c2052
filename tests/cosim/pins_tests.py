# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_pins.py: each test starts from a clean analog state in the same process."""

import cocotb
import pytest
from cocotb.triggers import Timer

from pyharness.cosim import E2L, L2E, AnalogBlock, Meter, SolverOptions

# two DAC elements of 4 bits; element 0 drives an RC that comparator 0 watches
NETLIST = [
    "rgo go 0 1k",
    "r0 dac0 cmp0 1k",
    "c0 cmp0 0 1n",
    "r1 dac1 mid 1k",
    "vm mid cmp1 0",
    "r2 cmp1 0 3k",
]
PINS = [
    L2E("go", rise_s=1e-9, fall_s=1e-9),
    L2E("dac", bits=4, signed=True, lsb_v=0.25, rise_s=1e-9, fall_s=1e-9),
    E2L("cmp", threshold_v=0.5, hysteresis_v=0.2),
]
OPTIONS = SolverOptions(reltol=1e-6, tmax_s=1e-6)


def block_of(dut, **kwargs):
    return AnalogBlock(dut.u_pins, NETLIST, PINS, options=OPTIONS, phase="phase", **kwargs)


@cocotb.test()
async def signed_dac_drives_each_element(dut):
    """Elements are weighted, signed, and independent of each other."""
    block = block_of(dut)
    await block.start()
    dut.dac.value = 0xC4  # element 1: -4 -> -1 V, element 0: +4 -> +1 V
    await Timer(2, "us")
    assert block.voltage("dac0") == pytest.approx(1.0, abs=1e-9)
    assert block.voltage("dac1") == pytest.approx(-1.0, abs=1e-9)
    assert block.voltage("cmp1") == pytest.approx(-0.75, rel=1e-6)
    assert block.current("vm") == pytest.approx(-0.25e-3, rel=1e-6)
    assert int(dut.cmp.value) & 2 == 0
    await block.stop()


@cocotb.test()
async def hysteresis_separates_rise_and_fall(dut):
    """The comparator rises at 0.6 V and falls at 0.4 V."""
    dut.dac.value = 0
    await Timer(1, "us")
    block = block_of(dut)
    await block.start()
    assert int(dut.cmp.value) == 0  # clean start: nothing is left of the test before
    assert block.voltage("cmp0") == pytest.approx(0.0, abs=1e-9)
    dut.dac.value = 4
    while not int(dut.cmp.value) & 1:
        await Timer(1, "ns")
    assert block.voltage("cmp0") == pytest.approx(0.6, abs=2e-3)
    dut.dac.value = 0
    while int(dut.cmp.value) & 1:
        await Timer(1, "ns")
    assert block.voltage("cmp0") == pytest.approx(0.4, abs=2e-3)
    await block.stop()


@cocotb.test()
async def energy_is_split_exactly_at_phase_edges(dut):
    """1 V over 4 kOhm: 250 uW, 3/4 of it in the 3 kOhm resistor, counted to the phase in force."""
    dut.dac.value = 0x40
    dut.phase.value = 1
    await Timer(1, "us")
    block = block_of(dut, meters=[Meter("load", "cmp1", "0", "vm")])
    await block.start()
    await Timer(1500, "ns")
    dut.phase.value = 2
    await Timer(3700, "ns")
    dut.phase.value = 0
    await Timer(10, "us")
    energy = block.energy_j()["load"]
    assert energy[1] == pytest.approx(187.5e-6 * 1.5e-6, rel=1e-9)
    assert energy[2] == pytest.approx(187.5e-6 * 3.7e-6, rel=1e-9)
    assert energy[3:].tolist() == [0.0] * 5
    await block.stop()


@cocotb.test()
async def an_idle_block_costs_few_points(dut):
    """Cost follows analog steps and events, not clock cycles: a second of quiet needs about a point per tmax."""
    block = AnalogBlock(dut.u_pins, NETLIST, PINS, options=SolverOptions(tmax_s=1e-3), phase="phase")
    await block.start()
    await Timer(100, "ms")
    assert block.statistics().points < 250
    await block.stop()
