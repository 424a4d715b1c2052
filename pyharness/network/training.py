# SPDX-License-Identifier: BSD-3-Clause
"""Software training against noise: conductance targets for the array and the digital settings that go with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from pyharness.errors import SimulationError
from pyharness.network.images import Images, expected_accuracy
from pyharness.network.reference import TABLE, Arithmetic, Network
from pyharness.progress import tell

__all__ = ("TRAINING", "Scales", "TrainingOptions", "cross_entropy", "gain", "train", "untrained")

TRAINING = "training in software"
"""Its name where it is told how far it is."""
_TOP = 127  # largest activation, DAC codes
_DRAWS = 4  # of conductance errors, and of images where not every possible one is taken
_FIXED_SHARES = (0.5, 0.75, 0.875, 1.0)  # of the devices, on their levels after each step: Zhou et al., ICLR 2017

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Attributes:
        window_siemens: lowest and highest conductance that a target may ask for.
        pixel_noise: flip probability of the training images.
        conductance_error: relative standard deviation of the errors that targets are hardened against.
        restarts: random starts, the best of which is kept.
        hidden: hidden neurons.
        levels: targets are on so many equally spaced conductances, the window's ends among them; None: anywhere.  Devices are fixed
            to their level by and by, those nearest to one first, and the others are trained again each time.
        gain_limit: largest :func:`gain` of each layer, 0 .. 1; None: no limit.  What errors of a layer's input can do to its
            output is bounded by it (error suppression: Eldebiky et al., DATE 2023).  A device's own error goes with its conductance,
            not with its weight: against those a limit makes things worse (configs/methods.yaml).
    """

    window_siemens: tuple[float, float] = (100e-6, 400e-6)
    pixel_noise: float = 0.12
    conductance_error: float = 0.05
    restarts: int = 6
    hidden: int = 3
    levels: int | None = None
    gain_limit: float | None = None


