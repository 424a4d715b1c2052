# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_waves.py."""

import json
import os

import cocotb
from cocotb.triggers import Timer
from cocotb.types import LogicArray
from pins_tests import NETLIST, PINS

from pyharness.cosim import AnalogBlock, SolverOptions


@cocotb.test()
async def step_response(dut):
    block = AnalogBlock(
        dut.u_pins,
        NETLIST,
        PINS,
        options=SolverOptions(reltol=1e-5, tmax_s=1e-7),
        phase="phase",
        probes=json.loads(os.environ["PROBES"]),
    )
    await Timer(1, "us")
    await block.start()
    await Timer(1, "us")
    dut.dac.value = 4
    if os.environ.get("FAIL"):
        await Timer(2, "us")
        dut.dac.value = LogicArray("0000XXXX")
    await Timer(5, "us")
    while os.environ.get("FOR_EVER"):
        dut.dac.value = 4 - int(dut.dac.value)
        await Timer(5, "us")
    await block.stop()
