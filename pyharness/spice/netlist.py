# SPDX-License-Identifier: BSD-3-Clause
"""SPICE netlist text from checked names and values.

ngspice runs what stands in a netlist: a line break in a name could open a ``.control`` block with a ``shell`` command.  So
every name is a plain identifier, every value a finite number written by us, every line printable, and no command but
those of a subcircuit or model gets in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from pyharness.errors import NetlistError

__all__ = ("Netlist", "check_name", "number")

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
_NODE = re.compile(r"(0|[a-z_][a-z0-9_]{0,62})\Z")
_PRINTABLE = re.compile(r"[ -~]*\Z")
_COMMAND = re.compile(r"\s*\.(?!(subckt|ends|model|param)\b)")


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
        """Add generated lines: a translated subcircuit or a model.

        Raises:
            NetlistError: a line with a control character, or a command other than ``.subckt``, ``.ends``, ``.model``
                and ``.param``.
        """
        for line in text.split("\n"):
            if line.startswith("*"):  # a file's name may stand here; "*#" would be a command
                self.comment(line[1:].strip())
            elif _COMMAND.match(line):
                raise NetlistError(
                    f"a generated block holds elements and .subckt, .ends, .model, .param lines only, got {line!r}"
                )
            else:
                self._append(line)

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
            if not isinstance(node, str) or not _NODE.match(node):
                raise NetlistError(f"a node of '{full}' must be 0 or a lower-case identifier, got {node!r}")
        self._append(" ".join([full, *nodes, *tail]))
        return full

    def _append(self, line: str) -> None:
        if not _PRINTABLE.match(line):
            raise NetlistError(f"a netlist line must be printable ASCII without line breaks, got {line!r}")
        self.lines.append(line)

    def resistor(self, name: str, a: str, b: str, resistance_ohm: float) -> str:
        """Add a resistor.

        Raises:
            NetlistError: not above 0 Ohm.
        """
        return self.add("r", name, (a, b), self._positive("resistor", name, resistance_ohm, "Ohm"))

    def capacitor(self, name: str, a: str, b: str, capacitance_f: float) -> str:
        """Add a capacitor.

        Raises:
            NetlistError: not above 0 F.
        """
        return self.add("c", name, (a, b), self._positive("capacitor", name, capacitance_f, "F"))

    @staticmethod
    def _positive(kind: str, name: str, value: float, unit: str) -> str:
        text = number(value)
        if value <= 0:
            raise NetlistError(f"{kind} {name!r} must be above 0 {unit}, got {value!r}")
        return text

    def ammeter(self, name: str, a: str, b: str) -> str:
        """Add a zero-volt source, positive current from ``a`` to ``b``."""
        return self.add("v", name, (a, b), "0")

    def subcircuit(self, name: str, nodes: tuple[str, ...], definition: str, parameters: Mapping[str, float]) -> str:
        """Add an instance of ``definition``."""
        values = [f"{check_name(k, 'parameter name')}={number(v)}" for k, v in parameters.items()]
        return self.add("x", name, nodes, check_name(definition, "subcircuit name"), *values)
