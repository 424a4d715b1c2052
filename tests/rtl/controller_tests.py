# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_controller.py: the controller on an ideal array, its rules checked on every clock."""

import itertools

import cocotb
import numpy as np
import pytest
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, ReadOnly, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp
from fake_array import HRS, FakeArray, settle
from numpy.typing import NDArray

from pyharness.bench.driver import Driver
from pyharness.bench.registers import registers
from pyharness.bench.results import image_number
from pyharness.errors import SimulationError
from pyharness.network.reference import Arithmetic, Network, Prediction

FAST = {"SET_CYCLES": 6, "RESET_CYCLES": 6, "INIT_CYCLES": 6, "SETTLE": 2, "GUARD": 1, "CONFIRM": 2}
LIMIT_US = 1_000_000


async def bench(dut, **settings) -> tuple[Driver, FakeArray]:
    Clock(dut.clk_i, 1, "us").start()
    dut.rst_ni.value = 0
    array = FakeArray(dut)
    driver = Driver(dut)
    await driver.reset()
    await driver.configure({**FAST, **settings})
    return driver, array


async def answers_like(driver: Driver, network: Network, images: NDArray[np.int_]) -> Prediction:
    """Check class, sum and hidden activations of each image against the integer model; return the model's."""
    await driver.configure({"SHIFT": network.shift, "THRESHOLD": network.threshold})
    await driver.load("BIAS", network.bias)
    await driver.load("ACTIVATION", network.table)
    expected = network.predict(images)
    for i, image in enumerate(images):
        answer = await driver.classify(image_number(image), expected.hidden.shape[1], len(image))
        assert answer.hidden == tuple(expected.hidden[i])
        assert answer.accumulator == expected.accumulator[i]
        assert answer.label == expected.label[i]
    return expected


def library_master(dut) -> AxiLiteMaster:
    """Return a master that can pause channels and show error answers."""
    return AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk_i, dut.rst_ni, reset_active_level=False)


