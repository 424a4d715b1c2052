# SPDX-License-Identifier: BSD-3-Clause
"""Connect modules, meters and repeated blocks, on ngspice and Icarus."""

from pathlib import Path

from pyharness.cosim import simulate

HERE = Path(__file__).parent


def test_blocks_one_after_another_in_one_process(tmp_path: Path) -> None:
    """All of pins_tests.py in one simulation, each with its own clean block."""
    result = simulate([HERE / "pins.v"], "pins_top", "pins_tests", tmp_path, python_path=[HERE])
    assert result.tests == 15
