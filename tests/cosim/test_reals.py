# SPDX-License-Identifier: BSD-3-Clause
"""Real-valued pins."""

from pathlib import Path

import pytest

from pyharness.cosim import simulate
from pyharness.errors import SimulationError

HERE = Path(__file__).parent


def run(tmp_path: Path, testcase: str) -> int:
    return simulate(
        [HERE / "reals.v"], "reals_top", "reals_tests", tmp_path, testcase=testcase, python_path=[HERE]
    ).tests


def test_reals_cross_the_border(tmp_path: Path) -> None:
    """Both ways."""
    assert run(tmp_path, "a_real_drives_and_a_real_follows") == 1


def test_an_infinite_real_is_told(tmp_path: Path) -> None:
    """With pin, source and time."""
    with pytest.raises(
        SimulationError, match=r"real pin reals_top\.u_rc\.push \(source vpyh_push\) is not finite at [0-9.e-]+ s"
    ):
        run(tmp_path, "a_real_that_is_not_finite")
