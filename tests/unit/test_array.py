# SPDX-License-Identifier: BSD-3-Clause
"""The array's netlist in plain ngspice: compliance, verify codes, signed sums, isolation, energy book-keeping."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from pyharness.bench.array import Array, ArrayElectrics, EnergyBalance, Layer, build_array
from pyharness.errors import ConfigError, NetlistError
from pyharness.spice import BatchResult, run_batch
from pyharness.veriloga import Subcircuit, compile_numpy, divider_voltage, emit_ngspice, integrate, load_device

LAYERS = (Layer("l1", 3, 2), Layer("l2", 2, 1))
E = ArrayElectrics()
READ_V = 0.1
OPTIONS = ".options reltol=1e-4 trtol=2"
DEVICE = load_device("chromium")
MODEL = compile_numpy(DEVICE.module, {**DEVICE.card.parameters, "x0": 0.0})


def subcircuit() -> Subcircuit:
    return emit_ngspice(DEVICE.module, name="dut", parameters=DEVICE.card.parameters, instance_parameters=("x0",))


def array(start: dict[tuple[int, int, int], float]) -> Array:
    return build_array(E, LAYERS, subcircuit(), {key: {"x0": x0} for key, x0 in start.items()})


def conductance(x: float, series_ohm: float = E.read_series_ohm) -> float:
    """The conductance at on-state fraction ``x`` under the voltage that a read leaves it; the characteristic is curved."""
    v = divider_voltage(MODEL, READ_V, x, series_ohm)
    return float(MODEL.current(v, x)) / v


def state(g_siemens: float) -> float:
    """The on-state fraction of that conductance."""
    return float(brentq(lambda x: conductance(x) - g_siemens, 0, 1, xtol=1e-12))


def level(v: float, at: float = 1e-6) -> list[tuple[float, float]]:
    return [(0.0, 0.0), (at, 0.0), (at + E.edge_s, v)]


def run(a: Array, waves: dict[str, Sequence[tuple[float, float]]], stop_s: float) -> BatchResult:
    return run_batch(
        [*a.netlist, *a.batch_sources(waves), OPTIONS], f".tran {stop_s / 50!r} {stop_s!r} 0 {stop_s / 20!r}"
    )


@pytest.mark.parametrize("g_siemens", [55e-6, 200e-6, 450e-6])
def test_verify_reads_a_single_cell(g_siemens: float) -> None:
    """The amplifier's output is the verify code of the selected cell, whatever its neighbours hold."""
    x0 = state(g_siemens)
    a = array({(0, 1, 1): x0, (0, 0, 1): 0.9, (0, 1, 0): 0.9, (0, 2, 1): 0.5})
    waves = {"l1_row_code1": level(READ_V, 3e-6), "l1_word1": level(1), "l1_col_read1": level(1)}
    out = run(a, waves, 10e-6).vectors["v(l1_col1_out)"][-1]
    code = E.verify_code(g_siemens, READ_V)
    # the finite gain of 10^5 and the settling leave up to 0.03 %, the switched-off cells a third of an LSB
    assert -out / E.adc_lsb_v == pytest.approx(code, rel=4e-4, abs=0.3)
    assert E.conductance(code, READ_V) == pytest.approx(g_siemens, rel=1e-12)


def test_inference_sums_signed_weights() -> None:
    """With the reference row at minus the sum of the inputs a column gives the sum of (G - Gref) * V."""
    x = {(0, r, c): state(100e-6 + 80e-6 * r + 40e-6 * c) for r in range(3) for c in range(2)}
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
    a = array({key: state(200e-6) for key in [(0, r, c) for r in range(3) for c in range(2)] if key != (0, 1, 0)})
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


# what stands between the source and a written cell: driver, access switch, column switch, compliance resistor
WRITE_OHM = E.driver_ohm + 2 * E.switch_on_ohm + E.compliance_ohm


def test_compliance_sets_the_conductance(write: tuple[Array, BatchResult]) -> None:
    """0.6 V through the compliance resistor leave the state that SciPy finds, which the verify reads back."""
    _, result = write
    x = result.vectors["v(xl1_r1_c0.n_x)"][-1]
    corners = [0, 100e-9, 1e-3, 1.0001e-3], [0, 0.6, 0.6, 0]
    # the looser tolerance of this run: 0.2 % of the state
    assert x == pytest.approx(integrate(MODEL, *corners, series_ohm=WRITE_OHM), rel=2e-3)
    code = -result.vectors["v(l1_col0_out)"][-1] / E.adc_lsb_v
    assert E.conductance(code, READ_V) == pytest.approx(conductance(x), rel=2e-3)


def test_no_other_cell_is_touched(write: tuple[Array, BatchResult]) -> None:
    """There is no sneak path: no other state moves by 1e-6."""
    a, result = write
    for cell in a.cells:
        if cell.instance != "l1_r1_c0":
            assert np.abs(result.vectors[f"v(x{cell.instance}.n_x)"]).max() < 1e-6


