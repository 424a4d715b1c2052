# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_random.py: random jobs on the scripted array, with accesses, aborts and resets in between.

It judges nothing: the bench writes down every clock, and test_random.py compares with the model afterwards.
"""

from __future__ import annotations

import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster
from layout import Shape
from stimulus import CORNERS, DRAWS, any_address, corner_settings, random_settings, random_targets, theme
from write_verify_model import clip

from pyharness.bench.registers import registers

PROGRAM, CLASSIFY, ABORT, READ = 1, 2, 4, 8
ENDS = ("wait",) * 6 + ("abort", "abort", "reset")
CUTS = ("abort", "reset", "reset")
REPEATS = {"cut": 8, "confirm": 6, "short": 8, "stuck early": 3}
"""Kind of episode -> programs, where more than one; each with other targets and limits."""
PATIENCE = 5000
"""Clocks after which a job is aborted."""


class Plain:
    """Single accesses that sleep between edges; address and data come apart, answers wait at random."""

    def __init__(self, dut, rng: random.Random) -> None:
        self.dut, self.rng = dut, rng
        self.steady = False  # no delays: a sweep over clocks must not miss one

    def put(self, **values: int) -> None:
        for name, value in values.items():
            getattr(self.dut, f"s_axil_{name}").value = value

    async def until(self, name: str) -> None:
        while True:
            await RisingEdge(self.dut.clk_i)
            if int(getattr(self.dut, f"s_axil_{name}").value):
                return

    def delay(self) -> int:
        return 0 if self.steady else self.rng.choice((0, 0, 0, 0, 0, 1, 2, 3))

    async def write(self, address: int, word: int, strobe: int = 15) -> None:
        first, second = self.rng.choice((("awvalid", "wvalid"), ("wvalid", "awvalid")))
        self.put(awaddr=address, wdata=word, wstrb=strobe, bready=0, **{first: 1})
        if wait := self.delay():
            await ClockCycles(self.dut.clk_i, wait)
        self.put(**{second: 1})
        await self.until("awready")
        self.put(awvalid=0, wvalid=0)
        if wait := self.delay():
            await ClockCycles(self.dut.clk_i, wait)
        self.put(bready=1)
        await self.until("bvalid")
        self.put(bready=self.rng.choice((0, 1)))

    async def read(self, address: int) -> int:
        self.put(araddr=address, arvalid=1, rready=0)
        await self.until("arready")
        self.put(arvalid=0)
        if wait := self.delay():
            await ClockCycles(self.dut.clk_i, wait)
        self.put(rready=1)
        await self.until("rvalid")
        word = int(self.dut.s_axil_rdata.value)
        self.put(rready=self.rng.choice((0, 1)))
        return word

    def quiet(self) -> None:
        self.put(awvalid=0, wvalid=0, arvalid=0)


class Library:
    """The field's master, whose channels pause at random: back-pressure, and accesses on each other's heels."""

    def __init__(self, dut, rng: random.Random) -> None:
        self.master = AxiLiteMaster(
            AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk_i, dut.rst_ni, reset_active_level=False
        )
        w, r = self.master.write_if, self.master.read_if
        for channel in (w.aw_channel, w.w_channel, w.b_channel, r.ar_channel, r.r_channel):
            share = rng.choice((0.0, 0.3, 0.7))
            channel.set_pause_generator(iter(lambda share=share: int(rng.random() < share), None))

    async def write(self, address: int, word: int, strobe: int = 15) -> None:
        if strobe == 15:
            await self.master.write(address & ~3, word.to_bytes(4, "little"))
        else:  # the library makes partial strobes of short accesses
            await self.master.write(address & ~3, bytes([word & 0xFF]))

    async def read(self, address: int) -> int:
        return int.from_bytes((await self.master.read(address & ~3, 4)).data, "little")

    def quiet(self) -> None:
        """The master keeps its lines in order by itself."""


class Jobs:
    """One simulation's story."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.seed = int(os.environ["RANDOM_JOBS_SEED"])
        self.rng = random.Random(self.seed)
        self.shape = Shape(
            (int(dut.L1_ROWS.value), int(dut.L2_ROWS.value)),
            (int(dut.L1_COLS.value), int(dut.L2_COLS.value)),
            int(dut.MAX_PULSE_CYCLES.value),
        )
        self.library = os.environ["RANDOM_JOBS_BUS"] == "library"
        self.bus = Library(dut, self.rng) if self.library else Plain(dut, self.rng)
        self.map = registers()

    async def clocks(self, count: int) -> None:
        if count:
            await ClockCycles(self.dut.clk_i, count)

    async def reset(self) -> None:
        self.dut.rst_ni.value = 0
        self.bus.quiet()
        await self.clocks(self.rng.randint(2, 4))
        self.dut.rst_ni.value = 1
        await self.clocks(3)

    async def set(self, name: str, value: int, index: int = 0) -> None:
        register = self.map[name]
        word = (
            register.encode(value) | self.rng.getrandbits(32) << register.width & 0xFFFFFFFF
        )  # the rest is not looked at
        await self.bus.write(register.address(index), word)

    async def together(self, accesses) -> None:
        """Accesses one after the other; the library's master sends them on each other's heels."""
        if self.library:
            for task in [cocotb.start_soon(access) for access in accesses]:
                await task
        else:
            for access in accesses:
                await access

    async def command(self, word: int) -> None:
        await self.bus.write(self.map["CONTROL"].address(), word | self.rng.getrandbits(28) << 4)

    async def busy(self) -> bool:
        return bool(await self.bus.read(self.map["STATUS"].address()) & 1)

    async def network(self) -> None:
        """Biases and a table for the inference."""
        wide = self.rng.random() < 0.5
        for i in range(self.shape.columns):
            extreme = self.rng.choice((-32768, 32767, self.rng.randint(-32768, 32767)))
            await self.set("BIAS", extreme if wide else self.rng.randint(-500, 500), i)
        for i in range(64):
            await self.set("ACTIVATION", self.rng.randrange(256), i)

    async def disturb(self) -> None:
        """Accesses while a job runs; none of them may do more than it says."""
        for _ in range(self.rng.randint(0, 12)):
            await self.clocks(self.rng.randint(0, 90))
            kind = self.rng.random()
            if kind < 0.3:
                name = self.rng.choice(list(DRAWS))
                await self.set(name, DRAWS[name](self.rng))
            elif kind < 0.4:
                await self.command(self.rng.choice((0, 1, 2, 3, 8, 9, 10, 11, 11)))
            elif kind < 0.55:
                # never CONTROL: aborts are another's part
                address = any_address(self.rng)
                word = self.rng.getrandbits(32)
                if address & ~3 == self.map["CONTROL"].address():
                    word &= ~ABORT
                if self.map["SETTLE"].address() == address & ~3:
                    word &= 0xF
                await self.bus.write(address, word, self.rng.choice((15, 15, 15, 1, 7, 14, 0)))
            elif kind < 0.6:
                await self.set("TARGET", self.rng.randrange(2048), self.rng.randrange(self.shape.devices))
            else:
                await self.bus.read(any_address(self.rng))

    async def job(self, word: int, ends: tuple[str, ...], disturbed: float = 0.5) -> None:
        """Start a job, disturb it, and wait for its end, or end it."""
        end = self.rng.choice(ends)
        if self.library and end == "reset":
            end = "wait"  # the library's accesses cannot be given up half way
        await self.command(word)
        if end != "wait":
            await self.clocks(self.rng.randint(0, self.rng.choice((8, 60, 60, 300 if word == PROGRAM else 60))))
            if end == "reset":
                return await self.reset()
            return await self.command(ABORT | self.rng.randrange(16))
        if self.rng.random() < disturbed:
            await self.disturb()
        waited = 0
        while await self.busy():
            pause = self.rng.choice((5, 20, 50))
            await self.clocks(pause)
            waited += pause
            if waited > PATIENCE and disturbed:
                await self.command(ABORT)
        return None

    async def sweep(self) -> None:
        """Reset and abort at every clock of short jobs; afterwards nothing may be left of them, and all must work."""
        quick = {"GUARD": 1, "SETTLE": 1, "BIT_CYCLES": 1, "SET_CYCLES": 2, "RESET_CYCLES": 2, "INIT_CYCLES": 2}
        self.bus.steady = True
        left = ("STATUS", "READ_RESULT", "CLASS", "ACCUMULATOR", "HIDDEN", "OUTCOME")
        for at in range(60, 180, 9):  # a long pulse must not go on behind the reset and into the next job
            await self.set("TARGET", 1500)
            await self.command(PROGRAM)
            await self.clocks(at)
            await self.reset()
            await self.command(PROGRAM)
            await self.clocks(80)
            await self.command(ABORT)
        for word in (PROGRAM, CLASSIFY, READ):
            for at in range(1, 6):  # a command that is taken in the clock before the reset must not be left either
                access = cocotb.start_soon(self.command(word))
                await self.clocks(at)
                access.cancel()
                await self.reset()
                await self.clocks(40)
                for name in left:
                    await self.bus.read(self.map[name].address())
        for end in ("reset", "abort"):
            for word, clocks, more in (
                (PROGRAM, 64, {"MAX_PULSES": 0}),
                (PROGRAM, 64, {"CONFIRM": 1, "TOLERANCE": 65535}),
                (PROGRAM, 60, {"INIT_ENABLE": 1, "CONFIRM": 1}),
                (CLASSIFY, 50, {"IMAGE": 1}),
                (CLASSIFY, 4, {"IMAGE": 1, "GUARD": 20}),
                (READ, 36, {"DEVICE": self.shape.devices - 1}),
            ):
                for at in range(clocks):
                    await self.together(
                        [self.set(n, v) for n, v in (quick | more).items()] if not at or end == "reset" else []
                    )
                    await self.set("TARGET", 1500, self.rng.randrange(self.shape.devices))
                    await self.set("ACTIVATION", 200, self.rng.choice((0, 32, 63)))
                    await self.command(word)
                    await self.clocks(at)
                    await (self.reset() if end == "reset" else self.command(ABORT))
                    for name in left:
                        await self.bus.read(self.map[name].address())
                    await self.bus.read(self.map["OUTCOME"].address(self.shape.devices - 1))
        self.bus.steady = False

    async def neurons(self) -> None:
        """Images at the ends of the table, of the sums, of the threshold and of the reference rows."""
        hidden = range(self.shape.cols[0])
        for name in ("SETTLE", "BIT_CYCLES", "GUARD"):
            await self.set(name, 1)
        await self.network()
        for number in range(90):
            shift = self.rng.choice((8, 9))
            edges = [(self.rng.choice((-33, -32, 31, 32)) << shift) + self.rng.randrange(1 << shift) for _ in hidden]
            if number % 2:  # all but one of the reference row's terms as large as can be: about the most it can sink
                edges = [-32768 if n == number % len(hidden) else 32767 for n in hidden]
                await self.set("ACTIVATION", 255, 63)
                await self.set("ACTIVATION", 2047 - 255 * (len(hidden) - 1) + self.rng.choice((-1, 0, 1, 2)) & 0xFF, 0)
            for n in hidden:
                await self.set("BIAS", clip(edges[n], -32768, 32767), n)
            end = self.rng.choice((-32768, 32767))
            await self.set("BIAS", end, len(hidden))
            await self.set("THRESHOLD", self.rng.choice((end, end, end + 1 if end < 0 else end - 1)))
            # all rows: about the most that the first reference row's sum has to hold; two of them: about the most it can sink
            rows = range(self.shape.rows[0])
            two = sum(1 << row for row in self.rng.sample(rows, min(2, len(rows))))
            image = self.rng.choice((self.rng.getrandbits(64), (1 << 64) - 1, two))
            settings = {
                "SHIFT": shift,
                "IMAGE": image & 0xFFFF_FFFF,
                "IMAGE_HIGH": image >> 32,
                "READ_CODE": self.rng.choice((1023, 1024, 2047)),
            }
            await self.together([self.set(name, value) for name, value in settings.items()])
            await self.job(CLASSIFY, ENDS[:1], 0.0)
            for name in ("CLASS", "ACCUMULATOR", "HIDDEN"):
                await self.bus.read(self.map[name].address())

    async def corners(self) -> None:
        """Every kind of end after every number of pulses, at targets of every size."""
        for number in range(len(CORNERS)):
            self.dut.episode_i.value = number
            await self.together([self.set(name, value) for name, value in corner_settings(number).items()])
            await self.together([self.set("TARGET", CORNERS[number][0], i) for i in range(self.shape.devices)])
            await self.job(PROGRAM, ENDS[:1], 0.0)

    async def episode(self, number: int) -> None:
        self.dut.episode_i.value = number
        kind = theme(self.seed, number)
        settings = random_settings(self.rng, kind, self.shape.longest)
        names = list(settings)
        self.rng.shuffle(names)
        await self.together([self.set(name, settings[name]) for name in names])
        if number % 5 == 0:
            await self.network()
        for turn in range(REPEATS.get(kind, 1)):
            targets = enumerate(random_targets(self.rng, kind, self.shape.devices))
            await self.together([self.set("TARGET", target, i) for i, target in targets if self.rng.random() < 0.9])
            if turn:
                again = random_settings(self.rng, kind, self.shape.longest)
                await self.together(
                    [self.set(n, again[n]) for n in ("CONFIRM", "STUCK_LIMIT", "MAX_PULSES", "ALGORITHM")]
                )
            await self.job(PROGRAM, CUTS if kind == "cut" else ENDS)
        await self.together([self.bus.read(self.map["OUTCOME"].address(i)) for i in range(self.shape.devices)])
        for _ in range(8 if kind == "cut" else self.rng.randint(1, 5)):
            word = self.rng.choice((READ, CLASSIFY, CLASSIFY, self.rng.randrange(16)))
            await self.set(
                "DEVICE", self.rng.choice((self.rng.randrange(self.shape.devices), self.rng.randrange(4096)))
            )
            for name in ("IMAGE", "IMAGE_HIGH"):
                await self.set(name, self.rng.getrandbits(32))
            await self.job(word, CUTS if kind == "cut" else ENDS[4:])
            for name in ("READ_RESULT", "CLASS", "ACCUMULATOR", "HIDDEN", "STATUS"):
                await self.bus.read(self.map[name].address())


