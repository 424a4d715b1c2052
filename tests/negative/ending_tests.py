# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_endings.py: a block that runs until something ends it."""

import atexit
import os
import signal

import cocotb
import pytest
from bridge_tests import NETLIST, block_of, quiet
from cocotb.triggers import Timer

from pyharness.errors import AnalogError


async def busy(dut):
    """Toggle the DAC for ever."""
    while True:
        dut.dac.value = 4
        await Timer(3, "us")
        dut.dac.value = 0
        await Timer(3, "us")


@cocotb.test(timeout_time=200, timeout_unit="us")
async def times_out(dut):
    """The test's own time limit ends it while the block runs."""
    await quiet(dut)
    await block_of(dut).start()
    await busy(dut)


@cocotb.test()
async def raises(dut):
    """An exception in the test, with the block running."""
    await quiet(dut)
    await block_of(dut).start()
    await Timer(10, "us")
    raise RuntimeError("the test itself went wrong")


@cocotb.test()
async def forgets_a_value(dut):
    """A resistor without a value."""
    await quiet(dut)
    await block_of(dut, netlist=[*NETLIST, "r9 cmp1 0"]).start()
    await Timer(10, "us")
    raise RuntimeError("no crossing")


@cocotb.test()
async def waits(dut):
    """As long as a design's precision may be too coarse for."""
    await Timer(3, "us")


@cocotb.test()
async def runs_for_ever(dut):
    """Ended from outside."""
    await quiet(dut)
    await block_of(dut).start()
    print(f"running as process {os.getpid()}.", flush=True)
    await busy(dut)


@cocotb.test()
async def breaks_ngspice_down(dut):
    """A parameter that nobody defined makes ngspice ask for its end; what comes after is told why it cannot run."""
    await quiet(dut)
    with pytest.raises(AnalogError, match="oops"):
        await block_of(dut, netlist=["r1 go cmp0 {oops}", "r2 dac0 cmp1 1k", "r3 dac1 0 1k"]).start()
    await block_of(dut).start()


@cocotb.test()
async def breaks_down_after_its_tests(dut):
    """The process dies when its tests have passed."""
    atexit.register(lambda: os.kill(os.getpid(), signal.SIGSEGV))
