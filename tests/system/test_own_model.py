# SPDX-License-Identifier: BSD-3-Clause
"""The main job with a user's own model, in every engine."""

from pathlib import Path
from typing import Any

import pytest

from pyharness.bench.runner import read_record, run_sim
from pyharness.config import SimConfig
from pyharness.record import Record

CARD = Path(__file__).parents[2] / "examples" / "own_model" / "mine.yaml"


def run(folder: Path, engine: str) -> Record:
    data: dict[str, Any] = {
        "engine": engine,
        "device": {"card": str(CARD)},
        "images": [[["#."]], [[".#"]]],
        "training": {"hidden": 1, "targets_siemens": [2e-4, 3e-4, 1.5e-4]},
        "write_verify": {"tolerance": 0.03, "confirm": 1},
        "test": {"count": 4},
        "waves": False,
    }
    return read_record(run_sim(SimConfig.model_validate(data), folder / engine, "test"))


def test_three_devices_are_programmed(tmp_path: Path) -> None:
    """All reach their targets; NumPy and the view in Verilog pulse by pulse alike, ngspice within the reads' resolution."""
    spice, view, fast = (run(tmp_path, engine) for engine in ("ngspice", "behavioural", "numpy"))
    for record in (spice, view, fast):
        assert [d.status for d in record.devices] == ["reached"] * 3
        assert max(abs(d.error_rel) for d in record.devices) < 0.035
    assert [(p.device, p.polarity, p.amplitude_v) for p in view.pulses] == [
        (p.device, p.polarity, p.amplitude_v) for p in fast.pulses
    ]
    assert len(spice.pulses) == pytest.approx(len(fast.pulses), abs=2)
