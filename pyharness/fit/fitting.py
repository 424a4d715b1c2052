# SPDX-License-Identifier: BSD-3-Clause
"""Fit of a model's parameters to a device's loops: a search over all that the plan permits, then least squares."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import differential_evolution, least_squares

from pyharness.errors import ConfigError
from pyharness.fit.loops import FACTORS, LIMITS, deviations, figures, pulse_resistances, simulate_loops
from pyharness.fit.measured import Measured
from pyharness.veriloga import Module, NumpyModel, compile_numpy
from pyharness.yamlfile import checked, read_mapping

__all__ = ("FitPlan", "FitResult", "Row", "compare", "fit_card", "load_plan")

Array = NDArray[np.float64]

# the rated condition and its frequency series come first; the other amplitudes and the averaged curves guide
_WEIGHT_RATED, _WEIGHT_SERIES, _WEIGHT_OTHER, _WEIGHT_CURVES = 4.0, 1.0, 0.1, 0.03
_WEIGHT_OFF, _WEIGHT_HOLD, _WEIGHT_PRIOR, _WEIGHT_PULSES = 0.5, 3.0, 1.0, 1.0
PULSE_FACTOR = 2.0
"""Factor within which the resistance after a SET pulse is to lie, either way: pulses and sweeps of a device differ by that."""
# Of the on state, resistance near 0 V over that near the peak, from the averaged curves: the reads and the sums of an array
# are taken where the first counts, which no other figure tells.
# It is to agree as well as Ron repeats from cycle to cycle.
_BEND_NEAR_PEAK, _BEND_NEAR_ZERO, _BEND_LIMIT = (0.27, 0.36), (0.40, 0.48), 0.05
# a deviation counts little until it nears its limit: the limits are what a fit has to reach
_INSIDE, _NEAR = 0.15, 0.8
RATED_V, RATED_HZ = 1.0, 10.0
# A card holds its state: it moves at most 1 % in an hour at 0 V and 1 % in a second at the read voltage.  The smallest
# state that is looked at leaves a thousandth of the largest conductance; near 1 a falling threshold must not latch.
_HOLD_PER_S, _READ_PER_S, _READ_V = 3e-6, 1e-2, 0.1
_STATES = (1e-3, 1e-2, 0.1, 0.5, 0.95)
_DIFFERENCE = 1e-3
_SEARCH_STEPS, _SEARCH_POPULATION = 300, 5


class Range(BaseModel):
    """How one parameter may vary.

    Attributes:
        scale: on which it varies; ``step`` is a typical change there.
        low, high: bounds.
        prior: a value that costs as much as a deviation of one limit; 0: none.  Of fits that are as good, the one whose
            parameter is smaller is taken.
        zero_below: a fitted value below it is written as 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    scale: Literal["log", "linear", "logit"]
    low: float
    high: float
    step: Annotated[float, Field(gt=0)]
    prior: Annotated[float, Field(ge=0)] = 0.0
    zero_below: float = 0.0

    def inward(self, value: float) -> float:
        """Return the value on the scale."""
        return float(
            np.log(value) if self.scale == "log" else np.log(value / (1 - value)) if self.scale == "logit" else value
        )

    def outward(self, x: Array) -> Array:
        """Return the parameter from its place on the scale."""
        return np.asarray(np.exp(x) if self.scale == "log" else 1 / (1 + np.exp(-x)) if self.scale == "logit" else x)


class FitPlan(BaseModel):
    """What may vary, and the start for each device.

    Attributes:
        parameters: name -> range.
        start: device -> values; none: every fit is told its own.
        scatter: the parameter that takes the scatter from one SET pulse to the next, and from one RESET pulse to the next.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    parameters: dict[str, Range]
    start: dict[str, dict[str, float]] = {}
    scatter: dict[Literal["set", "reset"], str] = {}


def load_plan(path: Path) -> FitPlan:
    """Read a fit plan (``fit.yaml`` beside a model).

    Raises:
        ConfigError: unreadable, or against the schema; the message names file and key.
    """
    return checked(FitPlan, read_mapping(path, "fit plan"), f"fit plan '{path}'")


@dataclass(frozen=True)
class Row:
    """Model against measurement at one condition; deviations relative, the SET voltage's in volt."""

    amplitude_v: float
    frequency_hz: float
    measured: dict[str, float]
    model: dict[str, float]
    deviation: dict[str, float]

    def reached(self, name: str) -> bool:
        """Return whether a figure lies within its limit; the off resistances' is a factor, either way."""
        if name in FACTORS:
            return 1 / (1 + LIMITS[name]) <= 1 + self.deviation[name] <= 1 + LIMITS[name]
        return abs(self.deviation[name]) <= LIMITS[name]


