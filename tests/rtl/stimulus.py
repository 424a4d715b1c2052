# SPDX-License-Identifier: BSD-3-Clause
"""Random settings, targets, devices and bus accesses; everything follows from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from layout import Shape

from pyharness.bench.registers import registers

__all__ = ("MEMBERS", "any_address", "devices_text", "noise_text", "random_settings", "random_targets", "theme")

EPISODES = 64
MEMBERS = ("law", "keen", "weak", "slow", "stuck_low", "stuck_high", "stuck", "noisy", "saturating", "walking", "any")
"""Classes of behaviour of a device."""


def device(rng: random.Random, member: str) -> dict[str, int]:
    """Return a device's fields; see scripted_array.v."""
    d = {
        **{"most": 2047, "least": -40, "law": 1, "gain": rng.randint(200, 600), "offset": rng.randint(100, 300)},
        **{"gain_reset": rng.randint(100, 900), "offset_reset": rng.randint(0, 600), "jolt": 0, "blur": 0},
        "start": rng.choice((0, 5, rng.randint(0, 500))),
    }
    if member == "keen":
        d |= {"gain": rng.randint(800, 4095), "offset": rng.randint(0, 100)}
    elif member == "weak":
        d |= {"law": 0, "gain": rng.randint(2, 60), "offset": 0, "gain_reset": rng.randint(2, 60), "offset_reset": 0}
    elif member == "slow":  # many small steps, both ways, from anywhere
        d |= {"law": 0, "gain": rng.randint(4, 50), "offset": 0, "gain_reset": rng.randint(4, 50), "offset_reset": 0}
        d |= {"least": -2048, "start": rng.choice((rng.randint(-100, 1200), rng.randint(-2048, 2047)))}
    elif member == "stuck":
        d["start"] = rng.choice(
            (rng.randint(-2048, -1), rng.randint(-2048, 0), rng.randint(0, 1400), rng.randint(1400, 2047))
        )
        d |= {"most": d["start"], "least": d["start"]}
    elif member == "stuck_low":
        d["start"] = rng.randint(-5, 30)
        d |= {"most": d["start"], "least": d["start"], "blur": rng.choice((0, 0, 2, 8))}
    elif member == "stuck_high":
        d["start"] = rng.randint(800, 2047)
        d |= {"most": d["start"], "least": d["start"], "blur": rng.choice((0, 0, 2, 8))}
    elif member == "noisy":
        d |= {"jolt": rng.choice((0, 30)), "blur": rng.choice((3, 10, 40, 300))}
    elif member == "saturating":
        d |= {"most": rng.randint(100, 900), "law": rng.randint(0, 1)}
    elif member == "walking":
        d |= {"gain": rng.randint(0, 30), "law": 0, "gain_reset": rng.randint(0, 30), "jolt": rng.randint(10, 2000)}
    elif member == "any":
        d = {"most": rng.randint(-2048, 2047), "law": rng.randint(0, 1), "start": rng.randint(-2048, 2047)}
        d["least"] = rng.randint(-2048, d["most"])
        d |= {n: rng.randrange(4096) for n in ("gain", "gain_reset", "jolt", "blur")}
        d |= {n: rng.randrange(2048) for n in ("offset", "offset_reset")}
    return d


def noise_text(rng: random.Random) -> str:
    """Return noise.hex."""
    return "\n".join([*(f"{rng.randrange(4096):03x}" for _ in range(1024)), ""])


Draw = Callable[[random.Random], int]


def of(*values: int) -> Draw:
    return lambda rng: rng.choice(values)


def between(low: int, high: int, *extremes: int, share: float = 0.1) -> Draw:
    """From a range, now and then an extreme."""
    return lambda rng: rng.choice(extremes) if extremes and rng.random() < share else rng.randint(low, high)


DRAWS: dict[str, Draw] = {
    "READ_CODE": between(50, 300, 0, 2047),
    "SETTLE": between(0, 3, 17, 260, share=0.04),
    "BIT_CYCLES": between(0, 1, 2, 3, 17, share=0.08),
    "GUARD": between(0, 2, 3, 4, 33, share=0.08),
    "CONFIRM": of(0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7, 8, 11, 15),
    "SET_START": between(100, 700, 0, 1, 1500, 2047),
    "SET_MAX": between(500, 2047, 0, 100, 2047),
    "RESET_START": between(100, 900, 0, 1, 1900, 2047),
    "RESET_MAX": between(500, 2047, 0, 100, 2047),
    "STEP_MIN": between(0, 20, 300, 2047),
    "STEP_MAX": between(10, 300, 0, 1, 2047),
    "GAIN_SHIFT": between(0, 4, 5, 9, 15),
    "RESET_STEP": between(0, 200, 700, 2047),
    "SET_CYCLES": between(0, 5),
    "SET_STRETCH": of(0, 0, 0, 0, 1, 2),  # long pulses leave time for fewer jobs
    "RESET_CYCLES": between(0, 5),
    "INIT_ENABLE": of(0, 0, 1),
    "INIT_CODE": between(300, 2000, 0, 2047),
    "INIT_CYCLES": between(0, 5),
    "TOLERANCE": of(0, 100, 655, 655, 1966, 3277, 6554, 20000, 65535),
    "MAX_PULSES": of(0, 1, 2, 3, 4, 5, 6, 9, 12, 17, 20, 24),
    "STUCK_LIMIT": of(0, 0, 0, 1, 2, 3, 5, 8),
    "ALGORITHM": of(0, 1, 1, 2, 2, 3),
    "LAW_OFFSET": between(0, 400, 2047),
    "LAW_SLOPE": between(300, 4000, 0, 65535),
    "TRIM_GAIN": between(0, 9000, 0, 65535),
    "DEVICE": between(0, 11, 31, 4095),
    "IMAGE": lambda rng: rng.getrandbits(32),
    "IMAGE_HIGH": lambda rng: rng.getrandbits(32),
    "SHIFT": between(3, 8, 0, 15),
    "THRESHOLD": between(-300, 300, -32768, 32767),
}


