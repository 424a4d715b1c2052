# SPDX-License-Identifier: BSD-3-Clause
"""How exact the coupling is on this machine: an RC whose every crossing is known in closed form.

A logic pin drives an RC low-pass with edges at times off any grid; a comparator pin watches its output.  The response
of an RC to straight ramps is a sum of exponentials, so each crossing time is computed to rounding error and compared
with what the HDL saw.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp, log
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.optimize import brentq

from pyharness.cosim.options import SolverOptions
from pyharness.cosim.simulate import simulate
from pyharness.errors import SimulationError

__all__ = ("CAPACITANCE_F", "RESISTANCE_OHM", "RcErrors", "RcJob", "crossings", "measure_rc", "run_rc")

RESISTANCE_OHM = 1e3
CAPACITANCE_F = 100e-12
_TAU_S = RESISTANCE_OHM * CAPACITANCE_F
_RISE_S = 1e-9
_TAIL_PS = 1_000_000


@dataclass(frozen=True)
class RcJob:
    """The edges of one run: gaps between them in picoseconds, solver options."""

    gaps_ps: tuple[int, ...]
    options: SolverOptions

    @classmethod
    def random(cls, edges: int, options: SolverOptions, seed: int) -> RcJob:
        """Draw ``edges`` gaps of 20 .. 400 ns; the short ones leave the threshold uncrossed.

        The output turns round at each edge.  Gaps that would turn it within 20 mV of the threshold are drawn again:
        whether such a touch is a crossing is decided by the solver's error, not by the coupling.
        """
        rng = np.random.default_rng(seed)
        gaps: list[int] = []
        v = level = 0.0
        while len(gaps) < edges:
            gap = int(rng.integers(20_000, 400_001))
            turned = level + (v - level) * exp(-gap * 1e-12 / _TAU_S)
            if abs(turned - 0.5) < 0.02:
                continue
            gaps.append(gap)
            v, level = turned, 1 - level
        return cls(tuple(gaps), options)

    @property
    def corners(self) -> list[tuple[float, float]]:
        """The drive as (time in seconds, volt) corners of a piecewise-linear wave from 0 V."""
        t_ps, level, v, corners = 0, 0, 0.0, [(0.0, 0.0)]
        for gap in self.gaps_ps:
            t_ps += gap
            level = 1 - level
            start = t_ps * 1e-12
            corners += [(start, v), (start + _RISE_S, float(level))]
            v = float(level)
        corners.append((t_ps * 1e-12 + _TAIL_PS * 1e-12, v))
        return corners

    @property
    def netlist(self) -> list[str]:
        """The circuit between the pins."""
        return [f"r1 drive sense {RESISTANCE_OHM!r}", f"c1 sense 0 {CAPACITANCE_F!r}"]


@dataclass(frozen=True)
class RcErrors:
    """What a run showed; times in seconds.

    Attributes:
        edges: L2E edges played.
        events: E2L events expected.
        d2a_error_max_s: HDL time of an edge against the start of its ramp in ngspice.
        a2d_error_max_s: HDL time of a crossing against the exact one.
        missed, extra: crossings without an event, events without a crossing.
        early: events before ngspice's own crossing.
        window_max_s: longest time from ngspice's own crossing to the event.
    """

    edges: int
    events: int
    d2a_error_max_s: float
    a2d_error_max_s: float
    missed: int
    extra: int
    early: int
    window_max_s: float

    @property
    def misplaced(self) -> int:
        """Events that are not where they belong; edges count from a femtosecond on, what is left of a double that counts seconds."""
        return self.missed + self.extra + self.early + (self.d2a_error_max_s > 1e-15)


def response(v0: float, corner: tuple[float, float], following: tuple[float, float], t: float) -> float:
    """Return the RC output at ``t`` on one straight piece of the drive that it enters at ``v0``."""
    (ta, a), (tb, b) = corner, following
    slope = (b - a) / (tb - ta)
    steady = a + slope * (t - ta - _TAU_S)
    return steady + (v0 - a + slope * _TAU_S) * exp(-(t - ta) / _TAU_S)


def crossings(corners: Sequence[tuple[float, float]], level_v: float = 0.5) -> list[tuple[float, bool]]:
    """Return the exact (time in seconds, rising) of each crossing of ``level_v`` by the RC output from 0 V."""
    found: list[tuple[float, bool]] = []
    v = 0.0
    for corner, following in itertools.pairwise(corners):
        if following[0] == corner[0]:
            continue
        # split at the turning point, so that each part is monotonic
        stops = [corner[0], *_turning_point(v, corner, following), following[0]]
        for start, stop in itertools.pairwise(stops):
            va, vb = (response(v, corner, following, t) for t in (start, stop))
            if (va < level_v) != (vb < level_v):

                def above(
                    t: float,
                    v: float = v,
                    c: tuple[float, float] = corner,
                    f: tuple[float, float] = following,
                ) -> float:
                    return response(v, c, f, t) - level_v

                found.append((float(brentq(above, start, stop, xtol=1e-18)), vb > va))
        v = response(v, corner, following, following[0])
    return found


def _turning_point(v0: float, corner: tuple[float, float], following: tuple[float, float]) -> list[float]:
    (ta, a), (tb, b) = corner, following
    slope = (b - a) / (tb - ta)
    decaying = v0 - a + slope * _TAU_S
    if slope == 0 or decaying / slope <= 0:
        return []
    t = ta + _TAU_S * log(decaying / (slope * _TAU_S))
    return [t] if ta < t < tb else []


def run_rc(
    job: RcJob, folder: Path, *, bridge: bool = True, simulator: Literal["icarus", "verilator"] = "icarus"
) -> dict[str, object]:
    """Play ``job`` in co-simulation (or, without ``bridge``, its digital half alone) and return the record."""
    folder.mkdir(parents=True, exist_ok=True)
    path = (folder / "rc.json").resolve()
    path.write_text(
        json.dumps(
            {
                "netlist": job.netlist,
                "rise_s": _RISE_S,
                "gaps_ps": job.gaps_ps,
                "tail_ps": _TAIL_PS,
                "options": asdict(job.options),
                "bridge": bridge,
            }
        )
    )
    simulate(
        [Path(__file__).with_name("rc.v")],
        "rc_top",
        "pyharness.cosim.selftest.rc_bench",
        folder,
        environment={"PYHARNESS_RC": str(path)},
        simulator=simulator,
    )
    record: dict[str, object] = json.loads(path.with_suffix(".out.json").read_text()) if bridge else {}
    return record


def measure_rc(job: RcJob, folder: Path, *, simulator: Literal["icarus", "verilator"] = "icarus") -> RcErrors:
    """Play ``job`` and compare each event with the exact solution.

    Raises:
        SimulationError: the run failed, or no edge crossed the border (nothing was measured).
    """
    record = run_rc(job, folder, simulator=simulator)
    transitions: list[dict[str, float]] = record["transitions"]  # type: ignore[assignment]
    ramps = [t for t in transitions if t["to_analog"]]
    events = [t for t in transitions if not t["to_analog"]]
    exact = crossings(job.corners)
    if not ramps or not events:
        raise SimulationError(
            f"the RC self-test recorded {len(ramps)} edges and {len(events)} events: nothing to measure"
        )
    start_ps = ramps[0]["tick"] - job.gaps_ps[0]
    expected_ps = start_ps + np.cumsum(job.gaps_ps)
    d2a = [abs(r["analog_s"] - (p - start_ps) * 1e-12) for r, p in zip(ramps, expected_ps, strict=True)]
    missed, extra, a2d = _match(exact, [((e["tick"] - start_ps) * 1e-12, e["level"] > 0.5) for e in events])
    own = [(e["tick"] - start_ps) * 1e-12 - e["analog_s"] for e in events]
    return RcErrors(
        edges=len(ramps),
        events=len(exact),
        d2a_error_max_s=max(d2a),
        a2d_error_max_s=max(map(abs, a2d)) if a2d else float("nan"),
        missed=missed,
        extra=extra,
        early=sum(lag < -1e-15 for lag in own),
        window_max_s=max(own),
    )


def _match(
    exact: Sequence[tuple[float, bool]], seen: Sequence[tuple[float, bool]], within_s: float = 20e-9
) -> tuple[int, int, list[float]]:
    """Pair crossings with events of the same direction in order; return missed, extra and the time errors."""
    i = j = missed = extra = 0
    errors: list[float] = []
    while i < len(exact) and j < len(seen):
        error = seen[j][0] - exact[i][0]
        if exact[i][1] == seen[j][1] and abs(error) < within_s:
            errors.append(error)
            i, j = i + 1, j + 1
        elif error > 0:
            missed, i = missed + 1, i + 1
        else:
            extra, j = extra + 1, j + 1
    return missed + len(exact) - i, extra + len(seen) - j, errors
