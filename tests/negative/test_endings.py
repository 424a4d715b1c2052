# SPDX-License-Identifier: BSD-3-Clause
"""However a run ends, it ends soon, with a failure, and with what was written kept."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyharness.cosim import simulate
from pyharness.errors import ConfigError, SimulationError

HERE = Path(__file__).parent
PINS_V = HERE.parent / "cosim" / "pins.v"


@pytest.mark.parametrize(
    ("testcase", "message"),
    [("times_out", r"[Tt]imeout|timed out"), ("raises", "the test itself went wrong")],
)
def test_a_failing_test_ends_the_run(tmp_path: Path, testcase: str, message: str) -> None:
    """Within seconds, although the analog side would go on for ever."""
    begun = time.monotonic()
    with pytest.raises(SimulationError, match=message):
        simulate([PINS_V], "pins_top", "ending_tests", tmp_path, testcase=testcase, python_path=[HERE])
    assert time.monotonic() - begun < 30


def test_warnings_of_the_log_are_told(tmp_path: Path) -> None:
    """A value that was forgotten is a warning of ngspice in the log, and the test's failure names neither."""
    with pytest.raises(SimulationError, match=r"(?s)no crossing.*ngspice: Warning: .*r9.*\nlog: .*simulator\.log"):
        simulate([PINS_V], "pins_top", "ending_tests", tmp_path, testcase="forgets_a_value", python_path=[HERE])


def test_causes_that_are_told_in_other_words(tmp_path: Path) -> None:
    """A test module that is not there, a precision of a second: what to do, in place of a traceback."""
    with pytest.raises(SimulationError, match=r"no module 'ending_test' to import: check test_module.*\nlog: \S+$"):
        simulate([PINS_V], "pins_top", "ending_test", tmp_path, python_path=[HERE])
    (tmp_path / "coarse.v").write_text("module coarse(input clk);\nendmodule\n")
    with pytest.raises(SimulationError, match=r"too coarse for 3.us.: begin its source by `timescale 1ns/1ps"):
        simulate([tmp_path / "coarse.v"], "coarse", "ending_tests", tmp_path, testcase="waits", python_path=[HERE])


def test_the_wall_clock_limit_ends_the_run(tmp_path: Path) -> None:
    """A simulation that would take for ever."""
    with pytest.raises(SimulationError, match=r"ended without results after 5 s, the limit: vvp was ended"):
        simulate(
            [PINS_V], "pins_top", "ending_tests", tmp_path, testcase="runs_for_ever", python_path=[HERE], timeout_s=5
        )


def endless_run(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a script that simulates for ever in ``folder``; return it and its simulator's process id, once both sides run."""
    script = (
        "from pathlib import Path\nfrom pyharness.cosim import simulate\n"
        f"simulate([Path({str(PINS_V)!r})], 'pins_top', 'ending_tests', Path({str(folder)!r}),\n"
        f"         testcase='runs_for_ever', python_path=[Path({str(HERE)!r})])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    log = folder / "simulator.log"
    deadline = time.monotonic() + 60
    while not (running := re.search(r"running as process (\d+)\.", log.read_text() if log.exists() else "")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return process, int(running[1])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_simulator_is_a_failure(tmp_path: Path, how: signal.Signals) -> None:
    """The simulator process is killed while both sides run: the caller gets an error, not a hang, and a log."""
    process, simulator = endless_run(tmp_path)
    os.kill(simulator, how)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "the simulator ended without results" in errors or "SimFailure" in errors or "shut down" in errors.lower()
    assert "running" in (tmp_path / "simulator.log").read_text()


def test_an_ngspice_past_help_is_told(tmp_path: Path) -> None:
    """Some faults leave ngspice unusable: the next block of the process says so, and what helps."""
    with pytest.raises(SimulationError, match=r"ngspice broke down over an earlier circuit .* isolated=True"):
        simulate([PINS_V], "pins_top", "ending_tests", tmp_path, testcase="breaks_ngspice_down", python_path=[HERE])


def test_a_death_after_the_tests_is_a_failure(tmp_path: Path) -> None:
    """The results say passed, the process says otherwise."""
    with pytest.raises(SimulationError, match="the tests passed, but then the simulator broke down"):
        simulate(
            [PINS_V], "pins_top", "ending_tests", tmp_path, testcase="breaks_down_after_its_tests", python_path=[HERE]
        )


def test_a_folder_is_one_runs(tmp_path: Path) -> None:
    """Two runs at once in one folder, and a folder that is none."""
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(ConfigError, match=r"another run writes into .* now: give each run a folder of its own"):
        simulate([PINS_V], "pins_top", "ending_tests", tmp_path, python_path=[HERE])
    os.close(other)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write into the run's folder .*file"):
        simulate([PINS_V], "pins_top", "ending_tests", tmp_path / "file", python_path=[HERE])


def test_a_killed_script_leaves_no_simulator(tmp_path: Path) -> None:
    """SIGKILL of the process that called simulate(): its simulator goes with it."""
    process, simulator = endless_run(tmp_path)
    process.kill()
    process.communicate(timeout=30)
    deadline = time.monotonic() + 60
    while Path("/proc", str(simulator), "exe").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
