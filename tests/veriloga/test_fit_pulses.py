# SPDX-License-Identifier: BSD-3-Clause
"""Fits to pulses: known parameters found again, published pulses, scatter that was put in, and what faulty files are told."""

import csv
import json
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from pyharness.bench.variation import draw_devices
from pyharness.cli import commands
from pyharness.errors import ConfigError
from pyharness.fit import (
    FitPlan,
    PulseFit,
    Pulses,
    TrainModel,
    between_devices,
    between_pulses,
    conductance,
    fit_pulses,
    load_plan,
    load_pulses,
    pulsed_state,
    train_model,
)
from pyharness.fit.pulse_scatter import _repeated
from pyharness.resources import model_dir
from pyharness.veriloga import compile_numpy, load_device, load_module

pytestmark = pytest.mark.xdist_group("fit_pulses")  # one process compiles a model once
PLAN = load_plan(model_dir() / "vteam" / "fit.yaml")
MODULE = load_module(model_dir() / "vteam" / "vteam.va")
TRUTH = {
    "r_on": 2000.0, "r_off": 3e5, "v_on": 0.3, "v_off": 0.15, "k_on": 300.0, "k_off": 200.0, "a_on": 1.5, "a_off": 1.2
}  # fmt: skip
START = {**TRUTH, "r_on": 2600.0, "r_off": 2e5, "v_on": 0.34, "v_off": 0.12, "k_on": 500.0, "k_off": 120.0}
HEADER = "device,pulse,amplitude_v,width_s,series_ohm,resistance_ohm"


def made(drives: list[tuple[float, float]], *, devices: int = 1, trains: int = 1) -> Pulses:
    """Return pulses (source in V, width in s) without results, each train the same."""
    rows = [
        (f"d{d}", k, *drive)
        for d in range(devices)
        for _ in range(trains)
        for k, drive in enumerate(drives, 1)
    ]  # fmt: skip
    device, number, amplitude_v, width_s = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return Pulses(device, number, amplitude_v, width_s, np.full(n, 1e3), np.ones(n), np.full(n, 0.1), np.arange(n) + 2)


STAIRS = [
    *((v, 1e-3) for v in np.linspace(0.3, 1.0, 15)),
    *((-v, 1e-3) for v in np.linspace(0.15, 0.8, 14)),
    *((v, 5e-3) for v in np.linspace(0.4, 1.5, 8)),
    *((-v, 4e-3) for v in np.linspace(0.2, 1.0, 8)),
]


@pytest.fixture(scope="module")
def model() -> TrainModel:
    return train_model(MODULE, PLAN, START)


def measured(model: TrainModel, pulses: Pulses, truth: dict[str, float], noise: float, seed: int) -> Pulses:
    """Return the pulses with what a device of parameters ``truth`` reads after them, with lognormal errors."""
    log_ohm = model.log_ohm(pulses, [truth[n] for n in model.free])
    rng = np.random.default_rng(seed)
    return replace(pulses, resistance_ohm=np.exp(log_ohm + rng.normal(0, noise, len(pulses))))


def test_a_train_against_scipy() -> None:
    """SET, RESET, SET of a shipped card, one after the other: resistances within 1e-4 of SciPy's Radau at 1e-8."""
    device = load_device("chromium")
    pulses = made([(0.8, 1e-3), (-0.5, 1e-4), (0.9, 1e-4)])
    free = ["v_on", "r_on"]  # as below: compiled once
    values = [device.card.parameters[n] for n in free]
    found = TrainModel(device.module, device.card.parameters, free).log_ohm(pulses, values)
    exact, state = [], 1e-4
    reader = compile_numpy(device.module, device.card.parameters, ("x0",))
    for source_v, width_s in zip(pulses.amplitude_v, pulses.width_s, strict=True):
        state = pulsed_state(reader, float(source_v), float(width_s), 1e3, start=state)
        exact.append(-np.log(conductance(reader, state)))
    np.testing.assert_allclose(found, exact, atol=1e-4)


