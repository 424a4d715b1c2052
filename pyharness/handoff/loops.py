# SPDX-License-Identifier: BSD-3-Clause
"""Current-voltage loops of a card beside the measured ones, as SVG."""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from pyharness.fit import Measured, simulate_loops
from pyharness.fit.fitting import RATED_V
from pyharness.veriloga import Card, Module, compile_numpy

__all__ = ("loop_figure",)

_FREQUENCIES_HZ = (1.0, 10.0, 100.0)
_STEPS = 400
_MODEL, _MEASURED = "#2563a8", "#9aa5b1"
_STYLE: Any = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e8ec",
    "axes.axisbelow": True,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "path",
}


def loop_figure(module: Module, card: Card, measured: Measured) -> str:
    """Return model and measurement under sines of 1 V as an SVG data URI; the same bytes for the same figures."""
    series = measured.amplitude_v == RATED_V
    shown = [int(np.flatnonzero(series & (measured.frequency_hz == f))[0]) for f in _FREQUENCIES_HZ]
    voltage_v, current_a = simulate_loops(
        compile_numpy(module, card.parameters, ("x0",)),
        {},
        amplitude_v=measured.amplitude_v[shown],
        frequency_hz=measured.frequency_hz[shown],
        series_ohm=measured.series_ohm,
        steps=_STEPS,
    )
    with mpl.rc_context({**_STYLE, "svg.hashsalt": f"{card.model} {card.dopant}"}):
        figure = Figure(figsize=(10.0, 3.0))
        for place, (axes, at) in enumerate(zip(figure.subplots(1, len(shown)), shown, strict=True)):
            axes.plot(measured.voltage_v[at], measured.current_a[at] * 1e6, color=_MEASURED, lw=2.5, label="measured")
            axes.plot(voltage_v[place], current_a[place] * 1e6, color=_MODEL, lw=1, label="model")
            axes.set(xlabel="device voltage (V)", title=f"{RATED_V:g} V, {measured.frequency_hz[at]:g} Hz")
            if place == 0:
                axes.set_ylabel("current (uA)")
                axes.legend(frameon=False, loc="upper left")
        buffer = io.BytesIO()
        # without these entries nothing in the file tells when and by what it was drawn
        figure.savefig(buffer, format="svg", metadata={k: None for k in ("Date", "Creator", "Format", "Type")})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
