# SPDX-License-Identifier: BSD-3-Clause
"""Target: NumPy functions, vectorised over devices and operating points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyharness.errors import VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.graph import LIMEXP_KNEE, Expr, derivative, voltage
from pyharness.veriloga.module import ROOM_TEMPERATURE_K, Module
from pyharness.veriloga.state_form import moving, state_form
from pyharness.veriloga.system import System, equations

__all__ = ("NumpyModel", "compile_numpy", "numpy_source")

Array = NDArray[np.float64]
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "=="}
_CALLS = {
    "exp": "exp", "ln": "log", "log": "log10", "sqrt": "sqrt", "abs": "abs", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "floor": "floor", "ceil": "ceil", "pow": "power",
    "min": "minimum", "max": "maximum", "atan2": "arctan2", "hypot": "hypot", "trunc": "trunc",
    "and": "logical_and", "or": "logical_or", "not": "logical_not",
}  # fmt: skip
_PREFIX = {"param": "p_", "volt": "v_", "flow": "i_"}


@dataclass(frozen=True)
class NumpyModel:
    """A module's functions.

    Arguments broadcast against each other.  Keywords are the free parameters, ``temperature`` in kelvin (default 300.15)
    and ``abstime`` in seconds (default 0).  Where a function takes ``v`` and ``s``, the module has two ports and one
    state node or more: ``v`` is the voltage from the first port to the second in volt, ``s`` the state nodes' voltages in
    volt (with several, on the leading axis); for msdc, the on-state fraction minus ``x0``.  ``other_form`` says why there
    is no such function, with the place in the source; empty where there is.
    """

    module: Module
    system: System
    free: Mapping[str, float]
    source: str
    other_form: str
    _functions: Mapping[str, Callable[..., tuple[Any, ...]]]

    def _call(self, function: str, unknowns: Sequence[ArrayLike], given: Mapping[str, ArrayLike]) -> list[Array]:
        values = {"temperature": ROOM_TEMPERATURE_K, "abstime": 0.0, **self.free, **given}
        arguments = [np.asarray(u, float) for u in unknowns]
        named = {f"p_{k}" if k in self.free else k: np.asarray(v, float) for k, v in values.items()}
        with np.errstate(all="ignore"):
            return [np.asarray(x, float) for x in self._functions[function](*arguments, **named)]

    def residuals(self, unknowns: ArrayLike, **given: ArrayLike) -> tuple[Array, Array]:
        """Return (f, q) of ``f(x) + dq(x)/dt = 0``; axis 0 of argument and results: :attr:`system`'s unknowns."""
        x = np.asarray(unknowns, float)
        values = self._call("residuals", list(x), given)
        n, shape = len(self.system.names), np.broadcast_shapes(x.shape[1:], *(v.shape for v in values))
        rows = [np.broadcast_to(v, shape) for v in values]
        return np.array(rows[:n]), np.array(rows[n:])

    def jacobians(self, unknowns: ArrayLike, **given: ArrayLike) -> tuple[Array, Array]:
        """Return (df/dx, dq/dx); axes 0 and 1 are row and column."""
        x = np.asarray(unknowns, float)
        values = self._call("jacobians", list(x), given)
        n, shape = len(self.system.names), np.broadcast_shapes(x.shape[1:], *(v.shape for v in values))
        both = np.zeros((2, n, n, *shape))
        for k, entry in enumerate(self.system.jacobian):
            both[0, entry.row, entry.column] = values[2 * k]
            both[1, entry.row, entry.column] = values[2 * k + 1]
        return both[0], both[1]

    def check_one_state(self) -> None:
        """Refuse a model that is no device of one state: of another form, or with several states, which some of the forms hold.

        Raises:
            VerilogAError: which of them, with the place in the source.
        """
        if self.other_form:
            raise VerilogAError(self.other_form)
        nodes = self.module.internal_nodes
        if len(nodes) > 1:
            raise VerilogAError(
                f"{self.module.file}:1:1: module '{self.module.name}' has {len(nodes)} nodes beside its ports ({', '.join(nodes)}): "
                "a device has one, its state's"
            )

    @cached_property
    def _states(self) -> int:
        if self.other_form:
            raise VerilogAError(f"{self.other_form}; residuals() and jacobians() take any form")
        return len(self.module.internal_nodes)

    def _state_call(self, function: str, v: ArrayLike, s: ArrayLike, given: Mapping[str, ArrayLike]) -> list[Array]:
        states = [s] if self._states == 1 else list(np.asarray(s, float))
        return self._call(function, [v, *states], given)

    def current(self, v: ArrayLike, s: ArrayLike, **given: ArrayLike) -> Array:
        """Return the current into the first port in ampere."""
        return self._state_call("current", v, s, given)[0]

    def rate(self, v: ArrayLike, s: ArrayLike, **given: ArrayLike) -> Array:
        """Return d(s)/dt in volt per second."""
        rates = self._state_call("rate", v, s, given)
        return rates[0] if self._states == 1 else np.array(np.broadcast_arrays(*rates))

    def jacobian(self, v: ArrayLike, s: ArrayLike, **given: ArrayLike) -> Array:
        """Return [[dI/dv, dI/ds], [drate/dv, drate/ds]] on the two leading axes."""
        values = np.broadcast_arrays(*self._state_call("jacobian", v, s, given))
        n = self._states + 1
        return np.array(values).reshape(n, n, *values[0].shape)

    def together(self, v: ArrayLike, s: ArrayLike, **given: ArrayLike) -> list[Array]:
        """Return [current, rates ..., rows of the Jacobian ...] for the price of the last, not broadcast."""
        return self._state_call("together", v, s, given)


