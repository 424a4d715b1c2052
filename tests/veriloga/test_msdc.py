# SPDX-License-Identifier: BSD-3-Clause
"""The msdc model: its equations against SciPy, and what a memristor must do."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pyharness.spice import run_batch
from pyharness.veriloga import Device, NumpyModel, Subcircuit, compile_numpy, emit_ngspice, load_device

SERIES_OHM = 5110.0
RAMP_S = 5e-7
# the options of the main job: 0.1 % of the state per write pulse
OPTIONS = ".options reltol=1e-4 trtol=2"


@pytest.fixture(scope="module")
def device() -> Device:
    return load_device("chromium")


@pytest.fixture(scope="module")
def model(device: Device) -> NumpyModel:
    return compile_numpy(device.module, device.card.parameters, ("x0",))


@pytest.fixture(scope="module")
def subcircuit(device: Device) -> Subcircuit:
    return emit_ngspice(device.module, name="dut", parameters=device.card.parameters, instance_parameters=("x0",))


def conductance(model: NumpyModel, x: float) -> float:
    """Return the small-signal conductance in siemens at on-state fraction ``x``."""
    return float(model.current(1e-6, 0.0, x0=x) / 1e-6)


def device_voltage(model: NumpyModel, source_v: float, x: float) -> float:
    """Solve the divider of device and series resistor (the chromium card is ohmic at fixed state)."""
    return source_v / (1 + SERIES_OHM * conductance(model, x))


def pulsed(model: NumpyModel, source_v: float, width_s: float, x0: float = 0.0) -> float:
    """Return the state after one pulse, by SciPy at tight tolerance."""

    def drive(t: float) -> float:
        return source_v * min(max(min(t / RAMP_S, (width_s + RAMP_S - t) / RAMP_S), 0.0), 1.0)

    def rate(t: float, x: list[float]) -> list[float]:
        return [float(model.rate(device_voltage(model, drive(t), x[0]), x[0], x0=0.0))]

    done = solve_ivp(rate, (0, 1.1 * width_s), [x0], method="Radau", rtol=1e-10, atol=1e-14, max_step=width_s / 100)
    return float(done.y[0, -1])


def pulse_deck(subcircuit: Subcircuit, source_v: float, width_s: float, x0: float = 0.0) -> list[str]:
    """One pulse through the series resistor; each ramp has a corner in its middle."""
    half, v = RAMP_S / 2, source_v
    corners = [(0, 0), (half, v / 2), (RAMP_S, v), (width_s, v), (width_s + half, v / 2), (width_s + RAMP_S, 0)]
    wave = " ".join(f"{t!r} {u!r}" for t, u in corners)
    return [subcircuit.text, f"v1 a 0 pwl({wave})", f"xr a b dut x0={x0!r}", f"rs b 0 {SERIES_OHM!r}", OPTIONS]


# conductance in uS after one pulse from the off state: an independent SciPy calculation of the published equation
# with the same parameters and rectangular pulses, printed to 1 uS; the ramps take up to 2 uS off the highest
@pytest.mark.parametrize(
    ("source_v", "width_s", "expected_us"),
    [(0.3, 1e-3, 73), (0.5, 1e-3, 239), (0.8, 1e-3, 476), (1.0, 1e-3, 625), (0.4, 5e-3, 183), (0.6, 20e-3, 398)],
)
def test_compliance_law(model: NumpyModel, source_v: float, width_s: float, expected_us: float) -> None:
    """The source amplitude sets the conductance that a SET pulse leaves."""
    assert conductance(model, pulsed(model, source_v, width_s)) * 1e6 == pytest.approx(expected_us, abs=2.5)


@pytest.mark.parametrize("source_v", [0.3, 0.5, 0.8, 1.0])
def test_ngspice_state_per_pulse(model: NumpyModel, subcircuit: Subcircuit, source_v: float) -> None:
    """The subcircuit's state after a pulse is within 0.15 % of SciPy's (0.1 % measured; steps differ by version)."""
    run = run_batch(pulse_deck(subcircuit, source_v, 1e-3), ".tran 1e-5 1.1e-3 0 1e-3", save=["v(xr.n_x)"])
    assert run.vectors["v(xr.n_x)"][-1] == pytest.approx(pulsed(model, source_v, 1e-3), rel=1.5e-3)


@pytest.mark.parametrize("start", ["", " uic"])
def test_state_holds_at_zero_volt(subcircuit: Subcircuit, start: str) -> None:
    """2.4 s without bias, from an operating point or from initial conditions, move no state by 1e-6."""
    for x0 in (0.0, 0.03, 0.5, 1.0):
        deck = [subcircuit.text, "v1 a 0 0", f"xr a 0 dut x0={x0!r}"]
        run = run_batch(deck, f".tran 1e-2 2.4 0 1e-2{start}", save=["v(xr.n_x)"])
        assert np.abs(run.vectors["v(xr.n_x)"]).max() < 1e-6


def test_reading_does_not_disturb(model: NumpyModel) -> None:
    """A second at the read voltage of 0.1 V changes a conductance in the training window by less than 0.2 %.

    The whole main job reads each device for some 10 ms.
    """
    for x in (0.006, 0.04):
        drift = float(model.rate(0.1, 0.0, x0=x))
        assert abs(drift) < 2e-3 * x


def test_passive_and_zero_at_zero(model: NumpyModel) -> None:
    """No current at 0 V and never a negative power, at up to five times the rated 1 V."""
    v = np.linspace(-5, 5, 401)[:, None]
    x = np.linspace(0, 1, 21)[None, :]
    assert np.all(model.current(0.0, x) == 0)
    assert np.all(v * model.current(v, x) >= 0)


def test_state_stays_bounded(model: NumpyModel) -> None:
    """At the ends of the state's range the rate never points outward, at any voltage."""
    v = np.linspace(-10, 10, 2001)
    assert np.all(model.rate(v, 0.0, x0=0.0) >= 0)
    assert np.all(model.rate(v, 0.0, x0=1.0) <= 0)


