# SPDX-License-Identifier: BSD-3-Clause
"""What a report is made from: the record, and what its configuration leads to where that can still be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from pyharness.bench.job import Job, build_job
from pyharness.config import SimConfig, recorded_config
from pyharness.errors import ConfigError, PyharnessError
from pyharness.record import Pulse, Record
from pyharness.veriloga import Device, load_device

__all__ = ("DeviceHistory", "Missing", "Source")


class Missing(Exception):
    """Something that cannot be shown; the message is a sentence that says why."""


@dataclass
class DeviceHistory:
    """One device: its place, what it was asked for, and what happened to it; conductances in siemens.

    A run that ended early may not have read it back: then ``final`` is what the last pulse left, ``status`` says so and ``energy_j`` is None.
    ``initial``: what was read first; after the initial RESET where there was one.
    """

    index: int
    layer: int
    row: int
    col: int
    target: float | None
    final: float | None = None
    status: str = "not read back"
    energy_j: float | None = None
    pulses: list[Pulse] = field(default_factory=list)

    @property
    def initial(self) -> float | None:
        if not self.pulses:
            return self.final
        first = self.pulses[0]
        return first.g_after_siemens if first.g_before_siemens is None else first.g_before_siemens

    @property
    def error(self) -> float | None:
        """Relative, of the final conductance."""
        return None if self.target is None or self.final is None else self.final / self.target - 1

    @property
    def path(self) -> list[float]:
        """Conductances as read: before the first pulse where that was read, then after each."""
        before = [p.g_before_siemens for p in self.pulses[:1] if p.g_before_siemens is not None]
        return [*before, *(p.g_after_siemens for p in self.pulses)]


class Source:
    """A record, complete or partial, and what can be worked out from it."""

    def __init__(self, record: Record) -> None:
        self.record = record

    @cached_property
    def config(self) -> SimConfig:
        """The configuration.

        Raises:
            Missing: this version does not read it.
        """
        try:
            return recorded_config(self.record.config)
        except ConfigError as cause:
            raise Missing(str(cause)) from None

    @cached_property
    def job(self) -> Job:
        """The job, worked out anew.

        Raises:
            Missing: a file that it needs is not there any more, or says something else.
        """
        try:
            return build_job(self.config)
        except PyharnessError as cause:
            raise Missing(f"the job cannot be worked out anew: {cause}") from None

    @cached_property
    def device(self) -> Device:
        """Card and model.

        Raises:
            Missing: the card cannot be read any more.
        """
        try:
            return load_device(self.config.device.card, self.config.device.card_sha256)
        except PyharnessError as cause:
            raise Missing(f"the card cannot be read: {cause}") from None

    @property
    def own_card(self) -> bool:
        """Whether the card is a user's own file."""
        return str(self.record.config.get("device", {}).get("card", "")).endswith(".yaml")

    @property
    def tolerance(self) -> float | None:
        """Relative, of write-verify."""
        found = self.record.config.get("write_verify", {}).get("tolerance")
        return None if found is None else float(found)

    @property
    def verified(self) -> bool:
        """Whether write-verify ended the training of each device: single pulses are not verified."""
        return bool(self.record.config.get("training", {}).get("method") != "manhattan")

    @cached_property
    def devices(self) -> list[DeviceHistory]:
        """Every device of the array, in its order."""
        record = self.record
        layers = record.network.get("layers", [])
        places = [(i, r, c) for i, (rows, cols) in enumerate(layers) for r in range(rows) for c in range(cols)]
        places = places or [(d.layer, d.row, d.col) for d in record.devices]
        targets = record.network.get("targets_siemens", [None] * len(places))
        found = [
            DeviceHistory(i, *place, target) for i, (place, target) in enumerate(zip(places, targets, strict=True))
        ]
        for pulse in record.pulses:
            if pulse.device >= len(found):  # a record that knows no layers, of devices that were not read back
                continue
            found[pulse.device].pulses.append(pulse)
            found[pulse.device].final = pulse.g_after_siemens
        for device, result in zip(found, record.devices, strict=False):
            device.target, device.final = result.target_siemens, result.final_siemens
            device.status, device.energy_j = result.status, result.energy_j
        return found