QUICK: dict[str, Draw] = {n: of(0, 1) for n in ("SETTLE", "BIT_CYCLES", "GUARD")}
AT_LIMIT: dict[str, Draw] = {n: of(1900, 2047) for n in ("SET_START", "RESET_START")}
# fmt: off
THEMES: dict[str, dict[str, Draw]] = {
    "any": {},
    "long": QUICK | {
        "MAX_PULSES": between(20, 45), "STUCK_LIMIT": of(0, 0, 17), "TOLERANCE": of(1966, 6554, 13000), "CONFIRM": of(1, 2),
        "ALGORITHM": of(0, 1, 2), "SET_START": between(300, 700), "SET_MAX": between(300, 900), "RESET_MAX": between(300, 900),
    },
    "stuck early": AT_LIMIT | {
        "STUCK_LIMIT": of(1, 1, 1, 2, 4), "MAX_PULSES": between(5, 24), "CONFIRM": of(1, 2),
        "INIT_ENABLE": of(0, 1), "ALGORITHM": of(0, 1, 2),
    },
    "stuck late": AT_LIMIT | QUICK | {
        "STUCK_LIMIT": of(6, 17, 18, 20), "MAX_PULSES": between(21, 40), "CONFIRM": of(1), "SET_CYCLES": of(1),
        "SET_STRETCH": between(5, 7), "ALGORITHM": of(0, 1, 2),
    },
    "short": AT_LIMIT | QUICK | {"STUCK_LIMIT": of(0, 1, 1), "MAX_PULSES": of(0, 1, 2), "CONFIRM": of(1)},
    "below zero": QUICK | {
        "ALGORITHM": of(0, 0, 1), "STUCK_LIMIT": of(1, 3, 6, 17), "MAX_PULSES": between(18, 34),
        "TOLERANCE": of(200, 655), "CONFIRM": of(1, 2),
    },
    "overshoot": QUICK | {
        "ALGORITHM": of(1), "TOLERANCE": of(0, 100, 655), "STEP_MIN": of(0, 1, 2), "STEP_MAX": of(300, 1000),
        "GAIN_SHIFT": between(0, 3), "SET_START": between(50, 400), "SET_MAX": between(1000, 2047), "CONFIRM": of(1),
        "RESET_START": between(300, 700), "RESET_STEP": between(10, 200), "RESET_MAX": of(1500, 2047),
        "MAX_PULSES": between(12, 24), "STUCK_LIMIT": of(0, 0, 3),
    },
    "predictive": QUICK | {
        "ALGORITHM": of(2, 3), "TOLERANCE": of(0, 100, 655), "STEP_MIN": between(0, 9), "STEP_MAX": between(20, 400),
        "LAW_OFFSET": between(50, 300), "LAW_SLOPE": between(300, 4000), "TRIM_GAIN": between(0, 5000),
        "SET_MAX": between(1000, 2047), "MAX_PULSES": between(12, 24), "STUCK_LIMIT": of(0, 0, 3), "CONFIRM": of(1),
    },
    "cut": QUICK | {"CONFIRM": of(1, 2, 3), "TOLERANCE": of(655, 3277), "MAX_PULSES": between(5, 24)},
    "confirm": QUICK | {
        "CONFIRM": between(0, 15), "TOLERANCE": of(20000, 65535), "MAX_PULSES": between(5, 24), "ALGORITHM": of(0, 1, 2),
        "RESET_START": of(500, 2047), "RESET_MAX": between(200, 900),
    },
}
"""Kinds of episodes: distributions that take the place of the general ones, to get to corners."""
TURNS = (
    "any", "stuck early", "long", "cut", "overshoot", "confirm", "short", "predictive", "below zero", "stuck late",
    "overshoot", "cut", "long", "confirm", "any", "short", "predictive", "stuck late", "stuck early", "confirm", "below zero",
)
LIKED = {
    "below zero": ("stuck", "slow"), "short": ("stuck",), "stuck early": ("stuck_low", "stuck_high", "stuck"),
    "stuck late": ("stuck",), "overshoot": ("keen", "keen", "law", "noisy"), "predictive": ("law", "law", "keen", "weak"),
    "long": ("weak", "slow", "slow", "noisy", "walking"),
}
# fmt: on


