# SPDX-License-Identifier: BSD-3-Clause
"""Measured loops of one device: figures per condition and averaged curves."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import ConfigError
from pyharness.fit.loops import RISING_V
from pyharness.resources import model_dir
from pyharness.suggest import did_you_mean

__all__ = ("DOPANTS", "FIGURES", "Measured", "load_measured")

Array = NDArray[np.float64]
DOPANTS = {"tungsten": "W", "tin": "Sn", "chromium": "Cr", "carbon": "C"}
FIGURES = ("imax_a", "vset_v", "ron_ohm", "lobe_set_w", "lobe_reset_w", "rhrs_ohm", "rise_ohm")
_OFFSET_V = 1e-3
_COLUMNS = {
    "imax_a": ("Imax_uA", 1e-6),
    "vset_v": ("Vset_Vmpeak_med", 1.0),
    "ron_ohm": ("Ron_k_med", 1e3),
    "lobe_set_w": ("lobe_pos_VuA", 1e-6),
    "lobe_reset_w": ("lobe_neg_VuA", 1e-6),
    "rhrs_ohm": ("Rhrs_negreturn_k_med", 1e3),
    "rise_ohm": ("Rhrs_pos_k_med", 1e3),
}


@dataclass(frozen=True)
class Measured:
    """A device in series with a resistor under a sine, at ``n`` conditions.

    Attributes:
        dopant: name of the device.
        amplitude_v, frequency_hz: of the source, shape (n,).
        series_ohm: the resistor.
        figures: name of :data:`FIGURES` -> shape (n,); lobes in V*A.
        vset_sd_v, ron_sd: spread from cycle to cycle, in volt and relative, shape (n,).
        phase: 0 .. 1, shape (points,).
        voltage_v, current_a: averaged loops of the device, shape (n, points).
        pulse_v, pulse_s, pulse_ohm: SET pulses from the off state, and the resistance after each, shape (pulses,).
    """

    dopant: str
    amplitude_v: Array
    frequency_hz: Array
    series_ohm: float
    figures: dict[str, Array]
    vset_sd_v: Array
    ron_sd: Array
    phase: Array
    voltage_v: Array
    current_a: Array
    pulse_v: Array
    pulse_s: Array
    pulse_ohm: Array

    @property
    def lobe_floor_w(self) -> Array:
        """Smallest lobe area in V*A that the set-up resolves: an offset of 1 mV at the resistor, over the sweep."""
        return np.asarray(_OFFSET_V / self.series_ohm * 2 * self.amplitude_v)

    @property
    def ceiling_ohm(self) -> float:
        """Largest resistance that the set-up tells from twice as much: half the current at 0.15 V is that offset's."""
        return RISING_V / 2 / (_OFFSET_V / self.series_ohm)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise ConfigError(f"cannot read the measured data {path}: {cause.strerror}") from None
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def load_measured(dopant: str, folder: Path | None = None) -> Measured:
    """Return the measured data of ``dopant``, from the package or from ``folder``.

    Raises:
        ConfigError: no such dopant, or files that lack a column or hold no number.
    """
    if dopant not in DOPANTS:
        hint = did_you_mean(dopant, DOPANTS)
        raise ConfigError(
            f"no measured data of {dopant!r}: {f'{hint} ' if hint else ''}give one of {', '.join(DOPANTS)}"
        )
    folder = folder or model_dir() / "data"
    summary = [r for r in _rows(folder / "sdc_sine_summary.csv") if r["dopant"] == DOPANTS[dopant]]
    loops = [r for r in _rows(folder / "sdc_sine_loops.csv") if r["dopant"] == DOPANTS[dopant]]
    pulses = [r for r in _rows(folder / "sdc_set_pulses.csv") if r["dopant"] == DOPANTS[dopant]]
    try:
        amplitude, frequency = (np.array([float(r[c]) for r in summary]) for c in ("amp_V", "f_Hz"))
        curves = []
        for a, f in zip(amplitude, frequency, strict=True):
            own = [r for r in loops if (float(r["amp_V"]), float(r["f_Hz"])) == (a, f)]
            curves.append([[float(r[c]) for c in ("phase", "v_mem_V", "i_uA")] for r in own])
        table = np.array(curves)
        return Measured(
            dopant=dopant,
            amplitude_v=amplitude,
            frequency_hz=frequency,
            series_ohm=float(summary[0]["Rs_kohm"]) * 1e3,
            # nan: no current was resolved
            figures={k: np.nan_to_num([float(r[c]) * s for r in summary], nan=1e12) for k, (c, s) in _COLUMNS.items()},
            vset_sd_v=np.array([float(r["Vset_sd"]) for r in summary]),
            ron_sd=np.array([float(r["Ron_sd"]) / float(r["Ron_k_med"]) for r in summary]),
            phase=table[0, :, 0],
            voltage_v=table[:, :, 1],
            current_a=table[:, :, 2] * 1e-6,
            pulse_v=np.array([float(r["amp_V"]) for r in pulses]),
            pulse_s=np.array([float(r["width_ms"]) * 1e-3 for r in pulses]),
            pulse_ohm=np.array([float(r["R_k"]) * 1e3 for r in pulses]),
        )
    except (KeyError, ValueError, IndexError) as cause:
        raise ConfigError(f"the measured data in {folder} cannot be read for {dopant}: {cause!r}") from None
