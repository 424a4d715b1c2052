# SPDX-License-Identifier: BSD-3-Clause
"""Measured scatter: the draws, the parameters that a voltage drives, what reaches the netlist, the reachable window."""

from dataclasses import replace

import numpy as np
import pytest

from pyharness.bench.array import ArrayElectrics, Layer, build_array
from pyharness.bench.job import build_job
from pyharness.bench.variation import CycleDraws, draw_devices, drives, free_model, reachable_window
from pyharness.config import SimConfig
from pyharness.errors import ConfigError, NetlistError
from pyharness.spice import run_batch
from pyharness.veriloga import Device, Drive, emit_ngspice, integrate, load_device
from pyharness.veriloga.card import Spread, Spreads

CHROMIUM = load_device("chromium")
SEED = np.random.SeedSequence(7)
SERIES_OHM = 5110.0


def spread(distribution: str, sigma: float) -> Spread:
    return Spread(distribution=distribution, sigma=sigma, unit="", source="this test")  # type: ignore[arg-type]


def with_spreads(**kinds: dict[str, Spread]) -> Device:
    card = CHROMIUM.card.model_copy(update={"spread": Spreads(**kinds)})
    return replace(CHROMIUM, card=card)


def test_devices_scatter_as_the_card_says() -> None:
    """Moments of 1500 draws, each within four of its standard errors: normal about the value, lognormal about its median."""
    n = 1500
    found = draw_devices(CHROMIUM, n, SEED)
    spreads, values = CHROMIUM.card.spread.device_to_device, CHROMIUM.card.parameters
    assert set(found[0]) == set(spreads) == {"v_on", "r_on", "r_off"}
    for name, s in spreads.items():
        drawn = np.array([one[name] for one in found])
        z = drawn - values[name] if s.distribution == "normal" else np.log(drawn / values[name])
        assert abs(z.mean()) < 4 * s.sigma / np.sqrt(n)
        assert z.std() == pytest.approx(s.sigma, rel=4 / np.sqrt(2 * n))
    table = np.array([[one["v_on"], np.log(one["r_on"])] for one in found])
    assert abs(np.corrcoef(table.T)[0, 1]) < 4 / np.sqrt(n)


def test_pulses_scatter_about_the_devices_own_values() -> None:
    """The same over 1000 pulses of a device whose SET threshold is its own."""
    cycles = CycleDraws(CHROMIUM, [{"v_on": 0.6}], SEED)
    found = [cycles.values(0, k) for k in range(1000)]
    v_on, v_off = (np.array([one[name] for one in found]) for name in ("v_on", "v_off"))
    sigma = CHROMIUM.card.spread.cycle_to_cycle
    assert v_on.mean() == pytest.approx(0.6, abs=4 * sigma["v_on"].sigma / np.sqrt(1000))
    assert v_on.std() == pytest.approx(sigma["v_on"].sigma, rel=0.09)
    assert np.log(v_off).std() == pytest.approx(sigma["v_off"].sigma, rel=0.09)


def test_a_draw_depends_on_device_and_pulse_alone() -> None:
    """Whatever the order, however many devices there are; another seed, device or pulse gives others."""
    assert draw_devices(CHROMIUM, 3, SEED) == draw_devices(CHROMIUM, 8, SEED)[:3]
    one, two = (CycleDraws(CHROMIUM, [{}] * n, SEED) for n in (2, 9))
    first = [one.values(1, k) for k in range(4)]
    for i in range(9):
        two.values(i, 0)
    assert [two.values(1, k) for k in reversed(range(4))] == first[::-1]
    drawn = [one.values(i, k)["v_on"] for i in range(2) for k in range(4)]
    assert len(set(drawn)) == 8
    assert draw_devices(CHROMIUM, 1, np.random.SeedSequence(8)) != draw_devices(CHROMIUM, 1, SEED)


def test_another_spread_leaves_the_others_as_they_are() -> None:
    """A parameter's draw is the same whatever else the card scatters."""
    few = with_spreads(device_to_device={"v_on": spread("normal", 0.05)})
    more = with_spreads(device_to_device={"v_off": spread("lognormal", 0.1), "v_on": spread("normal", 0.05)})
    assert [d["v_on"] for d in draw_devices(few, 5, SEED)] == [d["v_on"] for d in draw_devices(more, 5, SEED)]


