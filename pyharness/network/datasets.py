# SPDX-License-Identifier: BSD-3-Clause
"""Images from files: patterns in YAML, labelled images in CSV or NumPy's npz, and scikit-learn's digits."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import ConfigError
from pyharness.network.images import (
    PATTERNS_RULE,
    Bits,
    ByContent,
    Floats,
    Images,
    ImageSet,
    are_patterns,
    flipped,
    one_hot,
)
from pyharness.pinned import check_content, sha256_of
from pyharness.yamlfile import read_yaml

__all__ = ("DIGITS", "SUFFIXES", "DataSet", "read_images")

DIGITS = "digits"
"""Name of scikit-learn's 1797 digits of 8 x 8 pixels, grey values 0 .. 16 (UCI, Alpaydin and Kaynak, 1998)."""
SUFFIXES = (".yaml", ".csv", ".npz")
_LARGEST = 10**15  # beyond it a float is no longer every integer


@dataclass(frozen=True, eq=False)
class DataSet(ByContent):
    """Labelled binary images, apart for training and test; pixel noise comes on top.  No Bayes limit is known of it.

    Attributes:
        training_images, test_images: 0/1 pixels, shape (images, pixels).
        training_labels, test_labels: classes from 0 on, shape (images,); each has a training image.
    """

    training_images: NDArray[np.int8]
    training_labels: NDArray[np.int_]
    test_images: NDArray[np.int8]
    test_labels: NDArray[np.int_]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.training_labels.max()) + 1

    @property
    def pixels(self) -> int:
        """Pixels per image."""
        return int(self.training_images.shape[1])

    def training(self, noise: float, rng: np.random.Generator, draws: int) -> list[tuple[Bits, Floats]]:
        """Return all training images, equally likely, with other flips in each draw."""
        clean, joint = self.training_images, one_hot(self.training_labels, self.classes)
        return [(flipped(clean, noise, rng), joint) for _ in range(draws)]

    def sample_training(self, count: int, noise: float, rng: np.random.Generator) -> tuple[Bits, Bits]:
        """Draw ``count`` training images, with replacement."""
        which = rng.integers(0, len(self.training_labels), count)
        return flipped(self.training_images[which], noise, rng), self.training_labels[which]

    def sample(self, count: int, noise: float, rng: np.random.Generator) -> tuple[Bits, Bits]:
        """Draw test images, each at most once: of fewer than ``count`` there are all."""
        which = rng.permutation(len(self.test_labels))[:count]
        return flipped(self.test_images[which], noise, rng), self.test_labels[which]

    def bayes_accuracy(self, noise: float, sample: Bits | None = None) -> None:
        """Return None: what noise and other writers do to a class is not known."""


@dataclass(frozen=True)
class _Labelled:
    """Contents of a file: values, shape (images, pixels); labels, shape (images,); where each image is."""

    values: Floats
    labels: NDArray[np.int_]
    places: list[str]

    def __post_init__(self) -> None:
        """Check what holds of any source; what is read once serves many jobs, so nobody may write to it."""
        bad = np.argwhere(~np.isfinite(self.values))
        if len(bad):
            row, pixel = bad[0]
            raise ConfigError(f"{self.places[row]}: pixel {pixel} must be finite, got {self.values[row, pixel]}")
        self.values.setflags(write=False)
        self.labels.setflags(write=False)

    def bits(self, threshold: float | None) -> NDArray[np.int8]:
        """Return the values as bits: 1 from ``threshold`` on; without one they must be 0 and 1."""
        v = self.values
        if threshold is None:
            other = np.argwhere((v != 0) & (v != 1))
            if len(other):
                row, pixel = other[0]
                raise ConfigError(
                    f"{self.places[row]}: pixel {pixel} is {v[row, pixel]:g}, neither 0 nor 1: set images.threshold, from which on a grey "
                    "value is 1"
                )
            return v.astype(np.int8)
        return (v >= threshold).astype(np.int8)


