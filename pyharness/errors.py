# SPDX-License-Identifier: BSD-3-Clause
"""Exceptions of pyharness.

Every message says the rule that was broken, the value received, where it was
received, and what to do about it.  The command line prints the message alone
(no traceback) for a ``PyharnessError`` and exits with status 1.
"""

__all__ = (
    "AnalogError",
    "ConfigError",
    "NetlistError",
    "PyharnessError",
    "RunInterrupted",
    "RunTimeoutError",
    "SimulationError",
    "ToolNotFoundError",
    "VerilogAError",
)


class PyharnessError(Exception):
    """Base of every error that a user of pyharness can cause or cure."""


class ConfigError(PyharnessError, ValueError):
    """A configuration, card or image file breaks a rule of its schema."""


class NetlistError(PyharnessError, ValueError):
    """A name or value may not be written into a SPICE netlist."""


class VerilogAError(PyharnessError, ValueError):
    """A Verilog-A source cannot be read or translated.

    The message starts with ``file:line:column:``.
    """


class ToolNotFoundError(PyharnessError, RuntimeError):
    """A simulator or library that the run needs is not installed or too old."""


class AnalogError(PyharnessError, RuntimeError):
    """The analog simulator refused a netlist, failed to converge or stopped early."""


class SimulationError(PyharnessError, RuntimeError):
    """A co-simulation ended without a verdict, or with a failed check."""


class RunTimeoutError(SimulationError):
    """A run took longer than its limit of this machine's time."""


class RunInterrupted(SimulationError):
    """A run was ended by the user; what was measured is kept."""
