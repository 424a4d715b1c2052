# SPDX-License-Identifier: BSD-3-Clause
"""A device in series with a resistor under a sine: many parameter sets and conditions at once, and a loop's figures."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyharness.veriloga import NumpyModel

__all__ = ("LIMITS", "deviations", "figures", "simulate_loops")

Array = NDArray[np.float64]
_GAMMA = 1 - 1 / math.sqrt(2)
_NEWTON = 4

LIMITS = {"imax_a": 0.05, "vset_v": 0.030, "ron_ohm": 0.20, "lobe_set_w": 0.30, "lobe_reset_w": 0.30, "rhrs_ohm": 1.0}
"""What a fit must reach: relative deviations, 30 mV for the SET voltage, a factor of 2 for the off resistance."""

RHRS_CEILING_OHM = 1e6
"""The measurement resolves no larger resistance; both sides of the comparison end here."""


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
    given = {**parameters, "x0": 0.0}
    shape = np.broadcast_shapes(amplitude_v.shape, *(np.shape(p) for p in parameters.values()))
    s, v = np.full(shape, start), np.zeros(shape)
    dt = 1 / frequency_hz / steps
    voltages, currents = np.empty((steps, *shape)), np.empty((steps, *shape))

    def divider(source: Array, s: Array, v: Array) -> tuple[Array, Array, Array, Array]:
        """Return (device voltage, current, rate, slope of the rate along the divider)."""
        for _ in range(_NEWTON):
            current, rate, iv, is_, rv, rs = model.together(v, s, **given)
            step = (v + series_ohm * current - source) / (1 + series_ohm * iv)
            v = v - step
            if np.abs(step).max() < 1e-6:  # the last step is followed by the derivatives, not by another evaluation
                break
        along = -series_ohm * is_ / (1 + series_ohm * iv)
        return v, current - iv * step, rate - rv * step, rs + rv * along

    source = np.zeros(shape)
    v, current, rate, slope = divider(source, s, v)
    for n in range(cycles * steps):
        source = amplitude_v * math.sin(2 * math.pi * (n + 1) / steps)
        damping = 1 / (1 - _GAMMA * dt * np.minimum(slope, 0))
        k1 = damping * rate
        predicted = np.clip(s + dt * k1, 0, 1)
        v2, _, rate2, _ = divider(source, predicted, v)
        k2 = damping * (rate2 - 2 * k1)
        s = np.clip(s + dt * (1.5 * k1 + 0.5 * k2), 0, 1)
        v, current, rate, slope = divider(source, s, v2)
        if n >= (cycles - 1) * steps:
            voltages[n % steps], currents[n % steps] = v, current
    return np.moveaxis(voltages, 0, -1), np.moveaxis(currents, 0, -1)


def figures(voltage_v: Array, current_a: Array) -> dict[str, Array]:
    """Return the figures of loops of shape (..., steps) that start at the rising zero of the source.

    Largest current; largest device voltage while the source rises; least-squares resistance while it falls from its peak to
    zero; area of the positive and of the negative lobe in V*A; least-squares resistance on the way back from the negative
    peak, the off state.
    """
    n = voltage_v.shape[-1]
    rising, falling = slice(0, n // 4 + 1), slice(n // 4, n // 2)
    positive, negative, back = slice(0, n // 2), slice(n // 2, n), slice(3 * n // 4, n - 1)

    def resistance(part: slice) -> Array:
        v, i = voltage_v[..., part], current_a[..., part]
        return np.asarray((v * v).sum(-1) / (v * i).sum(-1))

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
    }


def deviations(model: Mapping[str, Array], measured: Mapping[str, Array], lobe_floor_w: Array) -> dict[str, Array]:
    """Return model against measurement: relative, the SET voltage's in volt.

    What the measurement cannot resolve counts as equal: off resistances above :data:`RHRS_CEILING_OHM`, lobes below
    ``lobe_floor_w`` (V*A, by condition).
    """
    found = {k: model[k] - measured[k] if k == "vset_v" else model[k] / measured[k] - 1 for k in LIMITS}
    ends = (np.minimum(side["rhrs_ohm"], RHRS_CEILING_OHM) for side in (model, measured))
    found["rhrs_ohm"] = np.divide(*ends) - 1
    for name in ("lobe_set_w", "lobe_reset_w"):
        ends = (np.maximum(side[name], lobe_floor_w) for side in (model, measured))
        found[name] = np.divide(*ends) - 1
    return found
