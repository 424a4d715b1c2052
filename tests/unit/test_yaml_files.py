# SPDX-License-Identifier: BSD-3-Clause
"""Files in YAML wherever they are read: odd ones and misspelt keys are each told in one message that names the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pyharness.config import load_config
from pyharness.errors import ConfigError
from pyharness.fit import load_plan
from pyharness.network.datasets import read_images
from pyharness.resources import config_dir, model_dir
from pyharness.study.execute import Workers, connect
from pyharness.study.spec import load_study
from pyharness.veriloga import load_card
from pyharness.yamlfile import MOST_BYTES


def images(path: Path) -> None:
    read_images(str(path), None, 0.3, None, np.random.default_rng(1))


def cluster(path: Path) -> None:
    with connect(Workers(cluster=path)):
        raise AssertionError("a faulty cluster file was taken")


READERS: dict[str, Callable[[Path], object]] = {
    "configuration": load_config,
    "study": load_study,
    "card": load_card,
    "fit plan": load_plan,
    "cluster file": cluster,
    "images": images,
}
VALID = {
    "configuration": config_dir() / "sim.yaml",
    "study": config_dir() / "paper.yaml",
    "card": model_dir() / "msdc" / "cards" / "chromium.yaml",
    "fit plan": model_dir() / "msdc" / "fit.yaml",
}


def told(what: str, path: Path) -> str:
    """Return the message for a file."""
    with pytest.raises(ConfigError) as caught:
        READERS[what](path)
    assert f"{what} '{path}'" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", "key 'a' is given twice"),
        ("name: Größe\n".encode("latin-1"), "is not text in UTF-8"),
        (b"\x80\x02\x00\xffabc", "is not text in UTF-8"),
        (b"a: \x00\n", "is not plain YAML: unacceptable character #x0000"),
        (b"{a: [1, 2\n", "is not plain YAML"),
        (b"--- 1\n--- 2\n", "expected a single document"),
        (b"!!python/object/apply:os.system [ls]", "is not plain YAML"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (MOST_BYTES + 1), "has more than 16 MiB"),
    ],
    ids=["twice", "latin-1", "binary", "nul", "broken", "documents", "code", "deep", "huge"],
)
def test_odd_files_are_told(tmp_path: Path, what: str, content: bytes, message: str) -> None:
    """Whatever is in them."""
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    assert message in told(what, path)


@pytest.mark.parametrize("what", READERS)
def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A missing file, a folder, a file without permission (which root has in any case)."""
    missing = tmp_path / "missing.yaml"
    with pytest.raises(ConfigError, match=r"missing\.yaml'.*[nN]o such file"):
        READERS[what](missing)
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    assert "Is a directory" in told(what, folder)

    denied = tmp_path / "denied.yaml"
    denied.touch()
    granted = Path.open

    def open_or_refuse(path: Path, *words: Any, **named: Any) -> Any:
        if path == denied:
            raise PermissionError(13, "Permission denied", str(path))
        return granted(path, *words, **named)

    monkeypatch.setattr(Path, "open", open_or_refuse)
    assert "Permission denied" in told(what, denied)


def test_an_empty_file_lacks_what_is_needed(tmp_path: Path) -> None:
    """A configuration needs nothing: all of it has a default."""
    path = tmp_path / "empty.yaml"
    path.touch()
    assert load_config(path) == load_config()
    for what, message in (
        ("study", "study: this key is missing"),
        ("card", "model: this key is missing"),
        ("fit plan", "parameters: this key is missing"),
        ("cluster file", "kind must be one of slurm"),
    ):
        assert message in told(what, path)
    with pytest.raises(ConfigError, match=r"empty\.yaml: must be a list of classes"):
        images(path)


@pytest.mark.parametrize(
    ("what", "place", "key", "near"),
    [
        ("configuration", [], "devise", "device"),
        ("configuration", ["write_verify"], "set_pulse", "set_pulse_s"),
        ("configuration", ["training"], "hiden", "hidden"),
        ("study", [], "statments", "statements"),
        ("study", ["series", 0], "repeat", "repeats"),
        ("study", ["statements", 0], "metrik", "metric"),
        ("study", ["spot_checks", 0], "enginee", "engine"),
        ("card", [], "windows_siemens", "window_siemens"),
        ("card", ["spread"], "cycle_to_cycl", "cycle_to_cycle"),
        ("card", ["spread", "cycle_to_cycle", "v_on"], "sigmas", "sigma"),
        ("card", ["hold"], "read_10000", "reads_10000"),
        ("fit plan", [], "parameter", "parameters"),
        ("fit plan", ["parameters", "r_on"], "scales", "scale"),
    ],
)
def test_a_misspelt_key_is_told_with_the_right_one(
    tmp_path: Path, what: str, place: list[Any], key: str, near: str
) -> None:
    """At every depth: sections, lists, mappings by name."""
    data = inside = yaml.safe_load(VALID[what].read_text())
    for part in place:
        inside = inside.setdefault(part, {}) if isinstance(inside, dict) else inside[part]
    inside[key] = 1
    path = tmp_path / "user.yaml"
    path.write_text(yaml.safe_dump(data))
    assert f"unknown key '{'.'.join(map(str, [*place, key]))}': did you mean '{near}'?" in told(what, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: slurmm", "kind must be one of slurm, lsf, sge, pbs, htcondor, got 'slurmm': did you mean 'slurm'?"),
        ("{kind: slurm, memry: 2GB}", "unknown key 'memry': did you mean 'memory'?"),
        ("{kind: slurm, acount: a}", "unknown key 'acount': did you mean 'account'?"),
        ("{kind: slurm, job: 3}", "unknown key 'job': did you mean 'jobs'?"),
        ("{kind: lsf, zzz: 3}", "unknown key 'zzz': LSFCluster of dask-jobqueue says what there is"),
    ],
)
def test_a_misspelt_key_of_a_cluster(tmp_path: Path, text: str, message: str) -> None:
    """Those of the queue's own class and of the classes above it."""
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    assert message in told("cluster file", path)


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        ([], {"base": {"engine": "nump"}}, "engine: Input should be 'ngspice', 'behavioural' or 'numpy', got 'nump': did you mean 'numpy'?"),
        (["statements", 0], {"metric": "acuracy"}, "got 'acuracy': did you mean 'accuracy'?"),
        (["statements", 0], {"at": {"test.pixel_nose": 0}}, "asks at 'test.pixel_nose', which series "),
        (["spot_checks", 0], {"at": {"zzz": 0}}, "a spot check asks at 'zzz', which series "),
    ],
)  # fmt: skip
def test_a_misspelt_choice_of_a_study(tmp_path: Path, place: list[Any], change: dict[str, Any], message: str) -> None:
    """Before anything runs."""
    from pyharness.study.spec import points

    data = inside = yaml.safe_load(VALID["study"].read_text())
    for part in place:
        inside = inside[part]
    inside.update(change)
    path = tmp_path / "user.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(ConfigError) as caught:
        next(points(load_study(path)))
    assert message in str(caught.value)
