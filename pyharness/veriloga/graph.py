# SPDX-License-Identifier: BSD-3-Clause
"""Expressions as a shared graph: equal expressions are one object, constants are folded, derivatives are exact."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

__all__ = (
    "FUNCTIONS",
    "LIMEXP_KNEE",
    "ONE",
    "STEPS",
    "TRUTHS",
    "VARYING",
    "ZERO",
    "Expr",
    "apply",
    "constant",
    "derivative",
    "leaf",
    "nodes_of",
    "parameter",
    "replace",
    "substitute",
    "total",
    "undefined",
    "uses",
    "voltage",
)


@dataclass(frozen=True, eq=False)
class Expr:
    """One operation.

    ``op`` is ``const`` (its ``value``), a leaf (``param``, ``given``, ``volt``, ``flow``, each with its ``name``; ``static``,
    ``ac``, ``noise_run``, ``abstime``, ``temperature``, ``mfactor``), ``ddt`` (time derivative), ``noise`` (the source
    ``name``), an operator of :data:`_OPERATORS` or a function of :data:`FUNCTIONS`.  Truth values are 1 and 0.  ``static``
    is 1 in an operating point, ``ac`` in a small-signal analysis, ``noise_run`` in a noise analysis, else 0; ``given`` is 1
    when the parameter was set; ``volt`` is a node's potential against ground; ``flow`` the current of a branch.
    """

    op: str
    args: tuple[Expr, ...] = ()
    value: float = 0.0
    name: str = ""


_interned: dict[tuple[object, ...], Expr] = {}


def _make(op: str, args: tuple[Expr, ...] = (), value: float = 0.0, name: str = "") -> Expr:
    # a float key would join 0.0 and -0.0
    key = (op, tuple(id(a) for a in args), math.copysign(1, value), value, name)
    found = _interned.get(key)
    if found is None:
        found = _interned[key] = Expr(op, args, value, name)
    return found


def constant(value: float) -> Expr:
    """Return the constant ``value``."""
    return _make("const", value=float(value))


def leaf(op: str, name: str = "") -> Expr:
    """Return an operation without arguments: ``static``, ``abstime``, ``temperature``, ``param`` ``volt`` ..."""
    return _make(op, name=name)


def parameter(name: str) -> Expr:
    """Return the parameter ``name``."""
    return _make("param", name=name)


def voltage(node: str) -> Expr:
    """Return the potential of ``node`` against ground; ground's own is 0."""
    return _make("volt", name=node) if node != "0" else ZERO


ZERO, ONE = constant(0), constant(1)

LIMEXP_KNEE = math.log(1e30)
"""Argument above which limexp() goes on as a straight line; the value at the knee is 1e30, as in OpenVAF."""


def _limexp(x: float) -> float:
    return math.exp(x) if x < LIMEXP_KNEE else 1e30 * (1 + x - LIMEXP_KNEE)


_OPERATORS: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "lt": lambda a, b: float(a < b),
    "le": lambda a, b: float(a <= b),
    "eq": lambda a, b: float(a == b),
    "and": lambda a, b: float(bool(a) and bool(b)),
    "or": lambda a, b: float(bool(a) or bool(b)),
    "not": lambda a: float(not a),
    "select": lambda c, a, b: a if c else b,
    "trunc": lambda x: float(math.trunc(x)),
}

FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "exp": (1, math.exp),
    "limexp": (1, _limexp),
    "ln": (1, math.log),
    "log": (1, math.log10),
    "sqrt": (1, math.sqrt),
    "abs": (1, abs),
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "tan": (1, math.tan),
    "asin": (1, math.asin),
    "acos": (1, math.acos),
    "atan": (1, math.atan),
    "sinh": (1, math.sinh),
    "cosh": (1, math.cosh),
    "tanh": (1, math.tanh),
    "asinh": (1, math.asinh),
    "acosh": (1, math.acosh),
    "atanh": (1, math.atanh),
    "floor": (1, lambda x: float(math.floor(x))),
    "ceil": (1, lambda x: float(math.ceil(x))),
    "pow": (2, math.pow),
    "min": (2, min),
    "max": (2, max),
    "atan2": (2, math.atan2),
    "hypot": (2, math.hypot),
}
"""Name -> (number of arguments, value): the math functions of Verilog-A."""

