# SPDX-License-Identifier: BSD-3-Clause
"""One device behind a resistor, in time, as machine code: what the behavioural view of the array does in Verilog.

Between changes of its drive a device stands behind a constant source and a constant resistor, so that its state follows
one autonomous equation; that is integrated by steps of an exponential Rosenbrock method of order 4 with an error estimate
of order 3 (exprb43: Hochbruck, Ostermann and Schweitzer, SIAM J. Numer. Anal. 47, 786, 2009), which takes the equilibrium
at the end of a SET, hundreds of time constants long, in a few steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

__all__ = ("CellKernels", "cell_kernels")

_NEWTON_V = 1e-6
"""Last step of the voltage: what it leaves is of second order, 1e-11 V."""
_LEVELS = 4
"""So many levels stand for an edge."""


class CellKernels(NamedTuple):
    """Functions of one device; ``p`` are its free parameters, ``v`` the voltage found last, in volt.

    - ``solve(x, load_v, load_ohm, p, v) -> (v, i, dx/dt, its slope along the load line, dv/dx)``
    - ``integrate(x, span_s, load_v, load_ohm, p, v, tolerance) -> (x, supply_j, device_j, v)``: energies delivered by the
      source and taken by the device; ``tolerance`` is a step's error, as a share of the state.
    - ``pulse(x, source_v, edge_s, width_s, load_ohm, p, tolerance) -> (x, supply_j, device_j)``: from the beginning of the rise to the
      end of the fall, each ``edge_s`` long; ``width_s`` lies between the beginnings of the two.
    - ``rest(x, span_s, p) -> x``: at 0 V.
    - ``currents(v, x, p) -> (i, di/dv)`` of many devices at once; shapes (drives, devices), (devices,), (devices, parameters).

    A voltage that is not found, or a rate that is no number, comes back as NaN.
    """

    solve: Callable[..., Any]
    integrate: Callable[..., Any]
    pulse: Callable[..., Any]
    rest: Callable[..., Any]
    currents: Callable[..., Any]


@njit
def _phi1(z):  # type: ignore[no-untyped-def]
    """(exp(z) - 1) / z."""
    if -1e-3 < z < 1e-3:
        return 1 + z / 2 * (1 + z / 3 * (1 + z / 4))
    return math.expm1(z) / z


@njit
def _phis(z):  # type: ignore[no-untyped-def]
    """phi_1, phi_3, phi_4 with phi_k(z) = sum of z^j / (j + k)!."""
    if -1 < z < 1:
        phi_4 = 1.0
        for k in range(15, 4, -1):
            phi_4 = 1 + z / k * phi_4
        phi_4 /= 24
        phi_3 = 1 / 6 + z * phi_4
        return 1 + z * (0.5 + z * phi_3), phi_3, phi_4
    phi_1 = math.expm1(z) / z
    phi_3 = ((phi_1 - 1) / z - 0.5) / z
    return phi_1, phi_3, (phi_3 - 1 / 6) / z


@lru_cache(maxsize=16)
def cell_kernels(evaluate: Callable[..., Any], low: float, high: float) -> CellKernels:
    """Return the functions for ``evaluate``, see :func:`compile_scalar`, and the state's bounds."""

    @njit
    def solve(x, load_v, load_ohm, p, v):  # type: ignore[no-untyped-def]
        # Newton's method, kept between bounds that close in
        below, above = min(load_v, 0.0) - 1, max(load_v, 0.0) + 1
        if not below < v < above:
            v = 0.0
        for _ in range(100):
            i, rate, i_v, i_x, rate_v, rate_x = evaluate(v, x, p)
            gap = v + load_ohm * i - load_v
            step = -gap / (1 + load_ohm * i_v)
            if gap > 0:
                above = v
            else:
                below = v
            if not below <= v + step <= above:
                v, step = 0.5 * (below + above), above - below
            else:
                v += step
            if -_NEWTON_V <= step <= _NEWTON_V:
                v_x = -load_ohm * i_x / (1 + load_ohm * i_v)
                return v, i + i_v * step, rate + rate_v * step, rate_x + rate_v * v_x, v_x
        return math.nan, math.nan, math.nan, math.nan, math.nan

    @njit
    def bounded(x):  # type: ignore[no-untyped-def]
        return min(max(x, low), high)

    @njit
    def integrate(x, span_s, load_v, load_ohm, p, v, tolerance):  # type: ignore[no-untyped-def]
        v, i, f, slope, v_x = solve(x, load_v, load_ohm, p, v)
        done, h, supply_j, device_j = 0.0, span_s, 0.0, 0.0
        while done < span_s:
            if math.isnan(v) or math.isnan(f):
                return math.nan, math.nan, math.nan, math.nan
            h = min(h, span_s - done)
            last = not h < span_s - done
            if -1e-9 < f * h < 1e-9 and -1 < slope * h < 1:  # a read, a rest: nothing moves
                x = bounded(x + h * _phi1(h * slope) * f)
                supply_j += load_v * i * h
                device_j += v * i * h
                done = span_s if last else done + h
                h = span_s
                if done < span_s:
                    v, i, f, slope, v_x = solve(x, load_v, load_ohm, p, v)
                continue
            if h * slope > 2:
                h, last = 2 / slope, False
            z = h * slope
            middle = bounded(x + 0.5 * h * _phi1(0.5 * z) * f)
            v2, i2, f2, _, _ = solve(middle, load_v, load_ohm, p, v + v_x * (middle - x))
            d2 = f2 - f - slope * (middle - x)
            phi_1, phi_3, phi_4 = _phis(z)
            end = bounded(x + h * phi_1 * (f + d2))
            v3, _, f3, _, _ = solve(end, load_v, load_ohm, p, v + v_x * (end - x))
            d3 = f3 - f - slope * (end - x)
            x_next = bounded(x + h * (phi_1 * f + (16 * phi_3 - 48 * phi_4) * d2 + (12 * phi_4 - 2 * phi_3) * d3))
            error = abs(h * (12 * d3 - 48 * d2) * phi_4)
            if math.isnan(error):
                return math.nan, math.nan, math.nan, math.nan
            limit = tolerance * (abs(x_next) + 1e-4)
            ratio = min(max(0.9 * (limit / error) ** 0.25, 0.2), 5.0) if error > 1e-4 * limit else 5.0
            if error <= limit or h < 1e-15:  # below the femtosecond there is nothing to gain by smaller steps
                i0, v0 = i, v
                x = x_next
                done = span_s if last else done + h
                v, i, f, slope, v_x = solve(x, load_v, load_ohm, p, v3)
                supply_j += load_v * h / 6 * (i0 + 4 * i2 + i)
                device_j += h / 6 * (v0 * i0 + 4 * v2 * i2 + v * i)
            h *= ratio
        return x, supply_j, device_j, v

    @njit
    def pulse(x, source_v, edge_s, width_s, load_ohm, p, tolerance):  # type: ignore[no-untyped-def]
        rise_s = min(width_s, edge_s)
        v, supply_j, device_j = 0.0, 0.0, 0.0
        for k in range(2 * _LEVELS + 1):
            if k < _LEVELS:
                level, span_s = (k + 0.5) / _LEVELS * rise_s / edge_s, rise_s / _LEVELS
            elif k == _LEVELS:
                level, span_s = 1.0, width_s - rise_s
            else:
                level, span_s = (2 * _LEVELS + 0.5 - k) / _LEVELS, edge_s / _LEVELS
            if span_s > 0:
                x, supplied, taken, v = integrate(x, span_s, level * source_v, load_ohm, p, v, tolerance)
                supply_j += supplied
                device_j += taken
        return x, supply_j, device_j

    @njit
    def currents(v, x, p):  # type: ignore[no-untyped-def]
        i, i_v = np.empty_like(v), np.empty_like(v)
        for drive in range(v.shape[0]):
            for device in range(v.shape[1]):
                i[drive, device], _, i_v[drive, device], _, _, _ = evaluate(v[drive, device], x[device], p[device])
        return i, i_v

    @njit
    def rest(x, span_s, p):  # type: ignore[no-untyped-def]
        _, f, _, _, _, slope = evaluate(0.0, x, p)
        return bounded(x + span_s * _phi1(span_s * slope) * f)

    return CellKernels(solve, integrate, pulse, rest, currents)