def test_known_parameters_are_found_again(model: TrainModel) -> None:
    """A train of 45 pulses, read with 3 %: every parameter is told, and lies within 3.3 of its standard errors."""
    pulses = measured(model, made(STAIRS), TRUTH, 0.03, seed=1)
    found = fit_pulses(model, PLAN, pulses, model.module.check_parameters(START))
    assert found.converged and set(found.estimates) == set(TRUTH)
    at_truth = model.log_ohm(pulses, [TRUTH[n] for n in model.free]) - np.log(pulses.resistance_ohm)
    assert 0.9 * np.sqrt((at_truth**2).mean()) < found.rms <= np.sqrt((at_truth**2).mean())
    for name, e in found.estimates.items():
        r = PLAN.parameters[name]
        assert abs(r.inward(e.value) - r.inward(TRUTH[name])) < 3.3 * e.error, name
        assert e.low < e.value < e.high
    assert found.estimates["r_on"].value == pytest.approx(TRUTH["r_on"], rel=0.05)
    assert found.estimates["v_on"].value == pytest.approx(TRUTH["v_on"], abs=0.03)


def test_stated_errors_are_those_of_repeated_fits(model: TrainModel) -> None:
    """Over 12 draws of the reads' noise a parameter scatters by what one fit says, within the 99 % of a sigma of 11 degrees of freedom."""
    truth = model.module.check_parameters(TRUTH)
    fits = [
        fit_pulses(model, PLAN, measured(model, made(STAIRS), TRUTH, 0.05, seed), truth, only=["v_on", "r_on", "k_off"])
        for seed in range(12)
    ]
    for name in ("v_on", "r_on", "k_off"):
        r = PLAN.parameters[name]
        scatter = np.std([r.inward(f.estimates[name].value) for f in fits], ddof=1)
        stated = np.mean([f.estimates[name].error for f in fits])
        assert 0.49 < scatter / stated < 1.56, name


def test_what_the_pulses_do_not_tell_stays(model: TrainModel) -> None:
    """SET pulses alone: nothing of RESET is claimed, and its parameters stay to the bit."""
    pulses = measured(model, made(STAIRS[:15], trains=2), TRUTH, 0.02, seed=3)
    found = fit_pulses(model, PLAN, pulses, model.module.check_parameters(START))
    assert {"v_off", "k_off", "a_off"} <= set(found.undetermined)
    assert [found.parameters[n] for n in found.undetermined] == [START[n] for n in found.undetermined]
    assert "v_on" in found.estimates


CURVED = ["v_on", "r_on", "curve_on"]


def test_a_free_parameter_of_zero() -> None:
    """msdc divides by curve_on where it is above 0: at 0 it reads what it does at next to nothing."""
    device, pulses = load_device("chromium"), made([(0.8, 1e-3), (-0.5, 1e-4), (0.9, 1e-4)])
    model = TrainModel(device.module, device.card.parameters, CURVED)
    least, none = (model.log_ohm(pulses, [0.49, 1200.0, curve]) for curve in (1e-4, 0.0))
    np.testing.assert_allclose(none, least, atol=1e-5)


@pytest.mark.parametrize("only", [None, ["v_on", "r_on"]])
def test_nothing_below_the_range_stays_nothing(tmp_path: Path, only: list[str] | None) -> None:
    """A curvature of 0, which the plan has from 5 on: five pulses do not tell it, and the residuals are those of 0."""
    device, pulses = load_device("chromium"), load_pulses(shipped_pulses(tmp_path / "cr.csv", "Cr"))
    plan = narrowed(load_plan(model_dir() / "msdc" / "fit.yaml"), "curve_on", low=5.0)
    start = {**device.card.parameters, "curve_on": 0.0}
    model = train_model(device.module, plan, start, CURVED)
    found = fit_pulses(model, plan, pulses, device.module.check_parameters(start), only=only)
    assert found.undetermined == ("curve_on",) and found.parameters["curve_on"] == 0
    off = model.log_ohm(pulses, [found.parameters[n] for n in CURVED]) - np.log(pulses.resistance_ohm)
    np.testing.assert_allclose(found.residuals, off, atol=5e-3)  # four digits are stated


