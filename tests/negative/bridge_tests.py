# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_bridge.py: every test but the last must fail, each with its own message."""

import cocotb
from cocotb.triggers import Timer

from pyharness.cosim import E2L, L2E, R2E, AnalogBlock, Meter, SolverOptions, start_together
from pyharness.cosim.session import Session

NETLIST = ["rgo go 0 1k", "r0 dac0 cmp0 1k", "c0 cmp0 0 1n", "r1 dac1 cmp1 1k", "r2 cmp1 0 3k"]
PINS = [L2E("go"), L2E("dac", bits=4, signed=True, lsb_v=0.25), E2L("cmp")]


def block_of(dut, netlist=NETLIST, pins=PINS, **kwargs):
    return AnalogBlock(dut.u_pins, netlist, pins, options=SolverOptions(tmax_s=1e-6), phase="phase", **kwargs)


async def quiet(dut):
    dut.go.value = 0
    dut.dac.value = 0
    await Timer(1, "us")


@cocotb.test()
async def unknown_level_at_start(dut):
    await quiet(dut)
    dut.go.value = cocotb.types.Logic("X")
    await Timer(1, "us")
    await block_of(dut).start()


@cocotb.test()
async def unknown_level_later(dut):
    await quiet(dut)
    await block_of(dut).start()
    await Timer(2500, "ns")
    dut.dac.value = cocotb.types.LogicArray("0001ZZ10")
    await Timer(1, "ms")


@cocotb.test()
async def netlist_syntax(dut):
    await quiet(dut)
    await block_of(dut, [*NETLIST, "r9 cmp0 0 1k bogus=3"]).start()


@cocotb.test()
async def missing_subcircuit(dut):
    await quiet(dut)
    await block_of(dut, [*NETLIST, "x9 cmp0 0 not_there"]).start()


@cocotb.test()
async def missing_port(dut):
    await quiet(dut)
    await block_of(dut, pins=[*PINS, L2E("enable")]).start()


@cocotb.test()
async def unbound_port(dut):
    await quiet(dut)
    await block_of(dut, pins=PINS[1:]).start()


@cocotb.test()
async def wrong_width(dut):
    await quiet(dut)
    await block_of(dut, pins=[PINS[0], L2E("dac", bits=3), PINS[2]]).start()


@cocotb.test()
async def unknown_node(dut):
    await quiet(dut)
    block = block_of(dut)
    await block.start()
    try:
        block.voltage("nowhere")
    finally:
        await block.stop()


@cocotb.test()
async def unknown_sensor_node(dut):
    await quiet(dut)
    await block_of(dut, pins=[*PINS[:2], E2L("cmp", node="out")]).start()


@cocotb.test()
async def unknown_meter_branch(dut):
    await quiet(dut)
    await block_of(dut, meters=[Meter("m", "cmp0", "0", "vnone")]).start()


@cocotb.test()
async def no_operating_point(dut):
    await quiet(dut)
    await block_of(dut, [*NETLIST, "v8 q 0 1", "v9 q 0 2"]).start()


@cocotb.test()
async def no_convergence_in_transient(dut):
    await quiet(dut)
    # beyond 0.5 V at go the equation v = 1 - sgn(v) has no solution
    block = block_of(dut, [*NETLIST, "b9 q 0 v = v(go) > 0.5 ? (v(q) > 0 ? -1 : 1) : 0", "r9 q 0 1k"])
    await block.start()
    await Timer(10, "us")
    dut.go.value = 1
    await Timer(1, "ms")


@cocotb.test()
async def two_blocks_at_once(dut):
    await quiet(dut)
    first = block_of(dut)
    await first.start()
    try:
        await block_of(dut).start()
    finally:
        await first.stop()


@cocotb.test()
async def a_signal_for_a_shell(dut):
    AnalogBlock(dut.dac, NETLIST, PINS)


@cocotb.test()
async def an_instance_that_is_no_shell(dut):
    await quiet(dut)
    await AnalogBlock(dut, NETLIST, PINS).start()


@cocotb.test()
async def an_instance_that_is_not_there(dut):
    AnalogBlock(dut.u_pns, NETLIST, PINS)


@cocotb.test()
async def the_analog_side_ends_by_itself(dut):
    await quiet(dut)
    block, original = block_of(dut), Session._load

    def load(self, states):
        found = original(self, states)
        self.engine.pyh_command(b"stop when v(cmp0) > 0.3")
        return found

    Session._load = load
    try:
        await block.start()
    finally:
        Session._load = original
    dut.dac.value = 4
    await Timer(1, "ms")


@cocotb.test()
async def an_exception_in_another_task(dut):
    await quiet(dut)
    await block_of(dut).start()

    async def other():
        await Timer(3, "us")
        raise ValueError("the other task went wrong")

    cocotb.start_soon(other())
    await Timer(1, "ms")


@cocotb.test()
async def fails_right_after_the_start(dut):
    await block_of(dut).start()
    raise RuntimeError("at once")


@cocotb.test()
async def a_phase_that_is_too_wide(dut):
    await quiet(dut)
    pins = [*PINS, L2E("phase", bits=2)]
    await AnalogBlock(dut.u_pins, NETLIST, pins, phase="dac").start()


@cocotb.test()
async def a_real_pin_on_a_vector(dut):
    await quiet(dut)
    await block_of(dut, pins=[L2E("go"), R2E("dac"), E2L("cmp")]).start()


@cocotb.test()
async def a_shell_for_two(dut):
    await quiet(dut)
    await start_together(block_of(dut), block_of(dut))


@cocotb.test()
async def a_state_of_another_circuit(dut):
    await quiet(dut)
    await block_of(dut).start(state={"cmp0": 0.1, "nowhere": 1.0})


@cocotb.test()
async def stopped_while_awaited(dut):
    await quiet(dut)
    block = block_of(dut)
    await block.start()
    waiting = cocotb.start_soon(block.crossing("cmp0", 100.0))
    await Timer(1, "us")
    await block.stop()
    await waiting


@cocotb.test()
async def a_level_that_is_no_number(dut):
    await quiet(dut)
    block = block_of(dut)
    await block.start()
    await block.crossing("cmp0", float("nan"))


@cocotb.test()
async def a_source_that_starts_nowhere(dut):
    block_of(dut, sources={"cmp0": float("nan")})


@cocotb.test()
async def a_source_that_is_no_node(dut):
    block_of(dut, sources={"go 0 5\nr77 go": 0.0})


@cocotb.test()
async def external_source_without_a_pin(dut):
    await quiet(dut)
    await block_of(dut, [*NETLIST, "vx x 0 external", "rx x 0 1k"]).start()


@cocotb.test()
async def start_and_stop_at_once(dut):
    block = block_of(dut)
    await block.start()
    await block.stop()


@cocotb.test()
async def a_sound_block_after_all_that(dut):
    await quiet(dut)
    block = block_of(dut)
    await block.start()
    dut.dac.value = 4
    await Timer(10, "us")
    assert int(dut.cmp.value) == 1
    await block.stop()
