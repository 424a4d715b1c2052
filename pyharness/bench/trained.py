# SPDX-License-Identifier: BSD-3-Clause
"""Images and trained network of a main job, from its configuration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from pyharness.config import SimConfig
from pyharness.errors import ConfigError
from pyharness.network.datasets import read_images
from pyharness.network.images import SHOWN_PIXELS, Images, ImageSet
from pyharness.network.largest import train_largest
from pyharness.network.noise_choice import NoiseSearch, choose_noise
from pyharness.network.reference import TABLE, Arithmetic, Network
from pyharness.network.training import TrainingOptions, train, untrained

__all__ = ("images_of", "network_of", "readout_of", "shown", "training_options")

_MOST_CLASSES = 32
_SPLIT_STREAM = 6  # of the seed: pyharness.bench.job takes those before 5, training on the chip that one


def training_options(config: SimConfig) -> TrainingOptions:
    """Return what software training is told."""
    named = {field.name for field in fields(TrainingOptions)}
    return TrainingOptions(**config.training.model_dump(include=named))


def _noise_search(config: SimConfig) -> NoiseSearch | None:
    """Return what noise levels are to be chosen for, if they are: conductances as the programming leaves them."""
    t = config.training
    if t.noise == "given":
        return None
    # anywhere within the tolerance
    verified = config.write_verify.tolerance / math.sqrt(3)
    return NoiseSearch(config.test.pixel_noise, math.hypot(t.programming_error, verified), t.noise_trials)


@lru_cache(maxsize=256)
def _trained(
    images: Images,
    how: Callable[[Images, TrainingOptions, Arithmetic, np.random.Generator], Network],
    options: TrainingOptions,
    arithmetic: Arithmetic,
    entropy: int,
    spawn_key: tuple[int, ...],
    search: NoiseSearch | None,
) -> tuple[Network, TrainingOptions]:
    """Train once for all the runs of a study that differ in something else: it takes longer than the engine numpy's whole job.

    By one thread: the matrices are long and thin, of which several threads make less speed, and other last bits on each machine.
    """
    seed = np.random.SeedSequence(entropy, spawn_key=spawn_key)
    with threadpool_limits(1):
        if search:
            assert isinstance(images, ImageSet)  # readout_of asks for patterns otherwise
            choice = choose_noise(images, options, arithmetic, seed, search)
            network, options = choice.network, choice.options
        else:
            network = how(images, options, arithmetic, np.random.default_rng(seed))
    for shared in (network.g1_siemens, network.g2_siemens):
        shared.setflags(write=False)
    return network, options


def shown(images: Images) -> ImageSet | None:
    """Return the patterns of which the array can be shown every possible image."""
    return images if isinstance(images, ImageSet) and images.pixels <= SHOWN_PIXELS else None


def images_of(config: SimConfig) -> Images:
    """Return the configuration's images.

    Raises:
        ConfigError: they cannot be read.
    """
    source = config.images
    if source.patterns is not None:
        return ImageSet.from_text(source.patterns)
    assert source.file is not None
    seed = config.seed if source.split_seed is None else source.split_seed
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SPLIT_STREAM,)))
    return read_images(
        source.file, source.threshold, source.test_share, source.test_file, rng, sha256=source.file_sha256, test_sha256=source.test_file_sha256
    )  # fmt: skip


def readout_of(config: SimConfig, images: Images) -> Literal["output", "largest"]:
    """Return what tells the class, and check that the rest of the configuration goes with it.

    Raises:
        ConfigError: it does not.
    """
    t, classes = config.training, images.classes
    readout = t.readout or ("largest" if classes > 2 else "output")
    if t.noise != "given" and (shown(images) is None or readout != "output"):
        raise ConfigError(
            f"training.noise {t.noise} compares exact accuracies of two classes of patterns of up to {SHOWN_PIXELS} pixels; the images have "
            f"{classes} classes, {images.pixels} pixels{'' if isinstance(images, ImageSet) else ' and are a data set'}: set it to given"
        )
    if readout == "output":
        if classes > 2:
            raise ConfigError(
                f"training.readout output tells two classes apart, the images have {classes}: set it to largest, or leave it out"
            )
        return "output"
    if classes > _MOST_CLASSES:
        raise ConfigError(
            f"images of {classes} classes: the controller tells the activations of {_MOST_CLASSES} neurons at most: leave classes out"
        )
    if t.method != "software" or t.levels is not None or t.gain_limit is not None:
        raise ConfigError(
            f"training.method {t.method}, levels {t.levels} and gain_limit {t.gain_limit} with training.readout largest, for {classes} "
            "classes: software training without limits alone is known there: leave them out"
        )
    return "largest"


def network_of(
    config: SimConfig,
    images: Images,
    readout: Literal["output", "largest"],
    hidden: int,
    arithmetic: Arithmetic,
    seed: np.random.SeedSequence,
) -> tuple[Network, TrainingOptions]:
    """Return the trained network, one that nothing was trained for, or the one of the given conductances, which knows no biases.

    With it: what it was trained with.
    """
    t, pixels, options = config.training, images.pixels, training_options(config)
    if t.targets_siemens is None:
        how = train_largest if readout == "largest" else untrained if t.start == "random" else train
        return _trained(images, how, options, arithmetic, config.seed, seed.spawn_key, _noise_search(config))
    given, first = np.array(t.targets_siemens), pixels * hidden
    if len(given) != first + hidden:
        raise ConfigError(
            f"training.targets_siemens must hold {pixels} x {hidden} + {hidden} x 1 = {first + hidden} conductances, layer by "
            f"layer, row by row; got {len(given)}"
        )
    network = Network(
        g1_siemens=given[:first].reshape(pixels, -1),
        g2_siemens=given[first:].reshape(hidden, -1),
        bias=(0,) * (hidden + 1),
        table=tuple(range(TABLE) if readout == "largest" else range(0, 128, 2)),
        shift=5,
        threshold=0,
        arithmetic=arithmetic,
        readout=readout,
    )
    return network, options
