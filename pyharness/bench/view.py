# SPDX-License-Identifier: BSD-3-Clause
"""The array as the testbench meets it: in ngspice, or as the behavioural view in Verilog, behind one interface."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cocotb.triggers import ReadWrite

from pyharness.bench.array import PHASES, EnergyBalance
from pyharness.bench.job import Job
from pyharness.config import SimConfig
from pyharness.cosim import AnalogBlock, Source, Transition
from pyharness.errors import ConfigError, SimulationError
from pyharness.veriloga.verilog_target import DEVICE_MODEL, device_model, free_parameters, write_cycles, write_devices

__all__ = ("ArrayEnergy", "ArrayView", "BehaviouralView", "SpiceView", "open_view", "prepare_behavioural")

_PULSED = (PHASES.index("reset"), PHASES.index("write"))
_DEVICES, _CYCLES = "devices.txt", "cycles.txt"
_CYCLE_ROWS = 65536  # parameter of the view


@dataclass(frozen=True)
class ArrayEnergy:
    """Energies since the start, in joule.

    Attributes:
        phases: what the row and reference drivers delivered in each of :data:`~pyharness.bench.array.PHASES`.
        cells: what each memristor took, in the array's order.
    """

    phases: dict[str, float]
    cells: list[float]


class ArrayView(Protocol):
    """What the testbench asks of the array."""

    @property
    def version(self) -> str:
        """Name and version of what computes it."""
        ...

    async def start(self) -> None:
        """Start, with every pin known."""
        ...

    async def stop(self) -> None:
        """End."""
        ...

    def energy(self) -> ArrayEnergy:
        """Return the energies so far.

        Raises:
            SimulationError: what the drivers deliver is not what the array takes.
        """
        ...

    def statistics(self) -> dict[str, float]:
        """Return the counters of the coupling."""
        ...

    def transitions(self) -> Sequence[Transition]:
        """Return the edges that crossed, where they were logged."""
        ...

    async def vary_pulses(self) -> None:
        """Give each pulse the parameters drawn for it, for ever."""
        ...


class SpiceView:
    """The array in ngspice, coupled event by event."""

    def __init__(self, dut: Any, job: Job) -> None:
        """Bind the array's netlist to the shell ``dut.u_array``."""
        self._dut, self._job = dut, job
        edge_s = job.electrics.edge_s
        self._block = AnalogBlock(
            dut.u_array,
            job.array.netlist,
            job.array.pins,
            options=job.solver(),
            libraries=[job.subcircuit.library] if job.subcircuit.library else [],
            meters=job.array.meters,
            # they move while the cell is at 0 V, where no time point need be theirs
            sources={n: Source(ramp_s=edge_s, corners=-1) for nodes in job.array.controls for n in nodes.values()},
            phase="phase",
            probes=json.loads(os.environ.get("PYHARNESS_PROBES", "{}")),
            probe_step_v=2e-4,
            log_edges=bool(os.environ.get("PYHARNESS_LOG_EDGES")),
        )

    @property
    def version(self) -> str:
        """ngspice and the version that the loaded library reports."""
        return f"ngspice {self._block.ngspice_version}"

    async def start(self) -> None:
        """Start ngspice."""
        await self._block.start()

    async def stop(self) -> None:
        """End ngspice."""
        await self._block.stop()

    def energy(self) -> ArrayEnergy:
        """Return the meters' energies, and check that they balance."""
        meters = self._block.energy_j()
        balance = EnergyBalance.of({name: float(e.sum()) for name, e in meters.items()})
        if abs(balance.residual_j) > 1e-3 * balance.supply_j + 1e-15:
            raise SimulationError(f"the energy meters do not balance: {balance}")
        return ArrayEnergy(
            phases={
                name: float(sum(e[i] for n, e in meters.items() if n.startswith("supply ")))
                for i, name in enumerate(PHASES)
            },
            cells=[float(meters[f"device {cell.instance}"].sum()) for cell in self._job.array.cells],
        )

    def statistics(self) -> dict[str, float]:
        """Return the bridge's counters."""
        counters = self._block.statistics()
        return {name: float(getattr(counters, name)) for name, _ in counters._fields_}

    def transitions(self) -> Sequence[Transition]:
        """Return the edges, if ``PYHARNESS_LOG_EDGES`` is set."""
        return self._block.transitions()

    async def vary_pulses(self) -> None:
        """Set the control voltages of the device that is pulsed, from before its amplitude till after it."""
        cycles, controls = self._job.cycles, self._job.array.controls
        if not cycles:
            return
        counts, pulsed = [0] * len(controls), -1
        while True:
            await self._dut.phase.value_change
            await ReadWrite()  # settled
            if pulsed >= 0:
                for node in controls[pulsed].values():
                    self._block.set_voltage(node, 0.0)
                pulsed = -1
            if int(self._dut.phase.value) in _PULSED:
                pulsed = int(self._dut.log_device_o.value)
                drawn = cycles.values(pulsed, counts[pulsed])
                counts[pulsed] += 1
                for name, v in cycles.controls(pulsed, drawn).items():
                    self._block.set_voltage(controls[pulsed][name], v)


