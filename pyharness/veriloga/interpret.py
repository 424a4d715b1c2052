# SPDX-License-Identifier: BSD-3-Clause
"""Run the analog block with symbols for values: what it contributes is the model's equations.

Whatever would make one evaluation depend on the one before is refused here.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from lark import Token, Tree

from pyharness.veriloga import graph
from pyharness.veriloga.expressions import BranchState, Expressions
from pyharness.veriloga.graph import ONE, ZERO, Expr, apply, constant
from pyharness.veriloga.module import OperatingPoint
from pyharness.veriloga.symbols import Function
from pyharness.veriloga.values import UNDEFINED, Partial, Start, Value, join

__all__ = ("Interpreter",)

_MAX_STEPS = 20_000
_ENDS = ("$error", "$fatal", "$finish", "$stop")
_MESSAGES = ("$strobe", "$display", "$write", "$monitor", "$debug", "$info", "$warning", "$discontinuity")


def _only_tasks(tree: Any) -> bool:
    """Return whether a statement does nothing but print."""
    if not isinstance(tree, Tree):
        return True
    if tree.data == "block":
        return all(_only_tasks(c) for c in tree.children)
    return tree.data == "nothing" or (tree.data == "task" and str(tree.children[0]) in _MESSAGES)


class Interpreter(Expressions):
    """Runs statements: assignments change the values, contributions the branches."""

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
            held = self.values[v.name]
            value = held if isinstance(held, Expr) else self.of_parameters(held)
            if v.output and value is None:
                raise self.error(
                    self.tokens[v.name],
                    f"operating-point variable '{v.name}' is not assigned on every path: assign it before the conditions",
                )
            if v.output and isinstance(value, Expr):
                quiet = {x: ZERO for x in graph.nodes_of([value]) if x.op == "noise"}
                value = graph.replace(value, quiet)
                found.append(OperatingPoint(v.name, value, v.units, v.desc, v.multiplicity))
        return tuple(found)

    @staticmethod
    def of_parameters(value: Value) -> Expr | None:
        """Return an output's value where parameters alone decide whether it is assigned, 0 where it is not; else None."""
        if isinstance(value, Start):
            return value.value
        result = ZERO
        for conditions, one in value.cases if isinstance(value, Partial) else ():
            if any(graph.uses(c, *graph.VARYING) for c in conditions):
                return None
            for c in conditions:
                one = apply("select", c, one, ZERO)
            result = apply("add", result, one)  # of the cases one holds at most
        return result

    def replace_outputs(self, f: Any) -> None:
        """Apply ``f`` to the values of the operating-point variables."""
        for v in self.symbols.variables.values():
            value = self.values[v.name]
            if v.output and isinstance(value, Expr):
                self.values[v.name] = f(value)

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

    def do_assignment(self, tree: Any) -> None:
        token, right = tree.children
        self.store(token, self.expr(right), self.is_integer(right))

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
            self.states = {name: replace(s, current=ZERO, potential=ZERO) for name, s in outer.items()}
            self.conditions.append(sense)
            if arm is not None:
                arm() if callable(arm) else self.statement(arm)
            self.conditions.pop()
            results.append((self.values, self.states))
        (then_values, then_states), (else_values, else_states) = results
        self.values = {}
        for name in before:
            self.values[name] = join(condition, then_values[name], else_values[name])
        self.states = outer
        for name in [*then_states, *(n for n in else_states if n not in then_states)]:
            some = then_states.get(name) or else_states[name]
            a_state = then_states.get(name) or BranchState(some.plus, some.minus, some.place)
            b_state = else_states.get(name) or BranchState(some.plus, some.minus, some.place)
            target = outer.setdefault(name, BranchState(some.plus, some.minus, some.place))
            target.probed |= a_state.probed or b_state.probed
            target.contributed |= a_state.contributed or b_state.contributed
            target.flowed |= a_state.flowed or b_state.flowed
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
        if graph.undefined(value):
            raise self.error(
                token,
                "this contribution divides by the number 0, or combines numbers to a value that is not finite: correct them",
            )
        value = apply("neg", value) if sign < 0 else value
        state.contributed = True
        if kind == "flow":
            if state.flowed and state.is_potential is not ZERO:
                raise self.error(
                    token,
                    "this branch had a flow, then a potential, and goes back to a flow, which would discard both: contribute "
                    "one of them in each arm of an if",
                )
            state.flowed = True
            state.is_potential = ZERO
            state.current = apply("add", state.current, value)
        else:
            state.is_potential = ONE
            state.potential = apply("add", state.potential, value)

    def do_event(self, tree: Any) -> None:
        *terms, body = tree.children
        names = [str(t.children[0]) for t in terms]
        if set(names) == {"initial_step"} and not self.calls:
            outer, self.initial, before = self.initial, True, dict(self.values)
            self.statement(body)
            self.initial = outer
            for key, value in self.values.items():  # a later evaluation would find the value of this or of a later one
                if value is not before.get(key) and key in self.symbols.assigned:
                    self.values[key] = UNDEFINED
            return
        if set(names) == {"final_step"} and not self.calls and _only_tasks(body):
            self.unheeded.append(f"{self.symbols.place(tree)}: @(final_step)")
            return
        name = next(n for n in names if n != "initial_step")
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
        if str(token) in _ENDS:
            self.refuse_parameters(tree, str(token), given)
        elif str(token) in _MESSAGES:
            self.unheeded.append(f"{self.symbols.place(tree)}: {token}")
        else:
            raise self.functions.refused(tree, str(token))

    def refuse_parameters(self, tree: Any, task: str, given: list[Any]) -> None:
        """Note what ends the simulation under conditions on parameters: such parameters are refused instead."""
        text = " ".join([task, *self.functions.texts(given)])
        if any(graph.uses(c, *graph.VARYING) for c in self.conditions):
            self.unheeded.append(f"{self.symbols.place(tree)}: {task} under a condition that changes")
            return
        met = ONE
        for condition in self.conditions:
            met = apply("and", met, condition)
        self.assertions.append((met, text, self.symbols.place(tree)))

    def call(self, token: Any, function: Function, given: list[Any]) -> Expr:
        """Run an analog function in place; outputs are assigned to the caller's variables."""
        if function.name in self.calls:
            raise self.error(token, f"analog function '{function.name}' calls itself: write a loop")
        if len(given) != len(function.arguments):
            raise self.error(token, f"{function.name}() takes {len(function.arguments)} arguments, got {len(given)}")
        values: list[tuple[Expr, bool] | None] = []
        for (_, direction), argument in zip(function.arguments, given, strict=True):
            if direction != "input" and not (isinstance(argument, Tree) and argument.data == "name"):
                raise self.error(token, f"an {direction} of {function.name}() must be given a variable")
            values.append((self.expr(argument), self.is_integer(argument)) if direction != "output" else None)
        self.serial += 1
        frame = f"{function.name}#{self.serial}"
        scopes, self.scopes = self.scopes, [{}]
        for name, kind in function.variables.items():
            self.declare(Token("ID", name), kind, function.starts.get(name), f"{frame}.{name}")
            started = self.values[f"{frame}.{name}"]
            if isinstance(started, Start):
                self.values[f"{frame}.{name}"] = started.value
            self.tokens[f"{frame}.{name}"] = token
        self.values[f"{frame}.{function.name}"] = ZERO  # LRM: the return value starts at zero
        for (name, _), value in zip(function.arguments, values, strict=True):
            if value is not None:
                self.store(Token("ID", name), *value)
        self.calls.append(function.name)
        self.statement(function.body)
        self.calls.pop()
        result = self.values[f"{frame}.{function.name}"]
        returned = [name for name, direction in function.arguments if direction != "input"]
        outputs = [(self.values[f"{frame}.{name}"], function.variables[name] == "integer") for name in returned]
        self.forget(self.scopes[0])
        self.scopes = scopes
        targets = [a for (_, d), a in zip(function.arguments, given, strict=True) if d != "input"]
        for argument, (output, is_integer) in zip(targets, outputs, strict=True):
            if not isinstance(output, Expr):
                raise self.error(token, f"{function.name}() leaves an output unassigned on some path: assign it")
            self.store(argument.children[0], output, is_integer)
        if not isinstance(result, Expr):
            raise self.error(token, f"{function.name}() leaves its value unassigned on some path: assign it")
        return result
