# SPDX-License-Identifier: BSD-3-Clause
"""Scatter of a fitted model's parameters: from device to device, and from pulse to pulse of one device.

Between devices: each is fitted by itself, and the mean square error of these fits is taken off the values' variance; a value without an
error, at a bound of the plan or moved by none of the device's pulses, does not count.  From pulse to pulse: trains that a device got
several times are compared, each pulse from the resistance that was measured before it; what differs is put on the one parameter that
the plan names for its direction, by how much that parameter moves the result.  It has the reads' noise in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import ConfigError
from pyharness.fit.fitting import FitPlan
from pyharness.fit.pulse_fit import PulseFit, fit_pulses
from pyharness.fit.pulses import Pulses
from pyharness.fit.trains import TrainModel

__all__ = ("between_devices", "between_pulses")

Array = NDArray[np.float64]
_DEVICES = 3
_REPEATS = 10
_DIFFERENCE = 0.1  # of a typical change


def _spread(model: TrainModel, plan: FitPlan, name: str, sigma: float, source: str) -> dict[str, Any]:
    """Return a card's entry; ``sigma`` is on the plan's scale."""
    sigma = float(f"{sigma:.2g}")
    if plan.parameters[name].scale == "log":
        return {"distribution": "lognormal", "sigma": sigma, "unit": "", "source": source}
    unit = model.module.parameters[name].units or ""
    return {"distribution": "normal", "sigma": sigma, "unit": unit, "source": source}


def between_devices(
    model: TrainModel, plan: FitPlan, pulses: Pulses, fit: PulseFit, source: str
) -> tuple[dict[str, PulseFit], dict[str, dict[str, Any]], list[str]]:
    """Fit every device by itself, and return the spread of the parameters that scatter by more than their error.

    Args:
        model: see :func:`pyharness.fit.train_model`.
        plan: the scales.
        pulses: of all devices.
        fit: to all of them together; its parameters are fitted again.
        source: what the pulses are.

    Returns:
        the devices' fits, the card's ``spread.device_to_device``, and what is not known and why.
    """
    names = [n for n, e in fit.estimates.items() if not e.at_bound]
    devices = pulses.devices
    if len(devices) < _DEVICES:
        return {}, {}, [f"device_to_device: {len(devices)} measured, at least {_DEVICES} tell a spread"]
    fits = {d: fit_pulses(model, plan, pulses.of(d), fit.parameters, only=names) for d in devices}
    found: dict[str, dict[str, Any]] = {}
    unknown = []
    for name in names:
        r = plan.parameters[name]
        if r.scale == "logit":
            unknown.append(f"device_to_device, {name}: a card knows no spread of a share")
            continue
        told = [e for e in (one.estimates[name] for one in fits.values()) if e.error > 0]
        if len(told) < _DEVICES:
            unknown.append(
                f"device_to_device, {name}: told within the plan's bounds for {len(told)} of {len(devices)} devices, at least {_DEVICES} tell a spread"
            )
            continue
        values, errors = np.array([r.inward(e.value) for e in told]), np.array([e.error for e in told])
        variance, noise = float(values.var(ddof=1)), float((errors**2).mean())
        if variance > 2 * noise:
            count = f"{len(told)} of {len(devices)}" if len(told) < len(devices) else f"{len(told)}"
            found[name] = _spread(model, plan, name, math.sqrt(variance - noise), f"fits to {count} devices, {source}")
        else:
            unknown.append(
                f"device_to_device, {name}: differs between devices by no more than its fits' errors explain"
            )
    return fits, found, unknown


def _repeated(pulses: Pulses) -> list[NDArray[np.int_]]:
    """Return the places of pulses that a device got several times, after the same pulses before; those of each are one group."""
    groups: dict[tuple[str, int], list[int]] = {}
    # a pulse and the number of those before it -> their number with it: whole trains as keys would take memory by the square
    nodes: dict[tuple[int, float, float, float], int] = {}
    node = 0
    for k in range(len(pulses)):
        before = 0 if pulses.number[k] == 1 else node
        drive = float(pulses.amplitude_v[k]), float(pulses.width_s[k]), float(pulses.series_ohm[k])
        node = nodes.setdefault((before, *drive), len(nodes) + 1)
        groups.setdefault((str(pulses.device[k]), node), []).append(k)
    return [np.array(places) for places in groups.values() if len(places) > 1]


def between_pulses(
    model: TrainModel, plan: FitPlan, pulses: Pulses, fits: Mapping[str, PulseFit], source: str
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the spread from pulse to pulse of the parameters that ``plan.scatter`` names.

    Args:
        model: see :func:`pyharness.fit.train_model`.
        plan: the scales, and which parameter takes the scatter.
        pulses: of all devices.
        fits: of each device, whose parameters are its own.
        source: what the pulses are.

    Returns:
        the card's ``spread.cycle_to_cycle``, and what is not known and why.

    Raises:
        ConfigError: the plan puts the scatter on a parameter that it gives no range.
    """
    found: dict[str, dict[str, Any]] = {}
    unknown = []
    for direction, name in plan.scatter.items():
        if name not in plan.parameters or plan.parameters[name].scale == "logit":
            raise ConfigError(
                f"the fit plan's scatter.{direction} names '{name}', of which it says no range on a log or linear scale: "
                f"give one, or name another of {', '.join(plan.parameters)}"
            )
        if name not in model.free:
            unknown.append(f"cycle_to_cycle, {name}: not among the free parameters")
            continue
        sign = 1.0 if direction == "set" else -1.0
        squares, moved, freedom = 0.0, 0.0, 0
        for device, fit in fits.items():
            own = pulses.of(device)
            off, slope = _sensitivity(model, plan, own, fit, name)
            for places in _repeated(own):
                if np.sign(own.amplitude_v[places[0]]) == sign:
                    squares += float(((off[places] - off[places].mean()) ** 2).sum())
                    moved += float((slope[places] ** 2).mean()) * (len(places) - 1)
                    freedom += len(places) - 1
        if freedom < _REPEATS:
            unknown.append(
                f"cycle_to_cycle, {name}: {freedom} repeated {direction.upper()} pulses, at least {_REPEATS} tell a spread"
            )
            continue
        r = plan.parameters[name]
        sigma = math.sqrt(squares / moved) if moved else math.inf
        if sigma > (r.inward(r.high) - r.inward(r.low)) / 4:
            unknown.append(f"cycle_to_cycle, {name}: it hardly moves what these {direction.upper()} pulses leave")
            continue
        found[name] = _spread(model, plan, name, sigma, f"{freedom} repeated {direction.upper()} pulses, {source}")
    return found, unknown


def _sensitivity(model: TrainModel, plan: FitPlan, pulses: Pulses, fit: PulseFit, name: str) -> tuple[Array, Array]:
    """Return each pulse's residual by itself, and its slope by parameter ``name`` on the plan's scale."""
    r = plan.parameters[name]

    def after(shift: float) -> Array:
        values = {**fit.parameters, name: float(r.outward(np.asarray(r.inward(fit.parameters[name]) + shift)))}
        return model.log_ohm(pulses, [values[n] for n in model.free], one_step=True)

    step = _DIFFERENCE * r.step
    return after(0.0) - np.log(pulses.resistance_ohm), (after(step) - after(-step)) / (2 * step)
