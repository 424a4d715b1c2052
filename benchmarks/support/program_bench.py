# SPDX-License-Identifier: BSD-3-Clause
"""hdl/bench/program_bench.v: the controller on the behavioural view, programmed and used without SPICE or Python."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyharness.bench.registers import registers
from pyharness.bench.runner import hdl_sources
from pyharness.resources import hdl_dir

__all__ = ("build", "play", "write_settings")


def write_settings(folder: Path, settings: Mapping[str, int], arrays: Mapping[str, Sequence[int]]) -> str:
    """Write the registers' values, single ones and arrays, for the bench; return its plusarg."""
    register = registers()
    words = [(register[name].address(), register[name].encode(value)) for name, value in settings.items()]
    words += [
        (register[name].address(i), register[name].encode(int(value)))
        for name, values in arrays.items()
        for i, value in enumerate(values)
    ]
    (folder / "writes.txt").write_text("".join(f"{address:x} {word:x}\n" for address, word in words))
    return "+pyh_writes=writes.txt"


def build(folder: Path, sizes: Mapping[str, int] | None = None) -> None:
    """Compile the bench in ``folder``, with the device's equations that lie there, or the shipped ones."""
    hdl = hdl_dir()
    subprocess.run(
        ["iverilog", "-g2005", *(f"-I{place}" for place in (folder, hdl, hdl / "analog")),
         "-o", "program.vvp", "-s", "program_bench", *(f"-Pprogram_bench.{n}={v}" for n, v in (sizes or {}).items()),
         str(hdl / "bench" / "program_bench.v"), *map(str, hdl_sources("analog_array_model.v"))],
        cwd=folder, check=True,
    )  # fmt: skip


def play(folder: Path, plusargs: Sequence[str]) -> tuple[str, NDArray[np.int_]]:
    """Run the bench; return what it said, and (number, target, code, pulses, status) of each device."""
    done = subprocess.run(
        ["vvp", "-n", "program.vvp", "+pyh_outcomes=outcomes.txt", *plusargs],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout, np.loadtxt(folder / "outcomes.txt", int)
