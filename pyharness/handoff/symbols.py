# SPDX-License-Identifier: BSD-3-Clause
"""Symbols for xschem: the memristor and its 1T1R cell, for the generated subcircuits."""

from __future__ import annotations

from collections.abc import Sequence

from pyharness.handoff.decks import CELL
from pyharness.handoff.subjects import EXAMPLE, START

__all__ = ("symbols",)

_Line = tuple[int, int, int, int]
_Pin = tuple[str, int, int]

# a resistor's zigzag in a box; the thick end of a memristor's symbol is on the side of n
_DEVICE: Sequence[_Line] = (
    (0, -30, 0, -20), (0, -20, 8, -20), (8, -20, 8, -10), (8, -10, -8, -10), (-8, -10, -8, 0), (-8, 0, 8, 0), (8, 0, 8, 10),
    (8, 10, 0, 10), (0, 10, 0, 30), (-14, -24, 14, -24), (-14, 24, 14, 24), (-14, -24, -14, 24), (14, -24, 14, 24),
    (-14, 21, 14, 21), (-14, 22, 14, 22),
)  # fmt: skip
# above it a transistor: drain at the row, gate on the left
_SWITCH: Sequence[_Line] = (
    (0, -90, 0, -70), (0, -70, -8, -70), (-8, -74, -8, -46), (-8, -50, 0, -50), (0, -50, 0, -30), (-13, -70, -13, -50), (-13, -60, -40, -60)
)  # fmt: skip


def _symbol(model: str, lines: Sequence[_Line], pins: Sequence[_Pin]) -> str:
    """Return a symbol; ``model`` is the subcircuit that an instance has where it names no other."""
    # a primitive: its subcircuit comes by .include, not from a schematic of its own
    attributes = [
        "{type=primitive",
        f'format="@name @pinlist @model {START}=@{START}"',
        f'template="name=x1 model={model} {START}=0"}}',
    ]
    text = [
        "v {xschem version=2.9.9 file_version=1.2}",
        "G " + "\n".join(attributes),  # where xschem 2.8 looks for what later ones have under K
        "K " + "\n".join(attributes),
        "V {}",
        "S {}",
        "E {}",
        *(f"L 4 {a} {b} {c} {d} {{}}" for a, b, c, d in lines),
        *(f"B 5 {x - 2.5:g} {y - 2.5:g} {x + 2.5:g} {y + 2.5:g} {{name={name} dir=inout}}" for name, x, y in pins),
        *(f"T {{{name}}} {x + 4} {y - 12} 0 0 0.15 0.15 {{}}" for name, x, y in pins),
        "T {@name} 20 -8 0 0 0.2 0.2 {}",
        "T {@model} 20 4 0 0 0.2 0.2 {}",
        "",
    ]
    return "\n".join(text)


def symbols() -> dict[str, str]:
    """Return the text of each symbol by its file name; pins stand in the order of the subcircuits' ports."""
    device: list[_Pin] = [("p", 0, -30), ("n", 0, 30)]
    cell: list[_Pin] = [("row", 0, -90), ("col", 0, 30), ("word", -40, -60)]
    return {
        "memristor.sym": _symbol(EXAMPLE, _DEVICE, device),
        f"memristor_{CELL}.sym": _symbol(f"{EXAMPLE}_{CELL}", [*_DEVICE, *_SWITCH], cell),
    }