class BehaviouralView:
    """The array in Verilog, ``hdl/analog/analog_array_model.v``: no SPICE."""

    version = "hdl/analog/analog_array_model.v"

    def __init__(self, dut: Any, job: Job) -> None:
        """Read the model's figures in ``dut.u_array``."""
        self._array = dut.u_array

    async def start(self) -> None:
        """Nothing to start: it runs with the simulator."""

    async def stop(self) -> None:
        """Nothing to end."""

    def energy(self) -> ArrayEnergy:
        """Return the model's own sums."""
        return ArrayEnergy(
            phases={name: self._array.of_phase[i].supply_j.value for i, name in enumerate(PHASES)},
            cells=[d.energy_j.value for d in self._array.device],
        )

    def statistics(self) -> dict[str, float]:
        """Return nothing: nothing is coupled."""
        return {}

    def transitions(self) -> Sequence[Transition]:
        """Return nothing: nothing crosses."""
        return ()

    async def vary_pulses(self) -> None:
        """Return at once: the model reads the draws from its table."""


def open_view(dut: Any, job: Job) -> ArrayView:
    """Return the view that the configuration asks for."""
    return SpiceView(dut, job) if job.config.engine == "ngspice" else BehaviouralView(dut, job)


def _most_pulses(config: SimConfig) -> int:
    """Return how many pulses a device may get: when it is programmed, in all the rounds that follow, and of the budget."""
    t, most = config.training, config.write_verify.max_pulses
    most += t.rounds * {"software": 0, "in_the_loop": most, "manhattan": 1}[t.method]
    return most if t.pulse_budget is None else min(most, t.pulse_budget)


def prepare_behavioural(job: Job, folder: Path) -> list[str]:
    """Write the device's equations and the tables of the draws into ``folder``; return the simulator's plusargs.

    Raises:
        ConfigError: the card's model has no start fraction, or a draw is not free.
        VerilogAError: the model cannot be written as Verilog.
    """
    config, electrics = job.config, job.electrics
    (folder / DEVICE_MODEL).write_text(device_model(config.device.card), encoding="utf-8")
    scatter = {name: how for name, how in free_parameters(job.device).items() if name != "x0"}
    nominal = job.device.module.check_parameters(job.device.card.parameters)
    common = {n: float(nominal[n]) for n in scatter}
    rows = [{**common, **own, "x0": x0} for own, x0 in zip(job.parameters, job.start_fractions.tolist(), strict=True)]
    write_devices(folder / _DEVICES, list(scatter), rows)
    words = [f"+pyh_devices={_DEVICES}"]
    if job.cycles:
        most = _most_pulses(config)
        if (needed := len(rows) * most) > _CYCLE_ROWS:
            raise ConfigError(
                f"engine: behavioural holds {_CYCLE_ROWS} pulses' draws; {len(rows)} devices with at most {most} pulses each may need "
                f"{needed}: lower write_verify.max_pulses, training.rounds or training.pulse_budget, or take engine: numpy"
            )
        rest = {name: 0.0 if how == "+" else 1.0 for name, how in scatter.items()}
        pulses = []
        for i in range(len(rows)):
            for k in range(most):
                moved = job.cycles.controls(i, job.cycles.values(i, k))
                pulses.append((i, {**rest, **{n: v if scatter[n] == "+" else 1 + v for n, v in moved.items()}}))
        write_cycles(folder / _CYCLES, scatter, pulses)
        words.append(f"+pyh_cycles={_CYCLES}")
    for name in (
        "compliance_ohm",
        "driver_ohm",
        "switch_on_ohm",
        "bleed_ohm",
        "g_ref_siemens",
        "feedback_verify_ohm",
        "feedback_inference_ohm",
        "amplifier_gain",
        "saturation_v",
        "comparator_offset_v",
        "dac_lsb_v",
        "adc_lsb_v",
        "edge_s",
    ):
        words.append(f"+pyh_{name}={getattr(electrics, name):.17g}")
    return words
