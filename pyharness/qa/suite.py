# SPDX-License-Identifier: BSD-3-Clause
"""Run all checks, print them as a table, keep them as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from pyharness.errors import ConfigError, PyharnessError, VerilogAError
from pyharness.files import replace_file
from pyharness.fit.cards import window_states
from pyharness.qa import benches, circuits, equations, form, source, statistics
from pyharness.qa.subject import Check, Subject
from pyharness.resources import shipped_cards, shipped_models
from pyharness.veriloga import Card, check_terminals, load_any

__all__ = (
    "HANDOFF",
    "Check",
    "Subject",
    "answer",
    "run_suite",
    "shipped_subjects",
    "subject_of",
    "table_of",
    "write_table",
)

CheckFunction = Callable[[Subject], Check | list[Check]]

_CHECKS: tuple[CheckFunction, ...] = (
    *form.FORM,
    circuits.cold_start,
    equations.zero_current,
    equations.passivity,
    circuits.pinched_loop,
    equations.bounds,
    circuits.bounds_in_circuit,
    circuits.step_halving,
    circuits.tolerances,
    circuits.methods,
    circuits.state_per_pulse,
    equations.hold,
    equations.read_disturb,
    circuits.parallel,
    circuits.array_converges,
    equations.temperature,
    equations.smooth,
    equations.jacobian,
    circuits.targets,
)


HANDOFF: tuple[CheckFunction, ...] = (
    *_CHECKS,
    source.layout,
    source.header,
    source.outputs,
    source.constructs,
    source.arithmetic,
    source.noise,
    source.thermal,
    source.validity,
    source.compilers,
    benches.polarity,
    benches.flipped,
    benches.dc_sweeps,
    benches.cycles,
    benches.passive_in_circuit,
    benches.step_ladder,
    benches.analyses,
    benches.random_arrays,
    benches.solvers,
    benches.cost,
    benches.warned,
    statistics.fit_to_measurement,
    statistics.extraction,
    statistics.scatter,
)
"""What a receiver of the model asks for beside: form, description, circuits of many devices, statistics."""


def answer(check: CheckFunction, subject: Subject) -> list[Check]:
    """Return what one check answers; where it cannot be made, a failed one with the reason."""
    try:
        found = check(subject)
    except PyharnessError as cause:  # no solution, or no form that the check can use: its words are the answer
        lines = str(cause).splitlines()
        told = lines[min(1, len(lines) - 1)].strip()  # of ngspice's words the first, behind "ngspice failed:"
        found = Check(check.__name__.replace("_", " "), float("nan"), 0.0, "", told)
    return found if isinstance(found, list) else [found]


def run_suite(subject: Subject, progress: Callable[[int, int], None] | None = None) -> list[Check]:
    """Return the answers of every check; ``progress`` is called with (done, of)."""
    found: list[Check] = []
    for number, check in enumerate(_CHECKS):
        found += answer(check, subject)
        if progress:
            progress(number + 1, len(_CHECKS))
    return found


def _of_card(subject: Subject, card: Card) -> Subject:
    """Return the subject with the card's resistor, window and promises."""
    if card.series_ohm:
        subject = replace(subject, series_ohm=card.series_ohm)
    if card.hold:
        subject = replace(subject, hold_limit=card.hold.hour_at_0_v, read_limit=card.hold.reads_10000)
    return replace(subject, card=card, states=tuple(window_states(subject.model, card.window_siemens)))


def subject_of(name: str) -> Subject:
    """Return the subject for a card's name or path, a shipped model's name, or a path to a ``.va`` file.

    Raises:
        ConfigError: none of these, or a model of another shape than two ports, one state node and parameter ``x0``.
        VerilogAError: a faulty source.
    """
    module, device = load_any(name)
    subject = Subject(device.name, module, device.card.parameters) if device else Subject("default", module, {})
    try:
        check_terminals(module)
        subject.model.check_one_state()
    except VerilogAError as cause:
        raise ConfigError(
            f"the suite checks models of two ports with one state node and a parameter x0, its start: {cause}"
        ) from None
    return _of_card(subject, device.card) if device else subject


def shipped_subjects() -> list[str]:
    """Return the names of all shipped cards, then of the models without a card."""
    cards = shipped_cards().values()
    with_cards = {c.parent.parent.name for c in cards}
    return [c.stem for c in cards] + [name for name in shipped_models() if name not in with_cards]


def _verdict(check: Check) -> str:
    return "ok" if check.passed else "remark" if check.form else "FAILED"


def table_of(subject: Subject, checks: Iterable[Check]) -> Table:
    """Return the checks as a table for a terminal."""
    table = Table(title=f"{subject.module.name}, {subject.name}")
    for heading, justify in (
        ("check", "left"),
        ("figure", "right"),
        ("at most", "right"),
        ("", "left"),
        ("what", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for c in checks:
        unit = f" {c.unit}" if c.unit else ""
        table.add_row(c.name, f"{c.value:.2g}{unit}", f"{c.limit:.2g}{unit}", _verdict(c), c.meaning)
    return table


def write_table(answers: Iterable[tuple[Subject, list[Check]]], folder: Path) -> list[Path]:
    """Write ``<model>.json`` into ``folder`` for each model: rows by card."""
    by_model: dict[str, dict[str, list[dict[str, object]]]] = {}
    for subject, checks in answers:
        rows: list[dict[str, object]] = [
            {
                "check": c.name,
                "value": float(c.value),
                "limit": float(c.limit),
                "unit": c.unit,
                "passed": c.passed,
                "form": c.form,
                "meaning": c.meaning,
            }
            for c in checks
        ]
        by_model.setdefault(subject.module.name, {})[subject.name] = rows
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for model, cards in by_model.items():
        paths.append(folder / f"{model}.json")
        replace_file(paths[-1], json.dumps({"model": model, "cards": cards}, indent=1) + "\n")
    return paths
