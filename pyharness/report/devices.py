# SPDX-License-Identifier: BSD-3-Clause
"""The devices one by one: a small drawing of each one's way, as light as a page with hundreds of them needs."""

from __future__ import annotations

from dataclasses import dataclass

from pyharness.report.source import DeviceHistory

__all__ = ("MEANING", "Way", "way")

MEANING = {
    "reached": "in tolerance",
    "given_up": "its pulses were spent before it was in tolerance",
    "stuck_low": "SET pulses of the largest amplitude moved it no further",
    "stuck_high": "RESET pulses of the largest amplitude moved it no further",
    "aborted": "programming was stopped",
    "untouched": "programming never came to it",
    "not read back": "the run ended before it was read back",
}
"""Status -> what it says."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 590, 8, 112
_MARK = 4


@dataclass(frozen=True)
class Way:
    """Pieces of the drawing, in its own units: 600 wide, 130 high.

    Attributes:
        line: points of the conductances read.
        sets, resets: path of triangles at what SET and RESET pulses left.
        band: top and height of the tolerance around the target; None without a target.
        target: height of the target's line.
        top_us: conductance at the upper end of the axis, in microsiemens.
        pulses: at its right end.
    """

    line: str
    sets: str
    resets: str
    band: tuple[int, int] | None
    target: int | None
    top_us: float
    pulses: int


def way(device: DeviceHistory, tolerance: float | None) -> Way | None:
    """Return the drawing of a device's way; None where nothing was read after a pulse."""
    path = device.path
    if not device.pulses:
        return None
    top = 1.08 * max([*path, device.target or 0.0])
    step = (_RIGHT - _LEFT) / max(1, len(path) - 1)

    def x(i: int) -> int:
        return round(_LEFT + step * i)

    def y(g: float) -> int:
        return round(_BOTTOM - (_BOTTOM - _TOP) * g / top)

    first = len(path) - len(device.pulses)  # 1 where something was read before the first pulse
    marks = {"set": "", "reset": ""}
    for i, pulse in enumerate(device.pulses, first):
        up = -1 if pulse.polarity == "set" else 1
        marks[pulse.polarity] += f"M{x(i)} {y(path[i]) + up * _MARK}l{_MARK} {-up * 2 * _MARK}h{-2 * _MARK}z"
    band = target = None
    if device.target is not None:
        target, wide = y(device.target), device.target * (tolerance or 0.0)
        band = y(device.target + wide), max(1, y(device.target - wide) - y(device.target + wide))
    line = " ".join(f"{x(i)},{y(g)}" for i, g in enumerate(path))
    return Way(line, marks["set"], marks["reset"], band, target, top * 1e6, len(device.pulses))
