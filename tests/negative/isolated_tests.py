# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_isolated.py: ngspice in a process of its own dies, the test goes on."""

import os
import signal

import cocotb
import pytest
from bridge_tests import block_of, quiet
from cocotb.triggers import Timer

from pyharness.errors import AnalogError


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def crashes(dut):
    """Must fail, within a tick of the hand-over at which ngspice is found dead."""
    await quiet(dut)
    block = block_of(dut, isolated=True)
    await block.start()
    await Timer(10, "us")
    assert block.process not in (0, os.getpid())
    os.kill(block.process, signal.SIGSEGV)
    while True:
        await Timer(3, "us")
        dut.go.value = 1 - int(dut.go.value)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_next_one_runs(dut):
    """The simulation goes on, with a new ngspice."""
    await quiet(dut)
    block = block_of(dut, isolated=True)
    await block.start()
    dut.dac.value = 4
    await Timer(10, "us")
    assert int(dut.cmp.value) == 1
    await block.stop()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_netlist_on_which_ngspice_39_crashes(dut):
    """A voltage source with a value and `external` ends ngspice 39 by a fault; other versions take it: an error or a run."""
    await quiet(dut)
    block = block_of(dut, [*block_of(dut).netlist, "vx x 0 dc 0 external", "rx x 0 1k"], isolated=True)
    with pytest.raises(AnalogError, match=r"ngspice crashed|source 'vx' is external but no pin drives it"):
        await block.start()
        await Timer(10, "us")
        block.check()
