# SPDX-License-Identifier: BSD-3-Clause
"""The main job without a simulator: the controller's algorithm and clock counts on the array of numpy_array.py."""

from __future__ import annotations

import math
import time
from collections.abc import Coroutine, Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pyharness.bench.driver import STATUS, Outcome
from pyharness.bench.job import Job
from pyharness.bench.methods import train
from pyharness.bench.numpy_array import NumpyArray
from pyharness.bench.on_chip import Chip, within_budget
from pyharness.bench.results import accuracy_of, device_result, image_number, logged_pulse, put_energy
from pyharness.bench.write_verify import STATUS_OF, Judgement, PulseOrder, WriteVerify
from pyharness.errors import RunTimeoutError
from pyharness.network.reference import Prediction
from pyharness.progress import tell
from pyharness.record import Record

__all__ = ("run_numpy",)

# clocks of hdl/README.md, "Clock by clock"
_FIRST_ACCESS, _AFTER_PULSE, _AFTER_READ, _NEXT_DEVICE, _AFTER_LAST = 5, 2, 3, 6, 4
_FIRST_ROW, _AFTER_IMAGE = 2, 1
_IMAGES_AT_ONCE = 256
_T = TypeVar("_T")


class _Run(Chip):
    """Array and controller."""

    def __init__(self, job: Job, record: Record, limit_s: float) -> None:
        self.job, self.record = job, record
        self.limit_s, self.until = limit_s, time.monotonic() + limit_s
        r = job.registers
        self.period_s = 1 / job.config.timing.clock_hz
        self.guard = max(1, r["GUARD"])
        self.driven = max(1, r["SETTLE"]) + 1 + 12 * max(1, r["BIT_CYCLES"]) + 1
        self.clock = 0
        self.rounds = record.rounds
        self.pulsed = [0] * len(job.target_codes)
        self.array = NumpyArray(job.device, job.electrics, job.layers, job.parameters, job.start_fractions)

    def seconds(self, clocks: int) -> float:
        return clocks * self.period_s

    def pulse(self, cell: int, order: PulseOrder, number: int) -> None:
        """One access that writes."""
        job, width = self.job, max(1, order.cycles)
        source_v = job.source_v(order)
        self.clock += self.guard
        self.array.pulse(cell, source_v, self.seconds(self.clock), self.seconds(width), job.drawn(cell, number))
        self.clock += width + 1 + self.guard + _AFTER_PULSE

    def read(self, cell: int) -> int:
        """One access that reads."""
        read_v = self.job.registers["READ_CODE"] * self.job.electrics.dac_lsb_v
        self.clock += self.guard
        code = self.array.read(cell, read_v, self.seconds(self.clock), self.seconds(self.driven))
        self.clock += self.driven + self.guard + _AFTER_READ
        return code

    def log(self, cell: int, order: PulseOrder, number: int, before: int, after: int, judged: Judgement) -> None:
        pulse = logged_pulse(
            self.job,
            self.seconds(self.clock),
            cell,
            number,
            order,
            None if order.initial else before,
            after,
            judged.verdict,
        )
        self.record.pulses.append(pulse)

    @property
    def time_s(self) -> float:
        return self.seconds(self.clock)

    async def load(self, job: Job) -> None:
        self.job = job

    def program_one(self, cell: int, settings: Mapping[str, int]) -> Outcome:
        """Write-verify of one device."""
        device = WriteVerify(int(self.job.target_codes[cell]))
        order = device.start(settings)
        while True:
            number = self.pulsed[cell]
            if order:
                self.pulse(cell, order, number)
                self.pulsed[cell] += 1
            code, before = self.read(cell), device.before
            if time.monotonic() > self.until:
                raise RunTimeoutError(f"the run took longer than {self.limit_s:g} s: raise its limit")
            judged = device.judge(code, settings)
            if order:
                self.log(cell, order, number, before, code, judged)
            if judged.over:
                return Outcome(code, device.pulses, STATUS[STATUS_OF[judged.verdict]])
            order = judged.pulse

    async def program(self, settings: Mapping[str, int]) -> list[Outcome]:
        settings = {**self.job.registers, **settings}
        self.clock += _FIRST_ACCESS
        outcomes = []
        for cell in range(len(self.job.target_codes)):
            tell("programming", cell, len(self.job.target_codes))
            outcomes.append(self.program_one(cell, within_budget(settings, self.pulses_left)))
            self.clock += _NEXT_DEVICE - _AFTER_READ
        self.clock += _AFTER_LAST - _NEXT_DEVICE
        return outcomes

    async def show(self, images: NDArray[np.int_]) -> Prediction:
        """Images of training: what they take counts as reads."""
        answers, energy_j = self.answers(images)
        total_j = energy_j.sum(0)
        self.array.supply_j["verify"] += float(total_j[0])
        self.array.device_j += total_j[1:]
        self.clock += len(images) * (_FIRST_ROW + 2 * (self.guard + self.driven) + 1 + _AFTER_IMAGE)
        return answers

    def train(self) -> list[Outcome]:
        outcomes = _result(train(self))
        self.record.training_time_s = self.time_s
        return outcomes

    def read_back(self, outcomes: list[Outcome]) -> NDArray[np.float64]:
        devices = self.record.devices
        for i, outcome in enumerate(outcomes):
            devices.append(device_result(self.job, i, self.read(i), self.pulsed[i], outcome.status))
        return np.array([d.final_siemens for d in devices])

    def answers(self, images: NDArray[np.int_]) -> tuple[Prediction, NDArray[np.float64]]:
        """Return what array and neurons make of 0/1 images, and the energies of each: from the drivers, into each device."""
        starts = range(0, len(images), _IMAGES_AT_ONCE)
        answers, energies = zip(*(self._answers_at_once(images[i : i + _IMAGES_AT_ONCE]) for i in starts), strict=True)
        joined = (np.concatenate([getattr(a, f.name) for a in answers]) for f in fields(Prediction))
        return Prediction(*joined), np.concatenate(energies)

    def _answers_at_once(self, images: NDArray[np.int_]) -> tuple[Prediction, NDArray[np.float64]]:
        network, array = self.job.network, self.array
        first = array.inference(0, images * self.job.registers["READ_CODE"])
        hidden = network.activations(array.convert(first.out_v))
        second = array.inference(1, hidden)
        power_w = np.column_stack([first.supply_w + second.supply_w, first.device_w, second.device_w])
        return network.decide(hidden, array.convert(second.out_v)), power_w * self.seconds(self.driven)

    def classify(self, g_siemens: NDArray[np.float64]) -> None:
        job, record = self.job, self.record
        if not job.config.test.count:
            return
        images, which = np.unique(job.test_images, axis=0, return_inverse=True)
        answers, energies_j = self.answers(images)
        labels, sums = answers.label[which], answers.accumulator[which]
        energy_j = energies_j[which].sum(0)
        self.array.supply_j["inference"] += float(energy_j[0])
        self.array.device_j += energy_j[1:]
        expected = job.with_conductances(g_siemens).predict(images)
        numbers = [image_number(image) for image in images]
        record.answers = [
            {
                "image": numbers[k],
                "truth": int(truth),
                "answer": int(label),
                "software": int(expected.label[k]),
                "sum": int(total),
                "software_sum": int(expected.accumulator[k]),
            }
            for k, truth, label, total in zip(which, job.test_labels, labels, sums, strict=True)
        ]
        record.accuracy = accuracy_of(job, record.answers)

    def label_all(self) -> NDArray[np.int_]:
        shown = self.job.shown
        return np.array([], int) if shown is None else self.answers(shown.all_images())[0].label

    def count_energy(self) -> None:
        put_energy(self.record, self.array.supply_j, self.array.device_j.tolist())


def _result(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Return what a coroutine that waits for nothing comes to: this chip answers at once."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result
    raise AssertionError("a chip without a simulator has nothing to wait for")


def run_numpy(job: Job, record: Record, limit_s: float = math.inf) -> NDArray[np.int_]:
    """Program all devices, train on as the configuration says, read them back, classify the test images; fill ``record``.

    The record's times count from the program command; accesses to registers take none.  Returns the class of every possible image, in
    their order, with which the accuracy is known exactly, whatever the noise; empty where not all can be shown (:attr:`Job.shown`).

    Raises:
        SimulationError: a device or a layer has no solution.
        RunTimeoutError: programming takes longer than ``limit_s`` of this machine's time.
        VerilogAError: the model has not two ports and one state.
    """
    run = _Run(job, record, limit_s)
    run.classify(run.read_back(run.train()))
    if record.network:
        record.network["bias"] = list(run.job.network.bias)
    run.count_energy()
    record.status = "complete"
    return run.label_all()
