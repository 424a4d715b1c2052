# SPDX-License-Identifier: BSD-3-Clause
"""Figures of the training: ways of the conductances, pulses, maps of the array, where the time went."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pyharness.report.plot import BLUE, GREEN, GREY, INK, PURPLE, VERMILION, Plot
from pyharness.report.source import DeviceHistory, Missing, Source
from pyharness.report.verdict import quantity

__all__ = ("map_of_array", "pulses_per_device", "rounds_on_chip", "time_of_training", "trajectories")

_NUMBERED_ROWS = 16  # a larger array has no room for its numbers
_OFF_SCALE = 3  # errors are told apart up to so many tolerances


def trajectories(source: Source) -> Plot:
    """Conductance of every device after each of its pulses; with it the pulse log."""
    devices = [d for d in source.devices if d.pulses]
    if not devices:
        raise Missing("no pulse was logged.")
    known = [d for d in devices if d.target is not None]
    tolerance = source.tolerance

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1.15, 1)) if known else (figure.subplots(), None)
        lines = [np.column_stack([np.arange(len(d.path)), np.array(d.path) * 1e6]) for d in devices]
        many = len(devices) > 100
        shades = LineCollection(
            lines, cmap="viridis", lw=0.5 if many else 1, alpha=0.5 if many else 0.9, rasterized=many
        )
        shades.set_array(np.array([(d.target or d.path[-1]) * 1e6 for d in devices]))
        left.add_collection(shades)
        left.autoscale()
        left.set(xlabel="pulse of the device", ylabel="conductance read (µS)", title="Conductances")
        figure.colorbar(shades, ax=left, label="target (µS)")
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        if right is not None:
            _errors(right, known, tolerance)

    rows = [
        (d.index, number, p.time_s, p.polarity, p.initial, p.amplitude_v, p.width_s, p.g_before_siemens, p.g_after_siemens,
         d.target, p.verdict)
        for d in devices for number, p in enumerate(d.pulses, 1)
    ]  # fmt: skip
    return Plot(
        "trajectories",
        "Way of the conductances to their targets",
        f"Conductance of {len(devices)} devices as the array read it after each pulse, coloured by target; and the distance from the target over all "
        "devices, of which each keeps its last value once it has ended.",
        ("device", "pulse", "time_s", "polarity", "initial_reset", "amplitude_v", "width_s", "conductance_before_siemens",
         "conductance_after_siemens", "target_siemens", "verdict"),
        rows,
        paint,
        (6.6, 3.3),
    )  # fmt: skip


def _errors(ax: Any, devices: list[DeviceHistory], tolerance: float | None) -> None:
    most = max(len(d.path) for d in devices)
    padded = np.array([[*d.path, *[d.path[-1]] * (most - len(d.path))] for d in devices])
    error = np.abs(padded / np.array([[d.target] for d in devices], float) - 1) * 100
    steps = np.arange(most)
    ax.fill_between(steps, *np.percentile(error, (10, 90), axis=0), color=BLUE, alpha=0.2, lw=0, label="middle 80 %")
    ax.plot(steps, np.median(error, axis=0), color=BLUE, label="median")
    ax.plot(steps, error.max(0), color=VERMILION, lw=1, ls="--", label="largest")
    if tolerance is not None:
        ax.axhline(tolerance * 100, color=INK, lw=0.8, ls=":", label="tolerance")
    ax.set(xlabel="pulse of the device", ylabel="distance from target (%)", title="Distance")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_yscale("symlog", linthresh=1)
    ax.set_yticks([0, 0.5, 1, 10, 100], ["0", "0.5", "1", "10", "100"])
    ax.set_ylim(0, None)
    ax.legend(fontsize=8)


def pulses_per_device(source: Source) -> Plot:
    """How many devices took how many pulses."""
    devices = source.devices
    if not devices:
        raise Missing("the record names no device.")
    counts: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
    for d in devices:
        counts[d.status == "reached"][len(d.pulses)] += 1
    most = max(len(d.pulses) for d in devices)
    numbers = range(most + 1)
    width = max(1, -(-(most + 1) // 60))  # pulses to a bar

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        edges = [n - 0.5 for n in range(0, most + width + 1, width)]
        both = [np.repeat(list(counts[k]), list(counts[k].values())) for k in (True, False)]
        labels = ("reached the target", "did not") if source.verified else ("", "not verified")
        ax.hist(
            both,
            edges,
            stacked=True,
            color=[BLUE, VERMILION if source.verified else GREY],
            label=labels,
            ec="white",
            lw=0.4,
        )
        ax.set(xlabel="pulses", ylabel="devices", title="Pulses per device")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend()

    spent = [len(d.pulses) for d in devices]
    return Plot(
        "pulses",
        "Pulses per device",
        f"Number of devices by the pulses that they took: {np.mean(spent):.1f} on average, {most} at most.",
        ("pulses", "devices_reached", "devices_not_reached"),
        [(n, counts[True][n], counts[False][n]) for n in numbers],
        paint,
    )


def map_of_array(source: Source) -> Plot:
    """Conductances by row and column: first read, target, now, error."""
    devices = source.devices
    if not any(d.final is not None for d in devices):
        raise Missing("no conductance was read.")
    reset = any(p.initial for p in source.record.pulses)
    scale = _OFF_SCALE * 100 * (source.tolerance or 0.02)
    known = [g * 1e6 for d in devices for g in (d.target, d.final) if g is not None]
    # name, attribute, factor, colours, lowest and highest
    views: list[tuple[str, str, float, str, tuple[float, float]]] = [
        ("after initial RESET (µS)" if reset else "before (µS)", "initial", 1e6, "viridis", (0, max(known))),
        ("target (µS)", "target", 1e6, "viridis", (0, max(known))),
        ("after (µS)", "final", 1e6, "viridis", (0, max(known))),
        ("error (%)", "error", 100, "PuOr", (-scale, scale)),
    ]
    layers = sorted({d.layer for d in devices})
    rows = [1 + max(d.row for d in devices if d.layer == layer) for layer in layers]
    numbered = max(*rows, *(1 + d.col for d in devices)) <= _NUMBERED_ROWS

    def paint(figure: Figure) -> None:
        grid = figure.subplots(
            len(layers), len(views), height_ratios=[max(r, sum(rows) / 8) for r in rows], squeeze=False
        )
        for column, (name, attribute, factor, colours, span) in enumerate(views):
            for line, layer in enumerate(layers):
                ax, own = grid[line][column], [d for d in devices if d.layer == layer]
                table = np.full((rows[line], 1 + max(d.col for d in own)), np.nan)
                for d in own:
                    value = getattr(d, attribute)
                    table[d.row, d.col] = np.nan if value is None else value * factor
                image = ax.imshow(
                    table, cmap=colours, vmin=span[0], vmax=span[1], aspect="auto", interpolation="nearest"
                )
                _marks(ax, table, colours, span, numbered)
                if attribute == "error" and source.verified:
                    lost = [d for d in own if d.status not in ("reached", "not read back")]
                    ax.plot(
                        [d.col for d in lost],
                        [d.row for d in lost],
                        "x",
                        color=INK,
                        ms=9 if numbered else 4,
                    )
                ax.set_title(f"layer {layer + 1}: {name}", fontsize=8.5)
                ax.set(ylabel="row" if column == 0 else "", xlabel="column" if line == len(layers) - 1 else "")
            bar = figure.colorbar(
                image,
                ax=[grid[i][column] for i in range(len(layers))],
                extend="both" if attribute == "error" else "neither",
                location="bottom",
                shrink=0.9,
                aspect=30,
            )
            bar.outline.set_visible(False)

    return Plot(
        "maps",
        "The array before and after",
        "Conductance of each device by row and column, as the array's converter read it: at the first read"
        f"{', which followed the initial RESET' if reset else ''}; the target; at the end; and the error relative to the target. A cross marks a device that did "
        f"not reach its target. The error's colours end at {scale:.3g} %. A blank cell was not read.",
        ("device", "layer", "row", "column", "first_read_siemens", "target_siemens", "final_siemens", "error_relative", "status"),
        [(d.index, d.layer + 1, d.row, d.col, d.initial, d.target, d.final, d.error, d.status) for d in devices],
        paint,
        (11.0, min(9.0, 2.6 + 0.24 * sum(rows))),
    )  # fmt: skip


def _marks(ax: Any, table: np.ndarray[Any, Any], colours: str, span: tuple[float, float], numbered: bool) -> None:
    """Numbers in the cells if there is room, and ticks at whole rows and columns."""
    if numbered:
        for (r, c), value in np.ndenumerate(table):
            if np.isnan(value):
                continue
            share = (value - span[0]) / (span[1] - span[0])
            light = share > 0.55 if colours == "viridis" else 0.15 < share < 0.85
            text = f"{value:.0f}" if colours == "viridis" else f"{value:+.1f}"
            ax.text(c, r, text, ha="center", va="center", fontsize=7.5, color=INK if light else "white")
    ax.set_xticks(range(table.shape[1]))
    ax.set_yticks(range(0, len(table), 1 if numbered else 8))
    ax.grid(False)


def time_of_training(source: Source) -> Plot:
    """What the simulated training time went into."""
    record = source.record
    if record.training_time_s is None:
        raise Missing("training did not end, so its time is not known.")
    kinds = {
        "initial RESET": [p.width_s for p in record.pulses if p.initial],
        "SET pulses": [p.width_s for p in record.pulses if p.polarity == "set"],
        "RESET pulses": [p.width_s for p in record.pulses if p.polarity == "reset" and not p.initial],
    }
    pulsed = sum(map(sum, kinds.values()))
    rest = "reads and switching" if not record.rounds else "reads, training images, switching"
    parts: list[tuple[str, float, int | None]]
    parts = [(name, sum(widths), len(widths)) for name, widths in kinds.items() if widths]
    parts.append((rest, max(0.0, record.training_time_s - pulsed), None))

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        colours = {"initial RESET": PURPLE, "SET pulses": BLUE, "RESET pulses": VERMILION, rest: GREY}
        names = [name for name, _, _ in reversed(parts)]
        values = [seconds * 1e3 for _, seconds, _ in reversed(parts)]
        bars = ax.barh(names, values, color=[colours[n] for n in names], height=0.6)
        share = [f"{quantity(v / 1e3, 's')}  ({v / record.training_time_s / 10:.0f} %)" for v in values]  # type: ignore[operator]
        ax.bar_label(bars, share, padding=4)
        ax.set(xlabel="simulated time (ms)", title="Training time")
        ax.margins(x=0.32)
        ax.grid(axis="y", visible=False)

    return Plot(
        "time",
        "Where the training time went",
        "Simulated time from the command to program to its end: pulse widths summed by kind; the rest is reading (settling, conversion), switching "
        "and its guards. " + "; ".join(f"{name} {quantity(seconds, 's')}" for name, seconds, _ in parts) + ".",
        ("part", "time_s", "pulses"),
        parts,
        paint,
        (6.2, 2.4),
    )


def rounds_on_chip(source: Source) -> Plot | None:
    """Loss and accuracy over the rounds of training on the chip; None where there was none."""
    rounds = source.record.rounds
    if not rounds:
        return None

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        pulses = [r.pulses for r in rounds]
        left.plot(pulses, [r.loss for r in rounds], "o-", color=BLUE, ms=3)
        left.set(xlabel="pulses so far", ylabel="cross-entropy (nats)", title="Loss")
        right.plot(pulses, [r.accuracy * 100 for r in rounds], "s-", color=GREEN, ms=3)
        right.set(xlabel="pulses so far", ylabel="accuracy at training noise (%)", title="Accuracy")

    return Plot(
        "rounds",
        "Training on the chip, round by round",
        f"Cross-entropy and accuracy of the array's own answers at the training noise, at the start of each of {len(rounds)} rounds, against the pulses spent.",
        ("round", "pulses", "time_s", "loss_nats", "accuracy"),
        [(i, r.pulses, r.time_s, r.loss, r.accuracy) for i, r in enumerate(rounds)],
        paint,
    )
