# SPDX-License-Identifier: BSD-3-Clause
"""Write-verify of one device, to the bit: hdl/README.md, "One judgement, to the bit".

The random regression holds this against hdl/write_verify.v on every clock; the behavioural engine programs by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = (
    "BELOW",
    "IN_TOLERANCE",
    "STATUS_OF",
    "Judgement",
    "PulseOrder",
    "WriteVerify",
    "clip",
    "signed",
)

BELOW, IN_TOLERANCE, ABOVE, ENDED, NO_SET, NO_RESET = range(6)
"""Verdicts, as in the pulse log."""
REACHED, GIVEN_UP, STUCK_LOW, STUCK_HIGH = 1, 2, 3, 5
STATUS_OF = {IN_TOLERANCE: REACHED, ENDED: GIVEN_UP, NO_SET: STUCK_LOW, NO_RESET: STUCK_HIGH}
"""Verdict that ends a device -> status in its outcome."""
_ALGORITHMS = ("fixed", "incremental", "predictive", "predictive")


def signed(value: int, width: int) -> int:
    """Read the low bits as two's complement."""
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def clip(value: int, low: int, high: int) -> int:
    """Keep between two bounds; the lower one is looked at first."""
    return low if value < low else high if value > high else value


@dataclass(frozen=True)
class PulseOrder:
    """A pulse that is asked for: amplitude in DAC codes, width in clock cycles as the log tells it."""

    is_reset: bool
    amplitude: int
    cycles: int
    initial: bool = False


@dataclass(frozen=True)
class Judgement:
    """What follows from a code.

    Attributes:
        verdict: as in the pulse log.
        over: the device has ended; ``STATUS_OF[verdict]`` says how.
        pulse: the next one; None: another read, or over.
    """

    verdict: int
    over: bool
    pulse: PulseOrder | None


@dataclass
class WriteVerify:
    """One device on its way to ``target`` (12 bits, as the register holds it).

    Settings are the registers' values by name, read anew at every judgement.
    """

    target: int
    last_pulse: PulseOrder | None = None
    pulses: int = 0
    before: int = 0
    """Code that the last pulse followed from."""
    pulsed: bool = False
    """A pulse came after the last code."""
    _confirmed: int = 0
    _idle: int = 0
    _halvings: int = 0
    _offset: int = 0
    _doublings: int = 0
    _overshot: tuple[int, int] = (0, 0)

    @property
    def _trim(self) -> PulseOrder | None:
        """The last pulse that followed from a code: the initial RESET is none."""
        return None if self.last_pulse is None or self.last_pulse.initial else self.last_pulse

    def start(self, settings: Mapping[str, int]) -> PulseOrder | None:
        """Return the initial RESET, if there is one; else a read comes first."""
        s = settings
        if not s["INIT_ENABLE"]:
            return None
        self.last_pulse = PulseOrder(True, min(s["INIT_CODE"], s["RESET_MAX"]), s["INIT_CYCLES"], initial=True)
        self.pulsed, self.pulses = True, 1
        return self.last_pulse

    def judge(self, code: int, settings: Mapping[str, int]) -> Judgement:
        """Return what follows from the verify code ``code``, -2048 .. 2047."""
        s = settings
        algorithm = _ALGORITHMS[s["ALGORITHM"]]
        error = signed(self.target, 12) - code
        size = abs(error)
        fits = size <= max(1, self.target * s["TOLERANCE"] >> 16)
        short = min(size * s["TRIM_GAIN"] >> 12, 8191)
        if self.pulsed:
            self._count_idle(code, algorithm, s)
            self._learn(code, error, clip(short, s["STEP_MIN"], s["STEP_MAX"]), s)
        self._doublings = 0 if algorithm == "fixed" else min(self._doublings, s["SET_STRETCH"])
        self.pulsed = False
        self._confirmed = self._confirmed + 1 if fits else 0
        if fits:
            return Judgement(IN_TOLERANCE, self._confirmed >= s["CONFIRM"], None)
        if s["STUCK_LIMIT"] and self._idle >= s["STUCK_LIMIT"]:
            stuck_high = self.last_pulse is not None and self.last_pulse.is_reset
            return Judgement(NO_RESET if stuck_high else NO_SET, True, None)
        if self.pulses >= s["MAX_PULSES"]:
            return Judgement(ENDED, True, None)
        pulse = self._set(error, short, algorithm, s) if error > 0 else self._reset(size, algorithm, s)
        self.last_pulse, self.before, self.pulsed = pulse, code, True
        self.pulses += 1
        return Judgement(BELOW if error > 0 else ABOVE, False, pulse)

    def _count_idle(self, code: int, algorithm: str, s: Mapping[str, int]) -> None:
        """Count pulses at the largest amplitude that moved nothing; of the initial RESET that cannot be told."""
        pulse = self._trim
        if pulse:
            at_most = algorithm == "fixed" or pulse.amplitude >= s["RESET_MAX" if pulse.is_reset else "SET_MAX"]
            self._idle = (self._idle + 1) % 256 if at_most and abs(code - self.before) <= 1 else 0

    def _learn(self, code: int, error: int, lesson: int, s: Mapping[str, int]) -> None:
        """Take from the last SET what this device needs beyond the law, and in time."""
        pulse = self._trim
        if pulse is None or pulse.is_reset:
            return
        if error < 0:
            self._offset -= lesson
            self._doublings = max(self._doublings - 1, 0)
        elif 4 * (code - self.before) < error:
            self._offset += lesson
            if pulse.amplitude >= s["SET_MAX"]:
                self._doublings += 1
        self._offset = clip(self._offset, -2047, 2047)

    def _set(self, error: int, short: int, algorithm: str, s: Mapping[str, int]) -> PulseOrder:
        last = self._trim
        if algorithm == "predictive":
            law = s["LAW_OFFSET"] + (self.target * s["LAW_SLOPE"] >> 12)
            wanted = clip(law + short + self._offset, 0, 2047)
        elif algorithm == "fixed" or last is None:
            wanted = s["SET_START"]
        elif not last.is_reset:
            wanted = last.amplitude + clip(error >> s["GAIN_SHIFT"] + self._halvings, s["STEP_MIN"], s["STEP_MAX"])
        else:
            amplitude, by = self._overshot
            wanted = max(amplitude - (by >> s["GAIN_SHIFT"]) - (by // 2 >> s["GAIN_SHIFT"]) - 1, s["SET_START"])
        cycles = min(s["SET_CYCLES"] << self._doublings, (1 << 20) - 1)
        return PulseOrder(False, min(wanted, s["SET_MAX"]), cycles)

    def _reset(self, size: int, algorithm: str, s: Mapping[str, int]) -> PulseOrder:
        last, wanted = self._trim, s["RESET_START"]
        if last and not last.is_reset:
            self._halvings = min(self._halvings + 1, 7)
            self._overshot = (last.amplitude, size)
        elif last and algorithm != "fixed":
            wanted = last.amplitude + s["RESET_STEP"]
        return PulseOrder(True, min(wanted, s["RESET_MAX"]), s["RESET_CYCLES"])
