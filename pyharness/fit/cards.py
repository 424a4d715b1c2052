# SPDX-License-Identifier: BSD-3-Clause
"""Cards from fits: what a device can be set to, how it holds, how it scatters, and how good the fit is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from pyharness import __version__
from pyharness.files import replace_file
from pyharness.fit.fitting import PULSE_FACTOR, RATED_HZ, RATED_V, FitResult
from pyharness.fit.loops import LIMITS, figures, simulate_loops
from pyharness.fit.measured import Measured
from pyharness.veriloga import READ_V, Module, NumpyModel, check_window, compile_numpy, integrate

__all__ = (
    "card_of",
    "conductance",
    "hold_figures",
    "pulsed_state",
    "record_of",
    "round_up",
    "window_states",
    "write_card",
)

READ_S, READS = 100e-6, 10_000
HOLD_S = 3600.0
_WINDOW_PULSE_S, _WINDOW_LOW_V, _WINDOW_HIGH_V = 10e-3, 0.32, 1.0

# three tungsten devices of one maker at 5 kOhm, 1 to 1000 Hz (github.com/knowm/memristor-discovery, commit 9e01a9b7, data of
# 2020-07-15): root mean square over the frequencies of the deviation between devices
_BETWEEN_VSET = 0.14
_BETWEEN_DEVICES = {"r_on": 0.28, "r_off": 0.64}
_BETWEEN_SOURCE = "three tungsten devices, github.com/knowm/memristor-discovery commit 9e01a9b7"
_VOFF_SIGMA = {"chromium": (0.22, "spread of the reset current peak's voltage over cycles, 1 V 10 Hz")}
_VOFF_OTHER = (0.16, "one device of unstated dopant, Laguna-Sanchez et al., IEEE Latin America Trans. 21(12), 2023")


def conductance(model: NumpyModel, state: float, volt: float = READ_V) -> float:
    """Return the conductance in siemens that a read at ``volt`` sees."""
    return float(model.current(volt, 0.0, x0=state)) / volt


def pulsed_state(model: NumpyModel, source_v: float, width_s: float, series_ohm: float, start: float = 0.0) -> float:
    """Return the state after a rectangular pulse through a resistor, by SciPy's Radau at a relative tolerance of 1e-8."""

    return integrate(model, [0.0, width_s], [source_v, source_v], series_ohm=series_ohm, start=start, rtol=1e-8)


def _drift(model: NumpyModel, state: float, volt: float, time_s: float) -> float:
    """Return the relative change of the read conductance after ``time_s`` at ``volt``."""
    done = solve_ivp(
        lambda _, x: [float(model.rate(volt, 0.0, x0=x[0]))],
        (0, time_s),
        [state],
        method="Radau",
        rtol=1e-8,
        atol=1e-14,
    )
    return conductance(model, float(done.y[0, -1])) / conductance(model, state) - 1


def window_states(model: NumpyModel, window_siemens: Sequence[float]) -> list[float]:
    """Return the states of five conductances from one end of the window to the other.

    Raises:
        ConfigError: the model does not reach the window.
    """
    bounds = check_window(model, window_siemens)
    low, high = window_siemens
    first, last = sorted(conductance(model, x) for x in bounds)
    wanted = np.clip(np.geomspace(low, high, 5), first, last)  # which check_window takes for reached up to rounding
    return [float(brentq(lambda x, g=g: conductance(model, x) - g, *bounds, xtol=1e-14)) for g in wanted]


def hold_figures(model: NumpyModel, states: Sequence[float]) -> dict[str, float]:
    """Return the largest relative change of conductance over ``states``: an hour at 0 V, and 10^4 reads of 0.1 V, 100 us."""
    hour = max(abs(_drift(model, x, 0.0, HOLD_S)) for x in states)
    reads = max(abs(_drift(model, x, READ_V, READS * READ_S)) for x in states)
    return {"hour_at_0_v": hour, "reads_10000": reads}


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def round_up(value: float) -> float:
    """Return ``value`` rounded up to two digits: a bound."""
    if value <= 0:
        return 0.0
    unit = 10 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit) * unit:.2g}")


