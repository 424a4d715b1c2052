# SPDX-License-Identifier: BSD-3-Clause
"""What a study's stored runs say: a table for each series, and the published statements beside them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.stats import t as student

from pyharness.study.spec import Series, SpotCheck, Statement, Study
from pyharness.study.store import STATUSES, Row, Store

__all__ = (
    "METRICS",
    "Difference",
    "Estimate",
    "Line",
    "Summary",
    "differences",
    "estimate",
    "judge",
    "lines",
    "runs_csv",
    "summary_json",
)

METRICS: dict[str, Callable[[dict[str, Any]], float]] = {
    "accuracy": lambda r: r["accuracy"] if "accuracy" in r else r["correct"] / r["images"],
    # of two shares near 1: what is beyond twelve digits is rounding
    "below_bayes": lambda r: round(r["bayes_limit"] - METRICS["accuracy"](r), 12),
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
    if np.ptp(x) <= 1e-12 * np.abs(x).max():
        # equal but for rounding, of which no spread is to come
        return Estimate(float(x[0]), float(x[0]), float(x[0]), len(x))
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

    """
    metric = METRICS[statement.metric]
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


@dataclass(frozen=True)
class Difference:
    """A job done by two engines.

    Attributes:
        varied, seed: which job.
        engines: of the series, and of the check.
        conductance: largest difference of a final conductance, as a share of the check's.  A verify code that falls on the other side
            of a limit brings another pulse, and from there on another path to the same target: such devices differ by up to
            twice the tolerance.
        conductance_same_pulses: the same, of devices that took as many pulses in both; NaN without any.
        same_pulses: devices of all that took as many pulses in both.
        training_time, energy: of the series' engine over the check's, less 1.
        correct: test images that each got right, of how many; None without any.
        speed: wall time of the check over that of the series' engine, set-up included in both.
    """

    varied: dict[str, Any]
    seed: int
    engines: tuple[str, str]
    conductance: float
    conductance_same_pulses: float
    same_pulses: tuple[int, int]
    training_time: float
    energy: float
    correct: tuple[int, int, int] | None
    speed: float


def differences(store: Store, study: Study, check: SpotCheck) -> list[Difference]:
    """Return how the engines differ on each job of a spot check that both have done."""
    pairs: dict[tuple[str, int], list[Row]] = {}
    for row in store.rows(study.study, check.name):
        if row.status == "pass":
            pairs.setdefault((json.dumps(row.varied), row.seed), []).append(row)
    return [_difference(*rows) for rows in pairs.values() if len(rows) == 2]


def _difference(ours: Row, other: Row) -> Difference:
    a, b = ours.result, other.result
    off = np.abs(np.array(a["final_siemens"]) / np.array(b["final_siemens"]) - 1)
    same = np.array(a["pulses"]) == np.array(b["pulses"])
    tested = "images" in a and "images" in b
    return Difference(
        varied=ours.varied,
        seed=ours.seed,
        engines=(ours.engine, other.engine),
        conductance=float(off.max()),
        conductance_same_pulses=float(off[same].max()) if same.any() else math.nan,
        same_pulses=(int(same.sum()), len(same)),
        training_time=a["training_time_s"] / b["training_time_s"] - 1,
        energy=METRICS["energy_j"](a) / METRICS["energy_j"](b) - 1,
        correct=(a["correct"], b["correct"], b["images"]) if tested else None,
        speed=other.wall_s / ours.wall_s,
    )


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


def _number(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _plain(difference: Difference) -> dict[str, Any]:
    return {key: _number(v) if isinstance(v, float) else v for key, v in asdict(difference).items()}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StatementResult(_Part):
    """A published statement beside ours; what each is: :func:`judge`."""

    statement: str
    reading: str
    published: float
    ours: float | None
    ci95: tuple[float, float] | None
    runs: int
    verdict: Literal["beaten", "met", "not met", "no runs"]
    command: str


class MeanResult(_Part):
    """Mean over runs with its 95 % interval; one run has none."""

    mean: float | None
    ci95: tuple[float | None, float | None]
    runs: int


class LineResult(BaseModel):
    """A combination of a series: the varied keys with their values, runs by status, and each metric that a run has."""

    model_config = ConfigDict(extra="allow")

    statuses: dict[str, int]
    accuracy: MeanResult | None = None
    below_bayes: MeanResult | None = None
    training_time_s: MeanResult | None = None
    energy_j: MeanResult | None = None
    pulses: MeanResult | None = None
    given_up: MeanResult | None = None
    error_rms: MeanResult | None = None


class DifferenceResult(_Part):
    """A job done by two engines, as :class:`Difference`; None where a figure is not known."""

    varied: dict[str, Any]
    seed: int
    engines: tuple[str, str]
    conductance: float | None
    conductance_same_pulses: float | None
    same_pulses: tuple[int, int]
    training_time: float | None
    energy: float | None
    correct: tuple[int, int, int] | None
    speed: float | None


class Summary(_Part):
    """A study's ``summary.json``: the statements' rows, the series' tables, the spot checks."""

    study: str
    statements: list[StatementResult]
    series: dict[str, list[LineResult]]
    spot_checks: dict[str, list[DifferenceResult]]


def summary_json(store: Store, study: Study) -> dict[str, Any]:
    """Return all of it as plain data, for ``summary.json``, in the form of :class:`Summary`."""
    found = {
        "study": study.study,
        "statements": [judge(store, study, s) for s in study.statements],
        "series": {
            series.name: [
                {
                    **line.varied,
                    "statuses": line.statuses,
                    **{
                        name: {"mean": _number(e.mean), "ci95": [_number(e.low), _number(e.high)], "runs": e.runs}
                        for name, e in line.metrics.items()
                        if e.runs
                    },
                }
                for line in lines(store, study, series)
            ]
            for series in study.series
        },
        "spot_checks": {c.name: [_plain(d) for d in differences(store, study, c)] for c in study.spot_checks},
    }
    Summary.model_validate(found)
    return found


def runs_csv(store: Store, study: Study) -> str:
    """Return the stored runs as CSV, a row each, the spot checks' behind those of the series.

    Columns: ``series, id, seed, engine, status``, each key that a series varies, each of :data:`METRICS`.  A cell is empty where a series does
    not vary the key, or a run has no such figure.
    """
    keys = list(dict.fromkeys(key for series in study.series for key in series.vary))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["series", "id", "seed", "engine", "status", *keys, *METRICS])
    for name in (*(series.name for series in study.series), *(check.name for check in study.spot_checks)):
        for row in store.rows(study.study, name):
            values = (row.varied.get(key, "") for key in keys)
            figures = (next(map(_number, _known(metric, [row.result])), None) for metric in METRICS.values())
            told = (v if isinstance(v, str) else json.dumps(v) for v in values)
            table.writerow([name, row.id, row.seed, row.engine, row.status, *told, *figures])
    return text.getvalue()
