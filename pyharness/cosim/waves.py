# SPDX-License-Identifier: BSD-3-Clause
"""One waveform file for both domains: analog values recorded as HDL reals.

A generated top module named ``analog`` holds one real variable per recorded node.  The engine deposits the node's
voltage at the end of each analog step, so the simulator's own dump writes logic and analog values on one time base.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import log2
from pathlib import Path

from pyharness.errors import ConfigError

__all__ = ("PROBE_MODULE", "write_gtkwave_view", "write_probe_module")

PROBE_MODULE = "analog"
_NODE = re.compile(r"[a-z_][a-z0-9_.#]{0,126}\Z")
_SCOPE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,254}\Z")


def _variable(node: str) -> str:
    # the inner node of a compiled model goes by its instance, as that of a subcircuit does: n.x1.n1#a is x1.a
    return re.sub(r"[.#]", "_", re.sub(r"^n\.(.+)\.n\w*#", r"\1.", node))


def write_probe_module(
    folder: Path, nodes: Sequence[str], scopes: Mapping[str, int], waveform: str = "waves.vcd"
) -> tuple[Path, dict[str, str]]:
    """Write ``analog.v`` into ``folder``.

    Args:
        folder: existing folder.
        nodes: node names as ngspice reports them (lower case).
        scopes: HDL instances to record -> levels below them (0: all).
        waveform: name of the file that the simulator writes in its working folder.

    Returns:
        The module's file, to compile as a further root, and the probes of :class:`~pyharness.cosim.AnalogBlock`
        (HDL real -> node).

    Raises:
        ConfigError: a name cannot be written into Verilog, or two nodes share a variable.
    """
    for node in nodes:
        if not _NODE.match(node):
            raise ConfigError(f"a recorded node must be a plain lower-case ngspice name, got {node!r}")
    for scope in scopes:
        if not _SCOPE.match(scope):
            raise ConfigError(f"a recorded HDL scope must be a plain hierarchical name, got {scope!r}")
    variables = {_variable(node): node for node in nodes}
    if len(variables) != len(nodes):
        raise ConfigError("two recorded nodes differ only in '.', '#' and '_': record one of them")
    dumps = [f"        $dumpvars({levels}, {scope});" for scope, levels in scopes.items()]
    text = [
        "// Generated: analog node voltages for the waveform file.",
        "`timescale 1ns / 1ps",
        f"module {PROBE_MODULE};",
        *(f"    real {name};" for name in variables),
        "    initial begin",
        *(f"        {name} = 0.0;" for name in variables),
        f'        $dumpfile("{waveform}");',
        *dumps,
        f"        $dumpvars(1, {PROBE_MODULE});",
        "    end",
        "endmodule",
        "",
    ]
    path = folder / f"{PROBE_MODULE}.v"
    path.write_text("\n".join(text))
    return path, {f"{PROBE_MODULE}.{name}": node for name, node in variables.items()}


def write_gtkwave_view(
    path: Path, waveform: str, logic: Sequence[str], nodes: Sequence[str], span_s: float = 0.2
) -> None:
    """Write a GTKWave save file that shows ``logic`` signals and, as analog traces, ``nodes``.

    Args:
        path: ``.gtkw`` file to write, beside the waveform.
        waveform: name of the waveform file.
        logic: full HDL names, with ``[msb:lsb]`` for vectors.
        nodes: recorded node names.
        span_s: time to show.
    """
    # trace flags of GTKWave's save format: right-justified hexadecimal, and step-drawn analog over several rows
    hexadecimal, analog, blank = "@22", "@8420", "@20000"
    zoom = -log2(span_s * 1e12 / 600)  # 600 pixels wide, in picoseconds
    head = [f'[dumpfile] "{waveform}"', "[timestart] 0", "[size] 1400 900", " ".join([f"*{zoom:.6f}", *["-1"] * 27])]
    lines = [*head, hexadecimal, *logic]
    for node in nodes:
        lines += [analog, f"{PROBE_MODULE}.{_variable(node)}", blank, "-", "-"]
    path.write_text("\n".join([*lines, ""]))
