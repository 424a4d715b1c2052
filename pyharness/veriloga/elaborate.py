# SPDX-License-Identifier: BSD-3-Clause
"""From syntax tree to module: names resolved, statements turned into equations, everything unsound refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lark import Token, Tree

from pyharness.errors import VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.graph import FUNCTIONS, ZERO, Expr, apply, constant, voltage
from pyharness.veriloga.module import Contribution, Interval, Module, Parameter
from pyharness.veriloga.preprocess import Source

__all__ = ("elaborate",)

_SUFFIXES = {"T": 12, "G": 9, "M": 6, "K": 3, "k": 3, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18}
_BINARY = {"add": "add", "sub": "sub", "mul": "mul", "div": "div", "pow": "pow", "lt": "lt", "le": "le", "eq": "eq"}
_K_OVER_Q = 1.3806503e-23 / 1.602176462e-19  # the LRM's P_K / P_Q, in V/K
_REFUSED_SYSTEM = {
    "random": "draw the value outside the model and pass it as an instance parameter",
    "arandom": "draw the value outside the model and pass it as an instance parameter",
    "limit": "write limexp() or a smooth function instead",
    "strobe": "remove it: models print nothing",
    "display": "remove it: models print nothing",
    "write": "remove it: models print nothing",
}


class _Undefined:
    """A variable that holds no value of this evaluation: reading it would be hidden state."""


_UNDEFINED = _Undefined()
_Value = Expr | _Undefined


class _Elaborator:
    def __init__(self, tree: Tree[Token], source: Source, file: str) -> None:
        self.tree = tree
        self.source = source
        self.file = file
        self.name = ""
        self.ports: list[str] = []
        self.nets: list[str] = []
        self.grounds: set[str] = set()
        self.branches: dict[str, tuple[str, str]] = {}
        self.parameters: dict[str, Parameter] = {}
        self.kinds: dict[str, str] = {}
        self.values: dict[str, _Value] = {}
        self.contributions: dict[tuple[str, str], Expr] = {}
        self.places: dict[tuple[str, str], Tree[Token]] = {}

    # -- errors --------------------------------------------------------------------------------------------------

    def error(self, at: Tree[Token] | Token, text: str) -> VerilogAError:
        line = at.line if isinstance(at, Token) else getattr(at.meta, "line", 1)
        column = at.column if isinstance(at, Token) else getattr(at.meta, "column", 1)
        return VerilogAError(f"{self.source.where(line or 1, column or 1)}: {text}")

    def declare(self, token: Token) -> str:
        name = str(token)
        taken = [*self.nets, *self.branches, *self.parameters, *self.kinds]
        if name in taken or name in FUNCTIONS:
            raise self.error(token, f"'{name}' is declared twice or is a function of the language: choose another name")
        return name

    # -- declarations --------------------------------------------------------------------------------------------

    def run(self) -> Module:
        children = [c for c in self.tree.children if c is not None]
        self.name = str(next(c for c in children if isinstance(c, Token)))
        for child in children:
            if isinstance(child, Tree):
                handler: Callable[[Tree[Token]], None] | None = getattr(self, f"on_{child.data}", None)
                if handler:
                    handler(child)
        for port in self.ports:
            if port not in self.nets:
                raise self.error(self.tree, f"port '{port}' has no discipline: declare it 'electrical {port};'")
        return Module(
            name=self.name,
            ports=tuple(self.ports),
            internal_nodes=tuple(n for n in self.nets if n not in self.ports and n not in self.grounds),
            parameters=self.parameters,
            contributions=tuple(self.split(key) for key in self.contributions),
            file=self.file,
        )

    def on_attributes(self, tree: Tree[Token]) -> None:
        """Attributes of the module itself carry nothing that a target needs."""

    def on_ports(self, tree: Tree[Token]) -> None:
        self.ports = [str(t) for t in tree.children]

    def on_port_direction(self, tree: Tree[Token]) -> None:
        for token in tree.children[2:]:
            if str(token) not in self.ports:
                raise self.error(token, f"'{token}' is not in the port list of module '{self.name}'")

    def on_net(self, tree: Tree[Token]) -> None:
        for token in tree.children[1:]:
            if isinstance(token, Token):
                self.nets.append(self.declare(token))

    def on_ground(self, tree: Tree[Token]) -> None:
        for token in tree.children[1:]:
            if str(token) not in self.nets:
                self.nets.append(str(token))
            self.grounds.add(str(token))

    def on_branch(self, tree: Tree[Token]) -> None:
        first, second, *names = tree.children
        for token in names:
            if isinstance(token, Token) and isinstance(first, Token):
                ends = (self.node(first), self.node(second) if isinstance(second, Token) else "0")
                self.branches[self.declare(token)] = ends

    def on_variable(self, tree: Tree[Token]) -> None:
        _, kind, *names = tree.children
        for token in names:
            if isinstance(token, Token):
                name = self.declare(token)
                self.kinds[name] = str(kind)
                self.values[name] = _UNDEFINED

    def on_parameter(self, tree: Tree[Token]) -> None:
        attributes, keyword, kind, token, default, *ranges = tree.children
        assert isinstance(token, Token) and isinstance(attributes, Tree)
        name = self.declare(token)
        texts = {
            str(a.children[0]): str(a.children[1]).strip('"') if a.children[1] else ""
            for a in attributes.children
            if isinstance(a, Tree)
        }
        value = self.expr(default)
        if any(e.op in ("volt", "static", "ddt", "abstime") for e in graph.nodes_of([value])):
            raise self.error(token, f"the default of parameter '{name}' must be constant")
        intervals, excluded = [], []
        for r in ranges:
            assert isinstance(r, Tree)
            if r.data == "exclusion":
                excluded.append(self.number(r.children[0]))
                continue
            opening, low, high, closing = r.children
            assert isinstance(opening, Tree) and isinstance(closing, Tree)
            interval = Interval(
                self.number(low), self.number(high), opening.data == "open_above", closing.data == "open_below"
            )
            if interval.low > interval.high:
                raise self.error(r, f"the range {interval} of parameter '{name}' is empty: put the lower bound first")
            intervals.append(interval)
        self.parameters[name] = Parameter(
            name=name,
            kind=str(kind or "real"),
            default=value,
            intervals=tuple(intervals),
            excluded=tuple(excluded),
            units=texts.get("units", ""),
            desc=texts.get("desc", ""),
            instance=texts.get("type") == "instance",
            local=str(keyword) == "localparam",
        )

    def number(self, tree: Any) -> float:
        if isinstance(tree, Tree) and tree.data in ("plus_inf", "minus_inf"):
            return math.inf if tree.data == "plus_inf" else -math.inf
        value = self.expr(tree)
        if value.op != "const":
            raise self.error(tree, "the bound of a range must be a number")
        return value.value

    def node(self, token: Token) -> str:
        name = str(token)
        if name not in self.nets:
            raise self.error(token, f"'{name}' is not a declared node: declare it 'electrical {name};'")
        return "0" if name in self.grounds else name

    def ends(self, first: Token, second: Token | None) -> tuple[str, str]:
        if second is None and str(first) in self.branches:
            return self.branches[str(first)]
        return self.node(first), self.node(second) if second is not None else "0"

    # -- statements ----------------------------------------------------------------------------------------------

    def on_analog(self, tree: Tree[Token]) -> None:
        self.statement(tree.children[0])

    def statement(self, tree: Any) -> None:
        match tree.data:
            case "nothing":
                return
            case "block":
                for child in tree.children:
                    if isinstance(child, Tree):
                        self.statement(child)
            case "assignment":
                self.assign(tree)
            case "contribution":
                self.contribute(tree)
            case "conditional":
                self.conditional(tree)
            case "event":
                raise self.error(
                    tree,
                    "events @(...) are not simulated inside a model: keep the state on an internal node with ddt(), "
                    "and set its start by a parameter",
                )
            case _:
                name = str(tree.children[0]).lstrip("$")
                way_out = _REFUSED_SYSTEM.get(name, "remove it")
                raise self.error(tree, f"the task ${name} is not supported in a model: {way_out}")

    def assign(self, tree: Tree[Token]) -> None:
        token, right = tree.children
        assert isinstance(token, Token)
        name = str(token)
        if name not in self.kinds:
            what = "a parameter" if name in self.parameters else "not a declared variable"
            raise self.error(token, f"'{name}' cannot be assigned: it is {what}; declare 'real {name};'")
        value = self.expr(right)
        if self.kinds[name] == "integer":
            value = apply("floor", apply("add", value, constant(0.5)))
        self.values[name] = value

    def conditional(self, tree: Tree[Token]) -> None:
        test, then, otherwise = tree.children
        condition = self.expr(test)
        before, outer = self.values, self.contributions
        self.values, self.contributions = dict(before), {}
        self.statement(then)
        then_values, then_currents = self.values, self.contributions
        self.values, self.contributions = dict(before), {}
        if otherwise is not None:
            self.statement(otherwise)
        for name, a in then_values.items():
            b = self.values[name]
            if a is not b:
                defined = isinstance(a, Expr) and isinstance(b, Expr)
                self.values[name] = apply("select", condition, a, b) if defined else _UNDEFINED  # type: ignore[arg-type]
        for key in [*then_currents, *(k for k in self.contributions if k not in then_currents)]:
            value = apply("select", condition, then_currents.get(key, ZERO), self.contributions.get(key, ZERO))
            outer[key] = apply("add", outer.get(key, ZERO), value)
        self.contributions = outer

    def contribute(self, tree: Tree[Token]) -> None:
        access, first, second, right = tree.children
        assert isinstance(first, Token)
        if str(access) == "V":
            raise self.error(
                tree, "a voltage contribution V() <+ is not supported: write a current through a small resistance"
            )
        key = self.ends(first, second)  # type: ignore[arg-type]
        if key[0] == key[1]:
            raise self.error(tree, "the current flows from a node to itself: name two different nodes")
        value = self.expr(right)
        self.places.setdefault(key, tree)
        self.contributions[key] = apply("add", self.contributions.get(key, ZERO), value)

    # -- expressions ---------------------------------------------------------------------------------------------

    def expr(self, tree: Any) -> Expr:
        match tree.data:
            case "number":
                text = str(tree.children[0])
                scale = _SUFFIXES.get(text[-1])
                value = float(text) if scale is None else float(f"{text[:-1]}e{scale}")
                if not math.isfinite(value):
                    raise self.error(tree, f"the number {text} is too large")
                return constant(value)
            case "name":
                return self.name_value(tree.children[0])
            case "access":
                access, first, second = tree.children
                if str(access) == "I":
                    raise self.error(
                        tree, "a current probe I() is not supported: use the expression that you contribute"
                    )
                plus, minus = self.ends(first, second)
                return apply("sub", *(voltage(n) if n != "0" else ZERO for n in (plus, minus)))
            case "neg":
                return apply("neg", self.expr(tree.children[0]))
            case "not_":
                return apply("not", self.expr(tree.children[0]))
            case "gt" | "ge":
                a, b = (self.expr(c) for c in tree.children)
                return apply({"gt": "lt", "ge": "le"}[tree.data], b, a)
            case "ne":
                return apply("not", apply("eq", *(self.expr(c) for c in tree.children)))
            case "and_" | "or_":
                return apply(tree.data[:-1], *(self.expr(c) for c in tree.children))
            case "select":
                return apply("select", *(self.expr(c) for c in tree.children))
            case "call":
                return self.call(tree)
            case "system":
                return self.system(tree)
            case "string":
                raise self.error(tree, "a string is not a value here")
            case kind:
                return apply(_BINARY[kind], *(self.expr(c) for c in tree.children))

    def name_value(self, token: Token) -> Expr:
        name = str(token)
        if name in self.parameters:
            return graph.parameter(name)
        if name not in self.values:
            raise self.error(token, f"'{name}' is not declared: declare it as a parameter or variable")
        value = self.values[name]
        if isinstance(value, _Undefined):
            raise self.error(
                token,
                f"hidden state: variable '{name}' is read before it is assigned on every path, so it would remember the "
                "last evaluation. Keep the state on an internal node: 'electrical n_x; ... I(n_x) <+ ddt(V(n_x)) - rate;'",
            )
        return value

    def call(self, tree: Tree[Token]) -> Expr:
        token, arguments = tree.children
        assert isinstance(token, Token)
        name = str(token)
        given = list(arguments.children) if isinstance(arguments, Tree) else []
        if name == "analysis":
            kinds = [str(a.children[0]).strip('"') for a in given if isinstance(a, Tree) and a.data == "string"]
            if len(kinds) != len(given) or not kinds:
                raise self.error(
                    token, 'analysis() takes the names of analyses in quotes, for example analysis("static")'
                )
            return graph.leaf("static") if set(kinds) & {"static", "dc", "ic"} else apply("not", graph.leaf("static"))
        if name == "ddt":
            if len(given) != 1:
                raise self.error(token, f"ddt() takes 1 argument, got {len(given)}")
            return apply("ddt", self.expr(given[0]))
        if name not in FUNCTIONS:
            raise self.error(
                token, f"function '{name}()' is not supported: use {', '.join(sorted([*FUNCTIONS, 'ddt', 'analysis']))}"
            )
        if len(given) != FUNCTIONS[name][0]:
            raise self.error(token, f"{name}() takes {FUNCTIONS[name][0]} arguments, got {len(given)}")
        return apply(name, *(self.expr(a) for a in given))

    def system(self, tree: Tree[Token]) -> Expr:
        token, arguments = tree.children
        name = str(token).lstrip("$")
        given = [self.expr(a) for a in arguments.children] if isinstance(arguments, Tree) else []
        if name == "temperature" and not given:
            return graph.leaf("temperature")
        if name == "vt" and len(given) < 2:
            return apply("mul", constant(_K_OVER_Q), given[0] if given else graph.leaf("temperature"))
        if name == "abstime" and not given:
            return graph.leaf("abstime")
        way_out = _REFUSED_SYSTEM.get("random" if name.startswith("rdist") else name, "remove it")
        raise self.error(tree, f"${name} is not supported in a model: {way_out}")

    # -- resistive and reactive parts -----------------------------------------------------------------------------

    def split(self, key: tuple[str, str]) -> Contribution:
        current, charge = self.parts(self.contributions[key], key)
        return Contribution(*key, current, charge)

    def parts(self, e: Expr, key: tuple[str, str]) -> tuple[Expr, Expr]:
        """Return (resistive part, charge) of ``e``, in which ddt() may only appear linearly."""
        if not any(x.op == "ddt" for x in graph.nodes_of([e])):
            return e, ZERO
        if e.op == "ddt" and not any(x.op == "ddt" for x in graph.nodes_of(e.args)):
            return ZERO, e.args[0]
        if e.op in ("add", "sub", "neg"):
            pairs = [self.parts(a, key) for a in e.args]
            return apply(e.op, *(p[0] for p in pairs)), apply(e.op, *(p[1] for p in pairs))
        if e.op in ("mul", "div"):
            factor, other = (e.args[1], e.args[0]) if e.op == "div" or _constant(e.args[1]) else (e.args[0], e.args[1])
            if _constant(factor):
                current, charge = self.parts(other, key)
                return apply(e.op, current, factor), apply(e.op, charge, factor)
        if e.op == "select" and e.args[0].op in ("static", "not") and e.args[0] in (_STATIC, _DYNAMIC):
            (ia, qa), (ib, qb) = (self.parts(a, key) for a in e.args[1:])
            return apply("select", e.args[0], ia, ib), qb if e.args[0] is _STATIC else qa
        raise self.error(
            self.places[key],
            "ddt() must stand alone or be multiplied by constants and parameters: move it out of the expression",
        )


_STATIC = graph.leaf("static")
_DYNAMIC = apply("not", _STATIC)


def _constant(e: Expr) -> bool:
    return all(x.op not in ("volt", "static", "ddt", "abstime") for x in graph.nodes_of([e]))


def elaborate(tree: Tree[Token], source: Source, file: str) -> Module:
    """Return the module that the ``module`` tree describes.

    Raises:
        VerilogAError: an undeclared or doubly declared name, a construct that is not supported, hidden state.
    """
    return _Elaborator(tree, source, file).run()
