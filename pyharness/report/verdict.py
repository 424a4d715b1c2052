# SPDX-License-Identifier: BSD-3-Clause
"""The first screen: four questions answered beside the published figures, and what follows from the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from matplotlib.ticker import EngFormatter

from pyharness.record import Record, peripheral_training_j
from pyharness.report.source import Source

__all__ = ("PAPER", "Answer", "Verdict", "answers", "quantity", "verdict")

PAPER = "arXiv 2408.14680"
_PAPER_ACCURACY, _PAPER_TRAINING_NOISE = 0.97, 0.15
_PAPER_TIME_S, _PAPER_ENERGY_J = 2.4, 18.9e-3
_PAPER_LAYERS = [[9, 3], [3, 1]]
_NEAR = 0.01  # of the limit: a point

State = Literal["good", "short", "open"]


@dataclass(frozen=True)
class Answer:
    """One question: figure, what it means, the published figure, and whether it is good, falls short, or is open (nothing to judge it by)."""

    question: str
    value: str
    detail: str
    published: str
    state: State
    judgement: str


@dataclass(frozen=True)
class Verdict:
    """``level`` in a word, ``text`` in a sentence, and the rule that it was found by."""

    level: Literal["pass", "remarks", "fail", "incomplete"]
    word: str
    text: str


def quantity(value: float, unit: str) -> str:
    """Return three significant digits with an SI prefix, as in ``60.6 ms``."""
    return EngFormatter(unit=unit)(float(f"{value:.3g}"))


def _trained(source: Source) -> Answer:
    devices, record = source.devices, source.record
    total, reached = len(devices), sum(d.status == "reached" for d in devices)
    question, published = "Did it train?", f"{PAPER}: 30 devices"
    errors = [abs(d.error) for d in devices if d.error is not None]
    worst = f"largest distance at the last read {max(errors) * 100:.2f} %" if errors else "no conductance was read"
    pulses = f"{len(record.pulses)} pulses"
    if not source.verified:
        return Answer(question, pulses, f"for {total} devices; single pulses, which nothing verifies", published, "open",
                      "judged by its accuracy")  # fmt: skip
    within = f" within {source.tolerance * 100:.3g} % of their targets" if source.tolerance is not None else ""
    detail = f"devices verified by the controller{within}; {worst}; {pulses}"
    state: State = "good" if devices and reached == total else "short"
    unread = sum(d.status == "not read back" for d in devices)
    lost = total - reached - unread
    told = [f"{lost} did not reach it"] if lost else []
    if unread:
        near = sum(d.error is not None and abs(d.error) <= (source.tolerance or 0) for d in devices if d.pulses)
        told.append(f"{unread} not read back; {near} were last seen in tolerance")
    return Answer(
        question,
        f"{reached} of {total}",
        detail,
        published,
        state,
        "all reached" if state == "good" else "; ".join(told) or "no device",
    )


def _accurate(source: Source) -> Answer:
    record, a = source.record, source.record.accuracy
    network = record.network.get("layers") == _PAPER_LAYERS
    noise = record.network.get("pixel_noise")
    given = record.config.get("training", {}).get("targets_siemens") is not None
    comparable = network and not given and noise is not None and noise < _PAPER_TRAINING_NOISE
    published = f"{PAPER}: up to 97 % with < 15 % training noise" + (
        "" if comparable else " (another case than this run)"
    )
    if a is None:
        asked = record.config.get("test", {}).get("count")
        why = "the configuration asks for no test image" if asked == 0 else "the run ended before an image was shown"
        return Answer("How accurate?", "not measured", why, published, "open", "not judged")
    test_noise = record.config.get("test", {}).get("pixel_noise")
    flipped = f" with {test_noise * 100:.3g} % of the pixels flipped" if test_noise is not None else ""
    parts = [f"{a.correct} of {a.total} images{flipped} (95 %: {a.ci95_low * 100:.1f} to {a.ci95_high * 100:.1f} %)"]
    state, judgement = _beside_the_best(record)
    if comparable:
        judgement += ", above the published 97 %" if a.value >= _PAPER_ACCURACY else ", below the published 97 %"
    if a.bayes_limit is not None:
        parts.append(f"best possible (Bayes) {a.bayes_limit * 100:.2f} %")
    if record.software:
        parts.append(
            f"in software without errors {record.software.network * 100:.2f} %, by logistic regression in floats {record.software.logistic_regression * 100:.2f} %"
        )
    return Answer("How accurate?", f"{a.value * 100:.2f} %", "; ".join(parts), published, state, judgement)


def _beside_the_best(record: Record) -> tuple[State, str]:
    """Compare with the Bayes limit, or where none is known with the same network in software."""
    a = record.accuracy
    assert a is not None
    if record.config.get("training", {}).get("targets_siemens") is not None:
        return "open", "targets were given, no network was trained"
    best, name = a.bayes_limit, "the Bayes limit"
    if best is None:
        if record.software is None:
            return "open", "nothing to compare with"
        best, name = record.software.network, "the same network in software"
    if a.ci95_high >= best:
        return "good", f"at {name}"
    points = (best - a.value) * 100
    return ("good" if a.ci95_high >= best - _NEAR else "short"), f"{points:.1f} points below {name}"


def _chromium(source: Source) -> bool:
    """Whether the published time and energy are of such a run: the chromium card, 30 devices."""
    card = source.record.config.get("device", {}).get("card")
    return bool(card == "chromium" and len(source.devices) == 30)


def _beside_published(source: Source, value: float, published: float) -> tuple[State, str]:
    if not _chromium(source):
        return "open", "not comparable: another device or array"
    if value <= published:
        return "good", f"{published / value:.0f} times less than published" if value else "less than published"
    return "short", f"{value / published:.1f} times more than published"


def _long(source: Source) -> Answer:
    record, question = source.record, "How long?"
    published = f"{PAPER}: 2.4 s (chromium, 30 devices)"
    if record.training_time_s is None:
        until = (
            f"{quantity(record.pulses[-1].time_s, 's')} when the last pulse was logged"
            if record.pulses
            else "no pulse was logged"
        )
        return Answer(question, "not known", f"training did not end; {until}", published, "open", "not judged")
    state, judgement = _beside_published(source, record.training_time_s, _PAPER_TIME_S)
    each = quantity(record.training_time_s / max(1, len(source.devices)), "s")
    return Answer(
        question,
        quantity(record.training_time_s, "s"),
        f"simulated time to train all devices; {each} per device",
        published,
        state,
        judgement,
    )


def _energetic(source: Source) -> Answer:
    record, question = source.record, "How much energy?"
    published = f"{PAPER}: 18.9 mJ (chromium, 30 devices; what it includes is not stated)"
    e = record.energy_j
    if e is None:
        return Answer(
            question, "not known", "the run ended before energy was recorded", published, "open", "not judged"
        )
    training_j, periphery_j = e.reset + e.write + e.verify, peripheral_training_j(record)
    detail = "from the row drivers for training"
    if periphery_j is not None:
        detail += f"; periphery, at assumed powers, {quantity(periphery_j, 'J')} more"
    whole_j = training_j + (periphery_j or 0.0)
    state, judgement = _beside_published(source, whole_j, _PAPER_ENERGY_J)
    return Answer(
        question,
        quantity(training_j, "J"),
        detail,
        published,
        state,
        judgement + (", with periphery" if periphery_j and state != "open" else ""),
    )


def answers(source: Source) -> list[Answer]:
    """Return the four answers."""
    return [_trained(source), _accurate(source), _long(source), _energetic(source)]


def verdict(source: Source, found: list[Answer]) -> Verdict:
    """Return what the answers come to.

    Incomplete: the run did not end by itself.  Fail: the accuracy falls short, or none was measured and devices did not train.  Remarks: the accuracy
    is good, something else is not, or nothing could be judged.  Pass: nothing falls short.
    """
    trained, accurate = found[:2]
    devices = f"{trained.value} devices trained" if source.verified else f"{trained.value} spent"
    if source.record.status != "complete":
        told = f" ({trained.judgement})" if trained.state == "short" else ""
        return Verdict(
            "incomplete",
            "Incomplete",
            f"The run ended early: {source.record.message or 'the record does not say why'}. What was measured until then: {devices}{told}.",
        )
    measured = source.record.accuracy is not None
    images = f"{accurate.value} of the images right: {accurate.judgement}" if measured else "no accuracy measured"
    text = f"{devices[0].upper()}{devices[1:]}; {images}."
    if accurate.state == "short" or (accurate.state == "open" and trained.state == "short"):
        return Verdict("fail", "Fail", text)
    short = [a.question.rstrip("?").lower() for a in found if a.state == "short"]
    if short or accurate.state == "open":
        return Verdict("remarks", "Pass with remarks", text + (f" To look at: {', '.join(short)}." if short else ""))
    return Verdict("pass", "Pass", text)
