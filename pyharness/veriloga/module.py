# SPDX-License-Identifier: BSD-3-Clause
"""A compiled Verilog-A module: its interface and its equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pyharness.errors import ConfigError
from pyharness.veriloga.graph import ONE, Expr, constant, leaf, nodes_of, parameter
from pyharness.veriloga.graph import replace as substitute_leaves

__all__ = ("ROOM_TEMPERATURE_K", "Branch", "Interval", "Module", "Noise", "OperatingPoint", "Parameter")

ROOM_TEMPERATURE_K = 300.15
"""27 degrees Celsius: the temperature of a device where nothing else is said."""


START = "x0"
"""Parameter by which the array sets and moves a device's state."""


@dataclass(frozen=True)
class Interval:
    """A permitted range ``low .. high``, expressions of other parameters; ``open`` ends do not belong to it."""

    low: Expr
    high: Expr
    low_open: bool
    high_open: bool

    def map(self, f: Callable[[Expr], Expr]) -> Interval:
        """Return the interval with ``f`` applied to its bounds."""
        return replace(self, low=f(self.low), high=f(self.high))

    @cached_property
    def fixed(self) -> Range | None:
        """The range, where it depends on nothing."""
        return self._range(self.low, self.high)

    def at(self, leaves: Mapping[Expr, Expr]) -> Range | None:
        """Return the range where parameters have the values ``leaves``; None where a bound has no value."""
        return self.fixed or self._range(*(substitute_leaves(e, leaves) for e in (self.low, self.high)))

    def _range(self, low: Expr, high: Expr) -> Range | None:
        if low.op != "const" or high.op != "const":
            return None
        return Range(low.value, high.value, self.low_open, self.high_open)


