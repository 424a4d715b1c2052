# SPDX-License-Identifier: BSD-3-Clause
"""The report's figures, from a record alone."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pyharness.bench.job import build_job
from pyharness.config import SimConfig
from pyharness.network.images import accuracy_curve
from pyharness.record import Pulse, Record

__all__ = ("figures",)

_BLUE, _ORANGE, _GREY, _GREEN = "#2563a8", "#d9822b", "#9aa5b1", "#3a8f5c"
_NUMBERED_ROWS = 16  # a larger layer has no room for its numbers
_STYLE: Any = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e8ec",
    "axes.axisbelow": True,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "pyharness",
}


def _encode(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _draw(draw: Callable[[Figure], None], width: float, height: float) -> str:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        draw(figure)
        return _encode(figure)


def _known_before(pulse: Pulse) -> list[float]:
    """Nothing is read before an initial RESET."""
    return [] if pulse.g_before_siemens is None else [pulse.g_before_siemens]


def _by_device(record: Record) -> list[list[Pulse]]:
    """Return each device's pulses, in their order."""
    found: list[list[Pulse]] = [[] for _ in record.devices]
    for pulse in record.pulses:
        if pulse.device < len(found):  # not all may have been read back yet
            found[pulse.device].append(pulse)
    return found


def _trajectories(record: Record) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        ax: Axes = figure.add_subplot()
        for device, pulses in zip(record.devices, _by_device(record), strict=True):
            if not pulses:
                continue
            g = [*_known_before(pulses[0]), *(p.g_after_siemens for p in pulses)]
            line = ax.plot(range(len(g)), np.array(g) * 1e6, lw=1, alpha=0.8)[0]
            ax.plot(len(g) - 1, device.target_siemens * 1e6, "_", ms=9, color=line.get_color())
        ax.set(
            xlabel="trim pulse of the device", ylabel="conductance read (uS)", title="Way to the target (dash: target)"
        )

    return draw


def _pulses(record: Record) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        ax = figure.add_subplot()
        index = np.arange(len(record.devices))
        sets, resets = ([sum(p.polarity == one for p in own) for own in _by_device(record)] for one in ("set", "reset"))
        ax.bar(index, sets, color=_BLUE, label="SET")
        ax.bar(index, resets, bottom=sets, color=_ORANGE, label="RESET")
        ax.set(xlabel="device", ylabel="trim pulses", title="Pulses per device")
        ax.legend(frameon=False, ncols=2, loc="upper right")
        ax.margins(y=0.2)  # room for the legend above the bars

    return draw


def _maps(record: Record) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        layers = sorted({d.layer for d in record.devices})
        first = [
            next((g for p in own for g in (*_known_before(p), p.g_after_siemens)), d.final_siemens)
            for d, own in zip(record.devices, _by_device(record), strict=True)
        ]
        top = 1.1e6 * max(max(d.target_siemens, d.final_siemens) for d in record.devices)
        views = [
            ("before (uS)", [g * 1e6 for g in first], "viridis", (0, top)),
            ("target (uS)", [d.target_siemens * 1e6 for d in record.devices], "viridis", (0, top)),
            ("after (uS)", [d.final_siemens * 1e6 for d in record.devices], "viridis", (0, top)),
            ("error (%)", [d.error_rel * 100 for d in record.devices], "RdBu", (-2, 2)),
        ]
        rows = [1 + max(d.row for d in record.devices if d.layer == layer) for layer in layers]
        grid = figure.subplots(len(layers), len(views), height_ratios=rows, squeeze=False)
        for column, (title, values, colours, span) in enumerate(views):
            for line, layer in enumerate(layers):
                ax = grid[line][column]
                cells = [(d, v) for d, v in zip(record.devices, values, strict=True) if d.layer == layer]
                table = np.zeros((rows[line], 1 + max(d.col for d, _ in cells)))
                for d, v in cells:
                    table[d.row, d.col] = v
                image = ax.imshow(table, cmap=colours, vmin=span[0], vmax=span[1], aspect="auto")
                for (r, c), v in np.ndenumerate(table) if rows[line] <= _NUMBERED_ROWS else ():
                    dark = colours == "viridis" and v < 250
                    text = f"{v:.1f}" if colours == "RdBu" else f"{v:.0f}"
                    ax.text(c, r, text, ha="center", va="center", fontsize=7, color="white" if dark else "black")
                ax.set_xticks(range(table.shape[1]))
                ax.set_yticks(range(0, table.shape[0], 1 if rows[line] <= _NUMBERED_ROWS else 8))
                ax.grid(False)
                ax.set_title(f"layer {layer + 1}: {title}", fontsize=8)
            figure.colorbar(image, ax=[grid[i][column] for i in range(len(layers))], shrink=0.6)

    return draw


def _energy(record: Record) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        ax = figure.add_subplot()
        assert record.energy_j is not None
        phases = ("reset", "write", "verify", "inference")
        values = [max(getattr(record.energy_j, p), 0) * 1e6 for p in phases]
        bars = ax.bar(phases, values, color=_GREEN)
        ax.bar_label(bars, fmt="%.3g")
        ax.set(ylabel="energy (uJ)", title="Energy from the drivers, by phase", yscale="log")

    return draw


def _accuracy(record: Record) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        ax = figure.add_subplot()
        config = SimConfig.model_validate(record.config)
        job = build_job(config)
        network = job.with_conductances(np.array([d.final_siemens for d in record.devices]))
        if "bias" in record.network:  # training on the chip tunes them
            network = replace(network, bias=tuple(record.network["bias"]))
        noise = np.linspace(0, 0.3, 31)
        curve = accuracy_curve(job.images, lambda bits: network.predict(bits).label, noise)
        found, limits = zip(*curve, strict=True)
        if None not in limits:
            ax.plot(noise * 100, np.array(limits) * 100, color=_GREY, label="Bayes limit")
        ax.plot(noise * 100, np.array(found) * 100, "--", color=_BLUE, label="array's conductances, in software")
        a = record.accuracy
        if a:
            low, high = (a.value - a.ci95_low) * 100, (a.ci95_high - a.value) * 100
            ax.errorbar(
                config.test.pixel_noise * 100, a.value * 100, [[low], [high]], fmt="o", color=_ORANGE, capsize=4,
                label=f"co-simulated, {a.total} images",
            )  # fmt: skip
        ax.set(xlabel="pixel noise (%)", ylabel="accuracy (%)", title="Accuracy against noise")
        ax.legend(frameon=False, loc="lower left")

    return draw


def figures(record: Record) -> dict[str, str]:
    """Return figure name -> PNG data URI; a figure without data is left out.

    Args:
        record: complete or partial.
    """
    found = {}
    if record.devices:
        if record.config["training"]["targets_siemens"] is None:  # else there is no network to be accurate
            found["accuracy"] = _draw(_accuracy(record), 5.2, 3.4)
        found["trajectories"] = _draw(_trajectories(record), 5.2, 3.4)
        found["pulses"] = _draw(_pulses(record), 5.2, 3.0)
        found["maps"] = _draw(_maps(record), 10.6, 5.2)
    if record.energy_j:
        found["energy"] = _draw(_energy(record), 5.2, 3.0)
    return found
