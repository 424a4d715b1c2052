# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_array_model.py: the same job on SPICE (VIEW=spice) and on the behavioural view (VIEW=model).

Three devices are programmed from the start and four images classified; what came of it goes to view.json.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.simtime import get_sim_time

from pyharness.bench.array import ArrayElectrics, EnergyBalance, Layer, build_array
from pyharness.bench.driver import Driver
from pyharness.cosim import AnalogBlock, SolverOptions
from pyharness.veriloga import emit_ngspice, load_device

LAYERS = (Layer("l1", 2, 1), Layer("l2", 1, 1))
TARGETS = (410, 900, 1590)  # verify codes, over the window of 100 .. 400 uS
# the chromium card's, with a RESET of each device at the start
SETTINGS = {
    "CONFIRM": 1, "SET_MAX": 2000, "RESET_START": 600, "STEP_MIN": 4, "SET_CYCLES": 200, "RESET_CYCLES": 10, "ALGORITHM": 2,
    "TOLERANCE": 983, "INIT_ENABLE": 1, "SHIFT": 6,
}  # fmt: skip


class Spice:
    """The array in ngspice."""

    def __init__(self, dut) -> None:
        device = load_device("chromium")
        values = device.card.parameters
        memristor = emit_ngspice(device.module, name="memristor", parameters=values, instance_parameters=("x0",))
        cells = [(i, r, c) for i, layer in enumerate(LAYERS) for r in range(layer.rows) for c in range(layer.cols)]
        start = {cell: {"x0": 0.0} for cell in cells}
        self.array = build_array(ArrayElectrics(), LAYERS, memristor, start)
        node = device.module.internal_nodes[0]
        self.states = [memristor.inner_node(f"x{cell.instance}", node) for cell in self.array.cells]
        options = SolverOptions(
            reltol=5e-5, vntol_v=1e-8, trtol=0.5, tmax_s=1e-3, crossing_tol_s=2e-8
        )  # the main job's
        self.block = AnalogBlock(
            dut.u_array, self.array.netlist, self.array.pins, options=options, meters=self.array.meters, phase="phase"
        )

    async def start(self) -> None:
        await self.block.start()

    async def stop(self) -> dict:
        meters = self.block.energy_j()
        balance = EnergyBalance.of({name: float(e.sum()) for name, e in meters.items()})
        phases = [float(sum(e[i] for n, e in meters.items() if n.startswith("supply "))) for i in range(5)]
        found = {
            "states": [self.block.voltage(n) for n in self.states],
            "energy_j": phases,
            "devices_j": balance.devices_j,
        }
        await self.block.stop()
        return found


class Model:
    """The behavioural view."""

    def __init__(self, dut) -> None:
        self.array = dut.u_array

    async def start(self) -> None:
        pass

    async def stop(self) -> dict:
        return {
            "states": [d.state.value for d in self.array.device],
            "energy_j": [p.supply_j.value for p in self.array.of_phase],
            "devices_j": sum(d.energy_j.value for d in self.array.device),
        }


@cocotb.test()
async def job_on_a_view(dut):
    """Program, read back, classify."""
    view = {"spice": Spice, "model": Model}[os.environ["VIEW"]](dut)
    driver = Driver(dut)
    Clock(dut.clk_i, 1, "us", impl="gpi").start()
    await driver.reset()
    await driver.configure(SETTINGS)
    await driver.load("TARGET", TARGETS)
    await driver.load("ACTIVATION", [min(4 * i, 200) for i in range(64)])
    await view.start()
    await driver.program(limit_us=10_000_000)
    result = {"time_s": get_sim_time("step") * 1e-12}
    outcomes = [await driver.outcome(i) for i in range(3)]
    result["outcomes"] = [[o.code, o.pulses, o.status] for o in outcomes]
    result["codes"] = [await driver.read_device(i) for i in range(3)]
    answers = [await driver.classify(image, hidden=1) for image in range(4)]
    result["answers"] = [[a.accumulator, *a.hidden] for a in answers]
    result |= await view.stop()
    Path("view.json").write_text(json.dumps(result))
