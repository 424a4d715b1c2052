# SPDX-License-Identifier: BSD-3-Clause
"""Target: an OSDI 0.3 library, for simulators that load compiled Verilog-A (ngspice 39 and later, built with OSDI).

OpenVAF compiles the source where it is installed.  Else the equations are written as C and compiled by the system's
compiler.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2

from pyharness.errors import NetlistError, ToolNotFoundError, VerilogAError
from pyharness.files import replace_file
from pyharness.install import INSTALL
from pyharness.veriloga import graph
from pyharness.veriloga.disciplines import STANDARD_DISCIPLINES
from pyharness.veriloga.graph import LIMEXP_KNEE, Expr, constant
from pyharness.veriloga.model_types import is_model_type
from pyharness.veriloga.module import ROOM_TEMPERATURE_K, Interval, Module, Parameter
from pyharness.veriloga.ngspice import Subcircuit, check_names
from pyharness.veriloga.system import System, equations

__all__ = ("compile_osdi", "emit_osdi", "osdi_compiler", "osdi_subcircuit")

_HERE = Path(__file__).parent
_FOLDED = ("const", "param", "given", "temperature", "mfactor")
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "=="}
_CALLS = {
    "exp": "exp", "ln": "log", "log": "log10", "sqrt": "sqrt", "abs": "fabs", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh",
    "acosh": "acosh", "atanh": "atanh", "floor": "floor", "ceil": "ceil", "pow": "pow", "min": "least", "max": "most",
    "atan2": "atan2", "hypot": "hypot", "trunc": "trunc", "limexp": "limexp",
}  # fmt: skip


@dataclass(frozen=True)
class _Listed:
    """A parameter as the library lists it."""

    name: str
    names: list[str]
    desc: str
    units: str
    integer: bool


def _number(value: float) -> str:
    if math.isinf(value):
        return "INFINITY" if value > 0 else "(-INFINITY)"
    return repr(value) if value >= 0 else f"({value!r})"


class _Writer:
    """Writes expressions as C statements; ``place`` maps parameters to their index."""

    def __init__(self, place: dict[str, int], rows: dict[Expr, str]) -> None:
        self.place = place
        self.rows = rows
        self.held: dict[Expr, int] = {}

    def leaf(self, e: Expr) -> str:
        match e.op:
            case "const":
                return _number(e.value)
            case "param":
                return f"p[{self.place[e.name]}]"
            case "given":
                return f"(double)given[{self.place[e.name]}]"
            case "mfactor":
                return "p[0]"
            case "static":
                return "(double)at_rest"
            case "ac":
                return "(double)((simulation->flags & RUNS_AC) != 0)"
            case "noise_run":
                return "(double)((simulation->flags & RUNS_NOISE) != 0)"
            case "abstime":
                return "time"
            case "temperature":
                return "temperature"
        return self.rows[e]

    def hold(self, roots: Sequence[Expr]) -> None:
        """Choose what is computed once per instance: what depends on parameters and temperature alone."""
        order = graph.nodes_of(roots)
        fixed: set[Expr] = set()
        for e in order:
            if all(a in fixed for a in e.args) if e.args else e.op in _FOLDED:
                fixed.add(e)
        wanted = {a for e in order if e not in fixed for a in e.args if a in fixed} | {r for r in roots if r in fixed}
        for e in order:
            if e in wanted and (e.args or e.op == "given"):
                self.held[e] = len(self.held)

    def statements(self, roots: Sequence[Expr], stop: bool) -> tuple[list[str], dict[Expr, str]]:
        """Return the lines that compute ``roots``, and each one's name; with ``stop``, held values are read."""
        names: dict[Expr, str] = {}
        lines: list[str] = []
        stack = list(reversed(roots))
        needed: set[Expr] = set()
        while stack:
            e = stack.pop()
            if e in needed:
                continue
            needed.add(e)
            if not (stop and e in self.held):
                stack.extend(e.args)
        for e in graph.nodes_of(roots):
            if e not in needed:
                continue
            if stop and e in self.held:
                names[e] = f"held[{self.held[e]}]"
            elif not e.args:
                names[e] = self.leaf(e)
            else:
                names[e] = f"t{len(lines)}"
                lines.append(f"    const double t{len(lines)} = {self.operation(e, [names[a] for a in e.args])};")
        return lines, names

    def operation(self, e: Expr, a: list[str]) -> str:
        match e.op:
            case "neg":
                return f"-{a[0]}"
            case "not":
                return f"!({a[0]} != 0)"
            case "and" | "or":
                return f"({a[0]} != 0) {'&&' if e.op == 'and' else '||'} ({a[1]} != 0)"
            case "select":
                return f"{a[0]} != 0 ? {a[1]} : {a[2]}"
            case op if op in _INFIX:
                return f"{a[0]} {_INFIX[op]} {a[1]}"
            case op:
                return f"{_CALLS[op]}({', '.join(a)})"


