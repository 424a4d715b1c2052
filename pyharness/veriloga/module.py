# SPDX-License-Identifier: BSD-3-Clause
"""A compiled Verilog-A module: its interface and its equations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pyharness.errors import ConfigError
from pyharness.veriloga.graph import Expr, constant, substitute

__all__ = ("Contribution", "Interval", "Module", "Parameter")


@dataclass(frozen=True)
class Interval:
    """A permitted range ``low .. high``; ``open`` ends do not belong to it."""

    low: float
    high: float
    low_open: bool
    high_open: bool

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def __str__(self) -> str:
        return f"{'(' if self.low_open else '['}{self.low:g}:{self.high:g}{')' if self.high_open else ']'}"


@dataclass(frozen=True)
class Parameter:
    """One parameter as declared.

    Attributes:
        name: as written.
        kind: ``real`` or ``integer``.
        default: expression of other parameters and constants.
        intervals: permitted ranges; none: any finite value.
        excluded: forbidden values.
        units, desc: from the attributes.
        instance: varies from device to device (``type="instance"``).
        local: a ``localparam``, which cannot be set.
    """

    name: str
    kind: str
    default: Expr
    intervals: tuple[Interval, ...] = ()
    excluded: tuple[float, ...] = ()
    units: str = ""
    desc: str = ""
    instance: bool = False
    local: bool = False

    def check(self, value: object, where: str) -> float:
        """Return ``value`` as a number in range.

        Raises:
            ConfigError: not a finite number of the right kind, or out of range.
        """
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigError(f"{where}: parameter '{self.name}' must be a finite number, got {value!r}")
        if self.kind == "integer" and value != int(value):
            raise ConfigError(f"{where}: parameter '{self.name}' must be an integer, got {value!r}")
        if self.intervals and not any(value in interval for interval in self.intervals):
            ranges = " or ".join(map(str, self.intervals))
            raise ConfigError(f"{where}: parameter '{self.name}' must lie in {ranges} {self.units}, got {value!r}")
        if value in self.excluded:
            raise ConfigError(f"{where}: parameter '{self.name}' must not be {value!r}: it is excluded")
        return float(value)


@dataclass(frozen=True)
class Contribution:
    """A current from node ``plus`` to node ``minus``: ``current + d(charge)/dt``; ``0`` is ground."""

    plus: str
    minus: str
    current: Expr
    charge: Expr


@dataclass(frozen=True)
class Module:
    """A module ready for a target.

    Attributes:
        name: module name.
        ports: terminals in order.
        internal_nodes: nodes of the module itself; a device's state lives on them.
        parameters: by name, in order of declaration.
        contributions: all currents.
        file: name of the source.
    """

    name: str
    ports: tuple[str, ...]
    internal_nodes: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    contributions: tuple[Contribution, ...]
    file: str

    def check_parameters(self, values: Mapping[str, object]) -> dict[str, float]:
        """Return the value of every parameter, defaults filled in, all in range.

        Raises:
            ConfigError: an unknown or local parameter, or a value out of range.
        """
        where = f"module '{self.name}'"
        settable = [p.name for p in self.parameters.values() if not p.local]
        for name in values:
            if name not in settable:
                raise ConfigError(f"{where}: no parameter '{name}' to set; it has {', '.join(settable)}")
        found: dict[str, float] = {}
        for p in self.parameters.values():
            value: object = values.get(p.name)
            if value is None:
                folded = substitute(p.default, {name: constant(v) for name, v in found.items()})
                if folded.op != "const":
                    raise ConfigError(f"{where}: the default of parameter '{p.name}' has no value")
                value = folded.value
            found[p.name] = p.check(value, where)
        return found

    def with_parameters(self, values: Mapping[str, float]) -> tuple[Contribution, ...]:
        """Return the contributions with the given parameters put in and folded."""
        constants = {name: constant(value) for name, value in values.items()}
        return tuple(
            Contribution(c.plus, c.minus, substitute(c.current, constants), substitute(c.charge, constants))
            for c in self.contributions
        )
