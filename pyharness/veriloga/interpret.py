# SPDX-License-Identifier: BSD-3-Clause
"""Run the analog block with symbols for values: what it contributes is the model's equations.

Whatever would make one evaluation depend on the one before is refused here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from pyharness.errors import VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.functions import Functions
from pyharness.veriloga.graph import ONE, ZERO, Expr, apply, constant, leaf, parameter, voltage
from pyharness.veriloga.module import OperatingPoint
from pyharness.veriloga.symbols import Function, Symbols

__all__ = ("BranchState", "Interpreter")

_SUFFIXES = {"T": 12, "G": 9, "M": 6, "K": 3, "k": 3, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18}
_ARITHMETIC = ("add", "sub", "mul", "div", "mod", "pow")
_LOGICAL = ("lt", "le", "gt", "ge", "eq", "ne", "and_", "or_", "not_")
_MAX_STEPS = 20_000
_HIDDEN_STATE = (
    "hidden state: variable '{}' is read before it is assigned on every path, so it would remember the last evaluation. "
    "Keep the state on an internal node: 'electrical n_x; ... I(n_x) <+ ddt(V(n_x)) - rate;'"
)


class _Undefined:
    """A variable that holds no value of this evaluation: reading it would be hidden state."""


@dataclass(frozen=True)
class _Start:
    """The value a variable has before the first assignment: harmless where there is no assignment."""

    value: Expr


_UNDEFINED = _Undefined()
_Value = Expr | _Undefined | _Start


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


class Interpreter:
    """Holds the symbolic values of variables and branches while statements run."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.functions = Functions(self)
        self.kinds: dict[str, str] = {}
        self.values: dict[str, _Value] = {}
        self.tokens: dict[str, Any] = {}
        self.scopes: list[dict[str, str]] = [{}]
        self.calls: list[str] = []
        self.initial = False
        self.branches: dict[tuple[str, ...], str] = {}
        self.states: dict[str, BranchState] = {}
        self.noise_labels: dict[str, tuple[str, str]] = {}
        self.bound_steps: list[Expr] = []
        self.conditions: list[Expr] = []
        self.steps = 0
        self.serial = 0

    # -- results -------------------------------------------------------------------------------------------------

    def contributions(self) -> dict[str, BranchState]:
        """Return the branches by name, those that are only probed as ammeters."""
        for state in self.states.values():
            if state.probed and not state.contributed:
                ends = {state.plus, state.minus}
                if any(s.contributed and {s.plus, s.minus} == ends for s in self.states.values()):
                    raise self.fault(
                        state.place,
                        "this current is probed on a branch of its own, which would short the one that is contributed: "
                        "probe the branch that you contribute to, by the same name",
                    )
                state.is_potential = ONE
        return self.states

    def operating_point(self) -> tuple[OperatingPoint, ...]:
        """Return the operating-point variables with their final values."""
        found = []
        for v in self.symbols.variables.values():
            value = self.values[v.name]
            if v.output and not isinstance(value, Expr):
                raise self.error(
                    self.tokens[v.name], f"operating-point variable '{v.name}' is not assigned on every path"
                )
            if v.output and isinstance(value, Expr):
                quiet = {x: ZERO for x in graph.nodes_of([value]) if x.op == "noise"}
                found.append(OperatingPoint(v.name, graph.replace(value, quiet), v.units, v.desc))
        return tuple(found)

    def replace_outputs(self, f: Any) -> None:
        """Apply ``f`` to the values of the operating-point variables."""
        for v in self.symbols.variables.values():
            value = self.values[v.name]
            if v.output and isinstance(value, Expr):
                self.values[v.name] = f(value)

    # -- errors and names ----------------------------------------------------------------------------------------

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
            self.values[key] = _UNDEFINED
            return
        value = self.expr(start)
        if graph.uses(value, "volt", "flow", "static", "abstime", "ddt", "noise"):
            raise self.error(start, f"the start value of '{token}' must be constant: assign it in the analog block")
        self.values[key] = _Start(self.rounded(value, start) if kind == "integer" else value)

    def key(self, token: Any) -> str | None:
        for scope in reversed(self.scopes):
            if str(token) in scope:
                return scope[str(token)]
        return None

    def store(self, token: Any, value: Expr, right: Any) -> None:
        """Assign ``value``, the evaluated tree ``right``, to the variable ``token``."""
        key = self.key(token)
        if key is None:
            what = "a parameter" if str(token) in self.symbols.parameters else "not a declared variable"
            raise self.error(token, f"'{token}' cannot be assigned: it is {what}; declare 'real {token};'")
        if self.initial:
            if str(token) in self.symbols.assigned:
                raise self.error(token, _HIDDEN_STATE.format(token))
            if graph.uses(value, "volt", "flow", "static", "abstime", "ddt", "noise"):
                raise self.error(
                    token,
                    f"@(initial_step) may set '{token}' only to a constant: what depends on voltages or time would be "
                    "remembered. Keep the state on an internal node with ddt(), and set its start by a parameter",
                )
        self.values[key] = self.rounded(value, right) if self.kinds[key] == "integer" else value

    # -- statements ----------------------------------------------------------------------------------------------

    def statement(self, tree: Any) -> None:
        """Run one statement."""
        self.steps += 1
        if self.steps > _MAX_STEPS:
            raise self.error(
                tree, f"the analog block takes over {_MAX_STEPS} steps when its loops are written out: shorten them"
            )
        getattr(self, f"do_{tree.data}")(tree)

    def do_nothing(self, tree: Any) -> None:
        """An empty statement."""

    def do_block(self, tree: Any) -> None:
        label, *items = tree.children
        self.scopes.append({})
        for item in items:
            if item.data == "variable":
                _, kind, *names = item.children
                for declared in names:
                    self.serial += 1
                    token, start = declared.children
                    self.declare(token, str(kind), start, f"{label or 'block'}#{self.serial}.{token}")
            else:
                self.statement(item)
        self.forget(self.scopes.pop())

    def forget(self, scope: dict[str, str]) -> None:
        for key in scope.values():
            self.values.pop(key, None)

    def do_assignment(self, tree: Any) -> None:
        token, right = tree.children
        self.store(token, self.expr(right), right)

    def do_conditional(self, tree: Any) -> None:
        test, then, otherwise = tree.children
        self.choose(self.expr(test), then, otherwise)

    def choose(self, condition: Expr, then: Any, otherwise: Any) -> None:
        """Run both arms and join what they leave; ``otherwise`` may be None or a function."""
        if condition.op == "const":
            taken = then if condition.value else otherwise
            if taken is not None:
                taken() if callable(taken) else self.statement(taken)
            return
        before, outer = self.values, self.states
        results = []
        for arm, sense in ((then, condition), (otherwise, apply("not", condition))):
            self.values = dict(before)
            self.states = {
                name: BranchState(s.plus, s.minus, s.place, s.is_potential, probed=s.probed, contributed=s.contributed)
                for name, s in outer.items()
            }
            self.conditions.append(sense)
            if arm is not None:
                arm() if callable(arm) else self.statement(arm)
            self.conditions.pop()
            results.append((self.values, self.states))
        (then_values, then_states), (else_values, else_states) = results
        self.values = {}
        for name in before:
            a, b = then_values[name], else_values[name]
            if a is b:
                self.values[name] = a
            elif isinstance(a, Expr) and isinstance(b, Expr):
                self.values[name] = apply("select", condition, a, b)
            else:
                self.values[name] = _UNDEFINED
        self.states = outer
        for name in [*then_states, *(n for n in else_states if n not in then_states)]:
            some = then_states.get(name) or else_states[name]
            a_state = then_states.get(name) or BranchState(some.plus, some.minus, some.place)
            b_state = else_states.get(name) or BranchState(some.plus, some.minus, some.place)
            target = outer.setdefault(name, BranchState(some.plus, some.minus, some.place))
            target.probed |= a_state.probed or b_state.probed
            target.contributed |= a_state.contributed or b_state.contributed
            target.is_potential = apply("select", condition, a_state.is_potential, b_state.is_potential)
            for field in ("current", "potential"):
                joined = apply("select", condition, getattr(a_state, field), getattr(b_state, field))
                setattr(target, field, apply("add", getattr(target, field), joined))

    def do_case(self, tree: Any) -> None:
        subject, *items = tree.children
        value = self.expr(subject)
        arms = [i for i in items if i.data == "case_values"]
        defaults = [i.children[0] for i in items if i.data == "case_default"]
        if len(defaults) > 1:
            raise self.error(tree, "a case has one default arm at most: remove the others")

        def run(rest: list[Any]) -> None:
            if not rest:
                if defaults:
                    self.statement(defaults[0])
                return
            *values, body = rest[0].children
            condition = ZERO
            for one in values:
                condition = apply("or", condition, apply("eq", value, self.expr(one)))
            self.choose(condition, body, lambda: run(rest[1:]))

        run(arms)

    def constant_condition(self, tree: Any) -> bool:
        value = self.with_local_parameters(self.expr(tree))
        if value.op != "const":
            raise self.error(
                tree,
                "a loop runs a number of times that is known here: let its condition depend on constants and localparams",
            )
        return bool(value.value)

    def with_local_parameters(self, e: Expr) -> Expr:
        fixed = {p.name: p.default for p in self.symbols.parameters.values() if p.local}
        while any(x.op == "param" and x.name in fixed for x in graph.nodes_of([e])):
            e = graph.substitute(e, fixed)
        return e

    def do_for(self, tree: Any) -> None:
        first, test, step, body = tree.children
        self.statement(first)
        while self.constant_condition(test):
            self.statement(body)
            self.statement(step)

    def do_while(self, tree: Any) -> None:
        test, body = tree.children
        while self.constant_condition(test):
            self.statement(body)
            self.steps += 1

    def do_repeat(self, tree: Any) -> None:
        count, body = tree.children
        value = self.with_local_parameters(self.expr(count))
        if value.op != "const":
            raise self.error(count, "repeat() takes a constant: write a number or a localparam")
        for _ in range(min(int(value.value), _MAX_STEPS + 1)):
            self.statement(body)

    def do_call_statement(self, tree: Any) -> None:
        token, arguments, right = tree.children
        name = str(token)
        given = list(arguments.children) if arguments is not None else []
        if right is None:
            if name not in self.symbols.functions:
                raise self.error(
                    token, f"'{name}' is no analog function: a statement assigns, contributes or calls one"
                )
            self.call(token, self.symbols.functions[name], given)
            return
        if not self.symbols.is_access(name):
            raise self.error(token, f"'{name}' is no access function: contribute to V() or I() of a branch")
        if self.calls or self.initial:
            raise self.error(token, "contributions belong into the analog block, outside functions and events")
        state, sign = self.branch(token, given)
        kind = self.symbols.access(token, str(given[0].children[0]))
        value = self.expr(right)
        value = apply("neg", value) if sign < 0 else value
        state.contributed = True
        if kind == "flow":
            state.is_potential = ZERO
            state.current = apply("add", state.current, value)
        else:
            state.is_potential = ONE
            state.potential = apply("add", state.potential, value)

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
            label = key[0] if len(key) == 1 else f"{plus}_{'gnd' if minus == '0' else minus}"
            while label in self.branches.values() or (len(key) == 2 and label in self.symbols.branches):
                label += "_"
            self.branches[key] = label
        label = self.branches[key]
        state = self.states.setdefault(label, BranchState(plus, minus, self.symbols.place(token)))
        return state, sign

    def do_event(self, tree: Any) -> None:
        *terms, body = tree.children
        if all(str(t.children[0]) == "initial_step" and t.children[1] is None for t in terms) and not self.calls:
            outer, self.initial = self.initial, True
            self.statement(body)
            self.initial = outer
            return
        name = terms[0].children[0]
        raise self.error(
            tree,
            f"the event @({name}) is not simulated inside a model: keep the state on an internal node with ddt(), "
            "and set its start by a parameter",
        )

    def do_task(self, tree: Any) -> None:
        token, arguments = tree.children
        given = list(arguments.children) if arguments is not None else []
        if str(token) == "$bound_step" and len(given) == 1 and not self.calls:
            step = self.expr(given[0])
            for condition in self.conditions:
                step = apply("select", condition, step, constant(math.inf))
            self.bound_steps.append(step)
            return
        raise self.functions.refused(tree, str(token))

    # -- expressions ---------------------------------------------------------------------------------------------

    def number(self, tree: Any) -> float:
        """Return the value of a constant expression."""
        value = self.expr(tree)
        if value.op != "const":
            raise self.error(tree, "this must be a number, known without any parameter")
        return value.value

    def rounded(self, value: Expr, tree: Any) -> Expr:
        """Return ``value`` as an integer, halves away from zero."""
        if self.is_integer(tree):
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
            case "neg":
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
            case kind:
                return apply(kind, *values)

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
        if isinstance(value, _Start) and str(token) not in self.symbols.assigned:
            return value.value
        if not isinstance(value, Expr):
            raise self.error(token, _HIDDEN_STATE.format(token))
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
        """Run an analog function in place; outputs are assigned to the caller's variables."""
        if function.name in self.calls:
            raise self.error(token, f"analog function '{function.name}' calls itself: write a loop")
        if len(given) != len(function.arguments):
            raise self.error(token, f"{function.name}() takes {len(function.arguments)} arguments, got {len(given)}")
        values = []
        for (_, direction), argument in zip(function.arguments, given, strict=True):
            if direction != "input" and not (isinstance(argument, Tree) and argument.data == "name"):
                raise self.error(token, f"an {direction} of {function.name}() must be given a variable")
            values.append(self.expr(argument) if direction != "output" else None)
        self.serial += 1
        frame = f"{function.name}#{self.serial}"
        scopes, self.scopes = self.scopes, [{}]
        for name, kind in function.variables.items():
            self.declare(Token("ID", name), kind, function.starts.get(name), f"{frame}.{name}")
            started = self.values[f"{frame}.{name}"]
            if isinstance(started, _Start):
                self.values[f"{frame}.{name}"] = started.value
            self.tokens[f"{frame}.{name}"] = token
        self.values[f"{frame}.{function.name}"] = ZERO  # LRM: the return value starts at zero
        for (name, _), value, argument in zip(function.arguments, values, given, strict=True):
            if value is not None:
                self.store(Token("ID", name), value, argument)
        self.calls.append(function.name)
        self.statement(function.body)
        self.calls.pop()
        result = self.values[f"{frame}.{function.name}"]
        outputs = [self.values[f"{frame}.{name}"] for name, direction in function.arguments if direction != "input"]
        self.forget(self.scopes[0])
        self.scopes = scopes
        targets = [a for (_, d), a in zip(function.arguments, given, strict=True) if d != "input"]
        for argument, output in zip(targets, outputs, strict=True):
            if not isinstance(output, Expr):
                raise self.error(token, f"{function.name}() leaves an output unassigned on some path: assign it")
            self.store(argument.children[0], output, argument)
        if not isinstance(result, Expr):
            raise self.error(token, f"{function.name}() leaves its value unassigned on some path: assign it")
        return result