def test_no_draw_is_one_that_no_device_could_have() -> None:
    """Five times the measured scatter: thresholds stay positive, the off resistance above twice the on resistance."""
    wide = with_spreads(
        device_to_device={
            "v_on": spread("normal", 0.3),
            "r_on": spread("lognormal", 2),
            "r_off": spread("lognormal", 4),
        }
    )
    found = draw_devices(wide, 300, SEED)
    assert min(d["v_on"] for d in found) > 0
    assert min(d["r_off"] / d["r_on"] for d in found) > 2
    assert max(d["v_on"] for d in found) > 2 * CHROMIUM.card.parameters["v_on"]


def test_a_scale_of_zero_gives_the_cards_values() -> None:
    """To the last bit, and no control voltage."""
    (one,) = draw_devices(CHROMIUM, 1, SEED, scale=0.0)
    assert one == {name: CHROMIUM.card.parameters[name] for name in one}
    cycles = CycleDraws(CHROMIUM, [{}], SEED, scale=0.0)
    assert set(cycles.controls(0, cycles.values(0, 0)).values()) == {0.0}


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({}, r"variation\.device is on, but card 'chromium' states no spread\.device_to_device: add it"),
        (
            {"v_onn": spread("normal", 0.1)},
            r"spread\.device_to_device names 'v_onn', which is no real parameter of module",
        ),
        ({"phi": spread("normal", 1e6)}, r"no draw of phi in 100 is one .* sigmas times 1: lower variation\.scale"),
    ],
)
def test_spreads_that_cannot_be_drawn(kinds: dict[str, Spread], message: str) -> None:
    """None stated, an unknown parameter, none possible."""
    with pytest.raises(ConfigError, match=message):
        draw_devices(with_spreads(device_to_device=kinds), 1, SEED)


def test_a_sigma_in_percent() -> None:
    """A factor beyond all numbers is one that no device has: drawn again, not the end."""
    wide = with_spreads(device_to_device={"tau_on": spread("lognormal", 30.0)})
    assert all(np.isfinite(own["tau_on"]) for own in draw_devices(wide, 200, SEED, scale=10.0))


def pulse_state(
    driven: dict[str, Drive], controls: dict[str, float], values: dict[str, float], amplitude_v: float
) -> float:
    """The state that a pulse of 1 ms leaves in ngspice, from a share of 0.05."""
    device = emit_ngspice(
        CHROMIUM.module, name="dut", parameters={**CHROMIUM.card.parameters, **values}, instance_parameters=("x0",), driven=driven
    )  # fmt: skip
    sources = [f"vc_{name} c_{name} 0 pwl(0 0 5e-7 0 6e-7 {controls[name]!r})" for name in driven]
    corners = f"0 0 1e-6 0 1.1e-6 {amplitude_v} 1.001e-3 {amplitude_v} 1.0011e-3 0"
    circuit = [
        *device.text.split("\n"),
        *sources,
        f"x1 p 0 {' '.join(f'c_{n}' for n in driven)} dut x0=0.05",
        f"r1 in p {SERIES_OHM}",
        f"v1 in 0 pwl({corners})",
        ".options reltol=1e-6 trtol=1 vntol=1e-9 abstol=1e-15 chgtol=1e-18",
    ]
    result = run_batch(circuit, ".tran 1e-6 1.002e-3 0 1e-5", save=["v(x1.n_x)"])
    return 0.05 + float(result.vectors["v(x1.n_x)"][-1])


@pytest.mark.parametrize("amplitude_v", [0.75, -0.14])
def test_a_driven_parameter_is_the_parameter_changed(amplitude_v: float) -> None:
    """The state after a pulse: controls against changed values, in ngspice and in SciPy, to 1e-3; another without either."""
    driven = drives(CHROMIUM)
    assert driven == {"v_on": "offset", "v_off": "factor"}
    cycles = CycleDraws(CHROMIUM, [{}], SEED)
    values = {"v_on": 0.4922 + 0.03, "v_off": 0.1028 * 1.3}
    controls = cycles.controls(0, values)
    assert controls == pytest.approx({"v_on": 0.03, "v_off": 0.3})
    by_voltage = pulse_state(driven, controls, {}, amplitude_v)
    by_value = pulse_state({}, {}, values, amplitude_v)
    plain = pulse_state(driven, dict.fromkeys(driven, 0.0), {}, amplitude_v)
    model = free_model(CHROMIUM)
    mine = replace(model, free={**model.free, **values})
    times, source = [0, 1e-7, 1e-3, 1.0001e-3], [0, amplitude_v, amplitude_v, 0]
    exact = integrate(mine, times, source, series_ohm=SERIES_OHM, start=0.05)
    assert by_voltage == pytest.approx(by_value, rel=1e-5)
    assert by_voltage == pytest.approx(exact, rel=1e-3)
    assert abs(plain / exact - 1) > 0.05


