# SPDX-License-Identifier: BSD-3-Clause
"""The language's own functions: operators on time, noise, system functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lark import Token, Tree

from pyharness.errors import VerilogAError
from pyharness.suggest import there_are
from pyharness.veriloga import graph
from pyharness.veriloga.graph import FUNCTIONS, ONE, ZERO, Expr, apply, constant, leaf, voltage

if TYPE_CHECKING:
    from pyharness.veriloga.expressions import Expressions

__all__ = ("Functions",)

# CODATA 2010, as OpenVAF's $vt
_K_OVER_Q = 1.3806488e-23 / 1.602176565e-19
_STATIC_ANALYSES = {"static", "dc", "ic", "nodeset"}
_ANALYSES = {"static", "dc", "ic", "nodeset", "tran", "ac", "noise"}
_SIMULATOR_VALUES = {
    "gmin": 1e-12, "tnom": 27.0, "scale": 1.0, "shrink": 0.0, "imax": 1.0, "imelt": 1.0, "simulatorVersion": 1.0,
    "sourceScaleFactor": 1.0, "minr": 1e-3, "rthresh": 1e-3, "iteration": 1.0,
}  # fmt: skip
_REFUSED = {
    "realtime": "use $abstime, the time in seconds",
    "random": "draw the value outside the model and pass it as an instance parameter",
    "arandom": "draw the value outside the model and pass it as an instance parameter",
    "fopen": "remove it: models read and write no files",
    "table_model": "write the function out",
}
_OF_THE_BLOCK = ("ddt", "idt", "ddx", "white_noise", "flicker_noise")
_WAYS = {
    "idtmod": "use idt() and keep the range by a smooth function",
    "transition": "write a smooth function of the voltage, or let the driving circuit ramp",
    "slew": "write the rate limit as a state: I(n) <+ ddt(V(n)) - limited_rate",
    "absdelay": "write the delay as a state, or let the driving circuit delay",
    "laplace_nd": "write the filter as states with ddt()", "laplace_np": "write the filter as states with ddt()",
    "laplace_zd": "write the filter as states with ddt()", "laplace_zp": "write the filter as states with ddt()",
    "last_crossing": "let a comparator outside the model find the crossing",
    "noise_table": "use white_noise() and flicker_noise()", "noise_table_log": "use white_noise() and flicker_noise()",
    "ac_stim": "put the source beside the model",
}  # fmt: skip


class Functions:
    """Evaluates calls for an interpreter."""

    def __init__(self, interpreter: Expressions) -> None:
        self.run = interpreter

    def builtin(self, token: Any, given: list[Any]) -> Expr:
        """Return the value of a function of the language."""
        name = str(token)
        if name in _OF_THE_BLOCK and (self.run.calls or self.run.initial):
            raise self.run.error(token, f"{name}() belongs into the analog block, outside functions and events")
        if name in ("analysis", *_OF_THE_BLOCK):
            handler: Any = getattr(self, name)
            result: Expr = handler(token, given)
            return result
        if name not in FUNCTIONS:
            if name in _WAYS:
                raise self.run.error(token, f"function '{name}()' is not supported: {_WAYS[name]}")
            known = [*self.run.symbols.functions, *FUNCTIONS, "analysis", *_OF_THE_BLOCK]
            raise self.run.error(
                token,
                f"function '{name}()' is not known: {there_are(name, sorted(known))}; or declare an analog function",
            )
        self.count(token, given, FUNCTIONS[name][0])
        return apply(name, *(self.run.expr(a) for a in given))

    def count(self, token: Any, given: list[Any], low: int, high: int | None = None) -> None:
        if not low <= len(given) <= (high or low):
            wanted = f"{low}" if high is None else f"{low} to {high}"
            raise self.run.error(token, f"{token}() takes {wanted} arguments, got {len(given)}")

    def texts(self, given: list[Any]) -> list[str]:
        return [str(a.children[0]).strip('"') for a in given if isinstance(a, Tree) and a.data == "string"]

    def analysis(self, token: Any, given: list[Any]) -> Expr:
        kinds = self.texts(given)
        if len(kinds) != len(given) or not kinds or not set(kinds) <= _ANALYSES:
            raise self.run.error(
                token, f"analysis() takes the names of analyses in quotes ({', '.join(sorted(_ANALYSES))})"
            )
        static, found = leaf("static"), ZERO
        for kind in kinds:
            leaves = {"tran": apply("not", static), "ac": leaf("ac"), "noise": leaf("noise_run")}
            found = apply("or", found, static if kind in _STATIC_ANALYSES else leaves[kind])
        return ONE if "tran" in kinds and set(kinds) & _STATIC_ANALYSES else found

    def ddt(self, token: Any, given: list[Any]) -> Expr:
        self.count(token, given, 1, 2)  # the second is a tolerance for solvers that take one
        return apply("ddt", self.run.expr(given[0]))

    def idt(self, token: Any, given: list[Any]) -> Expr:
        """Make the integral a node: its potential is the integral less its start, so that it starts right."""
        if len(given) > 2:
            raise self.run.error(token, "idt() with a reset is an event: write the integral as a state with ddt()")
        self.count(token, given, 1, 2)
        if any(graph.uses(c, *graph.VARYING) for c in self.run.conditions):
            raise self.run.error(
                token,
                "idt() under a condition that changes: its node would have no equation where the condition is false. Assign "
                "it to a variable before the if, and use the variable under the condition",
            )
        rate = self.run.expr(given[0])
        node = self.run.symbols.new_node("idt")
        state, _ = self.run.branch(token, [Tree("name", [node])])
        state.contributed = True
        flow = apply("neg", rate)
        start = ZERO
        if len(given) == 2:
            start = self.run.expr(given[1])
            if graph.uses(start, *graph.VARYING):
                raise self.run.error(token, "the start of idt() must be constant: use a parameter")
            flow = apply("select", leaf("static"), voltage(node), flow)
        state.current = apply("add", apply("ddt", voltage(node)), flow)
        return apply("add", start, voltage(node))

    def ddx(self, token: Any, given: list[Any]) -> Expr:
        self.count(token, given, 2)
        value, unknown = self.run.expr(given[0]), self.run.expr(given[1])
        if unknown.op not in ("volt", "flow", "temperature"):
            raise self.run.error(token, "ddx() takes the potential of one node, V(n), or the current of a branch, I(b)")
        if graph.uses(value, "ddt", "noise"):
            raise self.run.error(token, "ddx() of a time derivative or of noise has no value: take it of the charge")
        return graph.derivative(value, unknown)

    def noise(self, token: Any, label: list[Any], psd: Expr, exponent: Expr) -> Expr:
        texts = self.texts(label)
        key = str(len(self.run.noise_labels) + 1)
        self.run.noise_labels[key] = (texts[0] if texts else f"noise{key}", self.run.symbols.place(token))
        return apply("noise", psd, exponent, name=key)

    def white_noise(self, token: Any, given: list[Any]) -> Expr:
        self.count(token, given, 1, 2)
        return self.noise(token, given[1:], self.run.expr(given[0]), ZERO)

    def flicker_noise(self, token: Any, given: list[Any]) -> Expr:
        self.count(token, given, 2, 3)
        return self.noise(token, given[2:], self.run.expr(given[0]), self.run.expr(given[1]))

    # -- system functions ----------------------------------------------------------------------------------------

    def refused(self, tree: Any, name: str) -> VerilogAError:
        """Return the error for a system task or function that has no place in a model."""
        word = name.lstrip("$")
        way = _REFUSED.get("random" if word.startswith(("rdist", "dist")) else word, "remove it")
        return self.run.error(tree, f"{name} is not supported in a model: {way}")

    def system(self, tree: Any) -> Expr:
        """Return the value of a system function."""
        token, arguments = tree.children
        given = list(arguments.children) if arguments is not None else []
        name = str(token).lstrip("$")
        match name, len(given):
            case "temperature" | "abstime" | "mfactor", 0:
                if name == "abstime" and self.run.calls:
                    raise self.run.error(tree, "$abstime has no place in a function: pass it as an argument")
                return leaf(name)
            case "vt", 0 | 1:
                at = self.run.expr(given[0]) if given else leaf("temperature")
                return apply("mul", constant(_K_OVER_Q), at)
            case "limit", n if n >= 1:  # it changes the way to the solution, not the solution
                return self.run.expr(given[0])
            case "simparam", 1 | 2:
                return self.simparam(tree, given)
            case "param_given", 1 if isinstance(given[0], Tree) and given[0].data == "name":
                parameter = str(given[0].children[0])
                parameter = self.run.symbols.aliases.get(parameter, parameter)
                if parameter not in self.run.symbols.parameters:
                    raise self.run.error(tree, f"'{parameter}' is not a parameter")
                return leaf("given", parameter)
            case "port_connected", 1:
                return ONE
            case known, _ if known in FUNCTIONS or known == "log10":  # the math functions have a second name with $
                return self.builtin(Token.new_borrow_pos("ID", known.replace("log10", "log"), token), given)
        raise self.refused(tree, str(token))

    def simparam(self, tree: Any, given: list[Any]) -> Expr:
        texts = self.texts(given[:1])
        if not texts:
            raise self.run.error(tree, "$simparam() takes the name of a value in quotes")
        if texts[0] in _SIMULATOR_VALUES:
            return constant(_SIMULATOR_VALUES[texts[0]])
        if len(given) == 1:
            raise self.run.error(tree, f'$simparam("{texts[0]}") has no value here: give a default as second argument')
        return self.run.expr(given[1])
