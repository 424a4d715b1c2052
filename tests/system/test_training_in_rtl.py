# SPDX-License-Identifier: BSD-3-Clause
"""Training on the chip by the RTL: pulse by pulse what engine: numpy does, and as near to it in ngspice as without a method."""

import os
import re
import signal
import subprocess
import sys
import time
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import yaml

from pyharness.bench import runner
from pyharness.bench.job import build_job
from pyharness.bench.runner import read_record, run_sim
from pyharness.bench.view import prepare_behavioural
from pyharness.config import SimConfig
from pyharness.errors import ConfigError, SimulationError
from pyharness.record import Record

HERE = Path(__file__).parent
LOOP = {"method": "in_the_loop", "programming_error": 0.2}
SIGNS = {"method": "manhattan", "start": "random"}


def config(engine: str, training: dict[str, Any], **sections: Any) -> SimConfig:
    """Two pixels, two hidden neurons: six devices, which scatter."""
    data: dict[str, Any] = {
        "engine": engine,
        "seed": 3,
        "images": [[["#."]], [[".#"]]],
        "training": {"hidden": 2, "rounds": 2, "window_siemens": [1e-4, 3e-4], "restarts": 2} | training,
        "write_verify": {"tolerance": 0.02, "set_pulse_s": 1e-4, "max_pulses": 40},
        "test": {"count": 8},
        "variation": {"device": True, "cycle": True},
        "waves": False,
    }
    return SimConfig.model_validate(data | sections)


def run(tmp_path: Path, engine: str, training: dict[str, Any], **sections: Any) -> Record:
    return read_record(run_sim(config(engine, training, **sections), tmp_path / engine, "test"))


def pulses(record: Record) -> list[dict[str, Any]]:
    """Everything that the log holds but the time, which counts from another event."""
    return [p.model_dump(exclude={"time_s"}) | {"width_s": round(p.width_s, 9)} for p in record.pulses]


def assert_same(fast: Record, rtl: Record) -> None:
    """Every pulse, code, bias and sum; times to the clock, energies to what adding up leaves."""
    assert pulses(fast) == pulses(rtl)
    for a, b in zip(fast.devices, rtl.devices, strict=True):
        assert a.model_dump(exclude={"energy_j"}) == b.model_dump(exclude={"energy_j"})
        assert a.energy_j == pytest.approx(b.energy_j, rel=1e-6)
    assert len(fast.rounds) == len(rtl.rounds)
    for seen, seen_rtl in zip(fast.rounds, rtl.rounds, strict=True):
        assert seen.model_dump() == pytest.approx(seen_rtl.model_dump(), rel=1e-9)
    assert fast.training_time_s == pytest.approx(rtl.training_time_s, rel=1e-9)
    assert fast.network == rtl.network
    assert fast.answers == rtl.answers
    assert fast.energy_j is not None
    assert rtl.energy_j is not None
    assert fast.energy_j.model_dump() == pytest.approx(rtl.energy_j.model_dump(), rel=1e-6)


@pytest.mark.parametrize("training", [LOOP, SIGNS | {"samples": 8}], ids=lambda t: t["method"])
def test_a_method_as_in_numpy(tmp_path: Path, training: dict[str, Any]) -> None:
    """Rounds included: their images' answers, the draws of their pulses, their time, and their energy as reads."""
    fast, rtl = (run(tmp_path, engine, training) for engine in ("numpy", "behavioural"))
    assert len(rtl.rounds) > 1
    assert rtl.rounds[-1].pulses > rtl.rounds[0].pulses
    assert_same(fast, rtl)


@pytest.mark.parametrize("where", ["within a device", "between devices", "in a round"])
def test_the_budget_is_kept(tmp_path: Path, where: str) -> None:
    """To the pulse, initial RESETs among them: a device that starts with nothing left is read alone."""
    training = SIGNS | {"rounds": 1, "samples": 4}
    reset = {"write_verify": {"initial_reset": True, "tolerance": 0.02, "confirm": 1, "max_pulses": 40}}
    free = run(tmp_path / "free", "numpy", training, **reset)
    first = free.rounds[0].pulses
    ends = list(accumulate(sum(p.device == i for p in free.pulses[:first]) for i in range(6)))
    budget = {"within a device": ends[1] + 1, "between devices": ends[2], "in a round": first + 3}[where]
    fast, rtl = (run(tmp_path, e, training | {"pulse_budget": budget}, **reset) for e in ("numpy", "behavioural"))
    assert len(rtl.pulses) == sum(d.pulses for d in rtl.devices) == budget < len(free.pulses)
    assert_same(fast, rtl)


