# SPDX-License-Identifier: BSD-3-Clause
"""Fit of a model's parameters to measured pulse trains: least squares on the logarithm of the resistance after each pulse.

What the pulses do not tell is left alone.  Of each parameter the plan says a range; before any pulse is looked at, it is taken to lie
there with a standard deviation of half of the range.  A parameter that the pulses, together with that, tell to less than half as
much again goes back to its start, the least known one first, and the rest is fitted anew.  The last fit is free of that assumption.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import differential_evolution, least_squares
from scipy.stats import t as student

from pyharness.errors import ConfigError
from pyharness.fit.fitting import FitPlan, Range
from pyharness.fit.pulses import Pulses
from pyharness.fit.trains import TrainModel
from pyharness.veriloga import Module

__all__ = ("Estimate", "PulseFit", "fit_pulses", "train_model")

Array = NDArray[np.float64]
_UNKNOWN = 0.5
"""Of half the range: a standard deviation above it is that of a parameter which the pulses do not determine."""
_READ_ERROR = 0.01
"""No resistance is taken as measured any better."""
_NORMAL = float(student.ppf(0.975, np.inf))
_DIFFERENCE = 1e-2  # of a typical change
_AT_BOUND = 1e-6
_FAILED = 50.0  # residual of a pulse whose voltage is not found
_POPULATION = 5


@dataclass(frozen=True)
class Estimate:
    """One fitted parameter.

    Attributes:
        value: in the parameter's unit.
        error: its standard error, on the plan's scale: relative where that is ``log``.
        low, high: ends of the interval of 95 %, in the parameter's unit.
        at_bound: whether the fit ended at a bound of the plan, where no error counts.
    """

    value: float
    error: float
    low: float
    high: float
    at_bound: bool


@dataclass(frozen=True)
class PulseFit:
    """A fit to pulses.

    Attributes:
        parameters: the free ones, fitted or at their start.
        estimates: of the fitted ones.
        undetermined: parameters that the pulses do not tell, left at their start.
        correlation: between the estimates, shape (estimates, estimates).
        residuals: ln(model / measured resistance) after each pulse, shape (pulses,).
        converged: whether the evaluations sufficed.
    """

    parameters: dict[str, float]
    estimates: dict[str, Estimate]
    undetermined: tuple[str, ...]
    correlation: Array
    residuals: Array
    converged: bool

    @property
    def rms(self) -> float:
        """Root mean square of the residuals."""
        return float(np.sqrt((self.residuals**2).mean()))


class _Problem:
    """Residuals and slopes over the parameters that vary, each as its place on the plan's scale."""

    def __init__(
        self, model: TrainModel, pulses: Pulses, ranges: Mapping[str, Range], start: Mapping[str, float]
    ) -> None:
        self.model, self.pulses, self.ranges = model, pulses, ranges
        self.low, self.high = (np.array([r.inward(getattr(r, e)) for r in self._each]) for e in ("low", "high"))
        inside = [min(max(start[n], ranges[n].low), ranges[n].high) for n in model.free]
        self.start = np.array([r.inward(value) for r, value in zip(self._each, inside, strict=True)])
        self.stated = self.start.copy()  # where a parameter lies that is not fitted
        nothing = [k for k, n in enumerate(model.free) if start[n] == 0]
        with np.errstate(divide="ignore"):  # it may be below the range, and on a log scale is -inf
            self.stated[nothing] = [self._each[k].inward(0.0) for k in nothing]
        self.step = np.array([r.step for r in self._each])
        self.half = (self.high - self.low) / 2
        self.measured = np.log(pulses.resistance_ohm)

    @property
    def _each(self) -> list[Range]:
        return [self.ranges[n] for n in self.model.free]

    def values(self, x: Array) -> list[float]:
        return [float(r.outward(np.asarray(at))) for r, at in zip(self._each, x, strict=True)]

    def residuals(self, x: Array) -> Array:
        off = self.model.log_ohm(self.pulses, self.values(x)) - self.measured
        return np.nan_to_num(off, nan=_FAILED)

    def slopes(self, x: Array, varied: Sequence[int]) -> Array:
        """Central differences by the parameters ``varied``, shape (pulses, varied); one-sided at a bound."""
        columns = []
        for k in varied:
            ends = [x.copy(), x.copy()]
            ends[0][k] = max(x[k] - _DIFFERENCE * self.step[k], self.low[k])
            ends[1][k] = min(x[k] + _DIFFERENCE * self.step[k], self.high[k])
            columns.append((self.residuals(ends[1]) - self.residuals(ends[0])) / (ends[1][k] - ends[0][k]))
        return np.array(columns).T


