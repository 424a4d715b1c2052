# SPDX-License-Identifier: BSD-3-Clause
"""Lines with resistance: the software network, the NumPy array and the netlist against each other and against algebra."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pyharness.bench.array import Array, ArrayElectrics, EnergyBalance, Layer, build_array
from pyharness.bench.job import build_job
from pyharness.bench.numpy_array import NumpyArray
from pyharness.config import SimConfig
from pyharness.errors import ConfigError
from pyharness.network.reference import Arithmetic
from pyharness.spice import BatchResult, run_batch
from pyharness.veriloga import compile_numpy, emit_ngspice, integrate, load_device

WIRE_OHM, READ_V = 20.0, 0.1
E = ArrayElectrics(wire_ohm=WIRE_OHM)
LAYERS = (Layer("l1", 3, 2), Layer("l2", 2, 1))
DEVICE = load_device("chromium")
STATES = np.array([0.12, 0.45, 0.3, 0.2, 0.5, 0.36, 0.25, 0.4])


def netlist(electrics: ArrayElectrics, states: NDArray[np.float64] = STATES) -> Array:
    memristor = emit_ngspice(DEVICE.module, name="dut", parameters=DEVICE.card.parameters, instance_parameters=("x0",))
    cells = [(i, r, c) for i, layer in enumerate(LAYERS) for r in range(layer.rows) for c in range(layer.cols)]
    return build_array(
        electrics, LAYERS, memristor, {at: {"x0": float(x)} for at, x in zip(cells, states, strict=True)}
    )


def numpy_array(electrics: ArrayElectrics, states: NDArray[np.float64] = STATES) -> NumpyArray:
    return NumpyArray(DEVICE, electrics, LAYERS, [{} for _ in states], states)


def run(a: Array, waves: dict[str, Sequence[tuple[float, float]]], stop_s: float) -> BatchResult:
    # a hundred times tighter than the other tests of the array: what differs here is the circuit, not the solver
    options = ".options reltol=1e-6 vntol=1e-9 abstol=1e-15"
    return run_batch(
        [*a.netlist, *a.batch_sources(waves), options], f".tran {stop_s / 50!r} {stop_s!r} 0 {stop_s / 50!r}"
    )


def level(v: float, at_s: float = 1e-6) -> list[tuple[float, float]]:
    return [(0.0, 0.0), (at_s, 0.0), (at_s + E.edge_s, v)]


def all_nodes(a: Arithmetic, g: NDArray[np.float64], volts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the codes from a dense solution that knows each node by name, the reference row and the cells' middles too."""
    rows, cols = g.shape
    branches: list[tuple[Any, Any, float]] = [("ref source", "ref", a.driver_ohm)]
    for r in range(rows):
        branches.append((f"source {r}", ("row", r, 0), a.driver_ohm))
        branches += [(("row", r, c), ("row", r, c + 1), a.wire_ohm) for c in range(cols - 1)]
        for c in range(cols):
            branches += [(("row", r, c), ("mid", r, c), a.cell_ohm), (("mid", r, c), ("col", r, c), 1 / g[r, c])]
    for c in range(cols):
        branches += [(("col", r, c), ("col", r + 1, c), a.wire_ohm) for r in range(rows - 1)]
        branches += [(("col", rows - 1, c), "0", a.column_ohm), ("ref", "0", 1 / a.g_ref_siemens)]
    given = {"0": 0.0, "ref source": -volts.sum()} | {f"source {r}": v for r, v in enumerate(volts)}
    names = [n for n in dict.fromkeys(n for one, other, _ in branches for n in (one, other)) if n not in given]
    nodal, drive = np.zeros((len(names), len(names))), np.zeros(len(names))
    for one, other, ohm in branches:
        for near, far in ((one, other), (other, one)):
            if near in given:
                continue
            nodal[names.index(near), names.index(near)] += 1 / ohm
            if far in given:
                drive[names.index(near)] += given[far] / ohm
            else:
                nodal[names.index(near), names.index(far)] -= 1 / ohm
    found = dict(zip(names, np.linalg.solve(nodal, drive), strict=True))
    currents = [found["col", rows - 1, c] / a.column_ohm + found["ref"] * a.g_ref_siemens for c in range(cols)]
    return np.array(currents) * a.feedback_ohm / a.adc_lsb_v


