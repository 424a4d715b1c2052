# SPDX-License-Identifier: BSD-3-Clause
"""Recorded traces on other builds of the controller: with mutants in Icarus, with counters in Verilator."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from layout import Shape, read_trace

from pyharness.resources import hdl_dir

__all__ = ("replay", "write_replay")

HERE = Path(__file__).parent
TIME_LIMIT_S = 600


def write_replay(traces: Sequence[Path], path: Path) -> int:
    """Join traces of one shape to the stimulus of replay.v; return the number of clocks."""
    clocks = 0
    with path.open("w") as file:
        for trace in traces:
            for row in read_trace(trace):
                file.write(f"{row.count:x} {row.inputs:x} {row.outputs:x} {row.states:x}\n")
                clocks += row.count
    return clocks


def replay(sources: Sequence[Path], shape: Shape, stimulus: Path, folder: Path) -> str:
    """Compile ``sources`` and play the stimulus; return "" when every output agrees, else what happened first.

    Raises:
        ValueError: they do not compile; that says nothing about outputs.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    flags = [f"-Preplay.{name}={value}" for name, value in shape.parameters.items()]
    command = ["iverilog", "-g2005", f"-I{hdl_dir()}", f"-I{HERE}", "-o", "replay.vvp", "-s", "replay", *flags]
    built = subprocess.run(
        [*command, *(str(s.resolve()) for s in sources), str(HERE / "replay.v")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise ValueError(f"does not compile: {built.stderr.strip()[-300:]}")
    link = folder / "replay.txt"
    link.unlink(missing_ok=True)
    link.symlink_to(stimulus.resolve())
    try:
        ran = subprocess.run(
            ["vvp", "-n", "replay.vvp"], cwd=folder, capture_output=True, text=True, check=False, timeout=TIME_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return f"does not end within {TIME_LIMIT_S} s"
    lines = ran.stdout.split("\n")
    if ran.returncode == 0 and "AGREES" in lines:
        return ""
    found = [line for line in lines if line.startswith("clock ")]
    return found[0] if found else f"exit status {ran.returncode}: {(ran.stdout + ran.stderr).strip()[-300:]}"
