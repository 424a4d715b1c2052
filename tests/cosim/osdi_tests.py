# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_osdi.py: a memristor as B sources and as an OSDI library, driven alike."""

import os
from pathlib import Path

import cocotb
import pytest
from cocotb.triggers import Timer
from several_tests import reset

from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions, start_together
from pyharness.errors import ConfigError
from pyharness.veriloga import compile_osdi, emit_ngspice, load_device, osdi_subcircuit

OPTIONS = SolverOptions(reltol=1e-5, vntol_v=1e-9, trtol=0.5)
PINS = [L2E("drive", rise_s=1e-6, fall_s=1e-6), E2L("sense", threshold_v=0.2)]


def forms():
    """Return (subcircuit, libraries) of one card in both forms."""
    device = load_device("chromium")
    given = {"name": "dut", "parameters": device.card.parameters, "instance_parameters": ("x0",)}
    library = compile_osdi(device.module, Path(os.environ["OSDI_FOLDER"], "msdc.osdi"))
    return [
        (emit_ngspice(device.module, **given), []),
        (osdi_subcircuit(device.module, **given, library=library), [library]),
    ]


def block(shell, subcircuit, libraries):
    netlist = [*subcircuit.text.splitlines(), "rs drive d 5110", "x1 d 0 dut x0=0", "e1 sense 0 drive d 1"]
    return AnalogBlock(shell, netlist, PINS, options=OPTIONS, phase="phase", libraries=libraries, log_edges=True)


@cocotb.test(timeout_time=1, timeout_unit="sec")
async def both_forms_take_the_same_course(dut):
    """Two SET pulses of 1 V, 10 ms: crossings within the located width, states within 1e-4 of each other; one ngspice."""
    await reset(dut)
    (b, none), (osdi, libraries) = forms()
    left, right = block(dut.u_left, b, none), block(dut.u_right, osdi, libraries)
    await start_together(left, right)
    for _ in range(2):
        dut.left.value = dut.right.value = 1
        await Timer(10, "ms")
        dut.left.value = dut.right.value = 0
        await Timer(1, "ms")
    await left.land()
    states = [part.voltage(s.inner_node("x1", "n_x")) for part, s in ((left, b), (right, osdi))]
    assert states[0] > 0.5
    assert states[1] == pytest.approx(states[0], rel=1e-4)
    times = [[t.analog_s for t in part.transitions() if not t.to_analog] for part in (left, right)]
    assert len(times[0]) == len(times[1]) >= 2
    # 2e-6 s: the drawn current of the memristor crosses with some 1e2 1/s, the states differ by 1e-4 at most
    assert times[1] == pytest.approx(times[0], abs=2e-6)
    await left.stop()


@cocotb.test(timeout_time=1, timeout_unit="sec")
async def a_state_of_inner_nodes_is_refused(dut):
    """ngspice would start the compiled device anew without a word; reading the state, or leaving inner nodes out, is fine."""
    await reset(dut)
    _, (subcircuit, libraries) = forms()
    node = subcircuit.inner_node("x1", "n_x")
    part = block(dut.u_left, subcircuit, libraries)
    await part.start()
    dut.left.value = 1
    await Timer(1, "ms")
    kept = await part.state()
    assert kept[node] > 0.1
    await part.stop()
    part = block(dut.u_left, subcircuit, libraries)
    with pytest.raises(
        ConfigError, match=r"the inner node n\.x1\.n1#n_x of a compiled model takes no start in ngspice"
    ):
        await part.start(state=kept)
    await part.start(state={name: volt for name, volt in kept.items() if "#" not in name})
    await part.stop()
