# SPDX-License-Identifier: BSD-3-Clause
"""What a check looks at, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pyharness.veriloga import Module, NumpyModel, Subcircuit, compile_numpy, emit_ngspice

__all__ = ("Check", "Subject")


@dataclass(frozen=True)
class Check:
    """One answer: the figure, and what it may be at most."""

    name: str
    value: float
    limit: float
    unit: str
    meaning: str

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
        set_v, reset_v: amplitudes of the write pulses.
        pulse_s: their width.
        states: at which the device is used.
        hold_limit, read_limit: largest relative change of the read conductance in an hour at 0 V, and by 10^4 reads.
    """

    name: str
    module: Module
    parameters: Mapping[str, float]
    rated_v: float = 1.0
    series_ohm: float = 5110.0
    set_v: float = 0.6
    reset_v: float = -0.6
    pulse_s: float = 1e-3
    hold_limit: float = 1e-2
    read_limit: float = 1e-2
    states: tuple[float, ...] = (0.05, 0.2, 0.5)

    @cached_property
    def model(self) -> NumpyModel:
        """NumPy functions whose state argument is the state itself."""
        return compile_numpy(self.module, {**self.parameters, "x0": 0.0}, ("x0",))

    @cached_property
    def subcircuit(self) -> Subcircuit:
        """The ngspice form, named ``dut``."""
        return emit_ngspice(self.module, name="dut", parameters=self.parameters, instance_parameters=("x0",))

    @property
    def state_node(self) -> str:
        """Name of the state node."""
        return self.module.internal_nodes[0]
