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

from pyharness.bench.driver import VERDICT, Driver, Outcome
from pyharness.bench.job import MODEL_LIBRARY, Job, build_job
from pyharness.bench.view import open_view
from pyharness.config import SimConfig
from pyharness.record import Accuracy, DeviceResult, Energy, Pulse, Record, wilson_interval, write_record

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
        clock_hz = job.config.timing.clock_hz
        count = len(job.target_codes)
        while True:
            await RisingEdge(dut.log_valid_o)
            await ReadOnly()  # the other outputs change in the same time step
            reset, device = bool(dut.log_is_reset_o.value), int(dut.log_device_o.value)
            initial = bool(dut.log_initial_o.value)
            self.record.pulses.append(
                Pulse(
                    time_s=get_sim_time("step") * 1e-12,
                    device=device,
                    polarity="reset" if reset else "set",
                    amplitude_v=int(dut.log_amplitude_o.value) * job.electrics.dac_lsb_v * (-1 if reset else 1),
                    width_s=int(dut.log_cycles_o.value) / clock_hz,
                    g_before_siemens=None if initial else job.conductance(dut.log_before_o.value.to_signed()),
                    g_after_siemens=job.conductance(dut.log_after_o.value.to_signed()),
                    verdict=VERDICT[int(dut.log_verdict_o.value)],  # type: ignore[arg-type]
                    initial=initial,
                    parameters=job.cycles.values(device, self._pulsed[device]) if job.cycles else {},
                )
            )
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
        job = self.job
        found = []
        for i, (cell, outcome) in enumerate(zip(job.array.cells, outcomes, strict=True)):
            g, target = job.conductance(await self.driver.read_device(i)), float(job.targets_siemens[i])
            found.append(g)
            self.record.devices.append(
                DeviceResult(
                    layer=cell.layer,
                    row=cell.row,
                    col=cell.col,
                    target_siemens=target,
                    final_siemens=g,
                    error_rel=g / target - 1,
                    pulses=outcome.pulses,
                    status=outcome.status,
                    energy_j=0.0,
                )
            )
        self.count_energy()
        self.save(now=True)
        return np.array(found)

    async def classify(self, g_siemens: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """Classify the test images; compare each answer with the truth and with the software network."""
        job, record = self.job, self.record
        if not job.config.test.count:
            return
        expected = job.with_conductances(g_siemens).predict(job.test_images)
        total = len(job.test_images)
        for i, image in enumerate(job.test_images):
            answer = await self.driver.classify(int((image << np.arange(len(image))).sum()))
            record.answers.append(
                {
                    "image": int((image << np.arange(len(image))).sum()),
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
        answers, noise = self.record.answers, self.job.config.test.pixel_noise
        correct = sum(a["answer"] == a["truth"] for a in answers)
        low, high = wilson_interval(correct, len(answers))
        self.record.accuracy = Accuracy(
            correct=correct,
            total=len(answers),
            value=correct / len(answers),
            ci95_low=low,
            ci95_high=high,
            bayes_limit=self.job.images.bayes_accuracy(noise),
            agree_with_software=sum(a["answer"] == a["software"] for a in answers),
        )

    def count_energy(self) -> None:
        """Bring the record's energies up to date, and check that the meters balance.

        Raises:
            SimulationError: what the drivers deliver is not what the array takes.
        """
        energy = self.view.energy()
        self.record.energy_j = Energy(
            **{name: value for name, value in energy.phases.items() if name != "idle"},
            total=sum(energy.phases.values()),
            devices=sum(energy.cells),
        )
        for device, taken_j in zip(self.record.devices, energy.cells, strict=False):
            device.energy_j = taken_j


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
