# SPDX-License-Identifier: BSD-3-Clause
"""Reference: a device in series with a resistor, integrated by SciPy's Radau at a tight tolerance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.integrate import solve_ivp

from pyharness.errors import SimulationError
from pyharness.veriloga.numpy_target import NumpyModel

__all__ = ("divider_voltage", "integrate")


def divider_voltage(model: NumpyModel, source_v: float, state: float, series_ohm: float, start_v: float = 0.0) -> float:
    """Return the device's share of ``source_v`` at a fixed state, to 1e-15 V by Newton's method.

    Args:
        model: a module of two ports and one state.
        source_v: over device and resistor.
        state: voltage of the state node.
        series_ohm: the resistor; 0 for none.
        start_v: where to start.

    Raises:
        SimulationError: the equations have no solution there, or Newton's method does not find it.
    """
    if not series_ohm:
        return source_v
    v, step = start_v, math.inf
    for _ in range(60):
        current, _, slope, *_ = (float(x) for x in model.together(v, state))
        step = (v + series_ohm * current - source_v) / (1 + series_ohm * slope)
        v -= min(max(step, -0.2), 0.2)  # an exponential characteristic needs its steps bounded
        if abs(step) < 1e-15:
            break
    if not abs(step) < 1e-9:
        raise SimulationError(
            f"module '{model.module.name}' at state {state:g} finds no voltage behind {series_ohm:g} Ohm and {source_v:g} V: "
            "is its current continuous?"
        )
    return v


def integrate(
    model: NumpyModel,
    times_s: Sequence[float],
    source_v: Sequence[float],
    *,
    series_ohm: float,
    start: float = 0.0,
    rtol: float = 1e-10,
) -> float:
    """Return the state node's voltage after a piecewise linear source, each piece integrated by itself.

    Args:
        model: a module of two ports and one state.
        times_s, source_v: corners of the source's waveform.
        series_ohm: between source and device.
        start: state node's voltage at the first corner.
        rtol: relative tolerance.

    Raises:
        SimulationError: the equations have no solution, or the integration fails.
    """
    state = start
    for t0, t1, v0, v1 in zip(times_s, times_s[1:], source_v, source_v[1:], strict=False):
        last = [0.0]

        def rate(t: float, s: np.ndarray, t0: float = t0, t1: float = t1, v0: float = v0, v1: float = v1, last: list[float] = last) -> list[float]:  # fmt: skip
            source = v0 + (v1 - v0) * (t - t0) / (t1 - t0)
            last[0] = divider_voltage(model, source, float(s[0]), series_ohm, last[0])
            return [float(model.together(last[0], float(s[0]))[1])]

        with np.errstate(all="ignore"):  # what comes of it is checked below
            done = solve_ivp(rate, (t0, t1), [state], method="Radau", rtol=rtol, atol=1e-14)
        state = float(done.y[0, -1])
        if not done.success or not math.isfinite(state):
            raise SimulationError(f"SciPy cannot integrate module '{model.module.name}' from {t0:g} s: {done.message}")
    return state