def _inside(intervals: Sequence[Interval], name: str, bounds: Mapping[Expr, str]) -> str:
    texts = []
    for i in intervals:
        low = f"{name} {'>' if i.low_open else '>='} {bounds[i.low]}"
        high = f"{name} {'<' if i.high_open else '<='} {bounds[i.high]}"
        texts.append(f"({low} && {high})")
    return " || ".join(texts)


def _check(p: Parameter, name: str, writer: _Writer) -> tuple[str, str]:
    """Return the lines that compute the bounds, and the condition that the parameter meets."""
    lines, bounds = writer.statements([e for i in (*p.intervals, *p.excluded) for e in (i.low, i.high)], stop=False)
    texts = [f"isfinite({name})"]
    if p.intervals:
        texts.append(f"({_inside(p.intervals, name, bounds)})")
    if p.excluded:
        texts.append(f"!({_inside(p.excluded, name, bounds)})")
    return "\n".join(f"    {line}" for line in lines), " && ".join(texts)


def _without_locals(module: Module) -> Module:
    """Return the module with local parameters put in: a library lists only what can be set."""
    leaves: dict[Expr, Expr] = {}
    for p in module.parameters.values():
        if p.local:
            leaves[graph.parameter(p.name)] = graph.replace(p.default, leaves)

    def put(e: Expr) -> Expr:
        return graph.replace(e, leaves)

    parameters = {
        n: replace(
            p,
            default=put(p.default),
            intervals=tuple(i.map(put) for i in p.intervals),
            excluded=tuple(i.map(put) for i in p.excluded),
        )
        for n, p in module.parameters.items()
        if not p.local
    }
    return replace(module.replaced(leaves), parameters=parameters)


def _evaluation(writer: _Writer, module: Module, system: System) -> str:
    """Return the body of eval(): every result computed once, stored in the instance."""
    count = len(module.nodes)
    targets: list[tuple[str, Expr]] = []
    for i, (f, q) in enumerate(zip(system.resistive, system.reactive, strict=True)):
        scale = "m * " if i < count else ""
        targets += [(f"f[{i}] = {scale}", f), (f"q[{i}] = {scale}", q)]
    for k, entry in enumerate(system.jacobian):
        scale = "m * " if entry.row < count else ""
        targets += [(f"df[{k}] = {scale}", entry.resistive), (f"dq[{k}] = {scale}", entry.reactive)]
    for k, n in enumerate(module.noises):
        targets += [(f"psd[{k}] = m * ", n.psd), (f"exponent[{k}] = ", n.exponent)]
    targets += [(f"output[{k}] = ", o.value) for k, o in enumerate(module.operating_point)]
    if module.bound_steps_s:
        step = constant(math.inf)
        for one in module.bound_steps_s:
            step = graph.apply("min", step, one)
        targets.append(("bound_step = ", step))
    roots = [e for _, e in targets]
    writer.hold(roots)
    lines, names = writer.statements(roots, stop=True)
    unknowns = [f"    const double {writer.rows[u]} = x[inst->node[{i}]];" for i, u in enumerate(system.unknowns)]
    used = {
        name
        for line in [*lines, *names.values()]
        for name in line.replace("(", " ")
        .replace(")", " ")
        .replace(";", " ")
        .replace(",", " ")
        .replace("-", " ")
        .split()
    }
    unknowns = [u for u, leaf_ in zip(unknowns, system.unknowns, strict=True) if writer.rows[leaf_] in used]
    return "\n".join([*unknowns, *lines, *(f"    inst->{target}{names[e]};" for target, e in targets)])


