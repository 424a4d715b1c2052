# SPDX-License-Identifier: BSD-3-Clause
"""A device in series with a resistor under a sine: many parameter sets and conditions at once, and a loop's figures."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyharness.veriloga import NumpyModel

__all__ = ("FACTORS", "LIMITS", "RISING_V", "deviations", "figures", "pulse_resistances", "simulate_loops")

Array = NDArray[np.float64]
_GAMMA = 1 - 1 / math.sqrt(2)
_NEWTON = 4

LIMITS = {
    "imax_a": 0.05, "vset_v": 0.030, "ron_ohm": 0.20, "lobe_set_w": 0.30, "lobe_reset_w": 0.30, "rhrs_ohm": 1.0, "rise_ohm": 1.0,
}  # fmt: skip
"""What a fit must reach: relative deviations, 30 mV for the SET voltage, a factor of 2 for the off resistances."""

FACTORS = ("rhrs_ohm", "rise_ohm")
"""Figures whose limit is a factor, either way."""

RISING_V = 0.15
"""Device voltage up to which the off resistance of the rising branch is taken, in volt: below any SET."""


def simulate_loops(
    model: NumpyModel,
    parameters: Mapping[str, ArrayLike],
    *,
    amplitude_v: Array,
    frequency_hz: Array,
    series_ohm: float,
    steps: int = 800,
    cycles: int = 2,
    start: float = 0.005,
) -> tuple[Array, Array]:
    """Return (device voltage in V, current in A) over the last cycle, each of shape (..., conditions, steps).

    The state is integrated by the two-stage L-stable Rosenbrock method of order 2 (Verwer et al., SIAM J. Sci. Comput. 20,
    1999, 1456, eq. 2.1), the divider solved by Newton's method at each stage.

    Args:
        model: a module of one state node, its parameters free.
        parameters: values, each of shape (..., 1) or a number; ``x0`` is set by ``start``.
        amplitude_v, frequency_hz: of the source, shape (conditions,).
        series_ohm: between source and device.
        steps: per cycle.
        cycles: simulated, so that the last one repeats.
        start: state at the start.
    """
    device = _Device(model, parameters, series_ohm, 0 * amplitude_v, start)
    dt = 1 / frequency_hz / steps
    voltages, currents = np.empty((2, steps, *device.state.shape))
    for n in range(cycles * steps):
        device.advance(dt, amplitude_v * math.sin(2 * math.pi * (n + 1) / steps))
        if n >= (cycles - 1) * steps:
            voltages[n % steps], currents[n % steps] = device.v, device.current
    return np.moveaxis(voltages, 0, -1), np.moveaxis(currents, 0, -1)


def pulse_resistances(
    model: NumpyModel,
    parameters: Mapping[str, ArrayLike],
    *,
    amplitude_v: Array,
    width_s: Array,
    series_ohm: float,
    read_v: float = 0.15,
    steps: int = 120,
    start: float = 1e-4,
) -> Array:
    """Return the resistance in ohm at ``read_v`` after one rectangular pulse from the off state, shape (..., pulses).

    Steps grow with time, from 1e-5 of the width; otherwise as :func:`simulate_loops`.
    """
    device = _Device(model, parameters, series_ohm, amplitude_v, start)
    times = np.concatenate([[0.0], np.geomspace(1e-5, 1, steps)])
    for dt in np.diff(times):
        device.advance(dt * width_s, amplitude_v)
    return np.asarray(read_v / model.current(read_v, device.state, **device.given))


class _Device:
    """Many devices behind a resistor, advanced together: one for each parameter set and source."""

    def __init__(
        self, model: NumpyModel, parameters: Mapping[str, ArrayLike], series_ohm: float, source: Array, start: float
    ) -> None:
        shape = np.broadcast_shapes(source.shape, *(np.shape(p) for p in parameters.values()))
        self.model, self.series_ohm, self.state = model, series_ohm, np.full(shape, start)
        self.given = {**parameters, "x0": 0.0}
        self.v = np.zeros(shape)
        self.settle(source)

    def divide(self, source: Array, s: Array, v: Array) -> tuple[Array, Array, Array, Array]:
        """Return (device voltage, current, rate, slope of the rate along the divider)."""
        r = self.series_ohm
        for _ in range(_NEWTON):
            current, rate, iv, is_, rv, rs = self.model.together(v, s, **self.given)
            step = (v + r * current - source) / (1 + r * iv)
            v = v - step
            if np.abs(step).max() < 1e-6:  # the last step is followed by the derivatives, not by another evaluation
                break
        along = -r * is_ / (1 + r * iv)
        return v, current - iv * step, rate - rv * step, rs + rv * along

    def settle(self, source: Array) -> None:
        """Find the divider's solution at a source that stands still."""
        for _ in range(6):  # from 0 V far away
            self.v, self.current, self.rate, self.slope = self.divide(source, self.state, self.v)

    def advance(self, dt: Array | float, source: Array) -> None:
        """Go on by ``dt`` seconds to the voltage ``source``."""
        damping = 1 / (1 - _GAMMA * dt * np.minimum(self.slope, 0))
        k1 = damping * self.rate
        predicted = np.clip(self.state + dt * k1, 0, 1)
        v2, _, rate2, _ = self.divide(source, predicted, self.v)
        k2 = damping * (rate2 - 2 * k1)
        self.state = np.clip(self.state + dt * (1.5 * k1 + 0.5 * k2), 0, 1)
        self.v, self.current, self.rate, self.slope = self.divide(source, self.state, v2)


