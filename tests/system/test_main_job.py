# SPDX-License-Identifier: BSD-3-Clause
"""The main job as a user starts it: programmed through the RTL on SPICE, classified, recorded, reported."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from pyharness.bench.runner import read_record
from pyharness.record import Record

# one small run serves most tests here: keep them on one worker
pytestmark = pytest.mark.xdist_group("main_job")

CLI = [sys.executable, "-m", "pyharness"]
SMALL = "test: {count: 24}\nwrite_verify: {confirm: 1, tolerance: 0.015}\n"


def run(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *arguments], cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """One small run, started in an empty folder with a space in its name."""
    folder = tmp_path_factory.mktemp("a run")
    (folder / "small.yaml").write_text(SMALL)
    done = run("sim", "small.yaml", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out" / "latest", done


@pytest.fixture(scope="module")
def record(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> Record:
    return read_record(finished[0])


def test_every_device_is_within_two_percent(record: Record) -> None:
    """30 of 30, read back through the array's amplifier and converter."""
    assert len(record.devices) == 30
    assert {d.status for d in record.devices} == {"reached"}
    assert max(abs(d.error_rel) for d in record.devices) < 0.02
    assert [(d.layer, d.row, d.col) for d in record.devices[-3:]] == [(1, 0, 0), (1, 1, 0), (1, 2, 0)]


def test_every_answer_equals_the_software_network(record: Record) -> None:
    """Co-simulated sums are within two codes of the integer model on the conductances read back; classes are equal."""
    assert record.accuracy is not None
    assert record.accuracy.total == 24
    assert record.accuracy.agree_with_software == 24
    # a conductance is known to half a code in verify, which is about a code of the sum of nine in inference
    assert max(abs(a["sum"] - a["software_sum"]) for a in record.answers) <= 12
    assert {a["truth"] for a in record.answers} == {0, 1}
    assert record.accuracy.bayes_limit == pytest.approx(0.98790, abs=1e-5)


def test_time_and_energy_are_accounted_for(record: Record) -> None:
    """Phases sum to the total, the devices take part of it, each device has its own share."""
    e = record.energy_j
    assert e is not None
    assert e.reset + e.write + e.verify + e.inference == pytest.approx(e.total, rel=1e-3)
    assert sum(d.energy_j for d in record.devices) == pytest.approx(e.devices, rel=1e-9)
    assert 0 < e.verify < e.write
    assert 0 < e.devices < e.total
    # a SET pulse lasts 0.2 ms, a RESET pulse 10 us; each takes 34 us of switching and reading more, a device's first read 24
    assert record.training_time_s is not None
    pulsed = sum(p.width_s for p in record.pulses)
    assert {(p.polarity, p.width_s) for p in record.pulses} <= {("set", 2e-4), ("reset", 1e-5)}
    assert record.training_time_s == pytest.approx(
        pulsed + 34e-6 * len(record.pulses) + 24e-6 * len(record.devices), rel=0.01
    )


def test_the_pulse_log_is_a_chain(record: Record) -> None:
    """Each pulse of a device starts from the conductance that the one before left."""
    for i, device in enumerate(record.devices):
        pulses = [p for p in record.pulses if p.device == i]
        assert len(pulses) == device.pulses
        assert all(a.g_after_siemens == b.g_before_siemens for a, b in itertools.pairwise(pulses))
        assert pulses[-1].g_after_siemens == pytest.approx(device.final_siemens, rel=0.01)
        assert all((p.polarity == "set") == (p.amplitude_v > 0) for p in pulses)


def test_the_bridge_was_exact(record: Record) -> None:
    """Crossings go out at their own tick; late are those alone that the solver sees only once the step ends on a clock edge.

    Those are comparators within the solver's error of their threshold at the end of a bit of 1 us: the two last bits are
    the same either way.
    """
    assert record.bridge["late_a2d"] < 5e-3 * record.bridge["edges_a2d"]
    assert record.bridge["late_max_s"] < 1e-7
    assert record.bridge["edges_a2d"] > 1000


