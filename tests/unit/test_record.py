# SPDX-License-Identifier: BSD-3-Clause
"""The result record."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scipy.stats import binomtest

from pyharness.bench.runner import read_record
from pyharness.errors import SimulationError
from pyharness.record import Record, peripheral_training_j, wilson_interval, write_record


@pytest.mark.parametrize(("correct", "total"), [(595, 600), (0, 5), (5, 5), (50, 100)])
def test_wilson_interval_against_scipy(correct: int, total: int) -> None:
    """The same interval as SciPy's."""
    exact = binomtest(correct, total).proportion_ci(method="wilson")
    assert wilson_interval(correct, total) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_wilson_interval_holds_its_proportion() -> None:
    """To the last bit, for every count: an error bar has no negative length."""
    for total in range(1, 200):
        for correct in (0, 1, total // 2, total - 1, total):
            low, high = wilson_interval(correct, total)
            assert 0 <= low <= correct / total <= high <= 1, (correct, total)


def record() -> Record:
    return Record(seed=1, engine="e", tools={}, command="c", config={})


def test_a_record_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Nothing but results.json stays in the folder, and it reads back."""
    write_record(record(), tmp_path)
    write_record(record().model_copy(update={"seed": 2}), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]
    assert read_record(tmp_path).seed == 2


def test_unreadable_records_are_told(tmp_path: Path) -> None:
    """Missing, broken and foreign files."""
    with pytest.raises(SimulationError, match=r"no readable results\.json"):
        read_record(tmp_path)
    for text in ("{", '{"schema_version": 99}'):
        (tmp_path / "results.json").write_text(text)
        with pytest.raises(SimulationError, match=r"no readable results\.json"):
            read_record(tmp_path)


def test_the_periphery_is_stated_apart() -> None:
    """Twelve rows, two references, four columns and the logic, over the training time; nothing without a time or an assumption."""
    config = {"peripheral": {"row_w": 1e-3, "column_w": 2e-2, "logic_w": 3.0}}
    network = {"layers": [[9, 3], [3, 1]]}
    whole = record().model_copy(update={"config": config, "network": network, "training_time_s": 2.0})
    assert peripheral_training_j(whole) == pytest.approx(2 * (14e-3 + 4 * 2e-2 + 3))
    for missing in ({"config": {}}, {"network": {}}, {"training_time_s": None}):
        assert peripheral_training_j(whole.model_copy(update=missing)) is None


def test_the_schema_is_printed() -> None:
    """``pyharness schema record`` gives the JSON schema with the published fields."""
    done = subprocess.run(
        [sys.executable, "-m", "pyharness", "schema", "record"], capture_output=True, text=True, check=True
    )
    fields = json.loads(done.stdout)["properties"]
    assert {"schema_version", "seed", "engine", "tools", "devices", "training_time_s", "energy_j", "accuracy"} <= set(
        fields
    )
