# SPDX-License-Identifier: BSD-3-Clause
"""What a check looks at, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pyharness.errors import ConfigError, SimulationError
from pyharness.veriloga import Card, Module, NumpyModel, Subcircuit, compile_numpy, emit_ngspice, integrate
from pyharness.veriloga.graph import constant, parameter

__all__ = ("Check", "Subject")

_RAMP_S = 5e-7
_MOVED, _TAKEN, _STRONGER = 1e-3, 0.1, 8
_INWARD = 1e-3
# open ranges; a pulse's ramps, and a rest of a tenth of its width, follow each other
_DRIVE = {
    "rated_v": (0.0, math.inf, "V"),
    "series_ohm": (0.0, math.inf, "Ohm"),
    "set_v": (0.0, math.inf, "V"),
    "reset_v": (-math.inf, 0.0, "V"),
    "pulse_s": (10 * _RAMP_S, math.inf, "s"),
}


@dataclass(frozen=True)
class Check:
    """One answer: the figure, and what it may be at most; ``form``: it is on the description alone, the model works without."""

    name: str
    value: float
    limit: float
    unit: str
    meaning: str
    form: bool = False

    @property
    def passed(self) -> bool:
        """Return whether the figure is within its limit (a NaN is not)."""
        return bool(self.value <= self.limit)


@dataclass(frozen=True)
class Subject:
    """A model of two ports and one state node with its parameters; the state is ``x0`` plus the node's voltage, 0 .. 1.

    Attributes:
        name: of the card, or ``default``.
        module: the model.
        parameters: without ``x0``.
        rated_v: amplitude of the rated source.
        series_ohm: the resistor between source and device.
        set_v, reset_v: amplitudes of the write pulses; the RESET is made stronger until it takes some of the state back.
        pulse_s: their width.
        states: at which the device is used.
        card: what it was read from, if from a card.
        hold_limit, read_limit: largest relative change of the read conductance in an hour at 0 V, and by 10^4 reads.

    Raises:
        ConfigError: an amplitude, width or resistor out of its range.
    """

    name: str
    module: Module
    parameters: Mapping[str, float]
    rated_v: float = 1.0
    series_ohm: float = 5110.0
    set_v: float = 1.0
    reset_v: float = -0.6
    pulse_s: float = 1e-2
    hold_limit: float = 1e-2
    read_limit: float = 1e-2
    states: tuple[float, ...] = (0.05, 0.2, 0.5)
    card: Card | None = None

    def __post_init__(self) -> None:
        for name, (low, high, unit) in _DRIVE.items():
            value = getattr(self, name)
            if not low < value < high:
                raise ConfigError(
                    f"checks of {self.module.name}, {self.name}: --{name.replace('_', '-')} must lie in ({low:g}:{high:g}) {unit}, "
                    f"got {value!r}: give a value inside"
                )

    @cached_property
    def model(self) -> NumpyModel:
        """NumPy functions whose state argument is the state itself: ``x0`` is 0, whatever its range."""
        return replace(compile_numpy(self.module, self.parameters, ("x0",)), free={"x0": 0.0})

    def start(self, state: float) -> float:
        """Return the value nearest to ``state`` that ``x0`` may have, a little inside where the range's end is open."""
        values = self.module.check_parameters(self.parameters)
        leaves = {parameter(name): constant(value) for name, value in values.items()}
        x0, default = self.module.parameters["x0"], values["x0"]
        permitted = [r for i in x0.intervals if (r := i.at(leaves)) and default in r]
        near = min(max(state, permitted[0].low), permitted[0].high) if permitted else state
        try:
            return x0.check(near, self.name, leaves)
        except ConfigError:  # the end itself does not belong to it
            return near + _INWARD * (default - near)

    @cached_property
    def subcircuit(self) -> Subcircuit:
        """The ngspice form, named ``dut``."""
        return emit_ngspice(self.module, name="dut", parameters=self.parameters, instance_parameters=("x0",))

    @property
    def state_node(self) -> str:
        """Name of the state node."""
        return self.module.internal_nodes[0]

    def corners(self, volt: float) -> tuple[list[float], list[float]]:
        """Return times and voltages of one pulse; each ramp has a corner in its middle, as the bridge's edges."""
        half, width = _RAMP_S / 2, self.pulse_s
        times = [0.0, half, _RAMP_S, width, width + half, width + _RAMP_S, 1.1 * width]
        return times, [0.0, volt / 2, volt, volt, volt / 2, 0.0, 0.0]

    @cached_property
    def pulses(self) -> list[tuple[float, float, float]]:
        """Write pulses as (amplitude, start, end by SciPy's Radau at 1e-10): two that SET, one that RESETs the first.

        Raises:
            SimulationError: pulses of this kind do not move the state, so that nothing would be checked.
        """

        def after(volt: float, start: float) -> tuple[float, float, float]:
            end = integrate(self.model, *self.corners(volt), series_ohm=self.series_ohm, start=start)
            return volt, start, end

        off = self.start(0.0)
        sets = [after(self.set_v, off), after(0.75 * self.set_v, off)]
        middle = sets[0][2]
        if min(end for _, _, end in sets) - off < _MOVED:
            raise SimulationError(
                f"SET pulses of {self.set_v:g} V and three quarters of it, {self.pulse_s:g} s, leave states of "
                f"{middle:.1g} and {sets[1][2]:.1g}: give an amplitude and a width that move the state"
            )
        for growth in range(_STRONGER):
            reset = after(self.reset_v * 1.25**growth, middle)
            if reset[2] < (1 - _TAKEN) * middle:
                return [*sets, reset]
        raise SimulationError(
            f"RESET pulses from {self.reset_v:g} to {reset[0]:.3g} V, {self.pulse_s:g} s, take the state of {middle:.3g} back to "
            f"{reset[2]:.3g} only: give an amplitude and a width that move the state"
        )
