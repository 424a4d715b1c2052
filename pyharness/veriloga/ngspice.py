# SPDX-License-Identifier: BSD-3-Clause
"""Target: an ngspice subcircuit of B sources, for every stock ngspice.

ngspice evaluates each B source's expression and every derivative tree twice per iteration, without sharing.  So:
parameters are folded in, a difference of two node potentials gets a node of its own (one controlling variable instead of
two), and linear currents and charges become native resistors and capacitors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyharness.errors import NetlistError, VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.graph import ZERO, Expr, derivative
from pyharness.veriloga.module import Contribution, Module

__all__ = ("Subcircuit", "emit_ngspice")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_ROOM_TEMPERATURE_K = 300.15
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "==", "and": "&&", "or": "||"}
_CALLS = {
    "exp": "exp", "ln": "ln", "log": "log10", "sqrt": "sqrt", "abs": "abs", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh",
    "acosh": "acosh", "atanh": "atanh", "floor": "floor", "ceil": "ceil", "min": "min", "max": "max",
}  # fmt: skip


@dataclass(frozen=True)
class Subcircuit:
    """A generated subcircuit.

    Attributes:
        name: of the ``.subckt``.
        ports: terminals in order.
        parameters: instance parameters -> default.
        text: netlist lines.
        state_nodes: internal nodes; on instance ``x1`` node ``n`` is ``x1.n``.
    """

    name: str
    ports: tuple[str, ...]
    parameters: Mapping[str, float]
    text: str
    state_nodes: tuple[str, ...]


class _Emitter:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.differences: dict[tuple[str, str], str] = {}

    def text(self, e: Expr) -> str:
        match e.op:
            case "const":
                return repr(e.value) if e.value >= 0 else f"({e.value!r})"
            case "param":
                return f"{{{e.name}}}"
            case "volt":
                return f"v({e.name})"
            case "static":
                return "(time <= 0)"
            case "abstime":
                return "time"
            case "neg":
                return f"(-{self.text(e.args[0])})"
            case "not":
                return f"(1 - {self.text(e.args[0])})"
            case "select":
                c, a, b = (self.text(x) for x in e.args)
                return (
                    f"(({c} > 0.5) ? {a} : {b})"
                    if e.args[0].op not in ("lt", "le", "eq", "static")
                    else f"({c} ? {a} : {b})"
                )
            case "limexp":
                x = self.text(e.args[0])
                return f"(({x} < 80) ? exp(min({x}, 80)) : {math.exp(80)!r} * ({x} - 79))"
            case "pow":
                return f"pwr({', '.join(self.text(x) for x in e.args)})"
            case "hypot":
                a, b = (self.text(x) for x in e.args)
                return f"sqrt({a} * {a} + {b} * {b})"
        if e.op == "sub" and all(x.op == "volt" for x in e.args):
            return f"v({self.difference(e.args[0].name, e.args[1].name)})"
        if e.op in _INFIX:
            a, b = (self.text(x) for x in e.args)
            return f"({a} {_INFIX[e.op]} {b})"
        if e.op in _CALLS:
            return f"{_CALLS[e.op]}({', '.join(self.text(x) for x in e.args)})"
        raise VerilogAError(
            f"{self.module.file}:1:1: '{e.op}' cannot be written for ngspice: rewrite the expression without it"
        )

    def difference(self, a: str, b: str) -> str:
        return self.differences.setdefault((a, b), f"d_{a}_{b}")

    def linear(self, e: Expr, c: Contribution) -> Expr | None:
        """Return k if ``e`` is k times the branch voltage with k free of voltages and parameters, else None."""
        ends = [n for n in (c.plus, c.minus) if n != "0"]
        k = derivative(e, ends[0]) if c.plus != "0" else graph.apply("neg", derivative(e, c.minus))
        if k.op != "const":
            return None
        used = {x.name for x in graph.nodes_of([e]) if x.op == "volt"}
        other = derivative(e, c.minus) if c.minus != "0" and c.plus != "0" else None
        if not used <= set(ends) or (other is not None and (other.op != "const" or other.value != -k.value)):
            return None
        at_zero = graph.substitute_voltages(e, 0.0)
        return k if at_zero is ZERO else None

    def contribution(self, c: Contribution, number: int) -> list[str]:
        lines = []
        if c.current is not ZERO:
            k = self.linear(c.current, c)
            if k is not None and k.value != 0:
                lines.append(f"r{number} {c.plus} {c.minus} {1 / k.value!r}")
            else:
                lines.append(f"b{number} {c.plus} {c.minus} i = {self.text(c.current)}")
        if c.charge is not ZERO:
            k = self.linear(c.charge, c)
            value = repr(k.value) if k is not None else f"q = '{self.text(c.charge)}'"
            lines.append(f"c{number} {c.plus} {c.minus} {value}")
        return lines


def emit_ngspice(
    module: Module, *, name: str, parameters: Mapping[str, object], instance_parameters: Sequence[str] = ()
) -> Subcircuit:
    """Translate ``module`` with ``parameters`` put in; only ``instance_parameters`` stay free.

    Args:
        module: the compiled module.
        name: of the subcircuit, a lower-case identifier.
        parameters: values; the others keep their defaults.
        instance_parameters: parameters to be given on each instance line.

    Raises:
        NetlistError: a name that cannot stand in a netlist.
        ConfigError: an unknown parameter or a value out of range.
        VerilogAError: an operation that ngspice has no form for.
    """
    nodes = [*module.ports, *module.internal_nodes]
    for kind, names in (("subcircuit", [name]), ("node", nodes), ("instance parameter", instance_parameters)):
        for one in names:
            if not _NAME.match(one):
                raise NetlistError(
                    f"a {kind} name must be a lower-case identifier of letters, digits and _, got {one!r}"
                )
    values = module.check_parameters(parameters)
    for one in instance_parameters:
        if one not in values:
            raise NetlistError(f"module '{module.name}' has no parameter '{one}' to leave free")
    fixed = {k: v for k, v in values.items() if k not in instance_parameters}
    emitter = _Emitter(module)
    body: list[str] = []
    for number, c in enumerate(module.with_parameters(fixed), 1):
        at_temperature = Contribution(c.plus, c.minus, _at_room(c.current), _at_room(c.charge))
        body += emitter.contribution(at_temperature, number)
    sources = [f"e_{node} {node} 0 {a} {b} 1" for (a, b), node in emitter.differences.items()]
    free = {one: values[one] for one in instance_parameters}
    head = " ".join([".subckt", name, *module.ports, *(f"{k}={v!r}" for k, v in free.items())])
    lines = [f"* {name}: module {module.name} of {module.file}", head, *sources, *body, f".ends {name}"]
    return Subcircuit(name, module.ports, free, "\n".join(lines), module.internal_nodes)


def _at_room(e: Expr) -> Expr:
    return graph.substitute_leaf(e, "temperature", graph.constant(_ROOM_TEMPERATURE_K))
