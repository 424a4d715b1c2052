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
        ("zzz: 1", r"unknown key 'zzz': the keys here are seed, engine, device"),
        ("test: {count: -1}", r"test\.count: Input should be greater than or equal to 0, got -1"),
        ("test: {count: many}", r"test\.count: .*got 'many'"),
        ("test: {count: 1.5 images}", r"test\.count: must be a whole number, without a unit, got '1\.5 images'$"),
        (
            "test: {pixel_noise: !!binary aGk=}",
            r"test\.pixel_noise: must be a number, in SI units and without the unit, got b'hi'$",
        ),
        (
            "test: {pixel_noise: 15%}",
            r"test\.pixel_noise: must be a number, in SI units and without the unit, got '15%': write 0\.15$",
        ),
        ("write_verify: {set_pulse_s: 200us}", r"set_pulse_s: must be a number, .* got '200us': write 0\.0002$"),
        ("array: {compliance_ohm: 5.1 kOhm}", r"got '5\.1 kOhm': write 5100$"),
        ("write_verify: {law_v: high}", r"law_v: must be a number, .* got 'high'$"),
        (
            "device: tungsten",
            r"device: must be a section of keys \(card, .*, target\), got 'tungsten': write device: \{card: tungsten\}$",
        ),
        ("training: manhattan", r"got 'manhattan': write training: \{method: manhattan\}$"),
        ("test: 5", r"test: must be a section of keys \(count, pixel_noise\), got 5$"),
        ("device:", r"device: must be a section of keys \(card, .* got None$"),
        (
            "images: [[[0, 1]], [[1, 0]]]",
            r"images\.patterns: must be a list of classes, each a list of patterns, each a list of rows such as '#\.#', in quotes, got "
            r"\[\[\[0, 1\]\], \[\[1, 0\]\]\]$",
        ),
        ("images: {patterns: ['#.', '.#']}", r"images\.patterns: must be a list of classes, .* got \['#\.', '\.#'\]$"),
        ("solver: {reltol: .nan}", r"solver\.reltol: .*got nan"),
        ("seed: -1", r"seed: .*got -1"),
        ("seed: 1\nseed: 2", r"key 'seed' is given twice"),
        ("a: !!python/object/apply:os.system [ls]", r"is not plain YAML"),
        ("[1, 2]", r"must be a mapping of keys, got list"),
        ("{", r"is not plain YAML[\s\S]*in \"\S*user\.yaml\", line 1"),
        ("training: {window_siemens: [2.0e-4, 1.0e-4]}", r"training: window_siemens must be .* lowest below highest"),
        ("write_verify: {set_start_v: 1.2, set_max_v: 1.0}", r"set_start_v must not exceed set_max_v"),
        ("array: {wire_ohm: -1}", r"array\.wire_ohm: Input should be greater than or equal to 0, got -1"),
        (
            "engine: behavioural\narray: {wire_ohm: 50}",
            r"array\.wire_ohm must be 0 with engine: behavioural.* got 50: take engine: ngspice or engine: numpy",
        ),
        (
            "{engine: numpy, training: {start: random, levels: 5, method: manhattan}}",
            r"no software targets that levels",
        ),
        ("training: {start: random}", r"start: random and method: software train nothing"),
        ("training: {levels: 5, gain_limit: 0.5}", r"leave one of them out"),
        ("{engine: numpy, training: {levels: 5, method: in_the_loop}}", r"leave one of them out"),
        ("training: {targets_siemens: [2.0e-4], levels: 5}", r"leave method, levels and gain_limit out"),
        ("training: {gain_limit: 0.5, window_siemens: [1.0e-4, 2.0e-4]}", r"gain_limit .*0\.00025.* does not hold"),
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
    with pytest.raises(
        ConfigError,
        match=r"cannot read configuration .*shipped ones: carbon, digits, sim, smoke, tungsten",
    ):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "bin.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not text in UTF-8"):
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
        ({"training": {"targets_siemens": [2e-4] * 29}}, r"must hold 9 x 3 \+ 3 x 1 = 30 conductances.*got 29"),
        (
            {"training": {"targets_siemens": [2e-4] * 29 + [0.1]}},
            r"targets of 0\.0002 \.\. 0\.1 S .*outside 1 \.\. 2047",
        ),
        (
            {"write_verify": {"trim_v_per_siemens": 1e6}},
            r"trim_v_per_siemens is 250 DAC codes per ADC code.*less than 16",
        ),
    ],
)
def test_jobs_that_cannot_be_built(change: dict[str, object], message: str) -> None:
    """Faults that only the whole job shows."""
    with pytest.raises(ConfigError, match=message):
        build_job(SimConfig.model_validate(change))


def test_given_targets_are_programmed_as_they_are() -> None:
    """Without training, in the array's order; the law's slopes reach the registers as Q4.12 of codes per code."""
    given = [1e-4 + 1e-6 * i for i in range(30)]
    job = build_job(
        SimConfig.model_validate(
            {"training": {"targets_siemens": given}, "write_verify": {"law_v_per_siemens": 1000.0}}
        )
    )
    assert job.targets_siemens.tolist() == given
    assert job.network.g1_siemens[1, 0] == given[3]
    assert job.registers["LAW_SLOPE"] == 1024  # 1000 V/S x 0.25 uS a code is 0.25 mV a code
    assert job.registers["ALGORITHM"] == 2
