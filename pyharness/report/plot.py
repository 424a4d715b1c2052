# SPDX-License-Identifier: BSD-3-Clause
"""A figure with the data behind it, and its three files: PNG, SVG, CSV."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, NullFormatter

from pyharness.files import replace_file

__all__ = ("BLUE", "GREEN", "GREY", "INK", "ORANGE", "PURPLE", "VERMILION", "Drawn", "Plot", "draw", "plain_powers")

# Okabe and Ito's palette: told apart by the colour-blind, and in print by lightness
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, GREY, INK = "#CC79A7", "#7b8794", "#1f2933"
_STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": INK,
    "xtick.color": "#52606d",
    "ytick.color": "#52606d",
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e7eb",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "pyharness",  # the same names, hence the same bytes, every time
    "text.parse_math": False,  # a user's text with dollars is no formula
}


@dataclass(frozen=True)
class Plot:
    """A figure to be drawn.

    Attributes:
        name: stem of its files.
        title: what is shown, for the heading.
        text: what it says, in a sentence or two: caption and text alternative.
        columns: names of the data's columns, each ending in its unit where it has one.
        rows: the data; None where there is no value.
        paint: draws it.
        size: width and height in inches.
    """

    name: str
    title: str
    text: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    paint: Callable[[Figure], None]
    size: tuple[float, float] = (6.2, 3.4)


@dataclass(frozen=True)
class Drawn:
    """A figure as the page shows it: ``uri`` holds all of it, ``width`` and ``height`` are in CSS pixels."""

    name: str
    title: str
    text: str
    uri: str
    width: int
    height: int


def plain_powers(axis: Axis) -> None:
    """Write a logarithmic axis's powers of ten as plain numbers."""
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())


def draw(plot: Plot, folder: Path) -> Drawn:
    """Write ``<name>.png``, ``.svg`` and ``.csv`` into ``folder``; return the figure for the page."""
    vector, raster, table = io.BytesIO(), io.BytesIO(), io.StringIO()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=plot.size)
        FigureCanvasAgg(figure)
        plot.paint(figure)
        figure.draw_without_rendering()  # lays out
        figure.set_layout_engine("none")  # once for both files
        figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": None, "Title": plot.title})
        figure.savefig(raster, format="png", dpi=150, metadata={"Software": None, "Title": plot.title})
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(plot.columns)
    writer.writerows(plot.rows)
    for ending, content in (("png", raster.getvalue()), ("svg", vector.getvalue()), ("csv", table.getvalue())):
        replace_file(folder / f"{plot.name}.{ending}", content)
    # as an image, not inline: names inside one SVG do not meet those of another
    uri = "data:image/svg+xml;base64," + base64.b64encode(vector.getvalue()).decode()
    width, height = (round(96 * inches) for inches in plot.size)
    return Drawn(plot.name, plot.title, plot.text, uri, width, height)
