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


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_voltage_on_its_threshold_crosses_nothing(dut):
    """A divider at exactly the threshold: one edge when it gets there, none while it stands there."""
    await reset(dut)
    divider = ["r1 drive sense 1k", "r2 sense 0 1k"]
    block = AnalogBlock(dut.u_left, divider, PINS, options=OPTIONS, phase="phase")
    await block.start()
    dut.left.value = 1
    await Timer(2, "us")
    await block.land()
    assert block.voltage("sense") == pytest.approx(0.5, abs=1e-12)
    assert block.statistics().edges_a2d <= 1
    await block.stop()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def energy_is_counted_up_to_now(dut):
    """1 V over 1 kOhm for 90 us with the default largest step of 1 ms, read while running and after the end: V^2 t / R."""
    await reset(dut)
    dut.left_phase.value = 2
    netlist = ["v1 drive top 0", "r1 top 0 1k", "r2 sense 0 1k"]
    block = AnalogBlock(dut.u_left, netlist, PINS, phase="phase", meters=[Meter("r", "drive", "0", "v1")])
    await block.start()
    dut.left.value = 1
    await Timer(90, "us")
    running, charge = block.energy_j()["r"].copy(), block.charge_c()["r"].copy()
    await block.stop()
    # 1e-4: a ramp of 1 ns loses two thirds of itself
    assert running[2] == pytest.approx(1e-3 * 90e-6, rel=1e-4)
    assert charge[2] == pytest.approx(1e-3 * 90e-6, rel=1e-4)
    assert block.energy_j()["r"] == pytest.approx(running, rel=1e-9)
    assert sum(running) == running[2]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def inductor_currents_are_restored(dut):
    """A ringing RLC, cut in two while the current flows, ends where it does in one piece: to the solver's accuracy."""
    netlist = ["r1 drive a 10", "x1 a sense coil", "c1 sense 0 1n", ".subckt coil p n", "l1 p n 10u", ".ends"]
    ends = []
    for cut in (False, True):
        await reset(dut)
        options = SolverOptions(reltol=1e-6, tmax_s=1e-9)
        block = AnalogBlock(dut.u_left, netlist, PINS, options=options, phase="phase")
        await block.start()
        dut.left.value = 1
        await Timer(150, "ns")
        state = await block.state()
        assert abs(state["l.x1.l1#branch"]) > 1e-3
        if cut:
            await block.stop()
            await block.start(state=state)
        await Timer(150, "ns")
        await block.land()
        ends.append(block.voltage("sense"))
        await block.stop()
    assert ends[0] > 1.1
    assert ends[1] == pytest.approx(ends[0], rel=1e-4)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_watch_begins_at_the_solvers_own_value(dut):
    """Long steps, whose straight lines are off the curve: what is beyond the level must come back, whatever the line says."""
    await reset(dut)
    block = AnalogBlock(dut.u_left, ["r1 drive sense 1k", "c1 sense 0 1n"], PINS, phase="phase")
    await block.start()
    dut.left.value = 1
    early = 0
    for k in range(12):
        await Timer(150, "ns")
        level = 1 - exp(-(k + 1) * 0.15) - 2e-3
        watch = cocotb.start_soon(block.crossing("sense", level))
        await Timer(10, "ns")
        early += watch.done() and block.voltage("sense") > level + 5e-3
        watch.cancel()
    assert early == 0
    await block.stop()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_watch_of_an_ended_run_touches_no_other(dut):
    """Cancelled after its block was stopped and while another runs, or after one was refused."""
    await reset(dut)
    options = {"options": OPTIONS, "phase": "phase"}
    block = AnalogBlock(dut.u_left, ["r1 drive sense 1k", "c1 sense 0 1n"], PINS, **options)
    await block.start()
    old = cocotb.start_soon(block.crossing("sense", 0.9))
    await Timer(10, "ns")
    await block.stop()
    refused = AnalogBlock(dut.u_left, ["r1 drive sense 1k bogus=1"], PINS, **options)
    with pytest.raises(AnalogError):
        await refused.start()
    old.cancel()
    await Timer(1, "ns")
    await block.start()
    await block.stop()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_mistake_while_starting_leaves_a_clean_engine(dut):
    """An exception of another kind in start(): the next block starts all the same."""
    await reset(dut)
    sound = ["r1 drive sense 1k", "c1 sense 0 1n", "* 10 kΩ in a comment"]
    wrong = AnalogBlock(dut.u_left, sound, PINS, options=OPTIONS, phase="phase", meters=[Meter("m", 0, "0", "vm")])
    with pytest.raises((AttributeError, TypeError)):
        await wrong.start()
    block = AnalogBlock(dut.u_left, sound, PINS, options=OPTIONS, phase="phase")
    await block.start()
    await Timer(1, "us")
    await block.stop()
