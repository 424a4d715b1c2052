# SPDX-License-Identifier: BSD-3-Clause
"""Images from files: every format gives the same, every fault is told with its place and what to do."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyharness.bench.job import build_job
from pyharness.config import ImageSource, SimConfig, load_config
from pyharness.errors import ConfigError
from pyharness.network.datasets import DataSet, read_images
from pyharness.network.images import Images, ImageSet
from pyharness.pinned import sha256_of

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 2])
GREY = np.random.default_rng(4).integers(0, 17, (10, 2, 3))


def read(name: Path | str, threshold: float | None = None, share: float = 0.3, test: Path | None = None) -> Images:
    return read_images(str(name), threshold, share, str(test) if test else None, np.random.default_rng(1))


def data(name: Path | str, *words: Any) -> DataSet:
    found = read(name, *words)
    assert isinstance(found, DataSet)
    return found


def csv_text(values: Any, labels: Any = LABELS) -> str:
    return "".join(
        f"{k},{','.join(map(str, v))}\n" for k, v in zip(labels, values.reshape(len(labels), -1), strict=True)
    )


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_every_format_gives_the_same(tmp_path: Path) -> None:
    """CSV with and without a header, npz of two shapes, and as bits without a threshold."""
    bits = (GREY >= 8).astype(int)
    header = "label,0,1,2,3,4,5\n"
    words = "class,a,b,c,d,e,f\n"
    files = [
        (write(tmp_path / "a.csv", csv_text(GREY)), 8.0),
        (write(tmp_path / "b.csv", "\ufeff" + header + csv_text(GREY) + "\n"), 8.0),
        (write(tmp_path / "c.csv", words + csv_text(bits).replace("\n", "\r\n")), None),
        (save(tmp_path / "d.npz", images=GREY, labels=LABELS), 7.5),
        (save(tmp_path / "e.npz", images=bits.reshape(10, 6).astype(bool), labels=LABELS.astype(np.uint8)), None),
    ]
    found = [data(file, threshold) for file, threshold in files]
    assert len(set(found)) == 1
    (one, *_) = found
    assert (one.classes, one.pixels) == (3, 6)
    every = {*map(bytes, np.column_stack([LABELS, bits.reshape(10, 6)]).astype(np.int8))}
    images, labels = (
        np.concatenate([getattr(one, f"{part}_{w}") for part in ("training", "test")]) for w in ("images", "labels")
    )
    assert {*map(bytes, np.column_stack([labels, images]).astype(np.int8))} == every


def test_patterns_from_a_file(tmp_path: Path) -> None:
    """As in the configuration, of three classes."""
    file = write(tmp_path / "a.yaml", '- [["##", ".."]]\n- [["..", "##"]]\n- [["#.", ".#"]]\n')
    assert read(file) == ImageSet.from_text([[["##", ".."]], [["..", "##"]], [["#.", ".#"]]])


def test_the_split_is_of_each_class_and_seeded() -> None:
    """Three tenths of each digit, none in both parts; another seed, another split."""
    one, again = data("digits", 8.0), data("digits", 8.0)
    other = read_images("digits", 8.0, 0.3, None, np.random.default_rng(2))
    assert one == again
    assert hash(one) == hash(again)
    assert one != other
    counts = np.bincount(one.training_labels) + np.bincount(one.test_labels)
    assert counts.sum() == 1797
    assert np.bincount(one.test_labels).tolist() == [round(0.3 * n) for n in counts]
    assert np.bincount(data("digits", 8.0, 1e-6).test_labels).tolist() == [1] * 10


def test_test_images_are_drawn_once_each_and_flipped() -> None:
    """All of few, in another order; noise flips that share of the pixels, in training as in the test."""
    digits, rng = data("digits", 8.0), np.random.default_rng(1)
    images, labels = digits.sample(10_000, 0.0, rng)
    assert sorted(map(bytes, images.astype(np.int8))) == sorted(map(bytes, digits.test_images))
    assert np.bincount(labels).tolist() == np.bincount(digits.test_labels).tolist()
    assert len(digits.sample(20, 0.0, rng)[1]) == 20
    one, two = (bits for bits, _ in digits.training(0.1, rng, 2))
    assert (one != digits.training_images).mean() == pytest.approx(0.1, abs=4 * 0.3 / np.sqrt(one.size))
    assert (one != two).mean() == pytest.approx(0.18, abs=0.01)
    assert digits.bayes_accuracy(0.1) is None


def test_test_images_from_another_file(tmp_path: Path) -> None:
    """All of the first file are for training."""
    a, b = (write(tmp_path / f"{n}.csv", csv_text(GREY + d)) for n, d in (("a", 0), ("b", 1)))
    found = data(a, 8.0, 0.3, b)
    assert np.array_equal(found.training_images, (GREY >= 8).reshape(10, 6))
    assert np.array_equal(found.test_images, (GREY + 1 >= 8).reshape(10, 6))
    other = write(tmp_path / "c.csv", "0,1,1\n")
    with pytest.raises(ConfigError, match=r"c\.csv: images of 2 pixels, but those of .*a\.csv have 6"):
        read(a, 8.0, 0.3, other)
    with pytest.raises(ConfigError, match=r"d\.csv:1: label 3 is unknown: .*a\.csv has classes 0 \.\. 2"):
        read(a, 8.0, 0.3, write(tmp_path / "d.csv", "3,1,1,1,1,1,9\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,0\n1,1\n", r"a\.csv:2: 1 pixels, but .*a\.csv:1 has 2"),
        ("label,x,y\n0,1,0\n1,1,0,1\n", r"a\.csv:3: 3 pixels, but .*a\.csv:2 has 2"),
        ("0,1,0\none,1,1\n", r"a\.csv:2: label 'one' must be an integer"),
        ("one,1,0\n0,1,1\n", r"a\.csv:1: label 'one' must be an integer"),
        ("0,1,0\n-1,1,1\n", r"a\.csv:2: label '-1' must be an integer from 0 on"),
        ("0.5,1,0\n", r"a\.csv:1: label '0\.5' must be"),
        ("inf,1,0\n", r"a\.csv:1: label 'inf' must be"),
        ("0,1,0\n1,1,x\n", r"a\.csv:2: pixel 1 must be a number, got 'x'"),
        ("0,1,0\n1,1,nan\n", r"a\.csv:2: pixel 1 must be finite, got nan"),
        ("0,1,0\n1,7,1\n", r"a\.csv:2: pixel 0 is 7, neither 0 nor 1: set images\.threshold"),
        ("0,1,0\n0,1,1\n2,0,0\n2,1,1\n", r"class 1 has 0: classes are numbered from 0 on without a gap"),
        ("0,1,0\n0,1,1\n1,0,0\n", r"class 1 has 1: .*each needs 2 images"),
        ("0,1,0\n0,1,1\n", r"there is one class"),
        ("0,1,0\n999999999999,1,1\n", r"a\.csv:2: label 999999999999, of 2 images"),
        ("0;1;0\n", r"a\.csv:1: a row is a label, then pixels, separated by commas, got '0;1;0'"),
        ("label,x,y\n", r"no image in it"),
        ("", r"no image in it"),
        (b"\xff\xfe0,1\n", r"no CSV in UTF-8"),
        ('0,"1,0\n', r"no CSV in UTF-8"),
    ],
)
def test_faulty_csv(tmp_path: Path, text: str | bytes, message: str) -> None:
    """With file and line."""
    with pytest.raises(ConfigError, match=message):
        read(write(tmp_path / "a.csv", text))


ZEROS = np.zeros((4, 2, 2), int)
TWO = np.array([0, 0, 1, 1])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": ZEROS}, r"a\.npz: array 'labels' is missing, there are images"),
        ({"images": ZEROS, "labels": TWO.astype(float)}, r"'labels' must hold integers, got dtype float64"),
        ({"images": ZEROS.astype(complex), "labels": TWO}, r"'images' must hold numbers, got dtype complex128"),
        ({"images": ZEROS, "labels": TWO[:3]}, r"got \(4, 2, 2\) and \(3,\)"),
        ({"images": ZEROS[0, 0], "labels": TWO}, r"must have shape \(n, rows, cols\)"),
        ({"images": ZEROS[:0], "labels": TWO[:0]}, r"n at least 1"),
        ({"images": ZEROS, "labels": TWO - 1}, r"a\.npz: image 0: label -1 must be"),
        ({"images": ZEROS + 9, "labels": TWO}, r"a\.npz: image 0: pixel 0 is 9, neither 0 nor 1"),
        ({"images": ZEROS + np.inf, "labels": TWO}, r"image 0: pixel 0 must be finite, got inf"),
        ({"images": np.array([{}] * 4), "labels": TWO}, r"without pickle"),
    ],
)
def test_faulty_npz(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    """With array, image and value; a pickled one is not opened."""
    with pytest.raises(ConfigError, match=message):
        read(save(tmp_path / "a.npz", **arrays))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off", b"\x80\x04N."])
def test_no_npz_at_all(tmp_path: Path, content: bytes) -> None:
    """Empty, text, cut off, a pickle."""
    with pytest.raises(ConfigError, match=r"a\.npz: no npz that can be read without pickle"):
        read(write(tmp_path / "a.npz", content))


def test_other_faults(tmp_path: Path) -> None:
    """A missing file, an npy in its place, a threshold outside the values, patterns that are none."""
    with pytest.raises(ConfigError, match=r"cannot read '.*none\.csv': No such file"):
        read(tmp_path / "none.csv")
    with (tmp_path / "a.npz").open("wb") as stream:
        np.save(stream, ZEROS)
    with pytest.raises(ConfigError, match=r"one array, no npz"):
        read(tmp_path / "a.npz")
    with pytest.raises(
        ConfigError, match=r"every pixel of every image is 0 with images\.threshold 99: the values are 0 \.\. 16"
    ):
        read("digits", 99.0)
    for text, message in (
        ("{a: 1}", "must be a list of classes"),
        ("- [[1, 2]]", "must be a list"),
        ("[", "is not plain YAML"),
        ("[" * 5000, "is not plain YAML"),
        ("- [[2001-99-99]]", "is not plain YAML"),
    ):
        with pytest.raises(ConfigError, match=rf"a\.yaml'?:? {message}"):
            read(write(tmp_path / "a.yaml", text))
    with pytest.raises(ConfigError, match=r"a\.yaml: images: two classes"):
        read(write(tmp_path / "a.yaml", '- [["#"]]'))


def test_archives_that_are_none(tmp_path: Path) -> None:
    """Encrypted, with a member that is no array, with a shape that its header makes up, with labels beyond any class."""
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images", b"no array")
        archive.writestr("labels", b"none either")
    with pytest.raises(ConfigError, match=r"array 'images' must hold numbers, got no array"):
        read(path)
    np.savez(path, images=ZEROS[:2], labels=np.array([0, 2**63], np.uint64))
    with pytest.raises(ConfigError, match=r"image 1: label 9223372036854775808 must be an integer from 0 on"):
        read(path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50, 9)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header.getvalue())
        archive.writestr("labels.npy", header.getvalue())
    with pytest.raises(ConfigError, match=r"no npz that can be read without pickle"):
        read(path)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 1)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"no npz that can be read without pickle .*encrypted"):
        read(path)


def test_another_content_is_refused(tmp_path: Path) -> None:
    """Where the configuration holds a digest; without one what is there is read, anew when it has changed."""
    path = write(tmp_path / "a.csv", "0,1,0\n0,1,1\n1,0,1\n1,0,0\n")
    digest = sha256_of(path)
    rng = np.random.default_rng(1)
    assert read_images(str(path), None, 0.5, None, rng).pixels == 2
    write(path, "0,1,0,1\n0,1,1,1\n1,0,1,1\n1,0,0,0\n")
    assert sha256_of(path) != digest
    assert read_images(str(path), None, 0.5, None, rng).pixels == 3
    # what was read of that content is still known, and the same
    assert read_images(str(path), None, 0.5, None, rng, sha256=digest).pixels == 2
    with pytest.raises(ConfigError, match=rf"another file than the job was made for: .*{'0' * 64}"):
        read_images(str(path), None, 0.5, None, rng, sha256="0" * 64)


def test_the_test_is_not_the_training(tmp_path: Path) -> None:
    """Also under another name; a test file of one image, or of blank ones, is in order."""
    text = "0,1,0\n0,1,1\n1,0,1\n1,0,0\n"
    first, copy, blank = (write(tmp_path / f"{n}.csv", t) for n, t in (("a", text), ("b", text), ("c", "1,0,0\n")))
    for other in (first, copy):
        with pytest.raises(ConfigError, match=rf"{other.name}: the same images as "):
            read_images(str(first), None, 0.5, str(other), np.random.default_rng(1))
    found = read_images(str(first), None, 0.5, str(blank), np.random.default_rng(1))
    assert isinstance(found, DataSet)
    assert found.test_labels.tolist() == [1]


def test_a_path_counts_from_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word alone is a file; from another folder it is the same one."""
    write(tmp_path / "a.csv", csv_text(GREY >= 8).replace("True", "1").replace("False", "0"))
    write(tmp_path / "short.yaml", "images: a.csv\n")
    write(tmp_path / "long.yaml", "images: {file: a.csv, test_file: a.csv}\n")
    monkeypatch.chdir("/")
    for name in ("short", "long"):
        source = load_config(tmp_path / f"{name}.yaml").images
        assert source.file == str(tmp_path / "a.csv")
    assert source.test_file == source.file
    write(tmp_path / "digits.yaml", "images: digits\n")
    assert load_config(tmp_path / "digits.yaml").images == ImageSource(file="digits")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("{file: digits, treshold: 8}", r"unknown key 'images\.treshold': did you mean 'threshold'\?"),
        ("{file: a.png}", r"images\.file: .*must be digits or the path of a \.yaml, \.csv, \.npz file"),
        ("{}", r"images: .*patterns or file is needed"),
        ("{file: digits, patterns: []}", r"only one of them"),
        ("{file: a.yaml, threshold: 8}", r"leave threshold and test_file out"),
        ("{file: a.csv, test_file: b.yaml}", r"test_file must hold labelled images"),
        ("{file: a.csv, test_share: 1.0}", r"images\.test_share: .*less than 1, got 1\.0"),
        ("{file: a.csv, threshold: .inf}", r"images\.threshold: .*finite"),
    ],
)
def test_faulty_keys(tmp_path: Path, images: str, message: str) -> None:
    """Told as others are."""
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path / "user.yaml", f"images: {images}\n"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": {"readout": "output"}}, r"readout output tells two classes apart, the images have 10"),
        ({"training": {"noise": "optimised"}}, r"training\.noise optimised .*10 classes, 64 pixels and are a data set"),
        ({"training": {"levels": 5}}, r"training\.readout largest, for 10 classes"),
        (
            {"engine": "numpy", "training": {"method": "in_the_loop", "samples": 9}},
            r"method in_the_loop.* for 10 classes",
        ),
        ({"engine": "numpy", "training": {"method": "manhattan"}}, r"set training\.samples"),
        ({"write_verify": {"read_v": 0.1}}, r"64 pixels at write_verify\.read_v of 0\.1 V need 6400 codes"),
    ],
)
def test_jobs_that_cannot_be_built(change: dict[str, Any], message: str) -> None:
    """Faults that the images bring with them."""
    base = {"engine": "numpy", "images": {"file": "digits", "threshold": 8}, "write_verify": {"read_v": 0.03}}
    with pytest.raises(ConfigError, match=message):
        build_job(SimConfig.model_validate(base | change))


def test_more_than_the_controller_holds(tmp_path: Path) -> None:
    """Of pixels, where there is one; of classes, everywhere."""
    wide = [[["#" * 70]], [["." * 70]]]
    read_v = {"read_v": 0.02}
    with pytest.raises(
        ConfigError, match=r"images of 70 pixels: the controller's IMAGE registers.* 64 bits: set engine to numpy"
    ):
        build_job(SimConfig.model_validate({"images": wide, "engine": "behavioural", "write_verify": read_v}))
    bits = (np.arange(33)[:, None] >> np.arange(6)) & 1
    many = save(tmp_path / "a.npz", images=np.tile(bits, (2, 1)), labels=np.tile(np.arange(33), 2))
    with pytest.raises(ConfigError, match=r"images of 33 classes: .* 32 neurons at most"):
        build_job(SimConfig.model_validate({"images": str(many)}))
