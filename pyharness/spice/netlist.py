# SPDX-License-Identifier: BSD-3-Clause
"""SPICE netlist text from checked names and values.

ngspice runs what stands in a netlist: a line break in a name could open a ``.control`` block with a ``shell`` command.  So
every name is a plain identifier, every value a finite number written by us, and a title holds printable text only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from pyharness.errors import NetlistError

__all__ = ("Netlist", "check_name", "number")

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
_NODE = re.compile(r"(0|[a-z_][a-z0-9_]{0,62})\Z")


def check_name(name: str, kind: str = "name") -> str:
    """Return ``name`` if it may stand in a netlist.

    Raises:
        NetlistError: it is not a lower-case identifier of at most 63 characters.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise NetlistError(f"a {kind} must be a lower-case identifier of letters, digits and _, got {name!r}")
    return name


def number(value: float) -> str:
    """Return ``value`` in digits that read back as the same double.

    Raises:
        NetlistError: not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NetlistError(f"a value in a netlist must be a finite number, got {value!r}")
    return repr(float(value))


class Netlist:
    """Lines of a circuit, grown element by element, in a fixed order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: set[str] = set()

    def comment(self, text: str) -> None:
        """Add a comment; characters outside printable ASCII are replaced."""
        self.lines.append("* " + re.sub(r"[^ -~]", "?", text))

    def block(self, text: str) -> None:
        """Add generated lines as they are (a translated subcircuit)."""
        self.lines += text.splitlines()

    def add(self, kind: str, name: str, nodes: tuple[str, ...], *tail: str) -> str:
        """Add element ``<kind><name>`` between ``nodes``; ``tail`` is text of this package, not of a user.

        Returns:
            The element's full name.

        Raises:
            NetlistError: a name or node that is not an identifier, or a name used twice.
        """
        full = check_name(f"{kind}{name}", "element name")
        if full in self._names:
            raise NetlistError(f"element '{full}' is in the netlist twice: give each element its own name")
        self._names.add(full)
        for node in nodes:
            if not _NODE.match(node):
                raise NetlistError(f"a node of '{full}' must be 0 or a lower-case identifier, got {node!r}")
        self.lines.append(" ".join([full, *nodes, *tail]))
        return full

    def resistor(self, name: str, a: str, b: str, resistance_ohm: float) -> str:
        """Add a resistor."""
        if not resistance_ohm > 0:
            raise NetlistError(f"resistor '{name}' must be above 0 Ohm, got {resistance_ohm!r}")
        return self.add("r", name, (a, b), number(resistance_ohm))

    def capacitor(self, name: str, a: str, b: str, capacitance_f: float) -> str:
        """Add a capacitor."""
        return self.add("c", name, (a, b), number(capacitance_f))

    def ammeter(self, name: str, a: str, b: str) -> str:
        """Add a zero-volt source, positive current from ``a`` to ``b``."""
        return self.add("v", name, (a, b), "0")

    def subcircuit(self, name: str, nodes: tuple[str, ...], definition: str, parameters: Mapping[str, float]) -> str:
        """Add an instance of ``definition``."""
        values = [f"{check_name(k, 'parameter name')}={number(v)}" for k, v in parameters.items()]
        return self.add("x", name, nodes, check_name(definition, "subcircuit name"), *values)