def test_files_of_a_run(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Record, self-contained report, one waveform file with both domains and its layout, the netlist."""
    folder, done = finished
    report = (folder / "report.html").read_text()
    assert report.count("data:image/svg+xml;base64,") == 9
    assert {p.suffix for p in (folder / "figures").iterdir()} == {".png", ".svg", ".csv"}
    assert not re.search(r"(src|href)=\"http", report)
    assert "30 of 30" in report
    header = (folder / "waves.vcd").read_text(errors="replace")[:20_000]
    assert re.search(r"\$var reg 3 \S+ l1_cmp", header)
    assert re.search(r"\$var real \d+ \S+ xl1_r0_c0_n_x", header)
    assert (folder / "waves.gtkw").exists()
    assert "msdc_chromium" in (folder / "array.cir").read_text()
    assert "30 of 30" in done.stdout
    data = json.loads((folder / "results.json").read_text())
    assert data["schema_version"] == 1
    assert data["status"] == "complete"
    assert data["wall_s"] > 0


def test_a_report_can_be_written_anew(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """From the record alone."""
    (finished[0] / "report.html").unlink()
    done = run("report", str(finished[0]), cwd=finished[0])
    assert done.returncode == 0
    assert (finished[0] / "report.html").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tset: {}\n", "unknown key 'tset': did you mean 'test'?"),
        ("device: {card: nosuch}\n", "no device card 'nosuch'"),
        ("training: {window_siemens: [1.0e-5, 4.0e-4]}\n", "leaves the reach of card 'chromium'"),
    ],
)
def test_bad_input_creates_nothing(tmp_path: Path, text: str, message: str) -> None:
    """One message, exit status 1, no folder, no traceback."""
    (tmp_path / "bad.yaml").write_text(text)
    done = run("sim", "bad.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["bad.yaml"]


def test_a_faulty_card_model_is_told(tmp_path: Path) -> None:
    """A card whose values do not converge or parse: here a parameter out of range, from the user's own file."""
    (tmp_path / "cards").mkdir()
    card = yaml.safe_load((Path(__file__).parents[2] / "veriloga/msdc/cards/chromium.yaml").read_text())
    card["parameters"]["tau_on"] = 0.0
    (tmp_path / "cards" / "mine.yaml").write_text(yaml.safe_dump(card))
    (tmp_path / "cards" / "job.yaml").write_text(SMALL + "device: {card: mine.yaml}\n")
    done = run("sim", "cards/job.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "parameter 'tau_on' must lie in (0:inf) s, got 0.0" in done.stderr


def test_a_missing_ngspice_library_is_told(tmp_path: Path) -> None:
    """Before anything is created."""
    done = run("sim", "smoke", "--out", "out", cwd=tmp_path, env={"NGSPICE_LIBRARY_PATH": "/nowhere.so"})
    assert done.returncode == 1
    assert "NGSPICE_LIBRARY_PATH names '/nowhere.so', which is not a file" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_keeps_what_was_measured(tmp_path: Path) -> None:
    """Ctrl-C while programming: exit status 130, a readable record with the pulses so far, no ``latest``."""
    process = subprocess.Popen(
        [*CLI, "sim", "smoke", "--out", "out"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a background job of a shell starts deaf to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        records = list(tmp_path.glob("out/*/results.json"))
        if records and json.loads(records[0].read_text())["pulses"]:
            break
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert re.search(r"interrupted; what was measured so far is in out/\d+-\d+", errors)
    kept = read_record(records[0].parent)
    assert kept.status == "interrupted"
    assert kept.message == "interrupted by the user"
    assert len(kept.pulses) >= 1
    assert kept.wall_s > 0
    shown = run("report", str(records[0].parent), cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "The run ended early: interrupted by the user" in (records[0].parent / "report.html").read_text()
    assert not (tmp_path / "out" / "latest").exists()


def test_a_terminated_command_ends_its_simulator(tmp_path: Path) -> None:
    """SIGTERM to the command alone: status 143, no simulator left behind, the record so far kept."""
    process = subprocess.Popen(
        [*CLI, "sim", "smoke", "--out", "out"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (
        running := [p for p in Path("/proc").glob("[0-9]*") if parent(p) == process.pid and command(p) == "vvp"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 143
    deadline = time.monotonic() + 10
    while running[0].exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert read_record(next(tmp_path.glob("out/*/results.json")).parent).status == "interrupted"


def parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return 0


def command(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return ""


def test_compile_writes_once(tmp_path: Path) -> None:
    """A subcircuit that ngspice takes; an existing file is not overwritten."""
    model = Path(__file__).parents[2] / "veriloga/msdc/msdc.va"
    arguments = ("compile", str(model), "-o", "out.sub", "--param", "beta_on=90")
    assert run(*arguments, cwd=tmp_path).returncode == 0
    assert ".subckt msdc p n x0=0.0" in (tmp_path / "out.sub").read_text()
    again = run(*arguments, cwd=tmp_path)
    assert again.returncode == 1
    assert "'out.sub' exists: give another name, or --force" in again.stderr


def test_classify_shows_the_limit(tmp_path: Path) -> None:
    """The software network's accuracy beside the Bayes limit."""
    done = run("classify", cwd=tmp_path)
    assert done.returncode == 0
    assert "98.79%" in done.stdout
