# SPDX-License-Identifier: BSD-3-Clause
"""What a person sees of a study: how far it is, its tables, the comparison."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from pyharness.progress import Show
from pyharness.study.spec import Series, Statement, Study
from pyharness.study.store import Row, Store
from pyharness.study.summary import METRICS, Difference, Estimate, Line, lines

__all__ = ("Watch", "comparison", "difference_table", "series_tables")

_UNITS = {"training_time_s": (1e3, "ms"), "energy_j": (1e6, "uJ")}
_EVERY_S = 10.0
_LIVE = ("accuracy", "training_time_s", "energy_j", "pulses")


def _cell(name: str, e: Estimate) -> str:
    if not e.runs:
        return ""
    scale = _UNITS.get(name, (1.0, ""))[0]
    half = (e.high - e.low) / 2
    return f"{e.mean * scale:.4g}" + ("" if math.isnan(half) else f" ± {half * scale:.2g}")


def _table(title: str, series: Series, found: list[Line], names: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for key in series.vary:
        table.add_column(key)
    for name in names:
        table.add_column(f"{name.rsplit('_', 1)[0]}, {_UNITS[name][1]}" if name in _UNITS else name, justify="right")
    table.add_column("runs")
    for line in found:
        runs = ", ".join(f"{n} {status}" for status, n in line.statuses.items())
        table.add_row(*(str(line.varied[k]) for k in series.vary), *(_cell(n, line.metrics[n]) for n in names), runs)
    return table


def series_tables(
    console: Console, store: Store, study: Study, series: Series, metrics: Sequence[str] = tuple(METRICS)
) -> list[Table]:
    """Return the table of a series: a line for each combination, mean ± half of the 95 % interval.

    Metrics that no run has are left out.  A table wider than the console is split into as few as fit, each with the varied values and
    some of the metrics.
    """
    found = lines(store, study, series)
    names = [name for name in metrics if any(line.metrics[name].runs for line in found)]
    unbounded = console.options.update(max_width=10_000)

    def split(each: int) -> list[Table]:
        titles = {i: f"{series.name} (continued)" if i else series.name for i in range(0, max(len(names), 1), each)}
        return [_table(title, series, found, names[i : i + each]) for i, title in titles.items()]

    for each in range(len(names), 1, -1):
        tables = split(each)
        if all(console.measure(table, options=unbounded).maximum <= console.width for table in tables):
            return tables
    return split(1)


def difference_table(name: str, found: list[Difference]) -> Table:
    """Return what the jobs of a spot check gave in two engines."""
    ours, other = found[0].engines
    table = Table(title=f"{name}: {ours} against {other}", title_justify="left")
    for title in (
        "job",
        "seed",
        "conductances, at most",
        "of as many pulses",
        "training time",
        "energy",
        "correct",
        "speed",
    ):
        table.add_column(title)
    for d in found:
        table.add_row(
            ", ".join(f"{key.rsplit('.', 1)[-1]} {value}" for key, value in d.varied.items()),
            str(d.seed),
            f"{d.conductance:.2%}",
            "{} of {}".format(*d.same_pulses) + (f", {d.conductance_same_pulses:.2%}" if d.same_pulses[0] else ""),
            f"{d.training_time:+.3%}",
            f"{d.energy:+.3%}",
            "{} and {} of {}".format(*d.correct) if d.correct else "",
            f"{d.speed:.0f} times",
        )
    return table


def comparison(statements: Sequence[Statement], rows: list[dict[str, Any]]) -> Table:
    """Return the published statements beside ours, of which ``rows`` are the judgements; an accuracy's interval is shown up to 1."""
    table = Table(title="published and ours", title_justify="left")
    for name in ("statement", "published", "ours", "95 % interval", "verdict"):
        table.add_column(name)
    for statement, row in zip(statements, rows, strict=True):
        ours = "" if row["ours"] is None else f"{row['ours']:.4g}"
        most = 1.0 if statement.metric == "accuracy" and statement.against is None else math.inf
        interval = "{:.4g} .. {:.4g}".format(*(min(end, most) for end in row["ci95"])) if row["ci95"] else ""
        table.add_row(row["statement"], f"{row['published']:.4g}", ours, interval, row["verdict"])
    return table


class Watch:
    """Shows how far a study is, and now and then the tables so far."""

    def __init__(self, console: Console, show: Show, store: Store, study: Study, total: int, done: int) -> None:
        self._console, self._show, self._store, self._study = console, show, store, study
        self._total, self._done, self._first, self._begun = total, done, done, time.monotonic()
        self._told = time.monotonic()
        show(study.study, done, total)

    def __call__(self, row: Row) -> None:
        """A run is stored."""
        self._done += 1
        if row.status != "pass":
            self._console.print(f"{row.id} {row.status}: {row.message}", soft_wrap=True)
        rate = (self._done - self._first) / max(time.monotonic() - self._begun, 1e-9)
        note = f"{rate:.3g} runs/s, {(self._total - self._done) / rate:.0f} s left"
        self._show(self._study.study, self._done, self._total, note)
        if time.monotonic() - self._told > _EVERY_S * max(1, self._total // 200):
            self._told = time.monotonic()
            for series in self._study.series:
                if series.name == row.series:
                    self._console.print(*series_tables(self._console, self._store, self._study, series, _LIVE))
