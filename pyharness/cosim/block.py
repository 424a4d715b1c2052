# SPDX-License-Identifier: BSD-3-Clause
"""An analog block beside the HDL: netlist, pins, meters, and the run."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject, IntegerObject, ValueObjectBase
from cocotb.triggers import Event, Timer, ValueChange
from numpy.typing import NDArray

from pyharness.cosim.engine import MAX_PHASES, STOP_SOURCE, Edge, Engine, Options, Statistics
from pyharness.cosim.libngspice import find_libngspice
from pyharness.cosim.options import SolverOptions
from pyharness.cosim.pins import E2L, E2R, L2E, R2E, Pin
from pyharness.errors import AnalogError, ConfigError, PyharnessError

__all__ = ("AnalogBlock", "Meter", "Transition")

_POLICIES = {"error": 0, "hold": 1, "low": 2}
_FORBIDDEN = re.compile(r"\s*(\.(control|endc|tran|op|ac|dc|end|options?|save|four|meas|print|plot)\b|\*#)", re.I)
_COARSEST_TICK_S = 1e-9
_SOURCE_RAMP_S = 1e-9


@dataclass(frozen=True)
class Meter:
    """Energy into a two-terminal element: the time integral of (v(plus) - v(minus)) * i(branch), per phase.

    Attributes:
        name: name under which the energy is returned.
        plus, minus: nodes; ``0`` is ground.
        branch: voltage source whose current is meant (SPICE sign: into its positive terminal).
    """

    name: str
    plus: str
    minus: str
    branch: str


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


class AnalogBlock:
    """One SPICE netlist bound to one HDL shell, simulated in step with it.

    The shell is an HDL module without logic whose ports bear the names of the netlist's nodes.  Its outputs are
    ``output reg`` that nothing assigns, and it declares ``reg bridge_event`` (initially 0), by which the engine
    wakes Python.  Every port must have a pin and every pin a port.

    The block stands still in analog time until :meth:`start`; analog time zero is the HDL time of that call.
    One block runs at a time.  All methods are called from cocotb tasks.
    """

    def __init__(
        self,
        shell: HierarchyObject,
        netlist: Sequence[str],
        pins: Sequence[Pin],
        *,
        options: SolverOptions | None = None,
        meters: Sequence[Meter] = (),
        sources: Mapping[str, float] | None = None,
        phase: str = "",
        probes: Mapping[str, str] | None = None,
        probe_step_v: float = 1e-3,
        log_edges: bool = False,
    ) -> None:
        """Describe the block; nothing is loaded yet.

        Args:
            shell: the HDL instance.
            netlist: circuit lines without title, sources of the pins, analyses and ``.end``.
            pins: connect modules of all ports.
            options: accuracy; defaults of :class:`SolverOptions`.
            meters: energies to integrate.
            sources: nodes driven by sources that Python sets -> their first voltage.
            phase: port whose value (0 .. 7) selects the phase that energy is counted to; none: all in phase 0.
            probes: HDL real variable (full path) -> node, recorded for the waveform file.
            probe_step_v: smallest change of a probe that is recorded.
            log_edges: keep a record of every event across the border (40 bytes each).

        Raises:
            ConfigError: the netlist holds an analysis or a control block, or two pins share a port.
        """
        self._shell = shell
        self._pins = tuple(pins)
        self._options = options or SolverOptions()
        self._meters = tuple(meters)
        self._sources = dict(sources or {})
        self._phase = phase
        self._probes = dict(probes or {})
        self._probe_step_v = probe_step_v
        self._log_edges = log_edges
        self._netlist = [line for text in netlist for line in text.splitlines() if line.strip()]
        for line in self._netlist:
            if _FORBIDDEN.match(line):
                raise ConfigError(
                    f"the netlist of an analog block holds circuit lines only, got {line.strip()!r}: remove it"
                )
            if re.match(r"\s*a", line, re.I):
                raise ConfigError(
                    f"XSPICE devices cannot be solved again with a shorter step, got {line.strip()!r}: "
                    "use B, E or S elements instead"
                )
        ports = [pin.port for pin in self._pins]
        double = sorted({port for port in ports if ports.count(port) > 1})
        if double:
            raise ConfigError(f"each port has one pin, but these have more: {', '.join(double)}")
        self._engine = Engine()
        self._driver_nodes: list[str] = []
        self._sensor_nodes: list[str] = []
        self._running = False
        self._fired = Event()
        self._watch_task: cocotb.task.Task[None] | None = None

    # -- life cycle ---------------------------------------------------------------------------------------------

    async def start(self, state: Mapping[str, float] | None = None) -> None:
        """Load the circuit, solve its operating point and let both sides run.

        Args:
            state: node voltages to go on from, as :meth:`state` returned them; capacitors start charged to them and
                no operating point is solved.

        Raises:
            AnalogError: ngspice refuses the netlist, does not converge, or a pin is X or Z.
            ConfigError: ports and pins do not match.
            ToolNotFoundError: ngspice's library is missing.
        """
        engine = self._engine
        engine.check(engine.pyh_load(find_libngspice().encode()))
        engine.check(engine.pyh_reset())
        if engine.pyh_tick() > _COARSEST_TICK_S:
            raise ConfigError(
                f"the HDL time precision is {engine.pyh_tick():g} s, coarser than {_COARSEST_TICK_S:g} s: "
                "give the design a `timescale, for example `timescale 1ns/1ps"
            )
        self._check_ports()
        try:
            in_force = self._load(state)
            limits = Options(
                crossing_tol_s=in_force.crossing_tol_s,
                tmax_s=in_force.tmax_s,
                edge_corners=in_force.edge_corners,
                log_edges=self._log_edges,
            )
            engine.check(engine.pyh_start(ctypes.byref(limits), in_force.tran_command().encode()))
        except PyharnessError:
            engine.pyh_stop()
            raise
        for line in engine.text("messages").splitlines():
            if line.lower().startswith("warning"):
                self._shell._log.warning("ngspice: %s", line)
        self._running = True
        self._watch_task = cocotb.start_soon(self._watch())

    async def stop(self) -> None:
        """End the analog run and release the circuit; energies and statistics stay readable.

        A block that is not stopped ends with its test.

        Raises:
            AnalogError: the run had failed before.
        """
        if not self._running:
            return
        try:
            self._check_alive()
        finally:
            self._release()
            if self._watch_task is not None:
                self._watch_task.cancel()

    async def _watch(self) -> None:
        event = getattr(self._shell, "bridge_event")  # noqa: B009 - the name is data: it is the HDL's
        try:
            while True:
                await ValueChange(event)
                self._check_alive()
                self._fired.set()
        finally:  # also when the test ends without stop(): the next one starts from a clean state
            self._release()

    def _release(self) -> None:
        if not self._running:
            return
        self._running = False
        self._engine.pyh_stop()

    def _check_alive(self) -> None:
        if self._engine.pyh_state() == 4:
            raise AnalogError(self._engine.explain())

    # -- readings -----------------------------------------------------------------------------------------------

    def voltage(self, node: str) -> float:
        """Return the voltage of ``node`` at the present HDL time, in volt.

        Between two analog points it is read off the straight line between them; :meth:`land` first for the solver's
        own value.
        """
        self._require_running()
        return float(self._engine.pyh_value(self._index(node)))

    def current(self, source: str) -> float:
        """Return the current through voltage source ``source`` at the present HDL time, in ampere."""
        self._require_running()
        return float(self._engine.pyh_value(self._index(f"{source}#branch")))

    def set_voltage(self, node: str, voltage_v: float) -> None:
        """Move the Python-driven source of ``node`` to ``voltage_v``, by a ramp of 1 ns from the present HDL time on.

        Raises:
            ConfigError: ``node`` is not among the block's ``sources``, or the voltage is not finite.
        """
        if node not in self._sources:
            known = ", ".join(self._sources) or "none"
            raise ConfigError(f"'{node}' is not driven from Python (sources: {known}): name it in 'sources'")
        if not math.isfinite(voltage_v):
            raise ConfigError(f"source '{node}' cannot be set to {voltage_v!r} V")
        self._require_running()
        self._engine.pyh_set_source(self._driver_nodes.index(node), voltage_v)

    async def crossing(self, node: str, level_v: float, *, rising: bool = True, minus: str = "0") -> None:
        """Wait until the voltage of ``node`` against ``minus`` passes ``level_v``.

        Returns at the HDL tick on or after the crossing, located to the crossing tolerance.  A voltage that is
        already beyond the level must come back and pass it again.

        Raises:
            AnalogError: an unknown node, or the analog side fails meanwhile.
        """
        self._require_running()
        number = int(self._engine.pyh_watch(self._index(node), self._index(minus), level_v, rising))
        try:
            while True:
                await self._fired.wait()
                self._fired.clear()
                if self._engine.pyh_fired(number):
                    return
        finally:
            self._engine.pyh_unwatch(number)

    def charge_c(self) -> dict[str, NDArray[np.float64]]:
        """Return the charge through each meter's branch in coulomb, like :meth:`energy_j`."""
        return {meter.name: np.array(self._engine.pyh_charge(i)[:MAX_PHASES]) for i, meter in enumerate(self._meters)}

    async def land(self) -> None:
        """Put an analog point at the present HDL time, so that readings are the solver's own; takes one HDL tick."""
        self._require_running()
        self._engine.pyh_land()
        await Timer(1, "step")

    async def state(self) -> dict[str, float]:
        """Return the voltage of every node at the present HDL time: what :meth:`start` restores."""
        await self.land()
        names = self._names()
        nodes = [name for name in names if not name.endswith("#branch")]
        return {name: self.voltage(name) for name in nodes}

    def energy_j(self) -> dict[str, NDArray[np.float64]]:
        """Return the energy of each meter in joule, an array of 8 phases, up to the last accepted point."""
        return {meter.name: np.array(self._engine.pyh_energy(i)[:MAX_PHASES]) for i, meter in enumerate(self._meters)}

    def statistics(self) -> Statistics:
        """Return a copy of the run's counters."""
        copy = Statistics()
        ctypes.pointer(copy)[0] = self._engine.pyh_statistics().contents
        return copy

    def transitions(self) -> list[Transition]:
        """Return the events across the border so far (with ``log_edges``)."""
        edges = ctypes.POINTER(Edge)()
        count = self._engine.pyh_edges(ctypes.byref(edges))
        return [
            Transition(
                tick=edge.tick,
                analog_s=edge.analog_s,
                pin=(self._sensor_nodes if edge.direction else self._driver_nodes)[edge.pin],
                to_analog=edge.direction == 0,
                level=edge.level,
            )
            for edge in edges[:count]
        ]

    @property
    def ngspice_version(self) -> str:
        """Version that the loaded library reports."""
        return self._engine.text("version")

    # -- set-up -------------------------------------------------------------------------------------------------

    def _require_running(self) -> None:
        if not self._running:
            raise AnalogError("the block is not running: call start() first, and read before stop()")

    def _index(self, node: str) -> int:
        index = int(self._engine.pyh_index(node.encode()))
        if index == -2:
            raise AnalogError(
                f"'{node}' cannot be told from an inner node of a device in ngspice's solution: put a resistor of 1 mOhm "
                "between it and the node that you read"
            )
        if index < 0:
            names = self._names()
            raise AnalogError(f"no node or branch '{node}' in the circuit, which has: {', '.join(names)}")
        return index

    def _names(self) -> list[str]:
        return [self._engine.pyh_name(i).decode() for i in range(self._engine.pyh_names())]

    def _check_ports(self) -> None:
        ports = {
            child._name
            for child in self._shell
            if isinstance(child, ValueObjectBase)
            and not isinstance(child, IntegerObject)
            and not child.is_const
            and child._name != "bridge_event"
        }
        pins = {pin.port for pin in self._pins} | ({self._phase} if self._phase else set())
        where = self._shell._path
        if pins - ports:
            raise ConfigError(
                f"pins without a port on {where}: {', '.join(sorted(pins - ports))}; its ports are "
                f"{', '.join(sorted(ports))}"
            )
        if ports - pins:
            raise ConfigError(
                f"ports of {where} without a pin: {', '.join(sorted(ports - pins))}; give each an L2E or E2L"
            )

    def _signal(self, port: str, drive: bool) -> tuple[int, int]:
        path = f"{self._shell._path}.{port}"
        signal = self._engine.check(self._engine.pyh_signal(path.encode(), drive))
        return signal, int(self._engine.pyh_width(signal))

    def _declare_drivers(self) -> list[str]:
        """Tell the engine what the digital side drives; return the sources' lines."""
        engine = self._engine
        lines = []
        self._driver_nodes.clear()

        def add(
            node: str, signal: int, lsb: int, bits: int, signed: bool, scale: float, offset_v: float,
            ramp_s: tuple[float, float], unknown: int = 0, corners: int | None = None,
        ) -> None:  # fmt: skip
            source = f"vpyh_{node}".lower()
            lines.append(f"{source} {node} 0 external")
            engine.pyh_driver(
                source.encode(),
                signal,
                lsb,
                bits,
                signed,
                scale,
                offset_v,
                *ramp_s,
                unknown,
                self._options.edge_corners if corners is None else corners,
            )
            self._driver_nodes.append(node)

        for pin in self._pins:
            if isinstance(pin, L2E):
                signal, width = self._signal(pin.port, drive=False)
                policy = _POLICIES[pin.on_unknown]
                for e in pin.elements(width):
                    ramp_s = (pin.rise_s, pin.fall_s)
                    add(
                        e.node,
                        signal,
                        e.lsb,
                        pin.bits,
                        pin.signed,
                        pin.lsb_v,
                        pin.offset_v,
                        ramp_s,
                        policy,
                        pin.corners,
                    )
            elif isinstance(pin, R2E):
                signal, _ = self._signal(pin.port, drive=False)
                add(pin.node or pin.port, signal, 0, 1, False, pin.gain, pin.offset_v, (pin.rise_s, pin.fall_s))
        for node, voltage_v in self._sources.items():
            add(node, -1, 0, 1, False, 0.0, voltage_v, (_SOURCE_RAMP_S, _SOURCE_RAMP_S))
        if self._phase:
            engine.pyh_phase(self._signal(self._phase, drive=False)[0])
        return lines

    def _declare_readers(self) -> None:
        """Tell the engine what is read from the circuit that it has just learnt."""
        engine = self._engine
        self._sensor_nodes.clear()
        for pin in self._pins:
            if isinstance(pin, E2L):
                signal, width = self._signal(pin.port, drive=True)
                minus, half = self._index(pin.minus), pin.hysteresis_v / 2
                for e in pin.elements(width):
                    levels_v = (pin.threshold_v + half, pin.threshold_v - half)
                    engine.pyh_sensor(signal, e.lsb, self._index(e.node), minus, *levels_v)
                    self._sensor_nodes.append(e.node)
            elif isinstance(pin, E2R):
                path = f"{self._shell._path}.{pin.port}"
                engine.check(engine.pyh_probe(path.encode(), self._index(pin.node or pin.port), pin.step_v))
        for meter in self._meters:
            engine.pyh_meter(self._index(meter.plus), self._index(meter.minus), self._index(f"{meter.branch}#branch"))
        for real, node in self._probes.items():
            engine.check(engine.pyh_probe(real.encode(), self._index(node), self._probe_step_v))

    def _load(self, state: Mapping[str, float] | None) -> SolverOptions:
        """Hand the circuit to ngspice; return the options in force."""
        engine = self._engine
        options = self._options if state is None else replace(self._options, use_initial_conditions=True)
        lines = [
            "* analog block",
            *self._netlist,
            *self._declare_drivers(),
            f"{STOP_SOURCE} pyh_stop 0 external",
            *(f".ic v({node})={voltage_v!r}" for node, voltage_v in (state or {}).items()),
            options.options_line(),
            ".end",
        ]
        engine.check(engine.pyh_circuit(engine.allocate_lines(lines), options.learn_command().encode()))
        self._declare_readers()
        engine.pyh_event(f"{self._shell._path}.bridge_event".encode())
        watched = " ".join(["pyh_stop", *self._sensor_nodes[:4], *self._driver_nodes[:4]])
        engine.pyh_command(f"save {watched}".encode())
        engine.pyh_command(b"stop when v(pyh_stop) > 0.5")
        return options