def theme(seed: int, episode: int) -> str:
    """Return the kind of an episode: they take turns."""
    return TURNS[(seed + episode) % len(TURNS)]


def random_settings(rng: random.Random, kind: str, longest: int) -> dict[str, int]:
    """Return a value for every setting; ``longest`` is the longest pulse.

    Raises:
        KeyError: a register has no distribution here.
    """
    draws = DRAWS | THEMES[kind]
    settings = {r.name: draws[r.name](rng) for r in registers().values() if r.is_setting}
    for name in ("SET_CYCLES", "RESET_CYCLES", "INIT_CYCLES"):
        if rng.random() < 0.25:
            settings[name] = rng.choice((0, 1, longest - 1, longest, longest, longest + 1, (1 << 20) - 1))
    return settings


WIDTHS = {
    **{"most": 12, "least": 12, "spare": 9, "law": 1, "gain": 12, "offset": 11, "gain_reset": 12},
    **{"offset_reset": 11, "jolt": 12, "start": 12, "blur": 12, "none": 12},
}
"""Fields of a device in devices.hex, most significant first."""
LIMIT_COUNTS = (0, 1, 4, 10, 18)
CORNERS = tuple(
    (target, pulses, stuck) for target in (8, 300, 900, 1600, 3000) for pulses in LIMIT_COUNTS for stuck in (0, 1)
)
"""What random jobs reach seldom, an episode each: target, pulses until a device is reached, and stuck (1) or given up (0)."""


def corner_settings(number: int) -> dict[str, int]:
    """Fixed pulses of 10 codes, all at their limit."""
    _, pulses, stuck = CORNERS[number]
    same = dict.fromkeys(("SET_START", "SET_MAX", "RESET_START", "RESET_MAX"), 256)
    quick = dict.fromkeys(("SETTLE", "BIT_CYCLES", "GUARD", "SET_CYCLES", "RESET_CYCLES"), 1)
    limits = {
        "MAX_PULSES": 1000 if stuck and pulses else pulses,
        "STUCK_LIMIT": pulses * stuck,
        "CONFIRM": number % 15 + 1,
    }
    return same | quick | limits | {"ALGORITHM": 0, "TOLERANCE": 0, "INIT_ENABLE": 0}


def corner_devices(number: int) -> list[dict[str, int]]:
    """Four devices: stuck below the target, stuck above it, and one on its way there from either side."""
    target, pulses, exact = CORNERS[number]
    aim = target - 4096 if target > 2047 else target
    moving = {"most": 2047, "least": -2048, "gain": 10, "gain_reset": 10}
    stuck = [{"start": aim + side, "most": aim + side, "least": aim + side} for side in (-400, 400)]
    away = 10 * pulses if exact else 10 * pulses - 5  # in tolerance with the last pulse, or too far by half of it
    return stuck + [moving | {"start": aim + side * away} for side in (-1, 1)]


def devices_text(rng: random.Random, shape: Shape, seed: int, corners: bool = False) -> str:
    """Return devices.hex; every kind of episode has the devices that suit it, and some others."""
    lines = []
    for episode in range(EPISODES):
        liked = LIKED.get(theme(seed, episode), MEMBERS)
        found = [device(rng, rng.choice(liked if rng.random() < 0.7 else MEMBERS)) for _ in range(shape.devices)]
        if corners and episode < len(CORNERS):
            found = corner_devices(episode)
        for d in found:
            word = 0
            for name, width in WIDTHS.items():
                word = word << width | d.get(name, 0) & ((1 << width) - 1)
            lines.append(f"{word:032x}")
    return "\n".join([*lines, ""])


LEVELS = (between(0, 15), between(16, 511), between(512, 1279), between(1280, 2047, 2047), between(2048, 4095))


def random_targets(rng: random.Random, kind: str, count: int) -> list[int]:
    """Return targets over the whole range or close together, rarely outside 0 .. 2047."""
    if kind == "below zero":
        return [LEVELS[-1](rng) for _ in range(count)]
    if kind != "any":
        return [rng.choice(LEVELS)(rng) for _ in range(count)]
    draw = rng.choice((between(0, 2047, 0, 1, 2047), between(200, 900), *LEVELS))
    return [draw(rng) for _ in range(count)]


def any_address(rng: random.Random) -> int:
    """Return a byte address: mostly of a register, else anywhere."""
    if rng.random() < 0.15:
        return rng.choice((rng.randrange(1 << 16), rng.randrange(0x400), 0x94, 0x0FC, 0x320, 0x3FC, 0x1FFC, 0x6000))
    register = rng.choice(list(registers().values()))
    return register.address(min(int(rng.expovariate(0.1)), register.count - 1)) + rng.choice((0, 0, 0, 1, 2, 3))
