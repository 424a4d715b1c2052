# SPDX-License-Identifier: BSD-3-Clause
"""Checks of a hand-off on a card: fit to the measured device, bounds of its extraction, scatter as drawn."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from pyharness.bench.variation import CycleDraws, draw_devices
from pyharness.fit import load_measured, load_plan
from pyharness.fit.fitting import RATED_HZ, RATED_V, compare
from pyharness.fit.loops import FACTORS, LIMITS
from pyharness.fit.measured import DOPANTS
from pyharness.qa.form import count_of
from pyharness.qa.subject import Check, Subject
from pyharness.veriloga import Device, compile_numpy

__all__ = ("extraction", "fit_to_measurement", "scatter")

_DRAWS = 1000
_KOLMOGOROV = 1.95  # of sqrt(n) D at a level of one in a thousand


def fit_to_measurement(subject: Subject) -> list[Check]:
    """Figures of the loops of 1 V against the measured device; none where the card's device was not measured here."""
    card = subject.card
    if card is None or card.dopant not in DOPANTS:
        return []
    model = compile_numpy(subject.module, card.parameters, ("x0",))
    series = [r for r in compare(model, {}, load_measured(card.dopant)) if r.amplitude_v == RATED_V]
    rated = next(r for r in series if r.frequency_hz == RATED_HZ)
    shares = {name: abs(rated.deviation[name]) / limit for name, limit in LIMITS.items() if name not in FACTORS}
    worst = max(shares, key=lambda name: shares[name])
    named = " ".join(f"{line} " for line in card.fit.beyond_limits) if card.fit else ""
    beyond = [f"{n} {RATED_V:g} V {r.frequency_hz:g} Hz" for r in series for n in LIMITS if not r.reached(n)]
    faults = [f"{one} is beyond its limit, the card does not name it" for one in beyond if f"{one}:" not in named]
    return [
        Check(
            "fit at 1 V 10 Hz",
            shares[worst],
            1.0,
            "",
            f"largest deviation of current, SET voltage, Ron, lobes over its limit: {worst}",
        ),
        count_of(
            "deviations not named",
            faults,
            f"{len(beyond)} figures of the 1 V series beyond their limits, named in the card",
        ),
    ]


def extraction(subject: Subject) -> list[Check]:
    """The card's parameters lie within the plan that `pyharness fit` follows."""
    card = subject.card
    if card is None:
        return []
    plan = load_plan(subject.module.source.with_name("fit.yaml"))
    faults = [
        f"{name} = {card.parameters[name]:g} is outside {r.low:g} .. {r.high:g}"
        for name, r in plan.parameters.items()
        if not (
            r.low * (1 - 1e-3) <= card.parameters[name] <= r.high * (1 + 1e-3)
            or (r.zero_below and card.parameters[name] == 0)
        )
    ]
    return [count_of("extraction", faults, f"{len(plan.parameters)} parameters within the plan's bounds")]


def scatter(subject: Subject) -> list[Check]:
    """A thousand draws of each scattered parameter have the card's distribution (Kolmogorov and Smirnov)."""
    card = subject.card
    if card is None or not (card.spread.device_to_device or card.spread.cycle_to_cycle):
        return []
    device = Device(subject.name, card, subject.module)
    worst, count = 0.0, 0
    for kind in ("device_to_device", "cycle_to_cycle"):
        spreads, seed = getattr(card.spread, kind), np.random.SeedSequence(29)
        if not spreads:
            continue
        if kind == "device_to_device":
            drawn = draw_devices(device, _DRAWS, seed)
        else:
            one = CycleDraws(device, [{}], seed)
            drawn = [one.values(0, pulse) for pulse in range(_DRAWS)]
        for name, s in spreads.items():
            about = card.parameters[name]
            values = np.array([d[name] for d in drawn])
            z = (values - about if s.distribution == "normal" else np.log(values / about)) / s.sigma
            worst, count = max(worst, float(stats.kstest(z, "norm").statistic) * math.sqrt(_DRAWS)), count + 1
    return [
        Check("scatter", worst, _KOLMOGOROV, "", f"largest sqrt(n) D of {count} scattered parameters, n = {_DRAWS}")
    ]
