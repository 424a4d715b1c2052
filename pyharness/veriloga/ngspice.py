# SPDX-License-Identifier: BSD-3-Clause
"""Target: an ngspice subcircuit of B sources, for every stock ngspice.

ngspice evaluates each B source's expression and every derivative tree twice per iteration, without sharing.  So:
parameters are folded in, a difference of two node potentials gets a node of its own (one controlling variable instead of
two), linear currents and charges become native resistors and capacitors, an expression that would grow too long is split
over nodes.  A driven parameter, which changes during a run, is the sum or product of its number and a terminal's voltage: B
sources hold numbers.  The number of devices in parallel, m, is a parameter of the subcircuit and of every element: left to itself,
ngspice gives an instance's m to R and C but not to B.  A junction's a*(exp(b*v)-1) is not mapped to a native diode: ngspice
adds gmin and bends the reverse branch.  limexp() has its knee at 1e30 here too: ngspice bounds its own exp() at 1e99 only, and
from an iterate that far off Newton's method does not come back, nor do the shorter steps that begin there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pyharness.errors import NetlistError, VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.graph import LIMEXP_KNEE, ONE, ZERO, Expr, apply, constant, derivative, leaf, parameter, voltage
from pyharness.veriloga.module import Branch, Module, uses_names
from pyharness.veriloga.simplify import simplify

__all__ = ("Drive", "Subcircuit", "check_names", "emit_ngspice", "left_out")

Drive = Literal["offset", "factor"]
"""How a control voltage v moves a driven parameter: to value + v, or to value * (1 + v); at 0 V it has its value."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "==", "and": "&&", "or": "||"}
_CALLS = {
    "exp": "exp", "ln": "ln", "log": "log10", "sqrt": "sqrt", "abs": "abs", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh",
    "acosh": "acosh", "atanh": "atanh", "floor": "floor", "ceil": "ceil", "min": "min", "max": "max",
}  # fmt: skip
# ngspice ends a run at a logarithm of 0, which a node that is not solved yet may show on the way to the solution
_DOMAINS = {
    "ln": "max({}, 1e-300)", "log": "max({}, 1e-300)", "sqrt": "max({}, 0)", "acosh": "max({}, 1)",
    "asin": "min(max({}, -1), 1)", "acos": "min(max({}, -1), 1)", "atanh": "min(max({}, -0.9999999999999999), 0.9999999999999999)",
}  # fmt: skip
# what ngspice's numparam and B sources take for themselves; ``m`` counts devices in parallel
_RESERVED_PARAMETERS = frozenset(
    "m e pi temper time hertz abs acos acosh agauss arctan asin asinh atan atanh aunif ceil cos cosh exp floor gauss int limit "
    "ln log log10 max min nint pow pwl pwr sgn sin sinh sqr sqrt tan tanh ternary_fcn unif".split()
)
_RESERVED_NODES = ("gnd", "null", "temper", "value")
_GUARD_OHM = 1e18
_MAX_CHARACTERS = 2200  # of one source's expression; a longer one goes over nodes


@dataclass(frozen=True)
class Subcircuit:
    """A generated subcircuit.

    Attributes:
        name: of the ``.subckt``.
        ports: terminals in order; those of driven parameters come last.
        parameters: instance parameters -> default.
        text: netlist lines.
        state_nodes: internal nodes; on instance ``x1`` node ``n`` is ``x1.n``.
        ignored: what the source states and this target has no form for, with its place.
        library: the OSDI library that the text's model line needs; None for a netlist that stands alone.
        driven: driven parameter -> its terminal, in the order of the terminals.
    """

    name: str
    ports: tuple[str, ...]
    parameters: Mapping[str, float]
    text: str
    state_nodes: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    library: Path | None = None
    driven: Mapping[str, str] = field(default_factory=dict)

    def inner_node(self, instance: str, node: str) -> str:
        """Return ngspice's name for internal node ``node`` of ``instance``, the path of an X line without dots at its ends."""
        return f"n.{instance}.n1#{node}" if self.library else f"{instance}.{node}"

    def state_vector(self, instance: str, node: str) -> str:
        """Return the vector of that node's voltage."""
        return f"v({self.inner_node(instance, node)})"