def card_of(module: Module, measured: Measured, result: FitResult) -> dict[str, Any]:
    """Return the card of a fit as written to its file."""
    model = compile_numpy(module, result.parameters, ("x0",))
    low, high = (pulsed_state(model, v, _WINDOW_PULSE_S, measured.series_ohm) for v in (_WINDOW_LOW_V, _WINDOW_HIGH_V))
    # rounded inward
    window = [round_up(conductance(model, low)), _two_digits(0.9 * conductance(model, high))]
    rated = next(r for r in result.rows if (r.amplitude_v, r.frequency_hz) == (RATED_V, RATED_HZ))
    at = int((abs(measured.amplitude_v - RATED_V) + abs(measured.frequency_hz - RATED_HZ)).argmin())
    missed = [
        f"{name} {r.amplitude_v:g} V {r.frequency_hz:g} Hz: {_percent(name, r.deviation[name])}"
        for r in result.rows
        if r.amplitude_v == RATED_V
        for name in LIMITS
        if not r.reached(name)
    ]
    return {
        "model": module.name,
        "dopant": measured.dopant,
        "parameters": result.parameters,
        "window_siemens": window,
        "series_ohm": measured.series_ohm,
        "hold": {k: round_up(v) for k, v in hold_figures(model, window_states(model, window)).items()},
        "spread": _spreads(module, measured, result, rated.measured["vset_v"], float(measured.vset_sd_v[at])),
        "fit": {
            "rated": {name: _percent(name, rated.deviation[name]) for name in LIMITS},
            "beyond_limits": missed,
            "pulses": [
                f"{p.amplitude_v:g} V {p.width_s * 1e3:g} ms: {p.model_ohm:.3g} Ohm, measured {p.measured_ohm:.3g} Ohm"
                for p in result.pulses
            ],
        },
        "validity": (
            f"Sources of 0.3 to 1.5 V through {measured.series_ohm:g} Ohm at 1 to 100 Hz, pulses of 1 to 100 ms, reads at up to "
            "0.15 V; room temperature, which no parameter depends on. One device was measured; the spread between devices is that "
            "of tungsten."
        ),
        "source": (
            f"Fit by pyharness {__version__} to the loops of one {measured.dopant} Knowm M-SDC device measured at AGH Krakow "
            "(github.com/mancorz98/memristor_programming_study, commit fdc5a80f; veriloga/data)."
        ),
    }


def _spreads(
    module: Module, measured: Measured, result: FitResult, vset_v: float, vset_sigma_v: float
) -> dict[str, dict[str, Any]]:
    """Return what is known of the scatter, for the parameters that the model has."""
    cycle: dict[str, Any] = {}
    device: dict[str, Any] = {}
    if "v_on" in result.parameters:
        slope = vset_slope(module, result.parameters, measured.series_ohm)
        cycle["v_on"] = _threshold_spread(
            vset_sigma_v, slope, "spread of the SET voltage over cycles, 1 V 10 Hz, same measurement"
        )
        device["v_on"] = _threshold_spread(_BETWEEN_VSET * vset_v, slope, _BETWEEN_SOURCE)
    if "v_off" in result.parameters:
        sigma, source = _VOFF_SIGMA.get(measured.dopant, _VOFF_OTHER)
        cycle["v_off"] = {"distribution": "lognormal", "sigma": sigma, "unit": "", "source": source}
    for name, sigma in _BETWEEN_DEVICES.items():
        if name in result.parameters:
            device[name] = {"distribution": "lognormal", "sigma": sigma, "unit": "", "source": _BETWEEN_SOURCE}
    return {"cycle_to_cycle": cycle, "device_to_device": device}


def vset_slope(module: Module, parameters: Mapping[str, float], series_ohm: float) -> float:
    """Return how far the SET voltage of the rated sine follows ``v_on``, in volt per volt."""
    model = compile_numpy(module, parameters, ("v_on", "x0"))
    around = parameters["v_on"] + np.array([[-0.005], [0.005]])
    v, i = simulate_loops(
        model, {"v_on": around}, amplitude_v=np.array([RATED_V]), frequency_hz=np.array([RATED_HZ]), series_ohm=series_ohm, steps=4000
    )  # fmt: skip
    return float(np.diff(figures(v, i)["vset_v"][:, 0])[0] / np.diff(around[:, 0])[0])


def _threshold_spread(vset_sigma_v: float, slope: float, source: str) -> dict[str, Any]:
    """Return the spread of ``v_on`` that spreads the SET voltage as measured."""
    return {"distribution": "normal", "sigma": _two_digits(vset_sigma_v / slope), "unit": "V", "source": source}


def _percent(name: str, deviation: float) -> str:
    return f"{deviation * 1e3:+.0f} mV" if name == "vset_v" else f"{deviation:+.1%}"


def write_card(card: Mapping[str, Any], path: Path, command: str) -> None:
    """Write a card file; ``command`` is the one that made it, without its options."""
    text = yaml.safe_dump(dict(card), sort_keys=False, width=120, allow_unicode=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, f"# SPDX-License-Identifier: BSD-3-Clause\n# Written by: pyharness {command}\n{text}")


def record_of(measured: Measured, result: FitResult) -> str:
    """Return the fit as JSON: parameters, cost, limits, and the table of model against measurement."""
    rows = [
        {
            "amplitude_v": r.amplitude_v,
            "frequency_hz": r.frequency_hz,
            "measured": r.measured,
            "model": r.model,
            "deviation": r.deviation,
            "reached": {name: r.reached(name) for name in LIMITS},
        }
        for r in result.rows
    ]
    data = {
        "dopant": measured.dopant,
        "series_ohm": measured.series_ohm,
        "parameters": result.parameters,
        "cost": result.cost,
        "evaluations": result.evaluations,
        "converged": result.converged,
        "vset_trend_right": result.trend_right,
        "limits": LIMITS,
        "rows": rows,
        "pulse_factor": PULSE_FACTOR,
        "pulses": [{**asdict(p), "reached": p.reached} for p in result.pulses],
    }
    return json.dumps(data, indent=1) + "\n"