@pytest.mark.parametrize(
    ("driven", "message"),
    [
        ({"tau_on": "factor"}, r"parameter 'tau_on' cannot be driven: it stands with a ddt\(\) in branch 'n_x_gnd'"),
        ({"nosuch": "offset"}, r"no real parameter 'nosuch' to drive: it has r_on, r_off"),
        ({"v_on": "sum"}, r"parameter 'v_on' is driven by an 'offset' or a 'factor', got 'sum'"),
    ],
)
def test_parameters_that_cannot_be_driven(driven: dict[str, Drive], message: str) -> None:
    """Where a change would move the charge, and so the state, by itself; an unknown one; an unknown way."""
    with pytest.raises(NetlistError, match=message):
        emit_ngspice(CHROMIUM.module, name="dut", parameters=CHROMIUM.card.parameters, driven=driven)


def test_each_cell_has_its_own_controls() -> None:
    """A shared one would make all cells drift at rest while one is pulsed with a low RESET threshold."""
    device = emit_ngspice(
        CHROMIUM.module, name="dut", parameters=CHROMIUM.card.parameters, driven={"v_on": "offset", "v_off": "factor"}
    )
    assert device.ports == ("p", "n", "ctl_v_on", "ctl_v_off")
    a = build_array(ArrayElectrics(), [Layer("l1", 2, 1)], device)
    assert a.controls == [{"v_on": f"ctl_v_on_l1_r{r}_c0", "v_off": f"ctl_v_off_l1_r{r}_c0"} for r in range(2)]
    assert "xl1_r1_c0 l1_r1_c0_p l1_col0 ctl_v_on_l1_r1_c0 ctl_v_off_l1_r1_c0 dut" in a.netlist
    assert {node for one in a.controls for node in one.values()} <= set(a.driven)


def test_a_job_with_variation_differs_in_its_devices_alone() -> None:
    """Training, targets and test images of a seed stay; each instance line carries its device's own values."""
    plain, varied, again = (
        build_job(SimConfig.model_validate({"variation": {"device": on, "cycle": on}})) for on in (False, True, True)
    )
    assert np.array_equal(plain.targets_siemens, varied.targets_siemens)
    assert np.array_equal(plain.test_images, varied.test_images)
    assert plain.parameters == [{}] * 30
    assert varied.parameters == again.parameters
    assert varied.array.netlist == again.array.netlist
    assert varied.cycles is not None and again.cycles is not None
    assert varied.cycles.values(29, 5) == again.cycles.values(29, 5)
    for cell, own in zip(varied.array.cells, varied.parameters, strict=True):
        (line,) = [text for text in varied.array.netlist if text.startswith(f"x{cell.instance} ")]
        assert all(f"{name}={value!r}" in line for name, value in own.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variation": {"cycle": True}, "device": {"target": "osdi"}}, r"a compiled model cannot: set device\.target"),
        ({"array": {"edge_s": 1e-5}}, r"array\.edge_s, 1e-05, must not exceed timing\.guard_s, 2e-06"),
        ({"variation": {"scale": -1}}, r"greater than or equal to 0"),
    ],
)
def test_settings_that_exclude_each_other(change: dict[str, object], message: str) -> None:
    """With both keys and what to change."""
    with pytest.raises(ValueError, match=message):
        SimConfig.model_validate(change)


def test_the_reachable_window_is_what_pulses_leave() -> None:
    """Highest by SET, lowest by RESET of it; a device of four times the off threshold keeps more; unknown names are told."""
    model = free_model(CHROMIUM)
    drive = {"set_v": 2.0, "set_s": 1e-2, "reset_v": 1.5, "reset_s": 1e-3, "series_ohm": SERIES_OHM}
    low, high = reachable_window(model, {}, **drive)
    assert low < CHROMIUM.card.window_siemens[0]
    assert high > CHROMIUM.card.window_siemens[1]
    assert reachable_window(model, {"r_on": 2 * 1198.0}, **drive)[1] < high
    assert reachable_window(model, {"v_off": 4 * 0.1028}, **{**drive, "reset_v": 0.3})[0] > low
    with pytest.raises(
        ConfigError, match=r"parameter 'tau_on' is not free in the model: it has v_on, r_on, r_off, v_off"
    ):
        reachable_window(model, {"tau_on": 1.0}, **drive)
