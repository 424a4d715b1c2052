# SPDX-License-Identifier: BSD-3-Clause
"""Print what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from textwrap import shorten
from typing import Any

Row = dict[str, Any]
Column = tuple[str, Callable[[Row], str]]
_NOISE_S = 0.1


def show(result: Mapping[str, Any]) -> None:
    """Print versions and the three tables."""
    print(", ".join(f"{tool} {number}" for tool, number in result["versions"].items()))
    for tool, note in result["peers"].items():
        print(f"{tool}: {note}")
    _table(
        "W1, causality. Errors max / median in ps; CPU per edge or event in us, without start-up.",
        [
            ("D->A", lambda r: _errors(r, "d2a", 1e-12)),
            ("edges lost", lambda r: _counts(r, "lost")),
            ("A->D", lambda r: _errors(r, "a2d", 1e-12)),
            ("missed / extra / of", lambda r: _counts(r, "missed", "extra", "crossings")),
            ("early: exact / own", lambda r: _counts(r, "early_exact", "early_own")),
        ],
        [
            ("edges", lambda r: _counts(r, "edges")),
            ("CPU s", lambda r: _number(r, "cpu_s", ".2f")),
            ("of it start-up", lambda r: _number(r, "start_cpu_s", ".2f")),
            ("CPU each", _each),
        ],
        result["w1"],
    )
    _table(
        "W2, write-verify with 30 memristors. Errors max / median in us.",
        [
            ("write edges", lambda r: _errors(r, "d2a", 1e-6)),
            ("lost / of", lambda r: _counts(r, "lost", "edges")),
            ("pulses / written", lambda r: _counts(r, "pulses", "written")),
        ],
        [
            ("simulated s", lambda r: _number(r, "simulated_s", "g")),
            ("CPU s", lambda r: _number(r, "cpu_s", ".1f")),
            ("CPU / limit", lambda r: _number(r, "cpu_over_limit", ".2f")),
            ("RSS MB", lambda r: _number(r, "rss_mb", ".0f")),
        ],
        result["w2"],
    )
    print("\nW3, mistakes\n")
    tools = list(result["w3"])
    for fault in result["w3"][tools[0]]:
        print(f"- {fault}")
        for tool in tools:
            print(f"    {tool:13} {shorten(result['w3'][tool][fault], 230, placeholder=' ...')}")


def _table(title: str, measured: Sequence[Column], cost: Sequence[Column], rows: Sequence[Row]) -> None:
    """Print rows; of one that failed, its ending stands for what was measured, but its cost is told."""
    lines = [["run", *(name for name, _ in (*measured, *cost))]]
    for row in rows:
        told = [row["ending"], *["-"] * (len(measured) - 1)] if "ending" in row else [of(row) for _, of in measured]
        lines.append([row["run"], *told, *(of(row) for _, of in cost)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    print(f"\n{title}\n")
    for line in (lines[0], ["-" * w for w in widths], *lines[1:]):
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |")


def _errors(row: Row, name: str, unit_s: float) -> str:
    return " / ".join(_error(row.get(f"{name}_{what}_s"), unit_s) for what in ("max", "median"))


def _error(value_s: float | None, unit_s: float) -> str:
    if value_s is None:
        return "-"
    if value_s < 1e-15:  # rounding
        return "0"
    return f"{value_s / unit_s:.0f}" if value_s >= 100 * unit_s else f"{value_s / unit_s:.3g}"


def _each(row: Row) -> str:
    """Return the CPU of an edge or event; when all of it is less than what start-ups differ by, that bound."""
    if "start_cpu_s" not in row:
        return "-"
    cost_s = row["cpu_s"] - row["start_cpu_s"]
    return f"{'< ' * (cost_s < _NOISE_S)}{max(cost_s, _NOISE_S) / (row['edges'] + row['events']) / 1e-6:.0f}"


def _counts(row: Row, *names: str) -> str:
    return " / ".join(str(row.get(name, "-")) for name in names)


def _number(row: Row, name: str, form: str) -> str:
    return format(row[name], form) if name in row else "-"
