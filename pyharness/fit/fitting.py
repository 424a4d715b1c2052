# SPDX-License-Identifier: BSD-3-Clause
"""Least-squares fit of a model's parameters to a device's loops, and the card that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.optimize import least_squares

from pyharness.errors import ConfigError
from pyharness.fit.loops import LIMITS, deviations, figures, simulate_loops
from pyharness.fit.measured import Measured
from pyharness.veriloga import Module, NumpyModel, compile_numpy

__all__ = ("FitPlan", "FitResult", "Row", "compare", "fit_card", "load_plan")

Array = NDArray[np.float64]

# the rated condition and its frequency series come first; the other amplitudes and the averaged curves guide
_WEIGHT_RATED, _WEIGHT_SERIES, _WEIGHT_OTHER, _WEIGHT_CURVES = 4.0, 1.0, 0.15, 0.15
_WEIGHT_OFF, _WEIGHT_HOLD = 0.5, 3.0
RATED_V, RATED_HZ = 1.0, 10.0
# A card holds its state: it moves at most 1 % in an hour at 0 V and 1 % in a second at the read voltage.  The smallest
# state that is looked at leaves a thousandth of the largest conductance; near 1 a falling threshold must not latch.
_HOLD_PER_S, _READ_PER_S, _READ_V = 3e-6, 1e-2, 0.1
_STATES = (1e-3, 1e-2, 0.1, 0.5, 0.95)
_DIFFERENCE = 1e-3


class Range(BaseModel):
    """How one parameter may vary; ``step`` is a typical change on its scale."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    scale: Literal["log", "linear", "logit"]
    low: float
    high: float
    step: Annotated[float, Field(gt=0)]

    def inward(self, value: float) -> float:
        """Return the value on the scale."""
        return float(
            np.log(value) if self.scale == "log" else np.log(value / (1 - value)) if self.scale == "logit" else value
        )

    def outward(self, x: Array) -> Array:
        """Return the parameter from its place on the scale."""
        return np.asarray(np.exp(x) if self.scale == "log" else 1 / (1 + np.exp(-x)) if self.scale == "logit" else x)


class FitPlan(BaseModel):
    """What may vary, and the start for each device."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    parameters: dict[str, Range]
    start: dict[str, dict[str, float]]


def load_plan(path: Path) -> FitPlan:
    """Read a fit plan (``fit.yaml`` beside a model).

    Raises:
        ConfigError: unreadable, or against the schema; the message names file and key.
    """
    try:
        return FitPlan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        raise ConfigError(f"cannot read the fit plan {path}: {cause}") from None
    except ValidationError as cause:
        first = cause.errors()[0]
        raise ConfigError(f"fit plan {path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


@dataclass(frozen=True)
class Row:
    """Model against measurement at one condition; deviations relative, the SET voltage's in volt."""

    amplitude_v: float
    frequency_hz: float
    measured: dict[str, float]
    model: dict[str, float]
    deviation: dict[str, float]

    def reached(self, name: str) -> bool:
        """Return whether a figure lies within its limit; the off resistance's is a factor, either way."""
        if name == "rhrs_ohm":
            return 1 / (1 + LIMITS[name]) <= 1 + self.deviation[name] <= 1 + LIMITS[name]
        return abs(self.deviation[name]) <= LIMITS[name]


@dataclass(frozen=True)
class FitResult:
    """Fitted parameters, the cost, the table at every condition, evaluations used and whether they sufficed."""

    parameters: dict[str, float]
    cost: float
    rows: list[Row]
    evaluations: int
    converged: bool

    @property
    def trend_right(self) -> bool:
        """Return whether the SET voltage rises over the frequency series as measured."""
        series = [r for r in self.rows if r.amplitude_v == RATED_V]
        series.sort(key=lambda r: r.frequency_hz)
        slopes = [
            series[-1].model["vset_v"] - series[0].model["vset_v"],
            series[-1].measured["vset_v"] - series[0].measured["vset_v"],
        ]
        return bool(np.sign(slopes[0]) == np.sign(slopes[1]))


def compare(model: NumpyModel, parameters: Mapping[str, float], measured: Measured, steps: int = 4000) -> list[Row]:
    """Return the table of model against measurement at every condition."""
    v, i = simulate_loops(
        model, parameters, amplitude_v=measured.amplitude_v, frequency_hz=measured.frequency_hz,
        series_ohm=measured.series_ohm, steps=steps,
    )  # fmt: skip
    found = figures(v, i)
    off = deviations(found, measured.figures, measured.lobe_floor_w)
    return [
        Row(
            float(measured.amplitude_v[k]),
            float(measured.frequency_hz[k]),
            {n: float(measured.figures[n][k]) for n in LIMITS},
            {n: float(found[n][k]) for n in LIMITS},
            {n: float(off[n][k]) for n in LIMITS},
        )
        for k in range(len(measured.amplitude_v))
    ]