def emit_osdi(module: Module, instance_parameters: Sequence[str] | None = None) -> str:
    """Return the C source of an OSDI 0.3 library of ``module``, to be compiled beside ``osdi_0_3.h``.

    Args:
        module: the compiled module; its parameters stay free.
        instance_parameters: parameters that each instance may set; default: those declared with ``type="instance"``.

    Raises:
        VerilogAError: an unknown instance parameter.
    """
    module = _without_locals(module)
    wanted = [p.name for p in module.parameters.values() if p.instance]
    for name in instance_parameters or ():
        if name not in module.parameters:
            raise VerilogAError(
                f"{module.file}:1:1: module '{module.name}' has no parameter '{name}' to set per instance"
            )
        if name not in wanted:
            wanted.append(name)
    ordered = [*wanted, *(n for n in module.parameters if n not in wanted)]
    place = {name: i + 1 for i, name in enumerate(ordered)}
    listed = [_Listed("$mfactor", ["$mfactor"], "Number of devices in parallel", "", False)]
    for name in ordered:
        p = module.parameters[name]
        names = [name, *(alias for alias, target in module.aliases.items() if target == name)]
        listed.append(_Listed(name, names, p.desc, p.units or "", p.kind == "integer"))
    system = equations(module)
    writer = _Writer(place, {u: f"x_{i}" for i, u in enumerate(system.unknowns)})
    resolution = [{"index": 0, "default": "        p[0] = 1;", "bounds": "", "check": "p[0] > 0"}]
    for p in module.parameters.values():
        lines, names_of = writer.statements([p.default], stop=False)
        assigned = f"        p[{place[p.name]}] = {names_of[p.default]};"
        text = "\n".join([*(f"    {line}" for line in lines), assigned])
        bounds, check = _check(p, f"p[{place[p.name]}]", writer)
        resolution.append({"index": place[p.name], "default": text, "bounds": bounds, "check": check})
    assertions = []
    for condition, _, _ in module.assertions:
        lines, names_of = writer.statements([condition], stop=False)
        # a library has no words for it: the first parameter of the condition is the one out of bounds
        named = [place[x.name] for x in graph.nodes_of([condition]) if x.op in ("param", "given") and x.name in place]
        assertions.append(
            {
                "lines": "\n".join(f"    {line}" for line in lines),
                "condition": names_of[condition],
                "index": min(named, default=0),
            }
        )
    evaluation = _evaluation(writer, module, system)
    lines, names_of = writer.statements(list(writer.held), stop=False)
    held = "\n".join([*lines, *(f"    held[{i}] = {names_of[e]};" for e, i in writer.held.items())])
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(_HERE), undefined=jinja2.StrictUndefined)
    environment.filters["quote"] = json.dumps
    return environment.get_template("osdi.c.j2").render(
        m=module,
        system=system,
        parameters=listed,
        instance_count=len(wanted) + 1,
        most_names=max(len(p.names) for p in listed),
        nodes=_nodes(module, system),
        entries=_entries(system),
        noises=_noises(module, system),
        resolution=resolution,
        assertions=assertions,
        evaluation=evaluation,
        held=held,
        held_count=len(writer.held),
        knee=repr(LIMEXP_KNEE),
        room=ROOM_TEMPERATURE_K,
    )


def _nodes(module: Module, system: System) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for i, name in enumerate(system.names):
        is_flow = i >= len(module.nodes)
        discipline = STANDARD_DISCIPLINES.get(
            module.disciplines.get(name, "electrical"), STANDARD_DISCIPLINES["electrical"]
        )
        potential = discipline.potential.units if discipline.potential else ""
        flow = discipline.flow.units if discipline.flow else ""
        reactive = (
            any(e.row == i and e.reactive is not graph.ZERO for e in system.jacobian)
            or system.reactive[i] is not graph.ZERO
        )
        found.append(
            {
                "name": f"flow({name})" if is_flow else name,
                "units": flow if is_flow else potential,
                "residual_units": potential if is_flow else flow,
                "resistive": system.resistive[i] is not graph.ZERO,
                "reactive": reactive,
                "is_flow": is_flow,
            }
        )
    return found


def _entries(system: System) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for e in system.jacobian:
        flags = [
            name
            for name, part in (("ENTRY_RESISTIVE", e.resistive), ("ENTRY_REACTIVE", e.reactive))
            if part is not graph.ZERO
        ]
        found.append(
            {"row": e.row, "column": e.column, "reactive": e.reactive is not graph.ZERO, "flags": " | ".join(flags)}
        )
    return found


