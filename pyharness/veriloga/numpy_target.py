# SPDX-License-Identifier: BSD-3-Clause
"""Target: NumPy functions, vectorised over devices and operating points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyharness.errors import VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.graph import Expr, derivative
from pyharness.veriloga.module import Module

__all__ = ("NumpyModel", "compile_numpy")

Array = NDArray[np.float64]
_ROOM_TEMPERATURE_K = 300.15
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "=="}
_CALLS = {
    "exp": "exp", "ln": "log", "log": "log10", "sqrt": "sqrt", "abs": "abs", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "floor": "floor", "ceil": "ceil", "pow": "power",
    "min": "minimum", "max": "maximum", "atan2": "arctan2", "hypot": "hypot",
}  # fmt: skip


@dataclass(frozen=True)
class NumpyModel:
    """A two-terminal model with one internal state node.

    All arguments broadcast against each other: ``v`` is the terminal voltage in volt, ``s`` the state node's voltage in
    volt (for msdc the on-state fraction minus ``x0``), keywords are the instance parameters.
    """

    module: Module
    _evaluate: Callable[..., tuple[Any, ...]]
    instance_parameters: Mapping[str, float]

    def _all(self, v: ArrayLike, s: ArrayLike, instance: Mapping[str, ArrayLike]) -> list[Array]:
        values = {**self.instance_parameters, **instance}
        volts, states = np.asarray(v, float), np.asarray(s, float)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return [np.asarray(x, float) for x in self._evaluate(volts, states, **values)]

    def current(self, v: ArrayLike, s: ArrayLike, **instance: ArrayLike) -> Array:
        """Return the current into the positive terminal in ampere."""
        return self._all(v, s, instance)[0]

    def rate(self, v: ArrayLike, s: ArrayLike, **instance: ArrayLike) -> Array:
        """Return d(s)/dt in volt per second."""
        return self._all(v, s, instance)[1]

    def jacobian(self, v: ArrayLike, s: ArrayLike, **instance: ArrayLike) -> Array:
        """Return [[dI/dv, dI/ds], [drate/dv, drate/ds]] on the two leading axes."""
        values = [
            np.broadcast_arrays(x, np.asarray(v, float) + np.asarray(s, float))[0]
            for x in self._all(v, s, instance)[2:]
        ]
        return np.array([[values[0], values[1]], [values[2], values[3]]])


def _source(roots: list[Expr]) -> str:
    names: dict[int, str] = {}
    lines = []
    for i, e in enumerate(graph.nodes_of(roots)):
        a = [names[id(x)] for x in e.args]
        match e.op:
            case "const":
                text = repr(e.value)
            case "param" | "volt":
                text = e.name
            case "neg":
                text = f"-{a[0]}"
            case "and":
                text = f"np.logical_and({a[0]}, {a[1]}) * 1.0"
            case "or":
                text = f"np.logical_or({a[0]}, {a[1]}) * 1.0"
            case "not":
                text = f"np.logical_not({a[0]}) * 1.0"
            case "select":
                text = f"np.where({a[0]}, {a[1]}, {a[2]})"
            case "limexp":
                text = f"np.where({a[0]} < 80, np.exp(np.minimum({a[0]}, 80)), np.exp(80.0) * ({a[0]} - 79))"
            case op if op in _INFIX:
                text = f"{a[0]} {_INFIX[op]} {a[1]}"
            case op:
                text = f"np.{_CALLS[op]}({', '.join(a)})"
        names[id(e)] = f"t{i}"
        lines.append(f"    t{i} = {text}")
    return "\n".join([*lines, f"    return ({', '.join(names[id(r)] for r in roots)},)"])


def compile_numpy(
    module: Module, parameters: Mapping[str, object], instance_parameters: tuple[str, ...] = ()
) -> NumpyModel:
    """Compile a two-terminal module with one state node, its charge linear, into NumPy functions.

    Args:
        module: the compiled module.
        parameters: values; the others keep their defaults.
        instance_parameters: parameters that stay arguments of the functions.

    Raises:
        ConfigError: an unknown parameter or a value out of range.
        VerilogAError: the module has another shape.
    """
    values = module.check_parameters(parameters)
    fixed = {k: v for k, v in values.items() if k not in instance_parameters}
    if len(module.ports) != 2 or len(module.internal_nodes) != 1:
        raise VerilogAError(
            f"{module.file}:1:1: NumPy functions need two ports and one internal node, "
            f"got {len(module.ports)} and {len(module.internal_nodes)}"
        )
    (plus, minus), (state,) = module.ports, module.internal_nodes
    current = flow = charge = graph.ZERO
    for c in module.with_parameters(fixed):
        if (c.plus, c.minus) == (plus, minus) and c.charge is graph.ZERO:
            current = graph.apply("add", current, c.current)
        elif (c.plus, c.minus) == (state, "0"):
            flow = graph.apply("add", flow, c.current)
            charge = graph.apply("add", charge, c.charge)
        else:
            raise VerilogAError(f"{module.file}:1:1: a current from {c.plus} to {c.minus} has no NumPy form")
    capacitance = derivative(charge, state)
    if any(x.op == "volt" for x in graph.nodes_of([capacitance])) or capacitance is graph.ZERO:
        raise VerilogAError(f"{module.file}:1:1: the charge of {state} must be a constant times V({state})")
    rate = graph.apply("neg", graph.apply("div", flow, capacitance))

    def settle(e: Expr) -> Expr:
        e = graph.substitute_leaf(e, "static", graph.ZERO)
        e = graph.substitute_leaf(e, "temperature", graph.constant(_ROOM_TEMPERATURE_K))
        return graph.replace_node(e, minus, graph.ZERO)

    current, rate = settle(current), settle(rate)
    roots = [current, rate, *(derivative(f, node) for f in (current, rate) for node in (plus, state))]
    text = f"def evaluate({', '.join([plus, state, *instance_parameters])}):\n{_source(roots)}\n"
    scope: dict[str, Any] = {"np": np}
    # the text is made of checked identifiers, numbers and the names in this file
    exec(compile(text, f"<{module.name} for NumPy>", "exec"), scope)
    return NumpyModel(module, scope["evaluate"], {k: values[k] for k in instance_parameters})
