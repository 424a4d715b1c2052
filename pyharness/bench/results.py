# SPDX-License-Identifier: BSD-3-Clause
"""From what a job measured to the parts of its record; the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyharness.bench.driver import VERDICT, Answer
from pyharness.bench.job import Job
from pyharness.bench.write_verify import PulseOrder
from pyharness.record import Accuracy, DeviceResult, Energy, Pulse, Record, wilson_interval

__all__ = ("accuracy_of", "class_of", "device_result", "image_number", "logged_pulse", "put_energy")


def logged_pulse(
    job: Job, time_s: float, device: int, number: int, order: PulseOrder, before: int | None, after: int, verdict: int
) -> Pulse:
    """Return a pulse's entry: number ``number`` (from 0) of the device, verify codes before (None: not read) and after it."""
    return Pulse(
        time_s=time_s,
        device=device,
        polarity="reset" if order.is_reset else "set",
        amplitude_v=job.source_v(order),
        width_s=order.cycles / job.config.timing.clock_hz,
        g_before_siemens=None if before is None else job.conductance(device, before),
        g_after_siemens=job.conductance(device, after),
        verdict=VERDICT[verdict],  # type: ignore[arg-type]
        initial=order.initial,
        parameters=job.drawn(device, number),
    )


def device_result(job: Job, device: int, code: int, pulses: int, status: str) -> DeviceResult:
    """Return a device's entry, ``code`` read back; its energy is not known yet."""
    g, target = job.conductance(device, code), float(job.targets_siemens[device])
    layer, row, col = job.cells[device]
    return DeviceResult(
        layer=layer,
        row=row,
        col=col,
        target_siemens=target,
        final_siemens=g,
        error_rel=g / target - 1,
        pulses=pulses,
        status=status,
        energy_j=0.0,
    )


def image_number(image: NDArray[np.int_]) -> int:
    """Return the image as bits, pixel i in bit i."""
    return sum(int(bit) << i for i, bit in enumerate(image))  # of any length: NumPy's integers end at 63 pixels


def class_of(job: Job, answer: Answer) -> int:
    """Return the class that the host takes the controller's answer for: see :attr:`Network.readout`."""
    return answer.hidden.index(max(answer.hidden)) if job.network.readout == "largest" else answer.label


def accuracy_of(job: Job, answers: Sequence[Mapping[str, int]]) -> Accuracy:
    """Return the accuracy over the record's ``answers``, at least one."""
    correct = sum(a["answer"] == a["truth"] for a in answers)
    low, high = wilson_interval(correct, len(answers))
    return Accuracy(
        correct=correct,
        total=len(answers),
        value=correct / len(answers),
        ci95_low=low,
        ci95_high=high,
        bayes_limit=job.images.bayes_accuracy(job.config.test.pixel_noise, job.test_images),
        agree_with_software=sum(a["answer"] == a["software"] for a in answers),
    )


def put_energy(record: Record, supply_j: Mapping[str, float], taken_j: Sequence[float]) -> None:
    """Bring the record's energies up to date: from the drivers by phase, and into each device."""
    phases: dict[str, Any] = {name: value for name, value in supply_j.items() if name != "idle"}
    record.energy_j = Energy(**phases, total=sum(supply_j.values()), devices=sum(taken_j))
    for device, energy_j in zip(record.devices, taken_j, strict=False):  # not all may have been read back yet
        device.energy_j = energy_j
