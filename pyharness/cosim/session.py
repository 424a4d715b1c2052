# SPDX-License-Identifier: BSD-3-Clause
"""One run of ngspice: the blocks that take part, their names in the one circuit, start, watch and end."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cocotb
from cocotb.handle import IntegerObject, ValueObjectBase
from cocotb.triggers import ValueChange

from pyharness.cosim.engine import STOP_SOURCE, Edge, Engine, Options, Statistics
from pyharness.cosim.libngspice import find_libngspice, library_has_osdi
from pyharness.cosim.options import SolverOptions
from pyharness.cosim.pins import E2L, E2R, L2E, R2E
from pyharness.errors import AnalogError, ConfigError

if TYPE_CHECKING:
    from pyharness.cosim.block import AnalogBlock

__all__ = ("Session", "Transition", "isolated_by_default")

_POLICIES = {"error": 0, "hold": 1, "low": 2}
_COARSEST_TICK_S = 1e-9
_FAILED = 4
_current: Session | None = None


def isolated_by_default() -> bool:
    """Return whether ``PYHARNESS_ISOLATED`` asks for ngspice in a process of its own."""
    return os.environ.get("PYHARNESS_ISOLATED", "") not in ("", "0")


@dataclass(frozen=True)
class Transition:
    """One event across the border, for checks of timing.

    Attributes:
        tick: HDL time in ticks.
        analog_s: seconds since the block's start: where the ramp begins (D->A), or the crossing (A->D).
        pin: node of the pin.
        to_analog: direction.
        level: target voltage (D->A) or logic level (A->D).
    """

    tick: int
    analog_s: float
    pin: str
    to_analog: bool
    level: float


class Names:
    """A block's names in the circuit.

    A block alone keeps its own.  Of several, each is a subcircuit: its driven nodes are ports, all else lies inside.
    """

    def __init__(self, block: AnalogBlock, label: str) -> None:
        self.block = block
        self.label = label
        self.ports: list[str] = []

    def outer(self, node: str) -> str:
        """Return the name of a driven node in the circuit."""
        return f"{self.label}_{node}" if self.label else node

    def full(self, name: str) -> str:
        """Return ngspice's name for a node, ``source#branch`` or ``element#node`` of the block."""
        low = name.lower()
        if not self.label or low in ("0", "gnd"):
            return low
        if low in map(str.lower, self.ports):
            return self.outer(low)
        x = f"x{self.label}"
        # what belongs to an element (a branch, an inner node) gets the element's letter and the instance, once more for each level
        return f"{low[0]}.{x}.{low}" if "#" in low else f"{x}.{low}"

    def local(self, full: str) -> str | None:
        """Return the block's own name for one of ngspice's; None where it is another block's."""
        if not self.label:
            return full
        x = f"x{self.label}."
        if full.startswith(x):
            return full[len(x) :]
        if re.match(rf"[a-z]\.{re.escape(x)}", full):
            return full[2 + len(x) :]
        for port in self.ports:
            if full == self.outer(port.lower()):
                return port.lower()
        return None

    def lines(self) -> list[str]:
        """Return the block's part of the circuit."""
        if not self.label:
            return list(self.block.netlist)
        head = " ".join([f".subckt pyh_{self.label}", *self.ports])
        outer = " ".join(self.outer(p) for p in self.ports)
        return [head, *self.block.netlist, f".ends pyh_{self.label}", f"x{self.label} {outer} pyh_{self.label}"]


def _names(blocks: Sequence[AnalogBlock]) -> dict[AnalogBlock, Names]:
    if len(blocks) == 1:
        return {blocks[0]: Names(blocks[0], "")}
    found: dict[AnalogBlock, Names] = {}
    for block in blocks:
        label = re.sub(r"\W", "_", block.shell._name).lower()
        taken = [n.label for n in found.values()]
        # also none that another's continues: a_b + c must not be a + b_c
        while any(t.startswith(f"{label}_") or label.startswith(f"{t}_") or t == label for t in taken):
            label = f"b{len(found)}{label}"
        found[block] = Names(block, label)
    return found