class _Cost:
    """Residuals of many parameter sets at once: shape (sets, parameters) -> (sets, residuals)."""

    def __init__(self, model: NumpyModel, plan: FitPlan, measured: Measured, steps: int) -> None:
        self.model, self.plan, self.measured, self.steps = model, plan, measured, steps
        rated = measured.amplitude_v == RATED_V
        weight = np.where(rated, _WEIGHT_SERIES, _WEIGHT_OTHER)
        weight[rated & (measured.frequency_hz == RATED_HZ)] = _WEIGHT_RATED
        self.weight = weight
        self.evaluations = 0

    def parameters(self, x: Array) -> dict[str, Array]:
        return {n: r.outward(x[..., k, None]) for k, (n, r) in enumerate(self.plan.parameters.items())}

    def __call__(self, x: Array) -> Array:
        m = self.measured
        values = self.parameters(x)
        v, i = simulate_loops(
            self.model, values, amplitude_v=m.amplitude_v, frequency_hz=m.frequency_hz, series_ohm=m.series_ohm, steps=self.steps
        )  # fmt: skip
        away = deviations(figures(v, i), m.figures, m.lobe_floor_w)
        parts = []
        for name, limit in LIMITS.items():
            if name in ("imax_a", "vset_v"):
                off = away[name] / limit
            else:  # figures that span decades: the logarithm treats too large and too small alike
                off = np.log(np.maximum(1 + away[name], 1e-9)) / np.log(1 + limit)
            parts.append(self.weight * off * (_WEIGHT_OFF if name == "rhrs_ohm" else 1.0))
        at = np.round(m.phase * self.steps).astype(int) % self.steps - 1
        for curve, data in ((v, m.voltage_v), (i, m.current_a)):
            off = _WEIGHT_CURVES * (curve[..., at] - data) / data.std(-1)[:, None]
            parts.append(off.reshape((*off.shape[:-2], -1)))
        for state in _STATES:
            for volt, limit in ((0.0, _HOLD_PER_S * state), (_READ_V, _READ_PER_S * state)):
                rate = np.abs(self.model.rate(volt, state, **{**values, "x0": np.array(0.0)}))
                parts.append(_WEIGHT_HOLD * np.maximum(0, np.log(np.maximum(rate, 1e-300) / limit)))
        return np.nan_to_num(np.concatenate(parts, -1), nan=50, posinf=50, neginf=-50)


def fit_card(
    module: Module,
    plan: FitPlan,
    measured: Measured,
    *,
    start: Mapping[str, float] | None = None,
    max_evaluations: int = 100,
    steps: int = 800,
    progress: Callable[[int, float], None] | None = None,
) -> FitResult:
    """Fit the plan's parameters of ``module`` to ``measured``.

    Residuals: each figure's deviation over its limit (:data:`LIMITS`), weighted most at 1 V 10 Hz, then at 1 V, least at the
    other amplitudes; the averaged curves; and what would make the state drift. Loss: soft L1.

    Args:
        module: a model of two ports and one state node with parameter ``x0``.
        plan: bounds and start.
        measured: the device.
        start: parameters to start from; default: the plan's for this device.
        max_evaluations: of the residuals.
        steps: per cycle of the simulated sine.
        progress: called with (evaluations so far, cost).

    Raises:
        ConfigError: the plan has no start for the device or names an unknown parameter.
    """
    if start is None:
        if measured.dopant not in plan.start:
            raise ConfigError(f"the fit plan has no start for {measured.dopant!r}: it has {', '.join(plan.start)}")
        start = plan.start[measured.dopant]
    lacking = [n for n in plan.parameters if n not in start]
    if lacking:
        raise ConfigError(f"the start of the fit lacks {', '.join(lacking)}: every parameter of the plan needs one")
    model = compile_numpy(module, {}, tuple(n for n, p in module.parameters.items() if not p.local))
    for name in plan.parameters:
        if name not in module.parameters:
            raise ConfigError(f"the fit plan names '{name}', which module '{module.name}' does not have")
    cost = _Cost(model, plan, measured, steps)
    ranges = list(plan.parameters.values())
    low, high = (np.array([r.inward(getattr(r, side)) for r in ranges]) for side in ("low", "high"))
    scale = np.array([r.step for r in ranges])
    margin = 1e-9 * (high - low)
    x0 = np.clip(
        [
            r.inward(start[n]) if start[n] > 0 or r.scale == "linear" else r.inward(r.low)
            for n, r in plan.parameters.items()
        ],
        low + margin,
        high - margin,
    )

    def residuals(x: Array) -> Array:
        found = cost(x)
        cost.evaluations += 1
        if progress:
            progress(cost.evaluations, float(np.sqrt(1 + found**2).sum() - len(found)))
        return found

    def slopes(x: Array) -> Array:
        sets = cost(np.vstack([x, x + _DIFFERENCE * np.diag(scale)]))
        return np.asarray(((sets[1:] - sets[0]) / (_DIFFERENCE * scale[:, None])).T)

    best = least_squares(
        residuals, x0, jac=slopes, bounds=(low, high), x_scale=scale, loss="soft_l1", max_nfev=max_evaluations, xtol=1e-6, ftol=1e-5
    )  # fmt: skip
    # four digits: more than the data carry, and what the card prints is what was judged
    fitted = {n: float(f"{cost.parameters(best.x)[n][..., 0]:.4g}") for n in plan.parameters}
    rows = compare(model, fitted, measured)
    return FitResult(fitted, float(best.cost), rows, cost.evaluations, best.status > 0)