class _Emitter:
    def __init__(self, module: Module, transient_only: bool) -> None:
        self.module = module
        self.transient_only = transient_only
        self.static_node = ""
        self.differences: dict[tuple[str, str], str] = {}
        self.split: dict[Expr, str] = {}
        self.lines: list[str] = []
        self.taken = {*map(str.lower, module.nodes), *(b.name.lower() for b in module.branches)}
        self.probes = {
            b.flow: (f"b_{b.flow}" if b.is_potential is ONE else f"v_{b.flow}").lower()
            for b in module.branches
            if b.flow
        }

    def static(self) -> str:
        """Return the condition of an operating point, and write what it asks.

        In a DC sweep ngspice's time is the swept value.  A source's ``dc`` is its value in operating points and sweeps, its waveform that in
        transients, of whose own operating point the time is 0.
        """
        if self.transient_only:
            return "(time <= 0)"
        if not self.static_node:
            self.static_node = self.new_node("static")
            self.lines.append(f"v_{self.static_node} {self.static_node} 0 dc 1 sin(0 0 1)")
        return f"((v({self.static_node}) > 0.5) || (time <= 0))"

    def new_node(self, name: str) -> str:
        """Return ``name``, longer where a node or branch has it already: elements are named after both."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def text(self, e: Expr) -> str:
        """Return the expression as a B source's text."""
        done: dict[Expr, str] = {}
        for x in graph.nodes_of([e]):
            if x not in self.split:
                done[x] = self.operation(x, [done[a] for a in x.args])
                if len(done[x]) <= _MAX_CHARACTERS or x is e:
                    continue
                node = self.split[x] = self.new_node(f"t_{len(self.split) + 1}")
                self.lines.append(f"b_{node} {node} 0 v = {done[x]}")
            node = self.split[x]
            done[x] = f"(v({node}) > 0.5)" if x.op in graph.TRUTHS else f"v({node})"
        return done[e]

    def operation(self, e: Expr, a: list[str]) -> str:
        match e.op:
            case "const":
                return repr(e.value) if e.value >= 0 else f"({e.value!r})"
            case "param":
                return f"{{{e.name.lower()}}}"
            case "volt":
                return f"v({e.name.lower()})"
            case "flow":  # of one device: the source carries all m of them
                return f"(i({self.probes[e.name]}) / {{m}})"
            case "static":
                return self.static()
            case "abstime":
                return "time"
            case "temperature":
                return "(temper + 273.15)"
            case "neg":
                return f"(-{a[0]})"
            case "not":
                return f"({a[0]} == 0)"
            case "select":
                return f"({_truth(e.args[0], a[0])} ? {a[1]} : {a[2]})"
            case "and" | "or":
                return f"({_truth(e.args[0], a[0])} {_INFIX[e.op]} {_truth(e.args[1], a[1])})"
            case "limexp":
                return f"(({a[0]} < {LIMEXP_KNEE!r}) ? exp({a[0]}) : (1e30 * (1.0 - {LIMEXP_KNEE!r} + {a[0]})))"
            case "pow":
                return self.power(e, a)
            case "hypot":
                return f"sqrt({a[0]} * {a[0]} + {a[1]} * {a[1]})"
            case "atan2":  # by the half angle; ngspice has no atan2
                y, x = a
                r = f"sqrt({x} * {x} + {y} * {y})"
                return f"(2 * (({x} > 0) ? atan({y} / ({r} + {x})) : atan(({r} - {x}) / {y})))"
            case "trunc":
                return f"(({a[0]} < 0) ? ceil({a[0]}) : floor({a[0]}))"
            case "sub" if all(x.op == "volt" for x in e.args):
                return self.difference(e.args[0].name, e.args[1].name)
            case op if op in _INFIX:
                return f"({a[0]} {_INFIX[op]} {a[1]})"
            case op if op in _DOMAINS and graph.uses(e.args[0], "volt", "flow"):
                return f"{_CALLS[op]}({_DOMAINS[op].format(a[0])})"
            case op if op in _CALLS:
                return f"{_CALLS[op]}({', '.join(a)})"
        raise VerilogAError(
            f"{self.module.file}:1:1: '{e.op}' cannot be written for ngspice: rewrite the expression without it"
        )

    def power(self, e: Expr, a: list[str]) -> str:
        """ngspice's pow() takes the magnitude of its base, pwr() gives the base's sign to the result."""
        exponent = e.args[1]
        if exponent.op == "const" and exponent.value == 2:
            return f"({a[0]} * {a[0]})"
        # a node that is not solved yet is 0, of which a negative power ends the run
        known = exponent.op == "const"
        base = a[0] if known and exponent.value > 0 else f"({a[0]} + 1e-60 * ({a[1]} < 0))"
        even, odd = f"pow({base}, {a[1]})", f"pwr({base}, {a[1]})"
        if known:
            return even if exponent.value % 2 == 0 else odd
        return f"((2 * floor({a[1]} / 2) == {a[1]}) ? {even} : {odd})"

    def difference(self, plus: str, minus: str) -> str:
        plus, minus = plus.lower(), minus.lower()
        if (minus, plus) in self.differences:
            return f"(-v({self.differences[minus, plus]}))"
        if (plus, minus) not in self.differences:
            self.differences[plus, minus] = self.new_node(f"d_{plus}_{minus}")
        return f"v({self.differences[plus, minus]})"

    def linear(self, e: Expr, b: Branch) -> float | None:
        """Return k if ``e`` is the number k times the branch voltage, else None."""
        # a step or a choice may have one slope everywhere and yet not be linear
        if graph.uses(e, "flow", "abstime", "static", "param", "temperature", "select", *graph.STEPS):
            return None
        leaves = [x for x in graph.nodes_of([e]) if x.op == "volt"]
        ends = {b.plus: 1.0, b.minus: -1.0}
        slopes = {derivative(e, x) for x in leaves}
        if any(x.name.lower() not in ends for x in leaves) or any(k.op != "const" for k in slopes):
            return None
        factors = {derivative(e, x).value * ends[x.name.lower()] for x in leaves}
        expected = len([n for n in (b.plus, b.minus) if n != "0"])
        at_rest = graph.replace(e, dict.fromkeys(leaves, ZERO))
        if len(factors) != 1 or len(leaves) != expected or at_rest.op != "const" or at_rest.value != 0:
            return None
        return factors.pop()

    def emit(self, b: Branch) -> None:
        if b.is_potential is ONE:
            self.potential(b)
            return
        if b.is_potential is not ZERO:
            raise VerilogAError(
                f"{b.place}: branch '{b.name}' is a voltage or a current by turns, which ngspice's B sources cannot be: let "
                "the choice depend on parameters alone, or switch between two currents"
            )
        plus, name = b.plus, b.name
        if b.flow:
            plus = self.new_node(f"m_{name}")
            self.lines.append(f"v_{name} {b.plus} {plus} 0")
        if b.current is not ZERO:
            k = self.linear(b.current, b)
            if k:
                self.lines.append(f"r_{name} {plus} {b.minus} {1 / k!r} m={{m}}")
            else:
                self.lines.append(f"b_{name} {plus} {b.minus} i = {self.text(b.current)} m={{m}}")
        if b.charge is not ZERO:
            k = self.linear(b.charge, b)
            value = f"{k!r} m={{m}}" if k is not None else f"q = '{{m}} * {self.text(b.charge)}'"
            self.lines.append(f"c_{name} {plus} {b.minus} {value}")
        if b.current is ZERO and b.charge is ZERO and b.flow:
            self.lines.append(f"r_{name} {plus} {b.minus} 1e15")

    def potential(self, b: Branch) -> None:
        potential = b.potential
        if b.flux is not ZERO:  # the flux is the charge of a node whose potential is its derivative
            node = self.new_node(f"f_{b.name}")
            self.lines.append(f"r_{node} {node} 0 1")
            self.lines.append(f"c_{node} {node} 0 q = '{self.text(apply('neg', b.flux))}'")
            potential = apply("add", potential, voltage(node))
        self.lines.append(f"b_{b.name} {b.plus} {b.minus} v = {self.text(potential)}")