@dataclass(frozen=True)
class Scales:
    """How the float model's units follow from the hardware's: sums in units of ``sum_codes``, the output's in ``out_codes / 8``.

    Attributes:
        read_code: row code of an active pixel.
        g_ref_siemens: a weight is a conductance less this one.
        codes_per_siemens: ADC codes of one active row.
        sum_codes: unit of the hidden neurons' sums, whose activation is the logistic function.
        out_codes: eight units of the output neuron's sum, whose logistic function is the probability of class 1.
        shift: of the activation table, so that it spans the sums.
    """

    read_code: int
    g_ref_siemens: float
    codes_per_siemens: float
    sum_codes: float
    out_codes: float
    shift: int

    @classmethod
    def of(cls, options: TrainingOptions, pixels: int, arithmetic: Arithmetic) -> Scales:
        """Return the scales: sums of about a quarter of the span that the window allows turn a neuron."""
        low, high = options.window_siemens
        a = arithmetic
        codes_per_siemens = a.read_code * a.dac_lsb_v * a.feedback_ohm / a.adc_lsb_v
        scale = 0.25 * (high - low) / 2 * pixels * codes_per_siemens
        shift = int(np.ceil(np.log2(scale * 8 / TABLE)))
        out_scale = 0.25 * (high - low) / 2 * options.hidden * codes_per_siemens
        return cls(a.read_code, a.g_ref_siemens, codes_per_siemens, scale, out_scale, shift)

    def hidden_sums(self, x: Floats, w1: Floats, b1: Floats) -> Floats:
        """Return the hidden neurons' sums for images of shape (images, pixels), weights in siemens."""
        sums: Floats = (x @ w1) * self.codes_per_siemens / self.sum_codes + b1
        return sums

    def output_sum(self, h: Floats, w2: Floats, b2: Floats) -> Floats:
        """Return the output neuron's sum for activations 0 .. 1 of shape (images, hidden), weights in siemens."""
        total: Floats = (h @ w2) * (_TOP / self.read_code) * self.codes_per_siemens / self.out_codes * 8 + b2
        return total

    def registers(self, b1: Floats, b2: Floats) -> tuple[int, ...]:
        """Return the bias registers of float biases, hidden neurons then the output neuron.

        Beyond the registers' range a neuron is at an end of its table for every image.
        """
        codes = np.rint([*(b1 * self.sum_codes), b2[0] * self.out_codes / 8])
        return tuple(int(b) for b in np.clip(codes, -32768, 32767))

    def biases(self, registers: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Return the float biases of the registers, shapes (hidden,) and (1,)."""
        b = np.array(registers, float)
        return b[:-1] / self.sum_codes, b[-1:] * 8 / self.out_codes

    def activation_table(self) -> tuple[int, ...]:
        """Return a logistic curve over the sums that the table's 64 steps span."""
        sums = (np.arange(TABLE) - TABLE / 2 + 0.5) * (1 << self.shift)
        return tuple(int(v) for v in np.rint(_TOP / (1 + np.exp(-sums / self.sum_codes))))


def cross_entropy(
    x: Floats,
    joint: Floats,
    weights: tuple[Floats, Floats, Floats, Floats],
    scales: Scales,
    offsets: tuple[Floats | float, Floats | float] = (0.0, 0.0),
) -> tuple[float, tuple[Floats, Floats, Floats, Floats]]:
    """Return the cross-entropy of the float model over images, and its gradient.

    Args:
        x: 0/1 images, shape (images, pixels).
        joint: probability of (class, image), shape (2, images).
        weights: of both layers, in siemens, shapes (pixels, hidden) and (hidden,), and biases, shapes (hidden,) and (1,).
        scales: units.
        offsets: what the hardware's sums have beyond the model's, in the model's units, shapes (images, hidden) and (images,).

    Returns:
        the cross-entropy in nats, and its derivatives by each of ``weights``.
    """
    w1, w2, b1, b2 = weights
    s = scales
    h = expit(s.hidden_sums(x, w1, b1) + offsets[0])
    q = expit(s.output_sum(h, w2, b2) + offsets[1])
    loss = -float((joint[1] * np.log(q + 1e-12) + joint[0] * np.log(1 - q + 1e-12)).sum())
    dy = (joint[0] + joint[1]) * q - joint[1]
    k2 = (_TOP / s.read_code) * s.codes_per_siemens / s.out_codes * 8
    dh = dy[:, None] * w2 * k2 * h * (1 - h)
    by_w1 = (x.T @ dh) * s.codes_per_siemens / s.sum_codes
    return loss, (by_w1, (h.T @ dy) * k2, dh.sum(0), np.array([dy.sum()]))


def _largest_norm(shape: tuple[int, ...], window_siemens: tuple[float, float], g_ref_siemens: float) -> float:
    return float(np.abs(np.array(window_siemens) - g_ref_siemens).max() * np.sqrt(np.prod(shape)))


def gain(g_siemens: Floats, window_siemens: tuple[float, float], g_ref_siemens: float) -> float:
    """Return the spectral norm of a layer's weights (G - Gref), as a share of the largest one in the window, 0 .. 1.

    1: every weight is at that end of the window which is farther from the reference conductance.
    """
    norm = np.linalg.norm(np.atleast_2d(g_siemens - g_ref_siemens), 2)
    return float(norm / _largest_norm(g_siemens.shape, window_siemens, g_ref_siemens))


def _bounded(w: Floats, norm_limit: float | None) -> tuple[Floats, Callable[[Floats], Floats]]:
    """Return the weights scaled down to a spectral norm of at most ``norm_limit``, and what takes a gradient back through that."""
    if norm_limit is None:
        return w, lambda gradient: gradient
    u, sigma, v = np.linalg.svd(w.reshape(len(w), -1), full_matrices=False)
    if sigma[0] <= norm_limit:
        return w, lambda gradient: gradient
    share, along = norm_limit / sigma[0], np.outer(u[:, 0], v[0]).reshape(w.shape)
    return w * share, lambda gradient: share * (gradient - (gradient * w).sum() / sigma[0] * along)


def check_better_than_guessing(score: float, joint: Floats) -> None:
    """Refuse a network that answers no better than its commonest class would.

    Args:
        score: accuracy on the images trained with, 0 .. 1.
        joint: probability of (class, image) of them, shape (classes, images).

    Raises:
        SimulationError: it does not.
    """
    commonest = float(joint.sum(1).max())
    if score <= commonest + 1e-9:  # what adding up leaves
        raise SimulationError(
            f"training reached only {score:.1%} on its own images, of which {commonest:.1%} are of one class: check images, window and noise"
        )


def untrained(images: Images, options: TrainingOptions, arithmetic: Arithmetic, rng: np.random.Generator) -> Network:
    """Return a network of random conductances in the window, whose biases put each sum's middle, all pixels at a half, to zero."""
    scales = Scales.of(options, images.pixels, arithmetic)
    g1 = rng.uniform(*options.window_siemens, (images.pixels, options.hidden))
    g2 = rng.uniform(*options.window_siemens, (options.hidden, 1))
    sums = (g1 - arithmetic.g_ref_siemens).sum(0) / 2 * scales.codes_per_siemens
    out = (g2 - arithmetic.g_ref_siemens).sum() / 2 * (_TOP / arithmetic.read_code) * scales.codes_per_siemens
    bias = tuple(int(b) for b in np.rint([*-sums, -out]))
    return Network(g1, g2, bias, scales.activation_table(), scales.shift, 0, arithmetic)


def train(images: Images, options: TrainingOptions, arithmetic: Arithmetic, rng: np.random.Generator) -> Network:
    """Return a network whose weights the array can hold.

    The float model is the hardware's: weights (G - Gref) inside the window, a logistic hidden layer, one output.  The
    loss is the cross-entropy over all images with their exact probabilities under the training noise (over drawn ones of a data set, or
    of patterns of more than 16 pixels), averaged over random conductance errors.  The best restart is chosen by its exact integer
    accuracy on these images.

    Raises:
        SimulationError: no restart did better than guessing.
    """
    low, high = options.window_siemens
    pixels, hidden = images.pixels, options.hidden
    a = arithmetic
    scales = Scales.of(options, pixels, a)
    middle, half = (low + high) / 2, (high - low) / 2
    offset = middle - a.g_ref_siemens
    n1, n2 = pixels * hidden, hidden
    devices = n1 + n2
    shown = [(bits.astype(float), joint) for bits, joint in images.training(options.pixel_noise, rng, _DRAWS)]
    limit1, limit2 = (
        None if options.gain_limit is None else options.gain_limit * _largest_norm(shape, (low, high), a.g_ref_siemens)
        for shape in ((pixels, hidden), (hidden,))
    )

    def unpack(p: Floats) -> tuple[Floats, ...]:
        w1 = np.tanh(p[:n1]).reshape(pixels, hidden) * half + offset
        w2 = np.tanh(p[n1 : n1 + n2]) * half + offset
        return w1, w2, p[n1 + n2 : n1 + n2 + hidden], p[-1:]

    def loss(p: Floats, errors: list[tuple[Floats, Floats]], fixed: NDArray[np.bool_]) -> tuple[float, Floats]:
        w1, w2, b1, b2 = unpack(p)
        (w1, back1), (w2, back2) = _bounded(w1, limit1), _bounded(w2, limit2)
        slope1 = (1 - np.tanh(p[:n1]) ** 2).reshape(pixels, hidden) * half
        slope2 = (1 - np.tanh(p[n1 : n1 + n2]) ** 2) * half
        total, gradient = 0.0, np.zeros_like(p)
        for (e1, e2), (x, joint) in zip(errors, shown, strict=True):
            v1, v2 = w1 + (w1 + a.g_ref_siemens) * e1, w2 + (w2 + a.g_ref_siemens) * e2
            value, (by_v1, by_v2, by_b1, by_b2) = cross_entropy(x, joint, (v1, v2, b1, b2), scales)
            total += value
            gradient[:n1] += (back1(by_v1 * (1 + e1)) * slope1).ravel()
            gradient[n1 : n1 + n2] += back2(by_v2 * (1 + e2)) * slope2
            gradient[n1 + n2 : n1 + n2 + hidden] += by_b1
            gradient[-1] += by_b2[0]
        gradient[:devices][fixed] = 0.0
        return total / len(errors), gradient / len(errors)

    def minimum(p: Floats, errors: list[tuple[Floats, Floats]], fixed: NDArray[np.bool_]) -> Floats:
        def told(_: Floats) -> None:
            tell(TRAINING, done, options.restarts)

        found = minimize(
            loss, p, args=(errors, fixed), jac=True, method="L-BFGS-B", options={"maxiter": 400}, callback=told
        )
        return np.asarray(found.x, float)

    def on_levels(p: Floats, errors: list[tuple[Floats, Floats]], levels: int) -> Floats:
        """Fix the devices to their levels by and by; what is at an end of the window is there for good: tanh(20) is 1."""
        states = np.linspace(-1, 1, levels)
        at = np.arctanh(states[1:-1])
        parameters = np.array([-20.0, *at, 20.0])
        for share in _FIXED_SHARES:
            away = np.abs(np.tanh(p[:devices, None]) - states)
            fixed = np.zeros(devices, bool)
            fixed[np.argsort(away.min(1), kind="stable")[: round(share * devices)]] = True
            p[:devices][fixed] = parameters[away.argmin(1)][fixed]
            p = minimum(p, errors, fixed)
        return p

    best: tuple[float, Network] | None = None
    for done in range(options.restarts):  # noqa: B007, told by minimum()
        errors = [
            (
                rng.normal(0, options.conductance_error, (pixels, hidden)),
                rng.normal(0, options.conductance_error, hidden),
            )
            for _ in range(_DRAWS)
        ]
        start = rng.normal(0, 0.7, n1 + n2 + hidden + 1)
        found = minimum(start, errors, np.zeros(devices, bool))
        if options.levels is not None:
            found = on_levels(found, errors, options.levels)
        w1, w2, b1, b2 = unpack(found)
        (w1, _), (w2, _) = _bounded(w1, limit1), _bounded(w2, limit2)
        network = Network(
            g1_siemens=w1 + a.g_ref_siemens,
            g2_siemens=(w2 + a.g_ref_siemens)[:, None],
            bias=scales.registers(b1, b2),
            table=scales.activation_table(),
            shift=scales.shift,
            threshold=0,
            arithmetic=a,
        )
        x, joint = shown[0]
        score = expected_accuracy(joint, network.predict(x).label)
        if best is None or score > best[0]:
            best = (score, network)
    assert best is not None
    check_better_than_guessing(best[0], shown[0][1])
    return replace(best[1])
