# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of the shift register: clocks it and compares every state."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import Timer

from pyharness.doctor.toy import CLOCKS, lfsr_state


@cocotb.test()
async def counts(dut: Any) -> None:
    """Reset, then so many clocks."""
    for clock in range(-1, CLOCKS):
        dut.rst.value = int(clock < 0)
        dut.clk.value = 0
        await Timer(1, "ns")
        dut.clk.value = 1
        await Timer(1, "ns")
        assert dut.state.value.to_unsigned() == lfsr_state(clock + 1), (
            f"state {dut.state.value} after {clock + 1} clocks"
        )