def test_pulses_that_tell_nothing(model: TrainModel) -> None:
    """Below every threshold."""
    pulses = measured(model, made([(1e-3, 1e-6)]), TRUTH, 0.0, seed=1)
    with pytest.raises(
        ConfigError, match=r"the pulses of d0 tell none of r_on, r_off, .*: measure pulses of more amplitudes"
    ):
        fit_pulses(model, PLAN, pulses, model.module.check_parameters(START))


def test_a_read_before_the_train_tells_its_start(model: TrainModel) -> None:
    """The first row reads what a device half on has; the model goes on from there, not from off."""
    values = [TRUTH[n] for n in model.free]
    whole = made(STAIRS[:12])
    log_ohm = model.log_ohm(whole, values)
    rest = made([(0.0, 0.0), *STAIRS[8:12]])
    rest = replace(rest, resistance_ohm=np.exp(np.concatenate([log_ohm[7:8], np.zeros(4)])))
    np.testing.assert_allclose(model.log_ohm(rest, values), log_ohm[7:], atol=1e-5)
    off = model.log_ohm(made(STAIRS[8:12]), values)
    assert abs(off[0] - log_ohm[8]) > 0.1


DRAWN = np.random.default_rng(7).standard_normal((8, 2)) * [0.25, 0.02]


@pytest.fixture(scope="module")
def scattered(model: TrainModel) -> tuple[Pulses, PulseFit]:
    """Eight devices, whose r_on and v_on scatter by DRAWN; and the fit to all."""
    base = made(STAIRS, devices=8)
    parts = []
    for d, (ratio, shift_v) in enumerate(DRAWN):
        truth = {**TRUTH, "r_on": TRUTH["r_on"] * np.exp(ratio), "v_on": TRUTH["v_on"] + shift_v}
        parts.append(measured(model, base.of(f"d{d}"), truth, 0.01, seed=d))
    pulses = Pulses(*(np.concatenate([getattr(p, n) for p in parts]) for n in vars(base)))
    return pulses, fit_pulses(model, PLAN, pulses, model.module.check_parameters(TRUTH), only=["r_on", "v_on", "k_on"])


def test_scatter_between_devices(model: TrainModel, scattered: tuple[Pulses, PulseFit]) -> None:
    """Sigmas are those of the eight devices; what they do not differ in is not said to scatter."""
    pulses, found = scattered
    fits, spread, unknown = between_devices(model, PLAN, pulses, found, "test")
    assert list(fits) == [f"d{d}" for d in range(8)] and max(f.rms for f in fits.values()) < 0.015
    r_on, v_on = DRAWN.std(0, ddof=1)
    assert spread["r_on"]["distribution"] == "lognormal" and spread["r_on"]["sigma"] == pytest.approx(r_on, rel=0.1)
    assert (spread["v_on"]["distribution"], spread["v_on"]["unit"]) == ("normal", "V")
    assert spread["v_on"]["sigma"] == pytest.approx(v_on, rel=0.1)
    assert set(spread) == {"r_on", "v_on"} and any("k_on: differs between devices by no more" in u for u in unknown)


def test_two_devices_tell_no_spread(model: TrainModel, scattered: tuple[Pulses, PulseFit]) -> None:
    """Said, not guessed."""
    pulses, found = scattered
    two = Pulses(*(getattr(pulses, n)[pulses.device < "d2"] for n in vars(pulses)))
    assert between_devices(model, PLAN, two, found, "x")[1:] == (
        {},
        ["device_to_device: 2 measured, at least 3 tell a spread"],
    )


def narrowed(plan: FitPlan, name: str, **changes: float) -> FitPlan:
    """Return the plan with other limits of one parameter."""
    return FitPlan(parameters={**plan.parameters, name: plan.parameters[name].model_copy(update=changes)})


