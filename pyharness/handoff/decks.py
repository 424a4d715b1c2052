# SPDX-License-Identifier: BSD-3-Clause
"""SPICE decks with expected values: one stimulus, sampled where every simulator must agree.

The stimulus SETs the device through its series resistor, reads it, RESETs it, reads it again, and then sweeps a triangle
over both polarities.  Expected values are no simulator's: the state is integrated by SciPy (Radau, 1e-10) from the equations
of the Verilog-A source.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pyharness.bench.array import ArrayElectrics
from pyharness.handoff.subjects import START, Subject
from pyharness.spice import number
from pyharness.veriloga import compile_numpy, divider_voltage, integrate

__all__ = (
    "CELL",
    "SAMPLES",
    "Expected",
    "bench_deck",
    "cell_deck",
    "cell_expected",
    "cell_text",
    "device_expected",
    "golden_csv",
    "measures",
    "read_golden",
    "sources",
    "waveform",
)

CELL = "1t1r"
"""Ending of the names of cells: ``chromium_1t1r``."""

_RAMP_S = 1e-5
_END_S = 0.13
_PULSES = ((0.0, 0.01, 1.0), (0.011, 0.012, 0.1), (0.013, 0.023, -1.0), (0.024, 0.025, 0.1))
"""Begin, end of the amplitude, amplitude in volt: SET, read, RESET, read."""
_TRIANGLE = ((0.03, 0.0), (0.055, 1.0), (0.08, 0.0), (0.105, -1.0), (_END_S, 0.0))
_CELL_PULSES = (
    (0.0, 0.01, 1.0), (0.011, 0.012, 0.1), (0.014, 0.024, -1.0), (0.027, 0.028, 0.1), (0.03, 0.04, -1.0), (0.041, 0.042, 0.1)
)  # fmt: skip
_WORD_OFF_S = (0.013, 0.025)
"""The word line is down for the third pulse, a RESET that must not reach the device."""
_CELL_END_S = 0.043
_READ_SET, _READ_RESET = "read_set", "read_reset"
SAMPLES: Mapping[str, float] = {
    "set_middle": 0.005,
    "set_end": 0.0099,
    _READ_SET: 0.0115,
    "reset_end": 0.0229,
    _READ_RESET: 0.0245,
    "up_quarter": 0.035,
    "up_half": 0.0425,
    "top": 0.055,
    "down_half": 0.0675,
    "negative_quarter": 0.0865,
    "negative_half": 0.0925,
    "bottom": 0.105,
    "back_half": 0.1175,
}
"""Measures of the device's decks: current into ``p`` at these times, in s."""
_CELL_SAMPLES: Mapping[str, float] = {
    "set_end": 0.0099,
    _READ_SET: 0.0115,
    "word_off": 0.0239,
    "read_after_word_off": 0.0275,
    "reset_end": 0.0399,
    _READ_RESET: 0.0415,
}
_RELATIVE, _ABSOLUTE_A = 5e-3, 2e-9


@dataclass(frozen=True)
class Expected:
    """One expected value: ``value_a`` in ampere at ``time_s``; a result may be off by ``relative`` of it plus ``absolute_a``."""

    measure: str
    time_s: float
    value_a: float
    relative: float = _RELATIVE
    absolute_a: float = _ABSOLUTE_A


def _corners(pulses: Sequence[tuple[float, float, float]]) -> list[tuple[float, float]]:
    found = []
    for begin, end, volt in pulses:
        found += [(begin, 0.0), (begin + _RAMP_S, volt), (end, volt), (end + _RAMP_S, 0.0)]
    return [(round(t, 9), v) for t, v in found]


_SOURCE = [*_corners(_PULSES), *_TRIANGLE]
_CELL_SOURCE = [*_corners(_CELL_PULSES), (_CELL_END_S, 0.0)]
_CELL_WORD = [
    (0.0, 1.0), (_WORD_OFF_S[0], 1.0), (_WORD_OFF_S[0] + _RAMP_S, 0.0), (_WORD_OFF_S[1], 0.0), (_WORD_OFF_S[1] + _RAMP_S, 1.0)
]  # fmt: skip


def _pwl(corners: Sequence[tuple[float, float]]) -> str:
    return f"pwl({' '.join(f'{t:.9g} {v:g}' for t, v in corners)})"


def sources(series_ohm: float) -> list[str]:
    """Return source, series resistor and ammeter in front of node ``p``, and the analysis."""
    return [
        f"vs in 0 {_pwl(_SOURCE)}",
        f"rs in a {number(series_ohm)}",
        "vi a p 0",
        f".tran 1e-5 {_END_S:g} 0 1e-4",
    ]


def waveform() -> Sequence[tuple[float, float]]:
    """Return the corners (s, V) of the device decks' source."""
    return _SOURCE


def measures(samples: Mapping[str, float] = SAMPLES) -> list[str]:
    """Return the ``.measure`` lines, which HSPICE, Xyce and ngspice share."""
    return [f".measure tran {name} find i(vi) at={t:g}" for name, t in samples.items()]