def _solve(problem: _Problem, x0: Array, varied: Sequence[int], prior: float, evaluations: int) -> tuple[Array, bool]:
    """Least squares over the parameters ``varied``; ``prior``: weight of their distance from the start over half the range."""
    low, high = problem.low[varied], problem.high[varied]
    margin = 1e-9 * (high - low)
    weight = prior / problem.half[varied]

    def whole(part: Array) -> Array:
        x = x0.copy()
        x[varied] = part
        return x

    found = least_squares(
        lambda part: np.concatenate([problem.residuals(whole(part)), weight * (part - problem.start[varied])]),
        np.clip(x0[varied], low + margin, high - margin),
        jac=lambda part: np.vstack([problem.slopes(whole(part), varied), np.diag(weight)]),
        bounds=(low, high),
        x_scale=problem.step[varied],
        ftol=1e-6,
        xtol=1e-6,
        max_nfev=evaluations,
    )
    return whole(found.x), found.status > 0


def _noise(residuals: Array, fitted: int) -> float:
    """Return the standard deviation of a pulse's residual."""
    return max(_READ_ERROR, float(np.sqrt((residuals**2).sum() / max(1, len(residuals) - fitted))))


def _interval(pulses: int, fitted: int) -> float:
    """Return how many standard errors 95 % reach to either side: many, where hardly more pulses than parameters tell the error."""
    return float(student.ppf(0.975, max(1, pulses - fitted)))


def _known(problem: _Problem, x: Array, varied: list[int]) -> list[int]:
    """Return those of ``varied`` that the pulses tell, the least known one left out until all are known."""
    residuals = problem.residuals(x)
    slopes, noise = problem.slopes(x, varied) * problem.half[varied], _noise(residuals, len(varied))
    places = list(range(len(varied)))
    while places:
        part = slopes[:, places] / (noise * _interval(len(residuals), len(places)) / _NORMAL)
        deviation = np.sqrt(np.diag(np.linalg.inv(part.T @ part + np.eye(len(places)))))
        if deviation.max() <= _UNKNOWN and len(places) < len(residuals):
            break
        del places[int(deviation.argmax())]
    return [varied[k] for k in places]


def _searched(problem: _Problem, generations: int, seed: int, told: Callable[[int, float], None]) -> Array:
    """Return the best place of a differential evolution over all of the plan."""
    count = iter(range(1, generations + 2))
    found = differential_evolution(
        lambda x: float((np.minimum(np.abs(problem.residuals(x)), _FAILED) ** 2).sum()),
        np.transpose([problem.low, problem.high]), x0=np.clip(problem.start, problem.low, problem.high), maxiter=generations,
        popsize=_POPULATION, tol=0, rng=seed, polish=False,
        callback=lambda intermediate_result: told(next(count), float(intermediate_result.fun)),
    )  # fmt: skip
    return np.asarray(found.x, float)


def train_model(
    module: Module, plan: FitPlan, start: Mapping[str, float], free: Sequence[str] | None = None
) -> TrainModel:
    """Return the model whose parameters ``free`` (default: all of the plan) can be fitted, the others at ``start`` or their defaults.

    Raises:
        ConfigError: a parameter that plan or module does not have, or a start out of the plan's range.
        VerilogAError: a module that has not two ports and one state node.
    """
    values = module.check_parameters(start)
    names = list(dict.fromkeys(free if free is not None else plan.parameters))
    for name in names:
        if name not in plan.parameters:
            raise ConfigError(
                f"--free names '{name}', of which the fit plan says no range: it has {', '.join(plan.parameters)}"
            )
        if name not in values:
            raise ConfigError(f"the fit plan names '{name}', which module '{module.name}' does not have")
        r = plan.parameters[name]
        # what a fit found to be nothing is below its range
        if not (r.low <= values[name] <= r.high or values[name] == 0 <= r.zero_below):
            raise ConfigError(
                f"parameter '{name}' starts at {values[name]:g}, outside the fit plan's range {r.low:g} .. {r.high:g}: "
                "widen the range in a plan of your own (--plan), or start from another card"
            )
    return TrainModel(module, start, names)


