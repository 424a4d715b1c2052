# SPDX-License-Identifier: BSD-3-Clause
"""Fewer multiplications: constant factors of products and quotients are drawn together, to rounding the same value."""

from __future__ import annotations

import math

from pyharness.veriloga.graph import ONE, Expr, apply, constant, nodes_of

__all__ = ("simplify",)

_Scaled = tuple[float, Expr]  # a constant factor and the rest, which carries none


def _constant_factor(e: Expr) -> bool:
    return e.op == "const" or (e.op == "mul" and e.args[0].op == "const")


def _join(factor: float, rest: Expr) -> Expr:
    """Return factor * rest, put into a sum whose terms both have a constant factor already."""
    if factor == 1:
        return rest
    if rest is ONE:
        return constant(factor)
    if rest.op in ("add", "sub") and all(_constant_factor(a) for a in rest.args):
        return apply(rest.op, *(_join(factor * f, r) for f, r in map(_split, rest.args)))
    return apply("neg", rest) if factor == -1 else apply("mul", constant(factor), rest)


def _split(e: Expr) -> _Scaled:
    if e.op == "const":
        return e.value, ONE
    if e.op == "mul" and e.args[0].op == "const":
        return e.args[0].value, e.args[1]
    return 1.0, e


def _scaled(x: Expr, done: dict[Expr, _Scaled]) -> _Scaled:
    if x.op == "const":
        return x.value, ONE
    parts = [done[a] for a in x.args]
    match x.op:
        case "neg":
            return -parts[0][0], parts[0][1]
        case "mul" if math.isfinite(parts[0][0] * parts[1][0]):
            return parts[0][0] * parts[1][0], apply("mul", parts[0][1], parts[1][1])
        case "div" if parts[1][0] != 0 and math.isfinite(parts[0][0] / parts[1][0]):
            return parts[0][0] / parts[1][0], apply("div", parts[0][1], parts[1][1])
        case "add" | "sub" if parts[0][0] == parts[1][0] and ONE not in (parts[0][1], parts[1][1]):
            return parts[0][0], apply(x.op, parts[0][1], parts[1][1])
    return 1.0, apply(x.op, *(_join(*p) for p in parts), name=x.name) if x.args else x


def simplify(e: Expr) -> Expr:
    """Return ``e`` with constant factors drawn together; values change by rounding only."""
    done: dict[Expr, _Scaled] = {}
    for x in nodes_of([e]):
        done[x] = _scaled(x, done)
    return _join(*done[e])
