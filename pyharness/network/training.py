# SPDX-License-Identifier: BSD-3-Clause
"""Software training against noise: conductance targets for the array and the digital settings that go with them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from pyharness.errors import SimulationError
from pyharness.network.images import ImageSet
from pyharness.network.reference import Arithmetic, Network

__all__ = ("TrainingOptions", "train")

_TABLE = 64
_TOP = 127  # largest activation, DAC codes


@dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Attributes:
        window_siemens: lowest and highest conductance that a target may ask for.
        pixel_noise: flip probability of the training images; all images enter with their exact probability.
        conductance_error: relative standard deviation of the errors that targets are hardened against.
        restarts: random starts, the best of which is kept.
        hidden: hidden neurons.
    """

    window_siemens: tuple[float, float] = (100e-6, 400e-6)
    pixel_noise: float = 0.12
    conductance_error: float = 0.05
    restarts: int = 6
    hidden: int = 3


def _activation_table(scale_codes: float, shift: int) -> tuple[int, ...]:
    """A logistic curve over the sums that the table's 64 steps span."""
    sums = (np.arange(_TABLE) - _TABLE / 2 + 0.5) * (1 << shift)
    return tuple(int(v) for v in np.rint(_TOP / (1 + np.exp(-sums / scale_codes))))


def train(images: ImageSet, options: TrainingOptions, arithmetic: Arithmetic, rng: np.random.Generator) -> Network:
    """Return a network whose weights the array can hold.

    The float model is the hardware's: weights (G - Gref) inside the window, a logistic hidden layer, one output.  The
    loss is the cross-entropy over all images with their exact probabilities under the training noise, averaged over
    random conductance errors.  The best restart is chosen by its exact integer accuracy.

    Raises:
        SimulationError: no restart did better than guessing.
    """
    low, high = options.window_siemens
    pixels, hidden = images.pixels, options.hidden
    x = images.all_images().astype(float)
    joint = images.joint(options.pixel_noise)
    a = arithmetic
    codes_per_siemens = a.read_code * a.dac_lsb_v * a.feedback_ohm / a.adc_lsb_v  # one active row
    scale = 0.25 * (high - low) / 2 * pixels * codes_per_siemens  # sums of about a quarter of the span turn a neuron
    shift = int(np.ceil(np.log2(scale * 8 / _TABLE)))
    out_scale = 0.25 * (high - low) / 2 * hidden * codes_per_siemens
    middle, half = (low + high) / 2, (high - low) / 2
    offset = middle - a.g_ref_siemens
    n1, n2 = pixels * hidden, hidden
    draws = 4

    def unpack(p: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        w1 = np.tanh(p[:n1]).reshape(pixels, hidden) * half + offset
        w2 = np.tanh(p[n1 : n1 + n2]) * half + offset
        return w1, w2, p[n1 + n2 : n1 + n2 + hidden], p[-1:]

    def loss(
        p: NDArray[np.float64], errors: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
    ) -> tuple[float, NDArray[np.float64]]:
        w1, w2, b1, b2 = unpack(p)
        slope1 = (1 - np.tanh(p[:n1]) ** 2).reshape(pixels, hidden) * half
        slope2 = (1 - np.tanh(p[n1 : n1 + n2]) ** 2) * half
        total, gradient = 0.0, np.zeros_like(p)
        for e1, e2 in errors:
            v1, v2 = w1 + (w1 + a.g_ref_siemens) * e1, w2 + (w2 + a.g_ref_siemens) * e2
            z = (x @ v1) * codes_per_siemens / scale + b1
            h = expit(z)
            y = (h @ v2) * (_TOP / a.read_code) * codes_per_siemens / out_scale * 8 + b2
            q = expit(y)
            total -= float((joint[1] * np.log(q + 1e-12) + joint[0] * np.log(1 - q + 1e-12)).sum())
            dy = (joint[0] + joint[1]) * q - joint[1]
            k2 = (_TOP / a.read_code) * codes_per_siemens / out_scale * 8
            dh = dy[:, None] * v2 * k2 * h * (1 - h)
            gradient[:n1] += ((x.T @ dh) * codes_per_siemens / scale * (1 + e1) * slope1).ravel()
            gradient[n1 : n1 + n2] += (h.T @ dy) * k2 * (1 + e2) * slope2
            gradient[n1 + n2 : n1 + n2 + hidden] += dh.sum(0)
            gradient[-1] += dy.sum()
        return total / len(errors), gradient / len(errors)

    best: tuple[float, Network] | None = None
    for _ in range(options.restarts):
        errors = [
            (
                rng.normal(0, options.conductance_error, (pixels, hidden)),
                rng.normal(0, options.conductance_error, hidden),
            )
            for _ in range(draws)
        ]
        start = rng.normal(0, 0.7, n1 + n2 + hidden + 1)
        found = minimize(loss, start, args=(errors,), jac=True, method="L-BFGS-B", options={"maxiter": 400})
        w1, w2, b1, b2 = unpack(found.x)
        # beyond the register's range a neuron is at an end of its table for every image
        codes = np.rint([*(b1 * scale), b2[0] * out_scale / 8])
        bias = [int(b) for b in np.clip(codes, -32768, 32767)]
        network = Network(
            g1_siemens=w1 + a.g_ref_siemens,
            g2_siemens=(w2 + a.g_ref_siemens)[:, None],
            bias=tuple(bias),
            table=_activation_table(scale, shift),
            shift=shift,
            threshold=0,
            arithmetic=a,
        )
        score = images.accuracy(network.predict(images.all_images()).label, options.pixel_noise)
        if best is None or score > best[0]:
            best = (score, network)
    assert best is not None
    if best[0] < 0.6:
        raise SimulationError(
            f"training reached only {best[0]:.1%} on its own images: check patterns, window and noise"
        )
    return replace(best[1])
