# SPDX-License-Identifier: BSD-3-Clause
"""Noise levels of software training chosen by Bayesian optimisation, for the accuracy that is left with errors of the conductances.

Sought is the pair of pixel noise and conductance error to train with.  A pair is worth the exact accuracy, on test images, of the network that is
trained with it, averaged over arrays of random errors; the same random numbers serve every pair.  A Gaussian process (scikit-learn)
follows the values, and the next pair is where it expects the largest improvement (Jones, Schonlau and Welch, J. Global Optimization 13,
455, 1998).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, qmc

from pyharness.errors import SimulationError
from pyharness.network.images import ImageSet
from pyharness.network.reference import Arithmetic, Network
from pyharness.network.training import TrainingOptions, train
from pyharness.progress import tell

__all__ = ("NoiseChoice", "NoiseSearch", "Trial", "choose_noise", "robust_accuracy")

_HIGHEST = 0.3  # of either level
_STEP = 0.01
_ARRAYS = 64
_GUESS = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NoiseSearch:
    """What the levels are chosen for.

    Attributes:
        pixel_noise: flip probability of the test images.
        array_error: relative standard deviation of an array's conductances about their targets.
        trials: networks trained, the one with the given levels among them; at least 2.
    """

    pixel_noise: float
    array_error: float
    trials: int


@dataclass(frozen=True)
class Trial:
    """Levels that were trained with, and the mean accuracy over arrays, 0 .. 1."""

    pixel_noise: float
    conductance_error: float
    accuracy: float


@dataclass(frozen=True)
class NoiseChoice:
    """The best network, the options that it was trained with, and all trials, the given levels' first."""

    network: Network
    options: TrainingOptions
    trials: tuple[Trial, ...]


def robust_accuracy(
    images: ImageSet, network: Network, pixel_noise: float, array_error: float, rng: np.random.Generator
) -> float:
    """Return the exact accuracy, 0 .. 1, averaged over arrays whose conductances have random errors.

    Args:
        images: patterns.
        network: with its target conductances.
        pixel_noise: flip probability of the images.
        array_error: relative standard deviation of each conductance, normal.
        rng: of the errors.
    """
    shown = images.all_images()

    def off(g_siemens: Floats) -> Floats:
        return np.maximum(g_siemens * (1 + array_error * rng.standard_normal(g_siemens.shape)), 0.0)

    found = []
    for _ in range(_ARRAYS):
        array = replace(network, g1_siemens=off(network.g1_siemens), g2_siemens=off(network.g2_siemens))
        found.append(images.accuracy(array.predict(shown).label, pixel_noise))
    return float(np.mean(found))


def _next(tried: Floats, values: Floats, candidates: Floats) -> Floats:
    """Return the candidate of the largest expected improvement over what the process holds for the best of those tried."""
    # takes a second to load, and serves nothing else: a run that chooses no levels does without
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    process = GaussianProcessRegressor(
        Matern([0.1, 0.1], (0.03, 1.0), nu=2.5) + WhiteKernel(0.1, (1e-4, 1.0)), normalize_y=True, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound is an answer
        process.fit(tried, values)
    mean, deviation = process.predict(candidates, return_std=True)
    gain = mean - process.predict(tried).max()
    z = gain / np.maximum(deviation, 1e-12)
    return np.asarray(candidates[int((gain * norm.cdf(z) + deviation * norm.pdf(z)).argmax())])


def choose_noise(
    images: ImageSet,
    options: TrainingOptions,
    arithmetic: Arithmetic,
    seed: np.random.SeedSequence,
    search: NoiseSearch,
) -> NoiseChoice:
    """Return the network of the levels, 0 .. 0.3 in steps of 0.01, that leave the highest :func:`robust_accuracy`.

    Tried are the given levels, a third of the trials spread evenly, and the rest where improvement is expected.  The choice is no
    worse than the given levels on the arrays that it was made on.

    Args:
        images: patterns.
        options: of training; their levels are tried first.
        arithmetic: the hardware's.
        seed: of this purpose alone; the network of the given levels is the one that ``train`` gives with it.
        search: what for.

    Raises:
        SimulationError: no trial's training did better than guessing.
    """
    design_seed, error_seed = (np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, k)) for k in (0, 1))
    steps = round(_HIGHEST / _STEP)
    grid = np.array([(a, b) for a in range(steps + 1) for b in range(steps + 1)]) * _STEP
    spread = search.trials // 3
    # a Sobol sequence is balanced at powers of two
    design = qmc.Sobol(2, rng=np.random.default_rng(design_seed)).random(1 << max(0, spread - 1).bit_length())
    tried: list[Floats] = []
    trials: list[Trial] = []
    best: tuple[float, Network, TrainingOptions] | None = None
    for n in range(search.trials):
        tell("choosing noise levels", n, search.trials)
        if n == 0:
            levels = np.array([options.pixel_noise, options.conductance_error])
        elif n <= spread:
            levels = np.rint(design[n - 1] * steps) * _STEP
        else:
            left = grid[np.abs(grid[:, None] - np.array(tried)).max(2).min(1) > _STEP / 2]
            levels = _next(np.array(tried), np.array([t.accuracy for t in trials]), left)
        mine = replace(options, pixel_noise=float(levels[0]), conductance_error=float(levels[1]))
        try:
            network = train(images, mine, arithmetic, np.random.default_rng(seed))
        except SimulationError:
            value = _GUESS
        else:
            rng = np.random.default_rng(error_seed)
            value = robust_accuracy(images, network, search.pixel_noise, search.array_error, rng)
            if best is None or value > best[0]:
                best = value, network, mine
        tried.append(levels)
        trials.append(Trial(mine.pixel_noise, mine.conductance_error, value))
    if best is None:
        raise SimulationError(
            f"none of {search.trials} noise levels left a network that does better than guessing: check patterns and window"
        )
    return NoiseChoice(best[1], best[2], tuple(trials))
