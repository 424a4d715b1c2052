# SPDX-License-Identifier: BSD-3-Clause
"""What a study's stored runs say: a table for each series, and the published statements beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from pyharness.errors import ConfigError
from pyharness.study.spec import Series, Statement, Study
from pyharness.study.store import STATUSES, Row, Store

__all__ = ("METRICS", "Estimate", "Line", "estimate", "judge", "lines", "summary_json")

METRICS: dict[str, Callable[[dict[str, Any]], float]] = {
    "accuracy": lambda r: r["accuracy"] if "accuracy" in r else r["correct"] / r["images"],
    "below_bayes": lambda r: r["bayes_limit"] - METRICS["accuracy"](r),
    "training_time_s": lambda r: r["training_time_s"],
    "energy_j": lambda r: r["energy_j"]["total"] - r["energy_j"]["inference"],
    "pulses": lambda r: float(np.mean(r["pulses"])),
    "given_up": lambda r: r["given_up"],
    "error_rms": lambda r: r["error_rms"],
}
"""Name -> what it is in a run's result; ``energy_j`` is that of training."""


@dataclass(frozen=True)
class Estimate:
    """Mean over runs and its 95 % interval (Student's t); one run has none: NaN."""

    mean: float
    low: float
    high: float
    runs: int


def estimate(values: Iterable[float]) -> Estimate:
    """Return the mean of independent runs with its 95 % interval."""
    x = np.array([v for v in values if math.isfinite(v)])
    if len(x) == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(x.mean())
    if len(x) == 1:
        return Estimate(mean, math.nan, math.nan, 1)
    half = float(student.ppf(0.975, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x)))
    return Estimate(mean, mean - half, mean + half, len(x))


@dataclass(frozen=True)
class Line:
    """A combination of varied values: the estimates of each metric over its runs, and the runs by status."""

    varied: dict[str, Any]
    metrics: dict[str, Estimate]
    statuses: dict[str, int]


def lines(store: Store, study: Study, series: Series) -> list[Line]:
    """Return a line for each combination of which a run is stored, in the series' order."""
    groups: dict[str, list[Row]] = {}
    for row in store.rows(study.study, series.name):
        groups.setdefault(json.dumps(row.varied), []).append(row)
    found = []
    for key, rows in groups.items():
        passed = [row.result for row in rows if row.status == "pass"]
        metrics = {name: estimate(_known(metric, passed)) for name, metric in METRICS.items()}
        statuses = {s: n for s in STATUSES if (n := sum(row.status == s for row in rows))}
        found.append(Line(json.loads(key), metrics, statuses))
    return found


def _known(metric: Callable[[dict[str, Any]], float], results: list[dict[str, Any]]) -> list[float]:
    values = []
    for result in results:
        try:
            values.append(float(metric(result)))
        except KeyError:  # a job without test images has no accuracy
            continue
    return values


def _values_at(
    metric: Callable[[dict[str, Any]], float], store: Store, study: Study, series: str, at: dict[str, Any]
) -> dict[int, float]:
    """Return seed -> metric of a series' runs at the given values."""
    rows = (r for r in store.rows(study.study, series) if r.status == "pass" and at.items() <= r.varied.items())
    return {row.seed: value for row in rows for value in _known(metric, [row.result])}


def judge(store: Store, study: Study, statement: Statement) -> dict[str, Any]:
    """Return a row of the comparison: ``statement, published, ours, ci95, verdict, command``.

    With ``against``, ours is the difference or ratio to those runs, seed by seed.  *beaten*: the whole interval lies on the better
    side of the published value; *met*: the mean does, or the interval holds it; *not met*: neither; *no runs*.

    Raises:
        ConfigError: an unknown metric.
    """
    metric = METRICS.get(statement.metric)
    if metric is None:
        raise ConfigError(
            f"study '{study.study}': statement '{statement.statement}': metric must be one of {', '.join(METRICS)}, got "
            f"'{statement.metric}'"
        )
    values = _values_at(metric, store, study, statement.series, statement.at)
    if statement.against is not None:
        base = statement.against.series or statement.series
        others = _values_at(metric, store, study, base, statement.against.at)
        pairs = [(v, others[seed]) for seed, v in values.items() if seed in others]
        found = estimate(a / b if statement.against.as_ratio else a - b for a, b in pairs)
    else:
        found = estimate(values.values())
    return {
        "statement": statement.statement,
        "reading": statement.reading,
        "published": statement.published,
        "ours": found.mean if found.runs else None,
        "ci95": [found.low, found.high] if found.runs > 1 else None,
        "runs": found.runs,
        "verdict": _verdict(found, statement),
        "command": f"pyharness study {study.study} --only {statement.series}",
    }


def _verdict(found: Estimate, statement: Statement) -> str:
    if not found.runs:
        return "no runs"
    sign = 1 if statement.goal == "at_least" else -1
    low, mean, high = (
        sorted(sign * v for v in (found.low, found.mean, found.high)) if found.runs > 1 else [sign * found.mean] * 3
    )
    published = sign * statement.published
    if low > published:
        return "beaten"
    return "met" if mean >= published or high >= published else "not met"


def summary_json(store: Store, study: Study) -> dict[str, Any]:
    """Return all of it as plain data, for ``summary.json``: the statements' rows, and the series' tables."""

    def number(x: float) -> float | None:
        return x if math.isfinite(x) else None

    return {
        "study": study.study,
        "statements": [judge(store, study, s) for s in study.statements],
        "series": {
            series.name: [
                {
                    **line.varied,
                    "statuses": line.statuses,
                    **{
                        name: {"mean": number(e.mean), "ci95": [number(e.low), number(e.high)], "runs": e.runs}
                        for name, e in line.metrics.items()
                        if e.runs
                    },
                }
                for line in lines(store, study, series)
            ]
            for series in study.series
        },
    }
