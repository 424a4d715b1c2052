# SPDX-License-Identifier: BSD-3-Clause
"""Figures of the memristor: loops of the card beside measured ones, and what variation drew."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pyharness.errors import PyharnessError
from pyharness.fit import Measured, load_measured, simulate_loops
from pyharness.fit.fitting import RATED_HZ, RATED_V
from pyharness.report.plot import BLUE, INK, ORANGE, VERMILION, Plot, plain_powers
from pyharness.report.source import Missing, Source
from pyharness.veriloga import compile_numpy

__all__ = ("loops", "variation")

_FREQUENCIES_HZ = (1.0, RATED_HZ, 100.0)
_SERIES_OHM = 5110.0  # of a card that names none


def _measured(source: Source) -> Measured | None:
    """Return the measurement that a shipped card was fitted to; a user's own card has none here."""
    return None if source.own_card else load_measured(source.device.card.dopant)


def loops(source: Source) -> Plot:
    """Current against voltage under a sine through a resistor: the card, and the device it was fitted to."""
    device = source.device
    measured = _measured(source)
    series_ohm = measured.series_ohm if measured else device.card.series_ohm or _SERIES_OHM
    frequencies = np.array(_FREQUENCIES_HZ)
    try:
        model = compile_numpy(device.module, device.card.parameters, ("x0",))
        voltage, current = simulate_loops(
            model, {}, amplitude_v=np.full(len(frequencies), RATED_V), frequency_hz=frequencies, series_ohm=series_ohm
        )
    except (PyharnessError, ArithmeticError) as cause:
        raise Missing(f"the card's loops cannot be computed: {cause}") from None
    curves = [("card", hz, v, i) for hz, v, i in zip(_FREQUENCIES_HZ, voltage, current, strict=True)]
    if measured:
        for hz in _FREQUENCIES_HZ:
            at = int((abs(measured.amplitude_v - RATED_V) + abs(measured.frequency_hz - hz)).argmin())
            curves.append(("measured", hz, measured.voltage_v[at], measured.current_a[at]))

    def paint(figure: Figure) -> None:
        for ax, hz in zip(figure.subplots(1, len(frequencies), sharey=True), _FREQUENCIES_HZ, strict=True):
            for kind, at, v, i in curves:
                if at != hz:
                    continue
                closed = np.append(v, v[0]), np.append(i, i[0]) * 1e6
                if kind == "card":
                    ax.plot(*closed, color=BLUE, label="card", zorder=3)
                else:
                    ax.plot(*closed, "o-", color=ORANGE, ms=2.5, lw=0.7, label="measured")
            ax.set(xlabel="device voltage (V)", title=f"{RATED_V:g} V, {hz:g} Hz")
            ax.axhline(0, color=INK, lw=0.5)
            ax.axvline(0, color=INK, lw=0.5)
        figure.axes[0].set_ylabel("current (µA)")
        figure.axes[0].legend(loc="upper left")

    whose = (
        f"the measured device that the card was fitted to ({measured.dopant}, averaged over cycles; data shipped in veriloga/data)"
        if measured
        else f"no measurement: the card is a user's own, {device.name}, and the report knows no data of it"
    )
    return Plot(
        "loops",
        "Current and voltage of the card",
        f"Loops under a sine of {RATED_V:g} V through {series_ohm:g} ohm at {', '.join(f'{hz:g}' for hz in _FREQUENCIES_HZ)} Hz: the card's, and {whose}.",
        ("kind", "source_amplitude_v", "frequency_hz", "series_ohm", "device_voltage_v", "current_a"),
        [
            (kind, RATED_V, hz, series_ohm, float(a), float(b))
            for kind, hz, v, i in curves
            for a, b in list(zip(v, i, strict=True))[:: 4 if kind == "card" else 1]
        ],
        paint,
        (11.0, 3.1),
    )


def variation(source: Source) -> Plot | None:
    """What was drawn for each scattered parameter; None without variation."""
    found = source.record.variation
    if found is None:
        return None
    draws: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for kind, values in (
        ("device", list(enumerate(found.devices))),
        ("pulse", [(p.device, p.parameters) for p in source.record.pulses]),
    ):
        for device, parameters in values:
            for name, value in parameters.items():
                draws.setdefault(name, {}).setdefault(kind, []).append((device, value))
    if not draws:
        raise Missing("no parameter was drawn before the run ended.")
    try:
        nominal, module = source.device.card.parameters, source.device.module.parameters
    except Missing:
        nominal, module = {}, {}

    def paint(figure: Figure) -> None:
        for ax, (name, kinds) in zip(
            np.ravel(figure.subplots(1, len(draws), squeeze=False)), draws.items(), strict=True
        ):
            every = np.array([value for drawn in kinds.values() for _, value in drawn])
            wide = every.min() > 0 and every.max() / every.min() > 8
            edges = np.geomspace(every.min(), every.max(), 25) if wide else np.linspace(every.min(), every.max(), 25)
            if every.min() == every.max():
                edges = np.array([0.9, 1.1]) * every[0] if every[0] else np.array([-0.1, 0.1])
            for kind, drawn in kinds.items():
                values = [value for _, value in drawn]
                share = np.full(len(values), 100 / len(values))
                ax.hist(
                    values, np.sort(edges), weights=share, histtype="stepfilled" if kind == "device" else "step", lw=1.4,
                    color=BLUE if kind == "device" else VERMILION, alpha=0.55 if kind == "device" else 1, label=f"{len(values)} {kind}s",
                )  # fmt: skip
            if name in nominal:
                ax.axvline(nominal[name], color=INK, lw=1, ls=":", label="card")
            unit = module[name].units if name in module else None
            ax.set(xlabel=f"{name} ({unit or '1'})" if module else name, title=name, xscale="log" if wide else "linear")
            if wide:
                plain_powers(ax.xaxis)
            ax.legend(fontsize=7.5)
        figure.axes[0].set_ylabel("share of the draws (%)")

    return Plot(
        "variation",
        "What variation drew",
        "Distribution of the scattered parameters: of the devices, and of their pulses. Dotted: the card's value.",
        ("parameter", "drawn_for", "device", "value_in_the_parameters_unit"),
        [
            (name, kind, device, value)
            for name, kinds in draws.items()
            for kind, drawn in kinds.items()
            for device, value in drawn
        ],
        paint,
        (min(11.0, 2.75 * max(2, len(draws))), 3.0),
    )