@dataclass(frozen=True)
class PulseRow:
    """Resistance after one SET pulse from the off state: model against measurement."""

    amplitude_v: float
    width_s: float
    measured_ohm: float
    model_ohm: float

    @property
    def reached(self) -> bool:
        """Return whether they differ by :data:`PULSE_FACTOR` at most."""
        return 1 / PULSE_FACTOR <= self.model_ohm / self.measured_ohm <= PULSE_FACTOR


@dataclass(frozen=True)
class FitResult:
    """Fitted parameters, the cost, the tables of loops and pulses, evaluations used and whether they sufficed."""

    parameters: dict[str, float]
    cost: float
    rows: list[Row]
    pulses: list[PulseRow]
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
    off = deviations(found, measured.figures, measured.lobe_floor_w, measured.ceiling_ohm)
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


def _counted(off: Array) -> Array:
    """Return how much a deviation, over its limit, counts."""
    return np.asarray(_INSIDE * off + np.sign(off) * np.maximum(np.abs(off) - _NEAR, 0))


def compare_pulses(model: NumpyModel, parameters: Mapping[str, float], measured: Measured) -> list[PulseRow]:
    """Return the table of model against measurement after SET pulses."""
    m = measured
    after = pulse_resistances(
        model, parameters, amplitude_v=m.pulse_v, width_s=m.pulse_s, series_ohm=m.series_ohm, steps=1000
    )
    rows = zip(m.pulse_v, m.pulse_s, m.pulse_ohm, np.broadcast_to(after, m.pulse_v.shape), strict=True)
    return [PulseRow(*map(float, row)) for row in rows]


def _bend(voltage_v: Array, current_a: Array, phase: Array) -> Array:
    """Return the on state's resistance near 0 V over that near the peak, from curves of shape (..., points)."""
    low, high = ((phase >= start) & (phase <= end) for start, end in (_BEND_NEAR_ZERO, _BEND_NEAR_PEAK))
    ohm = [voltage_v[..., part].sum(-1) / np.maximum(current_a[..., part].sum(-1), 1e-12) for part in (low, high)]
    return np.asarray(np.maximum(ohm[0] / ohm[1], 1e-3))


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
        away = deviations(figures(v, i), m.figures, m.lobe_floor_w, m.ceiling_ohm)
        parts = []
        for name, limit in LIMITS.items():
            if name in ("imax_a", "vset_v"):
                off = away[name] / limit
            else:  # figures that span decades: the logarithm treats too large and too small alike
                off = np.log(np.maximum(1 + away[name], 1e-9)) / np.log(1 + limit)
            parts.append(self.weight * _counted(off) * (_WEIGHT_OFF if name in FACTORS else 1.0))
        at = np.round(m.phase * self.steps).astype(int) % self.steps - 1
        for curve, data in ((v, m.voltage_v), (i, m.current_a)):
            off = _WEIGHT_CURVES * (curve[..., at] - data) / data.std(-1)[:, None]
            parts.append(off.reshape((*off.shape[:-2], -1)))
        off = np.log(_bend(v[..., at], i[..., at], m.phase) / _bend(m.voltage_v, m.current_a, m.phase))
        parts.append(
            np.minimum(self.weight, _WEIGHT_SERIES) * _counted(off / np.log(1 + np.maximum(m.ron_sd, _BEND_LIMIT)))
        )
        after = pulse_resistances(self.model, values, amplitude_v=m.pulse_v, width_s=m.pulse_s, series_ohm=m.series_ohm)
        parts.append(_WEIGHT_PULSES * _counted(np.log(np.maximum(after, 1e-3) / m.pulse_ohm) / np.log(PULSE_FACTOR)))
        for state in _STATES:
            for volt, limit in ((0.0, _HOLD_PER_S * state), (_READ_V, _READ_PER_S * state)):
                rate = np.abs(self.model.rate(volt, state, **{**values, "x0": np.array(0.0)}))
                parts.append(_WEIGHT_HOLD * np.maximum(0, np.log(np.maximum(rate, 1e-300) / limit)))
        for name, r in self.plan.parameters.items():
            if r.prior:
                parts.append(_WEIGHT_PRIOR * values[name] / r.prior)
        residuals: Array = np.nan_to_num(np.concatenate(parts, -1), nan=50, posinf=50, neginf=-50)
        return residuals