@pytest.mark.parametrize("inside", [2, 5])
def test_devices_at_a_bound_tell_no_spread(model: TrainModel, scattered: tuple[Pulses, PulseFit], inside: int) -> None:
    """The plan admits r_on of two devices, then of five: the spread is that of the five, and of two none is said."""
    ratios = np.sort(DRAWN[:, 0])
    high = TRUTH["r_on"] * np.exp(ratios[inside - 1 : inside + 1].mean())
    pulses, found = scattered
    start = replace(found, parameters={**found.parameters, "r_on": TRUTH["r_on"] * np.exp(ratios[0])})
    fits, spread, unknown = between_devices(model, narrowed(PLAN, "r_on", high=high), pulses, start, "test")
    assert sum(not f.estimates["r_on"].at_bound for f in fits.values()) == inside
    if inside == 2:
        told = "r_on: told within the plan's bounds for 2 of 8 devices, at least 3 tell a spread"
        assert "r_on" not in spread and f"device_to_device, {told}" in unknown
    else:
        assert spread["r_on"]["sigma"] == pytest.approx(ratios[:inside].std(ddof=1), rel=0.1)
        assert spread["r_on"]["source"] == "fits to 5 of 8 devices, test"


def test_devices_that_no_pulse_moves_tell_no_spread(model: TrainModel, scattered: tuple[Pulses, PulseFit]) -> None:
    """Six of the eight devices had pulses below the threshold alone: their v_on, left at the start, is no measured one."""
    pulses, found = scattered
    quiet = pulses.device >= "d2"
    pulses = replace(
        pulses,
        amplitude_v=np.where(quiet, 0.0, pulses.amplitude_v),
        resistance_ohm=np.where(quiet, TRUTH["r_off"], pulses.resistance_ohm),
    )
    _, spread, unknown = between_devices(model, PLAN, pulses, found, "test")
    assert not spread and any("v_on: told within the plan's bounds for 2 of 8 devices" in u for u in unknown)


def test_repeated_pulses_of_long_trains() -> None:
    """Two trains of 10,000 pulses are pairs of the same pulse after the same ones, in memory that grows with their number alone."""
    n = 10_000
    drives = [(1.0 if k % 2 else -1.0, 1e-6) for k in range(n)]
    pulses = made(drives, trains=2)
    tracemalloc.start()
    groups = _repeated(pulses)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(groups, np.arange(2 * n).reshape(2, n).T)
    assert peak < 1000 * 2 * n
    other = replace(pulses, series_ohm=np.where(np.arange(2 * n) == n + 3, 2e3, pulses.series_ohm))
    assert np.array_equal(_repeated(other), [[0, n], [1, n + 1], [2, n + 2]])
    assert _repeated(made(drives[:20], devices=2)) == []


def test_scatter_between_pulses(model: TrainModel) -> None:
    """Sixty times the same SET pulse with v_on drawn anew by 10 mV: found to 25 % (99 % of 59 degrees); RESET is not told."""
    rng = np.random.default_rng(5)
    one = made([(0.6, 1e-3)])
    ohm = [
        measured(model, one, {**TRUTH, "v_on": TRUTH["v_on"] + 0.01 * z}, 0.0, seed=1).resistance_ohm[0]
        for z in rng.standard_normal(60)
    ]
    pulses = replace(made([(0.6, 1e-3)], trains=60), resistance_ohm=np.array(ohm))
    found = fit_pulses(model, PLAN, pulses, model.module.check_parameters(TRUTH), only=["v_on"])
    spread, unknown = between_pulses(model, PLAN, pulses, {"d0": found}, "test")
    assert spread["v_on"]["sigma"] == pytest.approx(0.01, rel=0.25)
    assert unknown == ["cycle_to_cycle, v_off: 0 repeated RESET pulses, at least 10 tell a spread"]
    wrong = FitPlan(parameters=PLAN.parameters, scatter={"set": "w_p"})
    with pytest.raises(
        ConfigError, match=r"scatter\.set names 'w_p', of which it says no range on a log or linear scale"
    ):
        between_pulses(model, wrong, pulses, {"d0": found}, "test")


