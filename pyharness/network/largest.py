# SPDX-License-Identifier: BSD-3-Clause
"""Several classes: one layer with a neuron for each, whose largest activation the host takes for the class.

The second layer is there and idle: its devices are at the reference conductance, where a weight is nought.
"""

from __future__ import annotations

from itertools import count

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

from pyharness.network.datasets import DataSet
from pyharness.network.images import Bits, Floats, Images, expected_accuracy
from pyharness.network.reference import TABLE, Arithmetic, Network
from pyharness.network.training import TRAINING, Scales, TrainingOptions, check_better_than_guessing
from pyharness.progress import tell

__all__ = ("logistic_regression", "softmax_cross_entropy", "train_largest")

_DRAWS, _STEPS = 8, 120
_SHIFTS = range(8)  # beyond 7 a step of the table is more than the converter's sixteenth part
_FAR = 16384  # a bias beyond it, in codes, decides alone; the registers hold twice as much


def softmax_cross_entropy(x: Floats, joint: Floats, w: Floats, b: Floats) -> tuple[float, Floats, Floats]:
    """Return the cross-entropy of the softmax of ``x @ w + b``, in nats, and its derivatives by ``w`` and ``b``.

    Args:
        x: images, shape (images, pixels).
        joint: probability of (class, image), shape (classes, images).
        w, b: weights and biases, shapes (pixels, classes) and (classes,).
    """
    log_p = log_softmax(w.T @ x.T + b[:, None], axis=0)
    over = np.exp(log_p) * joint.sum(0) - joint
    return -float((joint * log_p).sum()), (over @ x).T, over.sum(1)


def train_largest(
    images: Images, options: TrainingOptions, arithmetic: Arithmetic, rng: np.random.Generator
) -> Network:
    """Return a network of a neuron for each class whose weights the array can hold.

    The float model is the hardware's first layer: weights (G - Gref) inside the window.  The loss is the cross-entropy of the softmax of
    its sums, over noisy images and random conductance errors, eight draws of both; the softmax's unit is trained too, as no largest sum
    depends on it.  One start is enough: for a given unit the loss is convex.  Activations are the table's own index: the largest is all
    that is asked for.  The table's place and step are chosen by the exact integer accuracy on the images trained with, errors included.
    ``hidden``, ``restarts``, ``levels`` and ``gain_limit`` of the options have no meaning here.
    """
    a, (low, high) = arithmetic, options.window_siemens
    shape = images.pixels, images.classes
    size = images.pixels * images.classes
    middle, half = (low + high) / 2, (high - low) / 2
    shown = [
        (bits.astype(float), joint, 1 + options.conductance_error * rng.standard_normal(shape))
        for bits, joint in images.training(options.pixel_noise, rng, _DRAWS)
    ]

    def loss(p: Floats) -> tuple[float, Floats]:
        """Of conductances from -1 to 1 in the window, biases in half windows, and the logarithm of the softmax's unit."""
        g, b, unit = middle + half * p[:size].reshape(shape), p[size:-1], np.exp(p[-1])
        total, gradient = 0.0, np.zeros_like(p)
        for x, joint, factor in shown:
            w = (g * factor - a.g_ref_siemens) / half
            value, by_w, by_b = softmax_cross_entropy(x, joint, unit * w, unit * b)
            total += value
            gradient[:size] += unit * (by_w * factor).ravel()
            gradient[size:-1] += unit * by_b
            gradient[-1] += unit * ((by_w * w).sum() + (by_b * b).sum())
        return total / _DRAWS, gradient / _DRAWS

    bounds = [(-1, 1)] * size + [(None, None)] * (images.classes + 1)
    start = np.zeros(size + images.classes + 1)
    steps = count(1)

    def told(_: Floats) -> None:
        tell(TRAINING, next(steps), _STEPS)

    p = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}, callback=told).x
    g1 = middle + half * p[:size].reshape(shape)
    codes_per_siemens = Scales.of(options, images.pixels, a).codes_per_siemens
    bias = np.clip(np.rint(p[size:-1] * half * codes_per_siemens), -_FAR, _FAR).astype(int)

    codes = [a.convert(a.column_code(g1 * factor, x * a.read_code)) for x, _, factor in shown]
    highest = max(int((c + bias).max()) for c in codes)
    found = []
    for shift in _SHIFTS:
        # the highest sum is the last of the table's; what is too low for it is no largest one
        network = Network(
            g1_siemens=g1,
            g2_siemens=np.full((images.classes, 1), np.clip(a.g_ref_siemens, low, high)),
            bias=(*(int(v) for v in bias + (TABLE // 2 << shift) - 1 - highest), 0),
            table=tuple(range(TABLE)),
            shift=shift,
            threshold=0,
            arithmetic=a,
            readout="largest",
        )
        labels = [network.activations(c).argmax(1) for c in codes]
        score = sum(expected_accuracy(joint, label) for (_, joint, _), label in zip(shown, labels, strict=True))
        found.append((score, network))
    score, best = max(found, key=lambda one: one[0])
    check_better_than_guessing(score / _DRAWS, shown[0][1])
    return best


def logistic_regression(images: DataSet, noise: float, rng: np.random.Generator, shown: Bits) -> Bits:
    """Return the classes that scikit-learn's logistic regression tells the images ``shown`` to be, shapes (images, pixels) and (images,).

    It has neither window nor errors; it is trained with as many draws of the noise as the network.
    """
    from sklearn.linear_model import LogisticRegression  # a second to import, which no other images need

    draws = images.training(noise, rng, _DRAWS)
    x = np.concatenate([bits for bits, _ in draws])
    labels = np.concatenate([joint.argmax(0) for _, joint in draws])
    with threadpool_limits(1):  # several threads wait for each other longer than one computes
        found: Bits = LogisticRegression(solver="newton-cg").fit(x, labels).predict(shown)
    return found
