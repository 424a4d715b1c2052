# SPDX-License-Identifier: BSD-3-Clause
"""The result record: ``results.json``, its schema, and how it is written without ever losing an older one."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pyharness.files import replace_file

__all__ = (
    "Accuracy",
    "DeviceResult",
    "Energy",
    "Pulse",
    "Record",
    "SoftwareAccuracy",
    "TrainingRound",
    "VariationResult",
    "peripheral_training_j",
    "wilson_interval",
    "write_record",
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DeviceResult(_Part):
    """One device: targets and finals in siemens as the array reads them, relative error, pulses, status."""

    layer: int
    row: int
    col: int
    target_siemens: float
    final_siemens: float
    error_rel: float
    pulses: int
    status: str
    energy_j: float


class Pulse(_Part):
    """One pulse of the log, with the conductance read before and after it, and what the controller made of that.

    ``initial``: the initial RESET, which nothing was read before.
    ``parameters``: those of the device's that variation from pulse to pulse has drawn for it.
    """

    time_s: float
    device: int
    polarity: Literal["set", "reset"]
    amplitude_v: float
    width_s: float
    g_before_siemens: float | None
    g_after_siemens: float
    verdict: Literal["below", "reached", "above", "given_up", "stuck_low", "stuck_high"]
    initial: bool = False
    parameters: dict[str, float] = {}


class Energy(_Part):
    """Energy from the row and reference drivers (devices, switches, compliance resistors, drivers), by phase.

    ``devices`` is the part that the memristors themselves take.  Images of training are reads: ``verify``.  Amplifiers, converters and logic are not included.
    """

    reset: float
    write: float
    verify: float
    inference: float
    total: float
    devices: float


class Accuracy(_Part):
    """Co-simulated classification against the truth; 95 % Wilson interval; what the best classifier reaches, where that is known."""

    correct: int
    total: int
    value: float
    ci95_low: float
    ci95_high: float
    bayes_limit: float | None
    agree_with_software: int


class SoftwareAccuracy(_Part):
    """What software makes of the same test images of a data set, of which no limit is known.

    ``network``: the integer network with the conductances it was trained to, no errors of programming or devices.
    ``logistic_regression``: multinomial, in floating point, trained with the same images, shown as often with as many flipped pixels.
    """

    network: float
    logistic_regression: float


class VariationResult(_Part):
    """Scatter of the run: the card's spreads, by which every sigma was multiplied, and each device's own parameters.

    ``spread``: kind (``device_to_device``, ``cycle_to_cycle``) -> parameter -> distribution, sigma, unit, source, of the
    kinds that were on.  ``devices`` are in the array's order.  Parameters of the pulses stand with these.
    """

    scale: float
    spread: dict[str, dict[str, dict[str, Any]]]
    devices: list[dict[str, float]]


class TrainingRound(_Part):
    """What the array's answers were worth when a round of training on the chip began; the last one: when training ended.

    ``pulses``, ``time_s``: spent since the start; ``loss``: cross-entropy, in nats, and ``accuracy``, both at the training noise.
    """

    pulses: int
    time_s: float
    loss: float
    accuracy: float


class Record(_Part):
    """The result of a run, schema version 1.  SI units throughout.

    ``message``: why the run ended early, where that is known; None of a complete one.
    ``network``: of the controller (biases, activation table, shift, threshold, readout), the noise that it was trained with, and of the
    array: ``layers`` (rows and columns of each) and ``targets_siemens`` (of each device, as training began).
    """

    schema_version: Literal[1] = 1
    status: Literal["complete", "interrupted"] = "interrupted"
    message: str | None = None
    seed: int
    engine: str
    tools: dict[str, str]
    command: str
    config: dict[str, Any]
    devices: list[DeviceResult] = []
    pulses: list[Pulse] = []
    training_time_s: float | None = None
    energy_j: Energy | None = None
    accuracy: Accuracy | None = None
    software: SoftwareAccuracy | None = None
    network: dict[str, Any] = {}
    variation: VariationResult | None = None
    answers: list[dict[str, int]] = []
    rounds: list[TrainingRound] = []
    bridge: dict[str, float] = {}
    wall_s: float = 0.0
    cpu_s: float = 0.0


def peripheral_training_j(record: Record) -> float | None:
    """Return what the configuration's ``peripheral`` powers come to over the training time; None where one is not known.

    Rows are those of the layers, with a reference row of each; columns those of the layers.
    """
    assumed, layers = record.config.get("peripheral"), record.network.get("layers")
    if assumed is None or layers is None or record.training_time_s is None:
        return None
    rows, columns = (sum(sizes) for sizes in zip(*layers, strict=True))
    rows += len(layers)
    power_w = rows * assumed["row_w"] + columns * assumed["column_w"] + assumed["logic_w"]
    return float(power_w * record.training_time_s)


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion; (0, 1) when nothing was counted."""
    if total == 0:
        return 0.0, 1.0
    z, p = 1.959963984540054, correct / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    # rounding must not leave the proportion itself outside: of 60 in 60 the upper end came out as 1 - 2e-16
    return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))


def write_record(record: Record, folder: Path) -> Path:
    """Write ``results.json`` in ``folder`` in one step: a reader sees the old or the new one, never half of one."""
    return replace_file(folder / "results.json", record.model_dump_json(indent=1))