def write(path: Path, pulses: Pulses, column: str = "resistance_ohm") -> Path:
    with path.open("w", newline="") as file:
        file.write(f"# made\n{HEADER.replace('resistance_ohm', column)}\n")
        rows = csv.writer(file)
        for k in range(len(pulses)):
            ohm = float(pulses.resistance_ohm[k])
            rows.writerow([pulses.device[k], pulses.number[k], pulses.amplitude_v[k], pulses.width_s[k], pulses.series_ohm[k],
                           ohm if column == "resistance_ohm" else 1 / ohm])  # fmt: skip
    return path


def test_devices_in_turns_and_conductances(
    model: TrainModel, tmp_path: Path, scattered: tuple[Pulses, PulseFit]
) -> None:
    """Rows of two devices in turns are two trains; conductances are resistances; a spreadsheet's byte order mark is no matter."""
    pulses = scattered[0]
    two = Pulses(*(getattr(pulses, n)[pulses.device < "d2"] for n in vars(pulses)))
    order = np.argsort(two.number, kind="stable")
    turned = Pulses(*(getattr(two, n)[order] for n in vars(two)))
    path = write(tmp_path / "turns.csv", turned, "conductance_siemens")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    loaded = load_pulses(path)
    assert loaded.device.tolist() == two.device.tolist()
    np.testing.assert_allclose(loaded.resistance_ohm, two.resistance_ohm, rtol=1e-12)
    assert loaded.line[:2].tolist() == [3, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", r": no header: give a line with the columns device, pulse"),
        (f"{HEADER}\n", r": no pulse follows the header in line 1"),
        (f"{HEADER},temperature\n", r":1: unknown column 'temperature': the columns are device"),
        (HEADER.replace("width_s", "width_ms"), r":1: unknown column 'width_ms': did you mean 'width_s'\?"),
        (f"{HEADER},device\n", r":1: column 'device' is there twice: keep one"),
        (HEADER.replace("series_ohm,", ""), r":1: no column 'series_ohm': the file needs device"),
        (HEADER.replace(",resistance_ohm", ""), r":1: one of the columns resistance_ohm and conductance_siemens is needed, got none"),
        (f"{HEADER},conductance_siemens\n", r":1: one of the columns .* is needed, got resistance_ohm and conductance_siemens"),
        (f"{HEADER}\na,1,1,1e-3,1e3\n", r":2: 6 columns are named, but the row has 5 values"),
        (f"#\n\n{HEADER}\n,1,1,1e-3,1e3,5\n", r":4: column 'device' must be a name, got ''"),
        (f"{HEADER}\na,1,1V,1e-3,1e3,5\n", r":2: column 'amplitude_v' must be a number, -100 \.\. 100 V, got '1V': write it in"),
        (f"{HEADER}\na,1,500,1e-3,1e3,5\n", r":2: column 'amplitude_v' must be -100 \.\. 100 V, got '500'"),
        (f"{HEADER}\na,1,1,-1e-3,1e3,5\n", r":2: column 'width_s' must be 0 \.\. 1e4 s, got '-1e-3'"),
        (f"{HEADER}\na,1,1,0,1e3,5\n", r":2: column 'width_s' must be above 0 s for a pulse, got '0': give its width, or amplitude_v 0"),
        (f"{HEADER}\na,1,1,1e-3,-2,5\n", r":2: column 'series_ohm' must be 0 \.\. 1e9 Ohm, got '-2'"),
        (f"{HEADER}\na,1,1,1e-3,1e3,0\n", r":2: column 'resistance_ohm' must be 1e-3 \.\. 1e15 Ohm, got '0'"),
        (f"{HEADER}\na,1,1,1e-3,1e3,nan\n", r":2: column 'resistance_ohm' must be .*, got 'nan'"),
        (f"{HEADER},read_v\na,1,1,1e-3,1e3,5,0\n", r":2: column 'read_v' must be -2 \.\. 2 V and not 0, got '0'"),
        (f"{HEADER}\na,1.5,1,1e-3,1e3,5\n", r":2: column 'pulse' must be a whole number from 1 on, got '1.5'"),
        (f"{HEADER}\na,2,1,1e-3,1e3,5\n", r":2: column 'pulse' must be 1 for device 'a', got '2'"),
        (f"{HEADER}\na,1,1,1e-3,1e3,5\nb,1,1,1e-3,1e3,5\na,3,1,1e-3,1e3,5\n", r":4: column 'pulse' must be 2 after 1, or 1 for device 'a', got '3'"),
    ],
)  # fmt: skip
def test_faulty_files(tmp_path: Path, text: str, message: str) -> None:
    """File, line, column, value, rule and what to do."""
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"p\.csv" + message):
        load_pulses(path)
    with pytest.raises(ConfigError, match=r"cannot read the pulses .*absent"):
        load_pulses(tmp_path / "absent.csv")


