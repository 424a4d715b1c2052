# SPDX-License-Identifier: BSD-3-Clause
"""Netlist text and plain ngspice runs."""

from pyharness.spice.batch import BatchResult, run_batch
from pyharness.spice.netlist import Netlist, check_name, number

__all__ = ("BatchResult", "Netlist", "check_name", "number", "run_batch")
