# SPDX-License-Identifier: BSD-3-Clause
"""Checks of a hand-off in ngspice: many circuits, many starts, long runs, sweeps, solvers, cost."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from pyharness.errors import AnalogError, SimulationError
from pyharness.qa.circuits import DEFAULT, pulse_state
from pyharness.qa.form import count_of
from pyharness.qa.subject import Check, Subject
from pyharness.spice import run_batch

__all__ = (
    "SPEED",
    "analyses",
    "cost",
    "cycles",
    "dc_sweeps",
    "flipped",
    "output_of",
    "passive_in_circuit",
    "polarity",
    "random_arrays",
    "solvers",
    "step_ladder",
    "warned",
)

SPEED = "time per point"
"""Name of the one check whose figure is a wall's clock and differs from run to run."""

_CYCLES, _POINTS = 1000, 40
_ARRAYS, _IN_A_RUN = 100, 4
_TRANSISTOR = ".model access nmos level=1 vto=0.4 kp=2e-3"
_LINE_OHM = 2.5


def polarity(subject: Subject) -> Check:
    """Write pulses move the state the way their sign says, in ngspice."""
    wrong = sum(
        bool((pulse_state(subject, volt, x0) - x0) * np.sign(volt) <= 0)
        for volt, x0, _ in (subject.pulses[0], subject.pulses[-1])
    )
    return Check("polarity", wrong, 0, "pulses", "move the state against their sign: positive V(p,n) is to SET")


def flipped(subject: Subject) -> Check:
    """Terminals swapped and the source turned round: the same current."""
    times, volts = subject.corners(subject.set_v)
    deck = [subject.subcircuit.text, f".options {DEFAULT}"]
    for name, sign, nodes in (("a", 1, "b{0} 0"), ("c", -1, "0 b{0}")):
        wave = " ".join(f"{t!r} {sign * v!r}" for t, v in zip(times, volts, strict=True))
        deck += [f"v{name} {name} 0 pwl({wave})", f"r{name} {name} b{name} {subject.series_ohm!r}"]
        deck += [f"x{name} {nodes.format(name)} dut x0={subject.start(0.1)!r}"]
    run = run_batch(deck, f".tran {subject.pulse_s / 100!r} {times[-1]!r}", save=["i(va)", "i(vc)"])
    forward, back = run.vectors["i(va)"], run.vectors["i(vc)"]
    worst = float(np.abs(forward + back).max() / np.abs(forward).max())
    return Check("flipped", worst, 1e-6, "", "current with terminals and source turned round, of the largest")


def dc_sweeps(subject: Subject) -> Check:
    """A DC sweep up and one down give one curve: an operating point holds the state, the loop belongs to time."""
    deck = [
        subject.subcircuit.text,
        "v1 a 0 0",
        f"rs a b {subject.series_ohm!r}",
        f"x1 b 0 dut x0={subject.start(0.3)!r}",
        ".options reltol=1e-6 gmin=1e-15",
    ]
    v, step = subject.rated_v, subject.rated_v / 50
    sweeps = [
        run_batch(deck, f".dc v1 {-s * v!r} {s * v!r} {s * step!r}", save=["i(v1)"]).vectors["i(v1)"] for s in (1, -1)
    ]
    if len(sweeps[0]) != len(sweeps[1]):
        raise SimulationError(f"sweeps of {len(sweeps[0])} and {len(sweeps[1])} points: one stopped early")
    worst = float(np.abs(sweeps[0] - sweeps[1][::-1]).max() / np.abs(sweeps[0]).max())
    return Check(
        "DC sweep both ways", worst, 1e-6, "", f"current up against down, {len(sweeps[0])} points, of the largest"
    )


def cycles(subject: Subject) -> Check:
    """A thousand periods of five times the rated amplitude leave the state in its range."""
    hertz, x0 = 1 / (2 * subject.pulse_s), subject.start(0.01)
    deck = [
        subject.subcircuit.text,
        f"v1 a 0 sin(0 {5 * subject.rated_v!r} {hertz!r})",
        f"rs a b {subject.series_ohm!r}",
        f"x1 b 0 dut x0={x0!r}",
        f".options {DEFAULT}",
    ]
    step, state = 1 / hertz / _POINTS, f"v(x1.{subject.state_node})"
    run = run_batch(deck, f".tran {step!r} {_CYCLES / hertz!r} 0 {step!r}", save=[state])
    x = x0 + run.vectors[state]
    outside = max(0.0, float(-x.min()), float(x.max() - 1))
    return Check(
        "1000 cycles", outside, 1e-4, "", "excursion of the state out of 0 .. 1 in 1000 cycles, 5 x rated, ngspice"
    )


