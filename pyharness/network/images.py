# SPDX-License-Identifier: BSD-3-Clause
"""Binary images of two classes, pixel noise, and the best accuracy that any classifier can reach on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import ConfigError

__all__ = ("SHOWN_PIXELS", "ImageSet")

Bits = NDArray[np.int_]

SHOWN_PIXELS = 12
"""Up to so many pixels the array is shown every possible image."""


@dataclass(frozen=True)
class ImageSet:
    """Clean patterns of two equally likely classes; the patterns of a class are equally likely too.

    Attributes:
        patterns: 0/1 pixels, shape (2 classes, patterns, pixels).
    """

    patterns: NDArray[np.int_]

    @classmethod
    def from_text(cls, classes: list[list[list[str]]]) -> ImageSet:
        """Build from rows of ``#`` and ``.`` per pattern, per class.

        Raises:
            ConfigError: other characters, unequal sizes, an empty class, or a pattern in both classes.
        """
        if len(classes) != 2 or not all(classes) or len(classes[0]) != len(classes[1]):
            raise ConfigError("images: two classes with the same number of patterns, at least one, are needed")
        found = []
        for label, group in enumerate(classes):
            for rows in group:
                text = "".join(rows)
                if set(text) - {"#", "."} or not text or len({len(r) for r in rows}) != 1:
                    raise ConfigError(
                        f"images: a pattern of class {label} must be equal rows of '#' and '.', got {rows!r}"
                    )
                found.append([int(c == "#") for c in text])
        if len({len(f) for f in found}) != 1:
            raise ConfigError("images: all patterns must have the same number of pixels")
        half = len(found) // 2
        if {tuple(f) for f in found[:half]} & {tuple(f) for f in found[half:]}:
            raise ConfigError("images: a pattern belongs to both classes: remove it from one")
        pixels = len(found[0])
        if pixels > 16:
            raise ConfigError(f"images: at most 16 pixels (all images are enumerated), got {pixels}")
        return cls(np.array(found).reshape(2, half, pixels))

    @property
    def pixels(self) -> int:
        """Pixels per image."""
        return int(self.patterns.shape[2])

    def all_images(self) -> Bits:
        """Return every possible image, shape (2**pixels, pixels); pixel i of image k is bit i of k."""
        return (np.arange(1 << self.pixels)[:, None] >> np.arange(self.pixels)) & 1

    def joint(self, noise: float) -> NDArray[np.float64]:
        """Return the probability of (class, image) with each pixel flipped independently, shape (2, 2**pixels).

        Args:
            noise: flip probability, 0 .. 0.5.
        """
        flips = np.abs(self.all_images()[None, None] - self.patterns[:, :, None]).sum(-1)
        share = noise**flips * (1 - noise) ** (self.pixels - flips)
        joint: NDArray[np.float64] = share.mean(1) / 2
        return joint

    def bayes_accuracy(self, noise: float) -> float:
        """Return the accuracy of the best classifier, by enumeration of all images."""
        return float(self.joint(noise).max(0).sum())

    def accuracy(self, labels: NDArray[np.int_], noise: float) -> float:
        """Return the exact accuracy of a classifier that gives image k the label ``labels[k]``."""
        joint = self.joint(noise)
        return float(joint[np.asarray(labels, int), np.arange(joint.shape[1])].sum())

    def sample(self, count: int, noise: float, rng: np.random.Generator) -> tuple[Bits, Bits]:
        """Draw noisy images.

        Returns:
            images, shape (count, pixels), and their true classes, shape (count,).
        """
        labels = rng.integers(0, 2, count)
        clean = self.patterns[labels, rng.integers(0, self.patterns.shape[1], count)]
        return clean ^ (rng.random(clean.shape) < noise), labels
