# SPDX-License-Identifier: BSD-3-Clause
"""Time, energy and pulses of the write-verify algorithms, under measured variation of devices and pulses.

One row for each dopant, algorithm and initial reset: arrays of 30 devices, each with its own draw of devices, pulses and
targets; the same draws for every row of a dopant.  Targets lie in the dopant's window, inside what the largest pulses bring each device to in the end.
A device that as many fixed pulses as are allowed cannot bring to its target, without scatter and end to end, counts as
``out_of_reach``, not as given up; time, energy and pulses that it took stay in the row's figures.

- ``numpy`` rows: without a simulator, 20 arrays each.
- ``behavioural`` rows: the RTL with the behavioural view of the array, the first arrays of the same draws: the same to the pulse.
- ``ngspice`` rows: the same in co-simulation: the predictive algorithm on 20 chromium arrays, and spot checks of the others.

"fixed" with the initial reset is the paper's algorithm as far as it is known.  The energy is what the row drivers deliver
for programming (memristors, switches, compliance resistors, drivers); amplifiers, converters and logic are not in it.

Usage: python benchmarks/write_verify.py OUTPUT_FOLDER [--arrays N] [--spice N] [--jobs N]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track
from scipy.optimize import brentq
from support.program_bench import build, play, write_settings

from pyharness.bench.job import build_job
from pyharness.bench.runner import read_record, run_sim
from pyharness.bench.variation import free_model, reachable_window
from pyharness.bench.view import prepare_behavioural
from pyharness.config import SimConfig
from pyharness.veriloga import NumpyModel, compile_numpy

TOLERANCE = 0.02
DEVICES = 30
READ_V = 0.1
# of the window that a device can reach, this much is left free at either end
MARGIN = 0.1
SPOT_CHECKS = 2  # arrays of the simulated rows other than the predictive chromium one in co-simulation

DOPANTS: dict[str, dict[str, Any]] = {
    "chromium": {
        "window": (100e-6, 300e-6),
        "array": {},
        "common": {"initial_reset_pulse_s": 1e-3},
        "fixed": {"set_start_v": 1.5, "set_pulse_s": 4e-5, "reset_start_v": 1.5, "reset_pulse_s": 4e-6},
        "incremental": {"set_start_v": 0.3, "set_pulse_s": 2e-4, "gain_shift": 3, "step_max_v": 0.1},
        "predictive": {"set_pulse_s": 1.5e-4},
    },
    "tungsten": {
        "window": (140e-6, 340e-6),
        "array": {},
        "common": {"initial_reset_pulse_s": 1e-2, "reset_pulse_s": 1e-4},
        "fixed": {"set_start_v": 1.0, "set_pulse_s": 1e-4, "reset_start_v": 1.5, "reset_pulse_s": 1e-4},
        "incremental": {"set_start_v": 0.3, "set_pulse_s": 5e-4, "gain_shift": 3, "step_max_v": 0.04},
        "predictive": {
            "set_pulse_s": 1e-3,
            "reset_pulse_s": 3e-4,
            "law_v": 0.25,
            "law_v_per_siemens": 1300.0,
            "trim_v_per_siemens": 4000.0,
        },
    },
    "carbon": {
        "window": (1.5e-6, 6e-6),
        "array": {
            "compliance_ohm": 24900.0,  # 47.5 kOhm, as measured, leaves devices of high v_on too little current at 2 V
            "g_ref_siemens": 4e-6,
            "feedback_verify_ohm": 1e6,
            "feedback_inference_ohm": 2.5e5,
        },
        "common": {"initial_reset_pulse_s": 1e-3, "reset_pulse_s": 1e-5},
        "fixed": {"set_start_v": 2.0, "set_pulse_s": 1e-5, "reset_start_v": 1.5, "reset_pulse_s": 3e-6},
        "incremental": {"set_start_v": 0.3, "set_pulse_s": 5e-4, "gain_shift": 4, "step_max_v": 0.04},
        "predictive": {
            "set_pulse_s": 5e-4,
            "law_v": 0.3,
            "law_v_per_siemens": 5.3e4,
            "trim_v_per_siemens": 2e4,
        },
    },
}
ALGORITHMS = ("fixed", "incremental", "predictive")


def configuration(dopant: str, algorithm: str, initial_reset: bool, seed: int, engine: str) -> dict[str, Any]:
    """Return the configuration of one array, without its targets."""
    one = DOPANTS[dopant]
    return {
        "seed": seed,
        "engine": engine,
        "device": {"card": dopant},
        "test": {"count": 0},
        "training": {"window_siemens": one["window"]},
        "write_verify": {
            "algorithm": algorithm,
            "tolerance": TOLERANCE,
            "initial_reset": initial_reset,
            # a fixed pulse is small: it takes many, and one without effect says little
            "max_pulses": 1000 if algorithm == "fixed" else 200,
            "stuck_limit": 0 if algorithm == "fixed" else 5,
            **one["common"],
            **one[algorithm],
        },
        "array": one["array"],
        "variation": {"device": True, "cycle": True},
        "waves": False,
    }


def resting(model: NumpyModel, own: Mapping[str, float], source_v: float, series_ohm: float) -> float:
    """Return the conductance (S, at the read voltage) at which a source behind a resistor leaves a device in the end."""

    def device_v(x: float) -> float:
        def excess(v: float) -> float:
            return (source_v - v) / series_ohm - float(model.current(v, 0.0, **own, x0=x))

        return brentq(excess, *sorted((0.0, source_v)), xtol=1e-6)

    def rate(x: float) -> float:
        return float(model.rate(device_v(x), 0.0, **own, x0=x))

    ends = [x for x in (0.0, 1.0) if rate(x) * (1 - 2 * x) <= 0]  # there the state is held at its bound
    x = ends[0] if ends else brentq(rate, 0.0, 1.0, xtol=1e-6)
    return float(model.current(READ_V, 0.0, **own, x0=x)) / READ_V


def targets_of(dopant: str, seed: int) -> list[float]:
    """Draw a target for each device of an array, inside the dopant's window and the device's own."""
    low, high = DOPANTS[dopant]["window"]
    plain = configuration(dopant, "predictive", False, seed, "behavioural")
    plain["training"]["targets_siemens"] = [low] * DEVICES
    job = build_job(SimConfig.model_validate(plain))
    w, device = job.config.write_verify, job.device
    model = compile_numpy(device.module, device.card.parameters, ("x0", *job.parameters[0]))
    series_ohm = job.electrics.compliance_ohm + job.electrics.read_series_ohm
    targets = []
    for own, share in zip(job.parameters, np.random.default_rng(seed).random(DEVICES), strict=True):
        bottom, top = (resting(model, own, v, series_ohm) for v in (-w.reset_max_v, w.set_max_v))
        bottom, top = max(low, bottom * (1 + MARGIN)), min(high, top * (1 - MARGIN))
        targets.append(float(bottom + (top - bottom) * share))
    return targets


Case = tuple[str, str, bool, int, str, list[float]]


def program(case: Case) -> dict[str, Any]:
    """Program one array; return what it took."""
    dopant, algorithm, initial_reset, seed, engine, targets = case
    data = configuration(dopant, algorithm, initial_reset, seed, engine)
    data["training"]["targets_siemens"] = targets
    config = SimConfig.model_validate(data)
    with tempfile.TemporaryDirectory() as folder:
        result = (program_in_verilog if engine == "behavioural" else program_by_main_job)(config, Path(folder))
    ended = [device for device, early in enumerate(result["ended"]) if early]
    beyond = [device for device in ended if out_of_reach(config, device)]
    return result | {"given_up": len(ended) - len(beyond), "out_of_reach": len(beyond)}


def out_of_reach(config: SimConfig, number: int) -> bool:
    """Return whether all fixed pulses that are allowed, end to end, leave a device below its target's tolerance."""
    w = config.write_verify
    if w.algorithm != "fixed":
        return False
    job = build_job(config)
    target_siemens = (config.training.targets_siemens or [])[number]
    _, high = reachable_window(
        free_model(job.device),
        job.parameters[number],
        set_v=w.set_start_v,
        set_s=w.max_pulses * w.set_pulse_s,
        reset_v=w.reset_start_v,
        reset_s=w.max_pulses * w.reset_pulse_s,
        series_ohm=job.electrics.compliance_ohm + job.electrics.read_series_ohm,
        read_v=READ_V,
    )
    return high < target_siemens * (1 - TOLERANCE)