def spread(count: int = 30) -> list[int]:
    """Target codes all over the window of 100 .. 400 uS."""
    return [400 + (1200 * 7 * i // count) % 1200 for i in range(count)]


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def every_register_reads_back(dut):
    """Reset values, all bits, elements of arrays; with idle cycles and back-pressure on every channel."""
    driver, _ = await bench(dut)
    await driver.reset()
    bus = library_master(dut)
    for channel in (bus.write_if.aw_channel, bus.write_if.w_channel, bus.read_if.ar_channel):
        channel.set_pause_generator(itertools.cycle([1, 0, 0, 1, 1, 0]))
    bus.write_if.b_channel.set_pause_generator(itertools.cycle([0, 1, 1]))
    bus.read_if.r_channel.set_pause_generator(itertools.cycle([1, 1, 0]))

    async def read(r, index):
        return r.decode(int.from_bytes((await bus.read(r.address(index), 4)).data, "little"))

    for r in registers().values():
        if r.access != "rw":
            continue
        last = {"TARGET": 29, "BIAS": 3}.get(r.name, r.count - 1)
        for index in {0, last}:
            assert await read(r, index) == r.reset, r.name
            top = (1 << (r.width - r.signed)) - 1
            for value in (top, -top - 1 if r.signed else 0, 0x5555_5555 & top):
                await bus.write(r.address(index), r.encode(value).to_bytes(4, "little"))
                assert await read(r, index) == value, r.name
    assert await read(registers()["ID"], 0) == 0x50594831


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def wrong_accesses_are_answered_with_errors(dut):
    """Read-only, outside the map, partial: nothing changes, the error says which; the driver raises it."""
    driver, _ = await bench(dut)
    with pytest.raises(SimulationError, match=r"the controller refused to write ID\[0\]: SLVERR"):
        await driver.write("ID", 0)
    with pytest.raises(SimulationError, match=r"the controller refused to read TARGET\[30\]: DECERR"):
        await driver.read("TARGET", 30)
    m, bus = registers(), library_master(dut)
    assert (await bus.write(m["ID"].address(), bytes(4))).resp == AxiResp.SLVERR
    assert (await bus.write(m["OUTCOME"].address(3), bytes(4))).resp == AxiResp.SLVERR
    for outside in (
        m["TARGET"].address(30),
        m["OUTCOME"].address(30),
        m["BIAS"].address(4),
        0x094,
        0x320,
        0xFFC,
        0x6000,
    ):
        assert (await bus.write(outside, bytes(4))).resp == AxiResp.DECERR
        assert (await bus.read(outside, 4)).resp == AxiResp.DECERR
    await bus.write(m["SETTLE"].address(), (77).to_bytes(4, "little"))
    assert (await bus.write(m["SETTLE"].address(), b"\x01\x02")).resp == AxiResp.SLVERR
    assert (await bus.read(m["SETTLE"].address(), 4)).data == (77).to_bytes(4, "little")


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def all_devices_reach_their_targets(dut):
    """30 targets over the whole window, 1 % tolerance; outcomes, log and read-back agree."""
    driver, array = await bench(dut)
    targets = spread()
    await driver.load("TARGET", targets)
    log = []

    async def watch():
        while True:
            await RisingEdge(dut.log_valid_o)
            await ReadOnly()  # the other outputs change in the same time step
            log.append((int(dut.log_device_o.value), int(dut.log_before_o.value), int(dut.log_after_o.value)))

    cocotb.start_soon(watch())
    await driver.program(LIMIT_US)
    assert await driver.read("STATUS") == 2
    for i, target in enumerate(targets):
        outcome = await driver.outcome(i)
        assert outcome.status == "reached"
        assert abs(outcome.code - target) <= max(1, target * 655 // 65536)
        assert await driver.read_device(i) == outcome.code
        assert outcome.pulses == sum(d == i for d, _, _ in log)
        assert [a for d, _, a in log if d == i][-1] == outcome.code
    for device in range(30):  # each pulse starts where the last one ended
        chain = [(b, a) for d, b, a in log if d == device]
        assert all(x[1] == y[0] for x, y in itertools.pairwise(chain))
    assert array.highest <= 1000
    assert array.cycles > 1000


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def the_converter_reads_every_level(dut):
    """Codes of cells from the off state to full scale, on every column of both layers."""
    driver, array = await bench(dut)
    rng = np.random.default_rng(4)
    for g in array.g:
        g[:] = rng.uniform(HRS, 520e-6, g.shape)
    expected = [array.code(x) for g in array.g for x in g.ravel()]
    found = [await driver.read_device(i) for i in range(30)]
    assert found == expected
    assert max(found) == 2047 or max(found) > 2000


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def an_overshoot_is_reset_and_recovered(dut):
    """Every SET leaves 40 % more than the steps expect: RESET pulses follow, and the targets are still reached."""
    driver, array = await bench(dut, TOLERANCE=1966)
    array.gain = 1.4
    targets = spread()
    await driver.load("TARGET", targets)
    await driver.program(LIMIT_US)
    outcomes = [await driver.outcome(i) for i in range(30)]
    assert {o.status for o in outcomes} == {"reached"}
    assert any(code < 0 for *_, code in array.writes)
    assert array.lowest >= -1500


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def an_unreachable_target_is_given_up(dut):
    """The largest amplitude moves the device, but not far enough; after the limit of pulses it is given up."""
    driver, array = await bench(dut, MAX_PULSES=12, STUCK_LIMIT=0)
    array.gain = 0.2
    await driver.load("TARGET", [1900] * 30)
    await driver.program(LIMIT_US)
    for i in range(30):
        outcome = await driver.outcome(i)
        assert (outcome.status, outcome.pulses) == ("given_up", 12)
    assert array.highest == 1000


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def a_stuck_device_is_found(dut):
    """One device never moves: it is flagged after STUCK_LIMIT pulses at the largest amplitude; the others are reached."""
    driver, array = await bench(dut, STUCK_LIMIT=4)
    array.stuck = {(0, 4, 1)}
    await driver.load("TARGET", [800] * 30)
    await driver.program(LIMIT_US)
    outcomes = [await driver.outcome(i) for i in range(30)]
    assert [o.status for o in outcomes] == ["reached"] * 13 + ["stuck_low"] + ["reached"] * 16
    at_most = [w for w in array.writes if w[:3] == (0, 4, 1) and w[3] == 1000]
    assert not at_most  # a stuck device is not written in the model, so nothing was recorded
    assert outcomes[13].pulses >= 4


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def the_initial_reset_comes_first(dut):
    """With it every device starts with one RESET pulse of its own amplitude; without it none is reset."""
    for enabled in (1, 0):
        driver, array = await bench(dut, INIT_ENABLE=enabled, INIT_CODE=1200)
        for g in array.g:
            g[:] = 450e-6 if enabled else HRS
        await driver.load("TARGET", [800] * 30)
        await driver.program(LIMIT_US)
        first = {}
        for layer, r, c, code in array.writes:
            first.setdefault((layer, r, c), code)
        assert len(first) == 30
        assert set(first.values()) == ({-1200} if enabled else {280})
        cocotb.log.info("initial reset %d: %d writes", enabled, len(array.writes))
        array.check_and_answer = lambda: None


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def limits_hold_against_the_registers(dut):
    """Start and initial amplitudes above their limits are cut to them."""
    driver, array = await bench(
        dut, SET_START=2000, SET_MAX=600, INIT_ENABLE=1, INIT_CODE=2000, RESET_START=2000, RESET_MAX=700, MAX_PULSES=6
    )
    await driver.load("TARGET", [300] * 30)
    await driver.program(LIMIT_US)
    assert array.highest == 600
    assert array.lowest == -700


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def abort_turns_everything_off_within_one_clock(dut):
    """Whenever it comes: during pulses, reads and inference."""
    driver, _ = await bench(dut, SET_CYCLES=40)
    for wait in (3, 9, 20, 31, 47, 60, 83):
        for command, phases in ((1, (2, 3)), (2, (4,))):
            await driver.load("TARGET", [800] * 30)
            await driver.write("IMAGE", 0x1FF)
            await driver.write("CONTROL", command)
            await ClockCycles(dut.clk_i, wait if command == 1 else wait % 30)
            assert int(dut.u_array.phase.value) in (0, *phases)
            await driver.abort()  # answered at the clock on which the command is taken
            await settle(dut)
            assert int(dut.u_array.phase.value) == 0
            for name in ("row_code", "ref_code", "word", "col_write", "col_read", "range", "adc_code"):
                for layer in ("l1", "l2"):
                    assert int(getattr(dut.u_array, f"{layer}_{name}").value) == 0
            await ClockCycles(dut.clk_i, 2)
    assert (await driver.outcome(0)).status == "aborted"
    await driver.program(LIMIT_US)  # and it still works
    assert (await driver.outcome(29)).status == "reached"


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def an_upset_ends_the_job_and_is_told(dut):
    """A state without a name in any block, amid a job: all off a clock later, the driver raises, the next job runs."""
    driver, _ = await bench(dut, SET_CYCLES=40)
    for target, block in ((800, "u_program"), (600, "u_write_verify"), (800, "u_access"), (800, "u_inference")):
        await driver.load("TARGET", [target] * 30)  # another one than the devices have: there are pulses
        infer = block == "u_inference"
        job = cocotb.start_soon(driver.classify(0x1FF) if infer else driver.program(LIMIT_US))
        for _ in range(200):
            await RisingEdge(dut.clk_i)
            if int(dut.u_array.phase.value) == (4 if infer else 2):
                break
        else:
            raise AssertionError(f"{block}: neither pulse nor inference began")
        await FallingEdge(dut.clk_i)
        getattr(dut.u_accelerator, block).state_q.value = 15 if infer else 7
        await ClockCycles(dut.clk_i, 1)
        await settle(dut)
        for name in ("row_code", "ref_code", "word", "col_write", "col_read"):
            assert not any(int(getattr(dut.u_array, f"{layer}_{name}").value) for layer in ("l1", "l2")), (block, name)
        with pytest.raises(SimulationError, match=f"ended command {2 if infer else 1} with a fault"):
            await job
        await driver.program(LIMIT_US)
        assert (await driver.outcome(29)).status == "reached"
    # without a job: told too, and no outcome is touched
    before = [await driver.outcome(i) for i in range(30)]
    await FallingEdge(dut.clk_i)
    dut.u_accelerator.u_program.state_q.value = 7
    await ClockCycles(dut.clk_i, 4)
    assert await driver.read("STATUS") == 6
    assert [await driver.outcome(i) for i in range(30)] == before


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def an_abort_before_the_first_read_leaves_no_code(dut):
    """The outcome must not be what the device before, or of the job before, left."""
    driver, _ = await bench(dut)
    await driver.load("TARGET", spread())
    await driver.program(LIMIT_US)
    assert (await driver.outcome(29)).code > 0
    await driver.write("CONTROL", 1)
    await ClockCycles(dut.clk_i, 5)
    await driver.abort()
    await ClockCycles(dut.clk_i, 4)
    outcome = await driver.outcome(0)
    assert (outcome.status, outcome.pulses, outcome.code) == ("aborted", 0, 0)


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def inference_equals_the_integer_model(dut):
    """64 random images on random conductances: class, sum and hidden activations, bit for bit."""
    driver, array = await bench(dut)
    rng = np.random.default_rng(11)
    for g in array.g:
        g[:] = rng.uniform(100e-6, 400e-6, g.shape)
    network = Network(
        g1_siemens=array.g[0],
        g2_siemens=array.g[1],
        bias=(-120, 15, 300, -40),
        table=tuple(int(v) for v in np.linspace(0, 127, 64)),
        shift=4,
        threshold=-7,
        arithmetic=Arithmetic(driver_ohm=1e-9, cell_ohm=1e-9, column_ohm=1e-9),
    )
    expected = await answers_like(driver, network, rng.integers(0, 2, (64, 9)))
    assert 0 < expected.label.sum() < 64


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def a_long_pulse_is_cut(dut):
    """The pulse timer's own limit holds for the largest register value."""
    driver, array = await bench(dut, SET_CYCLES=(1 << 20) - 1, MAX_PULSES=1)
    array.check_and_answer = lambda: None
    await driver.load("TARGET", [800] * 30)
    await driver.write("CONTROL", 1)
    await RisingEdge(dut.u_accelerator.u_access.u_timer.active_o)
    start = cocotb.simtime.get_sim_time("us")
    await FallingEdge(dut.u_accelerator.u_access.u_timer.active_o)
    assert cocotb.simtime.get_sim_time("us") - start == pytest.approx(100_000)