def check_names(module: Module, name: str, instance_parameters: Sequence[str]) -> None:
    """Check that every name that goes into a netlist is one; ngspice makes no difference between capitals and small letters.

    Raises:
        NetlistError: a name that cannot stand in a netlist, two that differ by capitals alone, or an instance parameter
            that does not exist.
    """
    labels = [b.name for b in module.branches]
    if not _NAME.match(name):
        raise NetlistError(f"a subcircuit name must be a lower-case identifier of letters, digits and _, got {name!r}")
    for kind, names in (("node", module.nodes), ("instance parameter", instance_parameters), ("branch", labels)):
        small = [one.lower() for one in names]
        for one, lowered in zip(names, small, strict=True):
            if not _NAME.match(lowered):
                raise NetlistError(f"a {kind} name must be an identifier of letters, digits and _, got {one!r}")
            if small.count(lowered) > 1:
                raise NetlistError(f"two {kind} names are '{lowered}' to ngspice, which ignores capitals: rename one")
    for one in instance_parameters:
        if one not in module.parameters:
            raise NetlistError(f"module '{module.name}' has no parameter '{one}' to leave free")
        if one.lower() in _RESERVED_PARAMETERS:
            meaning = "counts devices in parallel" if one.lower() == "m" else "is a word of ngspice"
            raise NetlistError(
                f"{module.parameters[one].place}: an instance parameter cannot be named '{one}', which {meaning}: rename it, "
                "or leave it out of the instance parameters and put its value in"
            )
    for one in module.nodes:
        if one.lower() in _RESERVED_NODES:
            raise NetlistError(
                f"{module.file}:1:1: a node cannot be named '{one}', a word of ngspice: rename it; where it is the ground, "
                f"write 'ground {one};'"
            )