def _name(e: Expr) -> str:
    return _PREFIX.get(e.op, "") + e.name if e.name else e.op


def _function(name: str, arguments: Sequence[str], roots: Sequence[Expr]) -> str:
    names: dict[Expr, str] = {}
    lines = []
    order = graph.nodes_of(roots)
    # truth values stay bool where they are only tested
    numbers = {*roots, *(x for e in order if e.op not in ("and", "or", "not") for x in e.args[e.op == "select" :])}
    for i, e in enumerate(order):
        a = [names[x] for x in e.args]
        match e.op:
            case "const":
                names[e] = f"({e.value!r})".replace("inf", "np.inf")
                continue
            case "param" | "volt" | "flow" | "temperature" | "abstime":
                names[e] = _name(e)
                continue
            case "neg":
                text = f"-{a[0]}"
            case "select":
                text = f"np.where({a[0]}, {a[1]}, {a[2]})"
            case "limexp":
                text = f"np.where({a[0]} < {LIMEXP_KNEE!r}, np.exp(np.minimum({a[0]}, {LIMEXP_KNEE!r})), 1e30 * (1 + {a[0]} - {LIMEXP_KNEE!r}))"
            case "and" | "or" | "not":
                text = f"np.{_CALLS[e.op]}({', '.join(a)})"
            case "div" if e.args[1].op == "const":
                text = f"np.divide({a[0]}, {a[1]})"
            case op if op in _INFIX:
                text = f"{a[0]} {_INFIX[op]} {a[1]}"
            case op:
                text = f"np.{_CALLS[op]}({', '.join(a)})"
        if e in numbers and e.op in graph.TRUTHS:
            text = f"({text}) * 1.0"
        names[e] = f"t{i}"
        lines.append(f"    t{i} = {text}")
    results = "".join(f"{names[r]}, " for r in roots)
    return "\n".join([f"def {name}({', '.join(arguments)}):", *lines, f"    return ({results})"]) + "\n"


def numpy_source(module: Module, free: Mapping[str, float]) -> tuple[str, System, str]:
    """Return Python text that defines the functions of a specialised module, its equations, and why some functions are missing.

    ``residuals`` and ``jacobians`` take the unknowns in the order of the returned system; ``current``, ``rate`` and
    ``jacobian`` exist for two ports with explicit states, ``together`` returns all three.  Free parameters are keywords named ``p_<parameter>``.
    """
    module = moving(module)
    system = equations(module)
    keywords = [f"p_{name}={value!r}" for name, value in free.items()]
    keywords += [f"temperature={ROOM_TEMPERATURE_K!r}", "abstime=0.0"]
    unknowns = [*(_name(u) for u in system.unknowns), *keywords]
    entries = [e for entry in system.jacobian for e in (entry.resistive, entry.reactive)]
    head = (
        f'"""Module {module.name} of {module.file}: f(x) + dq(x)/dt = 0 for x = {", ".join(system.names)}."""\n\n'
        "import numpy as np\n\n"
    )
    places = ", ".join(f"({e.row}, {e.column})" for e in system.jacobian)
    parts = [
        head,
        f"UNKNOWNS = {system.names!r}\nENTRIES = ({places}{',' if len(system.jacobian) == 1 else ''})\n\n",
        _function("residuals", unknowns, [*system.resistive, *system.reactive]),
        _function("jacobians", unknowns, entries),
    ]
    other_form = ""
    try:
        current, rates = state_form(module)
    except VerilogAError as cause:
        other_form = str(cause)
    else:
        leaves = [voltage(module.ports[0]), *map(voltage, module.internal_nodes)]
        arguments = [*(_name(x) for x in leaves), *keywords]
        slopes = [derivative(f, x) for f in (current, *rates) for x in leaves]
        parts += [
            _function("current", arguments, [current]),
            _function("rate", arguments, rates),
            _function("jacobian", arguments, slopes),
            _function("together", arguments, [current, *rates, *slopes]),
        ]
    return "".join([*parts[:2], "\n\n".join(parts[2:])]), system, other_form


def compile_numpy(
    module: Module, parameters: Mapping[str, object], instance_parameters: Sequence[str] = ()
) -> NumpyModel:
    """Compile a module into NumPy functions.

    Args:
        module: the compiled module.
        parameters: values; the others keep their defaults.
        instance_parameters: parameters that stay arguments of the functions.

    Raises:
        ConfigError: an unknown parameter or a value out of range.
    """
    values = module.check_parameters(parameters)
    free = {name: values[name] for name in instance_parameters if name in values}
    text, system, other_form = numpy_source(module.specialised(parameters, instance_parameters), free)
    scope: dict[str, Any] = {}
    # the text is made of checked identifiers, numbers and the names in this file
    exec(compile(text, f"<{module.name} for NumPy>", "exec"), scope)
    names = ("residuals", "jacobians", "current", "rate", "jacobian", "together")
    return NumpyModel(module, system, free, text, other_form, {n: scope[n] for n in names if n in scope})
