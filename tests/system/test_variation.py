# SPDX-License-Identifier: BSD-3-Clause
"""Scatter in the main job: six devices, each with parameters of its own and others in every pulse, in co-simulation."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyharness.bench.job import Job, build_job
from pyharness.bench.runner import read_record
from pyharness.bench.variation import free_model
from pyharness.config import SimConfig
from pyharness.record import Record
from pyharness.veriloga import divider_voltage, integrate

SMALL = """
images: [[["#"]], [["."]]]
test: {count: 2}
write_verify: {confirm: 1, tolerance: 0.02, max_pulses: 12}
variation: {device: true, cycle: true}
waves: false
solver: {reltol: 5.0e-6}
"""
# ten times below the default: there a stretched SET pulse at full amplitude ends up to 0.25 % (3 codes) off SciPy's; here within one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run."""
    here = tmp_path_factory.mktemp("variation")
    (here / "small.yaml").write_text(SMALL)
    done = subprocess.run(
        [sys.executable, "-m", "pyharness", "sim", "small.yaml", "--out", "out"],
        cwd=here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "device v_on, r_on, r_off; pulse v_on, v_off; sigmas times 1" in done.stdout
    return here / "out" / "latest"


def codes_after(job: Job, record: Record, device: int, *, drawn: bool) -> list[tuple[int, int]]:
    """Verify codes after each pulse of a device: by SciPy from the recorded parameters (or the card's), and as recorded."""
    electrics, model = job.electrics, free_model(job.device)
    own = record.variation.devices[device] if record.variation and drawn else {}
    at_rest = replace(model, free={**model.free, **own})
    series_ohm, state, found = electrics.read_series_ohm + electrics.compliance_ohm, 0.0, []
    for p in (p for p in record.pulses if p.device == device):
        pulsed = replace(model, free={**model.free, **own, **(p.parameters if drawn else {})})
        times, source = (
            [0, electrics.edge_s, p.width_s, p.width_s + electrics.edge_s],
            [0, p.amplitude_v, p.amplitude_v, 0],
        )
        state = integrate(pulsed, times, source, series_ohm=series_ohm, start=state, rtol=1e-6)
        v = divider_voltage(at_rest, job.read_v, state, electrics.read_series_ohm)
        g = float(at_rest.current(v, state)) / v
        found.append(tuple(int(np.floor(electrics.verify_code(x, job.read_v))) for x in (g, p.g_after_siemens)))
    return found


def test_software_replays_every_pulse(folder: Path) -> None:
    """SciPy on the recorded parameters finds each verify code of the co-simulation to two; on the card's own it does not."""
    record = read_record(folder)
    job = build_job(SimConfig.model_validate(record.config))
    assert record.config["device"]["target"] == "ngspice"
    replayed = [pair for i in range(6) for pair in codes_after(job, record, i, drawn=True)]
    assert len(replayed) == len(record.pulses) > 12
    assert max(abs(a - b) for a, b in replayed) <= 2
    strange = codes_after(job, record, 3, drawn=False)
    assert max(abs(a - b) for a, b in strange) > 50


def test_the_record_holds_what_the_seed_gives(folder: Path) -> None:
    """Drawn devices in the netlist's order; pulse k of device i has draw (i, k); the card's spreads with their sources."""
    record = read_record(folder)
    job = build_job(SimConfig.model_validate(record.config))
    assert record.variation is not None
    assert record.variation.devices == job.parameters
    assert job.cycles is not None
    for i in range(6):
        pulses = [p for p in record.pulses if p.device == i]
        assert [p.parameters for p in pulses] == [job.cycles.values(i, k) for k in range(len(pulses))]
    assert set(record.variation.spread) == {"device_to_device", "cycle_to_cycle"}
    assert record.variation.spread["cycle_to_cycle"]["v_on"]["sigma"] == 0.02
    report = (folder / "report.html").read_text()
    assert ">Variation</h3>" in report
    assert "spread of the SET voltage over cycles" in report