def _trace(
    subject: Subject,
    corners: Sequence[tuple[float, float]],
    ohms: Sequence[tuple[float, float]],
    samples: Mapping[str, float],
    rtol: float,
) -> list[Expected]:
    """Follow one device; ``ohms`` are (since when, in s; resistance in series)."""
    # the state argument is the state itself
    model = replace(compile_numpy(subject.module, subject.parameters, (START,)), free={START: 0.0})
    times = sorted({t for t, _ in corners} | set(samples.values()) | {t for t, _ in ohms})
    at = dict(zip(times, np.interp(times, [t for t, _ in corners], [v for _, v in corners]).tolist(), strict=True))
    state, now = subject.start, times[0]
    found: list[Expected] = []
    by_time = {t: name for name, t in samples.items()}
    for t in times:
        series_ohm = [ohm for since, ohm in ohms if since <= now][-1]
        if t > now:
            state = integrate(model, [now, t], [at[now], at[t]], series_ohm=series_ohm, start=state, rtol=rtol)
        now = t
        if t in by_time:
            v = divider_voltage(model, at[t], state, series_ohm)
            found.append(Expected(by_time[t], t, float(model.together(v, state)[0])))
    return found


def device_expected(subject: Subject, rtol: float = 1e-10) -> list[Expected]:
    """Return the expected currents of a device's deck, the state integrated to ``rtol``: about a minute.

    Raises:
        SimulationError: the equations have no solution there.
    """
    return _trace(subject, _SOURCE, [(0.0, subject.series_ohm)], SAMPLES, rtol)


def cell_expected(subject: Subject, rtol: float = 1e-10) -> list[Expected]:
    """Return the expected currents of the deck of its cell, whose word line cuts it off for one pulse.

    Raises:
        SimulationError: the equations have no solution there.
    """
    e = ArrayElectrics()
    on, off = subject.series_ohm + e.switch_on_ohm, subject.series_ohm + e.switch_off_ohm
    ohms = [(0.0, on), (_WORD_OFF_S[0], off), (_WORD_OFF_S[1], on)]
    return _trace(subject, _CELL_SOURCE, ohms, _CELL_SAMPLES, rtol)


def bench_deck(subject: Subject) -> str:
    """Return the device's deck of the ngspice bench."""
    return "\n".join(
        [
            f"* {subject.name}: SET, read, RESET, read, triangle; run by ../run.py",
            f"* expected: {subject.name}.csv",
            f'.include "../../generated/ngspice/{subject.name}.sub"',
            *sources(subject.series_ohm),
            f"x1 p 0 {subject.name}",
            ".options reltol=1e-5",
            *measures(),
            ".end",
            "",
        ]
    )


def cell_text(subject: Subject) -> str:
    """Return the 1T1R cell: the array's access switch and memristor (pyharness/bench/array.py, ``_Builder.cell``)."""
    e, name = ArrayElectrics(), f"{subject.name}_{CELL}"
    return "\n".join(
        [
            f"* {name}: access switch and memristor in series, as in the array",
            "* row positive against col: SET; row negative: RESET.  word above 0.5 V closes the switch.",
            "* Put your own transistor in place of s1: drain at row, source at dev, gate at word.",
            f'.include "{subject.name}.sub"',
            f".subckt {name} row col word {START}={subject.start!r}",
            "s1 row dev word 0 closing",
            f"x1 dev col {subject.name} {START}={{{START}}}",
            f".model closing sw(vt=0.5 vh=0.0 ron={number(e.switch_on_ohm)} roff={number(e.switch_off_ohm)})",
            f".ends {name}",
            "",
        ]
    )


def cell_deck(subject: Subject) -> str:
    """Return the deck of its cell: SET, read, a RESET with the word line down, read, RESET, read."""
    name = f"{subject.name}_{CELL}"
    return "\n".join(
        [
            f"* {name}: a RESET with the word line down must not reach the device; run by ../run.py",
            f"* expected: {name}.csv",
            f'.include "../../generated/ngspice/{name}.sub"',
            f"vs in 0 {_pwl(_CELL_SOURCE)}",
            f"rs in a {number(subject.series_ohm)}",
            "vi a row 0",
            f"vw word 0 {_pwl(_CELL_WORD)}",
            f"x1 row 0 word {name}",
            ".options reltol=1e-5",
            f".tran 1e-5 {_CELL_END_S:g} 0 1e-4",
            *measures(_CELL_SAMPLES),
            ".end",
            "",
        ]
    )


_COLUMNS = ("measure", "time_s", "expected_a", "relative", "absolute_a")


def golden_csv(rows: Sequence[Expected]) -> str:
    """Return expected values as CSV; seven digits, as simulators print."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(
        (r.measure, f"{r.time_s:g}", f"{r.value_a:.6e}", f"{r.relative:g}", f"{r.absolute_a:g}") for r in rows
    )
    return text.getvalue()


def read_golden(text: str) -> list[Expected]:
    """Return the rows of :func:`golden_csv`."""
    rows = csv.DictReader(io.StringIO(text))
    return [Expected(r["measure"], *(float(r[c]) for c in _COLUMNS[1:])) for r in rows]
