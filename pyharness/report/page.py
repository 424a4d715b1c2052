# SPDX-License-Identifier: BSD-3-Clause
"""The page: what the template is given."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Mapping
from statistics import median
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from pyharness.record import Record, peripheral_training_j
from pyharness.report.devices import MEANING, way
from pyharness.report.plot import Drawn
from pyharness.report.source import Source
from pyharness.report.verdict import PAPER, answers, quantity, verdict

__all__ = ("render",)

_WRONG_IMAGES = 24
_PRINTED_DEVICES = 64  # a print has the pulses of no more devices one by one


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


def _wrong(source: Source) -> list[dict[str, Any]]:
    """Return the images that the array answered wrong, the first of them: classes, active pixels, and a path of unit squares."""
    pixels = source.record.network.get("layers", [[0, 0]])[0][0]
    columns = math.isqrt(pixels) if math.isqrt(pixels) ** 2 == pixels else pixels  # files tell no shape
    found = []
    for answer in [a for a in source.record.answers if a["answer"] != a["truth"]][:_WRONG_IMAGES]:
        active = [i for i in range(pixels) if answer["image"] >> i & 1]
        path = "".join(f"M{i % columns} {i // columns}h1v1h-1z" for i in active)
        found.append({**answer, "active": active, "path": path, "columns": columns, "rows": pixels // max(1, columns)})
    return found


def render(source: Source, figures: Mapping[str, Drawn], missing: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        source: what it is about.
        figures: those that were drawn, by name.
        missing: name of a figure that was not -> why.
    """
    record, found = source.record, answers(source)
    environment = Environment(
        loader=PackageLoader("pyharness.report"),
        autoescape=select_autoescape(["html", "j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["quantity"] = quantity
    environment.filters["tied"] = lambda words: re.sub(r"(?<=\d) (?=%|[µm]?[sJ]\b)", "\N{NO-BREAK SPACE}", words)
    style, script = (Markup(environment.get_template(f"{name}.j2").render()) for name in ("style.css", "choose.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(
        style=style,
        script=script,
        script_hash=f"sha256-{digest}",  # no other script runs, whatever a user's text holds
        record=record,
        source=source,
        paper=PAPER,
        answers=found,
        verdict=verdict(source, found),
        figures=figures,
        missing=missing,
        meaning=MEANING,
        way=way,
        printed_devices=_PRINTED_DEVICES,
        scatter=_scatter(record),
        wrong=_wrong(source),
        wrong_answers=sum(a["answer"] != a["truth"] for a in record.answers),
        peripheral_j=peripheral_training_j(record),
        configuration=yaml.safe_dump(record.config, sort_keys=False, default_flow_style=None, allow_unicode=True),
    )
