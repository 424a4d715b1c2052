# SPDX-License-Identifier: BSD-3-Clause
"""Noise levels chosen by Bayesian optimisation: no worse than the given ones, the same for a seed, near what a scan finds."""

from dataclasses import replace

import numpy as np
import pytest

from pyharness.bench.job import build_job
from pyharness.config import SimConfig
from pyharness.errors import SimulationError
from pyharness.network import noise_choice
from pyharness.network.images import ImageSet
from pyharness.network.noise_choice import NoiseChoice, NoiseSearch, choose_noise, robust_accuracy
from pyharness.network.reference import Arithmetic, Network
from pyharness.network.training import TrainingOptions, train

CORNERS = [[["##", ".."], ["..", "##"]], [["#.", "#."], [".#", ".#"]]]
IMAGES = ImageSet.from_text(CORNERS)
OPTIONS = TrainingOptions((100e-6, 300e-6), restarts=1, conductance_error=0.0)
SEARCH = NoiseSearch(pixel_noise=0.1, array_error=0.2, trials=7)


def chosen(seed: int = 3) -> NoiseChoice:
    return choose_noise(IMAGES, OPTIONS, Arithmetic(), np.random.SeedSequence(seed), SEARCH)


@pytest.fixture(scope="module")
def choice() -> NoiseChoice:
    return chosen()


def test_the_choice_is_the_best_trial_and_no_worse_than_what_was_given(choice: NoiseChoice) -> None:
    """The first trial has the given levels and the network that they train without a search; the choice's value is its network's."""
    first = choice.trials[0]
    assert (first.pixel_noise, first.conductance_error) == (OPTIONS.pixel_noise, OPTIONS.conductance_error)
    plain = train(IMAGES, OPTIONS, Arithmetic(), np.random.default_rng(np.random.SeedSequence(3)))
    error_seed = np.random.SeedSequence(3, spawn_key=(1,))
    values = [
        robust_accuracy(IMAGES, network, 0.1, 0.2, np.random.default_rng(error_seed))
        for network in (plain, choice.network)
    ]
    assert values == [first.accuracy, max(t.accuracy for t in choice.trials)]
    assert values[1] > values[0]
    best = max(choice.trials, key=lambda t: t.accuracy)
    assert (choice.options.pixel_noise, choice.options.conductance_error) == (best.pixel_noise, best.conductance_error)
    assert replace(choice.options, pixel_noise=OPTIONS.pixel_noise, conductance_error=0.0) == OPTIONS


def test_levels_are_in_range_and_none_is_tried_twice(choice: NoiseChoice) -> None:
    """Seven pairs, hundredths from 0 to 0.3."""
    pairs = [(t.pixel_noise, t.conductance_error) for t in choice.trials]
    assert len(set(pairs)) == len(pairs) == SEARCH.trials
    assert 0 <= np.min(pairs) and np.max(pairs) <= 0.3
    np.testing.assert_allclose(np.array(pairs) * 100, np.rint(np.array(pairs) * 100), atol=1e-9)


def test_a_seed_gives_one_choice(choice: NoiseChoice) -> None:
    """To the bit; another seed tries other levels."""
    again = chosen()
    assert again.trials == choice.trials
    np.testing.assert_array_equal(again.network.g1_siemens, choice.network.g1_siemens)
    assert chosen(4).trials[1:] != choice.trials[1:]


def test_the_search_finds_a_hidden_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of trainings a hill at 5 % and 22 %: 16 trials come as near as no 16 random pairs do in nine of ten draws."""

    def hill(images: ImageSet, options: TrainingOptions, *_: object) -> TrainingOptions:
        return options

    def height(_: ImageSet, options: TrainingOptions, *__: object) -> float:
        return 0.95 - 2 * (options.pixel_noise - 0.05) ** 2 - (options.conductance_error - 0.22) ** 2

    monkeypatch.setattr(noise_choice, "train", hill)
    monkeypatch.setattr(noise_choice, "robust_accuracy", height)
    search = replace(SEARCH, trials=16)
    for seed in range(3):
        found = choose_noise(IMAGES, OPTIONS, Arithmetic(), np.random.SeedSequence(seed), search)
        rng = np.random.default_rng(seed)
        random = [
            max(0.95 - 2 * (a - 0.05) ** 2 - (b - 0.22) ** 2 for a, b in rng.uniform(0, 0.3, (16, 2)))
            for _ in range(50)
        ]
        assert max(t.accuracy for t in found.trials) > np.quantile(random, 0.9)


def test_errors_cost_accuracy_and_their_absence_does_not(choice: NoiseChoice) -> None:
    """Without errors it is the network's exact accuracy; with more of them it falls."""
    exact = IMAGES.accuracy(choice.network.predict(IMAGES.all_images()).label, 0.1)
    value = [robust_accuracy(IMAGES, choice.network, 0.1, e, np.random.default_rng(1)) for e in (0.0, 0.2, 0.6)]
    assert value[0] == pytest.approx(exact, abs=1e-12)
    assert value[0] > value[1] > value[2]


def test_levels_that_train_nothing_count_as_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that fails loses against one that does not; when all fail the search says so."""
    real = train

    def fails(images: ImageSet, options: TrainingOptions, *rest: object) -> Network:
        if options != OPTIONS:
            raise SimulationError("training reached only 50 %")
        return real(images, options, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(noise_choice, "train", fails)
    found = chosen()
    assert found.options == OPTIONS and [t.accuracy for t in found.trials[1:]] == [0.5] * 6

    def always_fails(*_: object) -> Network:
        raise SimulationError("training reached only 50 %")

    monkeypatch.setattr(noise_choice, "train", always_fails)
    with pytest.raises(SimulationError, match="none of 7 noise levels left a network"):
        chosen()


def test_the_job_takes_the_choice() -> None:
    """training.noise: optimised: the job's network is the search's, for its programming error and tolerance, and it knows its levels."""
    training = {"window_siemens": [1e-4, 3e-4], "restarts": 1, "programming_error": 0.15, "noise_trials": 4}
    data = {"engine": "numpy", "images": CORNERS, "test": {"pixel_noise": 0.08}, "write_verify": {"tolerance": 0.03}}
    job, plain = (
        build_job(SimConfig.model_validate(data | {"training": training | {"noise": noise}}))
        for noise in ("optimised", "given")
    )
    search = NoiseSearch(0.08, float(np.hypot(0.15, 0.03 / np.sqrt(3))), 4)
    expected = choose_noise(
        IMAGES, plain.training, plain.network.arithmetic, np.random.SeedSequence(1, spawn_key=(0,)), search
    )
    assert job.training == expected.options and len(expected.trials) == 4
    np.testing.assert_array_equal(job.network.g1_siemens, expected.network.g1_siemens)
    assert (plain.training.pixel_noise, plain.training.conductance_error) == (0.12, 0.05)


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"noise": "best"}, "Input should be 'given' or 'optimised'"),
        ({"noise": "optimised", "noise_trials": 1}, "greater than or equal to 2"),
        ({"noise": "optimised", "targets_siemens": [1e-4]}, "noise: optimised chooses levels of software training"),
        (
            {"noise": "optimised", "start": "random", "method": "manhattan"},
            "noise: optimised chooses levels of software training",
        ),
    ],
)
def test_wrong_settings(training: dict[str, object], message: str) -> None:
    """Told before the run."""
    with pytest.raises(ValueError, match=message):
        SimConfig.model_validate({"engine": "numpy", "training": training})
