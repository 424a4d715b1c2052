# SPDX-License-Identifier: BSD-3-Clause
"""Measured scatter of a card's parameters: one draw a device, one draw a pulse.

Drawn in Python only, and by counters: what device ``i``, or pulse ``k`` of device ``i``, gets follows from the seed, ``i``
and ``k`` alone, whatever the other devices do and whoever asks (co-simulation, behavioural view, software models).  A
normal spread adds its sigma in the parameter's unit, a lognormal one multiplies: its median is the value that it scatters
about.  A draw that no device could have is drawn again, which cuts the distributions off: outside the model's own ranges,
of the other sign than the card's value, or with less than a factor of two between on and off resistance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from pyharness.errors import ConfigError
from pyharness.veriloga import Device, Drive, Module, NumpyModel, compile_numpy, integrate
from pyharness.veriloga.card import Spread

__all__ = ("CycleDraws", "draw_devices", "drives", "free_model", "reachable_window")

_ATTEMPTS = 100
_LARGEST_EXPONENT = 700.0  # a factor of 1e304, which no device has
_DRIVES: dict[str, Drive] = {"normal": "offset", "lognormal": "factor"}


def drives(device: Device) -> dict[str, Drive]:
    """Return how a control voltage moves each parameter that the card scatters from pulse to pulse."""
    return {name: _DRIVES[s.distribution] for name, s in device.card.spread.cycle_to_cycle.items()}


def _scatter(
    device: Device,
    spreads: Mapping[str, Spread],
    about: Mapping[str, float],
    seed: np.random.SeedSequence,
    key: tuple[int, ...],
    scale: float,
) -> dict[str, float]:
    """Return the scattered values of ``spreads``' parameters about ``about``, which holds every parameter of the model."""
    child = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key))
    rng = np.random.Generator(np.random.PCG64(child))
    parameters = device.module.parameters
    for _ in range(_ATTEMPTS):
        # a number for every parameter of the model: a spread added to a card leaves the others' draws as they are
        z = dict(zip(parameters, rng.standard_normal(len(parameters)).tolist(), strict=True))
        drawn = {
            name: about[name] + scale * s.sigma * z[name]
            if s.distribution == "normal"
            else about[name] * math.exp(min(scale * s.sigma * z[name], _LARGEST_EXPONENT))
            for name, s in spreads.items()
        }
        if _possible(device, about, drawn):
            return drawn
    raise ConfigError(
        f"card '{device.name}': no draw of {', '.join(spreads)} in {_ATTEMPTS} is one that a device could have, with sigmas "
        f"times {scale:g}: lower variation.scale or the card's sigmas"
    )


def _possible(device: Device, about: Mapping[str, float], drawn: Mapping[str, float]) -> bool:
    try:
        device.module.check_changed(about, drawn)
    except ConfigError:
        return False
    r_on, r_off = (drawn.get(name, about.get(name)) for name in ("r_on", "r_off"))
    if r_on is not None and r_off is not None and not r_off > 2 * r_on:
        return False
    for name, value in drawn.items():
        if value * about[name] < 0:
            return False
    return True


def _stated(device: Device, kind: str, key: str) -> Mapping[str, Spread]:
    spreads: Mapping[str, Spread] = getattr(device.card.spread, kind)
    if not spreads:
        raise ConfigError(
            f"variation.{key} is on, but card '{device.name}' states no spread.{kind}: add it to the card, or turn it off"
        )
    for name in spreads:
        found = device.module.parameters.get(name)
        if found is None or found.local or found.kind != "real":
            raise ConfigError(
                f"card '{device.name}': spread.{kind} names '{name}', which is no real parameter of module "
                f"'{device.module.name}': correct the name, or remove the entry"
            )
    return spreads


def draw_devices(
    device: Device, count: int, seed: np.random.SeedSequence, scale: float = 1.0
) -> list[dict[str, float]]:
    """Return each device's own values of the parameters that the card scatters from device to device.

    Args:
        device: card and model.
        count: of devices; the first ones are the same for any count.
        seed: of this purpose alone.
        scale: times every sigma; 0 gives the card's values.

    Raises:
        ConfigError: the card states no such spread, one of an unknown parameter, or one that allows no device.
    """
    spreads = _stated(device, "device_to_device", "device")
    values = device.module.check_parameters(device.card.parameters)
    return [_scatter(device, spreads, values, seed, (i,), scale) for i in range(count)]


