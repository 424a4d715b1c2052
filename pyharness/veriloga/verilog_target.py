# SPDX-License-Identifier: BSD-3-Clause
"""Target: Verilog-2005 real arithmetic, for a behavioural view of the array.

The text is included inside a module.  It declares, with the default prefix,

* ``device_current``, ``device_current_v``, ``device_current_s``, ``device_rate``, ``device_rate_v``, ``device_rate_s``:
  functions of the voltage, the state and the free parameters, in that order: current in ampere, d(state)/dt in volt per
  second and their slopes; with several states, one rate for each state and a slope by each (``device_rate_m_by_n``);
* where the model sets its only state's start by a parameter ``x0`` that is left free: what ``analog_array_model.v``
  needs to hold many devices, ``device_evaluate`` first of all (:func:`_array_part`).

``pyharness compile chromium --target verilog -o hdl/analog/device_model.vh --force`` writes the shipped file anew.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pyharness.errors import ConfigError, VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.card import Device, load_device
from pyharness.veriloga.graph import LIMEXP_KNEE, ZERO, Expr, constant, derivative, leaf, parameter, voltage
from pyharness.veriloga.module import ROOM_TEMPERATURE_K, START, Module
from pyharness.veriloga.state_form import moving, state_form

__all__ = ("DEVICE_MODEL", "device_model", "emit_verilog", "free_parameters", "write_cycles", "write_devices")

DEVICE_MODEL = "device_model.vh"
"""Name of the file that ``analog_array_model.v`` includes."""

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "==", "and": "&&", "or": "||"}
_CALLS = {
    "exp": "$exp", "ln": "$ln", "log": "$log10", "sqrt": "$sqrt", "sin": "$sin", "cos": "$cos", "tan": "$tan",
    "asin": "$asin", "acos": "$acos", "atan": "$atan", "sinh": "$sinh", "cosh": "$cosh", "tanh": "$tanh",
    "asinh": "$asinh", "acosh": "$acosh", "atanh": "$atanh", "floor": "$floor", "ceil": "$ceil", "pow": "$pow",
    "atan2": "$atan2", "hypot": "$hypot",
}  # fmt: skip
# operations whose text repeats their arguments: Verilog-2005 has no $min, $max and $abs
_REPEATED = {
    "min": "({0} < {1} ? {0} : {1})",
    "max": "({0} < {1} ? {1} : {0})",
    "abs": "({0} < 0.0 ? -{0} : {0})",
    "trunc": "({0} < 0.0 ? $ceil({0}) : $floor({0}))",
    "limexp": f"({{0}} < {LIMEXP_KNEE!r} ? $exp({{0}}) : 1e+30 * (1.0 + {{0}} - {LIMEXP_KNEE!r}))",
}
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,30}\Z")
_LONGEST = 110  # characters of one nested expression
_COLUMN = 60  # characters of a parameter's name that the view compares


class _Text:
    """Statements that compute expressions; what is used more than once gets a variable."""

    def __init__(self, module: Module, names: Mapping[Expr, str], roots: Sequence[Expr]) -> None:
        self.module, self.names = module, names
        self.lines: list[str] = []
        self.variables: list[str] = []
        self.done: dict[Expr, tuple[str, bool]] = {}  # text, and whether it is a condition
        order = graph.nodes_of(roots)
        uses: dict[Expr, int] = dict.fromkeys(roots, 1)
        for e in order:
            for a in e.args:
                uses[a] = uses.get(a, 0) + (2 if e.op in _REPEATED else 1)
        for e in order:
            text, truth = self.operation(e)
            if e.args and (uses[e] > 1 or len(text) > _LONGEST):
                name = f"t{len(self.variables)}"
                self.variables.append(name)
                self.lines.append(f"{name} = {_bare(_number(text, truth))};")
                text, truth = name, False
            self.done[e] = text, truth

    def value(self, e: Expr) -> str:
        """Return the text of a root, a number."""
        return _bare(_number(*self.done[e]))

    def operation(self, e: Expr) -> tuple[str, bool]:
        numbers = [_number(*self.done[a]) for a in e.args]
        conditions = [text if truth else f"({text} != 0.0)" for text, truth in (self.done[a] for a in e.args)]
        if e in self.names:
            return self.names[e], False
        match e.op:
            case "const" if math.isfinite(e.value):
                return repr(e.value) if math.copysign(1, e.value) > 0 else f"({e.value!r})", False
            case "neg":
                return f"(-{numbers[0]})", False
            case "not":
                return f"(!{conditions[0]})", True
            case "and" | "or":
                return f"({conditions[0]} {_INFIX[e.op]} {conditions[1]})", True
            case "select":
                return f"({conditions[0]} ? {numbers[1]} : {numbers[2]})", False
            case op if op in _REPEATED:
                return _REPEATED[op].format(*numbers), False
            case op if op in _INFIX:
                return f"({numbers[0]} {_INFIX[op]} {numbers[1]})", op in graph.TRUTHS
            case op if op in _CALLS:
                return f"{_CALLS[op]}({', '.join(numbers)})", False
        raise VerilogAError(
            f"{self.module.file}:1:1: '{e.name or e.op}' cannot be written for Verilog, which knows a device by its voltage, "
            "its state and its free parameters: rewrite the model without it"
        )


def _number(text: str, truth: bool) -> str:
    return f"({text} ? 1.0 : 0.0)" if truth else text


def _bare(text: str) -> str:
    """Return ``text`` without a pair of parentheses around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for c in text[:-1]:
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return text
    return text[1:-1]


