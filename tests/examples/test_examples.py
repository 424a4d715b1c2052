# SPDX-License-Identifier: BSD-3-Clause
"""The examples run, and check themselves."""

from pathlib import Path

import pytest

from pyharness.cosim import simulate
from pyharness.resources import hdl_dir

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("finer", ["0", "1"], ids=["as written", "finer"])
@pytest.mark.parametrize(
    ("name", "toplevel", "more"),
    [
        ("rc", "rc", []),
        ("oscillator", "oscillator", []),
        ("sar_adc", "sar_adc_top", ["sar_adc.v"]),
        ("buck", "buck", []),
    ],
)
def test_example(tmp_path: Path, name: str, toplevel: str, more: list[str], finer: str) -> None:
    """Each in a folder of its own, as its bench says; what it checks does not depend on the solver's options."""
    folder = EXAMPLES / name
    sources = [*folder.glob("*.v"), *(hdl_dir() / m for m in more)]
    assert simulate(sources, toplevel, f"{name}_bench", tmp_path, python_path=[folder], environment={"PYHARNESS_FINER": finer}).tests == 1  # fmt: skip
