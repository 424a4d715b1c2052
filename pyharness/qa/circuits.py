# SPDX-License-Identifier: BSD-3-Clause
"""Checks in ngspice: the subcircuit, and the OSDI library where the ngspice at hand loads one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyharness.config import Solver
from pyharness.qa.subject import Check, Subject
from pyharness.spice import BatchResult, ngspice_has_osdi, run_batch
from pyharness.veriloga import Subcircuit, compile_osdi, divider_voltage, is_model_type, osdi_subcircuit

__all__ = (
    "array_converges", "bounds_in_circuit", "cold_start", "methods", "parallel", "pinched_loop", "pulse_state", "state_per_pulse", "step_halving",
    "targets", "tolerances",
)  # fmt: skip

_solver = Solver()
DEFAULT = f"reltol={_solver.reltol!r} trtol={_solver.trtol!r} vntol={_solver.vntol_v!r}"
"""The options of the main job."""


def _pwl(times: Sequence[float], volts: Sequence[float]) -> str:
    return " ".join(f"{t!r} {v!r}" for t, v in zip(times, volts, strict=True))


def _pulse(subject: Subject, volt: float, x0: float, options: str, step_s: float | None = None) -> BatchResult:
    times, volts = subject.corners(volt)
    deck = [
        subject.subcircuit.text,
        f"v1 a 0 pwl({_pwl(times, volts)})",
        f"rs a b {subject.series_ohm!r}",
        f"x1 b 0 dut x0={x0!r}",
        f".options {options}",
    ]
    step = step_s or _solver.tmax_s
    state = f"v(x1.{subject.state_node})"
    return run_batch(deck, f".tran {step / 100!r} {times[-1]!r} 0 {step!r}", save=[state, "v(b)", "i(v1)"])


def pulse_state(subject: Subject, volt: float, x0: float, options: str = DEFAULT, step_s: float | None = None) -> float:
    """Return the state in ngspice after one pulse from ``x0``."""
    return x0 + float(_pulse(subject, volt, x0, options, step_s).vectors[f"v(x1.{subject.state_node})"][-1])


def _worst(subject: Subject, spread: Callable[[float, float, float], float]) -> float:
    """Return the largest ``spread(amplitude, start, end)`` over the write pulses, relative to the larger of start and end."""
    return max(spread(volt, x0, end) / max(x0, end) for volt, x0, end in subject.pulses)


def state_per_pulse(subject: Subject, options: str = DEFAULT) -> Check:
    """The state after a write pulse, ngspice at the default options against SciPy's Radau at 1e-10."""
    worst = _worst(subject, lambda volt, x0, end: abs(pulse_state(subject, volt, x0, options) - end))
    return Check(
        "state per pulse", worst, 1e-3, "", "relative error of the state after a write pulse, against SciPy Radau"
    )


def step_halving(subject: Subject) -> Check:
    """Steps of a hundredth and of a two-hundredth of the pulse leave the same state."""

    def change(volt: float, x0: float, end: float) -> float:
        coarse, fine = (pulse_state(subject, volt, x0, DEFAULT, subject.pulse_s / n) for n in (100, 200))
        return abs(coarse - fine)

    worst = _worst(subject, change)
    return Check("step halving", worst, 1e-3, "", "relative change of the state with half the largest step")


def tolerances(subject: Subject) -> Check:
    """A thousand times tighter tolerance changes the state by ten times the loosest tolerance at most."""

    def spread(volt: float, x0: float, end: float) -> float:
        options = (f"reltol={r} trtol=0.5 vntol={_solver.vntol_v!r}" for r in ("1e-3", "1e-4", "1e-5", "1e-6"))
        ladder = [pulse_state(subject, volt, x0, o) for o in options]
        return max(ladder) - min(ladder)

    return Check(
        "tolerance ladder", _worst(subject, spread), 1e-2, "", "relative change of the state, reltol 1e-3 .. 1e-6"
    )


def methods(subject: Subject) -> Check:
    """Trapezoidal rule and Gear's method agree."""

    def apart(volt: float, x0: float, end: float) -> float:
        options = (f"reltol=1e-5 trtol=1 vntol={_solver.vntol_v!r} method={m}" for m in ("trap", "gear"))
        trap, gear = (pulse_state(subject, volt, x0, o) for o in options)
        return abs(trap - gear)

    worst = _worst(subject, apart)
    return Check(
        "two methods", worst, 2e-3, "", "relative difference of the state, trapezoidal against Gear, reltol 1e-5"
    )