@pytest.mark.parametrize("size", [(9, 3), (3, 1), (2, 7)])
@pytest.mark.parametrize("wire_ohm", [1e-3, 2.0, 300.0])
def test_column_codes_against_all_nodes(size: tuple[int, int], wire_ohm: float) -> None:
    """Sparse against dense, to what rounding leaves beside the least wire."""
    rng, a = np.random.default_rng(7), Arithmetic(wire_ohm=wire_ohm)
    g, codes = rng.uniform(100e-6, 400e-6, size), rng.integers(0, 120, (4, size[0]))
    expected = np.array([all_nodes(a, g, one * a.dac_lsb_v) for one in codes])
    found = a.column_code(g, codes)
    assert found == pytest.approx(expected, abs=1e-6)
    if wire_ohm > 1:
        assert np.abs(found - Arithmetic().column_code(g, codes)).max() > 0.5


def test_the_least_wire_is_nearly_none() -> None:
    """Without resistance the equations are others: both forms meet where the wire vanishes, at 4e-6 of a cell's resistance."""
    g, codes = np.random.default_rng(8).uniform(100e-6, 400e-6, (9, 3)), np.full((1, 9), 100)
    wired, ideal = (Arithmetic(wire_ohm=ohm).column_code(g, codes) for ohm in (1e-3, 0.0))
    assert wired == pytest.approx(ideal, abs=4e-6 * 12 * 9 * 400e-6 * READ_V * 5e3 / 0.5e-3)


def test_one_row_in_closed_form() -> None:
    """Equal cells along one row are a ladder: hyperbolic cosines, counted from half a cell beyond its open end."""
    count, g = 8, 300e-6
    a = Arithmetic(wire_ohm=80.0)
    branch_ohm = 1 / g + a.cell_ohm + a.column_ohm
    decay = np.arccosh(1 + a.wire_ohm / branch_ohm / 2)
    shape = np.cosh((count - 0.5 - np.arange(-1, count)) * decay)  # the first is before the driven node
    scale = 0.1 / (shape[1] + a.driver_ohm / a.wire_ohm * (shape[0] - shape[1]))
    currents = scale * shape[1:] / branch_ohm
    reference = -0.1 * a.g_ref_siemens / (1 + a.driver_ohm * a.g_ref_siemens * count)
    expected = (currents + reference) * a.feedback_ohm / a.adc_lsb_v
    assert a.column_code(np.full((1, count), g), [[100]])[0] == pytest.approx(expected, abs=1e-8)
    assert expected[0] - expected[-1] > 10


def test_shorted_segments_leave_the_ideal_netlist() -> None:
    """Take the segments out and one node for each line: line by line what ideal lines give, which holds no trace of a wire."""
    ideal, wired = netlist(ArrayElectrics()), netlist(E)
    segments = {line.split()[0].removeprefix("rwire_") for line in wired.netlist if line.startswith("rwire_")}
    assert len(segments) == 3 * 1 + 2 * 2 + 0 + 1
    kept = [s for s in wired.netlist if not any(s.startswith((f"rwire_{n} ", f"vm_{n} ")) for n in segments)]
    line_of = {name: name.rsplit("_", 1)[0] for name in segments}
    assert [" ".join(line_of.get(word, word) for word in text.split(" ")) for text in kept] == ideal.netlist
    assert "wire" not in "\n".join(ideal.netlist)
    assert {m.name for m in wired.meters} - {m.name for m in ideal.meters} == {f"wire {n}" for n in segments}
    assert {m.name for m in ideal.meters} <= {m.name for m in wired.meters}


@pytest.fixture(scope="module")
def inference() -> tuple[Array, BatchResult, list[float]]:
    """Three rows driven at levels of their own, in the inference range."""
    a, inputs = netlist(E), [0.1, 0.06, 0.1]
    waves = {f"l1_row_code{r}": level(v, 3e-6) for r, v in enumerate(inputs)}
    waves |= {f"l1_word{r}": level(1) for r in range(3)} | {f"l1_col_read{c}": level(1) for c in range(2)}
    waves |= {"l1_ref_code": level(-sum(inputs), 3e-6), "l1_range": level(1)}
    return a, run(a, waves, 10e-6), inputs


