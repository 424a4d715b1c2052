# SPDX-License-Identifier: BSD-3-Clause
"""Which tools work on this machine: a toy through each, not its version alone."""

from pyharness.doctor.capabilities import CAPABILITIES, Capability
from pyharness.doctor.examine import choose, examine
from pyharness.doctor.findings import Environment, Finding, Findings

__all__ = ("CAPABILITIES", "Capability", "Environment", "Finding", "Findings", "choose", "examine")
