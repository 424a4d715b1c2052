# SPDX-License-Identifier: BSD-3-Clause
"""Simulator modes: what becomes of a test whose simulator is missing.

``--simulators=required`` (the default, and what continuous integration says): it fails.  ``if_available``: it is skipped
and says so.  ``disabled``: it is skipped even where the simulator is there.  ``PYHARNESS_SIMULATORS`` sets the default.
"""

import os
from collections.abc import Callable
from pathlib import Path
from shutil import which

import pytest

from pyharness.cosim.libngspice import find_libngspice
from pyharness.errors import ToolNotFoundError

MODES = ("required", "if_available", "disabled")
TESTS = Path(__file__).parent


def _library_found() -> bool:
    try:
        find_libngspice()
    except ToolNotFoundError:
        return False
    return True


TOOLS: dict[str, Callable[[], bool]] = {
    "iverilog": lambda: which("iverilog") is not None and which("vvp") is not None,
    "libngspice0": _library_found,
    "ngspice": lambda: which("ngspice") is not None,
    "verilator": lambda: which("verilator") is not None,
}
"""Debian's package -> whether what the tests need of it is there."""

NEEDS = {
    "cosim": ("iverilog", "libngspice0"),
    "negative/test_bridge.py": ("iverilog", "libngspice0"),
    "negative/test_bridge_setup.py": ("iverilog", "libngspice0"),
    "negative/test_netlist_injection.py": ("ngspice",),
    "rtl": ("iverilog", "verilator"),
    "system": ("iverilog", "libngspice0"),
    "unit/test_array.py": ("ngspice",),
    "unit/test_netlist.py": ("ngspice",),
    "unit/test_network.py": ("ngspice",),
    "veriloga/test_language.py": ("ngspice",),
    "veriloga/test_msdc.py": ("ngspice",),
}
"""Folder or file under tests/ -> packages of the simulators that it runs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--simulators",
        choices=MODES,
        default=os.environ.get("PYHARNESS_SIMULATORS", "required"),
        help="tests that need a simulator: fail without it (required), skip without it, or skip always",
    )


def pytest_configure(config: pytest.Config) -> None:
    mode = config.getoption("--simulators")
    if mode not in MODES:
        raise pytest.UsageError(f"PYHARNESS_SIMULATORS must be one of {', '.join(MODES)}, got {mode!r}")


def needed(path: Path) -> tuple[str, ...]:
    """Return the packages that a test file needs."""
    inside = path.relative_to(TESTS).as_posix() if path.is_relative_to(TESTS) else ""
    return next((tools for place, tools in NEEDS.items() if inside == place or inside.startswith(f"{place}/")), ())


def pytest_runtest_setup(item: pytest.Item) -> None:
    tools, mode = needed(item.path), item.config.getoption("--simulators")
    if tools and mode == "disabled":
        pytest.skip("tests with simulators are disabled")
    missing = [tool for tool in tools if not TOOLS[tool]()]
    if missing and mode == "if_available":
        pytest.skip(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.fail(
            f"simulators are required, but these are not installed: {', '.join(missing)} (Debian, Ubuntu: apt-get install "
            f"{' '.join(missing)}); --simulators=if_available skips such tests",
            pytrace=False,
        )
