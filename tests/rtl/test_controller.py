# SPDX-License-Identifier: BSD-3-Clause
"""The controller: regressions without SPICE, generated files, lint."""

import subprocess
from pathlib import Path

import pytest

from pyharness.bench.blocks import block_tables
from pyharness.bench.registers import header_text, markdown_table, registers, settings_text
from pyharness.bench.runner import hdl_sources
from pyharness.cosim import simulate
from pyharness.errors import ConfigError
from pyharness.resources import hdl_dir

HERE = Path(__file__).parent
SIZES = {"controller_tests": {}, "large_tests": {"L1_ROWS": 64, "L1_COLS": 10, "L2_ROWS": 10}}
TESTS = [
    (module, line.split()[2].split("(")[0])
    for module in SIZES
    for line in (HERE / f"{module}.py").read_text().splitlines()
    if line.startswith("async def") and "(dut):" in line
]


@pytest.mark.parametrize(("module", "name"), TESTS)
def test_controller(tmp_path: Path, module: str, name: str) -> None:
    """One cocotb test in a simulation of its own."""
    result = simulate(
        hdl_sources(),
        "system_top",
        module,
        tmp_path,
        testcase=name,
        parameters=SIZES[module],
        include_dirs=[hdl_dir()],
        python_path=[HERE],
        seed=1,
    )
    assert result.tests == 1


def test_generated_files_are_up_to_date() -> None:
    """registers.vh, settings.v and README's tables come from registers.yaml and the sources."""
    assert (hdl_dir() / "registers.vh").read_text() == header_text()
    assert (hdl_dir() / "settings.v").read_text() == settings_text()
    readme = (hdl_dir() / "README.md").read_text()
    assert markdown_table() in readme
    assert block_tables() in readme


def test_register_values_are_checked() -> None:
    """A value that does not fit is told with the register's meaning."""
    with pytest.raises(
        ConfigError, match=r"register SET_MAX takes an integer of 0 \.\. 2047 \(largest SET amplitude.*got 2048"
    ):
        registers()["SET_MAX"].encode(2048)
    with pytest.raises(ConfigError, match=r"register BIAS has elements 0 \.\. 63, got 64"):
        registers()["BIAS"].address(64)


@pytest.mark.parametrize("size", [(9, 3, 3, 1), (1, 1, 1, 1), (64, 10, 10, 1), (64, 31, 31, 2), (32, 32, 32, 31)])
def test_lint(tmp_path: Path, size: tuple[int, int, int, int]) -> None:
    """Clean under Verilator's -Wall and Icarus in Verilog-2005, at the smallest, default and largest size."""
    names = ("L1_ROWS", "L1_COLS", "L2_ROWS", "L2_COLS")
    sources = (hdl_dir() / "accelerator.f").read_text().split()
    for command in (
        ["verilator", "--lint-only", "-Wall", "--top-module", "accelerator", *(f"-G{n}={v}" for n, v in zip(names, size, strict=True))],
        ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", str(tmp_path / "out"), "-s", "accelerator",
         *(f"-Paccelerator.{n}={v}" for n, v in zip(names, size, strict=True))],
    ):  # fmt: skip
        done = subprocess.run([*command, *sources], cwd=hdl_dir(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""  # warnings go there; newer Verilators print statistics on standard output


def test_lint_can_fail(tmp_path: Path) -> None:
    """A width mistake is found."""
    broken = tmp_path / "broken.v"
    broken.write_text("module broken(input wire [3:0] a, output wire [1:0] b);\nassign b = a;\nendmodule\n")
    done = subprocess.run(
        ["verilator", "--lint-only", "-Wall", str(broken)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"L1_COLS": 4}, "L2_ROWS must equal L1_COLS, got 3 and 4"),
        ({"L1_ROWS": 65}, "at most 64 pixels, got 65"),
        ({"L1_ROWS": 64, "L1_COLS": 32, "L2_ROWS": 32}, "at most 2048 devices, got 2080"),
        ({"L2_COLS": 62}, "at most 64 neurons in both layers, got 65"),
        ({"L1_COLS": 33, "L2_ROWS": 33}, "at most 32 hidden neurons, got 33"),
    ],
)
def test_impossible_parameters_end_the_simulation(tmp_path: Path, parameters: dict[str, int], message: str) -> None:
    """With an exit status and a message that names values and instance."""
    out = tmp_path / "out"
    flags = [f"-Psystem_top.{n}={v}" for n, v in parameters.items()]
    subprocess.run(
        ["iverilog", "-g2005", f"-I{hdl_dir()}", "-o", str(out), "-s", "system_top", *flags, *map(str, hdl_sources())],
        check=True,
    )
    done = subprocess.run(["vvp", "-n", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