def test_a_card_with_scatter_by_the_command(tmp_path: Path, scattered: tuple[Pulses, PulseFit]) -> None:
    """Eight devices and a card of one's own to start from: the card's spread is one that the variation can draw from."""
    path, begin, card = write(tmp_path / "eight.csv", scattered[0]), tmp_path / "begin.yaml", tmp_path / "own.yaml"
    begin.write_text(
        yaml.safe_dump(
            {"model": "vteam", "dopant": "none", "parameters": START | {"k_on": 300.0, "k_off": 200.0, "v_off": 0.15, "r_off": 3e5},
             "window_siemens": [1e-5, 1e-4], "validity": "none", "source": "none"}
        )
    )  # fmt: skip
    arguments = ["--start", str(begin), "--free", "r_on", "--free", "v_on", "-o", str(card), "--dopant", "made"]
    done = CliRunner().invoke(commands, ["fit-pulses", str(path), *arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    device = load_device(card)
    spread = device.card.spread.device_to_device
    assert spread["r_on"].sigma == pytest.approx(DRAWN[:, 0].std(ddof=1), rel=0.1)
    assert spread["r_on"].source == "fits to 8 devices, eight.csv" and device.card.dopant == "made"
    assert not device.card.spread.cycle_to_cycle and "cycle_to_cycle, v_on: 0 repeated SET pulses" in done.output
    assert device.card.validity.startswith(
        "Pulses of -1 to 1.5 V and 0.001 to 0.005 s through 1000 Ohm, reads at 0.1 V, 8 devices"
    )
    drawn = [one["r_on"] for one in draw_devices(device, 200, np.random.SeedSequence(1))]
    assert np.std(np.log(drawn)) == pytest.approx(spread["r_on"].sigma, rel=0.2)


def shipped_pulses(path: Path, dopant: str) -> Path:
    """Write the SET pulses that come with the models as a user would."""
    lines = (model_dir() / "data" / "sdc_set_pulses.csv").read_text().splitlines()
    rows = [r for r in csv.DictReader(line for line in lines if not line.startswith("#")) if r["dopant"] == dopant]
    text = [f"{HEADER},read_v"]
    text += [
        f"{dopant},1,{r['amp_V']},{float(r['width_ms']) * 1e-3},{float(r['Rs_kohm']) * 1e3},{float(r['R_k']) * 1e3},0.15"
        for r in rows
    ]
    path.write_text("\n".join(text) + "\n")
    return path


def test_published_pulses_by_the_command(tmp_path: Path) -> None:
    """Chromium's five: the shipped card's 0.63 (root mean square of the logarithm) become 0.41 by threshold and on resistance."""
    path, card = shipped_pulses(tmp_path / "cr.csv", "Cr"), tmp_path / "own.yaml"
    arguments = ["fit-pulses", str(path), "--start", "chromium", "--free", "v_on", "--free", "r_on", "-o", str(card)]
    done = CliRunner().invoke(commands, [*arguments, "--source", "Garda, Bednarz 2024."])
    assert done.exit_code == 0, (done.output, done.exception)
    loaded, record = load_device(card), json.loads((tmp_path / "own.json").read_text())
    shipped = load_device("chromium").card.parameters
    before, pulses = TrainModel(loaded.module, shipped, ["v_on", "r_on"]), load_pulses(path)
    off = before.log_ohm(pulses, [shipped["v_on"], shipped["r_on"]]) - np.log(pulses.resistance_ohm)
    assert np.sqrt((off**2).mean()) == pytest.approx(0.635, abs=2e-3)
    assert record["rms_log"] == pytest.approx(0.414, abs=2e-3)
    for row, ohm in zip(record["rows"], pulses.resistance_ohm, strict=True):
        assert row["measured_ohm"] == ohm
    assert loaded.card.source.endswith("from card 'chromium'. Garda, Bednarz 2024.")
    assert "Pulses of 1 to 2 V and 0.005 to 0.1 s through 5110 Ohm, reads at 0.15 V, 1 device" in loaded.card.validity
    model = compile_numpy(loaded.module, loaded.card.parameters, ("x0",))
    ends = sorted(conductance(model, pulsed_state(model, v, s, 5110.0, 1e-4)) for v, s in ((1.0, 5e-3), (2.0, 10e-3)))
    low, high = loaded.card.window_siemens
    assert ends[0] <= low <= 1.11 * ends[0] and 0.9 * ends[1] <= high <= ends[1]
    again = CliRunner().invoke(commands, arguments)
    assert isinstance(again.exception, ConfigError) and "exists: give another name, or --force" in str(again.exception)


def test_a_model_of_ones_own(tmp_path: Path, scattered: tuple[Pulses, PulseFit]) -> None:
    """Its card names it by the path from the card's folder, can be loaded, and can be started from."""
    (tmp_path / "models").mkdir()
    for name in ("vteam.va", "fit.yaml"):
        shutil.copy(model_dir() / "vteam" / name, tmp_path / "models" / name)
    path = write(tmp_path / "eight.csv", scattered[0])
    cards = [tmp_path / "first.yaml", tmp_path / "models" / "second.yaml"]
    begin = ["--model", str(tmp_path / "models" / "vteam.va")]
    for card, reference in zip(cards, ("models/vteam.va", "vteam.va"), strict=True):
        arguments = ["fit-pulses", str(path), *begin, "--free", "r_on", "--evaluations", "3", "-o", str(card)]
        done = CliRunner().invoke(commands, arguments)
        assert done.exit_code == 0, (done.output, done.exception)
        device = load_device(card)
        assert (device.card.model, device.module.name) == (reference, "vteam")
        begin = ["--start", str(card)]
    assert "from card 'first'" in device.card.source


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], r"nothing to start from: give --start CARD"),
        (["--start", "chromium", "--model", "VTEAM"], r"card 'chromium' is of model 'msdc', but .*vteam\.va has 'vteam'"),
        (["--model", "VTEAM", "--free", "w_p"], r"--free names 'w_p', of which the fit plan says no range: it has r_on"),
        (["--model", "VTEAM", "-o", "My.yaml"], r"must be a lower-case identifier before \.yaml, got 'My\.yaml'"),
        (["--model", "VTEAM", "-o", "card.json"], r"must be a lower-case identifier before \.yaml, got 'card\.json'"),
        (["--model", "VTEAM", "--plan", "NARROW"], r"parameter 'r_on' starts at 1470\.1, outside the fit plan's range 1 \.\. 2"),
        (["--model", "VTEAM", "--plan", "STRANGE"], r"the fit plan names 'nothing', which module 'vteam' does not have"),
    ],
)  # fmt: skip
def test_wrong_arguments(tmp_path: Path, arguments: list[str], message: str) -> None:
    """Told before anything is fitted."""
    path = tmp_path / "p.csv"
    path.write_text(f"{HEADER}\na,1,1,1e-3,1e3,5e3\n")
    for name, parameter in (("NARROW", "r_on"), ("STRANGE", "nothing")):
        (tmp_path / name).write_text(f"parameters: {{{parameter}: {{scale: log, low: 1, high: 2, step: 1}}}}\n")
    places = {
        "VTEAM": model_dir() / "vteam" / "vteam.va",
        "NARROW": tmp_path / "NARROW",
        "STRANGE": tmp_path / "STRANGE",
    }
    done = CliRunner().invoke(commands, ["fit-pulses", str(path), *(str(places.get(a, a)) for a in arguments)])
    assert isinstance(done.exception, ConfigError)
    with pytest.raises(ConfigError, match=message):
        raise done.exception
