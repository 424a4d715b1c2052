# SPDX-License-Identifier: BSD-3-Clause
"""Netlist text and plain ngspice runs."""

from pyharness.spice.batch import BatchResult, ngspice_has_osdi, run_batch
from pyharness.spice.netlist import Netlist, check_name, number

__all__ = ("BatchResult", "Netlist", "check_name", "ngspice_has_osdi", "number", "run_batch")