def _label(text: str, where: str) -> int:
    try:
        value = float(text)
        if 0 <= value <= _LARGEST and value == int(value):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise ConfigError(
        f"{where}: label '{text:.40}' must be an integer from 0 on; a header begins with 'label' or has no number, and a column before "
        "the label, such as an index, has no place"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_csv(file: Path, content: bytes) -> _Labelled:
    """Read a label and pixels from each row; the first one may be a header: it begins with 'label', or has no number."""
    values: list[Floats] = []
    labels: list[int] = []
    places: list[str] = []
    first = ""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        for row in rows:
            where = f"{file}:{rows.line_num}"
            if not row:
                continue
            if len(row) < 2:
                raise ConfigError(f"{where}: a row is a label, then pixels, separated by commas, got '{row[0]:.40}'")
            if not first:
                first = where
                if row[0].strip().lower() == "label" or not any(map(_is_number, row)):
                    continue
            if values and len(row) - 1 != len(values[0]):
                raise ConfigError(
                    f"{where}: {len(row) - 1} pixels, but {places[0]} has {len(values[0])}: give every image as many"
                )
            labels.append(_label(row[0], where))
            try:
                pixels = np.array([float(v) for v in row[1:]])
            except ValueError:
                column, text = next((i, v) for i, v in enumerate(row[1:]) if not _is_number(v))
                raise ConfigError(f"{where}: pixel {column} must be a number, got '{text:.40}'") from None
            values.append(pixels)
            places.append(where)
    except (csv.Error, UnicodeDecodeError) as cause:
        raise ConfigError(f"{file}: no CSV in UTF-8: {cause}") from None
    if not values:
        raise ConfigError(f"{file}: no image in it: a row is a label, then pixels")
    return _Labelled(np.array(values), np.array(labels), places)


def _read_npz(file: Path, content: bytes) -> _Labelled:
    """Read the arrays ``images`` and ``labels``."""
    how = "write it with numpy.savez(file, images=..., labels=...)"
    try:
        data = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(data, np.lib.npyio.NpzFile):
            raise ConfigError(f"{file}: one array, no npz: {how}")
        missing = {"images", "labels"} - set(data.files)
        if missing:
            raise ConfigError(
                f"{file}: array '{min(missing)}' is missing, there are {', '.join(data.files) or 'none'}: {how}"
            )
        images, labels = data["images"], data["labels"]
    except ConfigError:
        raise
    # RuntimeError: encrypted; MemoryError, OverflowError: a shape that its header makes up
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, MemoryError, OverflowError) as cause:
        raise ConfigError(f"{file}: no npz that can be read without pickle ({cause}): {how}") from None
    for name, array, kinds, word in (("images", images, "buif", "numbers"), ("labels", labels, "ui", "integers")):
        if not isinstance(array, np.ndarray) or array.dtype.kind not in kinds:
            got = f"dtype {array.dtype}" if isinstance(array, np.ndarray) else "no array"
            raise ConfigError(f"{file}: array '{name}' must hold {word}, got {got}: convert it")
    if images.ndim not in (2, 3) or labels.ndim != 1 or len(images) != len(labels) or not images.size:
        raise ConfigError(
            f"{file}: images must have shape (n, rows, cols) or (n, pixels), and labels (n,), n at least 1; got {images.shape} and "
            f"{labels.shape}"
        )
    places = [f"{file}: image {i}" for i in range(len(labels))]
    odd = np.flatnonzero((labels < 0) | (labels > _LARGEST))
    if len(odd):
        raise ConfigError(f"{places[odd[0]]}: label {labels[odd[0]]} must be an integer from 0 on")
    return _Labelled(images.reshape(len(labels), -1).astype(float), labels.astype(int), places)


def _read_digits() -> _Labelled:
    from sklearn.datasets import load_digits  # a second to import, which no other images need

    values, labels = load_digits(return_X_y=True)
    return _Labelled(values, labels.astype(int), [f"{DIGITS}: image {i}" for i in range(len(labels))])


def _read_patterns(file: Path, sha256: str | None) -> ImageSet:
    classes = read_yaml(file, "images", sha256)
    if not are_patterns(classes):
        raise ConfigError(f"{file}: {PATTERNS_RULE}")
    try:
        return ImageSet.from_text(classes)
    except ConfigError as cause:
        raise ConfigError(f"{file}: {cause}") from None


