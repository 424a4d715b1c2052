# SPDX-License-Identifier: BSD-3-Clause
"""Faults of the set-up around the bridge: library, time scale, test module, design."""

import ctypes.util
from pathlib import Path

import pytest

from pyharness.cosim import simulate
from pyharness.errors import SimulationError, ToolNotFoundError

HERE = Path(__file__).parent
PINS_V = HERE.parent / "cosim" / "pins.v"


def run(
    tmp_path: Path, source: Path = PINS_V, testcase: str = "a_sound_block_after_all_that", **environment: str
) -> None:
    """Run one test of the bridge in its own process."""
    simulate(
        [source], "pins_top", "bridge_tests", tmp_path, testcase=testcase, environment=environment, python_path=[HERE]
    )


def test_the_sound_block_passes_here(tmp_path: Path) -> None:
    """The base of this file: without a fault the run passes."""
    run(tmp_path)


def test_missing_library_is_named(tmp_path: Path) -> None:
    """A wrong NGSPICE_LIBRARY_PATH is told with its value."""
    with pytest.raises(
        SimulationError, match=r"NGSPICE_LIBRARY_PATH names '/nowhere/libngspice\.so', which is not a file"
    ):
        run(tmp_path, NGSPICE_LIBRARY_PATH="/nowhere/libngspice.so")


def test_another_library_is_refused(tmp_path: Path) -> None:
    """A library without ngspice's synchronisation calls is not mistaken for it."""
    name = ctypes.util.find_library("z")
    assert name
    found = next(p for d in ("/lib", "/usr/lib") for p in Path(d).glob(f"*/{name}"))
    with pytest.raises(SimulationError, match="is not an ngspice shared library with synchronisation calls"):
        run(tmp_path, NGSPICE_LIBRARY_PATH=str(found))


def test_missing_timescale_is_told(tmp_path: Path) -> None:
    """Without a time scale Icarus counts seconds; no edge could be placed."""
    source = tmp_path / "pins.v"
    source.write_text(PINS_V.read_text().replace("`timescale 1ns / 1ps\n", ""))
    with pytest.raises(SimulationError, match=r"the HDL time precision is 1 s.*`timescale"):
        run(tmp_path, source, testcase="start_and_stop_at_once")


def test_no_test_is_a_failure(tmp_path: Path) -> None:
    """A run in which nothing was tested does not pass."""
    with pytest.raises(SimulationError):
        run(tmp_path, testcase="no_such_test")


def test_a_design_that_does_not_compile_shows_the_compiler(tmp_path: Path) -> None:
    """The message holds what Icarus said."""
    source = tmp_path / "broken.v"
    source.write_text("module pins_top; wire w = ; endmodule\n")
    with pytest.raises(SimulationError, match=r"'pins_top' does not compile:[\s\S]*syntax error"):
        run(tmp_path, source)


def test_a_missing_simulator_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolNotFoundError, match=r"'iverilog' is not on PATH: install Icarus Verilog"):
        run(tmp_path)
