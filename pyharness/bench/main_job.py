# SPDX-License-Identifier: BSD-3-Clause
"""The main job's cocotb testbench: program all devices through the RTL, read them back, classify the test images.

Started by :func:`pyharness.bench.runner.run_sim`; the record in the working folder is brought up to date as it goes, so
that an interrupted run leaves what was measured.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.simtime import get_sim_time
from cocotb.triggers import ReadOnly, RisingEdge

from pyharness.bench.driver import Driver, Outcome
from pyharness.bench.job import MODEL_LIBRARY, Job, build_job
from pyharness.bench.results import accuracy_of, device_result, image_number, logged_pulse, put_energy
from pyharness.bench.view import open_view
from pyharness.bench.write_verify import PulseOrder
from pyharness.config import SimConfig
from pyharness.record import Record, write_record

_SAVE_EVERY_S = 2.0


class _Bench:
    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.folder = Path.cwd()
        config = SimConfig.model_validate_json((self.folder / "job.json").read_text())
        self.job: Job = build_job(config, self.folder / MODEL_LIBRARY if config.device.target == "osdi" else None)
        self.record = Record.model_validate_json((self.folder / "results.json").read_text())
        self.driver = Driver(dut, access_limit_us=self.job.microseconds(10 * self.job.access_clocks))
        self.view = open_view(dut, self.job)
        self._saved = time.monotonic()
        self._pulsed = [0] * len(self.job.target_codes)

    def save(self, *, now: bool = False) -> None:
        """Write the record, at most every few seconds unless asked for ``now``."""
        if now or time.monotonic() - self._saved > _SAVE_EVERY_S:
            self._saved = time.monotonic()
            write_record(self.record, self.folder)

    async def watch_pulses(self) -> None:
        """Log every pulse."""
        dut, job = self.dut, self.job
        count = len(job.target_codes)
        while True:
            await RisingEdge(dut.log_valid_o)
            await ReadOnly()  # the other outputs change in the same time step
            reset, device = bool(dut.log_is_reset_o.value), int(dut.log_device_o.value)
            initial = bool(dut.log_initial_o.value)
            order = PulseOrder(reset, int(dut.log_amplitude_o.value), int(dut.log_cycles_o.value), initial)
            before = None if initial else dut.log_before_o.value.to_signed()
            after, verdict = dut.log_after_o.value.to_signed(), int(dut.log_verdict_o.value)
            time_s, number = get_sim_time("step") * 1e-12, self._pulsed[device]
            self.record.pulses.append(logged_pulse(job, time_s, device, number, order, before, after, verdict))
            self._pulsed[device] += 1
            if time.monotonic() - self._saved > _SAVE_EVERY_S:
                print(f"programming: device {device + 1} of {count}, {len(self.record.pulses)} pulses", flush=True)
            self.save()

    async def prepare(self) -> None:
        """Clock, reset, settings, then the analog side: its pins must be known when it starts."""
        job, driver = self.job, self.driver
        period_ps = round(1e12 / job.config.timing.clock_hz / 2) * 2
        Clock(self.dut.clk_i, period_ps, "ps", impl="gpi").start()
        await driver.reset()
        await driver.configure(job.registers)
        await driver.load("BIAS", job.network.bias)
        await driver.load("ACTIVATION", job.network.table)
        await driver.load("TARGET", [int(c) for c in job.target_codes])
        await self.view.start()

    async def program(self) -> list[Outcome]:
        """Program all devices; return what became of each."""
        job = self.job
        w, count = job.config.write_verify, len(job.target_codes)
        # a read for each confirmation besides those after pulses
        accesses = count * (w.max_pulses + 1) * (w.confirm + 1)
        begun = get_sim_time("step")
        await self.driver.program(limit_us=job.microseconds(accesses * job.access_clocks))
        self.record.training_time_s = (get_sim_time("step") - begun) * 1e-12
        return [await self.driver.outcome(i) for i in range(count)]

    async def read_back(self, outcomes: list[Outcome]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Read every device through the array; return the conductances."""
        devices = self.record.devices
        for i, outcome in enumerate(outcomes):
            devices.append(device_result(self.job, i, await self.driver.read_device(i), outcome.pulses, outcome.status))
        self.count_energy()
        self.save(now=True)
        return np.array([d.final_siemens for d in devices])

    async def classify(self, g_siemens: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """Classify the test images; compare each answer with the truth and with the software network."""
        job, record = self.job, self.record
        if not job.config.test.count:
            return
        expected = job.with_conductances(g_siemens).predict(job.test_images)
        total = len(job.test_images)
        for i, image in enumerate(job.test_images):
            number = image_number(image)
            answer = await self.driver.classify(number, pixels=job.images.pixels)
            record.answers.append(
                {
                    "image": number,
                    "truth": int(job.test_labels[i]),
                    "answer": answer.label,
                    "software": int(expected.label[i]),
                    "sum": answer.accumulator,
                    "software_sum": int(expected.accumulator[i]),
                }
            )
            if time.monotonic() - self._saved > _SAVE_EVERY_S:
                print(f"classifying: image {i + 1} of {total}", flush=True)
                self.count_answers()
                self.count_energy()
            self.save()
        self.count_answers()
        self.count_energy()

    def count_answers(self) -> None:
        """Bring the record's accuracy up to date."""
        self.record.accuracy = accuracy_of(self.job, self.record.answers)

    def count_energy(self) -> None:
        """Bring the record's energies up to date, and check that the meters balance.

        Raises:
            SimulationError: what the drivers deliver is not what the array takes.
        """
        energy = self.view.energy()
        put_energy(self.record, energy.phases, energy.cells)


@cocotb.test()
async def main_job(dut: Any) -> None:
    """Program, read back, classify."""
    bench = _Bench(dut)
    await bench.prepare()
    watches = [cocotb.start_soon(watch) for watch in (bench.watch_pulses(), bench.view.vary_pulses())]
    outcomes = await bench.program()
    for watch in watches:
        watch.cancel()
    found = await bench.read_back(outcomes)
    await bench.classify(found)
    bench.record.bridge = bench.view.statistics()
    bench.record.tools["array"] = bench.view.version
    if os.environ.get("PYHARNESS_LOG_EDGES"):
        rows = [(t.tick, t.analog_s, t.pin, t.to_analog, t.level) for t in bench.view.transitions()]
        (bench.folder / "edges.json").write_text(json.dumps(rows))
    await bench.view.stop()
    bench.record.status = "complete"
    bench.save(now=True)
