# SPDX-License-Identifier: BSD-3-Clause
"""One real run, its report, and parts of it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from pyharness.bench.runner import read_record, run_sim
from pyharness.config import SimConfig
from pyharness.record import Record
from pyharness.report import write_report

CONFIG = {
    "engine": "numpy",
    "test": {"count": 200},
    "training": {"window_siemens": [1e-4, 3e-4], "restarts": 2},
    "write_verify": {"tolerance": 0.02, "confirm": 1, "set_pulse_s": 1.5e-4, "initial_reset": True},
    "variation": {"device": True, "cycle": True},
    "waves": False,
}


@dataclass(frozen=True)
class Reported:
    """A run's folder, its record, its page."""

    folder: Path
    record: Record
    page: str


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """A whole job of 30 devices that vary, without a simulator, and its report."""
    out = tmp_path_factory.mktemp("report of a run")
    folder = run_sim(SimConfig.model_validate(CONFIG), out, "pyharness sim test.yaml").resolve()
    record = read_record(folder)
    return Reported(folder, record, write_report(record, folder).read_text(encoding="utf-8"))