def test_ngspice_is_as_near_as_without_a_method(tmp_path: Path) -> None:
    """The same draws, rounds that count alike, every device at its own target.

    A code more or less asks for another pulse; from there on a device ends elsewhere in its tolerance, and a round, which looks at all
    of them, asks for other targets: which devices come to that differs between releases of ngspice.
    """
    training, solver = LOOP | {"rounds": 1, "pulse_budget": 150}, {"reltol": 2e-6}
    fast, spice = (run(tmp_path, engine, training, solver=solver) for engine in ("numpy", "ngspice"))
    assert [d.status for d in spice.devices] == [d.status for d in fast.devices] == ["reached"] * 6
    for d in spice.devices:
        assert d.final_siemens == pytest.approx(d.target_siemens, rel=0.025)  # the reading back may be a code off
    assert len(spice.rounds) == len(fast.rounds) == 2
    assert spice.rounds[1].pulses > spice.rounds[0].pulses
    assert spice.rounds[0].pulses == pytest.approx(fast.rounds[0].pulses, rel=0.2)
    assert spice.rounds[0].loss == pytest.approx(fast.rounds[0].loss, rel=0.1)
    assert spice.training_time_s == pytest.approx(fast.training_time_s, rel=0.2)
    assert spice.energy_j is not None
    assert fast.energy_j is not None
    # images of training are reads: the test's alone are inference
    assert spice.energy_j.inference == pytest.approx(fast.energy_j.inference, rel=0.05)
    for i in range(6):
        draws = [[p.parameters for p in r.pulses if p.device == i] for r in (fast, spice)]
        common = min(map(len, draws))
        assert draws[0][:common] == draws[1][:common]


def test_an_error_in_a_round_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own message; the pulses before it are kept."""

    def failing(sources: Any, top: str, _module: str, folder: Path, **options: Any) -> Any:
        return simulate(sources, top, "failing_training_tests", folder, python_path=[HERE], **options)

    simulate = runner.simulate
    monkeypatch.setattr(runner, "simulate", failing)
    with pytest.raises(
        SimulationError, match=r"main_job: the array answers no more\nlog: .*\nwhat was measured so far is in"
    ):
        run(tmp_path, "behavioural", LOOP)
    (folder,) = (tmp_path / "behavioural").iterdir()
    record = read_record(folder)
    assert record.status == "interrupted"
    assert len(record.pulses) > 6


def test_an_interrupt_in_a_round_ends_the_run(tmp_path: Path) -> None:
    """Ctrl-C while the array answers images: exit status 130, a readable record with pulses, no ``latest``."""
    job = config("behavioural", LOOP | {"samples": 100_000})
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job.model_dump(mode="json")))
    process = subprocess.Popen(
        [sys.executable, "-m", "pyharness", "sim", "job.yaml", "--out", "out"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # a background job of a shell starts deaf to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not any("training: image" in log.read_text() for log in tmp_path.glob("out/*/simulator.log")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert re.search(r"interrupted; what was measured so far is in out/\d+-\d+", errors)
    record = read_record(next(tmp_path.glob("out/*/results.json")).parent)
    assert record.status == "interrupted"
    assert len(record.pulses) > 6
    assert not (tmp_path / "out" / "latest").exists()


def test_rounds_with_more_draws_than_the_view_holds_are_refused(tmp_path: Path) -> None:
    """Six devices: 40 pulses, and 40 in each round; a budget bounds them."""
    job = config("behavioural", LOOP | {"rounds": 300})
    with pytest.raises(ConfigError, match=r"at most 12040 pulses each may need 72240: lower .*training\.rounds"):
        run_sim(job, tmp_path, "test")
    bounded = config("behavioural", LOOP | {"rounds": 300, "pulse_budget": 50})
    prepare_behavioural(build_job(bounded), tmp_path)
    assert len((tmp_path / "cycles.txt").read_text().splitlines()) == 1 + 6 * 50