@dataclass(frozen=True)
class Range:
    """A range of numbers."""

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
        excluded: forbidden values, each an interval.
        units, desc: from the attributes; ``units`` is None where there is none.
        instance: varies from device to device (``type="instance"``).
        soa: the two nodes whose voltage it bounds in the safe operating area (``soa="p, n"``); empty: it bounds none.
        local: a ``localparam``, which cannot be set.
        place: file:line:column of its declaration.
    """

    name: str
    kind: str
    default: Expr
    intervals: tuple[Interval, ...] = ()
    excluded: tuple[Interval, ...] = ()
    units: str | None = None
    desc: str = ""
    instance: bool = False
    soa: tuple[str, ...] = ()
    local: bool = False
    place: str = ""

    @cached_property
    def _range(self) -> Range | None:
        """The range of a real parameter that has one, of numbers, without gaps."""
        plain = self.kind == "real" and len(self.intervals) == 1 and not self.excluded
        return self.intervals[0].fixed if plain else None

    def check(self, value: object, where: str, others: Mapping[Expr, Expr]) -> float:
        """Return ``value`` as a number in range; the bounds may depend on ``others``.

        Raises:
            ConfigError: not a finite number of the right kind, or out of range.
        """
        if type(value) is float and self._range and value in self._range and math.isfinite(value):
            return value  # the usual case, once for each pulse and parameter
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigError(f"{where}: parameter '{self.name}' must be a finite number, got {value!r}")
        if self.kind == "integer" and value != int(value):
            raise ConfigError(f"{where}: parameter '{self.name}' must be an integer, got {value!r}")
        permitted, excluded = ([i.at(others) for i in some] for some in (self.intervals, self.excluded))
        if None in (*permitted, *excluded):
            raise ConfigError(
                f"{where}: a bound of parameter '{self.name}' has no value: it depends on a later parameter"
            )
        if permitted and not any(r is not None and value in r for r in permitted):
            ranges = " or ".join(map(str, permitted)) + (f" {self.units}" if self.units else "")
            raise ConfigError(f"{where}: parameter '{self.name}' must lie in {ranges}, got {value!r}")
        if any(r is not None and value in r for r in excluded):
            raise ConfigError(f"{where}: parameter '{self.name}' must not be {value!r}: it is excluded")
        return float(value)


@dataclass(frozen=True)
class Branch:
    """A path between two nodes; ``0`` is ground, the current flows from ``plus`` to ``minus`` inside the device.

    A current branch carries ``current + d(charge)/dt``; a potential branch holds ``potential + d(flux)/dt`` between its
    nodes.  ``is_potential`` is 0 or 1, or an expression that decides from moment to moment (a switch branch).

    Attributes:
        flow: name of the unknown that is the branch's current; empty where the current is known as an expression.
        place: file:line:column of the first contribution or probe.
    """

    name: str
    plus: str
    minus: str
    is_potential: Expr
    current: Expr
    charge: Expr
    potential: Expr
    flux: Expr
    flow: str
    place: str

    def map(self, f: Callable[[Expr], Expr]) -> Branch:
        """Return the branch with ``f`` applied to every expression."""
        return replace(
            self,
            is_potential=f(self.is_potential),
            current=f(self.current),
            charge=f(self.charge),
            potential=f(self.potential),
            flux=f(self.flux),
        )


@dataclass(frozen=True)
class Noise:
    """A noise source in ``branch``: spectral density ``psd / frequency**exponent`` in A^2/Hz (V^2/Hz in a potential branch)."""

    name: str
    branch: str
    psd: Expr
    exponent: Expr
    place: str


@dataclass(frozen=True)
class OperatingPoint:
    """An operating-point variable: a variable of the module declared with ``desc`` or ``units``.

    ``multiplicity`` says how it adds up over devices in parallel: ``multiply``, ``divide``, ``none``; empty where not stated.
    """

    name: str
    value: Expr
    units: str
    desc: str
    multiplicity: str = ""


@dataclass(frozen=True, eq=False)
class Module:
    """A module ready for a target.

    Attributes:
        name: module name.
        ports: terminals in order.
        internal_nodes: nodes of the module itself, those made for idt() and nested ddt() last; a device's state lives here.
        parameters: by name, in order of declaration.
        aliases: other names of parameters.
        branches: all contributions.
        noises: all noise sources.
        operating_point: variables to be read after a simulation.
        bound_steps_s: the largest time steps the model asks for, in seconds.
        assertions: conditions on parameters under which the model refuses them, with its words and their place.
        unheeded: statements that no target carries out (messages, hints), with their place.
        disciplines: node -> discipline name.
        file: name of the source.
        source: its path.
        illegal: what was read though the language has no such thing, and other compilers refuse it, with its place.
    """

    name: str
    ports: tuple[str, ...]
    internal_nodes: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    aliases: Mapping[str, str]
    branches: tuple[Branch, ...]
    noises: tuple[Noise, ...]
    operating_point: tuple[OperatingPoint, ...]
    bound_steps_s: tuple[Expr, ...]
    assertions: tuple[tuple[Expr, str, str], ...]
    unheeded: tuple[str, ...]
    disciplines: Mapping[str, str]
    file: str
    source: Path
    illegal: tuple[str, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """Ports and internal nodes."""
        return self.ports + self.internal_nodes

    @property
    def state_bounds(self) -> tuple[float, float]:
        """Range of the start state ``x0``; unbounded where there is no such parameter, or no range."""
        start = self.parameters.get(START)
        interval = next((i.at({}) for i in start.intervals), None) if start else None
        return (interval.low, interval.high) if interval else (-math.inf, math.inf)

    @cached_property
    def _related(self) -> bool:
        """Whether a default, a bound or an assertion depends on a parameter or on the surroundings."""
        intervals = (i for p in self.parameters.values() for i in (*p.intervals, *p.excluded))
        defaults = (p.default for p in self.parameters.values())
        return (
            bool(self.assertions) or any(i.fixed is None for i in intervals) or any(d.op != "const" for d in defaults)
        )

    def check_parameters(self, values: Mapping[str, object]) -> dict[str, float]:
        """Return the value of every parameter, defaults filled in, all in range.

        Raises:
            ConfigError: an unknown or local parameter, or a value out of range.
        """
        where = f"module '{self.name}'"
        given: dict[str, object] = {}
        for alias, value in values.items():
            name = self.aliases.get(alias, alias)
            if name not in self.parameters or self.parameters[name].local:
                settable = [p.name for p in self.parameters.values() if not p.local]
                raise ConfigError(f"{where}: no parameter '{alias}' to set; it has {', '.join(settable)}")
            if name in given:
                raise ConfigError(f"{where}: parameter '{name}' is set twice, once as '{alias}': keep one")
            given[name] = value
        found: dict[str, float] = {}
        leaves: dict[Expr, Expr] = {}
        if self._related:  # else no expression asks for a value, and every constant made is kept for ever
            leaves = {leaf("temperature"): constant(ROOM_TEMPERATURE_K), leaf("mfactor"): ONE}
            leaves |= {leaf("given", n): constant(n in given) for n in self.parameters}
        for p in self.parameters.values():
            value, source = given.get(p.name), where
            if value is None:
                source = f"{p.place}: {where}, by its default"
                folded = substitute_leaves(p.default, leaves)
                if folded.op != "const":
                    raise ConfigError(f"{source}: parameter '{p.name}' has no value")
                value = folded.value
            found[p.name] = p.check(value, source, leaves)
            if self._related:
                leaves[parameter(p.name)] = constant(found[p.name])
        for condition, text, place in self.assertions:
            broken = substitute_leaves(condition, leaves)
            if broken.op == "const" and broken.value:
                raise ConfigError(f"{where}: the model refuses these parameters ({place}): {text}")
        return found

    def check_changed(self, checked: Mapping[str, float], changed: Mapping[str, float]) -> None:
        """Check some parameters anew beside others, ``checked`` before; quick where none depends on another.

        Raises:
            ConfigError: a value out of range.
        """
        if self._related:
            self.check_parameters({**checked, **changed})
            return
        for name, value in changed.items():
            self.parameters[name].check(value, f"module '{self.name}'", {})

    def specialised(self, values: Mapping[str, object], free: Sequence[str] = ()) -> Module:
        """Return the module with its parameters put in and folded; those named in ``free`` stay symbols.

        Raises:
            ConfigError: an unknown or local parameter, or a value out of range.
        """
        checked = self.check_parameters(values)
        for name in free:
            if name not in checked or self.parameters[name].local:
                raise ConfigError(f"module '{self.name}' has no parameter '{name}' to leave free")
        set_here = {self.aliases.get(n, n) for n in (*values, *free)}
        leaves = {leaf("given", n): constant(n in set_here) for n in self.parameters}
        for p in self.parameters.values():
            if p.name in free:
                continue
            # what follows from a free parameter stays a formula
            follows = p.name not in set_here and uses_names(p.default, free)
            leaves[parameter(p.name)] = substitute_leaves(p.default, leaves) if follows else constant(checked[p.name])

        return self.replaced(leaves)

    def replaced(self, leaves: Mapping[Expr, Expr]) -> Module:
        """Return the module with leaves of its equations replaced, folded anew; its parameters stay as declared."""

        def put(e: Expr) -> Expr:
            return substitute_leaves(e, leaves)

        return replace(
            self,
            branches=tuple(b.map(put) for b in self.branches),
            noises=tuple(replace(n, psd=put(n.psd), exponent=put(n.exponent)) for n in self.noises),
            operating_point=tuple(replace(o, value=put(o.value)) for o in self.operating_point),
            bound_steps_s=tuple(map(put, self.bound_steps_s)),
            assertions=tuple((put(condition), text, place) for condition, text, place in self.assertions),
        )


def uses_names(e: Expr, names: Sequence[str]) -> bool:
    """Return whether ``e`` depends on one of the parameters ``names``."""
    return any(x.op == "param" and x.name in names for x in nodes_of([e]))
