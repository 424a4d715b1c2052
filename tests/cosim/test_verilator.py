# SPDX-License-Identifier: BSD-3-Clause
"""Verilator as the digital side: the same events at the same ticks as with Icarus Verilog."""

import os
import re
import subprocess
from dataclasses import asdict
from pathlib import Path
from shutil import which

import pytest

from pyharness.cosim import SolverOptions, simulate
from pyharness.cosim.selftest import RcJob, measure_rc, run_rc
from pyharness.cosim.simulate import VERILATOR
from pyharness.errors import ConfigError, ToolNotFoundError

HERE = Path(__file__).parent
# all but the one on X and Z, which Verilator does not have
PINS_TESTS = [
    name
    for name in re.findall(r"(?m)^async def (\w+)\(dut\)", (HERE / "pins_tests.py").read_text())
    if name != "unknown_levels_follow_their_policy"
]


@pytest.fixture
def verilator() -> None:
    """Skip where Verilator is older than cocotb takes (Debian 12, 13); PYHARNESS_VERILATOR=required forbids that."""
    told = subprocess.run(["verilator", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"Verilator (\d+)\.(\d+)", told)
    if not version or (int(version[1]), int(version[2])) < VERILATOR:
        assert os.environ.get("PYHARNESS_VERILATOR") != "required", f"Verilator is too old: {told}"
        pytest.skip(f"cocotb needs Verilator {VERILATOR[0]}.{VERILATOR[1]:03d}, this is {told.strip()}")


def test_pins(tmp_path: Path, verilator: None) -> None:
    """Weights, hysteresis, energy by phase, waits, sources, a split run."""
    assert len(PINS_TESTS) == 8
    done = simulate([HERE / "pins.v"], "pins_top", "pins_tests", tmp_path, testcase=PINS_TESTS, python_path=[HERE], simulator="verilator")  # fmt: skip
    assert done.tests == 8


def test_several_blocks(tmp_path: Path, verilator: None) -> None:
    """Blocks that run together."""
    done = simulate([HERE / "several.v"], "several_top", "several_tests", tmp_path, python_path=[HERE], simulator="verilator")  # fmt: skip
    assert done.tests == 10


def test_every_event_is_where_icarus_has_it(tmp_path: Path, verilator: None) -> None:
    """400 edges at times off any grid into an RC: edges exact, crossings as exact, none lost, all at the same ticks."""
    job = RcJob.random(400, SolverOptions(reltol=1e-5, tmax_s=1e-6, crossing_tol_s=2e-11), seed=1)
    found = {name: measure_rc(job, tmp_path / name, simulator=name) for name in ("icarus", "verilator")}
    assert asdict(found["verilator"]) == asdict(found["icarus"])
    ticks = [[t["tick"] for t in run_rc(job, tmp_path / f"{n}2", simulator=n)["transitions"]] for n in found]
    assert ticks[0] == ticks[1]


def test_what_verilator_cannot_do_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waves; a version that cocotb does not take, or none."""
    fake = tmp_path / "bin" / "verilator"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho Verilator 5.006 2022-10-29\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    arguments = ([HERE / "pins.v"], "pins_top", "pins_tests", tmp_path / "run")
    with pytest.raises(ToolNotFoundError, match=r"needs Verilator 5\.036 or newer, found Verilator 5\.006"):
        simulate(*arguments, simulator="verilator")
    fake.write_text("#!/bin/sh\necho Verilator 5.048 2026-04-26\n")
    with pytest.raises(ConfigError, match="waves and further roots are there with Icarus Verilog alone"):
        simulate(*arguments, simulator="verilator", waves="waves.vcd")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert which("verilator") is None
    with pytest.raises(ToolNotFoundError, match="found none on PATH"):
        simulate(*arguments, simulator="verilator")