VARYING = ("volt", "flow", "static", "ac", "noise_run", "abstime", "ddt", "noise")
"""Operations that may differ from one evaluation to the next."""

TRUTHS = ("lt", "le", "eq", "and", "or", "not", "static", "ac", "noise_run", "given")
"""Operations whose value is 0 or 1."""

STEPS = ("lt", "le", "eq", "and", "or", "not", "floor", "ceil", "trunc")
"""Operations whose slope is 0 though their value changes."""


def _is(e: Expr, value: float) -> bool:
    return e.op == "const" and e.value == value


def _fold(op: str, args: tuple[Expr, ...]) -> Expr | None:
    if op != "select" and all(a.op == "const" for a in args):
        function = _OPERATORS.get(op) or FUNCTIONS[op][1]
        try:
            result = function(*(a.value for a in args))
        except (ArithmeticError, ValueError):
            return None  # left for the simulator: an arm that is never taken may not be defined
        return constant(result) if math.isfinite(result) else None
    a = args[0]
    b = args[1] if len(args) > 1 else a
    if op == "add":
        return b if _is(a, 0) else a if _is(b, 0) else None
    if op == "sub":
        return a if _is(b, 0) else apply("neg", b) if _is(a, 0) else ZERO if a is b else None
    if op == "mul":
        if _is(a, 0) or _is(b, 0):
            return ZERO
        return b if _is(a, 1) else a if _is(b, 1) else None
    if op == "div":
        return ZERO if _is(a, 0) and not _is(b, 0) else a if _is(b, 1) else None
    if op == "neg" and a.op == "neg":
        return a.args[0]
    if op == "not" and a.op == "not" and a.args[0].op in TRUTHS:
        return a.args[0]
    if op == "pow" and _is(b, 1):
        return a
    if op == "select":
        if a.op == "const":
            return args[1] if a.value else args[2]
        return args[1] if args[1] is args[2] else None
    if op == "and":
        if _is(a, 0) or _is(b, 0):
            return ZERO
        for one, other in ((a, b), (b, a)):
            if one.op == "const" and other.op in TRUTHS:
                return other
        return a if a is b and a.op in TRUTHS else None
    if op == "or":
        if any(x.op == "const" and x.value for x in (a, b)):
            return ONE
        return b if _is(a, 0) and b.op in TRUTHS else a if _is(b, 0) and a.op in TRUTHS else None
    return None


def apply(op: str, *args: Expr, name: str = "") -> Expr:
    """Return ``op`` applied to ``args``, folded where that is exact."""
    if op == "noise":
        return _make(op, args, name=name)
    folded = _fold(op, args) if op != "ddt" else ZERO if args[0].op == "const" else None
    return folded if folded is not None else _make(op, args)


def total(terms: Iterable[Expr]) -> Expr:
    """Return the sum of ``terms``."""
    result = ZERO
    for term in terms:
        result = apply("add", result, term)
    return result


def nodes_of(roots: Iterable[Expr]) -> list[Expr]:
    """Return every operation under ``roots`` once, arguments before their users."""
    seen: set[int] = set()
    order: list[Expr] = []
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        x, expanded = stack.pop()
        if expanded:
            order.append(x)
        elif id(x) not in seen:
            seen.add(id(x))
            stack.append((x, True))
            stack.extend((a, False) for a in reversed(x.args))
    return order


def replace(e: Expr, leaves: Mapping[Expr, Expr]) -> Expr:
    """Return ``e`` with operations replaced, folded anew."""
    if not e.args:
        return leaves.get(e, e)
    done: dict[Expr, Expr] = {}
    for x in nodes_of([e]):
        if x in leaves:
            done[x] = leaves[x]
        else:
            done[x] = apply(x.op, *(done[a] for a in x.args), name=x.name) if x.args else x
    return done[e]


def substitute(e: Expr, values: Mapping[str, Expr]) -> Expr:
    """Return ``e`` with the named parameters replaced, folded anew."""
    return replace(e, {parameter(name): value for name, value in values.items()})