def figures(voltage_v: Array, current_a: Array) -> dict[str, Array]:
    """Return the figures of loops of shape (..., steps) that start at the rising zero of the source.

    Largest current; largest device voltage while the source rises; least-squares resistance while it falls from its peak to
    zero; area of the positive and of the negative lobe in V*A; least-squares resistance on the way back from the negative
    peak, the off state; the same while the device first rises to :data:`RISING_V`, where reads are.
    """
    n = voltage_v.shape[-1]
    rising, falling = slice(0, n // 4 + 1), slice(n // 4, n // 2)
    positive, negative, back = slice(0, n // 2), slice(n // 2, n), slice(3 * n // 4, n - 1)

    def resistance(part: slice, up_to_v: float = math.inf) -> Array:
        v, i = voltage_v[..., part], current_a[..., part]
        v = np.where(np.maximum.accumulate(v, -1) < up_to_v, v, 0.0)
        return np.asarray((v * v).sum(-1) / np.maximum((v * i).sum(-1), 1e-300))

    def lobe(part: slice) -> Array:
        dv = np.diff(voltage_v[..., part], axis=-1)
        mean = (current_a[..., part][..., 1:] + current_a[..., part][..., :-1]) / 2
        return np.asarray(np.abs((mean * dv).sum(-1)))

    return {
        "imax_a": np.asarray(current_a.max(-1)),
        "vset_v": np.asarray(voltage_v[..., rising].max(-1)),
        "ron_ohm": resistance(falling),
        "lobe_set_w": lobe(positive),
        "lobe_reset_w": lobe(negative),
        "rhrs_ohm": resistance(back),
        "rise_ohm": resistance(rising, RISING_V),
    }


def deviations(
    model: Mapping[str, Array], measured: Mapping[str, Array], lobe_floor_w: Array, ceiling_ohm: float
) -> dict[str, Array]:
    """Return model against measurement: relative, the SET voltage's in volt.

    What the measurement cannot resolve counts as equal: off resistances above ``ceiling_ohm``, lobes below
    ``lobe_floor_w`` (V*A, by condition).
    """
    found = {k: model[k] - measured[k] if k == "vset_v" else model[k] / measured[k] - 1 for k in LIMITS}
    for name in FACTORS:
        ends = (np.minimum(side[name], ceiling_ohm) for side in (model, measured))
        found[name] = np.divide(*ends) - 1
    for name in ("lobe_set_w", "lobe_reset_w"):
        ends = (np.maximum(side[name], lobe_floor_w) for side in (model, measured))
        found[name] = np.divide(*ends) - 1
    return found
