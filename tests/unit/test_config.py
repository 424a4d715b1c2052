# SPDX-License-Identifier: BSD-3-Clause
"""Configurations: defaults, and every fault told with file, key, value and way out."""

from pathlib import Path

import pytest

from pyharness.bench.job import build_job
from pyharness.config import SimConfig, load_config
from pyharness.errors import ConfigError


def test_shipped_configuration_is_the_default() -> None:
    """sim.yaml documents the defaults; it must not drift from them."""
    assert load_config() == SimConfig()


def test_a_shipped_configuration_is_found_by_name() -> None:
    """``smoke`` stands for configs/smoke.yaml."""
    assert load_config("smoke").test.count < 50


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tset: {count: 1}", r"unknown key 'tset': did you mean 'test'\?"),
        ("write_verify: {tolerence: 0.1}", r"unknown key 'write_verify\.tolerence': did you mean 'tolerance'\?"),
        ("zzz: 1", r"unknown key 'zzz': the keys here are seed, device"),
        ("test: {count: 0}", r"test\.count: Input should be greater than or equal to 1, got 0"),
        ("test: {count: many}", r"test\.count: .*got 'many'"),
        ("solver: {reltol: .nan}", r"solver\.reltol: .*got nan"),
        ("seed: -1", r"seed: .*got -1"),
        ("seed: 1\nseed: 2", r"key 'seed' is given twice"),
        ("a: !!python/object/apply:os.system [ls]", r"is not plain YAML"),
        ("[1, 2]", r"must be a mapping of keys, got list"),
        ("{", r"is not plain YAML"),
        ("training: {window_siemens: [2.0e-4, 1.0e-4]}", r"lowest below highest"),
        ("write_verify: {set_start_v: 1.2, set_max_v: 1.0}", r"set_start_v must not exceed set_max_v"),
    ],
)
def test_faults_are_told(tmp_path: Path, text: str, message: str) -> None:
    """One message names file, key and value."""
    path = tmp_path / "user.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"user\.yaml'?[\s\S]*{message}"):
        load_config(path)


def test_a_missing_file_lists_the_shipped_ones(tmp_path: Path) -> None:
    """Also a binary file is refused."""
    with pytest.raises(ConfigError, match=r"cannot read configuration .*shipped ones: sim, smoke"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "bin.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not plain YAML"):
        load_config(tmp_path / "bin.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": {"window_siemens": [1e-5, 4e-4]}}, r"leaves the reach of card 'chromium', \S+e-05 \.\. 0\.\d+ S"),
        ({"training": {"window_siemens": [1e-4, 9e-4]}}, r"leaves the reach of card 'chromium'"),
        (
            {"device": {"card": "kryptonite"}},
            r"no device card 'kryptonite': give one of carbon, chromium, tin, tungsten, or",
        ),
        ({"device": {"card": "x\n.control\nshell ls"}}, r"no device card"),
        ({"write_verify": {"read_v": 0.2}, "training": {"window_siemens": [1e-4, 4e-4]}}, r"outside 1 \.\. 2047"),
        ({"images": [[["##"]], [["##"]]]}, r"belongs to both classes"),
    ],
)
def test_jobs_that_cannot_be_built(change: dict[str, object], message: str) -> None:
    """Faults that only the whole job shows."""
    with pytest.raises(ConfigError, match=message):
        build_job(SimConfig.model_validate(change))