def passive_in_circuit(subject: Subject) -> Check:
    """Random voltages never draw power from the device."""
    rng = np.random.default_rng(5)
    times = np.arange(61) * subject.pulse_s / 10
    volts = np.concatenate([[0.0], rng.uniform(-5, 5, 60) * subject.rated_v])
    wave = " ".join(f"{t!r} {v!r}" for t, v in zip(times.tolist(), volts.tolist(), strict=True))
    deck = [
        subject.subcircuit.text,
        f"v1 a 0 pwl({wave})",
        f"rs a b {subject.series_ohm!r}",
        f"x1 b 0 dut x0={subject.start(0.2)!r}",
        f".options {DEFAULT}",
    ]
    run = run_batch(deck, f".tran {subject.pulse_s / 100!r} {float(times[-1])!r}", save=["v(b)", "i(v1)"])
    power = -run.vectors["v(b)"] * run.vectors["i(v1)"]
    worst = max(0.0, float(-power.min() / power.max()))
    return Check(
        "passive in circuit", worst, 1e-9, "", "largest power delivered under random voltages, of the largest taken"
    )


def step_ladder(subject: Subject) -> Check:
    """Steps of 1, a quarter and a sixteenth of a hundredth of the pulse leave the same state."""
    worst = 0.0
    for volt, x0, end in (subject.pulses[0], subject.pulses[-1]):
        states = [pulse_state(subject, volt, x0, DEFAULT, subject.pulse_s / n) for n in (100, 400, 1600)]
        worst = max(worst, (max(states) - min(states)) / max(x0, end))
    return Check("step ladder", worst, 1e-3, "", "relative change of the state, largest step x 1, 1/4, 1/16")


def _array(rows: int, cols: int, wire_ohm: float, states: list[float], tag: str = "") -> list[str]:
    """Return a passive array behind its drivers; with ``wire_ohm`` each line has a resistor between neighbouring cells."""
    lines = []
    for r in range(rows):
        lines += [f"vr{tag}{r} s{tag}{r} 0 dc {0.3 - 0.2 * (r % 2)!r} ac 1", f"rr{tag}{r} s{tag}{r} r{tag}{r}_0 100"]
        lines += [f"rw{tag}{r}_{c} r{tag}{r}_{c} r{tag}{r}_{c + 1} {wire_ohm!r}" for c in range(cols - 1) if wire_ohm]
    for c in range(cols):
        lines += [f"rc{tag}{c} c{tag}0_{c} 0 100"]
        lines += [f"rv{tag}{r}_{c} c{tag}{r}_{c} c{tag}{r + 1}_{c} {wire_ohm!r}" for r in range(rows - 1) if wire_ohm]
    for r in range(rows):
        for c in range(cols):
            row, col = (f"r{tag}{r}_{c}", f"c{tag}{r}_{c}") if wire_ohm else (f"r{tag}{r}_0", f"c{tag}0_{c}")
            lines.append(f"x{tag}{r}_{c} {row} {col} dut x0={states[r * cols + c]!r}")
    return lines


def analyses(subject: Subject) -> Check:
    """Operating point, DC, transient and AC of a device, a 1T1R cell, and arrays with and without line resistances."""
    rng = np.random.default_rng(17)
    states = [subject.start(float(x)) for x in rng.uniform(0, 1, 30)]
    single = ["vr0 s 0 dc 0.2 ac 1", f"rs s b {subject.series_ohm!r}", f"x1 b 0 dut x0={states[0]!r}"]
    cell = [
        "vr0 s 0 dc 0.2 ac 1", "vg g 0 1.2", f"x1 s d dut x0={states[0]!r}", "m1 d g 0 0 access w=1u l=1u", _TRANSISTOR,
    ]  # fmt: skip
    benches = {
        "device": single,
        "1T1R": cell,
        "2x2": _array(2, 2, 0.0, states),
        "5x6": _array(5, 6, 0.0, states),
        "5x6 with lines": _array(5, 6, _LINE_OHM, states),
    }
    runs = {
        "op": ".op",
        "dc": f".dc vr0 {-subject.rated_v!r} {subject.rated_v!r} {subject.rated_v / 10!r}",
        "tran": f".tran {subject.pulse_s / 20!r} {subject.pulse_s!r}",
        "ac": ".ac dec 3 1 1e6",
    }
    failed = []
    for bench, deck in benches.items():
        for name, analysis in runs.items():
            try:
                found = run_batch([subject.subcircuit.text, *deck, f".options {DEFAULT}"], analysis).vectors
            except AnalogError:
                found = {}
            if not found or not all(np.isfinite(v).all() for v in found.values()):
                failed.append(f"{bench} {name}")
    told = f": {', '.join(failed)}" if failed else ""
    return Check(
        "analyses",
        len(failed),
        0,
        "runs",
        f"without a solution, of {len(benches)} circuits by {len(runs)} analyses{told}",
    )


