# SPDX-License-Identifier: BSD-3-Clause
"""Card and record of a fit to pulses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from pyharness import __version__
from pyharness.errors import ConfigError
from pyharness.fit.cards import hold_figures, round_up, window_states
from pyharness.fit.pulse_fit import PulseFit
from pyharness.fit.pulses import Pulses
from pyharness.fit.trains import TrainModel
from pyharness.veriloga import READ_V, compile_numpy

__all__ = ("PulseResult", "estimate_table", "pulse_card", "pulse_record", "related")

_RELATED = 0.9


@dataclass(frozen=True)
class PulseResult:
    """What came of a file of pulses.

    Attributes:
        data: what the pulses are, in a word or two: the file's name.
        begun: what the parameters started from.
        start: all parameters that the fit was told.
        pulses, model, fit: of all devices together.
        devices: the fits to each, where there are several.
        spread: as in a card.
        unknown: scatter that is not known, and why.
    """

    data: str
    begun: str
    start: dict[str, float]
    pulses: Pulses
    model: TrainModel
    fit: PulseFit
    devices: dict[str, PulseFit]
    spread: dict[str, dict[str, Any]]
    unknown: list[str]

    @property
    def parameters(self) -> dict[str, float]:
        """All that a card states."""
        fitted = {n: v for n, v in self.fit.parameters.items() if n in self.start or n in self.fit.estimates}
        return {**self.start, **fitted}


def _floor(value: float) -> float:
    unit = 10 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / unit) * unit:.2g}")


def _span(values: Any, unit: str) -> str:
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}"


def _window(result: PulseResult) -> list[float]:
    """Return the least and the largest conductance that a pulse left, by the model, rounded inward."""
    log_ohm = result.model.log_ohm(result.pulses, list(result.fit.parameters.values()), read_v=READ_V)
    window = [round_up(math.exp(-log_ohm.max())), _floor(math.exp(-log_ohm.min()))]
    if not window[0] < window[1]:
        raise ConfigError(
            f"the pulses of {result.data} leave one conductance alone, {math.exp(-log_ohm.mean()):.3g} S by the model: a card needs a window; "
            "measure pulses of several amplitudes, or the state before them (amplitude_v 0)"
        )
    return window


def pulse_card(result: PulseResult, dopant: str, source: str, model_name: str) -> dict[str, Any]:
    """Return the card as written to its file.

    Args:
        result: the fit.
        dopant: the card's name for the device.
        source: who measured what.
        model_name: the card's name for the model, as :func:`pyharness.veriloga.model_reference` gives it.

    Raises:
        ConfigError: the pulses leave one conductance alone.
    """
    p, fit, module = result.pulses, result.fit, result.model.module
    window = _window(result)
    model = compile_numpy(module, result.parameters, ("x0",))
    series = np.unique(p.series_ohm)
    driven = p.width_s > 0
    left = (
        f" Not told by the pulses, and as in {result.begun}: {', '.join(fit.undetermined)}." if fit.undetermined else ""
    )
    ends = [n for n, e in fit.estimates.items() if e.at_bound]
    bound = f" At a bound of the fit plan: {', '.join(ends)}." if ends else ""
    return {
        "model": model_name,
        "dopant": dopant,
        "parameters": result.parameters,
        "window_siemens": window,
        **({"series_ohm": float(series[0])} if len(series) == 1 and series[0] > 0 else {}),
        "hold": {k: round_up(v) for k, v in hold_figures(model, window_states(model, window)).items()},
        "spread": result.spread,
        "fit": {"pulses": residual_lines(result)},
        "validity": (
            f"Pulses of {_span(p.amplitude_v[driven], 'V')} and {_span(p.width_s[driven], 's')} through {_span(series, 'Ohm')}, reads at "
            f"{_span(p.read_v, 'V')}, {len(p.devices)} device{'s' if len(p.devices) > 1 else ''}; beyond these the model "
            f"extrapolates. No parameter depends on temperature.{left}{bound}"
        ),
        "source": f"Fit by pyharness {__version__} to {len(p)} pulses in {result.data}, from {result.begun}. {source}".strip(),
    }


def residual_lines(result: PulseResult) -> list[str]:
    """Return how the model deviates from the measured resistance: over all pulses, at the worst one, by device."""
    p, off = result.pulses, result.fit.residuals
    worst = int(np.abs(off).argmax())
    lines = [
        f"{len(p)} pulses: {math.expm1(result.fit.rms):.1%} root mean square",
        f"worst: {math.expm1(off[worst]):+.1%} in line {p.line[worst]}, device {p.device[worst]}, "
        f"{p.amplitude_v[worst]:g} V {p.width_s[worst]:g} s",
    ]
    own = [
        f"device {name}: {math.expm1(fit.rms):.1%} with parameters of its own" for name, fit in result.devices.items()
    ]
    return lines + own


def related(fit: PulseFit) -> list[tuple[str, str, float]]:
    """Return the pairs of estimates whose errors go together, with their correlation: one can stand for the other."""
    names = list(fit.estimates)
    return [
        (names[i], names[j], float(fit.correlation[i, j]))
        for i in range(len(names))
        for j in range(i)
        if abs(fit.correlation[i, j]) > _RELATED
    ]


def estimate_table(fit: PulseFit, start: Mapping[str, float]) -> Table:
    """Return the fitted parameters beside their start."""
    table = Table("parameter", "start", "fitted", "95 %", "", box=None)
    for name, e in fit.estimates.items():
        mark = "at the plan's bound" if e.at_bound else ""
        table.add_row(name, f"{start[name]:.4g}", f"{e.value:.4g}", f"{e.low:.4g} .. {e.high:.4g}", mark)
    return table


def pulse_record(result: PulseResult) -> str:
    """Return the fit as JSON: estimates, correlation, what is not known, and the table of model against measurement."""
    p, fit = result.pulses, result.fit
    rows = [
        {
            "line": int(p.line[k]),
            "device": str(p.device[k]),
            "measured_ohm": float(p.resistance_ohm[k]),
            "model_ohm": float(p.resistance_ohm[k] * math.exp(fit.residuals[k])),
        }
        for k in range(len(p))
    ]
    data = {
        "data": result.data,
        "parameters": result.parameters,
        "estimates": {n: asdict(e) for n, e in fit.estimates.items()},
        "undetermined": fit.undetermined,
        "correlation": fit.correlation.tolist(),
        "converged": fit.converged,
        "rms_log": fit.rms,
        "devices": {
            d: {"estimates": {n: asdict(e) for n, e in one.estimates.items()}, "rms_log": one.rms}
            for d, one in result.devices.items()
        },
        "spread": result.spread,
        "unknown": result.unknown,
        "rows": rows,
    }
    return json.dumps(data, indent=1) + "\n"