class CycleDraws:
    """Values of the parameters that the card scatters from pulse to pulse, about each device's own.

    A value holds for one pulse.  At rest and while it is read a device has its own value.
    """

    def __init__(
        self,
        device: Device,
        own: Sequence[Mapping[str, float]],
        seed: np.random.SeedSequence,
        scale: float = 1.0,
    ) -> None:
        """Prepare the draws.

        Args:
            device: card and model.
            own: of each device, the parameters that differ from the card's.
            seed: of this purpose alone.
            scale: times every sigma.

        Raises:
            ConfigError: the card states no such spread, or one of an unknown parameter.
        """
        self._spreads = _stated(device, "cycle_to_cycle", "cycle")
        self._device, self._seed, self._scale = device, seed, scale
        self._own = [device.module.check_parameters({**device.card.parameters, **one}) for one in own]
        self.drives = drives(device)
        self._drawn: dict[tuple[int, int], dict[str, float]] = {}

    def values(self, device: int, pulse: int) -> dict[str, float]:
        """Return the parameters of pulse ``pulse`` (from 0) of device ``device``.

        Raises:
            ConfigError: the spread allows no value.
        """
        key = (device, pulse)
        if key not in self._drawn:
            self._drawn[key] = _scatter(self._device, self._spreads, self._own[device], self._seed, key, self._scale)
        return self._drawn[key]

    def controls(self, device: int, values: Mapping[str, float]) -> dict[str, float]:
        """Return the control voltages, in volt, that give device ``device`` these ``values``."""
        own = self._own[device]
        return {
            name: value - own[name] if self.drives[name] == "offset" else value / own[name] - 1
            for name, value in values.items()
        }


def free_model(device: Device) -> NumpyModel:
    """Return the model with the scattered parameters free, at the card's values; states count from 0."""
    spread = device.card.spread
    free = tuple(dict.fromkeys((*spread.device_to_device, *spread.cycle_to_cycle)))
    return _compiled(device.module, tuple({**device.card.parameters, "x0": 0.0}.items()), free)


@lru_cache(maxsize=16)
def _compiled(module: Module, parameters: tuple[tuple[str, float], ...], free: tuple[str, ...]) -> NumpyModel:
    return compile_numpy(module, dict(parameters), free)


def reachable_window(
    model: NumpyModel,
    parameters: Mapping[str, float],
    *,
    set_v: float,
    set_s: float,
    reset_v: float,
    reset_s: float,
    series_ohm: float,
    read_v: float = 0.1,
    edge_s: float = 100e-9,
    start: float = 0.0,
) -> tuple[float, float]:
    """Return (lowest, highest) conductance in siemens at ``read_v`` that one device can be brought to.

    The highest is what SET of the largest amplitude leaves; the lowest is what RESET of the largest amplitude makes of that.
    Pulses of one amplitude in a row count as one of their total length: a device rests in between.

    Args:
        model: see :func:`free_model`.
        parameters: of the device, by name: what :func:`draw_devices` gives.
        set_v, reset_v: largest amplitudes at the driver, both as magnitudes, in volt.
        set_s, reset_s: total length of the pulses in seconds.
        series_ohm: between driver and device.
        read_v: over the device, in volt.
        edge_s: rise and fall time in seconds.
        start: state before the first pulse, as a share.

    Raises:
        ConfigError: a parameter that is not free in ``model``.
        SimulationError: SciPy cannot integrate the model.
    """
    strange = [name for name in parameters if name not in model.free]
    if strange:
        raise ConfigError(
            f"parameter '{strange[0]}' is not free in the model: it has {', '.join(model.free) or 'none'}"
        )
    mine = replace(model, free={**model.free, **parameters})

    def after(state: float, amplitude_v: float, length_s: float) -> float:
        times = [0.0, edge_s, edge_s + length_s, 2 * edge_s + length_s]
        return integrate(
            mine, times, [0.0, amplitude_v, amplitude_v, 0.0], series_ohm=series_ohm, start=state, rtol=1e-5
        )

    high = after(start, set_v, set_s)
    low = after(high, -reset_v, reset_s)
    return float(mine.current(read_v, low)) / read_v, float(mine.current(read_v, high)) / read_v