@lru_cache(maxsize=2)  # the jobs of a study, and the parts of a job, share a file
def _read_labelled(name: str, sha256: str | None) -> _Labelled:
    if sha256 is None:
        return _read_digits()
    file = Path(name)
    content = file.read_bytes()
    check_content(file, content, sha256)
    return _read_csv(file, content) if file.suffix == ".csv" else _read_npz(file, content)


def _split(labels: NDArray[np.int_], test_share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which images are for the test: of each class that share, at least one, and at least one for training."""
    test = np.zeros(len(labels), bool)
    for label in range(labels.max() + 1):
        own = np.flatnonzero(labels == label)
        test[rng.permutation(own)[: min(max(1, round(test_share * len(own))), len(own) - 1)]] = True
    return test


def read_images(
    name: str,
    threshold: float | None,
    test_share: float,
    test_name: str | None,
    rng: np.random.Generator,
    *,
    sha256: str | None = None,
    test_sha256: str | None = None,
) -> Images:
    """Read images.

    Args:
        name: ``digits``, or a file: ``.yaml`` with patterns as in a configuration; ``.csv`` with a row for each image, its label and then
            its pixels; ``.npz`` with arrays ``images``, shape (n, rows, cols) or (n, pixels), and ``labels``, shape (n,).
        threshold: from which grey value on a pixel is 1; None: all are 0 or 1 as they are.
        test_share: of each class' images, for the test, 0 .. 1.
        test_name: where the test images are instead; all of ``name`` are for training then.
        rng: chooses the test images.
        sha256, test_sha256: digests that the files must have; None: any.

    Raises:
        ConfigError: a file cannot be read, with line or image, value and what to do, or has another digest.
    """
    try:
        if Path(name).suffix == ".yaml":
            return _read_patterns(Path(name), sha256)
        found = _read_labelled(name, None if name == DIGITS else sha256 or sha256_of(name))
        other = _read_labelled(test_name, test_sha256 or sha256_of(test_name)) if test_name else None
    except OSError as cause:
        raise ConfigError(f"images: cannot read '{cause.filename}': {cause.strerror}") from None
    bits, labels = found.bits(threshold), found.labels
    if bits.min() == bits.max():
        raise ConfigError(
            f"{name}: every pixel of every image is {bits.min()}"
            + (f" with images.threshold {threshold:g}: the values are {found.values.min():g} .. {found.values.max():g}: set one between them"
               if threshold is not None else ": there is nothing to tell the classes by")
        )  # fmt: skip
    if labels.max() >= len(labels):  # before an array of that length is made
        raise ConfigError(
            f"{found.places[int(labels.argmax())]}: label {labels.max()}, of {len(labels)} images: number the classes from 0 on"
        )
    counts = np.bincount(labels)
    needed = 1 if other else 2
    few = np.flatnonzero(counts < needed)
    if len(counts) < 2 or len(few):
        what = f"class {few[0]} has {counts[few[0]]}" if len(few) else "there is one class"
        raise ConfigError(
            f"{name}: {what}: classes are numbered from 0 on without a gap, two at least, and each needs {needed} images"
        )
    if other is None:
        test = _split(labels, test_share, rng)
        return DataSet(bits[~test], labels[~test], bits[test], labels[test])
    if other.values.shape[1] != bits.shape[1]:
        raise ConfigError(
            f"{test_name}: images of {other.values.shape[1]} pixels, but those of {name} have {bits.shape[1]}"
        )
    if other.values.shape == found.values.shape and (other.values == found.values).all():
        raise ConfigError(
            f"{test_name}: the same images as {name}, so that the test would tell nothing: give others, or leave test_file out"
        )
    unknown = np.flatnonzero(other.labels >= len(counts))
    if len(unknown):
        raise ConfigError(
            f"{other.places[unknown[0]]}: label {other.labels[unknown[0]]} is unknown: {name} has classes 0 .. {len(counts) - 1}"
        )
    return DataSet(bits, labels, other.bits(threshold), other.labels)
