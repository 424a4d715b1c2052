# SPDX-License-Identifier: BSD-3-Clause
"""Processes of runs: they are replaced, ended when they hang or their worker is gone, and refuse other code."""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import yaml

from pyharness.code import code_version
from pyharness.config import SimConfig
from pyharness.errors import ConfigError, SimulationError
from pyharness.resources import hdl_dir, model_dir
from pyharness.study.process import RunProcesses

BRIEF = SimConfig.model_validate({"engine": "numpy", "device": {"card": "none"}}).model_dump_json()
"""Ends at once: there is no such card."""
LONG = SimConfig.model_validate(
    {"engine": "numpy", "training": {"hidden": 16, "restarts": 100}, "test": {"count": 0}}
).model_dump_json()
"""Trains in software for a minute, where nothing looks at the limit."""


def run_processes() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if "pyharness.study.process" in p.cmdline()]


def name_of(process: psutil.Process) -> str | None:
    """None of one that is gone: the programs a run starts and ends on its way (a compiler) may go while they are looked at."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return None


def gone(processes: list[psutil.Process], within_s: float = 60) -> bool:
    return not psutil.wait_procs(processes, within_s)[1]


def test_a_process_is_replaced() -> None:
    """After as many runs as it is good for, and when it held too much; nothing of it stays."""
    seen = []
    processes = RunProcesses(runs_each=2)
    for _ in range(4):
        outcome = processes.do(BRIEF, 60, code_version())
        assert (outcome.status, "'none'" in outcome.message) == ("fail", True)
        seen.append([p.pid for p in run_processes()])
    # one serves the first two runs, ended with the second, another the next two
    assert [len(pids) for pids in seen] == [1, 0, 1, 0]
    assert seen[0] != seen[2]
    large = RunProcesses(memory_bytes=1)
    large.do(BRIEF, 60, code_version())
    assert run_processes() == []


def test_a_run_that_hangs_is_ended() -> None:
    """It is a timeout; the next run has another process."""
    processes = RunProcesses(grace_s=0.5)
    begun = time.monotonic()
    outcome = processes.do(LONG, 0.5, code_version())
    assert outcome.status == "timeout"
    assert "longer than 0.5 s, did not end itself" in outcome.message
    assert 1 <= outcome.wall_s <= time.monotonic() - begun
    assert run_processes() == []
    assert processes.do(BRIEF, 60, code_version()).status == "fail"
    processes.close()
    assert run_processes() == []
    with pytest.raises(SimulationError, match="the study was stopped"):
        processes.do(BRIEF, 60, code_version())


def test_a_run_that_dies_is_told() -> None:
    """As an error, not as an outcome: it may be done again."""
    processes = RunProcesses()
    processes.do(BRIEF, 60, code_version())
    (process,) = run_processes()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(processes.do, LONG, 3600, code_version())
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        with pytest.raises(SimulationError, match="was ended by SIGKILL"):
            asked.result(60)
    processes.close()


def test_other_code_is_refused() -> None:
    """With both versions."""
    processes = RunProcesses()
    with pytest.raises(ConfigError, match=r"has pyharness .*\+[0-9a-f]{12}, the study 0\.0\+0"):
        processes.do(BRIEF, 60, "0.0+0")
    processes.close()


def test_the_version_is_of_the_sources_alone(tmp_path: Path) -> None:
    """The same as installed, with RTL and models inside the package; another one after a changed line."""
    package = tmp_path / "pyharness"
    shutil.copytree(Path(__file__).parents[2] / "pyharness", package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (hdl_dir(), model_dir()):
        shutil.copytree(folder, package / "share" / folder.name)
    script = (
        "from pathlib import Path; from pyharness.code import code_version, version_on_disk; print(code_version()); "
        f"f = Path({str(package / 'share' / 'hdl' / 'system_top.v')!r}); f.write_text(f.read_text() + '// changed\\n'); "
        "print(code_version()); print(version_on_disk())"
    )
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    first, then, on_disk = done.stdout.split()
    assert first == then == code_version()
    assert on_disk != first


def test_nothing_outlives_a_killed_study(tmp_path: Path) -> None:
    """kill -9 of the program in the middle of a co-simulation: run and simulator end by themselves, and harm nothing beside them."""
    study = {
        "study": "spice",
        "base": {"engine": "ngspice", "test": {"count": 600}, "waves": False, "training": {"restarts": 1}},
        "series": [{"name": "runs"}],
    }
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(study))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (temporary / "kept").write_text("another program's")
    words = ["study", str(tmp_path / "a.yaml"), "--out", str(tmp_path / "out"), "--workers", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "pyharness", *words],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as program:
        until, family = time.monotonic() + 240, list[psutil.Process]()
        while not any(name_of(p) == "vvp" for p in family):
            assert program.poll() is None and time.monotonic() < until
            time.sleep(0.2)
            family = psutil.Process(program.pid).children(recursive=True)
        program.send_signal(signal.SIGKILL)
    assert gone(family)
    assert (temporary / "kept").read_text() == "another program's"


ORDERLY = """
import sys
from pyharness.code import code_version
from pyharness.study.process import RunProcesses
print(RunProcesses().do(sys.argv[1], 60, code_version()).status)
"""


def test_a_worker_that_ends_harms_nothing(tmp_path: Path) -> None:
    """Its run's folder goes first, then the process: what lies beside the folder stays."""
    (tmp_path / "kept").write_text("another program's")
    done = subprocess.run(
        [sys.executable, "-c", ORDERLY, BRIEF],
        env={**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp_path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "fail\n"
    time.sleep(1)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


SPIN = """
import sys
from numba import njit
from pyharness.study.process import _end_with

@njit
def spin(x):
    while x > 0:
        x = (x * 5 + 1) % 1000003 + 1
    return x

_end_with(int(sys.argv[1]))
print("spinning", flush=True)
spin(1)
"""


def test_machine_code_ends_with_its_worker() -> None:
    """It lets no thread of its process run, so that the kernel has to end it."""
    ours, lifeline = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", SPIN, str(ours)], pass_fds=[ours], stdout=subprocess.PIPE, text=True
    ) as spinning:
        assert spinning.stdout is not None
        assert spinning.stdout.readline() == "spinning\n"
        time.sleep(2)  # compiling
        assert spinning.poll() is None
        os.close(lifeline)
        assert spinning.wait(20) == -signal.SIGIO
    os.close(ours)


def test_memory_is_the_process_own(tmp_path: Path) -> None:
    """Not what the program that started it once held."""
    script = "import numpy as np; np.ones(150_000_000); from tests_memory import peak; print(peak())"
    (tmp_path / "tests_memory.py").write_text(
        "from pyharness.config import SimConfig\nfrom pyharness.code import code_version\n"
        "from pyharness.study.process import RunProcesses\n"
        f"def peak():\n    processes = RunProcesses()\n    processes.do({BRIEF!r}, 60, code_version())\n"
        "    return processes._idle[0].peak_bytes\n"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert 30_000_000 < int(done.stdout) < 1_000_000_000
