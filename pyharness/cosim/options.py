# SPDX-License-Identifier: BSD-3-Clause
"""Accuracy of the analog side: one object, handed to ngspice and to the synchroniser."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from pyharness.errors import ConfigError

__all__ = ("SolverOptions",)


@dataclass(frozen=True)
class SolverOptions:
    """Tolerances and step limits of one analog block.

    Attributes:
        reltol: relative tolerance of voltages and currents (ngspice ``reltol``), 1e-9 .. 1e-2.
        abstol_a: absolute current tolerance in ampere.
        vntol_v: absolute voltage tolerance in volt.
        trtol: ngspice's overestimation factor of the truncation error, 0.1 .. 100.
        method: integration method, ``trap`` or ``gear``.
        tmax_s: largest analog step in seconds.  An excursion over an E2L threshold that comes and goes inside one
            step is not seen, so this bounds what can be missed.  At most 1e-2: ngspice merges time points closer
            than 1e-10 of it, and a picosecond must survive.
        crossing_tol_s: width in seconds to which a threshold crossing is located.
        edge_corners: time points forced inside each L2E ramp, 0 .. 16.  One halves the error of a device driven by
            the ramp many times over at little cost.
        use_initial_conditions: start from initial conditions (``uic``) instead of an operating point.
    """

    reltol: float = 1e-3
    abstol_a: float = 1e-12
    vntol_v: float = 1e-6
    trtol: float = 7.0
    method: str = "trap"
    tmax_s: float = 1e-3
    crossing_tol_s: float = 1e-10
    edge_corners: int = 1
    use_initial_conditions: bool = False

    def __post_init__(self) -> None:
        limits = {
            "reltol": (1e-9, 1e-2),
            "abstol_a": (1e-18, 1e-3),
            "vntol_v": (1e-12, 1e-2),
            "trtol": (0.1, 100.0),
            "tmax_s": (1e-12, 1e-2),
            "crossing_tol_s": (1e-15, 1e-3),
            "edge_corners": (0, 16),
        }
        for field in fields(self):
            if field.name not in limits:
                continue
            low, high = limits[field.name]
            value = getattr(self, field.name)
            if not (isinstance(value, int | float) and math.isfinite(value) and low <= value <= high):
                raise ConfigError(
                    f"solver option {field.name} must lie in {low:g} .. {high:g}, got {value!r}: choose a value inside"
                )
        if self.method not in ("trap", "gear"):
            raise ConfigError(f"solver option method must be 'trap' or 'gear', got {self.method!r}")

    def finer(self, times: int = 1) -> SolverOptions:
        """Return options that are ten times tighter in tolerance and allow a quarter of the step, ``times`` over.

        A result that the solver has a say in moves little between a run and a finer one: the check takes one line, and
        the environment variable ``PYHARNESS_FINER=1`` makes every block of a run finer without any.
        """
        if times == 0:
            return self
        tight, short = 0.1**times, 0.25**times
        return replace(
            self,
            reltol=max(self.reltol * tight, 1e-9),
            abstol_a=max(self.abstol_a * tight, 1e-18),
            vntol_v=max(self.vntol_v * tight, 1e-12),
            trtol=max(min(self.trtol, 1.0), 0.1),
            tmax_s=max(self.tmax_s * short, 1e-12),
            crossing_tol_s=max(self.crossing_tol_s * short, 1e-15),
        )

    def options_line(self) -> str:
        """Return the ``.options`` line for the netlist."""
        return (
            f".options reltol={self.reltol!r} abstol={self.abstol_a!r} vntol={self.vntol_v!r} "
            f"trtol={self.trtol!r} method={self.method}"
        )

    def tran_command(self) -> str:
        """Return the transient command of a run without a fixed end."""
        return f"tran {self.tmax_s / 10!r} 1e3 0 {self.tmax_s!r}{' uic' if self.use_initial_conditions else ''}"

    def learn_command(self) -> str:
        """Return the short transient from which the names of the unknowns are learnt."""
        return f"tran 1e-10 1e-9 0 1e-10{' uic' if self.use_initial_conditions else ''}"
