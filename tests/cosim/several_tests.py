# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_several.py: blocks that run together in one ngspice."""

from math import exp

import cocotb
import pytest
from cocotb.triggers import RisingEdge, Timer

from pyharness.cosim import E2L, L2E, AnalogBlock, Meter, SolverOptions, start_together
from pyharness.errors import AnalogError, ConfigError

OPTIONS = SolverOptions(reltol=1e-6, tmax_s=1e-8)
PINS = [L2E("drive", rise_s=1e-9, fall_s=1e-9), E2L("sense", threshold_v=0.5)]


def rc(ohm: float) -> list[str]:
    """An RC of 1 nF with its subcircuit, ammeters on two levels and a model, all under the same names each time."""
    return [
        f".param rs={ohm!r}",
        ".subckt part a b",
        "vin a m 0",
        ".model body r(r=1)",
        "r1 m b {rs}",
        ".ends part",
        "vtop drive top 0",
        "x1 top sense part",
        "c1 sense 0 1n",
    ]


def pair(dut, **kwargs):
    """The left block with 1 kOhm, the right one with 3 kOhm."""
    left, right = (
        AnalogBlock(
            shell, rc(ohm), PINS, options=OPTIONS, phase="phase", log_edges=True, meters=[Meter("all", "drive", "0", "vtop")], **kwargs
        )
        for shell, ohm in ((dut.u_left, 1e3), (dut.u_right, 3e3))
    )  # fmt: skip
    return left, right


async def reset(dut):
    dut.left.value = dut.right.value = 0
    dut.left_phase.value = dut.right_phase.value = 0
    await Timer(1, "us")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def each_has_its_own_circuit_and_names(dut):
    """Both charge from the same instant, each by its own time constant; inner nodes and branches are read by local names."""
    await reset(dut)
    left, right = pair(dut)
    await start_together(left, right)
    dut.left.value = dut.right.value = 1
    await Timer(2, "us")
    for block, tau in ((left, 1e-6), (right, 3e-6)):
        await block.land()
        # the ramp's middle is the start of the step; one tick for landing
        expected = 1 - exp(-(2e-6 - 0.5e-9) / tau)
        assert block.voltage("sense") == pytest.approx(expected, abs=2e-5)
        ohm = tau / 1e-9
        for source in ("vtop", "v.x1.vin"):
            assert block.current(source) == pytest.approx((1 - expected) / ohm, rel=1e-4)
        assert block.voltage("x1.m") == pytest.approx(1.0, abs=1e-9)
    names = await left.state()
    assert set(names) == {"drive", "top", "sense", "x1.m"}
    with pytest.raises(AnalogError, match=r"no node or branch 'nowhere' in the circuit, which has: .*x1\.m"):
        left.voltage("nowhere")
    await left.stop()
    assert not right.running


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def events_phases_and_meters_are_apart(dut):
    """A crossing of one wakes its own HDL signal alone; energy goes to each block's own phase."""
    await reset(dut)
    left, right = pair(dut)
    await start_together(left, right)
    dut.left_phase.value, dut.right_phase.value = 1, 2
    dut.right.value = 1
    await RisingEdge(dut.right_sense)
    assert int(dut.left_sense.value) == 0
    dut.left.value = 1
    await left.crossing("sense", 0.9)
    await Timer(20, "us")
    await right.stop()
    assert [(t.pin, t.to_analog) for t in left.transitions()] == [("drive", True), ("sense", False)]
    assert [(t.pin, t.to_analog) for t in right.transitions()] == [("drive", True), ("sense", False)]
    for block, phase in ((left, 1), (right, 2)):
        energy = block.energy_j()["all"]
        # charging 1 nF to 1 V takes 1 nJ from the source, of which the ramp's own share is 1e-3
        assert energy[phase] == pytest.approx(1e-9, rel=2e-3)
        assert abs(energy.sum() - energy[phase]) < 1e-15


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_split_run_equals_a_whole_one(dut):
    """Stopped, and started from both blocks' states, the curves go on as if nothing had been."""
    await reset(dut)
    blocks = pair(dut)
    await start_together(*blocks)
    dut.left.value = dut.right.value = 1
    await Timer(1, "us")
    states = {block: await block.state() for block in blocks}
    await blocks[0].stop()
    await Timer(500, "us")  # no analog time passes
    again = pair(dut)
    await start_together(*again, states=dict(zip(again, states.values(), strict=True)))
    await Timer(1, "us")
    for block, tau in zip(again, (1e-6, 3e-6), strict=True):
        # both runs have 1 us and the tick that landing takes
        assert block.voltage("sense") == pytest.approx(1 - exp(-(2e-6 + 1e-12 - 0.5e-9) / tau), abs=5e-5)
    with pytest.raises(ConfigError, match="goes on from the states of all its blocks or of none"):
        await start_together(*again, states={again[0]: states[blocks[0]]})
    await again[0].stop()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def what_cannot_start_together(dut):
    """Different options, one block twice, one that runs already."""
    await reset(dut)
    left, right = pair(dut)
    other = AnalogBlock(dut.u_right, rc(1.0), PINS, options=SolverOptions(), phase="phase")
    with pytest.raises(
        ConfigError, match=r"the options of several_top\.u_right differ from those of several_top\.u_left"
    ):
        await start_together(left, other)
    with pytest.raises(ConfigError, match="each once"):
        await start_together(left, left)
    with pytest.raises(ConfigError, match="each once"):
        await start_together()
    await start_together(left, right)
    with pytest.raises(AnalogError, match=r"u_left.*runs already|is running"):
        await left.start()
    with pytest.raises(AnalogError, match=r"several_top\.u_left, several_top\.u_right runs already"):
        await pair(dut)[0].start()
    # the refusals did not disturb the run
    dut.left.value = 1
    await RisingEdge(dut.left_sense)
    await left.stop()