def uses(e: Expr, *ops: str) -> bool:
    """Return whether ``e`` holds one of the operations ``ops``."""
    return any(x.op in ops for x in nodes_of([e]))


def undefined(e: Expr) -> bool:
    """Return whether ``e`` holds an operation on numbers without a finite value, or a division by the number 0."""
    return any(
        (x.op == "const" and not math.isfinite(x.value))
        or (x.op == "div" and _is(x.args[1], 0))
        or (x.args and x.op != "noise" and all(a.op == "const" for a in x.args))
        for x in nodes_of([e])
    )


_derivatives: dict[tuple[Expr, Expr], Expr] = {}


def derivative(e: Expr, unknown: Expr) -> Expr:
    """Return the partial derivative of ``e`` by the leaf ``unknown``."""
    for x in nodes_of([e]):
        if (x, unknown) not in _derivatives:
            _derivatives[x, unknown] = _derivative(x, unknown)
    return _derivatives[e, unknown]


def _derivative(e: Expr, unknown: Expr) -> Expr:
    if e is unknown:
        return ONE
    if not e.args or e.op in STEPS:
        return ZERO
    d = [_derivatives[a, unknown] for a in e.args]
    if all(x is ZERO for x in d):
        return ZERO
    a = e.args[0]
    b = e.args[1] if len(e.args) > 1 else a
    match e.op:
        case "add" | "sub":
            return apply(e.op, *d)
        case "neg":
            return apply("neg", d[0])
        case "mul":
            return apply("add", apply("mul", d[0], b), apply("mul", a, d[1]))
        case "div":
            return apply("div", apply("sub", d[0], apply("mul", e, d[1])), b)
        case "select":
            return apply("select", a, d[1], d[2])
        case "min" | "max":
            first = apply("le", a, b) if e.op == "min" else apply("le", b, a)
            return apply("select", first, d[0], d[1])
        case "pow":
            left = apply("mul", apply("mul", b, apply("pow", a, apply("sub", b, ONE))), d[0])
            if d[1] is ZERO:
                return left
            return apply("add", left, apply("mul", apply("mul", e, apply("ln", a)), d[1]))
        case "atan2":
            square = apply("add", apply("mul", a, a), apply("mul", b, b))
            return apply("div", apply("sub", apply("mul", b, d[0]), apply("mul", a, d[1])), square)
        case "hypot":
            return apply("div", apply("add", apply("mul", a, d[0]), apply("mul", b, d[1])), e)
    return apply("mul", _outer(e, a), d[0])


def _outer(e: Expr, a: Expr) -> Expr:
    """Return the derivative of a function of one argument by that argument."""
    one_minus = apply("sub", ONE, apply("mul", a, a))
    match e.op:
        case "exp":
            return e
        case "limexp":
            return apply("exp", apply("min", a, constant(LIMEXP_KNEE)))
        case "ln":
            return apply("div", ONE, a)
        case "log":
            return apply("div", constant(1 / math.log(10)), a)
        case "sqrt":
            return apply("div", constant(0.5), e)
        case "abs":
            return apply("select", apply("lt", a, ZERO), constant(-1), ONE)
        case "sin":
            return apply("cos", a)
        case "cos":
            return apply("neg", apply("sin", a))
        case "tan":
            return apply("add", ONE, apply("mul", e, e))
        case "asin":
            return apply("div", ONE, apply("sqrt", one_minus))
        case "acos":
            return apply("div", constant(-1), apply("sqrt", one_minus))
        case "atan":
            return apply("div", ONE, apply("add", ONE, apply("mul", a, a)))
        case "sinh":
            return apply("cosh", a)
        case "cosh":
            return apply("sinh", a)
        case "tanh":
            return apply("sub", ONE, apply("mul", e, e))
        case "asinh":
            return apply("div", ONE, apply("sqrt", apply("add", apply("mul", a, a), ONE)))
        case "acosh":
            return apply("div", ONE, apply("sqrt", apply("sub", apply("mul", a, a), ONE)))
        case "atanh":
            return apply("div", ONE, one_minus)
    raise AssertionError(f"no derivative of {e.op}")
