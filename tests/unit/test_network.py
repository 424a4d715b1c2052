# SPDX-License-Identifier: BSD-3-Clause
"""Images, Bayes limit, training, and the integer model of the hardware."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest

from pyharness.config import SimConfig
from pyharness.errors import ConfigError
from pyharness.network.images import ImageSet
from pyharness.network.reference import Arithmetic, Network
from pyharness.network.training import Scales, TrainingOptions, cross_entropy, gain, train, untrained
from pyharness.spice import Netlist, number, run_batch

DEFAULT = ImageSet.from_text(SimConfig().images.patterns or [])


def test_bayes_limit_of_two_opposite_patterns() -> None:
    """All pixels differ: a majority vote of nine independent pixels, by the binomial distribution."""
    images = ImageSet.from_text([[["...", "...", "..."]], [["###", "###", "###"]]])
    exact = sum(comb(9, k) * 0.15**k * 0.85 ** (9 - k) for k in range(5))
    assert images.bayes_accuracy(0.15) == pytest.approx(exact, rel=1e-12)


def test_default_images_leave_room_above_97_percent() -> None:
    """The shipped patterns: 98.79 % at 15 % pixel noise, by enumeration; certain without noise, a guess at 50 %."""
    assert DEFAULT.bayes_accuracy(0.15) == pytest.approx(0.98790, abs=1e-5)
    assert DEFAULT.bayes_accuracy(0.0) == 1.0
    assert DEFAULT.bayes_accuracy(0.5) == pytest.approx(0.5, abs=1e-12)


def test_sampling_agrees_with_the_exact_distribution() -> None:
    """The best labels, applied to drawn images, are right as often as enumeration says."""
    best = DEFAULT.joint(0.15).argmax(0)
    images, truth = DEFAULT.sample(40_000, 0.15, np.random.default_rng(1))
    right = (best[(images << np.arange(9)).sum(1)] == truth).mean()
    assert right == pytest.approx(DEFAULT.bayes_accuracy(0.15), abs=4 * np.sqrt(0.0122 / 40_000))


def test_exact_accuracy_of_a_constant_answer_is_a_half() -> None:
    """A classifier that ignores the image is right for one class."""
    assert DEFAULT.accuracy(np.zeros(512, int), 0.1) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([[["##"]]], "two classes"),
        ([[["#x"]], [[".."]]], "equal rows of '#' and '.'"),
        ([[["##", "#"]], [["..", ".."]]], "equal rows"),
        ([[["##"]], [["##"]]], "belongs to both classes"),
        ([[["##"]], [["..."]]], "same shape, got 1 x 2 and 1 x 3"),
        ([[["##"], [".#"]], [[".."]]], "same number of patterns"),
        ([[["##"]], [[".."]], [["##"]]], "belongs to both classes, or to several"),
    ],
)
def test_faulty_images(classes: list[list[list[str]]], message: str) -> None:
    """Each fault is named."""
    with pytest.raises(ConfigError, match=message):
        ImageSet.from_text(classes)


@pytest.fixture(scope="module")
def network() -> Network:
    return train(DEFAULT, TrainingOptions(), Arithmetic(), np.random.default_rng(1))


def test_training_reaches_the_limit(network: Network) -> None:
    """Within half a point of the Bayes limit at 15 % noise, also after errors of the conductances."""
    every = DEFAULT.all_images()
    limit = DEFAULT.bayes_accuracy(0.15)
    assert DEFAULT.accuracy(network.predict(every).label, 0.15) > limit - 0.005
    rng = np.random.default_rng(5)
    for error, loss in ((0.02, 0.005), (0.10, 0.02)):
        found = []
        for _ in range(20):
            wrong = replace(
                network,
                g1_siemens=network.g1_siemens * (1 + error * rng.standard_normal(network.g1_siemens.shape)),
                g2_siemens=network.g2_siemens * (1 + error * rng.standard_normal(network.g2_siemens.shape)),
            )
            found.append(DEFAULT.accuracy(wrong.predict(every).label, 0.15))
        assert np.mean(found) > limit - loss


def test_training_is_repeatable_and_stays_in_the_window(network: Network) -> None:
    """The same seed gives the same targets, all inside the window."""
    again = train(DEFAULT, TrainingOptions(), Arithmetic(), np.random.default_rng(1))
    assert np.array_equal(again.g1_siemens, network.g1_siemens)
    everything = np.concatenate([network.g1_siemens.ravel(), network.g2_siemens.ravel()])
    slack = 1e-12  # rounding of sums around 250e-6
    assert everything.min() >= 100e-6 - slack
    assert everything.max() <= 400e-6 + slack


WINDOW = (100e-6, 300e-6)


@pytest.mark.parametrize("levels", [2, 5])
def test_targets_on_levels(levels: int) -> None:
    """At most so many distinct targets, equally spaced in the window, within half a point of the limit; without them far more."""
    options = TrainingOptions(window_siemens=WINDOW, restarts=3)
    every, limit = DEFAULT.all_images(), DEFAULT.bayes_accuracy(0.1)
    states = np.linspace(*WINDOW, levels)
    found = train(DEFAULT, replace(options, levels=levels), Arithmetic(), np.random.default_rng(1))
    targets = np.concatenate([found.g1_siemens.ravel(), found.g2_siemens.ravel()])
    assert np.abs(targets[:, None] - states).min(1).max() < 1e-12  # rounding of the sums around Gref
    assert DEFAULT.accuracy(found.predict(every).label, 0.1) > limit - 0.005
    free = train(DEFAULT, options, Arithmetic(), np.random.default_rng(1))
    assert len(np.unique(np.round(free.g1_siemens, 12))) > levels


def test_gain_limit_bounds_the_spectral_norm() -> None:
    """Both layers, by an independent norm; without a limit the same seed goes beyond; 0.4 costs no accuracy."""
    options = TrainingOptions(window_siemens=WINDOW, restarts=2)
    largest = 150e-6  # from Gref to the window's lower end
    for limit, holds in ((0.4, True), (None, False)):
        found = train(DEFAULT, replace(options, gain_limit=limit), Arithmetic(), np.random.default_rng(1))
        norms = []
        for g in (found.g1_siemens, found.g2_siemens):
            norms.append(np.sqrt(np.linalg.eigvalsh((g - 250e-6).T @ (g - 250e-6)).max()) / largest / np.sqrt(g.size))
            assert gain(g, WINDOW, 250e-6) == pytest.approx(norms[-1], rel=1e-9)
        assert bool(max(norms) <= 0.4 + 1e-9) is holds
        assert DEFAULT.accuracy(found.predict(DEFAULT.all_images()).label, 0.1) > DEFAULT.bayes_accuracy(0.1) - 0.005


def test_gradient_of_the_cross_entropy() -> None:
    """Against central differences, with offsets as an array's answers give them."""
    rng = np.random.default_rng(3)
    scales = Scales.of(TrainingOptions(window_siemens=WINDOW), 9, Arithmetic())
    x, joint = DEFAULT.all_images().astype(float), DEFAULT.joint(0.1)
    weights = (rng.uniform(-1e-4, 1e-4, (9, 3)), rng.uniform(-1e-4, 1e-4, 3), rng.normal(size=3), rng.normal(size=1))
    offsets = (rng.normal(size=(512, 3)), rng.normal(size=512))
    _, by = cross_entropy(x, joint, weights, scales, offsets)
    for i, (values, derivative) in enumerate(zip(weights, by, strict=True)):
        step = 1e-5 * np.abs(values).max()
        for index in list(np.ndindex(values.shape))[:5]:
            ends = []
            for sign in (1, -1):
                moved = [w.copy() for w in weights]
                moved[i][index] += sign * step
                ends.append(cross_entropy(x, joint, tuple(moved), scales, offsets)[0])  # type: ignore[arg-type]
            assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(derivative[index], rel=1e-5, abs=1e-9)


