# SPDX-License-Identifier: BSD-3-Clause
"""Write-verify of one device as hdl/README.md tells it; a part of controller_model.py."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller_model import Controller

__all__ = ("ABORTED", "STATUS_OF", "clip", "signed", "verify")

BELOW, IN_TOLERANCE, ABOVE, ENDED, NO_SET, NO_RESET = range(6)
REACHED, GIVEN_UP, STUCK_LOW, ABORTED, STUCK_HIGH = 1, 2, 3, 4, 5
STATUS_OF = {IN_TOLERANCE: REACHED, ENDED: GIVEN_UP, NO_SET: STUCK_LOW, NO_RESET: STUCK_HIGH}


def signed(value: int, width: int) -> int:
    """Read the low bits as two's complement."""
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def clip(value: int, low: int, high: int) -> int:
    """Keep between two bounds; the lower one is looked at first."""
    return low if value < low else high if value > high else value


def verify(c: Controller, place: int) -> Generator[None, None, int]:
    """Write-verify of one device, from the edge that starts it to the one that judges it for the last time."""
    s = c.setting
    target = c.arrays["TARGET"][place]  # 12 bits without a sign in products
    aim = signed(target, 12)
    confirmed = idle = halvings = before = offset = stretch = 0
    last = ""  # SET or RESET: the last pulse that followed from a code
    overshot_from = overshot_by = 0
    is_reset, amplitude, cycles = False, 0, 0
    initial = pulsed = bool(s["INIT_ENABLE"])
    if initial:
        is_reset, amplitude, cycles = True, min(s["INIT_CODE"], s["RESET_MAX"]), s["INIT_CYCLES"]
        yield
        yield from c.pulse(place, is_reset, amplitude, cycles)
        yield
        c.pulses = 1
    while True:
        yield
        code = yield from c.sense(place)
        yield
        c.last_code = code
        yield
        # -- judge; every register counts as it stands now
        error = aim - code
        size = abs(error)
        fits = size <= max(1, target * s["TOLERANCE"] >> 16)
        algorithm = ("fixed", "incremental", "predictive", "predictive")[s["ALGORITHM"]]
        if pulsed and not initial:
            limit = s["RESET_MAX"] if is_reset else s["SET_MAX"]
            at_most = algorithm == "fixed" or amplitude >= limit
            idle = (idle + 1) % 256 if at_most and abs(code - before) <= 1 else 0
        short = min(size * s["TRIM_GAIN"] >> 12, 8191)
        lesson = clip(short, s["STEP_MIN"], s["STEP_MAX"])
        if pulsed and last == "SET":
            if error < 0:
                offset -= lesson
                stretch = max(stretch - 1, 0)
            elif 4 * (code - before) < size:
                offset += lesson
                if amplitude >= s["SET_MAX"]:
                    stretch += 1
            offset = clip(offset, -2047, 2047)
        stretch = 0 if algorithm == "fixed" else min(stretch, s["SET_STRETCH"])
        confirmed = confirmed + 1 if fits else 0
        if fits:
            verdict, over = IN_TOLERANCE, confirmed >= s["CONFIRM"]
        elif s["STUCK_LIMIT"] and idle >= s["STUCK_LIMIT"]:
            verdict, over = (NO_RESET if is_reset else NO_SET), True
        elif c.pulses >= s["MAX_PULSES"]:
            verdict, over = ENDED, True
        else:
            verdict, over = (BELOW if error > 0 else ABOVE), False
        if pulsed:
            c.log = {
                "log_valid": 1, "log_device": place, "log_initial": int(initial), "log_is_reset": int(is_reset),
                "log_amplitude": amplitude, "log_cycles": cycles, "log_before": 0 if initial else before & 0xFFF,
                "log_after": code & 0xFFF, "log_verdict": verdict,
            }  # fmt: skip
            c.fresh = False
        pulsed = initial = False
        if over:
            return verdict
        if fits:
            continue
        # -- next pulse
        before = code
        if error > 0:
            if algorithm == "fixed":
                wanted = s["SET_START"]
            elif algorithm == "predictive":
                wanted = clip(s["LAW_OFFSET"] + (target * s["LAW_SLOPE"] >> 12) + short + offset, 0, 2047)
            elif last == "SET":
                wanted = amplitude + clip(size >> s["GAIN_SHIFT"] + halvings, s["STEP_MIN"], s["STEP_MAX"])
            elif last == "RESET":
                back = (overshot_by >> s["GAIN_SHIFT"]) + (overshot_by // 2 >> s["GAIN_SHIFT"]) + 1
                wanted = max(overshot_from - back, s["SET_START"])
            else:
                wanted = s["SET_START"]
            cycles = min(s["SET_CYCLES"] << stretch, (1 << 20) - 1)
            is_reset, amplitude, last = False, min(wanted, s["SET_MAX"]), "SET"
        else:
            if last == "SET":
                halvings = min(halvings + 1, 7)
                overshot_from, overshot_by = amplitude, size
            wanted = amplitude + s["RESET_STEP"] if last == "RESET" and algorithm != "fixed" else s["RESET_START"]
            is_reset, amplitude, cycles, last = True, min(wanted, s["RESET_MAX"]), s["RESET_CYCLES"], "RESET"
        pulsed = True
        yield
        yield from c.pulse(place, is_reset, amplitude, cycles)
        yield
        c.pulses += 1
