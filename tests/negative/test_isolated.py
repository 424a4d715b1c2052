# SPDX-License-Identifier: BSD-3-Clause
"""ngspice in a process of its own: its crash fails the test, with the reason, and the simulation goes on."""

import re
from pathlib import Path

import pytest

from pyharness.cosim import simulate
from pyharness.errors import SimulationError

HERE = Path(__file__).parent
PINS_V = HERE.parent / "cosim" / "pins.v"


def test_a_crash_is_survived(tmp_path: Path) -> None:
    """Of three tests the one whose ngspice was killed fails, and says so; the others pass in the same simulation."""
    with pytest.raises(SimulationError) as caught:
        simulate([PINS_V], "pins_top", "isolated_tests", tmp_path, python_path=[HERE])
    assert re.fullmatch(
        r"crashes: ngspice crashed \(signal 11, Segmentation fault\) at \S+e-\d+ s; its process is gone, the digital side "
        r"goes on\s*\nlog: \S+/simulator\.log",
        str(caught.value),
    )
    assert (tmp_path / "results.xml").read_text().count("<testcase") == 3
