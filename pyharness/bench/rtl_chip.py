# SPDX-License-Identifier: BSD-3-Clause
"""The array with the controller's RTL, in a simulator: a :class:`pyharness.bench.on_chip.Chip`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.simtime import get_sim_time
from cocotb.triggers import ReadOnly, RisingEdge
from numpy.typing import NDArray

from pyharness.bench.driver import Driver, Outcome
from pyharness.bench.job import Job
from pyharness.bench.on_chip import Chip, within_budget
from pyharness.bench.results import image_number, logged_pulse
from pyharness.bench.view import ArrayView
from pyharness.bench.write_verify import PulseOrder
from pyharness.network.reference import Prediction
from pyharness.record import Record

__all__ = ("RtlChip",)


class RtlChip(Chip):
    """Controller and array of ``dut``, a ``system_top``; its pulses and rounds go into ``record``.

    Attributes:
        shown_j: energy of the images of training, which the array counts as inference.
    """

    def __init__(self, dut: Any, job: Job, record: Record, view: ArrayView, tell: Callable[[str], None]) -> None:
        """``tell`` is called with a line whenever something was done."""
        self._dut, self._view, self._tell = dut, view, tell
        self.job, self.record, self.rounds = job, record, record.rounds
        self.driver = Driver(dut, access_limit_us=job.microseconds(10 * job.access_clocks))
        self.pulsed = [0] * len(job.target_codes)
        self.shown_j = 0.0
        self._written: dict[str, int] = {}

    @property
    def time_s(self) -> float:
        """Time from the commands to their interrupts."""
        return self.driver.busy_s

    async def prepare(self) -> None:
        """Clock, reset, settings."""
        period_ps = round(1e12 / self.job.config.timing.clock_hz / 2) * 2
        Clock(self._dut.clk_i, period_ps, "ps", impl="gpi").start()
        await self.driver.reset()
        await self._configure(self.job.registers)
        await self.driver.load("ACTIVATION", self.job.network.table)
        await self.load(self.job)

    async def _configure(self, settings: Mapping[str, int]) -> None:
        """Write the registers that hold something else."""
        for name, value in settings.items():
            if self._written.get(name) != value:
                await self.driver.write(name, value)
                self._written[name] = value

    async def load(self, job: Job) -> None:
        """Write biases and target codes."""
        self.job = job
        await self.driver.load("BIAS", job.network.bias)
        await self.driver.load("TARGET", [int(c) for c in job.target_codes])

    async def watch_pulses(self) -> None:
        """Log every pulse, for ever."""
        dut, count = self._dut, len(self.pulsed)
        while True:
            await RisingEdge(dut.log_valid_o)
            await ReadOnly()  # the other outputs change in the same time step
            reset, device = bool(dut.log_is_reset_o.value), int(dut.log_device_o.value)
            initial = bool(dut.log_initial_o.value)
            order = PulseOrder(reset, int(dut.log_amplitude_o.value), int(dut.log_cycles_o.value), initial)
            before = None if initial else dut.log_before_o.value.to_signed()
            after, verdict = dut.log_after_o.value.to_signed(), int(dut.log_verdict_o.value)
            time_s, number = get_sim_time("step") * 1e-12, self.pulsed[device]
            self.record.pulses.append(logged_pulse(self.job, time_s, device, number, order, before, after, verdict))
            self.pulsed[device] += 1
            self._tell(f"programming: device {device + 1} of {count}, {len(self.record.pulses)} pulses")

    async def _keep_budget(self, settings: Mapping[str, int]) -> None:
        """Write what is left of the budget as each device but the first starts.

        The log has the last pulse of the device before it by then.  The controller looks at INIT_ENABLE two clocks after it turned to the
        device, where a write takes one; at MAX_PULSES only after a read.
        """
        while True:
            await self._dut.log_device_o.value_change
            if int(self._dut.log_device_o.value):  # 0: the job is over
                limited = within_budget(settings, self.pulses_left)
                await self._configure({name: limited[name] for name in ("INIT_ENABLE", "MAX_PULSES")})

    async def program(self, settings: Mapping[str, int]) -> list[Outcome]:
        """Program all devices within the budget, some registers set otherwise; return what became of each."""
        r = {**self.job.registers, **settings}
        set_so, count = replace(self.job, registers=r), len(self.pulsed)
        await self._configure(within_budget(r, self.pulses_left))
        # a read for each confirmation besides those after pulses
        accesses = count * (r["MAX_PULSES"] + 1) * (r["CONFIRM"] + 1)
        keeper = cocotb.start_soon(self._keep_budget(r)) if self.pulses_left is not None else None
        await self.driver.program(limit_us=set_so.microseconds(accesses * set_so.access_clocks))
        if keeper:
            keeper.cancel()
        return [await self.driver.outcome(i) for i in range(count)]

    async def show(self, images: NDArray[np.int_]) -> Prediction:
        """Return the answers to 0/1 images, shape (images, pixels), which are shown one by one."""
        answers, hidden = [], self.job.layers[0].cols
        for i, image in enumerate(images):
            answers.append(await self.driver.classify(image_number(image), hidden, pixels=len(image)))
            self._tell(f"training: image {i + 1} of {len(images)}")
        self.shown_j = self._view.energy().phases["inference"]
        return Prediction(
            label=np.array([a.label for a in answers]),
            accumulator=np.array([a.accumulator for a in answers]),
            hidden=np.array([a.hidden for a in answers]),
        )
