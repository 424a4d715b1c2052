# SPDX-License-Identifier: BSD-3-Clause
"""The array's netlist in plain ngspice: compliance, verify codes, signed sums, isolation, energy book-keeping."""

from collections.abc import Sequence

import numpy as np
import pytest

from pyharness.bench.array import Array, ArrayElectrics, Layer, build_array
from pyharness.spice import BatchResult, run_batch
from pyharness.veriloga import emit_ngspice, load_device

LAYERS = (Layer("l1", 3, 2), Layer("l2", 2, 1))
E = ArrayElectrics()
READ_V = 0.1
OPTIONS = ".options reltol=1e-4 trtol=2"


def array(start: dict[tuple[int, int, int], float]) -> Array:
    device = load_device("chromium")
    text = emit_ngspice(device.module, name="dut", parameters=device.card.parameters, instance_parameters=("x0",))
    return build_array(E, LAYERS, text, {key: {"x0": x0} for key, x0 in start.items()})


def conductance(x: float) -> float:
    """The chromium card's conductance at on-state fraction ``x``."""
    return x / 102 + (1 - x) / 151e3


def level(v: float, at: float = 1e-6) -> list[tuple[float, float]]:
    return [(0.0, 0.0), (at, 0.0), (at + E.edge_s, v)]


def run(a: Array, waves: dict[str, Sequence[tuple[float, float]]], stop_s: float) -> BatchResult:
    return run_batch(
        [*a.netlist, *a.batch_sources(waves), OPTIONS], f".tran {stop_s / 50!r} {stop_s!r} 0 {stop_s / 20!r}"
    )


@pytest.mark.parametrize("x0", [0.005, 0.02, 0.045])
def test_verify_reads_a_single_cell(x0: float) -> None:
    """The amplifier's output is the verify code of the selected cell, whatever its neighbours hold."""
    a = array({(0, 1, 1): x0, (0, 0, 1): 0.9, (0, 1, 0): 0.9, (0, 2, 1): 0.5})
    waves = {"l1_row_code1": level(READ_V, 3e-6), "l1_word1": level(1), "l1_col_read1": level(1)}
    out = run(a, waves, 10e-6).vectors["v(l1_col1_out)"][-1]
    code = E.verify_code(conductance(x0), READ_V)
    # the finite gain of 10^5 and the settling leave up to 0.03 %, the switched-off cells a third of an LSB
    assert -out / E.adc_lsb_v == pytest.approx(code, rel=4e-4, abs=0.3)
    assert E.conductance(code, READ_V) == pytest.approx(conductance(x0), rel=1e-12)


def test_inference_sums_signed_weights() -> None:
    """With the reference row at minus the sum of the inputs a column gives the sum of (G - Gref) * V."""
    x = {(0, r, c): 0.01 + 0.008 * r + 0.004 * c for r in range(3) for c in range(2)}
    a = array(x)
    inputs = [READ_V, 0.0, READ_V]
    waves = {f"l1_row_code{r}": level(v, 3e-6) for r, v in enumerate(inputs)}
    waves |= {f"l1_word{r}": level(1) for r in range(3)} | {f"l1_col_read{c}": level(1) for c in range(2)}
    waves |= {"l1_ref_code": level(-sum(inputs), 3e-6), "l1_range": level(1)}
    found = run(a, waves, 10e-6).vectors
    for c in range(2):
        g = [conductance(x[0, r, c]) for r in range(3)]
        seen = [k / (1 + k * (E.driver_ohm + 2 * E.switch_on_ohm)) for k in g]
        expected = sum((k - E.g_ref_siemens) * v for k, v in zip(seen, inputs, strict=True)) * E.feedback_inference_ohm
        # 1 % of the largest term: cells of a row share its driver's 10 Ohm, those of a column its switch
        assert -found[f"v(l1_col{c}_out)"][-1] == pytest.approx(expected, abs=0.01 * max(g) * READ_V * 5e3)


def test_the_amplifier_saturates() -> None:
    """A current beyond the range leaves the output at its limit."""
    a = array({(0, 0, 0): 0.9})
    waves = {"l1_row_code0": level(READ_V, 3e-6), "l1_word0": level(1), "l1_col_read0": level(1)}
    assert run(a, waves, 10e-6).vectors["v(l1_col0_out)"][-1] == pytest.approx(-E.saturation_v, rel=0.01)


@pytest.fixture(scope="module")
def write() -> tuple[Array, BatchResult]:
    """A SET pulse of 0.6 V and 1 ms on cell (0, 1, 0), then a verify of it."""
    a = array({key: 0.02 for key in [(0, r, c) for r in range(3) for c in range(2)] if key != (0, 1, 0)})
    pulse = [
        (0.0, 0.0),
        (5e-6, 0.0),
        (5.1e-6, 0.6),
        (1005e-6, 0.6),
        (1005.1e-6, 0.0),
        (1020e-6, 0.0),
        (1020.1e-6, READ_V),
    ]
    word = [(0.0, 0.0), (1e-6, 0.0), (1.1e-6, 1.0)]
    off = [(0.0, 0.0), (1e-6, 0.0), (1.1e-6, 1.0), (1010e-6, 1.0), (1010.1e-6, 0.0)]
    on = [(0.0, 0.0), (1012e-6, 0.0), (1012.1e-6, 1.0)]
    waves = {"l1_row_code1": pulse, "l1_word1": word, "l1_col_write0": off, "l1_col_read0": on}
    return a, run(a, waves, 1040e-6)


def test_compliance_sets_the_conductance(write: tuple[Array, BatchResult]) -> None:
    """0.6 V over 5.11 kOhm leave 319 uS (the compliance law), which the verify reads back."""
    _, result = write
    x = result.vectors["v(xl1_r1_c0.n_x)"][-1]
    assert conductance(x) == pytest.approx(319e-6, rel=0.01)  # the law is printed to 0.3 %, the ladder adds 30 Ohm
    code = -result.vectors["v(l1_col0_out)"][-1] / E.adc_lsb_v
    assert E.conductance(code, READ_V) == pytest.approx(conductance(x), rel=2e-3)


def test_no_other_cell_is_touched(write: tuple[Array, BatchResult]) -> None:
    """There is no sneak path: no other state moves by 1e-6."""
    a, result = write
    for cell in a.cells:
        if cell.instance != "l1_r1_c0":
            assert np.abs(result.vectors[f"v(x{cell.instance}.n_x)"]).max() < 1e-6


def test_energies_balance(write: tuple[Array, BatchResult]) -> None:
    """What the drivers deliver to the rows is what cells and columns take; the devices' share is below the supply's."""
    a, result = write
    v = {name: np.asarray(x) for name, x in result.vectors.items()}

    def energy(kind: str) -> float:
        total = 0.0
        for m in a.meters:
            if m.name.startswith(kind + " ") and "_ref" not in m.name:
                plus, minus = (v[f"v({n})"] if n != "0" else 0.0 for n in (m.plus, m.minus))
                total += float(np.trapezoid((plus - minus) * v[f"i({m.branch})"], v["time"]))
        return total

    # both sides from the same solution: Kirchhoff's laws to the solver's tolerance
    assert energy("row") == pytest.approx(energy("cell") + energy("column"), rel=1e-3)
    assert 0 < energy("device") < energy("cell") < energy("row") < energy("supply")
    # 0.6 V source, device near its 0.26 V threshold: some 70 uA for 1 ms
    assert energy("supply") == pytest.approx(0.6 * 68e-6 * 1e-3, rel=0.1)
