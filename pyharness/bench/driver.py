# SPDX-License-Identifier: BSD-3-Clause
"""Python driver of the controller's registers, over AXI4-Lite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from pyharness.bench.registers import registers
from pyharness.errors import SimulationError

__all__ = ("STATUS", "Answer", "Driver", "Outcome")

STATUS = ("untouched", "reached", "given_up", "stuck", "aborted")
_PROGRAM, _INFER, _ABORT, _READ = 1, 2, 4, 8


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
    """Register access and jobs of the controller on ``dut`` (a ``system_top``)."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut
        self._map = registers()
        self._bus = AxiLiteMaster(
            AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk_i, dut.rst_ni, reset_active_level=False
        )
        self._bus.write_if.log.setLevel("WARNING")
        self._bus.read_if.log.setLevel("WARNING")

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
        answer = await self._bus.write(register.address(index), register.encode(value).to_bytes(4, "little"))
        if answer.resp != AxiResp.OKAY:
            raise SimulationError(f"the controller refused to write {name}[{index}]: {answer.resp.name}")

    async def read(self, name: str, index: int = 0) -> int:
        """Read a register.

        Raises:
            SimulationError: the controller answers with an error.
        """
        register = self._map[name]
        answer = await self._bus.read(register.address(index), 4)
        if answer.resp != AxiResp.OKAY:
            raise SimulationError(f"the controller refused to read {name}[{index}]: {answer.resp.name}")
        return register.decode(int.from_bytes(answer.data, "little"))

    async def configure(self, settings: Mapping[str, int]) -> None:
        """Write registers by name."""
        for name, value in settings.items():
            await self.write(name, value)

    async def load(self, name: str, values: Sequence[int]) -> None:
        """Write the elements of a register array from the first on."""
        for index, value in enumerate(values):
            await self.write(name, int(value), index)

    async def _job(self, command: int, limit_us: int) -> None:
        await self.write("CONTROL", command)
        if not int(self._dut.irq_o.value):
            await with_timeout(RisingEdge(self._dut.irq_o), limit_us, "us")

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
        await self._job(_READ, 10_000)
        return await self.read("READ_RESULT")

    async def classify(self, image: int, hidden: int = 3) -> Answer:
        """Classify an image given as bits, pixel i in bit i."""
        await self.write("IMAGE", image)
        await self._job(_INFER, 10_000)
        codes = await self.read("HIDDEN")
        return Answer(
            label=await self.read("CLASS"),
            accumulator=await self.read("ACCUMULATOR"),
            hidden=tuple(codes >> 8 * i & 0xFF for i in range(min(hidden, 4))),
        )

    async def abort(self) -> None:
        """Stop whatever runs."""
        await self.write("CONTROL", _ABORT)
