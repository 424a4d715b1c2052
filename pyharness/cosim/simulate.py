# SPDX-License-Identifier: BSD-3-Clause
"""Compile a design with Icarus Verilog and run cocotb tests on it, with an honest verdict."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from xml.etree import ElementTree

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Icarus

from pyharness.errors import SimulationError, ToolNotFoundError

__all__ = ("SimulationResult", "simulate")


@dataclass(frozen=True)
class SimulationResult:
    """A finished run: number of cocotb tests (all passed), their results file and the simulator's log."""

    tests: int
    results: Path
    log: Path


class _Icarus(Icarus):
    """cocotb's Icarus runner, writing VCD: it holds real values, and what was written survives a crash."""

    def _test_command(self) -> list[list[str]]:
        (command,) = super()._test_command()
        return [[{"-fst": "-vcd"}.get(word, word) for word in command]]


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


def _failures(results: Path) -> list[str]:
    messages = []
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        for kind in ("failure", "error"):
            for found in case.findall(kind):
                text = found.get("error_msg") or found.get("message") or (found.text or "").strip()
                messages.append(f"{case.get('name')}: {text or kind}")
    return messages


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
    testcase: str | None = None,
    environment: Mapping[str, str] | None = None,
    python_path: Sequence[Path] = (),
    seed: int | None = None,
    waves: bool = False,
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
        testcase: run only this test.
        environment: variables for the simulator process.
        python_path: folders put before the import path of the tests.
        seed: cocotb's random seed.
        waves: let the design's ``$dumpfile`` write its VCD file.
        verbose: pass the simulator's output on instead of keeping it in the log only.

    Raises:
        ToolNotFoundError: Icarus Verilog is missing.
        SimulationError: the design does not compile, no test ran, the simulator died, or a test failed; the
            message holds the tests' own.
    """
    for tool in ("iverilog", "vvp"):
        if which(tool) is None:
            raise ToolNotFoundError(
                f"'{tool}' is not on PATH: install Icarus Verilog (Debian, Ubuntu: apt-get install iverilog)"
            )
    build_dir.mkdir(parents=True, exist_ok=True)
    log = build_dir / "simulator.log"
    results = (build_dir / "results.xml").resolve()
    runner = _Icarus()
    build_args = [argument for root in extra_roots for argument in ("-s", root)]
    with _for_runner(python_path):
        try:
            runner.build(
                sources=[*sources],
                hdl_toplevel=toplevel,
                parameters=dict(parameters or {}),
                defines=dict(defines or {}),
                includes=[*include_dirs],
                build_args=["-Wall", "-Wno-timescale", *build_args],
                build_dir=build_dir,
                always=True,
                log_file=build_dir / "build.log",
            )
        except Exception as cause:
            text = (build_dir / "build.log").read_text() if (build_dir / "build.log").exists() else str(cause)
            raise SimulationError(f"'{toplevel}' does not compile:\n{text.strip()}") from cause
        died = ""
        try:
            runner.test(
                test_module=test_module,
                hdl_toplevel=toplevel,
                build_dir=build_dir,
                test_dir=build_dir,
                results_xml=str(results),
                testcase=testcase,
                seed=seed,
                waves=waves,
                test_args=["-n"],  # $stop and an interrupt end the run instead of waiting for a keyboard
                extra_env=dict(environment or {}),
                log_file=None if verbose else log,
            )
        except (OSError, RuntimeError, SystemExit) as cause:
            died = str(cause)
    tail = "" if verbose or not log.exists() else "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    try:
        count, failed = get_results(results)
    except (RuntimeError, ElementTree.ParseError) as cause:
        raise SimulationError(f"the simulator ended without results {died}\n{tail}".strip()) from cause
    if failed:
        raise SimulationError("\n".join(_failures(results)))
    if count == 0:
        raise SimulationError(f"no test ran in '{test_module}': check its name and its @cocotb.test() functions")
    return SimulationResult(count, results, log)
