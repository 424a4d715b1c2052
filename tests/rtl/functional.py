# SPDX-License-Identifier: BSD-3-Clause
"""Functional coverage of the random regression, with cocotb-coverage.

The bins are declared here.  ``Observer`` collects what a trace shows, in the process that compares it; ``sample`` puts the
collections of all simulations into the library's data base.  So a bin's number says in how many simulations it was reached.

What a cross cannot hold is left out by rules, each with its reason; ``None`` stands for any bin.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cocotb_coverage.coverage import CoverCross, CoverPoint, coverage_db, coverage_section

from pyharness.bench.registers import registers

__all__ = ("GROUPS", "missing", "sample", "write_reports")

STATES_WV = ("IDLE", "READ", "JUDGE", "PULSE", "INIT")
VERDICTS = ("none", "below", "in_tolerance", "above", "given_up", "stuck")
PULSES = ("0", "1", "2-5", "6-16", "17-")
TARGETS = ("lowest", "low", "middle", "high", "negative")
CAUSES = ("no", "no_set", "no_reset")
ALGORITHMS = ("fixed", "incremental", "predictive")
OUTCOMES = ("reached", "given_up", "stuck_low", "stuck_high")
ACCESS = ("IDLE", "CLOSE", "PULSE", "SETTLE", "CONVERT", "OPEN")
PROGRAM = ("IDLE", "SEEK", "WRITE", "READ")
INFER = ("IDLE", "CLOSE", "SETTLE_1", "CONVERT_1", "KEEP", "SETTLE_2", "CONVERT_2", "OPEN")
SETTINGS = tuple(r.name for r in registers().values() if r.is_setting)

ANY = None
VERIFY_RULES: tuple[tuple[tuple[str | None, ...], str], ...] = (
    *(((ANY, v, ANY, ANY, c), "only a stuck device has a cause") for v in VERDICTS[:-1] for c in CAUSES[1:]),
    ((ANY, "stuck", ANY, ANY, "no"), "a stuck device has a cause"),
    ((ANY, "stuck", "0", ANY, ANY), "stuck needs a pulse without effect"),
    *((("INIT", v, ANY, ANY, ANY), "nothing is read before the initial RESET is over") for v in VERDICTS[1:]),
    *((("INIT", ANY, p, ANY, ANY), "the initial RESET counts when it is over") for p in PULSES[1:]),
    *((("READ", "none", p, ANY, ANY), "only the initial RESET comes before the first read") for p in PULSES[2:]),
    *((("READ", v, "0", ANY, ANY), "out of tolerance, a pulse comes before the next read") for v in ("below", "above")),
    *((("READ", v, ANY, ANY, ANY), "the device has ended") for v in ("given_up", "stuck")),
    (("JUDGE", "none", ANY, ANY, ANY), "JUDGE gives a verdict"),
    *((("PULSE", v, ANY, ANY, ANY), "pulses follow from a code out of tolerance") for v in ("none", "in_tolerance")),
    *((("PULSE", v, ANY, ANY, ANY), "the device has ended") for v in ("given_up", "stuck")),
    *(
        (("IDLE", v, ANY, ANY, ANY), "a device ends in tolerance, given up or stuck")
        for v in ("none", "below", "above")
    ),
)
BUS_RULES: tuple[tuple[tuple[str | None, ...], str], ...] = (
    (("read", "SLVERR", ANY), "every register can be read, in whole words"),
)


def _point(name: str, bins: Iterable[Any], vname: str) -> Any:
    return CoverPoint(f"controller.{name}.{vname}", vname=vname, bins=list(bins))


def _cross(name: str, names: Iterable[str], rules: Iterable[tuple[tuple[str | None, ...], str]] = ()) -> Any:
    items = [f"controller.{name}.{n}" for n in names]
    return CoverCross(f"controller.{name}.cross", items=items, ign_bins=[rule for rule, _ in rules])


@coverage_section(
    _point("verify", STATES_WV, "state"),
    _point("verify", VERDICTS, "verdict"),
    _point("verify", PULSES, "pulses"),
    _point("verify", TARGETS, "target"),
    _point("verify", CAUSES, "cause"),
    _cross("verify", ("state", "verdict", "pulses", "target", "cause"), VERIFY_RULES),
)
def verify(state, verdict, pulses, target, cause):
    """Write-verify after every change of its state; IDLE: a device has just ended."""


@coverage_section(
    _point("pulse", ALGORITHMS, "algorithm"),
    _point("pulse", ("SET", "RESET"), "polarity"),
    _point("pulse", ("short", "in_tolerance", "overshot"), "effect"),
    _point("pulse", ("below_limit", "at_limit"), "amplitude"),
    _cross("pulse", ("algorithm", "polarity", "effect", "amplitude")),
)
def pulse(algorithm, polarity, effect, amplitude):
    """What a pulse came to: code beyond the target, in tolerance or not yet there; amplitude cut to its limit or not."""


@coverage_section(
    _point("width", ("SET", "RESET", "initial"), "kind"),
    _point("width", ("0", "1", "more", "longest", "cut"), "cycles"),
    _cross("width", ("kind", "cycles")),
)
def width(kind, cycles):
    """Pulse widths in the registers: 0 counts as 1, beyond the longest is cut."""


@coverage_section(_point("stretch", range(8), "doublings"))
def stretch(doublings):
    """Doublings of the width of a SET, not of a fixed one."""


@coverage_section(
    _point("outcome", ALGORITHMS, "algorithm"),
    _point("outcome", ("initial_reset", "none"), "start"),
    _point("outcome", OUTCOMES, "outcome"),
    _cross("outcome", ("algorithm", "start", "outcome")),
)
def outcome(algorithm, start, outcome):
    """How devices end."""


@coverage_section(_point("confirm", range(1, 16), "reads"))
def confirm(reads):
    """Reads in tolerance that ended a device."""


def _during(name: str) -> Any:
    return coverage_section(
        _point(name, STATES_WV, "verify"),
        _point(name, ACCESS, "access"),
        _point(name, PROGRAM, "program"),
        _point(name, INFER, "infer"),
    )


@_during("abort")
def abort(verify, access, program, infer):
    """States in which an abort came."""


@_during("reset")
def reset(verify, access, program, infer):
    """States in which the reset came."""


@coverage_section(
    _point("command", range(16), "word"),
    _point("command", ("busy", "idle"), "when"),
    _cross("command", ("word", "when")),
)
def command(word, when):
    """Every combination of command bits."""


@coverage_section(
    _point("bus", ("read", "write"), "kind"),
    _point("bus", ("OKAY", "SLVERR", "DECERR"), "response"),
    _point("bus", ("busy", "idle"), "when"),
    _cross("bus", ("kind", "response", "when"), BUS_RULES),
)
def bus(kind, response, when):
    """Answers."""


@coverage_section(_point("refused", ("read_only", "partial", "outside"), "why"))
def refused(why):
    """Causes of refused writes."""


@coverage_section(
    _point("stall", ("address_first", "data_first", "write_behind_answer", "read_behind_answer", "back_to_back"), "how")
)
def stall(how):
    """Handshakes that had to wait, and those that need not."""


@coverage_section(
    _point("setting", SETTINGS, "name"),
    _point("setting", ("busy", "idle"), "when"),
    _cross("setting", ("name", "when")),
)
def setting(name, when):
    """Writes to every setting."""


@coverage_section(
    _point("neuron", ("first", "inside", "last", "saturated_low", "saturated_high", "class_0", "class_1"), "what")
)
def neuron(what):
    """Table index at its ends, sums at theirs, both classes."""


GROUPS = {
    f.__name__: f
    for f in (
        verify,
        pulse,
        width,
        stretch,
        outcome,
        confirm,
        abort,
        reset,
        command,
        bus,
        refused,
        stall,
        setting,
        neuron,
    )
}
Seen = dict[str, set[tuple[Any, ...]]]


def new_seen() -> Seen:
    return defaultdict(set)


def sample(seen: Seen) -> None:
    """Count what one simulation showed."""
    for group, found in seen.items():
        for values in sorted(found, key=str):
            GROUPS[group](*values)


def missing() -> list[str]:
    """Return the names of the declared bins that were never reached."""
    return [
        f"{name}: {bin_}"
        for name, item in coverage_db.items()
        if isinstance(item, CoverPoint | CoverCross)
        for bin_, hits in item.detailed_coverage.items()
        if not hits
    ]


def write_reports(folder: Path) -> str:
    """Write functional.yml and functional.txt; return the sums, a line a group."""
    folder.mkdir(parents=True, exist_ok=True)
    coverage_db.export_to_yaml(str(folder / "functional.yml"))
    lines: list[str] = []
    logger = logging.Logger("functional")
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    coverage_db.report_coverage(logger.info, bins=True)
    (folder / "functional.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return "\n".join(
        f"{name.removeprefix('controller.')}: {item.coverage} of {item.size}"
        for name, item in coverage_db.items()
        if name.count(".") == 1
    )
