# SPDX-License-Identifier: BSD-3-Clause
"""Simulators with cocotb inside, and the coupling as a whole.

A probe returns what it saw; ToolNotFoundError says that the tool is missing, any other error that it is broken.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pyharness.cosim import SolverOptions, simulate
from pyharness.doctor.toy import CLOCKS, LFSR
from pyharness.errors import SimulationError

__all__ = ("cocotb", "cocotb_in_verilator", "cocotb_version", "coupling")


def cocotb() -> str:
    """A cocotb test in vvp, by way of VPI."""
    return _tested("icarus")


def cocotb_version() -> str:
    """Version of the package."""
    return version("cocotb")


def coupling() -> str:
    """A short self-test of the coupling: vvp and ngspice together."""
    from pyharness.cosim.selftest import RcJob, measure_rc  # brings SciPy, which the others need not

    options = SolverOptions(reltol=1e-5, tmax_s=1e-6, crossing_tol_s=2e-11)
    errors = measure_rc(RcJob.random(20, options, seed=1), Path("coupling"))
    if errors.misplaced or errors.a2d_error_max_s > 1e-9:
        raise SimulationError(f"events are not where they belong: {errors}")
    return f"{errors.edges} edges and {errors.events} crossings of an RC, at most {errors.a2d_error_max_s * 1e12:.2g} ps off"


def cocotb_in_verilator() -> str:
    """A cocotb test in Verilator, where it is new enough for cocotb."""
    return _tested("verilator")


def _tested(simulator: Literal["icarus", "verilator"]) -> str:
    simulate([LFSR], "lfsr", "pyharness.doctor.toy.lfsr_bench", Path(simulator), simulator=simulator)
    return f"one test passed: {CLOCKS} states as computed"