def _loss(residuals: Array) -> Array:
    """Return the soft L1 loss of residuals on the last axis, as SciPy's least squares minimises it."""
    loss: Array = (np.sqrt(1 + residuals**2) - 1).sum(-1)
    return loss


def fit_card(
    module: Module,
    plan: FitPlan,
    measured: Measured,
    *,
    start: Mapping[str, float] | None = None,
    max_evaluations: int = 100,
    search: int = 0,
    seed: int = 1,
    steps: int = 800,
    progress: Callable[[int, float], None] | None = None,
) -> FitResult:
    """Fit the plan's parameters of ``module`` to ``measured``.

    Residuals: each figure's deviation over its limit (:data:`LIMITS`), little up to eight tenths of the limit, weighted most
    at 1 V 10 Hz, then at 1 V, least at the other amplitudes; how the on state bends; the averaged curves; the resistances
    after SET pulses; what would make the state drift; and the plan's priors.
    Loss: soft L1.  The search is differential evolution (SciPy) over the plan's bounds, with coarser sines.

    Args:
        module: a model of two ports and one state node with parameter ``x0``.
        plan: bounds and start.
        measured: the device.
        start: parameters to start from; default: the plan's for this device.
        max_evaluations: of the residuals, in the least-squares fit.
        search: generations of the search that goes before; 0 for none.
        seed: of the search.
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

    if search:
        coarse = _Cost(model, plan, measured, _SEARCH_STEPS)
        generation = itertools.count(1)
        found = differential_evolution(
            lambda sets: _loss(coarse(sets.T)), np.transpose([low, high]), x0=x0, strategy="currenttobest1bin", maxiter=search,
            popsize=_SEARCH_POPULATION, tol=0, mutation=(0.3, 0.9), rng=seed, polish=False, vectorized=True, updating="deferred",
            callback=lambda intermediate_result: progress and progress(next(generation), float(intermediate_result.fun)),
        )  # fmt: skip
        x0 = np.clip(found.x, low + margin, high - margin)

    def residuals(x: Array) -> Array:
        found = cost(x)
        cost.evaluations += 1
        if progress:
            progress(search + cost.evaluations, float(_loss(found)))
        return found

    def slopes(x: Array) -> Array:
        sets = cost(np.vstack([x, x + _DIFFERENCE * np.diag(scale)]))
        return np.asarray(((sets[1:] - sets[0]) / (_DIFFERENCE * scale[:, None])).T)

    best = least_squares(
        residuals, x0, jac=slopes, bounds=(low, high), x_scale=scale, loss="soft_l1", max_nfev=max_evaluations, xtol=1e-6, ftol=1e-5
    )  # fmt: skip
    # four digits: more than the data carry, and what the card prints is what was judged
    fitted = {n: float(f"{cost.parameters(best.x)[n][..., 0]:.4g}") for n in plan.parameters}
    fitted |= {n: 0.0 for n, r in plan.parameters.items() if fitted[n] < r.zero_below}
    rows = compare(model, fitted, measured)
    pulses = compare_pulses(model, fitted, measured)
    return FitResult(fitted, float(best.cost), rows, pulses, cost.evaluations, best.status > 0)
