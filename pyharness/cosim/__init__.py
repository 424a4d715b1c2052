# SPDX-License-Identifier: BSD-3-Clause
"""Couple cocotb tests and Verilog with a SPICE circuit, without an AMS licence.

Usable alone: nothing here knows of memristors.
"""

from pyharness.cosim.block import AnalogBlock, Meter, start_together
from pyharness.cosim.options import SolverOptions
from pyharness.cosim.pins import E2L, E2R, L2E, R2E, Source
from pyharness.cosim.session import Transition
from pyharness.cosim.simulate import SimulationResult, simulate

__all__ = (
    "E2L",
    "E2R",
    "L2E",
    "R2E",
    "AnalogBlock",
    "Meter",
    "SimulationResult",
    "SolverOptions",
    "Source",
    "Transition",
    "simulate",
    "start_together",
)