def _indented(lines: Iterable[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]


def _declared(variables: Sequence[str]) -> list[str]:
    return [f"real {', '.join(variables[i : i + 20])};" for i in range(0, len(variables), 20)]


def _function(module: Module, name: str, arguments: Mapping[Expr, str], root: Expr) -> list[str]:
    text = _Text(module, arguments, [root])
    inner = [f"input real {a};" for a in arguments.values()] + _declared(text.variables)
    body = [*text.lines, f"{name} = {text.value(root)};"]
    return [
        f"function real {name};",
        *_indented(inner, 4),
        "    begin",
        *_indented(body, 8),
        "    end",
        "endfunction",
        "",
    ]


def emit_verilog(
    module: Module,
    parameters: Mapping[str, object],
    free: Sequence[str] = (START,),
    *,
    prefix: str = "device",
    scatter: Mapping[str, str] | None = None,
    temperature_k: float = ROOM_TEMPERATURE_K,
) -> str:
    """Translate a module of two ports and explicit states into Verilog-2005 functions.

    Args:
        module: the compiled module.
        parameters: values; the others keep their defaults.
        free: parameters that stay arguments of the functions, in this order.
        prefix: what every declared name begins with.
        scatter: how a value of one pulse changes a free parameter, ``+`` (offset) or ``*`` (factor, the default).
        temperature_k: the devices' temperature in kelvin.

    Raises:
        ConfigError: an unknown parameter, a value out of range, or a prefix that is no identifier.
        VerilogAError: the module has another shape, or an operation that Verilog has no form for.
    """
    if not _PREFIX.match(prefix):
        raise ConfigError(f"the prefix of the Verilog names must be a lower-case identifier, got {prefix!r}")
    values = module.check_parameters(parameters)
    special = moving(module.specialised(parameters, free)).replaced({leaf("temperature"): constant(temperature_k)})
    try:
        current, rates = state_form(special)
    except VerilogAError as cause:
        raise VerilogAError(f"{cause}; the targets ngspice and osdi take any form") from None
    if any(map(graph.undefined, (current, *rates))):
        raise VerilogAError(
            f"{module.file}:1:1: with these parameters the equations divide by the number 0, or combine numbers to a value "
            "that is not finite: change them, or guard the operation by a condition on the parameter"
        )
    states = [voltage(n) for n in module.internal_nodes]
    one = len(states) == 1
    arguments = {voltage(module.ports[0]): "v"}
    arguments |= {s: "s" if one else f"s_{s.name}" for s in states}
    arguments |= {parameter(name): f"p_{name}" for name in free}
    roots = {"current": current} | {"rate" if one else f"rate_{s.name}": r for s, r in zip(states, rates, strict=True)}
    for name, root in list(roots.items()):
        for x in list(arguments)[: 1 + len(states)]:
            by = "_v" if x.name == module.ports[0] else "_s" if one else f"_by_{x.name}"
            roots[name + by] = derivative(root, x)
    given = ", ".join(f"{k}={v!r}" for k, v in values.items() if k not in free)
    lines = [
        "// SPDX-License-Identifier: BSD-3-Clause",
        f"// Module {module.name} of {module.file}, generated; included inside a module.  v: voltage from port '{module.ports[0]}' to",
        f"// '{module.ports[1]}', V; s: voltage of the state's node, V; current in A, rate in V/s; p_<name>: free parameters.",
        f"// {temperature_k:g} K; {given}" if given else f"// {temperature_k:g} K",
        "",
    ]
    for name, root in roots.items():
        lines += _function(special, f"{prefix}_{name}", arguments, root)
    if one and START in free:
        lines += _array_part(special, list(roots.values()), [n for n in free if n != START], values, prefix, scatter)
    return "\n".join(lines).rstrip() + "\n"


def _array_part(
    module: Module,
    roots: Sequence[Expr],
    free: Sequence[str],
    values: Mapping[str, float],
    prefix: str,
    scatter: Mapping[str, str] | None,
) -> list[str]:
    """Return what holds many devices: a device's state is the parameter x0, its state node stays at 0 V."""
    for name in free:
        if len(name) > _COLUMN:
            raise VerilogAError(
                f"{module.parameters[name].place}: the array's tables hold names of at most {_COLUMN} characters, got '{name}': "
                "shorten it, or put its value in"
            )
    low, high = module.state_bounds
    names = {voltage(module.ports[0]): "v", parameter(START): "x"}
    names |= {parameter(name): f"{prefix}_p[{k}]" for k, name in enumerate(free)}
    at_rest = [graph.replace(r, {voltage(module.internal_nodes[0]): ZERO}) for r in roots]
    text = _Text(module, names, at_rest)
    results = [f"{prefix}_{name}" for name in ("i", "i_v", "i_x", "dx", "dx_v", "dx_x")]
    assigned = [f"{name} = {text.value(r)};" for name, r in zip(results, _by_value(at_rest), strict=True)]

    def cases(answer: str, kind: str, of: Sequence[str]) -> list[str]:
        arms = [f"{k}: {prefix}_{answer} = {one};" for k, one in enumerate(of)]
        return [
            f"function {kind} {prefix}_{answer};",
            "    input integer k;",
            "    case (k)",
            *_indented(arms, 8),
            f"        default: {prefix}_{answer} = 0;",
            "    endcase",
            "endfunction",
            "",
        ]

    return [
        "// -- for analog_array_model.v: parameters of the device at work, and what it answers",
        f"localparam integer {prefix}_free = {len(free)};",
        f"localparam real {prefix}_x_low = {max(low, -1e300)!r}, {prefix}_x_high = {min(high, 1e300)!r};",
        f"real {prefix}_p [0:{max(len(free), 1) - 1}];",
        f"real {', '.join(results)};",
        "",
        *cases("nominal", "real", [repr(values[n]) for n in free]),
        *cases("name", f"[8*{_COLUMN}-1:0]", [f'"{n}"' for n in free]),
        "// 1: a pulse's value is an offset, 0: a factor",
        *cases("offset", "integer", [str(int((scatter or {}).get(n, "*") == "+")) for n in free]),
        f"task {prefix}_evaluate;",
        "    input real v, x;",
        *_indented(_declared(text.variables), 4),
        "    begin",
        *_indented([*text.lines, *assigned], 8),
        "    end",
        "endtask",
    ]


def _by_value(roots: Sequence[Expr]) -> list[Expr]:
    """Return current, its slopes, rate, its slopes from the order in which they were made: current, rate, slopes."""
    current, rate, i_v, i_s, rate_v, rate_s = roots
    return [current, i_v, i_s, rate, rate_v, rate_s]


def free_parameters(device: Device) -> dict[str, str]:
    """Return the parameters that the card says scatter: name -> ``+`` or ``*``, how a pulse's value changes it."""
    spread = device.card.spread
    both = {**spread.device_to_device, **spread.cycle_to_cycle}
    return {n: "+" if both[n].distribution == "normal" else "*" for n in device.module.parameters if n in both}


def device_model(card: str | Path = "chromium") -> str:
    """Return the text of :data:`DEVICE_MODEL` for a card: x0 and what the card says scatters is free.

    Raises:
        ConfigError: no such card, or a faulty one.
        VerilogAError: the model cannot be written as Verilog.
    """
    device = load_device(card)
    scatter = {n: how for n, how in free_parameters(device).items() if n != START}
    text = emit_verilog(device.module, device.card.parameters, (START, *scatter), scatter=scatter)
    head, _, rest = text.partition("\n")
    return f"{head}\n// Card {device.name}; written by: pyharness compile {device.name} --target verilog\n{rest}"


def write_devices(path: Path, free: Sequence[str], rows: Sequence[Mapping[str, float]]) -> None:
    """Write the table of ``+pyh_devices``: a row for each device, in the array's order.

    Args:
        path: file to write.
        free: names as in the include file, without ``x0``, in its order.
        rows: value of ``x0`` and of each free parameter for each device.

    Raises:
        ConfigError: a row lacks a value or has one too many, or a value is not finite.
    """
    names = (START, *free)
    lines = [" ".join(names), *(" ".join(_row(row, names, f"device {i}")) for i, row in enumerate(rows))]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_cycles(path: Path, scatter: Mapping[str, str], pulses: Sequence[tuple[int, Mapping[str, float]]]) -> None:
    """Write the table of ``+pyh_cycles``: (device, offset or factor of each free parameter) for each pulse.

    Args:
        path: file to write.
        scatter: name -> ``+`` or ``*``, in the order of the include file (:func:`free_parameters`).
        pulses: the rows of one device are taken in their order; rows of several devices may be mixed.

    Raises:
        ConfigError: a row lacks a value or has one too many, or a value is not finite.
    """
    lines = [" ".join(["device", *(f"{n}{how}" for n, how in scatter.items())])]
    for i, (device, row) in enumerate(pulses):
        lines.append(" ".join([str(int(device)), *_row(row, tuple(scatter), f"pulse {i}")]))
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _row(row: Mapping[str, float], names: Sequence[str], where: str) -> list[str]:
    if set(row) != set(names):
        raise ConfigError(
            f"{where}: a row holds a value for each of {', '.join(names)}; got {', '.join(row) or 'none'}"
        )
    for name in names:
        if not math.isfinite(row[name]):
            raise ConfigError(f"{where}: '{name}' must be a finite number, got {row[name]!r}")
    return [repr(float(row[name])) for name in names]