def outputs(found: BatchResult) -> NDArray[np.float64]:
    return np.array([-found.vectors[f"v(l1_col{c}_out)"][-1] for c in range(2)])


def test_inference_as_in_ngspice(inference: tuple[Array, BatchResult, list[float]]) -> None:
    """Outputs, supplied power and each device's: the netlist's, to the solver's tolerance and the bleed of 1e-9 S."""
    a, found, inputs = inference
    codes = np.array([[round(v / E.dac_lsb_v) for v in inputs]])
    answer = numpy_array(E).inference(0, codes)
    assert answer.out_v[0] == pytest.approx(outputs(found), abs=1e-6)

    def power(kind: str) -> list[float]:
        last = {name: values[-1] for name, values in found.vectors.items()}
        ends = [(m, last[f"v({m.plus})"] - (0.0 if m.minus == "0" else last[f"v({m.minus})"])) for m in a.meters]
        return [v * last[f"i({m.branch})"] for m, v in ends if m.name.startswith(f"{kind} l1")]

    assert answer.supply_w[0] == pytest.approx(sum(power("supply")), rel=1e-5)
    assert answer.device_w[0] == pytest.approx(power("device"), rel=1e-5)
    # without the segments it is another circuit
    assert np.abs(numpy_array(ArrayElectrics()).inference(0, codes).out_v[0] - outputs(found)).min() > 5e-4


def test_images_are_solved_one_by_one_alike() -> None:
    """An image's answer does not depend on its company."""
    array, codes = numpy_array(E), np.array([[100, 0, 0], [100, 60, 100], [0, 0, 0]])
    together = array.inference(0, codes)
    for k in range(3):
        assert together.out_v[k] == pytest.approx(array.inference(0, codes[k : k + 1]).out_v[0], abs=1e-9)


@pytest.mark.parametrize(("r", "c", "segments"), [(2, 0, 0), (0, 0, 2), (2, 1, 1), (0, 1, 3)])
def test_a_read_sees_the_path_of_its_cell(r: int, c: int, segments: int) -> None:
    """Verify code of the netlist, of the NumPy array, and of what the target's conversion takes the path for."""
    assert E.path_ohm(LAYERS[0])[r, c] == WIRE_OHM * segments
    waves = {f"l1_row_code{r}": level(READ_V, 3e-6), f"l1_word{r}": level(1), f"l1_col_read{c}": level(1)}
    vectors = run(netlist(E), waves, 10e-6).vectors
    name = f"l1_r{r}_c{c}"
    upper, lower = (vectors[f"v({n})"][-1] for n in (f"{name}_p", f"l1_col{c}" if r == 2 else f"l1_col{c}_r{r}"))
    g = vectors[f"i(vm_{name})"][-1] / (upper - lower)
    out = -vectors[f"v(l1_col{c}_out)"][-1] / E.adc_lsb_v
    code = E.verify_code(g, READ_V, WIRE_OHM * segments)
    # the finite gain, the leakage of open switches; a segment is 0.3 % and more of these codes
    assert out == pytest.approx(code, rel=2e-4, abs=0.05)
    assert E.conductance(code, READ_V, WIRE_OHM * segments) == pytest.approx(g, rel=1e-12)
    # a code is the step that an output falls in
    assert numpy_array(E).read(2 * r + c, READ_V, 0.0, 1e-5) == pytest.approx(out - 0.5, abs=0.55)


@pytest.fixture(scope="module")
def write() -> tuple[Array, BatchResult]:
    """A SET pulse of 0.6 V and 1 ms on the cell at the ends of both its lines, three segments."""
    states = STATES.copy()
    states[1] = 0.0
    a = netlist(E, states)
    pulse = [(0.0, 0.0), (5e-6, 0.0), (5.1e-6, 0.6), (1005.1e-6, 0.6), (1005.2e-6, 0.0)]
    return a, run(a, {"l1_row_code0": pulse, "l1_word0": level(1), "l1_col_write1": level(1)}, 1010e-6)


