# SPDX-License-Identifier: BSD-3-Clause
"""From syntax tree to module: declarations read, the analog blocks interpreted, the equations collected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lark import Token, Tree

from pyharness.errors import VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.disciplines import STANDARD_DISCIPLINES, Discipline, Nature
from pyharness.veriloga.graph import FUNCTIONS, Expr, constant
from pyharness.veriloga.interpret import Interpreter
from pyharness.veriloga.lower import lower
from pyharness.veriloga.module import Interval, Module, Parameter
from pyharness.veriloga.preprocess import Source
from pyharness.veriloga.symbols import Function, Symbols, Variable

__all__ = ("WAYS_OUT", "elaborate")

WAYS_OUT = {
    "genvar": "write the terms out",
    "generate": "write the terms out",
    "initial": "use an 'analog' block; the start of a state is a parameter",
    "always": "digital behaviour belongs into Verilog, beside the analog block",
    "wire": "use 'electrical'; digital signals belong into Verilog",
    "reg": "use 'electrical'; digital signals belong into Verilog",
    "logic": "use 'electrical'; digital signals belong into Verilog",
    "wreal": "use 'electrical'; digital signals belong into Verilog",
    "paramset": "write a card of parameter values instead",
    "connectmodule": "the bridge's pins connect logic and SPICE",
    "specify": "remove it",
    "string": "use an integer parameter for choices",
    "forever": "write a for loop with constant bounds",
    "fork": "write the statements one after the other",
    "disable": "write the condition around the statements instead",
    "[": "vectors and arrays are not supported; write the elements as single names",
    "'": "based numbers are not supported; write the number in decimal",
}
"""Words and characters of the language that are not read, and what to write instead."""

Node = Tree[Token]
_KEYWORDS = frozenset(
    "analog and begin branch case default disable discipline else end endcase enddiscipline endfunction endmodule endnature "
    "exclude flow for forever from function generate genvar ground if inf initial inout input integer localparam module "
    "nature not or output parameter potential real repeat string then until wait while".split()
)


class _Elaborator:
    def __init__(self, tree: Node, source: Source, path: Path) -> None:
        self.tree = tree
        self.path = path
        self.symbols = Symbols(source)
        self.interpreter = Interpreter(self.symbols)
        self.bounds: list[tuple[Any, str]] = []  # parameters with a soa attribute, and its text
        self.undirected: dict[str, Any] = {}  # ports whose direction is not declared yet
        self.illegal = source.illegal

    def run(self) -> Module:
        module = None
        for part in self.tree.children:
            assert isinstance(part, Tree)
            if part.data == "module":
                if module is not None:
                    raise self.symbols.error(part, "a model file holds one module, this is the second: split the file")
                module = part
            else:
                getattr(self, f"on_{part.data}")(part)
        if module is None:
            raise VerilogAError(
                f"{self.path.name}:1:1: the file holds no module: write 'module name(ports); ... endmodule'"
            )
        return self.module(module)

    # -- natures and disciplines ---------------------------------------------------------------------------------

    def on_nature(self, tree: Node) -> None:
        name, parent, *rest = (c for c in tree.children)
        natures = self.symbols.natures
        if parent is not None and str(parent) not in natures:
            raise self.symbols.error(parent, f"nature '{parent}' is not declared: declare it before its use")
        base = natures[str(parent)] if parent is not None else Nature(str(name), "")
        access, units, abstol = base.access, base.units, base.abstol
        for key, value in zip(rest[::2], rest[1::2], strict=True):
            if str(key) == "access":
                access = str(value.children[0]) if isinstance(value, Tree) else str(value).strip('"')
            elif str(key) == "units":
                units = str(value).strip('"')
            elif str(key) == "abstol":
                if not isinstance(value, Tree):
                    raise self.symbols.error(key, f"the abstol of nature '{name}' must be a number, got {value}")
                abstol = self.interpreter.number(value)
        if not access:
            raise self.symbols.error(tree, f"nature '{name}' has no access function: write 'access = A;'")
        natures[str(name)] = Nature(str(name), access, units, abstol)

    def on_discipline(self, tree: Node) -> None:
        name, *rest = tree.children
        found: dict[str, Nature] = {}
        for key, value in zip(rest[::2], rest[1::2], strict=True):
            if str(key) in ("potential", "flow"):
                if str(value) not in self.symbols.natures:
                    raise self.symbols.error(
                        tree, f"nature '{value}' is not declared: declare it before the discipline"
                    )
                found[str(key)] = self.symbols.natures[str(value)]
            elif (str(key), str(value)) != ("domain", "continuous"):
                raise self.symbols.error(tree, f"'{key} {value};' has no place in the discipline of a model: remove it")
        self.symbols.disciplines[str(name)] = Discipline(str(name), found.get("potential"), found.get("flow"))

    # -- the module ----------------------------------------------------------------------------------------------

    def module(self, tree: Node) -> Module:
        s = self.symbols
        _, name, ports, *items = tree.children
        s.module = self.new_name(name)
        for item in items:  # functions and what analog blocks assign are known before the first statement
            if isinstance(item, Tree) and item.data == "function":
                self.on_function(item)
        s.note_assignments([i for i in items if isinstance(i, Tree) and i.data in ("analog", "variable")])
        if isinstance(ports, Tree):
            self.on_ports(ports)
        for item in items:
            if isinstance(item, Tree) and item.data not in ("function", "analog"):
                handler: Callable[[Node], None] = getattr(self, f"on_{item.data}")
                handler(item)
        for port in s.ports:
            if port not in s.nets:
                raise s.error(tree, f"port '{port}' has no discipline: declare it 'electrical {port};'")
        for port, token in self.undirected.items():
            self.illegal.append(f"{s.place(token)}: port '{port}' has no direction: write 'inout {port};'")
        self.bound_voltages()
        for item in items:
            if isinstance(item, Tree) and item.data == "analog":
                self.interpreter.statement(item.children[1])
        branches, noises, bound_steps = lower(self.interpreter)
        return Module(
            name=s.module,
            ports=tuple(s.ports),
            internal_nodes=tuple(n for n in s.nets if n not in s.ports and n not in s.grounds),
            parameters=s.parameters,
            aliases=s.aliases,
            branches=branches,
            noises=noises,
            operating_point=self.interpreter.operating_point(),
            bound_steps_s=bound_steps,
            assertions=tuple(self.interpreter.assertions),
            unheeded=tuple(self.interpreter.unheeded),
            disciplines={n: d.name for n, d in s.nets.items()},
            file=self.path.name,
            source=self.path,
            illegal=tuple(self.illegal),
        )

    def new_name(self, token: Any) -> str:
        name = str(token)
        if name in _KEYWORDS:
            raise self.symbols.error(token, f"'{name}' is a word of the language: choose another name")
        return name

    def declare(self, token: Any) -> str:
        name = self.new_name(token)
        s = self.symbols
        taken = (s.nets, s.branches, s.parameters, s.aliases, s.variables, s.functions)
        if any(name in names for names in taken) or name in FUNCTIONS:
            raise s.error(token, f"'{name}' is declared twice or is a function of the language: choose another name")
        return name

    def on_ports(self, tree: Node) -> None:
        for port in tree.children:
            assert isinstance(port, Tree)
            token = port.children[-1]
            if str(token) in self.symbols.ports:
                raise self.symbols.error(token, f"port '{token}' stands twice in the port list: keep one")
            self.symbols.ports.append(self.new_name(token))
            if port.data == "bare_port":
                self.undirected[str(token)] = token
            if port.data == "typed_port" and port.children[1] is not None:
                self.symbols.nets[self.declare(token)] = self.discipline(port.children[1])

    def discipline(self, token: Any) -> Discipline:
        found = self.symbols.disciplines.get(str(token))
        if found is None and str(token) in WAYS_OUT:
            raise self.symbols.error(token, f"'{token}' is not supported: {WAYS_OUT[str(token)]}")
        if found is None:
            raise self.symbols.error(
                token, f"discipline '{token}' is not declared: use electrical, or declare it before the module"
            )
        if found is STANDARD_DISCIPLINES.get(str(token)) and not self.symbols.source.disciplines:
            self.illegal.append(
                f"{self.symbols.place(token)}: discipline '{token}' is used but not declared: write `include \"disciplines.vams\" before "
                "the module"
            )
            self.symbols.source.disciplines = True  # said once
        return found

    def on_port_direction(self, tree: Node) -> None:
        _, _, discipline, *names = tree.children
        for token in names:
            if str(token) not in self.symbols.ports:
                raise self.symbols.error(token, f"'{token}' is not in the port list of module '{self.symbols.module}'")
            self.undirected.pop(str(token), None)
            if discipline is not None:
                self.symbols.nets[self.declare(token)] = self.discipline(discipline)

    def on_net(self, tree: Node) -> None:
        _, discipline, *names = tree.children
        found = self.discipline(discipline)
        for token in names:
            self.symbols.nets[self.declare(token)] = found

    def on_ground(self, tree: Node) -> None:
        for token in tree.children[1:]:
            if str(token) not in self.symbols.nets:
                self.symbols.nets[self.declare(token)] = STANDARD_DISCIPLINES["electrical"]
            self.symbols.grounds.add(str(token))

    def on_branch(self, tree: Node) -> None:
        _, first, second, *names = tree.children
        for token in names:
            ends = (self.symbols.node(first), self.symbols.node(second) if second is not None else "0")
            self.symbols.branches[self.declare(token)] = ends

    def on_variable(self, tree: Node) -> None:
        attributes, kind, *names = tree.children
        texts = _texts(attributes)
        for declared in names:
            assert isinstance(declared, Tree)
            token, start = declared.children
            name = self.declare(token)
            desc = texts.get("desc", "")
            output = bool(texts.keys() & {"desc", "units"})
            self.symbols.variables[name] = Variable(
                name, str(kind), output, texts.get("units", ""), desc, texts.get("multiplicity", "")
            )
            self.interpreter.declare(name, str(kind), start)

    def on_function(self, tree: Node) -> None:
        s = self.symbols
        _, kind, token, *items, statement = tree.children
        name = self.declare(token)
        arguments: list[tuple[str, str]] = []
        variables: dict[str, str] = {name: str(kind or "real")}
        starts: dict[str, Any] = {}
        for item in items:
            assert isinstance(item, Tree)
            _, word, *names = item.children
            for one in names:
                if item.data == "argument_direction":
                    arguments.append((str(one), str(word)))
                    variables.setdefault(str(one), "real")
                else:
                    inner, start = one.children  # type: ignore[union-attr]
                    variables[str(inner)] = str(word)
                    starts[str(inner)] = start
        if not arguments:
            raise s.error(token, f"analog function '{name}' has no input: declare one, 'input a; real a;'")
        s.functions[name] = Function(name, arguments, variables, starts, statement)

    def on_alias(self, tree: Node) -> None:
        _, token, target = tree.children
        if str(target) not in self.symbols.parameters:
            raise self.symbols.error(target, f"'{target}' is not a parameter: an alias names one declared before")
        self.symbols.aliases[self.declare(token)] = str(target)

    def on_parameter(self, tree: Node) -> None:
        attributes, keyword, kind, *defaults = tree.children
        for default in defaults:
            assert isinstance(default, Tree)
            token, start, *ranges, own = default.children
            texts = _texts(attributes) | _texts(own)
            name = self.declare(token)
            value = self.interpreter.expr(start)
            if graph.uses(value, *graph.VARYING):
                raise self.symbols.error(token, f"the default of parameter '{name}' must be constant")
            kind_here = str(kind or ("integer" if self.interpreter.is_integer(start) else "real"))
            value = self.interpreter.converted(value, kind_here, self.interpreter.is_integer(start))
            intervals = [self.interval(r) for r in ranges if r.data == "interval"]  # type: ignore[union-attr]
            excluded = [self.interval(r) for r in ranges if r.data != "interval"]  # type: ignore[union-attr]
            self.symbols.parameters[name] = Parameter(
                name=name,
                kind=kind_here,
                default=value,
                intervals=tuple(intervals),
                excluded=tuple(excluded),
                units=texts.get("units"),
                desc=texts.get("desc", texts.get("info", "")),
                instance=texts.get("type") == "instance",
                local=str(keyword) == "localparam",
                place=self.symbols.place(token),
            )
            if "soa" in texts:
                self.bounds.append((token, texts["soa"]))

    def bound_voltages(self) -> None:
        """Give each parameter with a ``soa`` attribute its two nodes, which may be declared behind it."""
        s = self.symbols
        for token, text in self.bounds:
            nodes = [n.strip() for n in text.split(",")]
            if len(nodes) != 2 or not set(nodes) <= s.nets.keys():
                raise s.error(
                    token, f'the soa of parameter \'{token}\' must be two nodes, as in soa="p, n", got "{text}"'
                )
            ends = (s.node(nodes[0]), s.node(nodes[1]))
            s.parameters[str(token)] = replace(s.parameters[str(token)], soa=ends)

    def interval(self, tree: Any) -> Interval:
        if tree.data == "exclusion":
            value = self.bound(tree.children[0])
            return Interval(value, value, False, False)
        *opening, low, high, closing = tree.children
        is_open = opening[0].data == "open_above" if opening else tree.data == "excluded_above"
        found = Interval(self.bound(low), self.bound(high), is_open, closing.data == "open_below")
        known = found.at({})
        if known and known.low > known.high:
            raise self.symbols.error(tree, f"the range {known} is empty: put the lower bound first")
        return found

    def bound(self, tree: Any) -> Expr:
        if tree.data in ("plus_inf", "minus_inf"):
            return constant(math.inf if tree.data == "plus_inf" else -math.inf)
        value = self.interpreter.expr(tree)
        if graph.uses(value, *graph.VARYING):
            raise self.symbols.error(
                tree, "the bound of a range must follow from numbers and parameters declared before"
            )
        return value


def _texts(attributes: Any) -> dict[str, str]:
    found = {}
    for attribute in attributes.children:
        name, value = attribute.children
        found[str(name)] = re.sub(r'\A"|"\Z', "", str(value)) if isinstance(value, Token) else ""
    return found


def elaborate(tree: Node, source: Source, path: Path) -> Module:
    """Return the module that the ``start`` tree describes.

    Raises:
        VerilogAError: an undeclared or doubly declared name, a construct that is not supported, hidden state.
    """
    return _Elaborator(tree, source, path).run()
