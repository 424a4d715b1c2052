# SPDX-License-Identifier: BSD-3-Clause
"""An analog block beside the HDL: netlist, pins, meters, and what can be read of it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from ctypes import POINTER, c_double
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import Event, NullTrigger, Timer
from numpy.typing import NDArray

from pyharness.cosim.engine import MAX_PHASES, Statistics
from pyharness.cosim.options import SolverOptions
from pyharness.cosim.pins import Pin, Source
from pyharness.cosim.session import Session, Transition, isolated_by_default
from pyharness.errors import AnalogError, ConfigError
from pyharness.spice import check_name

__all__ = ("AnalogBlock", "Meter", "start_together")

_FORBIDDEN = re.compile(r"\s*(\.(control|endc|tran|op|ac|dc|end|options?|save|four|meas|print|plot)\b|\*#)", re.I)


def _times_finer() -> int:
    """Return what ``PYHARNESS_FINER`` asks for."""
    asked = os.environ.get("PYHARNESS_FINER", "") or "0"
    if asked not in ("0", "1", "2", "3"):
        raise ConfigError(f"PYHARNESS_FINER must be 0, 1, 2 or 3, got {asked!r}: how often the options are made finer")
    return int(asked)


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


class AnalogBlock:
    """One SPICE netlist bound to one HDL shell, simulated in step with it.

    The shell is an HDL module without logic whose ports bear the names of the netlist's nodes.  Its outputs are
    ``output reg`` that nothing assigns, and it declares ``reg bridge_event`` (initially 0), by which the engine
    wakes Python.  Every port must have a pin and every pin a port.

    The block stands still in analog time until :meth:`start`; analog time zero is the HDL time of that call.
    One ngspice runs at a time: several blocks take part in it by :func:`start_together`.  All methods are called from cocotb
    tasks.
    """

    def __init__(
        self,
        shell: HierarchyObject,
        netlist: Sequence[str],
        pins: Sequence[Pin],
        *,
        options: SolverOptions | None = None,
        libraries: Sequence[Path] = (),
        meters: Sequence[Meter] = (),
        sources: Mapping[str, float | Source] | None = None,
        phase: str = "",
        probes: Mapping[str, str] | None = None,
        probe_step_v: float = 1e-3,
        log_edges: bool = False,
        isolated: bool | None = None,
    ) -> None:
        """Describe the block; nothing is loaded yet.

        Args:
            shell: the HDL instance.
            netlist: circuit lines without title, sources of the pins, analyses and ``.end``.
            pins: connect modules of all ports.
            options: accuracy; defaults of :class:`SolverOptions`.
            libraries: OSDI libraries of the netlist's models; the ngspice library must have been built with OSDI.
            meters: energies to integrate.
            sources: nodes driven by sources that Python sets -> their first voltage, or more of them.
            phase: port whose value (0 .. 7) selects the phase that energy is counted to; none: all in phase 0.
            probes: HDL real variable (full path) -> node, recorded for the waveform file.
            probe_step_v: smallest change of a probe that is recorded.
            log_edges: keep a record of every event across the border (40 bytes each).
            isolated: run ngspice in a process of its own, whose crash the test survives and reports; by default where the
                environment variable ``PYHARNESS_ISOLATED`` says so.

        Raises:
            ConfigError: the netlist holds an analysis or a control block, or two pins share a port.
        """
        if not isinstance(shell, HierarchyObject):
            raise ConfigError(f"the shell of an analog block is an HDL instance, got {shell!r}: give dut.<instance>")
        self.shell = shell
        self.pins = tuple(pins)
        self.options = (options or SolverOptions()).finer(_times_finer())
        self.libraries = tuple(libraries)
        self.meters = tuple(meters)
        self.sources: dict[str, Source] = {}
        self.phase = phase
        self.probes = dict(probes or {})
        self.probe_step_v = probe_step_v
        self.log_edges = log_edges
        self.isolated = isolated_by_default() if isolated is None else isolated
        self.netlist = tuple(line for text in netlist for line in text.splitlines() if line.strip())
        self.fired = Event()
        for node, given in (sources or {}).items():
            check_name(node, "node")
            if not isinstance(given, Source) and not (isinstance(given, int | float) and math.isfinite(given)):
                raise ConfigError(f"source '{node}' cannot start at {given!r} V: give a finite number")
            self.sources[node] = given if isinstance(given, Source) else Source(given)
        for line in self.netlist:
            if _FORBIDDEN.match(line):
                raise ConfigError(
                    f"the netlist of an analog block holds circuit lines only, got {line.strip()!r}: remove it"
                )
            if re.match(r"\s*a", line, re.I):
                raise ConfigError(
                    f"XSPICE devices cannot be solved again with a shorter step, got {line.strip()!r}: "
                    "use B, E or S elements instead"
                )
        ports = [pin.port for pin in self.pins]
        double = sorted({port for port in ports if ports.count(port) > 1})
        if double:
            raise ConfigError(f"each port has one pin, but these have more: {', '.join(double)}")
        self._session: Session | None = None
        self._kept: _Kept | None = None

    # -- life cycle ------------------------------------------------------------------------------------------------

    async def start(self, state: Mapping[str, float] | None = None) -> None:
        """Load the circuit, solve its operating point and let both sides run.

        Args:
            state: node voltages and inductor currents to go on from, as :meth:`state` returned them; no operating point is
                solved.

        Raises:
            AnalogError: ngspice refuses the netlist or a library, does not converge, or a pin is X or Z.
            ConfigError: ports and pins do not match.
            ToolNotFoundError: ngspice's library is missing.
        """
        await start_together(self, states={self: state} if state is not None else None)

    async def stop(self) -> None:
        """End the analog run and release the circuit; energies and counters stay readable.

        Blocks that were started together stop together.  A block that is not stopped ends with its test.

        Raises:
            AnalogError: the run had failed before.
        """
        if self._session is not None:
            self._session.stop()

    def check(self) -> None:
        """Raise what has gone wrong on the analog side, if anything has.

        A failure also ends the test by itself, one HDL tick after it happened.

        Raises:
            AnalogError: the analog side has failed.
        """
        self._of_run().check_alive()

    @property
    def running(self) -> bool:
        """Whether the block runs."""
        return self._session is not None and self._session.running

    def join(self, session: Session) -> None:
        """Take part in a run that is about to start."""
        self._session = session
        self._kept = None

    def keep(self) -> None:
        """Keep what is to be readable after the run, which is about to be released."""
        self._kept = _Kept(self._integrals("energy"), self._integrals("charge"), self.statistics(), self.transitions())

    # -- readings --------------------------------------------------------------------------------------------------

    def voltage(self, node: str) -> float:
        """Return the voltage of ``node`` at the present HDL time, in volt.

        Between two analog points it is read off the straight line between them; :meth:`land` first for the solver's
        own value.
        """
        session = self._of_run()
        return float(session.engine.pyh_value(session.index(self, node)))

    def current(self, source: str) -> float:
        """Return the current through voltage source ``source`` at the present HDL time, in ampere."""
        return self.voltage(f"{source}#branch")

    def set_voltage(self, node: str, voltage_v: float) -> None:
        """Move the Python-driven source of ``node`` to ``voltage_v``, by its ramp (1 ns) from the present HDL time on.

        Raises:
            ConfigError: ``node`` is not among the block's ``sources``, or the voltage is not finite.
        """
        if node not in self.sources:
            known = ", ".join(self.sources) or "none"
            raise ConfigError(f"'{node}' is not driven from Python (sources: {known}): name it in 'sources'")
        if not math.isfinite(voltage_v):
            raise ConfigError(f"source '{node}' cannot be set to {voltage_v!r} V")
        session = self._of_run()
        session.engine.pyh_set_source(session.drivers.index((self, node)), voltage_v)

    async def crossing(self, node: str, level_v: float, *, rising: bool = True, minus: str = "0") -> None:
        """Wait until the voltage of ``node`` against ``minus`` passes ``level_v``.

        Returns at the HDL tick on or after the crossing, located to the crossing tolerance.  A voltage that is
        already on the level or beyond must come back and pass it again.

        Raises:
            AnalogError: an unknown node, or the analog side fails or is stopped meanwhile.
            ConfigError: the level is not finite.
        """
        if not math.isfinite(level_v):
            raise ConfigError(f"no voltage of '{node}' passes a level of {level_v!r} V: give a finite number")
        session = self._of_run()
        engine = session.engine
        number = int(engine.pyh_watch(session.index(self, node), session.index(self, minus), level_v, rising))
        try:
            while True:
                await self.fired.wait()
                self.fired.clear()
                if not session.running:
                    raise AnalogError(f"the block was stopped before '{node}' passed {level_v:g} V")
                if engine.pyh_fired(number):
                    return
        finally:
            if session.running:  # else the number is nobody's, or another run's
                engine.pyh_unwatch(number)

    async def land(self) -> None:
        """Put an analog point at the present HDL time, so that readings are the solver's own; takes one HDL tick."""
        self._of_run().engine.pyh_land()
        await Timer(1, "step")

    async def state(self) -> dict[str, float]:
        """Return every node voltage, and every inductor's current as ``<inductor>#branch``: what :meth:`start` restores.

        Inner nodes of compiled models (OSDI) are among them, but ngspice takes no start for those.
        """
        await self.land()
        names = [n for n in self._of_run().unknowns(self) if not n.endswith("#branch") or n.startswith("l")]
        return {name: self.voltage(name) for name in names}

    def energy_j(self) -> dict[str, NDArray[np.float64]]:
        """Return the energy of each meter in joule, an array of 8 phases, up to the present HDL time."""
        return self._kept.energy_j if self._kept else self._integrals("energy")

    def charge_c(self) -> dict[str, NDArray[np.float64]]:
        """Return the charge through each meter's branch in coulomb, like :meth:`energy_j`."""
        return self._kept.charge_c if self._kept else self._integrals("charge")

    def statistics(self) -> Statistics:
        """Return the run's counters."""
        return self._kept.statistics if self._kept else self._of_run().statistics()

    def transitions(self) -> list[Transition]:
        """Return the events across the border so far (with ``log_edges``)."""
        return self._kept.transitions if self._kept else self._of_run().transitions(self)

    @property
    def ngspice_version(self) -> str:
        """Version that the loaded library reports."""
        return self._of_run().engine.text("version")

    @property
    def process(self) -> int:
        """Process id of an isolated ngspice; 0 where it runs in the simulator's process."""
        return int(self._of_run().engine.pyh_process())

    def _integrals(self, what: str) -> dict[str, NDArray[np.float64]]:
        session = self._of_run()
        found = {}
        for meter, number in zip(self.meters, session.meters[self], strict=True):
            both = np.zeros((2, MAX_PHASES))
            session.engine.pyh_integrals(number, *(row.ctypes.data_as(POINTER(c_double)) for row in both))
            found[meter.name] = both[0 if what == "energy" else 1]
        return found

    def _of_run(self) -> Session:
        if self._session is None or not (self._session.running or self._kept is None):
            raise AnalogError("the block is not running: call start() first, and read before stop()")
        return self._session