def program_by_main_job(config: SimConfig, folder: Path) -> dict[str, Any]:
    """By ngspice or NumPy."""
    record = read_record(run_sim(config, folder, "benchmarks/write_verify.py"))
    e = record.energy_j
    assert e is not None
    return {
        "time_s": record.training_time_s,
        "energy_j": e.reset + e.write + e.verify,
        "pulses": [d.pulses for d in record.devices],
        "ended": [d.status != "reached" for d in record.devices],
        "error": max(abs(d.error_rel) for d in record.devices if d.status == "reached"),
        "cpu_s": record.cpu_s,
    }


def program_in_verilog(config: SimConfig, folder: Path) -> dict[str, Any]:
    """By hdl/bench/program_bench.v, which takes the same settings over the same bus, without Python."""
    job = build_job(config)
    words = [*prepare_behavioural(job, folder), write_settings(folder, job.registers, {"TARGET": job.target_codes})]
    build(folder)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    told, table = play(folder, words)
    took = re.search(r"([\d.]+) ms, (\S+) J from the drivers", told)
    if not took:
        raise SystemExit(f"the bench did not end: {told}")
    reached = table[:, 4] == 1
    return {
        "time_s": float(took[1]) * 1e-3,
        "energy_j": float(took[2]),
        "pulses": table[:, 3].tolist(),
        "ended": (~reached).tolist(),
        "error": float(np.abs(table[reached, 2] / table[reached, 1] - 1).max()),
        "cpu_s": resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before,
    }


