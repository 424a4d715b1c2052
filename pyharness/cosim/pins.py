# SPDX-License-Identifier: BSD-3-Clause
"""Connect modules: how one port of the HDL shell meets the nodes of the netlist.

A port is a vector of one or more elements.  Element ``i`` takes ``bits`` bits from bit ``i * bits`` upward and
belongs to node ``<port><i>``; a port of a single element belongs to node ``<port>``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pyharness.errors import ConfigError

__all__ = ("E2L", "E2R", "L2E", "R2E", "Element", "OnUnknown", "Pin", "Source")

OnUnknown = Literal["error", "hold", "low"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")


@dataclass(frozen=True)
class Element:
    """One element of a port: its lowest bit and its node."""

    lsb: int
    node: str


def _elements(port: str, node: str, bits: int, port_width: int) -> Iterator[Element]:
    if port_width % bits:
        raise ConfigError(
            f"port '{port}' is {port_width} bits wide in the HDL, not a multiple of the {bits} bits per element "
            "of its pin: correct the pin or the port"
        )
    count = port_width // bits
    for i in range(count):
        yield Element(lsb=i * bits, node=f"{node}{i}" if count > 1 else node)


def _check_name(kind: str, name: str) -> None:
    if not _NAME.match(name):
        raise ConfigError(f"{kind} must be a plain identifier (letters, digits, _), got {name!r}")


def _check(kind: str, port: str, name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigError(f"{kind} pin '{port}': {name} must lie in {low:g} .. {high:g}, got {value!r}")


@dataclass(frozen=True)
class L2E:
    """Logic to electrical: each element of an HDL output drives one voltage source.

    The source stands at ``offset_v + lsb_v * code``.  A change of the code at HDL time t starts a straight ramp at
    exactly t that lasts ``rise_s`` (upward) or ``fall_s`` (downward).

    Attributes:
        port: port of the HDL shell.
        bits: bits per element, 1 for a logic pin, more for a DAC, at most 32.
        lsb_v: volt per code step; for a logic pin the swing between 0 and 1.
        offset_v: volt at code 0.
        signed: the code is two's complement.
        rise_s, fall_s: ramp durations in seconds, above 0.
        node: name of the node, or its stem for a vector; the port's name by default.
        on_unknown: what an X or Z does: ``error`` ends the run naming pin and time, ``hold`` keeps the last level (code 0 where there is none yet),
            ``low`` reads it as code 0.
        corners: time points forced inside each ramp; the options' ``edge_corners`` by default.  -1 forces none at the
            ramp's ends either: for a pin that drives nothing dynamic (a comparator's reference), where they only cost.
    """

    port: str
    bits: int = 1
    lsb_v: float = 1.0
    offset_v: float = 0.0
    signed: bool = False
    rise_s: float = 100e-9
    fall_s: float = 100e-9
    node: str = ""
    on_unknown: OnUnknown = "error"
    corners: int | None = None

    def __post_init__(self) -> None:
        _check_name("an L2E port", self.port)
        if self.node:
            _check_name("an L2E node", self.node)
        _check("L2E", self.port, "bits", self.bits, 1, 32)
        for name in ("rise_s", "fall_s"):
            _check("L2E", self.port, name, getattr(self, name), 1e-12, 1.0)
        for name in ("lsb_v", "offset_v"):
            _check("L2E", self.port, name, getattr(self, name), -1e6, 1e6)
        if self.corners is not None:
            _check("L2E", self.port, "corners", self.corners, -1, 16)
        if self.on_unknown not in ("error", "hold", "low"):
            raise ConfigError(f"L2E pin '{self.port}': on_unknown must be error, hold or low, got {self.on_unknown!r}")

    def elements(self, port_width: int) -> Iterator[Element]:
        """Yield the elements of a port that is ``port_width`` bits wide."""
        return _elements(self.port, self.node or self.port, self.bits, port_width)


@dataclass(frozen=True)
class E2L:
    """Electrical to logic: each bit of an HDL register follows one node, compared with hysteresis.

    The bit rises when the voltage reaches ``threshold_v + hysteresis_v / 2`` and falls when it reaches
    ``threshold_v - hysteresis_v / 2``, at the crossing's own time rounded up to the HDL tick.

    Attributes:
        port: port of the HDL shell; it must be an ``output reg`` that nothing in the HDL assigns.
        threshold_v, hysteresis_v: in volt; the hysteresis is the full width, 0 or more.
        node: name of the node, or its stem for a vector; the port's name by default.
        minus: node that the voltage is measured against, ground by default.
    """

    port: str
    threshold_v: float = 0.5
    hysteresis_v: float = 0.0
    node: str = ""
    minus: str = "0"

    def __post_init__(self) -> None:
        _check_name("an E2L port", self.port)
        if self.node:
            _check_name("an E2L node", self.node)
        if self.minus != "0":
            _check_name("an E2L reference node", self.minus)
        _check("E2L", self.port, "threshold_v", self.threshold_v, -1e6, 1e6)
        _check("E2L", self.port, "hysteresis_v", self.hysteresis_v, 0.0, 1e6)

    def elements(self, port_width: int) -> Iterator[Element]:
        """Yield the bits of a port that is ``port_width`` bits wide."""
        return _elements(self.port, self.node or self.port, 1, port_width)


@dataclass(frozen=True)
class R2E:
    """Real to electrical: an HDL ``real`` variable of the shell drives one voltage source.

    Each change of the variable at HDL time t starts a straight ramp at exactly t.

    Attributes:
        port: the shell's real variable.
        gain, offset_v: the source stands at ``offset_v + gain * value`` volt.
        rise_s, fall_s: ramp durations in seconds, above 0.
        node: name of the node; the variable's name by default.
    """

    port: str
    gain: float = 1.0
    offset_v: float = 0.0
    rise_s: float = 1e-9
    fall_s: float = 1e-9
    node: str = ""

    def __post_init__(self) -> None:
        _check_name("an R2E port", self.port)
        if self.node:
            _check_name("an R2E node", self.node)
        for name in ("rise_s", "fall_s"):
            _check("R2E", self.port, name, getattr(self, name), 1e-12, 1.0)
        for name in ("gain", "offset_v"):
            _check("R2E", self.port, name, getattr(self, name), -1e9, 1e9)


@dataclass(frozen=True)
class E2R:
    """Electrical to real: an HDL ``real`` variable of the shell follows one node.

    The variable takes the node's voltage at the end of each analog step, when it moved by ``step_v`` or more.

    Attributes:
        port: the shell's real variable, which nothing in the HDL assigns.
        step_v: smallest change that is passed on, in volt, 0 or more.
        node: name of the node; the variable's name by default.
    """

    port: str
    step_v: float = 1e-3
    node: str = ""

    def __post_init__(self) -> None:
        _check_name("an E2R port", self.port)
        if self.node:
            _check_name("an E2R node", self.node)
        _check("E2R", self.port, "step_v", self.step_v, 0.0, 1e6)


Pin = L2E | E2L | R2E | E2R


@dataclass(frozen=True)
class Source:
    """A voltage source that Python sets; each new voltage starts a straight ramp.

    Attributes:
        start_v: first voltage.
        ramp_s: ramp duration in seconds, above 0.
        corners: as of :class:`L2E`.
    """

    start_v: float = 0.0
    ramp_s: float = 1e-9
    corners: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.start_v, int | float) and math.isfinite(self.start_v)):
            raise ConfigError(f"a source cannot start at {self.start_v!r} V: give a finite number")
        _check("Source", "of Python", "ramp_s", self.ramp_s, 1e-12, 1.0)
        if self.corners is not None:
            _check("Source", "of Python", "corners", self.corners, -1, 16)