class Session:
    """A run of ngspice with one or more blocks; one at a time in a process."""

    def __init__(self, blocks: Sequence[AnalogBlock], options: SolverOptions, isolated: bool) -> None:
        self.blocks = tuple(blocks)
        self.options = options
        self.isolated = isolated
        self.engine = Engine()
        self.names = _names(self.blocks)
        self.drivers: list[tuple[AnalogBlock, str]] = []
        self.sensors: list[tuple[AnalogBlock, str]] = []
        self.meters: dict[AnalogBlock, list[int]] = {}
        self.running = False
        self._phases: dict[AnalogBlock, int] = {}
        self._watch_task: cocotb.task.Task[None] | None = None

    # -- life cycle ------------------------------------------------------------------------------------------------

    def start(self, states: Mapping[AnalogBlock, Mapping[str, float]]) -> None:
        """Load the circuit, solve its operating point, let both sides run; see :meth:`AnalogBlock.start`."""
        global _current
        if _current is not None and _current.running:
            running = ", ".join(block.shell._path for block in _current.blocks)
            raise AnalogError(
                f"{running} runs already, and a process holds one ngspice: start the blocks together (start_together), or "
                "stop it before another is set up"
            )
        engine = self.engine
        libraries = list(dict.fromkeys(library for block in self.blocks for library in block.libraries))
        ngspice = find_libngspice()
        if libraries and not library_has_osdi(ngspice):
            raise ConfigError(
                f"{ngspice} was built without OSDI and loads no compiled models: use the ngspice subcircuit, or another library"
            )
        engine.open(ngspice, self.isolated)
        try:
            for library in libraries:
                engine.load_osdi(library)
            if engine.pyh_tick() > _COARSEST_TICK_S:
                raise ConfigError(
                    f"the HDL time precision is {engine.pyh_tick():g} s, coarser than {_COARSEST_TICK_S:g} s: "
                    "give the design a `timescale, for example `timescale 1ns/1ps"
                )
            for block in self.blocks:
                self._check_ports(block)
            in_force = self._load(states)
            limits = Options(
                crossing_tol_s=in_force.crossing_tol_s,
                tmax_s=in_force.tmax_s,
                edge_corners=in_force.edge_corners,
                log_edges=any(block.log_edges for block in self.blocks),
            )
            engine.check(engine.pyh_start(ctypes.byref(limits), in_force.tran_command().encode()))
        except BaseException:  # also a mistake in what was given, so that the next block starts clean
            engine.pyh_stop()
            raise
        for line in engine.text("messages").splitlines():
            # the memory is that of values which are not kept
            if line.lower().startswith("warning") and "memory required" not in line:
                self.blocks[0].shell._log.warning("ngspice: %s", line)
        self.running = True
        _current = self
        self._watch_task = cocotb.start_soon(self._watch())

    def stop(self) -> None:
        """End the run and release the circuit.

        Raises:
            AnalogError: the run had failed before.
        """
        if not self.running:
            return
        try:
            self.check_alive()
        finally:
            self._release()
            if self._watch_task is not None:
                self._watch_task.cancel()

    async def _watch(self) -> None:
        event = getattr(self.blocks[0].shell, "bridge_event")  # noqa: B009 - the name is data: it is the HDL's
        try:
            while True:
                await ValueChange(event)
                self.check_alive()
                for block in self.blocks:
                    block.fired.set()
        finally:  # also when the test ends without stop(): the next one starts from a clean state
            self._release()

    def _release(self) -> None:
        if not self.running:
            return
        self.running = False
        for block in self.blocks:
            block.keep()
            block.fired.set()  # who waits for a crossing learns that none will come
        self.engine.pyh_stop()

    def check_alive(self) -> None:
        """Raise what has gone wrong on the analog side, if anything has."""
        if self.engine.pyh_state() == _FAILED:
            raise AnalogError(self.engine.explain())

    # -- readings --------------------------------------------------------------------------------------------------

    def index(self, block: AnalogBlock, name: str) -> int:
        """Return the place of a block's node or branch among the unknowns."""
        index = int(self.engine.pyh_index(self.names[block].full(name).encode()))
        if index == -2:
            raise AnalogError(
                f"'{name}' cannot be told from an inner node of a device in ngspice's solution: put a resistor of 1 mOhm "
                "between it and the node that you read"
            )
        if index < 0:
            raise AnalogError(
                f"no node or branch '{name}' in the circuit, which has: {', '.join(self.unknowns(block))}"
            )
        return index

    def unknowns(self, block: AnalogBlock) -> list[str]:
        """Return the block's nodes and branches."""
        engine = self.engine
        full = (engine.pyh_name(i).decode() for i in range(engine.pyh_names()))
        return [name for name in map(self.names[block].local, full) if name is not None]

    def statistics(self) -> Statistics:
        """Return a copy of the run's counters."""
        copy = Statistics()
        ctypes.pointer(copy)[0] = self.engine.pyh_statistics().contents
        return copy

    def transitions(self, block: AnalogBlock) -> list[Transition]:
        """Return the events across the border of a block so far."""
        edges = ctypes.POINTER(Edge)()
        count = self.engine.pyh_edges(ctypes.byref(edges))
        found = []
        for edge in edges[:count]:
            owner, pin = (self.sensors if edge.direction else self.drivers)[edge.pin]
            if owner is block:
                found.append(Transition(edge.tick, edge.analog_s, pin, edge.direction == 0, edge.level))
        return found

    # -- set-up ----------------------------------------------------------------------------------------------------

    def _check_ports(self, block: AnalogBlock) -> None:
        shell = block.shell
        names = {child._name for child in shell}
        if "bridge_event" not in names:
            raise ConfigError(
                f"{shell._path} is no shell of an analog block: declare 'reg bridge_event = 1'b0;' in its module, by which the "
                "engine wakes Python"
            )
        ports = {
            child._name
            for child in shell
            if isinstance(child, ValueObjectBase)
            and not isinstance(child, IntegerObject)
            and not child.is_const
            and child._name != "bridge_event"
        }
        pins = {pin.port for pin in block.pins} | ({block.phase} if block.phase else set())
        where = shell._path
        if pins - ports:
            raise ConfigError(
                f"pins without a port on {where}: {', '.join(sorted(pins - ports))}; its ports are {', '.join(sorted(ports))}"
            )
        if ports - pins:
            raise ConfigError(
                f"ports of {where} without a pin: {', '.join(sorted(ports - pins))}; give each an L2E or E2L"
            )

    def _signal(self, block: AnalogBlock, port: str, drive: bool) -> tuple[int, int]:
        path = f"{block.shell._path}.{port}"
        signal = self.engine.check(self.engine.pyh_signal(path.encode(), drive))
        return signal, int(self.engine.pyh_width(signal))

    def _vector(self, block: AnalogBlock, port: str, drive: bool, widest: int = 0) -> tuple[int, int]:
        """Return signal and width of a port of logic values."""
        signal, width = self._signal(block, port, drive)
        if width == 0:
            raise ConfigError(
                f"port '{port}' of {block.shell._path} is a real, which has no levels: give it an R2E or E2R"
            )
        if widest and width > widest:
            raise ConfigError(
                f"the phase port '{port}' of {block.shell._path} has {width} bits, of which {widest} count: make it {widest} wide"
            )
        return signal, width

    def _declare_drivers(self, block: AnalogBlock) -> list[str]:
        """Tell the engine what the digital side drives; return the sources' lines."""
        engine, names = self.engine, self.names[block]
        lines = []

        def add(
            node: str, signal: int, lsb: int, bits: int, signed: bool, scale: float, offset_v: float,
            ramp_s: tuple[float, float], unknown: int = 0, corners: int | None = None,
        ) -> None:  # fmt: skip
            outer = names.outer(node)
            source = f"vpyh_{outer}".lower()
            lines.append(f"{source} {outer} 0 external")
            corners = self.options.edge_corners if corners is None else corners
            engine.pyh_driver(
                source.encode(), signal, lsb, bits, signed, scale, offset_v, *ramp_s, unknown, corners
            )  # fmt: skip
            names.ports.append(node)
            self.drivers.append((block, node))

        for pin in block.pins:
            if isinstance(pin, L2E):
                signal, width = self._vector(block, pin.port, drive=False)
                for e in pin.elements(width):
                    add(
                        e.node, signal, e.lsb, pin.bits, pin.signed, pin.lsb_v, pin.offset_v, (pin.rise_s, pin.fall_s),
                        _POLICIES[pin.on_unknown], pin.corners,
                    )  # fmt: skip
            elif isinstance(pin, R2E):
                signal, width = self._signal(block, pin.port, drive=False)
                if width:
                    raise ConfigError(
                        f"port '{pin.port}' of {block.shell._path} is a vector of {width} bits: R2E reads a real, L2E a vector"
                    )
                add(pin.node or pin.port, signal, 0, 1, False, pin.gain, pin.offset_v, (pin.rise_s, pin.fall_s))
        for node, s in block.sources.items():
            add(node, -1, 0, 1, False, 0.0, s.start_v, (s.ramp_s, s.ramp_s), corners=s.corners)
        if block.phase:
            self._phases[block] = int(engine.pyh_phase(self._vector(block, block.phase, drive=False, widest=3)[0]))
        return lines

    def _declare_readers(self, block: AnalogBlock) -> None:
        """Tell the engine what is read from the circuit that it has just learnt."""
        engine = self.engine
        for pin in block.pins:
            if isinstance(pin, E2L):
                signal, width = self._vector(block, pin.port, drive=True)
                minus, half = self.index(block, pin.minus), pin.hysteresis_v / 2
                for e in pin.elements(width):
                    levels_v = (pin.threshold_v + half, pin.threshold_v - half)
                    engine.pyh_sensor(signal, e.lsb, self.index(block, e.node), minus, *levels_v)
                    self.sensors.append((block, e.node))
            elif isinstance(pin, E2R):
                path = f"{block.shell._path}.{pin.port}"
                engine.check(engine.pyh_probe(path.encode(), self.index(block, pin.node or pin.port), pin.step_v))
        phase = self._phases.get(block, 0)
        self.meters[block] = [
            engine.pyh_meter(
                self.index(block, m.plus), self.index(block, m.minus), self.index(block, f"{m.branch}#branch"), phase
            )
            for m in block.meters
        ]
        for real, node in block.probes.items():
            engine.check(engine.pyh_probe(real.encode(), self.index(block, node), block.probe_step_v))

    def _load(self, states: Mapping[AnalogBlock, Mapping[str, float]]) -> SolverOptions:
        """Hand the circuit to ngspice; return the options in force."""
        engine = self.engine
        for block, state in states.items():
            inner = [name for name in state if "#" in name and not name.endswith("#branch")]
            if inner and block.libraries:
                raise ConfigError(
                    f"the inner node {inner[0]} of a compiled model takes no start in ngspice: let the run go on with the model's "
                    "ngspice form, or start the model's own parameter there"
                )
        options = replace(self.options, use_initial_conditions=True) if states else self.options
        sources = [line for block in self.blocks for line in self._declare_drivers(block)]
        starts = [
            f".ic v({self.names[block].full(node)})={voltage_v!r}"
            for block, state in states.items()
            for node, voltage_v in state.items()
            if not node.endswith("#branch")
        ]
        lines = [
            "* analog blocks",
            *(line for block in self.blocks for line in self.names[block].lines()),
            *sources,
            f"{STOP_SOURCE} pyh_stop 0 external",
            *starts,
            options.options_line(),
            ".end",
        ]
        engine.check(engine.pyh_circuit(engine.allocate_lines(lines), options.learn_command().encode()))
        for block in self.blocks:
            self._declare_readers(block)
        for block, state in states.items():
            for name, value in state.items():
                self.index(block, name)  # a state of another circuit is refused
                if name.endswith("#branch"):
                    inductor = self.names[block].full(name).removesuffix("#branch")
                    engine.pyh_command(f"alter @{inductor}[ic] = {value!r}".encode())
        engine.pyh_event(f"{self.blocks[0].shell._path}.bridge_event".encode())
        engine.pyh_command(b"save none")  # every value is reported at each point, none is kept
        engine.pyh_command(b"stop when v(pyh_stop) > 0.5")
        return options
