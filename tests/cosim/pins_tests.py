# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_pins.py: each test starts from a clean analog state in the same process."""

from math import exp, log

import cocotb
import numpy as np
import pytest
from cocotb.simtime import get_sim_time
from cocotb.triggers import First, Timer, ValueChange
from cocotb.types import Logic, LogicArray

from pyharness.cosim import E2L, L2E, AnalogBlock, Meter, SolverOptions
from pyharness.errors import ConfigError

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
    await Timer(1, "ns")
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


@cocotb.test()
async def python_waits_for_crossings_and_sets_sources(dut):
    """A source set from Python charges an RC; the waits return at the exact crossings, also from the far side."""
    await Timer(1, "us")
    netlist = [*NETLIST, "rp push top 1k", "cp top 0 1n"]
    block = AnalogBlock(dut.u_pins, netlist, PINS, options=OPTIONS, sources={"push": 0.0}, phase="phase")
    await block.start()
    await Timer(3, "us")
    begun = get_sim_time("ns")
    block.set_voltage("push", 1.0)
    await block.crossing("top", 0.5)
    # RC ln 2 after the middle of the 1 ns ramp; the solver's error at reltol 1e-6 is far below 1 ns
    assert get_sim_time("ns") - begun == pytest.approx(1000 * log(2) + 0.5, abs=1)
    assert block.voltage("top") == pytest.approx(0.5, abs=1e-3)
    await Timer(2, "us")
    back = get_sim_time("ns")
    block.set_voltage("push", 0.0)
    above = block.voltage("top")
    await block.crossing("top", 0.25, rising=False)
    assert get_sim_time("ns") - back == pytest.approx(1000 * log(above / 0.25) + 0.5, abs=1)
    with pytest.raises(ConfigError, match="'top' is not driven from Python \\(sources: push\\)"):
        block.set_voltage("top", 1.0)
    await block.stop()


@cocotb.test()
async def a_split_run_equals_a_whole_run(dut):
    """The state saved in one block and restored in the next continues the same curve."""
    dut.dac.value = 0
    await Timer(1, "us")
    whole = block_of(dut)
    await whole.start()
    dut.dac.value = 4
    await Timer(700, "ns")
    middle = await whole.state()
    await Timer(900, "ns")
    await whole.land()
    expected = whole.voltage("cmp0")
    await whole.stop()
    rest = block_of(dut)
    await rest.start(middle)
    await Timer(900, "ns")
    await rest.land()
    # the solver's own error at reltol 1e-6 is about 1 ns on a time constant of 1 us, 2e-4 here
    assert rest.voltage("cmp0") == pytest.approx(expected, rel=5e-4)
    assert expected == pytest.approx(1 - exp(-(1600 - 0.5) / 1000), rel=5e-4)
    await rest.stop()


@cocotb.test()
async def charge_is_the_integral_of_the_current(dut):
    """-1 V over 4 kOhm for 3 us: -0.75 nC, whatever the sign of the power."""
    dut.dac.value = 0xC0
    dut.phase.value = 3
    await Timer(1, "us")
    block = block_of(dut, meters=[Meter("load", "cmp1", "0", "vm")])
    await block.start()
    await Timer(3, "us")
    dut.phase.value = 0
    await Timer(1, "us")
    assert block.charge_c()["load"][3] == pytest.approx(-0.25e-3 * 3e-6, rel=1e-9)
    assert block.energy_j()["load"][3] == pytest.approx(187.5e-6 * 3e-6, rel=1e-9)
    await block.stop()


