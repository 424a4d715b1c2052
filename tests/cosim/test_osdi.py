# SPDX-License-Identifier: BSD-3-Clause
"""Compiled Verilog-A in a co-simulation."""

from pathlib import Path

import pytest

from pyharness.cosim import simulate
from pyharness.cosim.libngspice import find_libngspice, library_has_osdi

HERE = Path(__file__).parent


@pytest.mark.skipif(
    not library_has_osdi(find_libngspice()), reason="this ngspice loads no OSDI libraries (Debian 13's does)"
)
def test_osdi_beside_b_sources(tmp_path: Path) -> None:
    """Two tests."""
    result = simulate(
        [HERE / "several.v"], "several_top", "osdi_tests", tmp_path / "run", python_path=[HERE], environment={"OSDI_FOLDER": str(tmp_path)}
    )  # fmt: skip
    assert result.tests == 2
