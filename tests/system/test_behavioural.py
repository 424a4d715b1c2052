# SPDX-License-Identifier: BSD-3-Clause
"""The main job on the behavioural view: quick, without SPICE, and the same as in co-simulation."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pyharness.bench.runner import read_record
from pyharness.record import Record

SMALL = """
images: [[["#"]], [["."]]]
test: {count: 8}
write_verify: {tolerance: 0.02, initial_reset: true}
variation: {device: true, cycle: true}
training: {window_siemens: [1.0e-4, 3.0e-4]}
waves: false
solver: {reltol: 5.0e-6}        # at the default one the solver's own error in a pulse is up to two codes, at 1e-6 none
"""


def run(folder: Path, text: str) -> Record:
    (folder / "job.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pyharness", "sim", "job.yaml", "--out", "out"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / "out" / "latest" / "report.html").exists()
    return read_record(folder / "out" / "latest")


@pytest.fixture(scope="module")
def behavioural(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Six devices that scatter, with the initial reset."""
    return run(tmp_path_factory.mktemp("behavioural"), f"engine: behavioural{SMALL}")


def test_it_is_the_same_job_as_in_co_simulation(tmp_path: Path, behavioural: Record) -> None:
    """The same draws meet the same pulses.

    Up to the first trim pulse both must read the same, to a code.  From there on a code more or less asks for another
    amplitude, by 1 to 2 mV, and the paths part by some 0.3 % of the conductance a code.
    """
    spice = run(tmp_path, SMALL)
    code = 0.25e-6
    assert [d.status for d in behavioural.devices] == ["reached"] * 6
    for a, b in zip(behavioural.devices, spice.devices, strict=True):
        assert a.final_siemens == pytest.approx(b.final_siemens, rel=0.02)
    for i in range(6):
        ours, theirs = ([p for p in record.pulses if p.device == i] for record in (behavioural, spice))
        for a, b in zip(ours[:2], theirs[:2], strict=True):
            assert a.parameters == b.parameters
            assert a.amplitude_v == pytest.approx(b.amplitude_v, abs=2e-3)
            assert a.g_after_siemens == pytest.approx(b.g_after_siemens, abs=1.5 * code)
    assert behavioural.energy_j is not None
    assert spice.energy_j is not None
    assert behavioural.energy_j.write == pytest.approx(spice.energy_j.write, rel=0.05)
    assert behavioural.training_time_s == pytest.approx(spice.training_time_s, rel=0.05)
    assert [a["answer"] for a in behavioural.answers] == [a["answer"] for a in spice.answers]


def test_the_log_tells_the_initial_reset(behavioural: Record) -> None:
    """Nothing was read before it; the trim pulses that follow are a chain."""
    for i in range(6):
        first, *others = [p for p in behavioural.pulses if p.device == i]
        assert first.initial
        assert first.polarity == "reset"
        assert first.g_before_siemens is None
        assert others[0].g_before_siemens == first.g_after_siemens
        assert not any(p.initial for p in others)
        assert others[-1].verdict == "reached"


def test_other_cards_bring_their_own_equations(tmp_path: Path) -> None:
    """A given conductance is reached within tolerance on tungsten, without training or images."""
    record = run(
        tmp_path,
        "engine: behavioural\n"
        "device: {card: tungsten}\n"
        'images: [[["#"]], [["."]]]\n'
        "test: {count: 0}\n"
        "training: {window_siemens: [1.4e-4, 3.4e-4], targets_siemens: [1.5e-4, 1.8e-4, 2.1e-4, 2.4e-4, 2.7e-4, 3.0e-4]}\n"
        "write_verify: {set_pulse_s: 1.0e-3, reset_pulse_s: 3.0e-4, law_v: 0.25, law_v_per_siemens: 1300.0}\n",
    )
    assert [d.status for d in record.devices] == ["reached"] * 6
    assert max(abs(d.error_rel) for d in record.devices) < 0.0125  # the tolerance of 1 %, and half a code
    assert not record.answers
    assert json.loads(record.model_dump_json())["accuracy"] is None
