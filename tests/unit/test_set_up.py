# SPDX-License-Identifier: BSD-3-Clause
"""The set-up: system packages, and the tests' own rule for missing simulators."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = "gcc libc6-dev iverilog ngspice libngspice0 libngspice0-dev python3-dev python3-venv"
NEEDED = f"{RUN} adms g++ make verilator"
ALL = f"{NEEDED} chromium"
INSTALL = "apt-get install -y -qq --no-install-recommends"

Packages = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def packages(tmp_path: Path) -> Packages:
    """Run tools/system-packages where no tool is found; ``installed`` ones are known to dpkg, commands log to a file."""

    def script(name: str, text: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def run(
        installed: str = "", uid: int = 0, python_too_old: bool = False, what: str = "develop", **commands: str
    ) -> subprocess.CompletedProcess[str]:
        script("dpkg-query", f'[[ " {installed} " == *" $3 "* ]] && echo "install ok installed"')
        script("id", f"echo {uid}")
        script("grep", 'exec /bin/grep "$@"')
        script("env", 'while [[ $1 == *=* ]]; do shift; done; exec "$@"')
        # a Python that has neither venv nor a shared library; one too old finds a later version asked for
        asked = "s/< (3, 11)/< (3, 99)/" if python_too_old else ""
        script("python", f'[ "$1" = - ] && exec "{sys.executable}" <(/bin/sed "{asked}"); exit 1')
        for name, text in commands.items():
            script(name.replace("_", "-"), f'echo "{name.replace("_", "-")} $*" >> "{tmp_path}/log"\n{text}')
        done = subprocess.run(
            ["/bin/bash", ROOT / "tools/system-packages", "python", what],
            env={"PATH": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        log = tmp_path / "log"
        done.args = log.read_text().splitlines() if log.exists() else []
        return done

    return run


def test_nothing_is_called_when_everything_is_there(packages: Packages) -> None:
    """No apt-get, no output."""
    done = packages(installed=ALL, apt_get="")
    assert (done.returncode, done.args, done.stdout, done.stderr) == (0, [], "", "")


def test_root_installs_what_is_missing(packages: Packages) -> None:
    """And only that."""
    done = packages(installed=ALL.replace("verilator ", "").replace("gcc ", ""), apt_get="")
    assert done.returncode == 0, done.stderr
    assert done.args == ["apt-get update -qq", f"{INSTALL} gcc verilator"]


def test_simulations_need_less(packages: Packages) -> None:
    """No browser, no Verilator: what tests and checks alone need."""
    assert packages(installed=RUN, what="run", apt_get="").args == []
    assert packages(what="run", apt_get="").args[1:] == [f"{INSTALL} {RUN}"]


def test_an_unreadable_foreign_repository_does_not_hinder(packages: Packages) -> None:
    """The installation decides; its failure is passed on."""
    done = packages(installed=ALL.replace("gcc ", ""), apt_get='[ "$1" = install ]')
    assert (done.returncode, len(done.args)) == (0, 2)
    assert packages(installed=ALL.replace("gcc ", ""), apt_get="exit 100").returncode == 100


def test_sudo_installs(packages: Packages) -> None:
    """Where it asks for no password."""
    done = packages(uid=1000, sudo='[ "$1" = -n ] || "$@"', apt_get="")
    assert done.returncode == 0, done.stderr
    assert done.args[-3:] == [
        f"{INSTALL} {NEEDED}",
        f"sudo env DEBIAN_FRONTEND=noninteractive {INSTALL} chromium",
        f"{INSTALL} chromium",
    ]


def test_a_browser_that_cannot_be_installed_does_not_hinder(packages: Packages) -> None:
    """It is asked for alone, after the rest; its lack is told: without apt-get, without root, and where apt-get has none."""
    told = "without chromium the tests of the report in a browser fail (PYHARNESS_SIMULATORS=if_available skips them)\n"
    for uid, commands in ((0, {}), (1000, {"apt_get": ""})):
        done = packages(installed=NEEDED, uid=uid, **commands)
        assert (done.returncode, done.stderr) == (0, told)
    done = packages(installed=NEEDED.replace("gcc ", ""), apt_get='[[ "$*" != *chromium* ]]')
    assert (done.returncode, done.stderr) == (0, told)
    assert done.args[1:] == [f"{INSTALL} {name}" for name in ("gcc", "chromium")]


@pytest.mark.parametrize("commands", [{}, {"sudo": "exit 1"}])
def test_without_root_the_line_to_run_is_told(packages: Packages, commands: dict[str, str]) -> None:
    """One line, exit status 1, nothing tried."""
    done = packages(uid=1000, apt_get="", **commands)
    assert done.returncode == 1
    assert done.stderr == f"packages are missing; as root run:\napt-get update && apt-get install -y {ALL}\n"
    assert not [line for line in done.args if line.startswith("apt-get")]


def test_another_distribution_is_told(packages: Packages) -> None:
    """With what is missing."""
    done = packages(uid=0, iverilog="")
    assert done.returncode == 1
    assert (
        f"This is not Debian or Ubuntu. Install, by your system's means, what these packages hold there: {ALL}"
        in done.stderr
    )


def test_an_old_python_is_told_first(packages: Packages) -> None:
    """Before anything is installed."""
    done = packages(python_too_old=True, apt_get="")
    assert (done.returncode, done.args) == (1, [])
    assert re.fullmatch(r"Python 3\.11 or newer is needed, this is 3\.\d+: install one and set PYTHON=\n", done.stderr)


def test_a_missing_python_is_told() -> None:
    """By the name that was asked for."""
    done = subprocess.run(
        ["/bin/bash", ROOT / "tools/system-packages", "nosuchpython"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "'nosuchpython' is not on PATH: install python3, or set PYTHON=\n")


@pytest.mark.parametrize(
    ("mode", "status", "message"),
    [
        ("required", 1, "simulators are required, but these are not installed: ngspice"),
        ("if_available", 0, "not installed: ngspice"),
        ("disabled", 0, "tests with simulators are disabled"),
        ("perhaps", 4, "PYHARNESS_SIMULATORS must be one of required, if_available, disabled, got 'perhaps'"),
    ],
)
def test_a_missing_simulator_fails_unless_told_otherwise(tmp_path: Path, mode: str, status: int, message: str) -> None:
    """No test is skipped in silence; one that runs no simulator runs in every mode."""
    tests = [f"tests/unit/test_{name}" for name in ("netlist.py::test_a_run_gives_vectors", "record.py")]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "-o",
            "addopts=-ra --import-mode=importlib",
            *tests,
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path), "PYHARNESS_SIMULATORS": mode},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert message in done.stdout + done.stderr
    assert status == 4 or re.search(r"\d+ passed", done.stdout)


@pytest.mark.parametrize(
    ("target", "commands"),
    [
        (
            "lint",
            ["ruff check", "ruff format --check", "-m mypy", "iverilog", "verilator --lint-only", "pyharness lint"],
        ),
        ("lint-python", ["ruff check", "ruff format --check"]),
        ("lint-types", ["-m mypy"]),
        ("lint-verilog", ["iverilog", "verilator --lint-only"]),
        ("lint-va", ["pyharness lint"]),
        ("package", ["-m build", "twine check", "pytest -n auto tests/packaging"]),
    ],
)
def test_a_target_for_each_kind_of_check(target: str, commands: list[str]) -> None:
    """Each alone, and all that look at the source together."""
    told = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    every = ("ruff check", "ruff format --check", "-m mypy", "iverilog", "verilator --lint-only", "pyharness lint")
    assert [c for c in every if c in told] == [c for c in commands if c in every]
    assert all(command in told for command in commands)


def test_lint_leaves_devices_alone() -> None:
    """iverilog makes its output executable: ``-o /dev/null``, by root, locks every other user out of /dev/null."""
    done = subprocess.run(["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "iverilog -g2005 -Wall" in done.stdout
    assert not re.search(r"-o\s*/dev/", done.stdout)
