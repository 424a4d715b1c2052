# SPDX-License-Identifier: BSD-3-Clause
"""Several blocks in one run, in the simulator's process and in one of ngspice's own."""

from pathlib import Path

import pytest

from pyharness.cosim import simulate

HERE = Path(__file__).parent


@pytest.mark.parametrize("isolated", ["0", "1"], ids=["one process", "two processes"])
def test_blocks_run_together(tmp_path: Path, isolated: str) -> None:
    """All of several_tests.py."""
    result = simulate(
        [HERE / "several.v"], "several_top", "several_tests", tmp_path, python_path=[HERE], environment={"PYHARNESS_ISOLATED": isolated}
    )  # fmt: skip
    assert result.tests == 10
