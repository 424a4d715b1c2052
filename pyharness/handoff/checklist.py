# SPDX-License-Identifier: BSD-3-Clause
"""The QA report of a package: every row C1 to C40, from measured answers and from the package's own files.

The same answers and files give the same bytes: figures are told to two digits, those under a thousandth of their limit as
below it (what rounding leaves differs from machine to machine), and times only as within their limit or not.  The answers
themselves follow from sources and tools alone but for the verdict on CPU time, whose limit lies several times above what is
measured.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader, select_autoescape
from pydantic import BaseModel, ConfigDict

from pyharness import __version__
from pyharness.files import replace_file, sha256
from pyharness.handoff.criteria import MODEL_CRITERIA, Criterion
from pyharness.handoff.tree import PACKAGE_CRITERIA, model_sources
from pyharness.qa.assess import Assessment
from pyharness.qa.benches import SPEED
from pyharness.qa.subject import Check

__all__ = ("Report", "Row", "checklist", "write_checklist")

PACKAGE = "package"
_TOLD_AS_BELOW = 1e-3

Verdict = Literal["pass", "fail", "not applicable"]


class Row(BaseModel):
    """One row: ``scope`` is a model or ``package``; ``value`` is what was measured, ``reason`` why the verdict is so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    scope: str
    check: str
    criterion: str
    value: str
    verdict: Verdict
    reason: str = ""


