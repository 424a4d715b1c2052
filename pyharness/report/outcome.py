# SPDX-License-Identifier: BSD-3-Clause
"""Figures of what came of the training: accuracy against noise, answers by class, energy."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pyharness.network.datasets import DataSet
from pyharness.network.images import accuracy_curve
from pyharness.record import peripheral_training_j, wilson_interval
from pyharness.report.plot import BLUE, GREEN, GREY, INK, ORANGE, VERMILION, Plot, plain_powers
from pyharness.report.source import Missing, Source
from pyharness.report.verdict import quantity

__all__ = ("accuracy", "confusion", "energy", "energy_of_devices")

_NOISE = np.linspace(0, 0.3, 31)
_NUMBERED_CLASSES = 16
_BARS = 100  # more devices are drawn as one line


def accuracy(source: Source) -> Plot:
    """Accuracy against pixel noise, of the conductances that were read, beside the Bayes limit and what was co-simulated."""
    record = source.record
    if record.config.get("training", {}).get("targets_siemens") is not None:
        raise Missing("the targets were given as conductances: there is no network to be accurate.")
    if len(record.devices) < len(source.devices) or not record.devices:
        raise Missing("the devices were not read back.")
    job, measured = source.job, record.accuracy
    network = job.with_conductances(np.array([d.final_siemens for d in record.devices]))
    if "bias" in record.network:  # training on the chip tunes them
        network = replace(network, bias=tuple(record.network["bias"]))
    found, limits = zip(*accuracy_curve(job.images, lambda bits: network.predict(bits).label, _NOISE), strict=True)
    images = len(job.images.test_labels) if isinstance(job.images, DataSet) else None
    spans = [wilson_interval(round(value * images), images) if images else (None, None) for value in found]
    noise, trained = job.config.test.pixel_noise, record.network.get("pixel_noise")

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        if None not in limits:
            ax.plot(
                _NOISE * 100, np.array(limits) * 100, color=ORANGE, lw=5, alpha=0.45, label="Bayes limit: best possible"
            )
        if images:
            ax.fill_between(
                _NOISE * 100, *(np.array(spans).T * 100), color=BLUE, alpha=0.15, lw=0, label="95 % interval"
            )
        ax.plot(_NOISE * 100, np.array(found) * 100, color=BLUE, label="conductances read, in software")
        if trained is not None:
            ax.axvline(trained * 100, color=GREY, lw=0.8, ls="--", label=f"training noise, {trained * 100:.3g} %")
        if measured:
            low, high = (measured.value - measured.ci95_low) * 100, (measured.ci95_high - measured.value) * 100
            ax.errorbar(
                noise * 100, measured.value * 100, [[low], [high]], fmt="o", color=VERMILION, capsize=4, zorder=5,
                label=f"measured, {measured.total} images (95 %)",
            )  # fmt: skip
        ax.set(xlabel="pixel noise (%)", ylabel="accuracy (%)", title="Accuracy against pixel noise", xlim=(0, 30))
        ax.set_ylim(None, 100.8)
        ax.legend(loc="lower left", fontsize=8)

    rows: list[tuple[object, ...]] = [
        (n, value, *span, limit, None, None, None, None)
        for n, value, span, limit in zip(_NOISE.tolist(), found, spans, limits, strict=True)
    ]
    if measured:
        rows.append(
            (
                noise,
                None,
                None,
                None,
                measured.bayes_limit,
                measured.value,
                measured.ci95_low,
                measured.ci95_high,
                measured.total,
            )
        )
    return Plot(
        "accuracy",
        "Accuracy against pixel noise",
        "Share of images that get their class: in software, with the conductances that were read back"
        + (f", over the {images} test images with 95 % interval" if images else "")
        + (
            f"; and measured with the array: {measured.value * 100:.2f} % at {noise * 100:.3g} % (95 % Wilson interval)."
            if measured
            else ". No image was shown to the array."
        )
        + ("" if None in limits or not measured else " A sample may lie above the Bayes limit."),
        ("pixel_noise", "accuracy_of_conductances_read", "accuracy_ci95_low", "accuracy_ci95_high", "bayes_limit",
         "measured_accuracy", "measured_ci95_low", "measured_ci95_high", "measured_images"),
        rows,
        paint,
    )  # fmt: skip


def confusion(source: Source) -> Plot:
    """Answers of the array by true class."""
    answers = source.record.answers
    if not answers:
        raise Missing("no image was shown to the array.")
    counts = Counter((a["truth"], a["answer"]) for a in answers)
    classes = 1 + max(max(pair) for pair in counts)
    table = np.array([[counts[t, a] for a in range(classes)] for t in range(classes)])

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        share = table / np.maximum(table.sum(1, keepdims=True), 1)
        image = ax.imshow(share * 100, cmap="Blues", vmin=0, vmax=100)
        for (t, a), n in np.ndenumerate(table) if classes <= _NUMBERED_CLASSES else ():
            ax.text(
                a,
                t,
                str(n) if n else "·",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if share[t, a] > 0.55 else INK,
            )
        figure.colorbar(image, ax=ax, label="share of the true class (%)", shrink=0.85)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(min(classes, 16), integer=True))
        ax.set(xlabel="answer of the array (class)", ylabel="true class", title="Answers (number of images)")
        ax.grid(False)

    right = int(np.trace(table))
    return Plot(
        "confusion",
        "Answers by class",
        f"Confusion matrix: number of images by true class (rows) and the array's answer (columns); {right} of {len(answers)} lie on the diagonal, which is right.",
        ("true_class", "answer", "images"),
        [(t, a, int(table[t, a])) for t in range(classes) for a in range(classes)],
        paint,
        (5.0, 3.9) if classes > 4 else (4.6, 3.2),
    )  # fmt: skip


def energy(source: Source) -> Plot:
    """Energy by phase, beside what the periphery is assumed to take."""
    e = source.record.energy_j
    if e is None:
        raise Missing("no energy was recorded before the run ended.")
    periphery = peripheral_training_j(source.record)
    parts = [("reset", e.reset), ("write", e.write), ("verify", e.verify), ("inference", e.inference)]
    rows = [(f"drivers: {name}", value) for name, value in parts]
    rows += [("drivers: total", e.total), ("of it in the memristors", e.devices)]
    if periphery is not None:
        rows.append(("periphery while training (assumed)", periphery))

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        shown = [*parts, *([("periphery\n(assumed)", periphery)] if periphery else [])]
        values = [max(value, 0) * 1e6 for _, value in shown]
        bars = ax.bar([name for name, _ in shown], values, color=[GREEN] * 4 + [GREY], width=0.65)
        ax.bar_label(bars, [f"{v:.3g} µJ" if v else "none" for v in values], padding=2, fontsize=8.5)
        if any(values):
            ax.set_yscale("log")
            plain_powers(ax.yaxis)
            ax.margins(y=0.15)
        ax.set(ylabel="energy (µJ), logarithmic", title="Energy by phase")
        ax.grid(axis="x", visible=False)

    return Plot(
        "energy",
        "Energy by phase",
        "Energy that the row and reference drivers delivered, by phase: "
        + ", ".join(f"{name} {quantity(value, 'J') if value else 'none'}" for name, value in parts)
        + (f". Apart from it, at assumed powers: the periphery, {quantity(periphery, 'J')} while training." if periphery is not None else "."),
        ("part", "energy_j"),
        rows,
        paint,
    )  # fmt: skip


def energy_of_devices(source: Source) -> Plot:
    """What each memristor took itself."""
    devices = [d for d in source.devices if d.energy_j is not None]
    if source.record.energy_j is None or not devices:
        raise Missing("no energy was recorded before the run ended.")
    values = np.array([d.energy_j for d in devices]) * 1e9

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        if len(devices) <= _BARS:
            layers = np.array([d.layer for d in devices])
            for layer, colour in zip(sorted(set(layers)), (BLUE, ORANGE), strict=False):
                own = layers == layer
                ax.bar(np.flatnonzero(own), values[own], color=colour, label=f"layer {layer + 1}")
            ax.legend(ncols=2, loc="upper right")
            ax.margins(y=0.18)
        else:
            ax.vlines(np.arange(len(devices)), 0, values, color=BLUE, lw=0.6)
        ax.axhline(values.mean(), color=INK, lw=0.8, ls="--")
        ax.set(xlabel="device", ylabel="energy (nJ)", title="Energy into each memristor (dashed: mean)", ylim=(0, None))
        ax.grid(axis="x", visible=False)

    return Plot(
        "energy_devices",
        "Energy into each memristor",
        f"Energy that each memristor took over the whole run: {quantity(values.mean() * 1e-9, 'J')} on average, {quantity(values.max() * 1e-9, 'J')} at most.",
        ("device", "layer", "row", "column", "energy_j"),
        [(d.index, d.layer + 1, d.row, d.col, d.energy_j) for d in devices],
        paint,
    )