@cocotb.test()
async def random_jobs(dut):
    """Play episodes until the wanted number of clocks is reached."""
    dut.stop_i.value = 0
    dut.episode_i.value = 0
    dut.rst_ni.value = 0
    for name in (
        "awaddr",
        "awprot",
        "awvalid",
        "wdata",
        "wstrb",
        "wvalid",
        "bready",
        "araddr",
        "arprot",
        "arvalid",
        "rready",
    ):
        getattr(dut, f"s_axil_{name}").value = 0  # the library leaves what it does not use yet unknown
    jobs = Jobs(dut)
    Clock(dut.clk_i, 1, "us").start()
    await jobs.reset()
    for register in jobs.map.values():
        await jobs.bus.read(register.address())
    limit, number = int(os.environ["RANDOM_JOBS_CLOCKS"]), 0
    if os.environ["RANDOM_JOBS_BUS"] == "sweep":
        await jobs.sweep()
    if os.environ["RANDOM_JOBS_BUS"] == "corners":
        await jobs.corners()
    if os.environ["RANDOM_JOBS_BUS"] == "neurons":
        await jobs.neurons()
    while cocotb.simtime.get_sim_time("us") < limit:
        await jobs.episode(number % 64)
        number += 1
    dut.stop_i.value = 1
    await ClockCycles(dut.clk_i, 3)
    cocotb.log.info("%d episodes, %d clocks", number, cocotb.simtime.get_sim_time("us"))