def random_arrays(subject: Subject) -> Check:
    """A hundred arrays of drawn states and sources: whole, with a line open, with a short, with devices stuck at both ends."""
    rng = np.random.default_rng(23)
    failed = 0
    for _ in range(_ARRAYS // _IN_A_RUN):
        deck = [subject.subcircuit.text, f".options {DEFAULT}"]
        for kind in range(_IN_A_RUN):
            tag = "wxyz"[kind]
            states = rng.uniform(0, 1, 30)
            if kind == 3:
                states[rng.integers(0, 30, 6)] = rng.integers(0, 2, 6)
            lines = _array(5, 6, _LINE_OHM, [subject.start(float(x)) for x in states], tag)
            if kind == 1:
                lines = [
                    line.removesuffix(" 100") + " 1e12" if line.startswith(f"rr{tag}0 ") else line for line in lines
                ]
            if kind == 2:
                lines.append(f"rshort{tag} r{tag}1_1 c{tag}1_1 1e-3")
            for r in range(5):
                drive = float(rng.uniform(-1, 1)) * subject.rated_v
                lines = [f"vr{tag}{r} s{tag}{r} 0 {drive!r}" if n.startswith(f"vr{tag}{r} ") else n for n in lines]
            deck += lines
        try:
            found = run_batch(deck, ".op").vectors
            failed += 0 if all(np.isfinite(v).all() for v in found.values()) else _IN_A_RUN
        except AnalogError:
            failed += _IN_A_RUN
    return Check(
        "random arrays", failed, 0, "arrays", f"without an operating point, of {_ARRAYS}: whole, open, shorted, stuck"
    )


def output_of(circuit: Sequence[str], analysis: str) -> str:
    """Return what ngspice prints of a run."""
    with tempfile.TemporaryDirectory(prefix="pyharness-") as folder:
        deck = Path(folder, "deck.cir")
        deck.write_text("\n".join(["* told", *circuit, analysis, ".end", ""]), encoding="ascii")
        done = subprocess.run(
            ["ngspice", "-n", "-b", "-r", str(deck.with_suffix(".raw")), str(deck)],
            capture_output=True, text=True, errors="replace", timeout=60, check=False,
        )  # fmt: skip
    return (done.stdout + done.stderr).lower()


def warned(subject: Subject) -> Check:
    """A device driven far beyond its rated voltage is warned of in the simulator's output, one that is not is not."""

    def words(times_rated: float) -> int:
        volt = times_rated * subject.rated_v
        circuit = [subject.subcircuit.text, f"v1 a 0 sin(0 {volt!r} 100)", "rs a b 1", "x1 b 0 dut", ".options warn=1"]
        return len(re.findall(r"warning|soa|beyond|outside", output_of(circuit, ".tran 0.1m 10m")))

    far, near = words(10.0), words(0.1)
    faults = [] if far > near else [f"warnings: {far} there, {near} at a tenth of the rated voltage"]
    return count_of("warning beyond the validity", faults, "ngspice warns at ten times the rated voltage")


@lru_cache(maxsize=1)
def _has_klu() -> bool:
    """Return whether this ngspice can be told to solve with KLU beside its own Sparse 1.3."""
    return "using klu" in output_of(["v1 a 0 1", "r1 a 0 1", ".options klu"], ".op")


def solvers(subject: Subject) -> list[Check]:
    """KLU and Sparse leave the same state; nothing to compare where this ngspice has one alone."""
    if not _has_klu():
        return []
    volt, x0, end = subject.pulses[0]
    sparse, klu = (pulse_state(subject, volt, x0, f"{DEFAULT} {option}") for option in ("sparse", "klu"))
    return [Check("KLU = Sparse", abs(sparse - klu) / max(x0, end), 1e-6, "", "relative difference of the state")]


def cost(subject: Subject) -> list[Check]:
    """Time points of a write pulse, and a 5x6 array's CPU time for each against one of resistors."""
    times, volts = subject.corners(subject.set_v)
    wave = " ".join(f"{t!r} {v!r}" for t, v in zip(times, volts, strict=True))
    states = [subject.start(0.1)] * 30
    array = [f"v1 top 0 pwl({wave})", *(f"rt{r} top s{r} {subject.series_ohm!r}" for r in range(5))]
    array += [n for n in _array(5, 6, 0.0, states) if not n.startswith("vr")]
    resistors = [n.replace("dut x0=", "1e4 ; ").replace("x", "rx", 1) if n.startswith("x") else n for n in array]
    resistors = [n.split(" ; ")[0] for n in resistors]
    step = subject.pulse_s / 2000
    analysis = f".tran {step!r} {times[-1]!r} 0 {step!r}"
    spent = []
    for deck in ([subject.subcircuit.text, *array], resistors):
        # the shortest: others use the machine
        runs = [run_batch([*deck, f".options {DEFAULT}"], analysis, save=["v(top)"]) for _ in range(2)]
        spent.append(min(r.cpu_s / len(r.vectors["v(top)"]) for r in runs))
    alone = [subject.subcircuit.text, f"v1 a 0 pwl({wave})", f"rs a b {subject.series_ohm!r}"]
    alone += [f"x1 b 0 dut x0={states[0]!r}", f".options {DEFAULT}"]
    points = len(run_batch(alone, f".tran {subject.pulse_s / 10!r} {times[-1]!r}", save=["v(b)"]).vectors["v(b)"])
    return [
        Check("points of a pulse", points, 2000, "points", "time points of a write pulse at the default options"),
        Check(SPEED, spent[0] / spent[1], 300, "", "CPU time for a point, 5x6 array of devices over one of resistors"),
    ]
