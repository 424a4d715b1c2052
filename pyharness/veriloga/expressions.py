# SPDX-License-Identifier: BSD-3-Clause
"""Evaluate expressions over symbolic values: names, probes, operators, with the types of the language."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from pyharness.errors import VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.functions import Functions
from pyharness.veriloga.graph import ZERO, Expr, apply, constant, leaf, parameter, voltage
from pyharness.veriloga.symbols import Function, Symbols
from pyharness.veriloga.values import UNDEFINED, Partial, Start, Value, settle, spread

__all__ = ("BranchState", "Expressions")

_SUFFIXES = {"T": 12, "G": 9, "M": 6, "K": 3, "k": 3, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18}
_ARITHMETIC = ("add", "sub", "mul", "div", "mod", "pow")
_BITS = {"bit_and": "&", "bit_or": "|", "bit_xor": "^", "bit_not": "~", "shift_left": "<<", "shift_right": ">>"}
_LOGICAL = ("lt", "le", "gt", "ge", "eq", "ne", "and_", "or_", "not_")
HIDDEN_STATE = (
    "hidden state: variable '{0}' is read before it is assigned on every path, so it would remember the last evaluation. "
    "Keep the state on an internal node that starts at a parameter {0}0: 'electrical n_x; ... {0} = {0}0 + V(n_x); "
    'if (analysis("static")) I(n_x) <+ V(n_x); else I(n_x) <+ ddt(V(n_x)) - rate_of_{0};\''
)


@dataclass
class BranchState:
    """What has been contributed to a branch, and whether its current is read."""

    plus: str
    minus: str
    place: str
    is_potential: Expr = ZERO
    current: Expr = ZERO
    potential: Expr = ZERO
    probed: bool = False
    contributed: bool = False
    flowed: bool = False  # a flow has been contributed


class Expressions:
    """Holds the values of variables and what is known of branches, and evaluates expression trees."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.functions = Functions(self)
        self.kinds: dict[str, str] = {}
        self.values: dict[str, Value] = {}
        self.tokens: dict[str, Any] = {}
        self.scopes: list[dict[str, str]] = [{}]
        self.calls: list[str] = []
        self.initial = False
        self.branches: dict[tuple[str, ...], str] = {}
        self.states: dict[str, BranchState] = {}
        self.noise_labels: dict[str, tuple[str, str]] = {}
        self.bound_steps: list[Expr] = []
        self.assertions: list[tuple[Expr, str, str]] = []
        self.unheeded: list[str] = []
        self.conditions: list[Expr] = []
        self.steps = 0
        self.serial = 0

    def error(self, at: Any, text: str) -> VerilogAError:
        """Return the error ``text`` at a piece of the tree."""
        return self.symbols.error(at, text)

    def fault(self, place: str, text: str) -> VerilogAError:
        """Return the error ``text`` at a place already written out."""
        return VerilogAError(f"{place}: {text}")

    def declare(self, token: Any, kind: str, start: Any, key: str = "") -> None:
        """Declare a variable in the innermost scope; ``start`` is its initialiser or None."""
        key = key or str(token)
        self.scopes[-1][str(token)] = key
        self.kinds[key] = kind
        self.tokens[key] = token
        if start is None:
            self.values[key] = UNDEFINED
            return
        value = self.expr(start)
        if graph.uses(value, *graph.VARYING):
            raise self.error(start, f"the start value of '{token}' must be constant: assign it in the analog block")
        self.values[key] = Start(self.converted(value, kind, self.is_integer(start)))

    def key(self, token: Any) -> str | None:
        for scope in reversed(self.scopes):
            if str(token) in scope:
                return scope[str(token)]
        return None

    def store(self, token: Any, value: Expr, is_integer: bool) -> None:
        """Assign ``value``, of integer type or not, to the variable ``token``."""
        key = self.key(token)
        if key is None:
            what = "a parameter" if str(token) in self.symbols.parameters else "not a declared variable"
            raise self.error(token, f"'{token}' cannot be assigned: it is {what}; declare 'real {token};'")
        if self.initial:
            # what is assigned elsewhere too holds inside the event alone: see do_event
            if str(token) not in self.symbols.assigned and graph.uses(value, *graph.VARYING):
                raise self.error(
                    token,
                    f"@(initial_step) may set '{token}' only to a constant: what depends on voltages or time would be "
                    "remembered. Keep the state on an internal node with ddt(), and set its start by a parameter",
                )
        self.values[key] = self.converted(value, self.kinds[key], is_integer)

    def forget(self, scope: dict[str, str]) -> None:
        for key in scope.values():
            self.values.pop(key, None)

    def branch(self, token: Any, given: list[Any]) -> tuple[BranchState, int]:
        """Return the branch that an access names, and -1 where it names it the other way round."""
        names = [a.children[0] for a in given if isinstance(a, Tree) and a.data == "name"]
        if len(names) != len(given) or len(names) not in (1, 2):
            raise self.error(token, f"{token}() takes one branch, or one or two nodes")
        name, sign = str(names[0]), 1
        if len(names) == 1 and name in self.symbols.branches:
            key: tuple[str, ...] = (name,)
            plus, minus = self.symbols.branches[name]
        else:
            plus, minus = self.symbols.node(names[0]), self.symbols.node(names[1]) if len(names) == 2 else "0"
            if (minus, plus) in self.branches:
                plus, minus, sign = minus, plus, -1
            key = (plus, minus)
        if plus == minus:
            raise self.error(token, "the branch leads from a node to itself: name two different nodes")
        if key not in self.branches:
            label = key[0] if len(key) == 1 else "_".join("gnd" if end == "0" else end for end in key)
            while label in self.branches.values() or (len(key) == 2 and label in self.symbols.branches):
                label += "_"
            self.branches[key] = label
        label = self.branches[key]
        state = self.states.setdefault(label, BranchState(plus, minus, self.symbols.place(token)))
        return state, sign

    def number(self, tree: Any) -> float:
        """Return the value of a constant expression."""
        value = self.expr(tree)
        if value.op != "const":
            raise self.error(tree, "this must be a number, known without any parameter")
        return value.value

    def converted(self, value: Expr, kind: str, is_integer: bool) -> Expr:
        """Return ``value``, of integer type or not, as one of type ``kind``: rounded, halves away from zero."""
        if is_integer or kind != "integer":
            return value
        half = apply("select", apply("lt", value, ZERO), constant(-0.5), constant(0.5))
        return apply("trunc", apply("add", value, half))

    def is_integer(self, tree: Any) -> bool:
        """Return whether an expression is of integer type."""
        match tree.data:
            case "number":
                return str(tree.children[0]).replace("_", "").isdigit()
            case "name":
                name = str(tree.children[0])
                key = self.key(name)
                if key is not None:
                    return self.kinds[key] == "integer"
                return name in self.symbols.parameters and self.symbols.parameters[name].kind == "integer"
            case "neg" | "bit_not":
                return self.is_integer(tree.children[0])
            case "select":
                return all(self.is_integer(c) for c in tree.children[1:])
            case "call":
                name = str(tree.children[0])
                if name in self.symbols.functions:
                    return self.symbols.functions[name].variables[name] == "integer"
                if name in ("abs", "min", "max") and tree.children[1] is not None:
                    return all(isinstance(c, Tree) and self.is_integer(c) for c in tree.children[1].children)
                return name == "analysis"
            case "system":
                return str(tree.children[0]) in ("$param_given", "$port_connected")
            case kind if kind in _BITS:
                return True
            case kind if kind in _ARITHMETIC:
                return all(self.is_integer(c) for c in tree.children)
            case kind:
                return kind in _LOGICAL

    def expr(self, tree: Any) -> Expr:
        """Evaluate an expression."""
        match tree.data:
            case "number":
                return self.literal(tree)
            case "name":
                return self.name(tree.children[0])
            case "call":
                token, arguments = tree.children
                given = list(arguments.children) if arguments is not None else []
                return self.call_or_access(token, given)
            case "port_probe":
                raise self.error(tree, "a port probe I(<p>) is not supported: probe the branches that meet at the port")
            case "system":
                return self.functions.system(tree)
            case "string" | "array":
                raise self.error(tree, "a string or a list is not a value here")
            case "neg":
                return apply("neg", self.expr(tree.children[0]))
            case "not_":
                return apply("not", self.expr(tree.children[0]))
        values = [self.expr(c) for c in tree.children]
        match tree.data:
            case "gt" | "ge":
                return apply({"gt": "lt", "ge": "le"}[tree.data], values[1], values[0])
            case "ne":
                return apply("not", apply("eq", *values))
            case "and_" | "or_":
                return apply(tree.data[:-1], *values)
            case "mod":
                return apply("sub", values[0], apply("mul", values[1], apply("trunc", apply("div", *values))))
            case "div" | "pow" if self.is_integer(tree):
                return apply("trunc", apply(tree.data, *values))
            case kind if kind in _BITS:
                return self.bits(tree, values)
            case kind:
                return apply(kind, *values)

    def bits(self, tree: Any, values: list[Expr]) -> Expr:
        """Combine integers bit by bit: numbers, or truth values, of which one bit counts."""
        sign = _BITS[tree.data]
        if all(v.op == "const" and v.value == int(v.value) and abs(v.value) < 2**31 for v in values):
            numbers = [int(v.value) for v in values]
            if not (sign in ("<<", ">>") and not 0 <= numbers[1] < 32):
                operators: dict[str, Any] = {
                    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
                    "~": operator.invert,
                }  # fmt: skip
                return constant(operators[sign](*numbers))
        if sign in ("&", "|", "^") and all(self.is_truth(c) for c in tree.children):
            if sign == "^":
                return apply("not", apply("eq", *values))
            return apply("and" if sign == "&" else "or", *values)
        raise self.error(
            tree,
            f"'{sign}' works on numbers known here, &, | and ^ also on comparisons: write && || ! or arithmetic instead",
        )

    def is_truth(self, tree: Any) -> bool:
        """Return whether an expression is 0 or 1."""
        return tree.data in _LOGICAL or (tree.data in _BITS and all(self.is_truth(c) for c in tree.children))

    def literal(self, tree: Any) -> Expr:
        text = str(tree.children[0]).replace("_", "")
        scale = _SUFFIXES.get(text[-1])
        value = float(text) if scale is None else float(f"{text[:-1]}e{scale}")
        if not math.isfinite(value):
            raise self.error(tree, f"the number {text} is too large")
        return constant(value)

    def name(self, token: Token) -> Expr:
        key = self.key(token)
        if key is None:
            name = self.symbols.aliases.get(str(token), str(token))
            if name in self.symbols.parameters:
                return parameter(name)
            raise self.error(token, f"'{token}' is not declared: declare it as a parameter or variable")
        value = self.values[key]
        if isinstance(value, Start) and str(token) not in self.symbols.assigned:
            return value.value
        if isinstance(value, Partial):
            value = settle(value.cases, spread(self.conditions))
        if not isinstance(value, Expr):
            raise self.error(token, HIDDEN_STATE.format(token))
        return value

    def call_or_access(self, token: Any, given: list[Any]) -> Expr:
        name = str(token)
        if name in self.symbols.functions:
            return self.call(token, self.symbols.functions[name], given)
        if self.symbols.is_access(name):
            return self.probe(token, given)
        return self.functions.builtin(token, given)

    def probe(self, token: Any, given: list[Any]) -> Expr:
        """Return what an access function reads."""
        if self.calls:
            raise self.error(token, f"{token}() cannot be read inside an analog function: pass it as an argument")
        names = [a.children[0] for a in given if isinstance(a, Tree) and a.data == "name"]
        if not names or len(names) != len(given) or len(names) > 2:
            raise self.error(token, f"{token}() takes one branch, or one or two nodes")
        if not (len(names) == 1 and str(names[0]) in self.symbols.branches):
            for n in names:
                self.symbols.node(n)
        if self.symbols.access(token, str(names[0])) == "flow":
            state, sign = self.branch(token, given)
            state.probed = True
            label = next(n for n, s in self.states.items() if s is state)
            return leaf("flow", label) if sign > 0 else apply("neg", leaf("flow", label))
        if len(names) == 1 and str(names[0]) in self.symbols.branches:
            plus, minus = self.symbols.branches[str(names[0])]
        else:
            plus, minus = self.symbols.node(names[0]), self.symbols.node(names[1]) if len(names) == 2 else "0"
        return apply("sub", voltage(plus), voltage(minus))

    def call(self, token: Any, function: Function, given: list[Any]) -> Expr:
        """Run an analog function; the interpreter knows how."""
        raise NotImplementedError
