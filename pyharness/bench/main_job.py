# SPDX-License-Identifier: BSD-3-Clause
"""The main job's cocotb testbench: train the array through the RTL, read it back, classify the test images.

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

from pyharness.bench.driver import Outcome
from pyharness.bench.job import MODEL_LIBRARY, build_job
from pyharness.bench.methods import train
from pyharness.bench.progress import log_told
from pyharness.bench.results import accuracy_of, class_of, device_result, image_number, put_energy
from pyharness.bench.rtl_chip import RtlChip
from pyharness.bench.view import open_view
from pyharness.config import SimConfig
from pyharness.record import Record, write_record

_SAVE_EVERY_S = 2.0


class _Bench:
    def __init__(self, dut: Any) -> None:
        self.folder = Path.cwd()
        config = SimConfig.model_validate_json((self.folder / "job.json").read_text())
        with log_told():
            job = build_job(config, self.folder / MODEL_LIBRARY if config.device.target == "osdi" else None)
        self.record = Record.model_validate_json((self.folder / "results.json").read_text())
        self.view = open_view(dut, job)
        self.chip = RtlChip(dut, job, self.record, self.view, self.tell)
        self._saved = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to write the record again."""
        return time.monotonic() - self._saved > _SAVE_EVERY_S

    def save(self) -> None:
        """Write the record."""
        self._saved = time.monotonic()
        write_record(self.record, self.folder)

    def tell(self, line: str) -> None:
        """Print how far the job is, and write the record, every few seconds."""
        if self.due:
            print(line, flush=True)
            self.save()

    async def train(self) -> list[Outcome]:
        """Program all devices and train on as the configuration says; return what became of each."""
        watches = [cocotb.start_soon(watch) for watch in (self.chip.watch_pulses(), self.view.vary_pulses())]
        outcomes = await train(self.chip)
        for watch in watches:
            watch.cancel()
        self.record.training_time_s = self.chip.time_s
        self.record.network["bias"] = list(self.chip.job.network.bias)
        return outcomes

    async def read_back(self, outcomes: list[Outcome]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Read every device through the array; return the conductances."""
        chip, devices = self.chip, self.record.devices
        for i, outcome in enumerate(outcomes):
            code = await chip.driver.read_device(i)
            devices.append(device_result(chip.job, i, code, chip.pulsed[i], outcome.status))
        self.count_energy()
        self.save()
        return np.array([d.final_siemens for d in devices])

    async def classify(self, g_siemens: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """Classify the test images; compare each answer with the truth and with the software network."""
        job, record = self.chip.job, self.record
        if not job.config.test.count:
            return
        expected = job.with_conductances(g_siemens).predict(job.test_images)
        total = len(job.test_images)
        for i, image in enumerate(job.test_images):
            number = image_number(image)
            answer = await self.chip.driver.classify(number, job.layers[0].cols, pixels=job.images.pixels)
            record.answers.append(
                {
                    "image": number,
                    "truth": int(job.test_labels[i]),
                    "answer": class_of(job, answer),
                    "software": int(expected.label[i]),
                    "sum": answer.accumulator,
                    "software_sum": int(expected.accumulator[i]),
                }
            )
            if self.due:
                self.count_answers()
                self.count_energy()
            self.tell(f"classifying: image {i + 1} of {total}")
        self.count_answers()
        self.count_energy()

    def count_answers(self) -> None:
        """Bring the record's accuracy up to date."""
        self.record.accuracy = accuracy_of(self.chip.job, self.record.answers)

    def count_energy(self) -> None:
        """Bring the record's energies up to date, and check that the meters balance; images of training count as reads.

        Raises:
            SimulationError: what the drivers deliver is not what the array takes.
        """
        energy, shown_j = self.view.energy(), self.chip.shown_j
        phases = energy.phases | {
            "verify": energy.phases["verify"] + shown_j,
            "inference": energy.phases["inference"] - shown_j,
        }
        put_energy(self.record, phases, energy.cells)


@cocotb.test()
async def main_job(dut: Any) -> None:
    """Train, read back, classify; whatever ends it, the record is written."""
    bench = _Bench(dut)
    try:
        await bench.chip.prepare()
        await bench.view.start()  # last: its pins must be known
        found = await bench.read_back(await bench.train())
        await bench.classify(found)
        bench.record.bridge = bench.view.statistics()
        bench.record.tools["array"] = bench.view.version
        if os.environ.get("PYHARNESS_LOG_EDGES"):
            rows = [(t.tick, t.analog_s, t.pin, t.to_analog, t.level) for t in bench.view.transitions()]
            (bench.folder / "edges.json").write_text(json.dumps(rows))
        await bench.view.stop()
        bench.record.status = "complete"
    finally:
        bench.save()
