# SPDX-License-Identifier: BSD-3-Clause
"""Speed and exactness of the model compiler's targets, as ratios measured in one run.

- CPU per time point of 30 msdc devices as B sources, over the best of three hand-written forms of the same equations; and
  over a plain transcription without folding.
- The same as OSDI library, at 30 and 300 devices, where the ngspice at hand loads one (else null).
- Largest difference of the targets, and largest error of the state after a write pulse, over the shipped models.
- Time to read msdc.va and write all targets.

Usage: python benchmarks/veriloga.py OUTPUT_FOLDER
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyharness.qa import circuits, shipped_subjects, subject_of
from pyharness.resources import model_dir
from pyharness.spice import ngspice_has_osdi, run_batch
from pyharness.veriloga import (
    compile_numpy,
    compile_osdi,
    emit_ngspice,
    load_device,
    load_module,
    osdi_subcircuit,
)

CARD = "chromium"
ROUNDS = 5
THERMAL_V = 0.025864186


def us_per_point(
    circuits_by_name: Mapping[str, tuple[str, Sequence[Path]]], devices: int, end_s: float
) -> dict[str, float]:
    """Return CPU microseconds per time point, start-up taken off; the forms take turns, the best of five rounds counts."""
    loads = [f"rs{k} a b{k} 5110\nx{k} b{k} 0 dut x0={0.02 + 0.9 * k / devices:.4f}" for k in range(devices)]
    best = dict.fromkeys(circuits_by_name, float("inf"))
    peaks: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, (text, libraries) in circuits_by_name.items():
            deck = [text, "v1 a 0 sin(0 0.7 20)", *loads, ".options reltol=1e-4"]
            runs = [
                run_batch(deck, f".tran 5e-5 {end!r} 0 5e-5", save=["v(b0)"], libraries=libraries)
                for end in (1e-4, end_s)
            ]
            peaks[name] = float(runs[1].vectors["v(b0)"].max())
            points = len(runs[1].vectors["time"]) - len(runs[0].vectors["time"])
            best[name] = min(best[name], 1e6 * (runs[1].cpu_s - runs[0].cpu_s) / points)
    if max(peaks.values()) - min(peaks.values()) > 1e-3 * max(peaks.values()):
        raise SystemExit(f"the forms are not of one model: v(b0) peaks at {peaks}")
    return best


def by_hand(p: Mapping[str, float]) -> dict[str, str]:
    """Return the equations as an engineer would tune them: B sources; two native diodes; one difference node less."""
    s = "({x0} + v(n_x))"
    k_on, k_off, k_hold = 0.5 * p["beta_on"], 0.5 * p["beta_off"], 0.5 * p["beta_hold"]
    g_on, g_off, curve = p["phi"] / p["r_on"], p["phi"] / p["r_off"], p["curve_on"]
    scale = 1e-6
    a_f, a_r = (1 - p["phi"]) * p["alpha_f"], (1 - p["phi"]) * p["alpha_r"]

    def text(v: str, extra: str, elements: Sequence[str]) -> str:
        hold = f"{0.25 * scale!r} * (1 + tanh({k_hold!r} * ({v} - {p['v_hold']!r})))"
        up = f"{hold} * (1 - {s}) * (1 + tanh({k_on!r} * ({v} - {p['v_on']!r} + {p['snap_on']!r} * {s})))"
        down = f"{0.5 * scale * p['tau_on'] / p['tau_off']!r} * {s} * (1 - tanh({k_off!r} * ({v} + {p['v_off']!r} + {p['snap_off']!r} * {s})))"
        curved = f"({v} > 0 ? {1 / curve!r} * sinh({curve!r} * {v}) : {v})" if curve else v
        return "\n".join(
            [
                ".subckt dut p n x0=0",
                f"b_x n_x 0 i = (time <= 0) ? {scale!r} * v(n_x) : {down} - {up}",
                f"c_x n_x 0 {scale * p['tau_on']!r}",
                f"b_p p n i = {g_off!r} * (1 - {s}) * {v} + {g_on!r} * {s} * {curved}{extra}",
                *elements,
                ".ends",
            ]
        )

    def leak(v: str) -> str:
        return f" + {a_f!r} * (exp({p['beta_f']!r} * {v}) - 1) - {a_r!r} * (exp({-p['beta_r']!r} * {v}) - 1)"

    difference = "e_d d 0 p n 1"
    diodes = [
        difference, "d_f p n m_f", "d_r n p m_r",
        f".model m_f d(is={a_f!r} n={1 / (p['beta_f'] * THERMAL_V)!r})",
        f".model m_r d(is={a_r!r} n={1 / (p['beta_r'] * THERMAL_V)!r})",
    ]  # fmt: skip
    return {
        "hand: B sources": text("v(d)", leak("v(d)"), [difference]),
        "hand: native diodes": text("v(d)", "", diodes),
        "hand: two nodes": text("v(p,n)", leak("v(p,n)"), []),
    }


def main(folder: Path) -> None:
    device = load_device(CARD)
    parameters = device.card.parameters
    emitted = emit_ngspice(device.module, name="dut", parameters=parameters, instance_parameters=("x0",)).text
    hand = by_hand(parameters)
    with tempfile.TemporaryDirectory() as temporary:
        forms: dict[str, tuple[str, Sequence[Path]]] = {"compiled": (emitted, [])}
        forms |= {name: (text, []) for name, text in hand.items()}
        library = None
        if ngspice_has_osdi():
            library = compile_osdi(device.module, Path(temporary, "msdc.osdi"))
            wrapped = osdi_subcircuit(
                device.module, name="dut", parameters=parameters, instance_parameters=("x0",), library=library
            )
            forms["osdi"] = (wrapped.text, [library])
        thirty = us_per_point(forms, 30, 0.1)
        many = {name: forms[name] for name in ("compiled", "osdi") if name in forms}
        three_hundred = us_per_point(many, 300, 0.02) if library else {}

        begin = time.process_time()
        module = load_module(model_dir() / "msdc" / "msdc.va")
        emit_ngspice(module, name="dut", parameters=parameters, instance_parameters=("x0",))
        compile_numpy(module, parameters, ("x0",))
        front = time.process_time() - begin
        wall = time.perf_counter()
        compile_osdi(module, Path(temporary, "again.osdi"))
        compiler = time.perf_counter() - wall

    subjects = [subject_of(name) for name in shipped_subjects()]
    agreement = max(c.value for s in subjects for c in circuits.targets(s))
    error = max(circuits.state_per_pulse(s).value for s in subjects)
    best_hand = min(thirty[name] for name in hand)
    figures = {
        "n_devices": 30,
        "us_per_point_b_source": thirty["compiled"],
        "us_per_point_hand": {name: thirty[name] for name in hand},
        "ratio_b_source_over_best_hand": thirty["compiled"] / best_hand,
        "us_per_point_osdi": thirty.get("osdi"),
        "ratio_osdi": thirty["compiled"] / thirty["osdi"] if library else None,
        "ratio_osdi_300": three_hundred["compiled"] / three_hundred["osdi"] if library else None,
        "targets_max_rel_diff": agreement,
        "state_error_per_pulse_max": error,
        "read_and_write_s": front,
        "c_compiler_s": compiler,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "veriloga.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    if not library:
        print("this ngspice loads no OSDI libraries: see `make debian13`")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench"))