def cold_start(subject: Subject) -> Check:
    """The operating point is found from nothing, and is that of the equations."""
    worst = 0.0
    for volt in (subject.rated_v, -subject.rated_v, 5 * subject.rated_v):
        for x0 in map(subject.start, (0.0, 0.3, 1.0)):
            deck = [
                subject.subcircuit.text,
                f"v1 a 0 {volt!r}",
                f"rs a b {subject.series_ohm!r}",
                f"x1 b 0 dut x0={x0!r}",
            ]
            run = run_batch([*deck, ".options reltol=1e-6 gmin=1e-15"], ".op", save=["v(b)"])
            exact = divider_voltage(subject.model, volt, x0, subject.series_ohm)
            worst = max(worst, abs(float(run.vectors["v(b)"][0]) - exact) / abs(volt))
    return Check("operating point from cold", worst, 1e-5, "", "error of the device's voltage over the source's")


def _sine(subject: Subject, amplitude_v: float, hertz: float, series_ohm: float) -> BatchResult:
    period = 1 / hertz
    deck = [
        subject.subcircuit.text,
        f"v1 a 0 sin(0 {amplitude_v!r} {hertz!r})",
        f"rs a b {series_ohm!r}",
        "x1 b 0 dut x0=0.01",
        f".options {DEFAULT}",
    ]
    save = ["v(b)", "v(a)", f"v(x1.{subject.state_node})"]
    return run_batch(deck, f".tran {period / 500!r} {2 * period!r} 0 {period / 500!r}", save=save)


def pinched_loop(subject: Subject) -> list[Check]:
    """A sine draws a loop through the origin, whose area falls at high frequency."""
    areas, pinch = [], 0.0
    for hertz in (10.0, 1e3, 1e5, 1e6):
        run = _sine(subject, subject.rated_v, hertz, subject.series_ohm)
        v = run.vectors["v(b)"]
        i = (run.vectors["v(a)"] - v) / subject.series_ohm
        last = run.vectors["time"] >= 1 / hertz
        near = np.abs(v) < 1e-3 * subject.rated_v
        pinch = max(pinch, float(np.abs(i[near]).max() / np.abs(i).max())) if near.any() else pinch
        areas.append(_area(v[last], i[last]))
    return [
        Check(
            "pinched", pinch, 2e-2, "", "largest current within 0.1 % of the rated voltage about 0 V, over the loop's"
        ),
        Check(
            "loop shrinks with frequency",
            areas[-1] / max(areas),
            0.5,
            "",
            "loop area at 1 MHz over the largest from 10 Hz on",
        ),
    ]


def _area(v: NDArray[np.float64], i: NDArray[np.float64]) -> float:
    return abs(float(((i[1:] + i[:-1]) / 2 * np.diff(v)).sum()))


def bounds_in_circuit(subject: Subject) -> Check:
    """Five times the rated amplitude, straight on the device, keeps the state in its range."""
    run = _sine(subject, 5 * subject.rated_v, 10.0, 1.0)
    x = 0.01 + run.vectors[f"v(x1.{subject.state_node})"]
    outside = max(0.0, float(-x.min()), float(x.max() - 1))
    return Check("bounded in circuit", outside, 1e-4, "", "excursion of the state out of 0 .. 1 at 5 x rated, ngspice")


