# SPDX-License-Identifier: BSD-3-Clause
"""Mixed-signal co-simulation of Verilog controllers and Verilog-A memristors."""

from importlib.metadata import version

__all__ = ("__version__",)
__version__ = version("pyharness")
