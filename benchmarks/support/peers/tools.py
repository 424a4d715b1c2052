# SPDX-License-Identifier: BSD-3-Clause
"""What each tool needs around one and the same circuit: its form of the netlist, its settings, its view of the edges."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyharness.cosim import SolverOptions
from pyharness.cosim.libngspice import find_libngspice

from .launch import Run, simulate

OURS = "pyharness"
SPICEBIND = "spicebind"
AMS = "cocotbext-ams"
PEERS = (SPICEBIND, AMS)

Events = list[tuple[float, int]]
"""(second, level) in order."""


@dataclass(frozen=True)
class Circuit:
    """The work: a circuit beside an HDL shell, and what the test does with it.

    Attributes:
        source, top, shell: Verilog, its top module, the instance that stands for the circuit.
        port, width: the port that drives the circuit; its nodes are ``port`` or ``port0``, ``port1``, ...
        bound, instance: the names under which the tools are told of the port and the shell, when they are to be wrong ones.
        definitions: subcircuits.
        netlist: lines between the nodes of ``port`` and the node ``sense``.
        drive: node that shows the edges of the port (of a bus, the sum of its nodes, of which one is high at a time).
        high_v, threshold_v: of the pins.
        rise_s: length of our ramps; the peers' sources jump.
        options: accuracy, the same for every tool.
        play: what the test does, with ``settings`` of its own.
        duration_ps: HDL time that is played.
    """

    source: Path
    top: str
    shell: str
    port: str
    width: int
    definitions: tuple[str, ...]
    netlist: tuple[str, ...]
    drive: str
    high_v: float
    threshold_v: float
    rise_s: float
    options: SolverOptions
    play: str
    settings: dict[str, Any]
    duration_ps: int
    bound: str = ""
    instance: str = ""

    @property
    def nodes(self) -> list[str]:
        """Nodes of the port."""
        return [f"{self.port}{i}" for i in range(self.width)] if self.width > 1 else [self.port]


@dataclass(frozen=True)
class Setting:
    """One tool in one setting.

    Attributes:
        tool, name: which, and what the table calls the setting.
        step: of a peer, largest analog step, as ngspice reads it.
        sync_ns: of cocotbext-ams, longest time between synchronisations; its default by default.
        edge_corners: of this coupling, the option of that name; the circuit's by default.
        workaround: whether to keep a peer from what crashes it.
    """

    tool: str
    name: str
    step: str = ""
    sync_ns: float | None = None
    edge_corners: int | None = None
    workaround: bool = True


@dataclass(frozen=True)
class Outcome:
    """A run and what its test wrote (None: it did not come to its end); edges of the drive and events of the comparator, as the HDL and as the analog side has them."""

    run: Run
    result: dict[str, Any] | None
    edges: Events = field(default_factory=list)
    events: Events = field(default_factory=list)
    analog_edges: Events = field(default_factory=list)
    analog_events: Events = field(default_factory=list)


def installed(tool: str) -> bool:
    """Return whether the tool is there; nothing is imported, since cocotbext is a package of several parts."""
    try:
        version(tool)
    except PackageNotFoundError:
        return False
    return True


def tool_version(tool: str) -> str:
    """Return the installed version, or that there is none."""
    return version(tool) if installed(tool) else "not installed"


def play(setting: Setting, circuit: Circuit, folder: Path, limit_s: float) -> Outcome:
    """Run the circuit through one tool (``none``: the HDL alone)."""
    folder.mkdir(parents=True)
    job: dict[str, Any] = {
        "tool": setting.tool,
        "shell": circuit.instance or circuit.shell,
        "port": circuit.bound or circuit.port,
        "node": circuit.port,
        "width": circuit.width,
        "play": circuit.play,
        "high_v": circuit.high_v,
        "threshold_v": circuit.threshold_v,
        "duration_ps": circuit.duration_ps,
        **circuit.settings,
    }
    environment: dict[str, str] = {}
    arguments: list[str] = []
    if setting.tool == OURS:
        corners = {} if setting.edge_corners is None else {"edge_corners": setting.edge_corners}
        job |= {
            "netlist": [*circuit.definitions, *circuit.netlist],
            "options": asdict(circuit.options) | corners,
            "rise_s": circuit.rise_s,
        }
    elif setting.tool == AMS:
        job |= _for_ams(setting, circuit, folder)
    elif setting.tool == SPICEBIND:
        environment |= _for_spicebind(setting, circuit, folder)
        arguments = ["-M", str(import_module("spicebind").get_lib_dir()), "-m", "spicebind_vpi"]
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    environment["PYHARNESS_PEERS"] = str(path.resolve())
    pins = {"DRIVE": f"{circuit.top}.{circuit.shell}.{circuit.port}", "SENSE": f"{circuit.top}.{circuit.shell}.sense"}
    run = simulate(circuit.source, circuit.top, pins, folder, limit_s, environment, arguments)
    written = path.with_suffix(".out.json")
    if not written.exists():
        return Outcome(run, None)
    result = json.loads(written.read_text())
    edges, events = (recorded(folder / "events.txt", pin) for pin in ("drive", "sense"))
    if setting.tool == OURS:
        analog = {
            to: [(s, int(v > 0)) for to_analog, s, v, _ in result["transitions"] if to_analog is to]
            for to in (True, False)
        }
        return Outcome(run, result, edges, events, analog[True], analog[False])
    if setting.tool not in PEERS:
        return Outcome(run, result, edges, events)
    vectors = read_raw(folder / "dump.raw")
    time_s, drive, sense = (vectors.get(n) for n in ("time", circuit.drive, "sense"))
    if time_s is None or drive is None or sense is None:  # the test passed, but nothing was simulated
        return Outcome(run, None)
    return Outcome(
        run,
        result,
        edges,
        events,
        [(late, level) for _, late, level in passages(time_s, drive, circuit.high_v / 2)],
        [(at, level) for at, _, level in passages(time_s, sense, circuit.threshold_v)],
    )


def recorded(path: Path, pin: str) -> Events:
    """Return the changes of a pin between 0 and 1 that the HDL recorded, from 0 on; X and Z between them are passed over."""
    found: Events = []
    level = 0
    for name, ps, value in (line.split() for line in path.read_text().splitlines()):
        if name == pin and value in "01" and int(value) != level:
            level = int(value)
            found.append((int(ps) * 1e-12, level))
    return found


def _for_spicebind(setting: Setting, circuit: Circuit, folder: Path) -> dict[str, str]:
    """Write its deck; return its environment.

    Its sources bear the names of the HDL's bits.  As documented they have a DC value; the work-around leaves it out.
    """
    dc = "" if setting.workaround else "0 "
    port = circuit.bound or circuit.port
    bits = [f"{port}[{i}]" for i in range(circuit.width)] if circuit.width > 1 else [port]
    sources = [f"v{bit} {node} 0 {dc}external" for bit, node in zip(bits, circuit.nodes, strict=True)]
    # the run ends with the HDL: an analog end before that would hang it
    stop_s = 2e-12 * circuit.duration_ps + 1e-3
    deck = [
        "* spicebind",
        *circuit.definitions,
        *circuit.netlist,
        *sources,
        circuit.options.options_line(),
        f".save v(sense) v({circuit.drive})",
        f".tran {setting.step} {stop_s!r}",
        ".end",
    ]
    (folder / "deck.cir").write_text("\n".join([*deck, ""]))
    # between its two thresholds it sets X; as close as this they are one comparator
    return {
        "SPICE_NETLIST": "deck.cir",
        "HDL_INSTANCE": f"{circuit.top}.{circuit.instance or circuit.shell}",
        "VCC": repr(circuit.high_v),
        "LOGIC_THRESHOLD_LOW": repr(circuit.threshold_v - 1e-9),
        "LOGIC_THRESHOLD_HIGH": repr(circuit.threshold_v + 1e-9),
        "SPICE_DUMP_RAW": "1",
    }


def _for_ams(setting: Setting, circuit: Circuit, folder: Path) -> dict[str, Any]:
    """Write its subcircuit; return its part of the job."""
    nodes = " ".join([*circuit.nodes, "sense", "vdd", "vss"])
    deck = [*circuit.definitions, f".subckt dut {nodes}", *circuit.netlist, ".ends dut"]
    (folder / "deck.cir").write_text("\n".join([*deck, ""]))
    drive = circuit.drive if circuit.drive in circuit.nodes else f"x1.{circuit.drive}"
    return {
        "deck": "deck.cir",
        "step": setting.step or "0.1n",
        "workaround": setting.workaround,
        "libngspice": find_libngspice(),
        "extra_lines": [circuit.options.options_line(), f".save v({drive})"],
        "bridge": {} if setting.sync_ns is None else {"max_sync_interval_ns": setting.sync_ns},
    }


def read_raw(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return the vectors of a binary raw file of ngspice by the name of the node; nothing without one that is whole."""
    header, mark, data = path.read_bytes().partition(b"Binary:\n") if path.exists() else (b"", b"", b"")
    if not mark:
        return {}
    text = header.decode("ascii", "replace")
    names = re.findall(r"^\s+\d+\s+(\S+)\s+\S+", text[text.index("Variables:\n") :], re.M)
    size = 8 * len(names)
    table = np.frombuffer(data[: len(data) // size * size]).reshape(-1, len(names))
    return {
        re.sub(r"^v\((.*)\)$", r"\1", name.lower()).removeprefix("x1."): table[:, i] for i, name in enumerate(names)
    }


def passages(time_s: NDArray[np.float64], v: NDArray[np.float64], level_v: float) -> list[tuple[float, float, int]]:
    """Return where ``v`` passes ``level_v``: on the straight line between two points, and at the latter; and whether upward."""
    high = v >= level_v
    at = np.flatnonzero(high[1:] != high[:-1]) + 1
    share = (level_v - v[at - 1]) / (v[at] - v[at - 1])
    line = time_s[at - 1] + share * (time_s[at] - time_s[at - 1])
    return [(float(x), float(late), int(up)) for x, late, up in zip(line, time_s[at], high[at], strict=True)]
