# SPDX-License-Identifier: BSD-3-Clause
"""Golden data of the benches: kept in ``reference/``, since no two machines' solvers agree to the last bit.

``python -m pyharness.handoff.golden`` makes them anew (ten minutes); the tests hold them against the engines.
"""

from __future__ import annotations

import json
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

from pyharness.bench.runner import read_record, run_sim
from pyharness.config import SimConfig
from pyharness.files import replace_file
from pyharness.handoff.decks import CELL, Expected, cell_expected, device_expected, golden_csv, read_golden
from pyharness.handoff.subjects import EXAMPLE, subjects
from pyharness.record import Record, write_record

__all__ = ("CONFIG", "golden_record", "golden_text", "golden_values", "made_with", "run_golden")

CONFIG = {
    "engine": "numpy",
    "seed": 5,
    "images": [[["#"]], [["."]]],
    "test": {"count": 0},
    "training": {"targets_siemens": [1.2e-4, 3.6e-4, 2.4e-4, 1.6e-4, 3.0e-4, 2.0e-4]},
    "variation": {"device": True},
    "waves": False,
}
"""Six chromium devices that scatter, programmed to given conductances by the default algorithm."""
_HERE = Path(__file__).parent / "reference"
_RUN, _MADE = _HERE / "programmed", _HERE / "made_with.json"


def golden_text(name: str) -> str:
    """Return the CSV of a deck by its name."""
    return (_HERE / f"{name}.csv").read_text(encoding="utf-8")


def golden_values(name: str) -> list[Expected]:
    """Return the expected values of a deck by its name."""
    return read_golden(golden_text(name))


def golden_record() -> Record:
    """Return the record of the run that the Verilog bench repeats and that ``state.json`` tells."""
    return read_record(_RUN)


def made_with() -> dict[str, str]:
    """Return the versions of what made the golden data."""
    found: dict[str, str] = json.loads(_MADE.read_text(encoding="utf-8"))
    return found


def run_golden() -> Record:
    """Program the devices of :data:`CONFIG` anew, without a simulator."""
    with tempfile.TemporaryDirectory(prefix="pyharness-") as folder:
        return read_record(
            run_sim(SimConfig.model_validate(CONFIG), Path(folder), "python -m pyharness.handoff.golden")
        )


def main() -> None:
    """Write all golden data anew."""
    _RUN.mkdir(parents=True, exist_ok=True)
    write_record(run_golden(), _RUN)
    for subject in subjects():
        replace_file(_HERE / f"{subject.name}.csv", golden_csv(device_expected(subject)))
        if subject.name == EXAMPLE:
            replace_file(_HERE / f"{subject.name}_{CELL}.csv", golden_csv(cell_expected(subject)))
    tools = {"python": platform.python_version()} | {n: version(n) for n in ("pyharness", "numba", "numpy", "scipy")}
    replace_file(_MADE, json.dumps(tools, indent=1) + "\n")


if __name__ == "__main__":
    main()
