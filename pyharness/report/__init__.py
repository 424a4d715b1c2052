# SPDX-License-Identifier: BSD-3-Clause
"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, select_autoescape

from pyharness.record import Record, peripheral_training_j, replace_text
from pyharness.report.figures import figures

__all__ = ("write_report",)


def _scatter(record: Record) -> list[dict[str, Any]]:
    """Return a row for each parameter that scattered: the card's spread, and what was drawn of it."""
    if record.variation is None:
        return []
    drawn = {
        "device_to_device": ("device", record.variation.devices),
        "cycle_to_cycle": ("pulse", [p.parameters for p in record.pulses]),
    }
    rows: list[dict[str, Any]] = []
    for kind, spreads in record.variation.spread.items():
        word, all_values = drawn[kind]
        for name, spread in spreads.items():
            values = [one[name] for one in all_values if name in one]
            figures = {"low": min(values), "median": median(values), "high": max(values)} if values else {}
            rows.append({"kind": word, "parameter": name, "count": len(values), **spread, **figures})
    return rows


def write_report(record: Record, folder: Path) -> Path:
    """Write ``report.html`` into ``folder`` in one step and return its path.

    Args:
        record: complete or partial; what is missing is left out.
        folder: existing folder.
    """
    environment = Environment(
        loader=PackageLoader("pyharness.report"), autoescape=select_autoescape(["html", "j2"]), trim_blocks=True
    )
    text = environment.get_template("report.html.j2").render(
        record=record,
        figures=figures(record),
        within=sum(abs(d.error_rel) <= 0.02 for d in record.devices),
        scatter=_scatter(record),
        peripheral_j=peripheral_training_j(record),
        configuration=yaml.safe_dump(record.config, sort_keys=False, default_flow_style=None),
    )
    return replace_text(folder / "report.html", text)