def fit_pulses(
    model: TrainModel,
    plan: FitPlan,
    pulses: Pulses,
    start: Mapping[str, float],
    *,
    only: Sequence[str] | None = None,
    search: int = 0,
    seed: int = 1,
    max_evaluations: int = 100,
    progress: Callable[[int, float], None] | None = None,
) -> PulseFit:
    """Fit the model's free parameters to measured pulses.

    Args:
        model: see :func:`train_model`.
        plan: range and scale of each parameter.
        pulses: the trains.
        start: of the free parameters, values to start from, where those stay that the pulses do not tell.
        only: parameters to fit, told by the pulses or not; default: those that they tell.
        search: generations of a search over all of the plan's ranges before; 0 for none.
        seed: of the search.
        max_evaluations: of each least-squares fit.
        progress: called with (step, sum of squares).

    Raises:
        ConfigError: the pulses tell no parameter.
    """
    told = progress or (lambda step, cost: None)
    problem = _Problem(model, pulses, plan.parameters, start)
    x = _searched(problem, search, seed, told) if search else problem.start.copy()
    varied = [k for k, n in enumerate(model.free) if only is None or n in only]
    for k in set(range(len(x))) - set(varied):
        x[k] = problem.stated[k]
    converged, step = True, search
    while only is None and varied:
        x, converged = _solve(problem, x, varied, _READ_ERROR, max_evaluations)
        step += 1
        told(step, float((problem.residuals(x) ** 2).sum()))
        known = _known(problem, x, varied)
        for k in set(varied) - set(known):
            x[k] = problem.stated[k]
        if known == varied:
            break
        varied = known
    if not varied:
        raise ConfigError(
            f"the pulses of {', '.join(pulses.devices)} tell none of {', '.join(model.free)}: measure pulses of more amplitudes and widths"
        )
    x, converged = _solve(problem, x, varied, 0.0, max_evaluations)
    residuals = problem.residuals(x)
    told(step + 1, float((residuals**2).sum()))
    return _result(problem, x, varied, start, residuals, converged)


def _result(
    problem: _Problem, x: Array, varied: list[int], start: Mapping[str, float], residuals: Array, converged: bool
) -> PulseFit:
    names = problem.model.free
    # what is at a bound does not vary: the others' errors are taken beside it
    inside = [k for k in varied if _AT_BOUND < (x[k] - problem.low[k]) / (2 * problem.half[k]) < 1 - _AT_BOUND]
    slopes = problem.slopes(x, inside) / _noise(residuals, len(varied))
    covariance = np.linalg.pinv(slopes.T @ slopes) if inside else np.zeros((0, 0))
    error = np.zeros(len(x))
    error[inside] = np.sqrt(np.diag(covariance))
    scale = np.where(error[inside] > 0, error[inside], 1.0)
    correlation = np.eye(len(varied))
    places = [varied.index(k) for k in inside]
    correlation[np.ix_(places, places)] = covariance / np.outer(scale, scale)
    reach = _interval(len(residuals), len(varied))
    value, low, high = (problem.values(np.clip(x + s * error, problem.low, problem.high)) for s in (0, -reach, reach))
    estimates = {
        names[k]: Estimate(float(f"{value[k]:.4g}"), float(error[k]), low[k], high[k], k not in inside) for k in varied
    }
    return PulseFit(
        {**{n: start[n] for n in names}, **{n: e.value for n, e in estimates.items()}},
        estimates,
        tuple(n for k, n in enumerate(names) if k not in varied),
        correlation,
        residuals,
        converged,
    )
