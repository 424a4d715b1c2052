# SPDX-License-Identifier: BSD-3-Clause
"""The toys that tools are tried on: a shift register, and a conductance in Verilog-A."""

from __future__ import annotations

from pathlib import Path

__all__ = ("CLOCKS", "CONDUCTANCE", "FOLDER", "LFSR", "lfsr_state")

FOLDER = Path(__file__).parent
LFSR = FOLDER / "lfsr.v"
CONDUCTANCE = FOLDER / "conductance.va"
CLOCKS = 20
"""So long the shift register runs."""


def lfsr_state(clocks: int) -> int:
    """Return the state of ``lfsr.v`` so many clocks after its reset."""
    state = 1
    for _ in range(clocks):
        feedback = (state >> 7 ^ state >> 5 ^ state >> 4 ^ state >> 3) & 1
        state = (state << 1 | feedback) & 0xFF
    return state
