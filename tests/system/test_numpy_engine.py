# SPDX-License-Identifier: BSD-3-Clause
"""engine: numpy against the RTL on the behavioural view, pulse by pulse, and its integration against SciPy."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numba import njit

from pyharness.bench.cell import cell_kernels
from pyharness.bench.runner import read_record, run_sim
from pyharness.bench.variation import free_model
from pyharness.config import SimConfig
from pyharness.errors import SimulationError
from pyharness.record import Record
from pyharness.veriloga import integrate, load_device
from pyharness.veriloga.scalar_target import compile_scalar

CORNERS = [[["##", ".."], ["..", "##"]], [["#.", "#."], [".#", ".#"]]]  # 2 x 2 pixels: ten devices


def config(engine: str, **sections: Any) -> SimConfig:
    data: dict[str, Any] = {
        "engine": engine,
        "seed": 3,
        "images": CORNERS,
        "training": {"hidden": 2, "pixel_noise": 0.02},
        "test": {"count": 40, "pixel_noise": 0.1},
        "variation": {"device": True, "cycle": True},
        "waves": False,
    }
    return SimConfig.model_validate(data | sections)


def run(tmp_path: Path, engine: str, **sections: Any) -> Record:
    return read_record(run_sim(config(engine, **sections), tmp_path / engine, "test"))


def pulses(record: Record) -> list[tuple[Any, ...]]:
    """Everything that the log holds but the time, which both count from another event."""
    rounded = [p.model_copy(update={"time_s": 0.0, "width_s": round(p.width_s, 9)}) for p in record.pulses]
    return [tuple(p.model_dump().values()) for p in rounded]


@pytest.mark.parametrize(
    "write_verify",
    [
        {"algorithm": "predictive", "set_pulse_s": 2e-5, "set_max_v": 1.2, "set_stretch": 4},
        {"algorithm": "incremental", "initial_reset": True, "initial_reset_pulse_s": 1e-4},
        {"algorithm": "fixed", "set_start_v": 1.5, "set_pulse_s": 4e-5, "reset_start_v": 1.5, "max_pulses": 30},
    ],
    ids=lambda w: w["algorithm"],
)
def test_a_job_as_in_verilog(tmp_path: Path, write_verify: dict[str, Any]) -> None:
    """Every pulse and every sum is the same; times to the clock, energies to what adding up leaves."""
    fast, rtl = (run(tmp_path, engine, write_verify=write_verify) for engine in ("numpy", "behavioural"))
    assert len(rtl.pulses) > 20
    assert pulses(fast) == pulses(rtl)
    assert [d.status for d in fast.devices] == [d.status for d in rtl.devices]
    assert fast.answers == rtl.answers
    assert fast.training_time_s == pytest.approx(rtl.training_time_s, rel=1e-9)
    for name, value in dict(rtl.energy_j or {}).items():
        assert getattr(fast.energy_j, name) == pytest.approx(value, rel=1e-6), name
    assert [d.energy_j for d in fast.devices] == pytest.approx([d.energy_j for d in rtl.devices], rel=1e-6)


def test_another_circuit_is_noticed(tmp_path: Path) -> None:
    """A compliance resistor 1 % larger changes the log: the comparison can fail."""
    fast = run(tmp_path / "a", "numpy", array={"compliance_ohm": 5161.0})
    assert pulses(fast) != pulses(run(tmp_path / "b", "numpy"))


@pytest.mark.parametrize("card", ["chromium", "carbon", "tungsten"])
@pytest.mark.parametrize("source_v", [1.2, 0.5, -0.9])
def test_a_pulse_as_scipy_integrates_it(card: str, source_v: float) -> None:
    """Between the ramps: state within 2e-5 of SciPy's at a tolerance of 1e-8; the steps are held to 1e-5 each."""
    device = load_device(card)
    model = free_model(device)
    kernels = cell_kernels(compile_scalar(model), *device.module.state_bounds)
    p, start, series_ohm, span_s = np.array(list(model.free.values())), 0.2, 5130.0, 2e-4
    x, supply_j, device_j, v = kernels.integrate(start, span_s, source_v, series_ohm, p, 0.0, 1e-5)
    exact = integrate(model, [0.0, span_s], [source_v, source_v], series_ohm=series_ohm, start=start, rtol=1e-8)
    assert x == pytest.approx(exact, abs=2e-5)
    # the resistor takes the rest: between its powers at the beginning and at the end
    assert 0 < device_j < supply_j
    current = float(model.current(v, x))
    assert (source_v - v) / series_ohm == pytest.approx(current, rel=1e-4)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Another seed other ones."""
    one, two = (run(tmp_path / n, "numpy").model_dump(exclude={"wall_s", "cpu_s"}) for n in "ab")
    assert one == two
    other = read_record(run_sim(config("numpy").model_copy(update={"seed": 4}), tmp_path / "c", "test"))
    assert other.pulses != Record.model_validate(one).pulses


def test_the_command_writes_record_and_report(tmp_path: Path) -> None:
    """As with the other engines; the record says what computed it."""
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(config("numpy").model_dump(mode="json")))
    command = [sys.executable, "-m", "pyharness", "sim", str(path), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "out" / "latest")
    assert (record.status, record.engine) == ("complete", "NumPy and Numba")
    assert "numba" in record.tools
    assert (tmp_path / "out" / "latest" / "report.html").is_file()


def test_a_run_that_fails_keeps_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device without a solution: the message names the folder, the pulses before it are in the record."""
    from pyharness.bench.numpy_array import NumpyArray

    def fails(self: NumpyArray, *_: Any) -> Any:
        raise SimulationError("the currents of layer l1 are not found")

    monkeypatch.setattr(NumpyArray, "inference", fails)
    with pytest.raises(SimulationError, match="layer l1 are not found\nwhat was measured so far is in"):
        run(tmp_path, "numpy")
    (folder,) = (tmp_path / "numpy").iterdir()
    record = read_record(folder)
    assert record.status == "interrupted"
    assert record.pulses
    assert not (tmp_path / "numpy" / "latest").exists()


def test_a_rate_that_is_no_number_ends_the_integration() -> None:
    """A model of a user's own may divide by zero: NaN comes back, at the start and on the way."""

    @njit
    def evaluate(v: float, x: float, p: Any) -> tuple[float, ...]:
        rate = 1e6 * v if x < 0.5 else np.nan
        return 1e-4 * v, rate, 1e-4, 0.0, 1e6, 0.0

    kernels = cell_kernels(evaluate, 0.0, 1.0)
    for start in (0.0, 0.7):
        assert np.isnan(kernels.integrate(start, 1e-3, 1.0, 1e3, np.zeros(1), 0.0, 1e-5)[0])
    assert kernels.integrate(0.0, 1e-7, 1.0, 1e3, np.zeros(1), 0.0, 1e-5)[0] == pytest.approx(0.1 / 1.1)