def rows(arrays: int, spice: int) -> Iterator[tuple[str, str, bool, str, int]]:
    """Yield (dopant, algorithm, initial reset, engine, arrays) of each row."""
    for dopant in DOPANTS:
        for algorithm in ALGORITHMS:
            for initial_reset in (True, False):
                yield dopant, algorithm, initial_reset, "numpy", arrays
        yield dopant, "predictive", False, "behavioural", min(SPOT_CHECKS, arrays)
    if spice:
        yield "chromium", "predictive", False, "ngspice", spice
        few = min(SPOT_CHECKS, spice)
        yield "chromium", "fixed", True, "ngspice", few
        yield "chromium", "predictive", True, "ngspice", few
        yield "tungsten", "predictive", False, "ngspice", few
        yield "carbon", "predictive", False, "ngspice", few


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a row's figures: means over the arrays, and the largest."""
    pulses = np.concatenate([r["pulses"] for r in results])
    times, energies = (np.array([r[k] for r in results]) for k in ("time_s", "energy_j"))
    return {
        "time_s": float(times.mean()),
        "time_max_s": float(times.max()),
        "energy_j": float(energies.mean()),
        "energy_max_j": float(energies.max()),
        "pulses_mean": float(pulses.mean()),
        "pulses_max": int(pulses.max()),
        "given_up": int(sum(r["given_up"] for r in results)),
        "out_of_reach": int(sum(r["out_of_reach"] for r in results)),
        "error_max": float(max(r["error"] for r in results)),
        "tolerance": TOLERANCE,
        "arrays": len(results),
        "cpu_s_per_array": float(np.mean([r["cpu_s"] for r in results])),
    }


def main() -> None:
    """Run all rows; write them, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--arrays", type=int, default=20, help="arrays of a numpy row")
    parser.add_argument(
        "--spice", type=int, default=20, help="arrays of the co-simulated predictive chromium row; 0: none"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--only", help="part of a row's name, such as 'carbon predictive'")
    options = parser.parse_args()
    table = []
    with ProcessPoolExecutor(options.jobs) as pool:
        wanted = [
            row
            for row in rows(options.arrays, options.spice)
            if not options.only or options.only in f"{row[0]} {row[1]} {'reset' if row[2] else 'no reset'} {row[3]}"
        ]
        most = max(row[4] for row in wanted)
        keys = [(dopant, seed) for dopant in {row[0]: 0 for row in wanted} for seed in range(1, most + 1)]
        drawn = dict(zip(keys, pool.map(targets_of, *zip(*keys, strict=True)), strict=True))
        for dopant, algorithm, initial_reset, engine, count in wanted:
            cases = [
                (dopant, algorithm, initial_reset, seed, engine, drawn[dopant, seed]) for seed in range(1, count + 1)
            ]
            name = f"{dopant} {algorithm}{' reset' if initial_reset else ''} {engine}"
            results = list(track(pool.map(program, cases), name, len(cases), disable=None if os.isatty(1) else True))
            row = {
                "algorithm": algorithm,
                "dopant": dopant,
                "initial_reset": initial_reset,
                "engine": engine,
                **summary(results),
            }
            table.append(row)
            print(
                f"{name:34} {row['time_s'] * 1e3:8.1f} ms ({row['time_max_s'] * 1e3:.1f})  {row['energy_j'] * 1e6:7.2f} uJ "
                f"({row['energy_max_j'] * 1e6:.2f})  {row['pulses_mean']:6.1f} pulses ({row['pulses_max']})  "
                f"{row['given_up']} given up, {row['out_of_reach']} out of reach  {row['arrays']} arrays  {row['cpu_s_per_array']:.0f} s CPU each",
                flush=True,
            )
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / "write_verify.json").write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
