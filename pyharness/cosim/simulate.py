# SPDX-License-Identifier: BSD-3-Clause
"""Compile a design and run cocotb tests on it, with an honest verdict."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryFile
from typing import Any, Literal, TextIO
from xml.etree import ElementTree

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Icarus, Runner, Verilator

from pyharness.cosim.wavefile import WaveFile
from pyharness.errors import ConfigError, RunTimeoutError, SimulationError, ToolNotFoundError
from pyharness.install import INSTALL

__all__ = ("SimulationResult", "simulate")

VERILATOR = (5, 36)
"""The oldest Verilator that cocotb takes."""

_INTERRUPT_S = 20.0
"""How long an interrupted simulator may take to close its files."""


@dataclass(frozen=True)
class SimulationResult:
    """A finished run: number of cocotb tests (all passed), their results file and the simulator's log."""

    tests: int
    results: Path
    log: Path


class _Watched(Runner):
    """One of cocotb's runners, whose commands can be ended.

    Attributes:
        timeout_s: wall-clock limit of one command.
        late: a command was ended by it.
    """

    timeout_s: float | None = None
    late: bool = False
    _process: subprocess.Popen[bytes] | None = None

    def _execute_cmds(self, cmds: Sequence[Sequence[str]], cwd: Any, stdout: TextIO | None = None) -> None:
        # a killed script leaves no simulator behind (setpriv is of util-linux)
        bound = ["setpriv", "--pdeathsig", "KILL", "--"] if which("setpriv") else []
        for command in cmds:
            logging.getLogger(__name__).info("in %s: %s", cwd, shlex.join(command))
            stderr = None if stdout is None else subprocess.STDOUT
            with subprocess.Popen(
                [*bound, *command], cwd=cwd, env=self.env, stdout=stdout, stderr=stderr
            ) as self._process:
                try:
                    status = self._process.wait(self.timeout_s)
                except subprocess.TimeoutExpired:
                    self.end()
                    self.late = True
                    raise RuntimeError(f"after {self.timeout_s:g} s, the limit: {command[0]} was ended") from None
                except BaseException as cause:
                    if not isinstance(cause, KeyboardInterrupt):  # an interrupt from the keyboard it has had too
                        self._process.terminate()
                    try:
                        self._process.wait(_INTERRUPT_S)
                    except subprocess.TimeoutExpired:
                        self.end()
                    raise
            if status:
                raise RuntimeError(f"(exit status {status})")

    def end(self) -> None:
        """Kill the running command."""
        if self._process is not None:
            self._process.kill()


class _Icarus(_Watched, Icarus):
    """Icarus Verilog, writing VCD: it holds real values, and what was written survives a crash."""

    build_words = ("-Wall", "-Wno-timescale")
    test_words = ("-n",)  # $stop and an interrupt end the run instead of waiting for a keyboard

    def _test_command(self) -> list[list[str]]:
        (command,) = super()._test_command()
        return [[{"-fst": "-vcd"}.get(word, word) for word in command]]


class _Verilator(_Watched, Verilator):
    """Verilator: two levels, no X and no Z."""

    build_words = ("--timing", "-Wno-fatal")
    test_words = ()