def test_jacobian_matches_finite_differences(model: NumpyModel) -> None:
    """Exact derivatives against central differences; their truncation error is about 1e-6 of the slope here."""
    rng = np.random.default_rng(3)
    v, s = rng.uniform(-0.6, 0.6, 200), rng.uniform(0.05, 0.95, 200)
    exact = model.jacobian(v, s)
    h = 1e-6
    for column, (dv, ds) in enumerate([(h, 0.0), (0.0, h)]):
        for row, f in enumerate((model.current, model.rate)):
            slope = (f(v + dv, s + ds) - f(v - dv, s - ds)) / (2 * h)
            np.testing.assert_allclose(exact[row, column], slope, rtol=1e-4, atol=1e-7)


def test_pinched_loop_shrinks_with_frequency(subcircuit: Subcircuit) -> None:
    """Under a sine the loop passes through the origin and its area falls from 10 Hz to 10 kHz."""
    areas = []
    for hertz in (10.0, 10e3):
        period = 1 / hertz
        deck = [
            subcircuit.text,
            f"v1 a 0 sin(0 0.6 {hertz!r})",
            "xr a b dut x0=0.01",
            f"rs b 0 {SERIES_OHM!r}",
            OPTIONS,
        ]
        run = run_batch(deck, f".tran {period / 500!r} {2 * period!r} 0 {period / 500!r}", save=["v(a)", "v(b)"])
        v = run.vectors["v(a)"] - run.vectors["v(b)"]
        i = run.vectors["v(b)"] / SERIES_OHM
        crossing = np.abs(v) < 1e-3
        assert np.abs(i[crossing]).max() < 1e-3 / 102  # below 1 mV over the lowest resistance
        last = run.vectors["time"] >= period
        areas.append(abs(np.trapezoid(i[last], v[last])))
    assert areas[0] > 3 * areas[1] > 0