def emit_ngspice(
    module: Module,
    *,
    name: str,
    parameters: Mapping[str, object],
    instance_parameters: Sequence[str] = (),
    driven: Mapping[str, Drive] | None = None,
    temperature_k: float | None = None,
    transient_only: bool = False,
    soa: bool = True,
) -> Subcircuit:
    """Translate ``module`` with ``parameters`` put in; only ``instance_parameters`` stay free.

    Args:
        module: the compiled module.
        name: of the subcircuit, a lower-case identifier.
        parameters: values; the others keep their defaults.
        instance_parameters: parameters to be given on each instance line.
        driven: parameters that a voltage moves while the simulation runs, and how.  Each gets a terminal behind the module's
            own, in this order, which draws no current; a parameter may be driven and given on the instance line.
        temperature_k: the temperature folded in; by default it follows ngspice's ``.temp``.
        transient_only: leave out the two unknowns without which the state moves in a DC sweep.
        soa: let ngspice's ``.options warn=1`` tell of voltages beyond the parameters that bound them.

    Raises:
        NetlistError: a name that cannot stand in a netlist, or a parameter that cannot be driven.
        ConfigError: an unknown parameter or a value out of range.
        VerilogAError: an operation that ngspice has no form for.
    """
    check_names(module, name, instance_parameters)
    values = module.check_parameters(parameters)
    driven = dict(driven or {})
    _check_driven(module, driven)
    special = module.specialised(parameters, list(dict.fromkeys((*instance_parameters, *driven))))
    leaves = {leaf("mfactor"): ONE, leaf("ac"): ZERO, leaf("noise_run"): ZERO}
    if temperature_k is not None:
        leaves[leaf("temperature")] = constant(temperature_k)
    emitter = _Emitter(special, transient_only)
    terminals = {one: emitter.new_node(f"ctl_{one.lower()}") for one in driven}
    moved = {}
    for one, terminal in terminals.items():
        own = parameter(one) if one in instance_parameters else constant(values[one])
        control = voltage(terminal)
        moved[parameter(one)] = (
            apply("add", own, control) if driven[one] == "offset" else apply("mul", own, apply("add", ONE, control))
        )
    for b in map(_small, special.replaced(moved).branches):
        put = b.map(lambda e: simplify(graph.replace(e, leaves)))
        if any(map(graph.undefined, (put.is_potential, put.current, put.charge, put.potential, put.flux))):
            raise VerilogAError(
                f"{b.place}: with these parameters branch '{b.name}' divides by the number 0, or combines numbers to a value "
                "that is not finite: change them, or guard the operation by a condition on the parameter"
            )
        for one, terminal in terminals.items():
            if voltage(terminal) in graph.nodes_of([put.charge, put.flux]):
                raise NetlistError(
                    f"{b.place}: parameter '{one}' cannot be driven: it stands with a ddt() in branch '{b.name}', where its change "
                    "would move the state by itself: drive another, or write the equation so that it stands elsewhere"
                )
        emitter.emit(put)
    guards = _guards(emitter, values, instance_parameters) if soa else []
    sources = [f"e_{node} {node} 0 {a} {b} 1" for (a, b), node in emitter.differences.items()]
    free = {one: values[one] for one in instance_parameters}
    ports = (*map(str.lower, module.ports), *terminals.values())
    head = " ".join([".subckt", name, *ports, *(f"{k.lower()}={v!r}" for k, v in free.items()), "m=1"])
    lines = [
        f"* {name}: module {module.name} of {module.file}",
        head,
        *sources,
        *emitter.lines,
        *guards,
        f".ends {name}",
    ]
    nodes = tuple(map(str.lower, module.internal_nodes))
    return Subcircuit(name, ports, free, "\n".join(lines), nodes, left_out(special), driven=terminals)


