# SPDX-License-Identifier: BSD-3-Clause
"""Write-verify of one device, clock by clock as hdl/README.md tells it; a part of controller_model.py."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from pyharness.bench.write_verify import STATUS_OF, WriteVerify, clip, signed

if TYPE_CHECKING:
    from controller_model import Controller

__all__ = ("ABORTED", "STATUS_OF", "clip", "signed", "verify")

ABORTED = 4


def verify(c: Controller, place: int) -> Generator[None, None, int]:
    """Write-verify of one device, from the edge that starts it to the one that judges it for the last time."""
    device = WriteVerify(c.arrays["TARGET"][place])
    pulse = device.start(c.setting)
    if pulse:
        yield
        yield from c.pulse(place, pulse.is_reset, pulse.amplitude, pulse.cycles)
        yield
        c.pulses = 1
    while True:
        yield
        code = yield from c.sense(place)
        yield
        c.last_code = code
        yield
        # -- judge; every register counts as it stands now
        before = device.before
        judged = device.judge(code, c.setting)
        if pulse:
            c.log = {
                "log_valid": 1, "log_device": place, "log_initial": int(pulse.initial), "log_is_reset": int(pulse.is_reset),
                "log_amplitude": pulse.amplitude, "log_cycles": pulse.cycles,
                "log_before": 0 if pulse.initial else before & 0xFFF, "log_after": code & 0xFFF, "log_verdict": judged.verdict,
            }  # fmt: skip
            c.fresh = False
        if judged.over:
            return judged.verdict
        pulse = judged.pulse
        if pulse:
            yield
            yield from c.pulse(place, pulse.is_reset, pulse.amplitude, pulse.cycles)
            yield
            c.pulses += 1