def test_a_pulse_ends_where_its_path_lets_it(write: tuple[Array, BatchResult]) -> None:
    """State after the pulse: netlist, SciPy behind the summed resistances, NumPy array."""
    _, found = write
    x = found.vectors["v(xl1_r0_c1.n_x)"][-1]
    model = compile_numpy(DEVICE.module, {**DEVICE.card.parameters, "x0": 0.0})
    ohm = E.driver_ohm + 2 * E.switch_on_ohm + E.compliance_ohm
    corners = [0, 1e-7, 1.0001e-3, 1.0002e-3], [0, 0.6, 0.6, 0]
    exact, ideal = (integrate(model, *corners, series_ohm=ohm + path, rtol=1e-8) for path in (3 * WIRE_OHM, 0.0))
    assert abs(exact - ideal) > 4e-3 * ideal
    assert x == pytest.approx(exact, rel=5e-4)
    array = numpy_array(E, np.zeros(len(STATES)))
    array.pulse(1, 0.6, 0.0, 1e-3 + E.edge_s, None)
    assert array.x[1] == pytest.approx(exact, rel=5e-4)


@pytest.mark.parametrize("what", ["write", "inference"])
def test_the_wires_energy_is_in_the_balance(what: str, request: pytest.FixtureRequest) -> None:
    """The books close, wires by their own currents; without any one of their meters that carries energy they do not."""
    a, found, *_ = request.getfixturevalue(what)
    meters = a.batch_energies(found.vectors)
    balance = EnergyBalance.of(meters)
    assert abs(balance.residual_j) < 1e-9 * balance.supply_j
    carrying = {"write": ["row0_c1", "col1_r0", "col1_r1"], "inference": ["row2_c1", "col0_r0", "col1_r1"]}[what]
    for name in carrying:
        left = EnergyBalance.of({n: e for n, e in meters.items() if n != f"wire l1_{name}"})
        assert left.residual_j > 1e-5 * left.supply_j, name


def test_the_wires_lose_by_their_resistance(write: tuple[Array, BatchResult]) -> None:
    """Three segments carry the one cell's current."""
    a, found = write
    current = found.vectors["i(vm_l1_r0_c1)"]
    squared = np.sum((current[1:] ** 2 + current[:-1] ** 2) / 2 * np.diff(found.vectors["time"]))
    balance = EnergyBalance.of(a.batch_energies(found.vectors))
    assert balance.wires_j == pytest.approx(3 * WIRE_OHM * squared, rel=1e-4)


@pytest.mark.parametrize("wire_ohm", [-1.0, 1001.0, float("nan")])
def test_wires_out_of_range_are_refused(wire_ohm: float) -> None:
    """With range and value."""
    with pytest.raises(ConfigError, match=r"array figure wire_ohm must lie in 0 \.\. 1000, got"):
        ArrayElectrics(wire_ohm=wire_ohm)


def test_a_wire_too_thick_to_solve_is_refused() -> None:
    """With what to take instead."""
    with pytest.raises(
        ConfigError, match=r"wire_ohm must be 0 or at least 0\.001, got 1e-09: .*take 0 for ideal lines"
    ):
        ArrayElectrics(wire_ohm=1e-9)


def test_a_job_converts_by_the_path_of_each_device() -> None:
    """Equal targets have lower codes at longer paths; a code stands for the target again, to half a code."""
    sections: dict[str, Any] = {
        "images": [[["##", ".."]], [["..", "##"]]],
        "training": {"hidden": 2, "targets_siemens": [2e-4] * 10},
        "array": {"wire_ohm": 50.0},
    }
    job = build_job(SimConfig.model_validate(sections))
    assert job.path_ohm.tolist() == [150, 200, 100, 150, 50, 100, 0, 50, 50, 0]
    code = 2e-4 / (1 + 2e-4 * (30 + job.path_ohm)) * READ_V * 20e3 / 0.5e-3
    assert job.target_codes.tolist() == np.rint(code - 0.5).astype(int).tolist()
    assert job.target_codes[1] < 0.97 * job.target_codes[6]
    for i, found in enumerate(job.target_codes):
        assert job.conductance(i, found) == pytest.approx(2e-4, abs=0.15e-6)
    assert job.electrics.wire_ohm == job.network.arithmetic.wire_ohm == 50
    assert job.with_conductances(job.targets_siemens).arithmetic.wire_ohm == 50
    assert "rwire_l1_row0_c1 l1_row0_c1_w l1_row0_c1 50.0" in job.array.netlist
