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
from hypothesis import settings

from pyharness.cosim.libngspice import find_libngspice
from pyharness.errors import ToolNotFoundError

# the same examples in every run, no time limit for one (machines are busy), nothing written into the tree
settings.register_profile("pyharness", derandomize=True, deadline=None, database=None)
settings.load_profile("pyharness")

MODES = ("required", "if_available", "disabled")
TESTS = Path(__file__).parent


def _library_found() -> bool:
    try:
        find_libngspice()
    except ToolNotFoundError:
        return False
    return True


TOOLS: dict[str, Callable[[], bool]] = {
    "adms": lambda: which("admsXml") is not None,
    "chromium": lambda: which("chromium") is not None,
    "iverilog": lambda: which("iverilog") is not None and which("vvp") is not None,
    "libngspice0": _library_found,
    "ngspice": lambda: which("ngspice") is not None,
    "verilator": lambda: which("verilator") is not None,
}
"""Debian's package -> whether what the tests need of it is there."""

COUPLED, BATCH = ("iverilog", "libngspice0"), ("ngspice",)
BY_FOLDER = {"cosim": COUPLED, "rtl": ("iverilog", "verilator"), "system": COUPLED}
BY_FUNCTION = {"simulate": COUPLED, "measure_rc": COUPLED, "run_batch": BATCH, "run_suite": BATCH}
"""Folder under tests/, or function that a test module imports -> packages of the simulators that it runs.

A module's own ``NEEDS`` names further ones.
"""


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


def needed(item: pytest.Item) -> list[str]:
    """Return the packages that a test needs."""
    inside = item.path.relative_to(TESTS).parts if item.path.is_relative_to(TESTS) else ("",)
    names = vars(item.module) if isinstance(item, pytest.Function) else {}
    by_function = (tools for name, tools in BY_FUNCTION.items() if name in names)
    return sorted(
        {*BY_FOLDER.get(inside[0], ()), *names.get("NEEDS", ()), *(tool for tools in by_function for tool in tools)}
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    tools, mode = needed(item), item.config.getoption("--simulators")
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
