# SPDX-License-Identifier: BSD-3-Clause
"""All figures of a report, and why one is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pyharness.report.card import loops, variation
from pyharness.report.outcome import accuracy, confusion, energy, energy_of_devices
from pyharness.report.plot import Drawn, Plot, draw
from pyharness.report.source import Missing, Source
from pyharness.report.training import map_of_array, pulses_per_device, rounds_on_chip, time_of_training, trajectories

__all__ = ("FIGURES", "draw_all")

FIGURES: dict[str, Callable[[Source], Plot | None]] = {
    "accuracy": accuracy,
    "trajectories": trajectories,
    "maps": map_of_array,
    "pulses": pulses_per_device,
    "time": time_of_training,
    "energy": energy,
    "energy_devices": energy_of_devices,
    "confusion": confusion,
    "rounds": rounds_on_chip,
    "loops": loops,
    "variation": variation,
}
"""Name -> what makes it: None where it does not concern the run."""


def draw_all(source: Source, folder: Path) -> tuple[dict[str, Drawn], dict[str, str]]:
    """Write the figures' files into ``folder``; return the figures by name, and for those that are missing the reason."""
    drawn, missing = {}, {}
    for name, make in FIGURES.items():
        try:
            plot = make(source)
        except Missing as cause:
            missing[name] = str(cause)
            continue
        if plot is not None:
            drawn[name] = draw(plot, folder)
    return drawn, missing