def test_energies_balance(write: tuple[Array, BatchResult]) -> None:
    """What the drivers deliver is what drivers, switches, devices, columns and references take."""
    a, result = write
    found = EnergyBalance.of(a.batch_energies(result.vectors))
    # all from the same solution: Kirchhoff's laws hold to the solver's residual, measured 2e-13 of the supply
    assert abs(found.residual_j) < 1e-9 * found.supply_j
    # the current of the same pulse, by SciPy: its mean over a millisecond
    times = np.linspace(1e-7, 1e-3, 81)
    x, currents = integrate(MODEL, [0, 1e-7], [0, 0.6], series_ohm=WRITE_OHM), []
    for t0, t1 in itertools.pairwise(times):
        x = integrate(MODEL, [t0, t1], [0.6, 0.6], series_ohm=WRITE_OHM, start=x)
        currents.append(float(MODEL.current(divider_voltage(MODEL, 0.6, x, WRITE_OHM), x)))
    assert found.supply_j == pytest.approx(0.6 * float(np.mean(currents)) * 1e-3, rel=0.02)
    # each part against the resistance that it belongs to, by the current of the one selected cell
    time, current = result.vectors["time"], result.vectors["i(vm_l1_r1_c0)"]
    pieces = (current[1:] ** 2 + current[:-1] ** 2) / 2 * np.diff(time)
    writing = time[1:] <= 1010e-6
    squared, squared_writing = float(pieces.sum()), float(pieces[writing].sum())
    # the other cells leak 1e-10 S through their switches
    assert found.drivers_j == pytest.approx(E.driver_ohm * squared, rel=1e-4)
    assert found.switches_j == pytest.approx(E.switch_on_ohm * squared, rel=2e-3)
    # a written column ends in the compliance resistor, a read one in a virtual ground
    ends = E.switch_on_ohm * squared + E.compliance_ohm * squared_writing
    assert found.columns_j == pytest.approx(ends, rel=1e-4)
    assert abs(found.reference_j) < 1e-6 * found.supply_j


def test_the_balance_shows_a_missing_meter(write: tuple[Array, BatchResult]) -> None:
    """Leave any meter that carries energy out, and the books do not close."""
    a, result = write
    energies = a.batch_energies(result.vectors)
    # (a supply or device meter only shifts energy between two entries of the same side)
    for name in ("row l1_row1", "cell l1_r1_c0", "column l1_col0"):
        rest = {k: e for k, e in energies.items() if k != name}
        balance = EnergyBalance.of(rest)
        assert abs(balance.residual_j) > 0.1 * balance.supply_j, name


@pytest.mark.parametrize("shape", [((9, 3), (3, 1)), ((1, 1), (1, 2)), ((2, 5), (5, 3))])
def test_any_size(shape: tuple[tuple[int, int], tuple[int, int]]) -> None:
    """Cells, drivers, comparators and meters in number; the same text each time; a circuit that ngspice takes."""
    layers = [Layer(f"l{i + 1}", *size) for i, size in enumerate(shape)]
    a, again = (build_array(E, layers, subcircuit()) for _ in range(2))
    assert a.netlist == again.netlist
    names = [line.split()[0] for line in a.netlist]
    rows, cols = (sum(size[k] for size in shape) for k in (0, 1))
    cells = sum(r * c for r, c in shape)
    assert sum(n.startswith("xl") for n in names) == cells == len(a.cells)
    assert sum(n.startswith("ecmp") or n.startswith("bcmp") for n in names) == cols
    kinds = {
        k: sum(m.name.startswith(f"{k} ") for m in a.meters) for k in ("supply", "row", "cell", "device", "column")
    }
    drivers = rows + len(shape)
    assert kinds == {"supply": drivers, "row": drivers, "cell": cells, "device": cells, "column": cols}
    # codes, words, both column switches, converter codes; reference and range are single
    assert len(a.driven) == len(set(a.driven)) == 2 * rows + 3 * cols + 2 * len(shape)
    result = run(a, {}, 1e-6)
    assert max(abs(result.vectors[f"v({layer.name}_row0)"][-1]) for layer in layers) < 1e-9


def test_nodes_are_named_after_the_ports() -> None:
    """Element i of a port is node <port><i>, a single element the port itself."""
    a = build_array(E, [Layer("l1", 9, 3), Layer("l2", 3, 1)], subcircuit())
    expected = {
        f"l1_{p}{i}" for p, n in (("row_code", 9), ("word", 9), ("col_read", 3), ("adc_code", 3)) for i in range(n)
    }
    expected |= {"l1_ref_code", "l1_range", "l2_col_write", "l2_adc_code", "l2_range", "l2_row_code2"}
    assert expected <= set(a.driven)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"compliance_ohm": 0.0}, r"array figure compliance_ohm must lie in 1 \.\. 1e\+09, got 0\.0"),
        ({"g_ref_siemens": float("nan")}, r"g_ref_siemens must lie in .*, got nan"),
        ({"edge_s": float("inf")}, r"edge_s must lie in .*, got inf"),
        ({"saturation_v": -1.2}, r"saturation_v must lie in .*, got -1\.2"),
        ({"driver_ohm": "10\n.control"}, r"driver_ohm must lie in .*, got '10\\n\.control'"),
        ({"dac_bits": 11.5}, r"dac_bits must be a whole number in 2 \.\. 32, got 11\.5"),
        ({"adc_bits": True}, r"adc_bits must be a whole number in 2 \.\. 32, got True"),
        ({"feedback_inference_ohm": 20e3}, r"feedback_inference_ohm must be well below feedback_verify_ohm"),
        ({"feedback_inference_ohm": 30e3}, r"feedback_inference_ohm must be well below feedback_verify_ohm"),
    ],
)
def test_figures_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    """With the figure's name, its range and the value received."""
    with pytest.raises(ConfigError, match=message):
        ArrayElectrics(**change)


def test_layers_out_of_range_are_refused() -> None:
    """Name and size."""
    with pytest.raises(NetlistError, match=r"a layer name must be a lower-case identifier .* got 'L1'"):
        Layer("L1", 1, 1)
    with pytest.raises(ConfigError, match=r"layer 'l1': cols must be a whole number in 1 \.\. 1024, got 0"):
        Layer("l1", 1, 0)