def _require(simulator: str) -> None:
    """Check that a simulator is there, and new enough."""
    if simulator == "icarus":
        for tool in ("iverilog", "vvp"):
            if which(tool) is None:
                raise ToolNotFoundError(
                    f"'{tool}' is not on PATH: install Icarus Verilog (Debian, Ubuntu: {INSTALL['iverilog']})"
                )
        return
    told = ""
    if which("verilator"):
        told = subprocess.run(["verilator", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    version = re.match(r"Verilator (\d+)\.(\d+)", told)
    if not version or (int(version[1]), int(version[2])) < VERILATOR:
        raise ToolNotFoundError(
            f"cocotb needs Verilator {VERILATOR[0]}.{VERILATOR[1]:03d} or newer, found {told or 'none on PATH'}: install it "
            f"({INSTALL['verilator cocotb']}), or use simulator='icarus'"
        )


@contextmanager
def _for_runner(python_path: Sequence[Path]) -> Iterator[None]:
    """Hide pytest from cocotb's runner, which would otherwise choose file names and exits of its own.

    The runner hands this process's ``sys.path`` to the simulator; ``python_path`` goes before it.
    """
    saved = os.environ.pop("PYTEST_CURRENT_TEST", None)
    saved_path = sys.path[:]
    sys.path[:0] = [str(folder) for folder in python_path]
    try:
        yield
    finally:
        sys.path[:] = saved_path
        if saved is not None:
            os.environ["PYTEST_CURRENT_TEST"] = saved


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Hold the run's folder for this run alone."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
        lock = os.open(path, os.O_RDONLY)
    except OSError as cause:
        raise ConfigError(f"cannot write into the run's folder {path}: {cause.strerror}; choose another") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"another run writes into {path} now: give each run a folder of its own") from None
        yield
    finally:
        os.close(lock)


def _failures(results: Path) -> list[str]:
    messages = []
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        for kind in ("failure", "error"):
            for found in case.findall(kind):
                text = found.get("error_msg") or found.get("message") or (found.text or "").strip()
                messages.append(f"{case.get('name')}: {text or kind}")
    return messages


_CAUSES = (
    (
        r"No module named '([\w.]+)'",
        "there is no module '{0}' to import: check test_module, and the folders of python_path",
    ),
    (
        r"Unable to accurately represent (\S+) with the simulator precision",
        "the design's time precision is too coarse for {0}: begin its source by `timescale 1ns/1ps",
    ),
)
_CLUES = re.compile(r"ngspice: warning|was never awaited", re.I)
_MOST_CLUES = 5


def _cause(log: str) -> str:
    """Return what is wrong where a simulation's log says so in other words."""
    found = ((re.search(pattern, log), words) for pattern, words in _CAUSES)
    return next((words.format(*match.groups()) for match, words in found if match), "")


def _clues(log: Path) -> list[str]:
    """Return the log's warnings, of which one may be the cause of a failed test, and its name."""
    if not log.exists():
        return []
    lines = log.read_text(errors="replace").splitlines()
    warnings = dict.fromkeys(line.strip() for line in lines if _CLUES.search(line))
    return [*list(warnings)[:_MOST_CLUES], f"log: {log}"]


def simulate(
    sources: Sequence[Path],
    toplevel: str,
    test_module: str,
    build_dir: Path,
    *,
    parameters: Mapping[str, object] | None = None,
    defines: Mapping[str, object] | None = None,
    extra_roots: Sequence[str] = (),
    include_dirs: Sequence[Path] = (),
    testcase: str | Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    plusargs: Sequence[str] = (),
    python_path: Sequence[Path] = (),
    seed: int | None = None,
    waves: str = "",
    timeout_s: float | None = None,
    simulator: Literal["icarus", "verilator"] = "icarus",
    verbose: bool = False,
) -> SimulationResult:
    """Build ``toplevel`` in ``build_dir`` and run the cocotb tests of ``test_module``.

    Args:
        sources: Verilog files.
        toplevel: top module.
        test_module: importable module with the tests.
        build_dir: folder for everything that the run writes; created when missing.
        parameters, defines: of the top module, of the preprocessor.
        include_dirs: folders searched for Verilog includes.
        extra_roots: further top modules to elaborate.
        testcase: run only this test, or these.
        environment: variables for the simulator process.
        plusargs: words for the design's ``$test$plusargs`` and ``$value$plusargs``, each with its plus.
        python_path: folders put before the import path of the tests.
        seed: cocotb's random seed.
        waves: name of the file that the design's ``$dumpfile`` writes, as VCD; none: it dumps nothing.
        timeout_s: wall-clock limit of the simulation.
        simulator: Icarus Verilog, or Verilator (two levels, no waves, one root).
        verbose: pass the simulator's output on instead of keeping it in the log only.

    Raises:
        ConfigError: something is asked of Verilator that it cannot do; or the folder cannot be written, or is another run's.
        ToolNotFoundError: the simulator is missing or too old.
        RunTimeoutError: the simulation took longer than ``timeout_s``.
        SimulationError: the design does not compile, no test ran, the simulator died, the waveform
            cannot be written, or a test failed; the message holds the tests' own.
    """
    _require(simulator)
    if simulator == "verilator" and (waves or extra_roots):
        raise ConfigError("waves and further roots are there with Icarus Verilog alone: leave them out for Verilator")
    log = build_dir / "simulator.log"
    results = (build_dir / "results.xml").resolve()
    runner: _Icarus | _Verilator = _Icarus() if simulator == "icarus" else _Verilator()
    build_args = [argument for root in extra_roots for argument in ("-s", root)]
    with _folder(build_dir), _for_runner(python_path):
        try:
            runner.build(
                sources=[*sources],
                hdl_toplevel=toplevel,
                parameters=dict(parameters or {}),
                defines=dict(defines or {}),
                includes=[*include_dirs],
                build_args=[*runner.build_words, *build_args],
                build_dir=build_dir,
                always=True,
                log_file=build_dir / "build.log",
            )
        except Exception as cause:
            text = (build_dir / "build.log").read_text() if (build_dir / "build.log").exists() else str(cause)
            raise SimulationError(f"'{toplevel}' does not compile:\n{text.strip()}") from cause
        died = ""
        runner.timeout_s = timeout_s
        dump = WaveFile(build_dir / waves, runner.end) if waves else None
        try:
            with dump or nullcontext():
                runner.test(
                    test_module=test_module,
                    hdl_toplevel=toplevel,
                    build_dir=build_dir,
                    test_dir=build_dir,
                    results_xml=str(results),
                    testcase=testcase,
                    seed=seed,
                    waves=bool(waves),
                    test_args=[*runner.test_words],
                    plusargs=[*plusargs],
                    extra_env=dict(environment or {}),
                    log_file=None if verbose else log,
                )
        except (OSError, RuntimeError, SystemExit) as cause:
            died = str(cause)
    if dump and dump.error:
        raise SimulationError(
            f"the waveform {dump.path} cannot be written: {dump.error.strerror}; the simulation was ended there, and what was "
            "written is kept: make room, or record less"
        )
    tail = "" if verbose or not log.exists() else "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    try:
        count, failed = get_results(results)
    except (RuntimeError, ElementTree.ParseError) as cause:
        failure = RunTimeoutError if runner.late else SimulationError
        words = _cause(tail)
        head = " ".join(filter(None, ("the simulator ended without results", died)))
        raise failure(f"{head}: {words}\nlog: {log}" if words else f"{head}\n{tail}".strip()) from cause
    if failed:
        failures = _failures(results)
        words = _cause("\n".join(failures))
        clues = [] if verbose else _clues(log)
        raise SimulationError("\n".join([*failures, *([words] if words else []), *clues]))
    if died:
        raise SimulationError(f"the tests passed, but then the simulator broke down: {died}\n{tail}".strip())
    if count == 0:
        raise SimulationError(f"no test ran in '{test_module}': check its name and its @cocotb.test() functions")
    return SimulationResult(count, results, log)