def _noises(module: Module, system: System) -> list[dict[str, object]]:
    branches = {b.name: b for b in module.branches}
    place = {name: str(i) for i, name in enumerate(system.names)} | {"0": "NONE"}
    found: list[dict[str, object]] = []
    for n in module.noises:
        b = branches[n.branch]
        first, second = (b.flow, "0") if b.flow else (b.plus, b.minus)
        found.append({"name": n.name, "first": place[first], "second": place[second]})
    return found


def osdi_compiler() -> str | None:
    """Return the path of OpenVAF's compiler, or None where it is not installed."""
    return shutil.which("openvaf-r") or shutil.which("openvaf")


def compile_osdi(
    module: Module, out: Path, *, instance_parameters: Sequence[str] | None = None, openvaf: str | None = None
) -> Path:
    """Compile ``module`` into the OSDI library ``out`` and return its path.

    Args:
        module: the compiled module.
        out: the library; written only when the compilation succeeded.
        instance_parameters: see :func:`emit_osdi`; OpenVAF takes them from the source's attributes.
        openvaf: OpenVAF's compiler; None: the equations written as C, and the system's compiler ($CC, else cc).

    Raises:
        ToolNotFoundError: no compiler.
        VerilogAError: the compiler fails; the message holds what it printed.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "model.osdi")
        if openvaf:
            command = [openvaf, "-o", str(built), str(module.source.resolve())]
        else:
            source = Path(folder, "model.c")
            source.write_text(emit_osdi(module, instance_parameters), encoding="ascii")
            compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
            # no contraction: the library's rounding is that of the other targets
            flags = ["-std=gnu11", "-O2", "-ffp-contract=off", "-fPIC", "-shared", "-fvisibility=hidden", f"-I{_HERE}"]
            command = [*compiler.split(), *flags, "-o", str(built), str(source), "-lm"]
        logging.getLogger(__name__).info("%s", shlex.join(command))
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired) as cause:
            raise ToolNotFoundError(
                f"cannot run {command[0]}: {cause}: install one ({INSTALL['c compiler']}), or set CC to a C compiler"
            ) from None
        if run.returncode or not built.is_file():
            told = (run.stderr + run.stdout).strip()[-2000:]
            raise VerilogAError(
                f"{module.file}:1:1: {command[0]} could not compile {module.file}, exit status {run.returncode}:\n{told}"
            )
        # a library that a simulator has loaded is replaced, never overwritten
        return replace_file(out, built.read_bytes())


def osdi_subcircuit(
    module: Module,
    *,
    name: str,
    parameters: Mapping[str, object],
    instance_parameters: Sequence[str] = (),
    library: Path,
) -> Subcircuit:
    """Return a subcircuit of one device of ``library``, with the interface of :func:`emit_ngspice`'s.

    Raises:
        NetlistError: a name that cannot stand in a netlist, or a module named as a model type of ngspice.
        ConfigError: an unknown parameter or a value out of range.
    """
    check_names(module, name, instance_parameters)
    if is_model_type(module.name):
        raise NetlistError(
            f"{module.file}: ngspice has a model type '{module.name.lower()}' of its own, which it takes for the library's module: rename the "
            "module, or use the target ngspice"
        )
    values = module.check_parameters(parameters)
    free = {one: values[one] for one in instance_parameters}
    given = " ".join(f"{k}={v!r}" for k, v in values.items() if k in parameters and k not in free)
    lines = [
        f"* {name}: module {module.name} of {module.file}, compiled",
        " ".join(
            [".subckt", name, *map(str.lower, module.ports), *(f"{k.lower()}={v!r}" for k, v in free.items()), "m=1"]
        ),
        " ".join(["n1", *map(str.lower, module.ports), f"m_{name}", *(f"{k}={{{k}}}".lower() for k in free), "m={m}"]),
        f".ends {name}",
        f".model m_{name} {module.name} {given}".rstrip(),
    ]
    nodes = tuple(map(str.lower, module.internal_nodes))
    return Subcircuit(name, tuple(map(str.lower, module.ports)), free, "\n".join(lines), nodes, library=library)
