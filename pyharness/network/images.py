# SPDX-License-Identifier: BSD-3-Clause
"""Binary images of several classes, pixel noise, and the best accuracy that any classifier can reach on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import ConfigError

__all__ = (
    "PATTERNS_RULE",
    "SHOWN_PIXELS",
    "ByContent",
    "ImageSet",
    "Images",
    "accuracy_curve",
    "are_patterns",
    "expected_accuracy",
    "flipped",
    "one_hot",
)

Bits = NDArray[np.int_]
Floats = NDArray[np.float64]

SHOWN_PIXELS = 12
"""Up to so many pixels the array is shown every possible image."""
PATTERNS_RULE = "must be a list of classes, each a list of patterns, each a list of rows such as '#.#', in quotes"
_ENUMERATED_PIXELS = 16  # up to so many training and the Bayes limit take every possible image
_DRAWN = 4096  # beyond them training takes so many


def are_patterns(given: Any) -> TypeGuard[list[list[list[str]]]]:
    """Tell whether ``given`` has the form of patterns, :data:`PATTERNS_RULE`."""
    return isinstance(given, list) and all(
        isinstance(group, list)
        and all(isinstance(rows, list) and all(isinstance(row, str) for row in rows) for rows in group)
        for group in given
    )


class ByContent:
    """Equal, and hashed alike, where all arrays are."""

    def _content(self) -> tuple[tuple[tuple[int, ...], bytes], ...]:
        return tuple((values.shape, values.tobytes()) for values in vars(self).values())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())


class Images(Protocol):
    """What a network is trained with and tested on: clean patterns (:class:`ImageSet`) or labelled images
    (:class:`pyharness.network.datasets.DataSet`).  ``noise`` is the probability, 0 .. 0.5, with which each pixel is flipped."""

    def __hash__(self) -> int:
        """Tell contents apart."""

    @property
    def classes(self) -> int:
        """Number of classes; labels are 0 .. classes - 1."""

    @property
    def pixels(self) -> int:
        """Pixels per image."""

    def training(self, noise: float, rng: np.random.Generator, draws: int) -> list[tuple[Bits, Floats]]:
        """Return ``draws`` sets of noisy images to train with: images, shape (images, pixels), and the probability of (class, image),
        shape (classes, images)."""

    def sample_training(self, count: int, noise: float, rng: np.random.Generator) -> tuple[Bits, Bits]:
        """Draw ``count`` noisy images to train with, shape (count, pixels), and their true classes, shape (count,)."""

    def sample(self, count: int, noise: float, rng: np.random.Generator) -> tuple[Bits, Bits]:
        """Draw noisy images to test on, at most ``count``, and their true classes."""

    def bayes_accuracy(self, noise: float, sample: Bits | None = None) -> float | None:
        """Return the accuracy of the best classifier; None where it is not known.

        Args:
            noise: flip probability.
            sample: noisy images, shape (images, pixels), over which it is averaged if there are too many possible ones.
        """


@dataclass(frozen=True, eq=False)
class ImageSet(ByContent):
    """Clean patterns of equally likely classes; the patterns of a class are equally likely too.

    Attributes:
        patterns: 0/1 pixels, shape (classes, patterns, pixels).
    """

    patterns: NDArray[np.int_]

    @classmethod
    def from_text(cls, classes: list[list[list[str]]]) -> ImageSet:
        """Build from rows of ``#`` and ``.`` per pattern, per class.

        Raises:
            ConfigError: other characters, unequal sizes, an empty class, or a pattern in two classes.
        """
        if len(classes) < 2 or not all(classes) or len({len(group) for group in classes}) != 1:
            counts = " and ".join(str(len(group)) for group in classes)
            raise ConfigError(
                "images: two classes or more with the same number of patterns, at least one, are needed; got "
                + (f"{len(classes)} classes of {counts} patterns" if len(classes) > 1 else f"{len(classes)} class")
                + ": list each class's patterns; one given twice is only twice as likely"
            )
        found, shapes = [], []
        for label, group in enumerate(classes):
            for rows in group:
                text = "".join(rows)
                if set(text) - {"#", "."} or not text or len({len(r) for r in rows}) != 1:
                    raise ConfigError(
                        f"images: a pattern of class {label} must be equal rows of '#' and '.', got {rows!r}"
                    )
                found.append([int(c == "#") for c in text])
                shapes.append((len(rows), len(rows[0])))
        if other := [shape for shape in shapes if shape != shapes[0]]:
            first, second = (f"{height} x {width}" for height, width in (shapes[0], other[0]))
            raise ConfigError(f"images: all patterns must have the same shape, got {first} and {second} rows x columns")
        patterns = np.array(found).reshape(len(classes), -1, len(found[0]))
        # twice in one class a pattern is only twice as likely
        if sum(len(np.unique(group, axis=0)) for group in patterns) != len({tuple(f) for f in found}):
            raise ConfigError("images: a pattern belongs to both classes, or to several: leave it in one")
        return cls(patterns)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.patterns)

    @property
    def pixels(self) -> int:
        """Pixels per image."""
        return int(self.patterns.shape[2])

    def all_images(self) -> Bits:
        """Return every possible image, shape (2**pixels, pixels); pixel i of image k is bit i of k."""
        return (np.arange(1 << self.pixels)[:, None] >> np.arange(self.pixels)) & 1

    def _joint(self, images: Bits, noise: float) -> Floats:
        """Return the probability of (class, image), shape (classes, images)."""
        flips = np.abs(images[None, None] - self.patterns[:, :, None]).sum(-1)
        share = noise**flips * (1 - noise) ** (self.pixels - flips)
        joint: Floats = share.mean(1) / self.classes
        return joint

    def joint(self, noise: float) -> Floats:
        """Return the probability of (class, image) with each pixel flipped independently, shape (classes, 2**pixels).

        Args:
            noise: flip probability, 0 .. 0.5.
        """
        return self._joint(self.all_images(), noise)

    def training(self, noise: float, rng: np.random.Generator, draws: int) -> list[tuple[Bits, Floats]]:
        """Return every possible image with its probability, each time the same; of more than 16 pixels 4096 drawn ones, equally likely."""
        if self.pixels <= _ENUMERATED_PIXELS:
            return [(self.all_images(), self.joint(noise))] * draws
        drawn = (self.sample(_DRAWN, noise, rng) for _ in range(draws))
        return [(images, one_hot(labels, self.classes)) for images, labels in drawn]

    def bayes_accuracy(self, noise: float, sample: Bits | None = None) -> float:
        """Return the accuracy of the best classifier: exact, by enumeration of all images, up to 16 pixels.

        Beyond them its mean over ``sample``, images of that noise (Monte Carlo): the probability of each image's likeliest class, which
        the patterns tell exactly.  Without a sample 4096 seeded images are drawn.
        """
        if self.pixels <= _ENUMERATED_PIXELS:
            return float(self.joint(noise).max(0).sum())
        if sample is None or not len(sample):
            sample, _ = self.sample(_DRAWN, noise, np.random.default_rng(0))
        joint = self._joint(sample, noise)
        return float((joint.max(0) / joint.sum(0)).mean())

    def accuracy(self, labels: NDArray[np.int_], noise: float) -> float:
        """Return the exact accuracy of a classifier that gives image k the label ``labels[k]``."""
        return expected_accuracy(self.joint(noise), labels)

    def sample(self, count: int, noise: float, rng: np.random.Generator) -> tuple[Bits, Bits]:
        """Draw noisy images.

        Returns:
            images, shape (count, pixels), and their true classes, shape (count,).
        """
        labels = rng.integers(0, self.classes, count)
        clean = self.patterns[labels, rng.integers(0, self.patterns.shape[1], count)]
        return flipped(clean, noise, rng), labels

    sample_training = sample


def accuracy_curve(
    images: Images, label: Callable[[Bits], NDArray[np.int_]], noises: Iterable[float]
) -> list[tuple[float, float | None]]:
    """Return a classifier's accuracy at each noise, and the best possible one: exact for patterns of up to 16 pixels.

    Else over the test images of a data set, or 4096 drawn ones, with seeded flips; without a limit where none is known.

    Args:
        images: patterns or a data set.
        label: gives images, shape (images, pixels), their classes, shape (images,).
        noises: flip probabilities, 0 .. 0.5.
    """
    if isinstance(images, ImageSet) and images.pixels <= _ENUMERATED_PIXELS:
        labels = label(images.all_images())
        return [(images.accuracy(labels, noise), images.bayes_accuracy(noise)) for noise in noises]
    found = []
    for noise in noises:
        bits, truth = images.sample(_DRAWN, noise, np.random.default_rng(0))
        found.append((float((label(bits) == truth).mean()), images.bayes_accuracy(noise, bits)))
    return found


def flipped(clean: NDArray[np.integer], noise: float, rng: np.random.Generator) -> Bits:
    """Return 0/1 images with each pixel flipped with probability ``noise``."""
    return (clean ^ (rng.random(clean.shape) < noise)).astype(int)


def one_hot(labels: NDArray[np.int_], classes: int) -> Floats:
    """Return the probability of (class, image) of equally likely images, shape (classes, images)."""
    joint = np.zeros((classes, len(labels)))
    joint[labels, np.arange(len(labels))] = 1 / len(labels)
    return joint


def expected_accuracy(joint: Floats, labels: NDArray[np.int_]) -> float:
    """Return the probability that image k, of probability ``joint[class, k]``, has the label ``labels[k]``."""
    return float(joint[np.asarray(labels, int), np.arange(joint.shape[1])].sum())