def test_an_untrained_network_is_centred() -> None:
    """Random targets in the window; the mean image puts every neuron's sum near the middle of its table."""
    found = untrained(DEFAULT, TrainingOptions(window_siemens=WINDOW), Arithmetic(), np.random.default_rng(1))
    assert WINDOW[0] <= found.g1_siemens.min() <= found.g1_siemens.max() <= WINDOW[1]
    hidden = found.predict(DEFAULT.all_images()).hidden
    assert np.abs(hidden.mean(0) - 63.5).max() < 10


def test_column_code_matches_ngspice() -> None:
    """The codes against ngspice on the same resistors."""
    a = Arithmetic()
    rng = np.random.default_rng(2)
    g = rng.uniform(100e-6, 400e-6, (9, 3))
    codes = (rng.random((1, 9)) < 0.5) * a.read_code
    net = Netlist()
    for r in range(9):
        net.add("v", f"row{r}", (f"code{r}", "0"), number(float(codes[0, r]) * a.dac_lsb_v))
        net.resistor(f"drv{r}", f"code{r}", f"row{r}", a.driver_ohm)
        for c in range(3):
            net.resistor(f"cell{r}_{c}", f"row{r}", f"col{c}", 1 / float(g[r, c]) + a.cell_ohm)
    net.add("v", "ref", ("refcode", "0"), number(-float(codes.sum()) * a.dac_lsb_v))
    net.resistor("drvref", "refcode", "ref", a.driver_ohm)
    for c in range(3):
        net.resistor(f"sw{c}", f"col{c}", f"sum{c}", a.column_ohm)
        net.resistor(f"ref{c}", "ref", f"sum{c}", 1 / a.g_ref_siemens)
        net.ammeter(f"sum{c}", f"sum{c}", "0")
    found = run_batch([*net.lines, ".options reltol=1e-9"], ".tran 1u 2u").vectors
    exact = [found[f"i(vsum{c})"][-1] * a.feedback_ohm / a.adc_lsb_v for c in range(3)]
    assert a.column_code(g, codes)[0] == pytest.approx(exact, abs=1e-6)


def test_conversion_cuts_off_and_saturates() -> None:
    """The converter gives the largest code below."""
    assert Arithmetic().convert([-0.1, 0.0, 0.9, 5000, -5000]).tolist() == [-1, 0, 0, 2047, -2048]