@cocotb.test()
async def unknown_levels_follow_their_policy(dut):
    """'hold' keeps the last level, 'low' reads code 0."""
    dut.go.value = 1
    dut.dac.value = 0x44
    await Timer(1, "us")
    pins = [L2E("go", on_unknown="hold"), L2E("dac", bits=4, signed=True, lsb_v=0.25, on_unknown="low"), PINS[2]]
    block = AnalogBlock(dut.u_pins, NETLIST, pins, options=OPTIONS, phase="phase")
    await block.start()
    await Timer(1, "us")
    dut.go.value = Logic("X")
    dut.dac.value = LogicArray("0100XXXX")
    await Timer(1, "us")
    assert block.voltage("go") == pytest.approx(1.0, abs=1e-9)
    assert block.voltage("dac0") == pytest.approx(0.0, abs=1e-9)
    assert block.voltage("dac1") == pytest.approx(1.0, abs=1e-9)
    dut.go.value = 0
    dut.dac.value = 0
    await block.stop()


@cocotb.test()
async def a_netlist_holds_circuit_lines_only(dut):
    """No control block, analysis or XSPICE device gets in, not even behind a line break."""
    for line in (".control", ".tran 1u 1m", "r9 a 0 1k\n.control", "*#shell ls", " .END", ".options reltol=1"):
        with pytest.raises(ConfigError, match="holds circuit lines only"):
            AnalogBlock(dut.u_pins, [*NETLIST, line], PINS)
    with pytest.raises(ConfigError, match="XSPICE devices cannot be solved again"):
        AnalogBlock(dut.u_pins, [*NETLIST, "a1 in out gain"], PINS)
    with pytest.raises(ConfigError, match="each port has one pin"):
        AnalogBlock(dut.u_pins, NETLIST, [*PINS, L2E("go")])


async def _falls(dut, netlist, dac, code):
    """Return how long after a step of the DAC's element 0 to ``code`` comparator 0 falls, in ns; None: it has not after 1 us."""
    dut.dac.value = dut.go.value = 0
    await Timer(1, "us")
    pins = [L2E("go"), dac, E2L("cmp", threshold_v=0.5)]
    block = AnalogBlock(
        dut.u_pins, netlist, pins, options=SolverOptions(reltol=1e-6, crossing_tol_s=2e-8), phase="phase"
    )
    await block.start()
    await Timer(1, "us")
    assert int(dut.cmp.value) & 1
    begun = get_sim_time("ns")
    dut.dac.value = code
    changed = ValueChange(dut.cmp)
    found = await First(changed, Timer(1, "us"))
    elapsed = get_sim_time("ns") - begun if found is changed else None
    await block.stop()
    return elapsed


# nothing here has a memory, so that ngspice takes the whole microsecond in one step
STILL = ["rgo go 0 1k", "r0 dac0 0 1k", "r1 dac1 0 1k", "v1 cmp1 0 0"]


@cocotb.test()
@cocotb.parametrize(beyond_v=[0.2, 0.01, 0.001, 1e-5])
async def a_ramp_without_corners_that_ends_just_past_the_level(dut, beyond_v):
    """A comparator whose reference stays close past its input answers within the ramp, not a step later."""
    ramp = L2E("dac", bits=4, lsb_v=0.25, rise_s=1e-7, fall_s=1e-7, corners=-1)
    netlist = [*STILL, f"bcmp cmp0 0 v = {0.5 + 0.5 - beyond_v} - v(dac0)"]
    expected = 100 * (0.5 - beyond_v) / 0.5
    assert await _falls(dut, netlist, ramp, 2) == pytest.approx(expected, abs=21)


@cocotb.test()
@cocotb.parametrize(corners=[-1, 1])
async def a_voltage_that_rests_long_before_the_step_ends(dut, corners):
    """A steep characteristic early in a ramp of 1 us: the straight line over the step knows nothing of it."""
    ramp = L2E("dac", bits=4, lsb_v=0.25, rise_s=1e-6, fall_s=1e-6, corners=corners)
    netlist = [*STILL, "bcmp cmp0 0 v = 0.5 + 0.5 * tanh(200 * (0.06 - v(dac0))) - 1e-3"]
    at_v = 0.06 - np.arctanh(2e-3) / 200
    assert await _falls(dut, netlist, ramp, 4) == pytest.approx(1000 * at_v, abs=21)