def array_converges(subject: Subject) -> Check:
    """5x6 devices without access switches, line resistors, drawn states: operating points, also with a line open or shorted.

    Kirchhoff's current law at every line, by the NumPy target at ngspice's voltages, says whether the solution is one.
    """
    rng, rows, cols, line_s = np.random.default_rng(3), 5, 6, 1 / 2.5
    worst = 0.0
    for fault in ("none", "open", "short"):
        states = rng.uniform(0, 1, (rows, cols))
        drive = rng.uniform(-1, 1, rows) * subject.rated_v
        deck = [subject.subcircuit.text]
        ends = 1e-12 if fault == "open" else line_s
        deck += [
            f"v{r} s{r} 0 {float(drive[r])!r}\nrr{r} s{r} r{r} {1 / (ends if r == 0 else line_s)!r}"
            for r in range(rows)
        ]
        deck += [f"rc{c} c{c} 0 {1 / line_s!r}" for c in range(cols)]
        deck += [f"x{r}_{c} r{r} c{c} dut x0={float(states[r, c])!r}" for r in range(rows) for c in range(cols)]
        deck += ["rshort r1 c1 1e-3"] if fault == "short" else []
        nodes = [f"v({n}{k})" for n, many in (("r", rows), ("c", cols)) for k in range(many)]
        run = run_batch([*deck, ".options reltol=1e-9 abstol=1e-15 vntol=1e-12 gmin=1e-18"], ".op", save=nodes)
        v = np.array([float(run.vectors[n][0]) for n in nodes])
        row_v, col_v = v[:rows], v[rows:]
        currents = subject.model.current(row_v[:, None] - col_v, states)
        into = (drive - row_v) * np.where(np.arange(rows) == 0, ends, line_s)
        out = col_v * line_s
        shorted = (row_v[1] - col_v[1]) * 1e3 if fault == "short" else 0.0
        error = [into - currents.sum(1) - shorted * (np.arange(rows) == 1)]
        error += [out - currents.sum(0) - shorted * (np.arange(cols) == 1)]
        worst = max(worst, float(np.abs(np.concatenate(error)).max() / np.abs(into).max()))
    return Check(
        "array converges", worst, 1e-6, "", "5x6 passive array, also open and shorted: current error at a line"
    )


def parallel(subject: Subject) -> Check:
    """m=4 draws the current of four devices in parallel."""
    currents = []
    for devices in (["x1 b 0 dut x0=0.2 m=4"], [f"x{k} b 0 dut x0=0.2" for k in range(4)]):
        deck = [subject.subcircuit.text, f"v1 a 0 pwl(0 0 1m {subject.set_v!r})", "rs a b 1.0", *devices]
        deck += [".options reltol=1e-9 vntol=1e-12 abstol=1e-15 trtol=1e6 chgtol=1e6"]
        run = run_batch(deck, ".tran 1e-5 1e-3 0 1e-5", save=["i(v1)"])
        currents.append(run.vectors["i(v1)"][-1])
    return Check("m devices", abs(currents[0] / currents[1] - 1), 1e-9, "", "m=4 against four devices, relative")


def targets(subject: Subject) -> list[Check]:
    """The same device in NumPy, as B sources and, where this ngspice loads one, as an OSDI library."""
    times, volts = subject.corners(subject.set_v)
    # tolerances of charge that shorten no step: both forms stop at the same times
    options = ".options reltol=1e-9 vntol=1e-12 abstol=1e-15 gmin=1e-18 trtol=1e6 chgtol=1e6"

    def run(subcircuit: Subcircuit, libraries: Sequence[Path] = ()) -> dict[str, NDArray[np.float64]]:
        deck = [subcircuit.text, f"v1 a 0 pwl({_pwl(times, volts)})", "x1 a 0 dut x0=0.1", options]
        step = subject.pulse_s / 200
        state = subcircuit.state_vector("x1", subject.state_node)
        done = run_batch(
            deck, f".tran {step!r} {times[-1]!r} 0 {step!r}", save=["v(a)", "i(v1)", state], libraries=libraries
        )
        v = done.vectors
        return {"t": v["time"], "v": v["v(a)"], "i": -v["i(v1)"], "x": 0.1 + v[state]}

    b = run(subject.subcircuit)
    exact = subject.model.current(b["v"], b["x"])
    scale = np.abs(exact).max()
    checks = [
        Check("NumPy = B sources", float(np.abs(b["i"] - exact).max() / scale), 1e-9, "", "current at ngspice's points, of the largest")
    ]  # fmt: skip
    # a library's module by the name of a model type of ngspice's own is never found: jobs take B sources for it, too
    if ngspice_has_osdi() and not is_model_type(subject.module.name):
        with tempfile.TemporaryDirectory(prefix="pyharness-") as folder:
            library = compile_osdi(subject.module, Path(folder, "dut.osdi"), instance_parameters=("x0",))
            values = dict(subject.parameters)
            o = run(
                osdi_subcircuit(
                    subject.module, name="dut", parameters=values, instance_parameters=("x0",), library=library
                ),
                [library],
            )
        same = np.array_equal(o["t"], b["t"])
        worst = max(float(np.abs(o[k] - b[k]).max() / np.abs(b[k]).max()) for k in "ix") if same else float("nan")
        checks.append(
            Check("OSDI = B sources", worst, 1e-9, "", "current and state at the same time points, of the largest")
        )
    return checks
