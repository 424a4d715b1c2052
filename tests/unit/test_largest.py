# SPDX-License-Identifier: BSD-3-Clause
"""Several classes: their training, what it is held against, and patterns of more pixels than can be enumerated."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest

from pyharness.config import SimConfig
from pyharness.errors import SimulationError
from pyharness.network.datasets import DataSet, read_images
from pyharness.network.images import ImageSet, accuracy_curve
from pyharness.network.largest import logistic_regression, softmax_cross_entropy, train_largest
from pyharness.network.reference import Arithmetic, Network
from pyharness.network.training import TrainingOptions, train

THREE = ImageSet.from_text(
    [[["###", "...", "..."]], [["...", "###", "..."]], [["...", "...", "###"]]],
)
OPTIONS = TrainingOptions(window_siemens=(1e-4, 3e-4), pixel_noise=0.1)
HALFWAY = Arithmetic(g_ref_siemens=2e-4)


def test_gradient_of_the_softmax() -> None:
    """Against central differences."""
    rng = np.random.default_rng(1)
    x, joint = THREE.all_images().astype(float), THREE.joint(0.1)
    w, b = rng.normal(size=(9, 3)), rng.normal(size=3)
    _, by_w, by_b = softmax_cross_entropy(x, joint, w, b)
    step = 1e-6
    for i, values, by in ((0, w, by_w), (1, b, by_b)):
        for index in np.ndindex(values.shape):
            ends = []
            for sign in (1, -1):
                moved = [w.copy(), b.copy()]
                moved[i][index] += sign * step
                ends.append(softmax_cross_entropy(x, joint, *moved)[0])
            assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(by[index], rel=1e-5, abs=1e-9)


def test_the_float_reference_is_shown_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight draws of the noise, as the network; with flipped pixels in the test it is better for that than with one, and finds nine in ten."""
    digits = read_images("digits", 8.0, 0.3, None, np.random.default_rng(1))
    assert isinstance(digits, DataSet)
    test, truth = digits.sample(600, 0.02, np.random.default_rng(2))
    right = []
    for draws in (8, 1):
        monkeypatch.setattr("pyharness.network.largest._DRAWS", draws)
        found = logistic_regression(digits, 0.05, np.random.default_rng(3), test)
        right.append(float((found == truth).mean()))
    assert right[0] > 0.9
    assert right[0] > right[1]


@pytest.fixture(scope="module")
def network() -> Network:
    return train_largest(THREE, OPTIONS, HALFWAY, np.random.default_rng(1))


def test_three_classes_reach_the_limit(network: Network) -> None:
    """Within half a point of the Bayes limit, from conductances inside the window; the second layer weighs nothing."""
    labels = network.predict(THREE.all_images()).label
    assert set(labels) == {0, 1, 2}
    assert THREE.accuracy(labels, 0.1) > THREE.bayes_accuracy(0.1) - 0.005
    assert network.g1_siemens.shape == (9, 3)
    assert OPTIONS.window_siemens[0] - 1e-12 <= network.g1_siemens.min()
    assert network.g1_siemens.max() <= OPTIONS.window_siemens[1] + 1e-12
    assert network.g2_siemens.ravel().tolist() == [2e-4] * 3


def test_the_table_holds_the_largest_sums(network: Network) -> None:
    """No image that was trained with is above it, and its steps cost less than a point; sums above it would be all the same."""
    images = THREE.all_images()
    a = network.arithmetic
    sums = a.convert(a.column_code(network.g1_siemens, images * a.read_code)) + network.bias[:3]
    hidden = network.predict(images).hidden
    assert ((sums >> network.shift) + 32).max() <= 63
    assert np.array_equal(hidden, np.clip((sums >> network.shift) + 32, 0, 63))
    exact = THREE.accuracy(sums.argmax(1), 0.1)
    assert THREE.accuracy(hidden.argmax(1), 0.1) > exact - 0.01
    far = replace(network, bias=tuple(b + (40 << network.shift) for b in network.bias))
    assert THREE.accuracy(far.predict(images).label, 0.1) < exact - 0.05


def test_of_equal_activations_the_first_counts(network: Network) -> None:
    """And the output neuron not at all."""
    hidden = np.array([[5, 9, 9], [7, 7, 7], [0, 1, 2]])
    for code in (-2000, 2000):
        assert network.decide(hidden, np.full((3, 1), code)).label.tolist() == [1, 0, 2]


def test_training_says_when_nothing_was_learnt() -> None:
    """Images of one kind under all labels."""
    bits, labels = np.tile(np.eye(4, dtype=np.int8)[:1], (30, 1)), np.arange(30, dtype=np.int8) % 3
    same = DataSet(bits, labels, bits, labels)
    with pytest.raises(SimulationError, match=r"reached only 33\.3% .* 33\.3% are of one class"):
        train_largest(same, replace(OPTIONS, pixel_noise=0.0), HALFWAY, np.random.default_rng(1))


BARS = ImageSet.from_text([[["#####"] * 5], [["....."] * 5]])


def test_the_limit_of_large_patterns_is_that_of_a_majority() -> None:
    """25 pixels, all of which differ: over drawn images, against the binomial distribution."""
    exact = sum(comb(25, k) * 0.3**k * 0.7 ** (25 - k) for k in range(13))
    sample, _ = BARS.sample(20_000, 0.3, np.random.default_rng(1))
    # each image's own probability scatters by less than right or wrong does
    assert BARS.bayes_accuracy(0.3, sample) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))
    assert BARS.bayes_accuracy(0.0) == 1.0
    assert BARS.bayes_accuracy(0.5) == 0.5


def test_large_patterns_are_trained_on_drawn_images() -> None:
    """Two layers, 25 pixels: near the limit on images that were not among them."""
    arithmetic = Arithmetic(read_code=80)
    options = TrainingOptions(pixel_noise=0.3)  # six restarts: two of them find less
    found = train(BARS, options, arithmetic, np.random.default_rng(1))
    ((accuracy, limit),) = accuracy_curve(BARS, lambda bits: found.predict(bits).label, [0.3])
    assert limit is not None
    assert accuracy > limit - 0.01


def test_a_curve_of_few_pixels_is_exact(network: Network) -> None:
    """The set's own figures; of a data set no limit."""
    curve = accuracy_curve(THREE, lambda bits: network.predict(bits).label, (0.0, 0.1))
    labels = network.predict(THREE.all_images()).label
    assert curve == [(THREE.accuracy(labels, n), THREE.bayes_accuracy(n)) for n in (0.0, 0.1)]
    digits = read_images("digits", 8.0, 0.3, None, np.random.default_rng(1))
    ((accuracy, limit),) = accuracy_curve(digits, lambda bits: np.zeros(len(bits), int), [0.1])
    assert accuracy == pytest.approx(0.1, abs=0.01)
    assert limit is None


def test_two_classes_by_the_largest_sum_too() -> None:
    """The default patterns are no matter of one layer; it finds what one can."""
    patterns = ImageSet.from_text(SimConfig().images.patterns or [])
    found = train_largest(patterns, OPTIONS, HALFWAY, np.random.default_rng(1))
    labels = found.predict(patterns.all_images()).label
    assert 0.6 < patterns.accuracy(labels, 0.1) <= patterns.bayes_accuracy(0.1)
