# SPDX-License-Identifier: BSD-3-Clause
"""From contributions to equations: time derivatives and noise taken out of the expressions they stand in."""

from __future__ import annotations

from pyharness.veriloga import graph
from pyharness.veriloga.graph import ONE, ZERO, Expr, apply, leaf, voltage
from pyharness.veriloga.interpret import Interpreter
from pyharness.veriloga.module import Branch, Noise

__all__ = ("lower",)

_STATIC = leaf("static")
# value, charge, noise source -> its factor
_Parts = tuple[Expr, Expr, dict[Expr, Expr]]


def _combine(x: Expr, parts: dict[Expr, _Parts]) -> _Parts | None:
    """Return the parts of ``x`` from those of its arguments; None where its time derivatives are not linear in it."""
    moving = [a for a in x.args if parts[a][1] is not ZERO or parts[a][2]]
    if not moving:
        return x, ZERO, {}
    if x.op in ("add", "sub", "neg"):
        values, charges, _ = zip(*(parts[a] for a in x.args), strict=True)
        factors: dict[Expr, Expr] = {}
        for position, a in enumerate(x.args):
            for source, factor in parts[a][2].items():
                factor = apply("neg", factor) if x.op == "neg" or position else factor
                if x.op == "add":
                    factor = parts[a][2][source]
                factors[source] = apply("add", factors.get(source, ZERO), factor)
        return apply(x.op, *values), apply(x.op, *charges), factors
    if x.op in ("mul", "div") and len(moving) == 1 and (x.op == "mul" or moving[0] is x.args[0]):
        factor = x.args[1] if x.args[0] is moving[0] else x.args[0]
        value, charge, noises = parts[moving[0]]
        if factor is moving[0] or (charge is not ZERO and graph.uses(factor, *graph.VARYING)):
            return None
        scaled = {source: apply(x.op, f, factor) for source, f in noises.items()}
        return apply(x.op, value, factor), apply(x.op, charge, factor), scaled
    if x.op == "select" and x.args[0] not in moving:
        condition, a, b = x.args
        (va, qa, na), (vb, qb, nb) = parts[a], parts[b]
        value = apply("select", condition, va, vb)
        factors = {s: apply("select", condition, na.get(s, ZERO), nb.get(s, ZERO)) for s in {**na, **nb}}
        if condition is _STATIC or condition is apply("not", _STATIC):  # at rest a charge has no current
            return value, qb if condition is _STATIC else qa, factors
        if (qa is not ZERO or qb is not ZERO) and graph.uses(condition, *graph.VARYING):
            return None
        return value, apply("select", condition, qa, qb), factors
    return None


class _Lowering:
    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.symbols = interpreter.symbols
        self.derivatives: dict[Expr, Expr] = {}  # ddt() -> the potential that stands for it
        self.extra: list[Branch] = []

    def own_node(self, derivative: Expr) -> Expr:
        """Return the potential of a node that is held at ``derivative``, a ddt()."""
        if derivative not in self.derivatives:
            node = self.symbols.new_node("ddt")
            self.derivatives[derivative] = voltage(node)
            charge = apply("neg", self.without_derivatives(derivative.args[0]))
            self.extra.append(
                Branch(f"{node}_gnd", node, "0", ZERO, voltage(node), charge, ZERO, ZERO, "", self.symbols.place(None))
            )
        return self.derivatives[derivative]

    def without_derivatives(self, e: Expr) -> Expr:
        found = [x for x in graph.nodes_of([e]) if x.op == "ddt"]
        # an inner ddt() is replaced while its outer one is built
        outer = {x: self.own_node(x) for x in found}
        return graph.replace(e, outer) if outer else e

    def parts(self, e: Expr, place: str) -> _Parts:
        parts: dict[Expr, _Parts] = {}
        for x in graph.nodes_of([e]):
            if x.op == "ddt":
                held = graph.uses(x.args[0], "ddt")
                parts[x] = (ZERO, self.without_derivatives(x.args[0]) if held else x.args[0], {})
            elif x.op == "noise":
                parts[x] = (ZERO, ZERO, {x: ONE})
            else:
                found = _combine(x, parts)
                if found is None:
                    return self.implicit(e, place)
                parts[x] = found
        return parts[e]

    def implicit(self, e: Expr, place: str) -> _Parts:
        plain = self.without_derivatives(e)
        if plain is e:
            raise self.interpreter.fault(
                place, "noise must be added to a contribution, or multiplied: take it out of functions and conditions"
            )
        return self.parts(plain, place)


def lower(interpreter: Interpreter) -> tuple[tuple[Branch, ...], tuple[Noise, ...], tuple[Expr, ...]]:
    """Return the branches, the noise sources and the asked time steps of an interpreted module.

    A ddt() that is a term of a contribution, with a constant factor at most, becomes a charge or flux; any other gets a
    node of its own.
    """
    low = _Lowering(interpreter)
    branches: list[Branch] = []
    noises: list[Noise] = []
    for name, b in interpreter.contributions().items():
        current, charge, current_noise = low.parts(b.current, b.place)
        potential, flux, potential_noise = low.parts(b.potential, b.place)
        flow = name if b.probed or b.is_potential is not ZERO else ""
        mode = low.without_derivatives(b.is_potential)
        branches.append(Branch(name, b.plus, b.minus, mode, current, charge, potential, flux, flow, b.place))
        for source, factor in {**current_noise, **potential_noise}.items():
            psd = apply("mul", apply("mul", factor, factor), low.without_derivatives(source.args[0]))
            label, place = interpreter.noise_labels[source.name]
            noises.append(Noise(label, name, psd, source.args[1], place))
    steps = tuple(low.without_derivatives(e) for e in interpreter.bound_steps)
    interpreter.replace_outputs(low.without_derivatives)
    return (*branches, *low.extra), tuple(noises), steps