def _guards(emitter: _Emitter, values: Mapping[str, float], free: Sequence[str]) -> list[str]:
    """Return a resistor for each bound on a voltage, so large that it carries nothing: ngspice watches resistors (bv_max)."""
    lines = []
    for p in emitter.module.parameters.values():
        if p.soa and not uses_names(p.default, free):  # a bound that follows another parameter has no number here
            name = emitter.new_node(f"soa_{p.name.lower()}")
            ends = " ".join(map(str.lower, p.soa))
            bound = f"{{{p.name.lower()}}}" if p.name in free else repr(float(values[p.name]))
            lines += [f"r_{name} {ends} {name} {_GUARD_OHM!r}", f".model {name} r(bv_max={bound})"]
    return lines


def _check_driven(module: Module, driven: Mapping[str, Drive]) -> None:
    for one, how in driven.items():
        found = module.parameters.get(one)
        if found is None or found.local or found.kind != "real":
            real = ", ".join(p.name for p in module.parameters.values() if p.kind == "real" and not p.local)
            raise NetlistError(f"module '{module.name}' has no real parameter '{one}' to drive: it has {real}")
        if not _NAME.match(one.lower()):
            raise NetlistError(f"a driven parameter's name must be an identifier of letters, digits and _, got {one!r}")
        if how not in ("offset", "factor"):
            raise NetlistError(f"parameter '{one}' is driven by an 'offset' or a 'factor', got {how!r}")


def _truth(e: Expr, text: str) -> str:
    """Return the text of ``e`` as a condition: any number but 0 is true."""
    return text if e.op in graph.TRUTHS else f"({text} != 0)"


def _small(b: Branch) -> Branch:
    """Return the branch with its names as ngspice sees them."""
    return replace(b, name=b.name.lower(), plus=b.plus.lower(), minus=b.minus.lower())


def left_out(module: Module) -> tuple[str, ...]:
    found = [f"{n.place}: noise source '{n.name}'" for n in module.noises]
    found += [f"{module.file}: operating-point variable '{o.name}'" for o in module.operating_point]
    found += module.unheeded
    return (*found, *(f"{module.file}: $bound_step" for _ in module.bound_steps_s[:1]))
