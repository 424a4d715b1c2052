# SPDX-License-Identifier: BSD-3-Clause
"""What a variable holds while the analog block is run with symbols: a value, nothing, or a value on some paths only."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from pyharness.veriloga.graph import Expr, apply

__all__ = ("UNDEFINED", "Partial", "Start", "Undefined", "Value", "join", "settle", "spread")

_MOST_CASES = 40


class Undefined:
    """A variable that holds no value of this evaluation: reading it would be hidden state."""


@dataclass(frozen=True)
class Partial:
    """A variable assigned on some paths only: each value with the conditions under which it holds."""

    cases: tuple[tuple[frozenset[Expr], Expr], ...]


@dataclass(frozen=True)
class Start:
    """The value a variable has before the first assignment: harmless where there is no assignment."""

    value: Expr


UNDEFINED = Undefined()
Value = Expr | Undefined | Start | Partial


def _truth(condition: Expr, known: frozenset[Expr]) -> bool | None:
    """Return whether ``known`` conditions decide ``condition``, and how."""
    if condition in known:
        return True
    if apply("not", condition) in known:
        return False
    match condition.op:
        case "not":
            inner = _truth(condition.args[0], known)
            return None if inner is None else not inner
        case "and" | "or":
            parts = [_truth(a, known) for a in condition.args]
            decisive = condition.op == "or"
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        case "eq" if condition.args[1].op == "const":  # a value that equals one number equals no other
            same = (k for k in known if k.op == "eq" and k.args[0] is condition.args[0] and k.args[1].op == "const")
            return False if any(k.args[1] is not condition.args[1] for k in same) else None
    return None


def spread(conditions: Iterable[Expr]) -> frozenset[Expr]:
    """Return the conditions with each conjunction taken apart."""
    found: set[Expr] = set()
    stack = list(conditions)
    while stack:
        c = stack.pop()
        found.add(c)
        inner = c.args[0] if c.op == "not" else c
        if c.op == "and":
            stack.extend(c.args)
        elif c.op == "not" and inner.op == "or":
            stack.extend(apply("not", a) for a in inner.args)
    return frozenset(found)


def settle(cases: Iterable[tuple[frozenset[Expr], Expr]], known: frozenset[Expr] = frozenset()) -> Value:
    """Return what a variable's cases amount to where the conditions ``known`` hold."""
    left: list[tuple[frozenset[Expr], Expr]] = []
    for conditions, value in cases:
        truths = {c: _truth(c, known) for c in conditions}
        if False not in truths.values():
            left.append((frozenset(c for c, t in truths.items() if t is None), value))
    merged = True
    while merged and len(left) > 1:  # two cases that differ in one condition's sense are one value
        merged = False
        for i, j in itertools.combinations(range(len(left)), 2):
            (first, a), (second, b) = left[i], left[j]
            only, other = first - second, second - first
            if len(only) == len(other) == 1 and apply("not", next(iter(only))) is next(iter(other)):
                whole = (first & second, apply("select", next(iter(only)), a, b))
                left = [c for k, c in enumerate(left) if k not in (i, j)] + [whole]
                merged = True
                break
    for conditions, value in left:
        if not conditions:
            return value
    return Partial(tuple(left)) if 0 < len(left) <= _MOST_CASES else UNDEFINED


def join(condition: Expr, a: Value, b: Value) -> Value:
    """Return a variable's value behind an ``if``: ``a`` where ``condition`` holds, else ``b``."""
    if a is b:
        return a
    if isinstance(a, Expr) and isinstance(b, Expr):
        return apply("select", condition, a, b)
    cases: list[tuple[frozenset[Expr], Expr]] = []
    for value, sense in ((a, condition), (b, apply("not", condition))):
        if isinstance(value, Expr):
            cases.append((frozenset((sense,)), value))
        elif isinstance(value, Partial):
            cases += [(conditions | {sense}, one) for conditions, one in value.cases]
    return settle(cases)
