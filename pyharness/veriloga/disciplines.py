# SPDX-License-Identifier: BSD-3-Clause
"""Natures and disciplines: the standard header's (LRM 2.4 annex D) and those a source declares."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("STANDARD_DISCIPLINES", "STANDARD_NATURES", "Discipline", "Nature")


@dataclass(frozen=True)
class Nature:
    """A physical quantity: the function that reads it, its unit, its absolute tolerance."""

    name: str
    access: str
    units: str = ""
    abstol: float = 0.0


@dataclass(frozen=True)
class Discipline:
    """What a node carries; a signal-flow discipline has no ``flow``."""

    name: str
    potential: Nature | None = None
    flow: Nature | None = None


_NATURES = (
    Nature("Voltage", "V", "V", 1e-6),
    Nature("Current", "I", "A", 1e-12),
    Nature("Charge", "Q", "coul", 1e-14),
    Nature("Flux", "Phi", "Wb", 1e-9),
    Nature("Magneto_Motive_Force", "MMF", "A*turn", 1e-12),
    Nature("Temperature", "Temp", "K", 1e-4),
    Nature("Power", "Pwr", "W", 1e-9),
    Nature("Position", "Pos", "m", 1e-6),
    Nature("Velocity", "Vel", "m/s", 1e-6),
    Nature("Force", "F", "N", 1e-6),
    Nature("Angle", "Theta", "rads", 1e-6),
    Nature("Angular_Velocity", "Omega", "rads/s", 1e-6),
    Nature("Angular_Force", "Tau", "N*m", 1e-6),
)
STANDARD_NATURES = {n.name: n for n in _NATURES}

_PAIRS = {
    "electrical": ("Voltage", "Current"),
    "voltage": ("Voltage", None),
    "current": (None, "Current"),
    "magnetic": ("Magneto_Motive_Force", "Flux"),
    "thermal": ("Temperature", "Power"),
    "kinematic": ("Position", "Force"),
    "kinematic_v": ("Velocity", "Force"),
    "rotational": ("Angle", "Angular_Force"),
    "rotational_omega": ("Angular_Velocity", "Angular_Force"),
}
STANDARD_DISCIPLINES = {
    name: Discipline(name, *(STANDARD_NATURES[n] if n else None for n in pair)) for name, pair in _PAIRS.items()
}
