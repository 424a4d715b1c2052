# SPDX-License-Identifier: BSD-3-Clause
"""The msdc model against figures from outside, and its start; the rest is the quality suite's (test_qa.py)."""

import numpy as np
import pytest

from pyharness.fit import pulsed_state
from pyharness.resources import model_dir
from pyharness.spice import run_batch
from pyharness.veriloga import Module, NumpyModel, Subcircuit, compile_numpy, emit_ngspice, load_module

SERIES_OHM = 5110.0


@pytest.fixture(scope="module")
def module() -> Module:
    return load_module(model_dir() / "msdc" / "msdc.va")


@pytest.fixture(scope="module")
def model(module: Module) -> NumpyModel:
    return compile_numpy(module, {}, ("x0",))


@pytest.fixture(scope="module")
def subcircuit(module: Module) -> Subcircuit:
    return emit_ngspice(module, name="dut", parameters={}, instance_parameters=("x0",))


# conductance in uS after one pulse from the off state: an independent SciPy calculation of the published equation with the
# model's default parameters, printed to 1 uS; its highest figures lie 2 uS above ours, the edges of its pulses are not known
@pytest.mark.parametrize(
    ("source_v", "width_s", "expected_us"),
    [(0.3, 1e-3, 73), (0.5, 1e-3, 239), (0.8, 1e-3, 476), (1.0, 1e-3, 625), (0.4, 5e-3, 183), (0.6, 20e-3, 398)],
)
def test_compliance_law(model: NumpyModel, source_v: float, width_s: float, expected_us: float) -> None:
    """The source amplitude sets the conductance that a SET pulse leaves."""
    state = pulsed_state(model, source_v, width_s, SERIES_OHM)
    assert float(model.current(1e-6, 0.0, x0=state)) == pytest.approx(expected_us * 1e-12, abs=2.5e-12)


@pytest.mark.parametrize("start", ["", " uic"])
def test_state_holds_at_zero_volt(subcircuit: Subcircuit, start: str) -> None:
    """2.4 s without bias, from an operating point or from initial conditions, move no state by 1e-6."""
    for x0 in (0.0, 0.03, 0.5, 1.0):
        deck = [subcircuit.text, "v1 a 0 0", f"xr a 0 dut x0={x0!r}"]
        run = run_batch(deck, f".tran 1e-2 2.4 0 1e-2{start}", save=["v(xr.n_x)"])
        assert np.abs(run.vectors["v(xr.n_x)"]).max() < 1e-6
