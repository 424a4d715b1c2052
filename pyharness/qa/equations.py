# SPDX-License-Identifier: BSD-3-Clause
"""Checks on the equations themselves, by the NumPy target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyharness.fit.cards import READ_S, READS, hold_figures
from pyharness.qa.subject import Check, Subject
from pyharness.veriloga import READ_V

__all__ = ("bounds", "hold", "jacobian", "passivity", "read_disturb", "smooth", "temperature", "zero_current")

_BIAS = 5.0  # times the rated amplitude
_KELVIN = (218.15, 300.15, 448.15)  # -55, 27 and 175 degrees Celsius
_STATES = np.linspace(0, 1, 41)


def zero_current(subject: Subject) -> Check:
    """I(0, x) = 0 for every state."""
    worst = float(np.abs(subject.model.current(0.0, _STATES)).max())
    return Check("zero current at 0 V", worst, 0.0, "A", "largest |I(0, x)|, x in 0 .. 1")


def passivity(subject: Subject) -> Check:
    """The device never delivers power."""
    v = np.linspace(-_BIAS, _BIAS, 2001)[:, None] * subject.rated_v
    least = min(float((v * subject.model.current(v, _STATES, temperature=t)).min()) for t in _KELVIN)
    return Check("passivity", -least, 0.0, "W", "largest power delivered, up to 5 x the rated voltage, -55 .. 175 C")


def bounds(subject: Subject) -> Check:
    """At the ends of the state's range the rate never points outward."""
    v = np.linspace(-_BIAS, _BIAS, 2001) * subject.rated_v
    outward = max(float((-subject.model.rate(v, 0.0)).max()), float(subject.model.rate(v, 1.0).max()))
    return Check(
        "rate inward at the bounds", outward, 0.0, "1/s", "largest outward dx/dt at x = 0 and x = 1, 5 x rated"
    )


def temperature(subject: Subject) -> Check:
    """Everything stays finite from -55 to 175 degrees Celsius, at ten times the rated voltage."""
    v = np.linspace(-2 * _BIAS, 2 * _BIAS, 401)[:, None] * subject.rated_v
    bad = 0
    for t in _KELVIN:
        values = [subject.model.current(v, _STATES, temperature=t), subject.model.rate(v, _STATES, temperature=t)]
        values.append(subject.model.jacobian(v, _STATES, temperature=t))
        bad += sum(int(np.sum(~np.isfinite(x))) for x in values)
    return Check("finite from -55 to 175 C", bad, 0, "values", "not finite, up to 10 x the rated voltage")


def smooth(subject: Subject) -> Check:
    """No value or slope jumps: intervals of the voltage and of the state in which one changes most, halved 40 times."""
    m, worst = subject.model, 0.0
    fixed_v = np.array([-1, -0.5, -0.2, 0.0, 0.2, 0.5, 1]) * subject.rated_v
    along_v = np.linspace(-_BIAS, _BIAS, 2002) * subject.rated_v, np.array([0.0, 0.05, 0.35, 0.8, 1.0])
    for grid, fixed, swapped in ((*along_v, False), (np.linspace(0, 1, 1002), fixed_v, True)):

        def values(at: NDArray[np.float64], fixed=fixed, swapped=swapped):  # type: ignore[no-untyped-def]
            point = (fixed[:, None], at) if swapped else (at, fixed[:, None])
            shape = np.broadcast_shapes(*(np.shape(x) for x in point))
            return np.array([np.broadcast_to(x, shape) for x in m.together(*point)])

        low, high = (np.broadcast_to(edge, (len(fixed), len(grid) - 1)).copy() for edge in (grid[:-1], grid[1:]))
        first, last = values(low), values(high)
        scale = np.abs(first).max((1, 2), keepdims=True) + 1e-300
        for _ in range(40):
            middle = (low + high) / 2
            half = values(middle)
            left = (np.abs(half - first) / scale).max(0) > (np.abs(last - half) / scale).max(0)
            low, high = np.where(left, low, middle), np.where(left, middle, high)
            first, last = np.where(left, first, half), np.where(left, half, last)
        worst = max(worst, float((np.abs(last - first) / scale).max()))
    return Check("smooth", worst, 1e-6, "", "largest jump of current, rate or their slopes, over the largest value")


def jacobian(subject: Subject) -> Check:
    """Exact derivatives against central differences of two steps, extrapolated (error of order h^4)."""
    rng = np.random.default_rng(7)
    v = rng.uniform(-1, 1, 2000) * subject.rated_v
    s = rng.uniform(0.02, 0.98, 2000)
    m = subject.model
    exact = m.jacobian(v, s)
    worst = 0.0
    h = 1e-4
    for column, (dv, ds) in enumerate([(1.0, 0.0), (0.0, 1.0)]):
        for row, f in enumerate((m.current, m.rate)):

            def slope(step: float, f=f, dv=dv, ds=ds):  # type: ignore[no-untyped-def]
                return (f(v + step * dv, s + step * ds) - f(v - step * dv, s - step * ds)) / (2 * step)

            extrapolated = (4 * slope(h / 2) - slope(h)) / 3
            scale = np.abs(exact[row, column]).max()
            # a threshold's rounded corner has no fourth derivative: the worst point in a hundred is left out
            error = np.sort(np.abs(exact[row, column] - extrapolated) / scale)
            worst = max(worst, float(error[int(0.99 * len(error))]))
    return Check("Jacobian", worst, 1e-6, "", "against finite differences, relative to the largest slope")


def hold(subject: Subject) -> Check:
    """An hour at 0 V."""
    drift = hold_figures(subject.model, subject.states)["hour_at_0_v"]
    return Check("hold", drift, subject.hold_limit, "", "relative change of the conductance in an hour at 0 V")


def read_disturb(subject: Subject) -> Check:
    """Ten thousand reads."""
    drift = hold_figures(subject.model, subject.states)["reads_10000"]
    return Check(
        "read disturb",
        drift,
        subject.read_limit,
        "",
        f"relative change by {READS} reads of {READ_V} V, {READ_S * 1e6:g} us",
    )