class Report(BaseModel):
    """The report as written: rows, and how many have each verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    pyharness: str
    summary: dict[Verdict, int]
    rows: list[Row]


def _limit(check: Check, criterion: Criterion) -> float:
    return min(check.limit, criterion.limits.get(check.name, math.inf))


def _passed(check: Check, criterion: Criterion) -> bool:
    return check.passed and bool(check.value <= _limit(check, criterion))


def _share(check: Check, criterion: Criterion) -> float:
    """Return how much of its limit an answer takes; infinite where it has no value, or has no limit to take."""
    limit = _limit(check, criterion)
    if math.isnan(check.value) or (limit == 0 and check.value > 0):
        return math.inf
    return check.value / limit if limit else 0.0


def _names_card(check: Check, criterion: Criterion) -> bool:
    """Return whether it means something which card has the worst figure: not where rounding or a clock decides."""
    return check.name != SPEED and _TOLD_AS_BELOW <= _share(check, criterion)


def _told(check: Check, limit: float) -> str:
    """Return name and figure of an answer in a form that is the same whenever the answer means the same."""
    unit = f" {check.unit}" if check.unit else ""
    if math.isnan(check.value):
        return f"{check.name}: no value"
    if check.name == SPEED:
        return f"{check.name} {'within' if check.value <= limit else 'above'} {limit:g}{unit}"
    if check.unit == "faults" and check.value == 0:
        return f"{check.name}: in order" + (f" ({check.meaning})" if check.meaning else "")
    if limit == 0:
        return f"{check.name} {check.value + 0.0 if check.value > 0 else 0:.2g}{unit}"
    if abs(check.value) < _TOLD_AS_BELOW * limit:
        return f"{check.name} below {_TOLD_AS_BELOW * limit:.2g} of {limit:.2g}{unit}"
    return f"{check.name} {check.value:.2g} of {limit:.2g}{unit}"


def _model_row(criterion: Criterion, model: str, own: Sequence[Assessment]) -> Row:
    """Return the row of one model: of its cards the worst figure of each answer."""
    known = {"id": criterion.id, "scope": model, "check": criterion.check, "criterion": criterion.criterion}
    refused = [a.refused for a in own if a.refused]
    if refused:
        value = refused[0] if criterion.id in ("C7", "C10") else "not measured"
        return Row(**known, value=value, verdict="fail", reason=f"the compiler refuses the source: {refused[0]}")
    skipped = [f"{a.subject}: '{f}' was not made" for a in own for f in criterion.measured if f not in a.answers]
    if skipped:
        return Row(**known, value="not measured", verdict="fail", reason="; ".join(skipped))
    answers = [(a.subject, c) for a in own for function in criterion.measured for c in a.answers[function]]
    remarks = [words for function, words in criterion.remarks.items() if not any(a.answers[function] for a in own)]
    if not answers:
        return Row(**known, value="", verdict="not applicable", reason="; ".join(remarks))
    worst: dict[str, tuple[str, Check]] = {}
    for subject, c in answers:
        held = worst.get(c.name)
        if held is None or _share(c, criterion) > _share(held[1], criterion):
            worst[c.name] = subject, c
    for name, (subject, c) in worst.items():
        if (
            len({other.meaning for _, other in answers if other.name == name}) > 1
        ):  # words of one card are not all cards'
            worst[name] = subject, replace(c, meaning="")
    several = len(own) > 1
    values = [
        _told(c, _limit(c, criterion)) + (f" ({subject})" if several and _names_card(c, criterion) else "")
        for subject, c in worst.values()
    ]
    faults = [
        f"{f'{subject}: ' if several else ''}{c.name}: {c.meaning}"
        for subject, c in answers
        if not _passed(c, criterion)
    ]
    words = faults or [*remarks, *([criterion.note] if criterion.note else [])]
    return Row(
        **known, value="; ".join(values), verdict="fail" if faults else "pass", reason="; ".join(dict.fromkeys(words))
    )


def _report_row(tree: Path, assessments: Sequence[Assessment]) -> Row:
    """Return the row on this report: the models in the package are those that were measured."""
    measured = {a.model: a.source_sha256 for a in assessments}
    shipped = model_sources(tree)
    faults = [f"{m} is in the package, but was not measured" for m in shipped if m not in measured]
    faults += [f"{m} was measured, but is not in the package" for m in measured if m not in shipped]
    faults += [
        f"{m} in the package is not the source that was measured"
        for m, path in shipped.items()
        if m in measured and sha256(path.read_bytes()) != measured[m]
    ]
    return Row(
        id="C39",
        scope=PACKAGE,
        check="report",
        criterion="every row with criterion, value and verdict, for the sources in the package",
        value=f"{len(measured)} models measured, {len(assessments)} sets of parameters",
        verdict="fail" if faults else "pass",
        reason="; ".join(faults),
    )


def checklist(tree: Path, qa_results: Iterable[Assessment]) -> list[Row]:
    """Return rows C1 to C30 for each model, then C31 to C40 for the package, in order of their numbers.

    Args:
        tree: the package's folder, complete but for this report: with a manifest of all else, which is then made anew.
        qa_results: what :func:`pyharness.qa.assess.assess_all` gives.
    """
    assessments = list(qa_results)
    models = list(dict.fromkeys(a.model for a in assessments))
    rows = [
        _model_row(criterion, model, [a for a in assessments if a.model == model])
        for criterion in MODEL_CRITERIA
        for model in models
    ]
    for number, check, criterion_text, find, note in PACKAGE_CRITERIA:
        value, faults = find(tree)
        rows.append(
            Row(
                id=number, scope=PACKAGE, check=check, criterion=criterion_text, value=value,
                verdict="fail" if faults else "pass", reason="; ".join(faults) or note,
            )
        )  # fmt: skip
    rows.append(_report_row(tree, assessments))
    return sorted(rows, key=lambda r: int(r.id[1:]))


def write_checklist(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write ``qa.json`` and ``qa.html`` into ``folder``, each in one step, and return their paths.

    Args:
        rows: of :func:`checklist`.
        folder: made where it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = Counter(r.verdict for r in rows)
    summary: dict[Verdict, int] = {v: counts[v] for v in ("pass", "fail", "not applicable")}
    report = Report(pyharness=__version__, summary=summary, rows=list(rows))
    environment = Environment(
        loader=PackageLoader("pyharness.handoff"), autoescape=select_autoescape(["html", "j2"]), trim_blocks=True
    )
    page = environment.get_template("checklist.html.j2").render(report=report)
    return [
        replace_file(folder / "qa.json", report.model_dump_json(indent=1) + "\n"),
        replace_file(folder / "qa.html", page),
    ]
