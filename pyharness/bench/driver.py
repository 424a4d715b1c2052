# SPDX-License-Identifier: BSD-3-Clause
"""Python driver of the controller's registers, over AXI4-Lite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cocotb.simtime import get_sim_time
from cocotb.triggers import ClockCycles, RisingEdge, SimTimeoutError, with_timeout

from pyharness.bench.registers import registers
from pyharness.errors import SimulationError

__all__ = ("STATUS", "VERDICT", "Answer", "Driver", "Outcome")

STATUS = ("untouched", "reached", "given_up", "stuck_low", "aborted", "stuck_high")
VERDICT = ("below", "reached", "above", "given_up", "stuck_low", "stuck_high")
"""What the controller makes of a pulse, by the value in the pulse log."""
_PROGRAM, _INFER, _ABORT, _READ = 1, 2, 4, 8
_FAULT = 4  # of STATUS
_ANSWERS = ("OKAY", "EXOKAY", "SLVERR", "DECERR")


class _AxiLite:
    """Single accesses on port ``s_axil``.

    The field's library (cocotbext-axi, which the tests of the registers use) wakes Python on every clock, and over a
    quarter of a million idle clocks that costs a third of the co-simulation.  This one sleeps between accesses.
    """

    def __init__(self, dut: Any) -> None:
        self._dut = dut
        for name in ("awvalid", "wvalid", "arvalid", "awprot", "arprot", "awaddr", "araddr", "wdata", "wstrb"):
            self._signal(name).value = 0
        self._signal("bready").value = 1
        self._signal("rready").value = 1

    def _signal(self, name: str) -> Any:
        return getattr(self._dut, f"s_axil_{name}")

    async def _until(self, *names: str) -> None:
        """Wait for the clock edge at which all the named signals are high."""
        while True:
            await RisingEdge(self._dut.clk_i)
            if all(int(self._signal(name).value) for name in names):
                return

    async def write(self, address: int, word: int) -> str:
        """Write a word; return the answer."""
        for name, value in (("awaddr", address), ("wdata", word), ("wstrb", 15), ("awvalid", 1), ("wvalid", 1)):
            self._signal(name).value = value
        await self._until("awready", "wready")  # the controller takes address and data together
        self._signal("awvalid").value = 0
        self._signal("wvalid").value = 0
        await self._until("bvalid")
        return _ANSWERS[int(self._signal("bresp").value)]

    async def read(self, address: int) -> tuple[str, int]:
        """Read a word; return the answer and the word."""
        self._signal("araddr").value = address
        self._signal("arvalid").value = 1
        await self._until("arready")
        self._signal("arvalid").value = 0
        await self._until("rvalid")
        return _ANSWERS[int(self._signal("rresp").value)], int(self._signal("rdata").value)


@dataclass(frozen=True)
class Outcome:
    """What became of a device: last verify code, pulses spent, status of :data:`STATUS`."""

    code: int
    pulses: int
    status: str


@dataclass(frozen=True)
class Answer:
    """Classification of one image: class, output neuron's sum, hidden activations in DAC codes."""

    label: int
    accumulator: int
    hidden: tuple[int, ...]


class Driver:
    """Register access and jobs of the controller on ``dut`` (a ``system_top``).

    A read or a classification longer than ``access_limit_us`` microseconds of simulated time is an error.
    """

    def __init__(self, dut: Any, access_limit_us: int = 10_000) -> None:
        self._dut = dut
        self._access_limit_us = access_limit_us
        self._map = registers()
        self._bus = _AxiLite(dut)
        self._busy_steps = 0

    @property
    def busy_s(self) -> float:
        """Simulated time of all jobs, each from its command to its interrupt."""
        return self._busy_steps * 1e-12

    async def reset(self) -> None:
        """Hold the reset for a few clocks."""
        self._dut.rst_ni.value = 0
        await ClockCycles(self._dut.clk_i, 4)
        self._dut.rst_ni.value = 1
        await ClockCycles(self._dut.clk_i, 4)

    async def write(self, name: str, value: int, index: int = 0) -> None:
        """Write a register.

        Raises:
            ConfigError: the value does not fit.
            SimulationError: the controller answers with an error.
        """
        register = self._map[name]
        answer = await self._bus.write(register.address(index), register.encode(value))
        if answer != "OKAY":
            raise SimulationError(f"the controller refused to write {name}[{index}]: {answer}")

    async def read(self, name: str, index: int = 0) -> int:
        """Read a register.

        Raises:
            SimulationError: the controller answers with an error.
        """
        register = self._map[name]
        answer, word = await self._bus.read(register.address(index))
        if answer != "OKAY":
            raise SimulationError(f"the controller refused to read {name}[{index}]: {answer}")
        return register.decode(word)

    async def configure(self, settings: Mapping[str, int]) -> None:
        """Write registers by name."""
        for name, value in settings.items():
            await self.write(name, value)

    async def load(self, name: str, values: Sequence[int]) -> None:
        """Write the elements of a register array from the first on."""
        for index, value in enumerate(values):
            await self.write(name, int(value), index)

    async def _job(self, command: int, limit_us: int) -> None:
        begun = get_sim_time("step")
        await self.write("CONTROL", command)
        if not int(self._dut.irq_o.value):
            try:
                await with_timeout(RisingEdge(self._dut.irq_o), limit_us, "us")
            except SimTimeoutError:
                raise SimulationError(
                    f"the controller did not end command {command} within {limit_us} us of simulated time, which its settings allow "
                    "it at most: look at its states in the waveform"
                ) from None
        self._busy_steps += get_sim_time("step") - begun
        if await self.read("STATUS") & _FAULT:
            raise SimulationError(
                f"the controller ended command {command} with a fault: a block was in a state without a name; all drivers are off, "
                "and a new command clears STATUS"
            )

    async def program(self, limit_us: int) -> None:
        """Program all devices; a job longer than ``limit_us`` microseconds of simulated time is an error."""
        await self._job(_PROGRAM, limit_us)

    async def outcome(self, device: int) -> Outcome:
        """Return what became of a device."""
        word = await self.read("OUTCOME", device)
        code = word & 0xFFF
        return Outcome(code - 4096 if code & 0x800 else code, word >> 12 & 0x3FF, STATUS[word >> 22])

    async def read_device(self, device: int) -> int:
        """Read one device through the array and return its ADC code."""
        await self.write("DEVICE", device)
        await self._job(_READ, self._access_limit_us)
        return await self.read("READ_RESULT")

    async def classify(self, image: int, hidden: int = 3, pixels: int = 32) -> Answer:
        """Classify an image given as bits, pixel i in bit i.

        Args:
            image: less than 2**32, above 32 pixels less than 2**64.
            hidden: hidden activations to read, 1 .. 32.
            pixels: rows of the first layer, 1 .. 64; IMAGE_HIGH is written only above 32.

        Raises:
            ConfigError: the image has more pixels than the registers hold.
            SimulationError: the controller answers with an error, or its job does not end.
        """
        await self.configure(
            {"IMAGE": image} if pixels <= 32 else {"IMAGE": image & 0xFFFF_FFFF, "IMAGE_HIGH": image >> 32}
        )
        await self._job(_INFER, self._access_limit_us)
        words = [await self.read("HIDDEN", i) for i in range((hidden + 3) // 4)]
        return Answer(
            label=await self.read("CLASS"),
            accumulator=await self.read("ACCUMULATOR"),
            hidden=tuple(words[i // 4] >> 8 * (i % 4) & 0xFF for i in range(hidden)),
        )

    async def abort(self) -> None:
        """Stop whatever runs."""
        await self.write("CONTROL", _ABORT)
