# SPDX-License-Identifier: BSD-3-Clause
"""Training on the chip: what it needs of an engine, and what the array's answers say.

The hardware's forward pass takes the model's place: what its sums have beyond the model's is added to them, so that the model
answers as the array does, and its derivatives hold for small changes of conductances and biases (straight through converters and
activation table).  Everything used is something that the controller tells: hidden activations, output sums, last codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from pyharness.bench.driver import Outcome
from pyharness.bench.job import Job
from pyharness.bench.trained import training_options
from pyharness.network.images import one_hot
from pyharness.network.reference import Prediction
from pyharness.network.training import Scales, cross_entropy
from pyharness.record import TrainingRound

__all__ = ("Chip", "Observation", "observe", "training_rng", "tuned_biases", "with_biases", "within_budget")

Floats = NDArray[np.float64]
_STREAM = 5  # of the seed: build_job takes those before it


class Chip(Protocol):
    """An array with its controller.

    Its commands are coroutines: what computes the array may have to wait for a simulator, and then the methods wait with it.
    ``job``: what the registers hold; ``rounds``: where :func:`observe` puts what it saw; ``pulsed``: pulses that each device got.
    """

    job: Job
    rounds: list[TrainingRound]
    pulsed: list[int]

    @property
    def pulses(self) -> int:
        """Pulses that the array got."""
        return sum(self.pulsed)

    @property
    def pulses_left(self) -> int | None:
        """What they leave of the budget; None: no budget."""
        budget = self.job.config.training.pulse_budget
        return None if budget is None else max(0, budget - self.pulses)

    @property
    def time_s(self) -> float:
        """Time that commands took; accesses to registers take none."""

    async def load(self, job: Job) -> None:
        """Write biases and target codes of ``job``."""

    async def program(self, settings: Mapping[str, int]) -> list[Outcome]:
        """Program all devices within the budget, some registers set otherwise; return what became of each."""

    async def show(self, images: NDArray[np.int_]) -> Prediction:
        """Return the answers to 0/1 images, shape (images, pixels)."""


def within_budget(settings: Mapping[str, int], left: int | None) -> dict[str, int]:
    """Return the registers of a device that starts when ``left`` pulses are left (None: any number): these are its limit."""
    if left is None:
        return dict(settings)
    limit = min(settings["MAX_PULSES"], left)
    return {**settings, "MAX_PULSES": limit, "INIT_ENABLE": settings["INIT_ENABLE"] & (left > 0)}


@dataclass(frozen=True)
class Observation:
    """The array's answers as offsets of the model's sums: see :func:`pyharness.network.training.cross_entropy`.

    Attributes:
        scales: units of the model.
        x, joint: images, shape (images, pixels), and the probability of (class, image), shape (2, images).
        weights: of the model, from the last codes of the devices, and the biases.
        offsets: what the array's sums have beyond the model's.
        g_siemens: conductances that ``weights`` came from, in the array's order.
    """

    scales: Scales
    x: Floats
    joint: Floats
    weights: tuple[Floats, Floats, Floats, Floats]
    offsets: tuple[Floats, Floats]
    g_siemens: Floats

    def loss(self, change_siemens: Floats, b1: Floats, b2: Floats) -> tuple[float, Floats, Floats]:
        """Return the cross-entropy after a change of conductances, with other biases, and its derivatives.

        Args:
            change_siemens: in the array's order.
            b1, b2: biases in the model's units, shapes (hidden,) and (1,).

        Returns:
            nats; derivatives by conductance, in the array's order, in nats per siemens; by bias, hidden neurons then output.
        """
        w1, w2, *_ = self.weights
        first = w1.size
        changed = (w1 + change_siemens[:first].reshape(w1.shape), w2 + change_siemens[first:], b1, b2)
        value, (by_w1, by_w2, by_b1, by_b2) = cross_entropy(self.x, self.joint, changed, self.scales, self.offsets)
        return value, np.concatenate([by_w1.ravel(), by_w2]), np.concatenate([by_b1, by_b2])


def training_rng(job: Job) -> np.random.Generator:
    """Return the random numbers of training on the chip."""
    return np.random.default_rng(np.random.SeedSequence(job.config.seed, spawn_key=(_STREAM,)))


def _training_images(job: Job, rng: np.random.Generator) -> tuple[NDArray[np.int_], Floats]:
    """Return a round's images and the probability of (class, image): all with their own, or drawn ones with equal shares."""
    samples, noise = job.config.training.samples, job.training.pixel_noise
    if samples is None:
        assert job.shown is not None  # build_job asks for samples otherwise
        return job.shown.all_images(), job.shown.joint(noise)
    images, labels = job.images.sample_training(samples, noise, rng)
    return images, one_hot(labels, job.images.classes)


def _sums_of(activations: NDArray[np.int_], job: Job) -> tuple[Floats, Floats]:
    """Return the lowest and the highest sum, in codes, that the table answers with each activation."""
    table = np.array(job.network.table)
    first, last = np.searchsorted(table, activations), np.searchsorted(table, activations, "right")
    low, high = (((index - len(table) // 2) << job.network.shift).astype(float) for index in (first, last))
    return np.where(first == 0, -np.inf, low), np.where(last == len(table), np.inf, high)


async def observe(chip: Chip, outcomes: list[Outcome], rng: np.random.Generator) -> Observation:
    """Let the array answer a round's images."""
    job = chip.job
    bits, joint = _training_images(job, rng)
    seen = await chip.show(bits)
    scales = Scales.of(training_options(job.config), job.images.pixels, job.network.arithmetic)
    # errors of the programming are unknown: the codes are taken for what was asked for
    g = np.array([job.conductance(i, o.code) for i, o in enumerate(outcomes)]) / job.programming_factor
    first = job.layers[0].rows * job.layers[0].cols
    weights = g - scales.g_ref_siemens
    w1, w2 = weights[:first].reshape(job.layers[0].rows, -1), weights[first:]
    b1, b2 = scales.biases(job.network.bias)
    x = bits.astype(float)
    z = scales.hidden_sums(x, w1, b1)
    low, high = _sums_of(seen.hidden, job)
    beyond = np.clip(z, low / scales.sum_codes, high / scales.sum_codes) - z
    y = scales.output_sum(expit(z + beyond), w2, b2)
    offsets = (beyond, seen.accumulator * 8 / scales.out_codes - y)
    found = Observation(scales, x, joint, (w1, w2, b1, b2), offsets, g)
    accuracy = float(joint[seen.label, np.arange(len(bits))].sum())
    loss, *_ = found.loss(np.zeros_like(g), b1, b2)
    chip.rounds.append(TrainingRound(pulses=chip.pulses, time_s=chip.time_s, loss=loss, accuracy=accuracy))
    return found


def tuned_biases(seen: Observation) -> tuple[Floats, Floats]:
    """Return the biases that suit the observed array best: registers, which cost no pulse."""
    _, _, b1, b2 = seen.weights
    still = np.zeros_like(seen.g_siemens)

    def loss(b: Floats) -> tuple[float, Floats]:
        value, _, by_biases = seen.loss(still, b[:-1], b[-1:])
        return value, by_biases

    found = minimize(loss, np.concatenate([b1, b2]), jac=True, method="L-BFGS-B").x
    return found[:-1], found[-1:]


def with_biases(job: Job, scales: Scales, b1: Floats, b2: Floats) -> Job:
    """Return the job with other biases in its registers."""
    return replace(job, network=replace(job.network, bias=scales.registers(b1, b2)))