@dataclass(frozen=True)
class _Kept:
    """What stays readable of a run."""

    energy_j: dict[str, NDArray[np.float64]]
    charge_c: dict[str, NDArray[np.float64]]
    statistics: Statistics
    transitions: list[Transition]


async def start_together(
    *blocks: AnalogBlock, states: Mapping[AnalogBlock, Mapping[str, float] | None] | None = None
) -> None:
    """Start several blocks in one run of ngspice: one time base, one set of steps; each keeps its own names.

    Nothing but the HDL connects them: what is to be connected in the analog domain belongs into one netlist.

    Args:
        blocks: each with a shell of its own; their options must be equal.
        states: node voltages and inductor currents to go on from, by block; then every block needs them.

    Raises:
        AnalogError, ConfigError, ToolNotFoundError: see :meth:`AnalogBlock.start`.
    """
    if not blocks or len(set(blocks)) != len(blocks):
        raise ConfigError("blocks are started together, each once: give one block or several different ones")
    first = blocks[0]
    shells = [block.shell._path for block in blocks]
    if len(set(shells)) != len(shells):
        raise ConfigError(f"two blocks share a shell, but each drives its own registers: got {', '.join(shells)}")
    for block in blocks[1:]:
        if (block.options, block.isolated) != (first.options, first.isolated):
            raise ConfigError(
                f"blocks that start together share one solver: the options of {block.shell._path} differ from those of "
                f"{first.shell._path}; give both the same"
            )
    given = {block: state for block, state in (states or {}).items() if state is not None}
    if given and set(given) != set(blocks):
        raise ConfigError("a run goes on from the states of all its blocks or of none: give one for each")
    session = Session(blocks, first.options, first.isolated)
    for block in blocks:
        if block.running:
            raise AnalogError(f"the block of {block.shell._path} is running: stop it before it is started again")
    session.start(given)
    for block in blocks:
        block.join(session)
    await NullTrigger()  # the session's watch begins: a test that fails right here is cleaned up after like any other
