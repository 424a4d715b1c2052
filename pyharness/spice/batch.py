# SPDX-License-Identifier: BSD-3-Clause
"""Run ``ngspice -b`` on a circuit and read its result."""

from __future__ import annotations

import logging
import re
import resource
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from shutil import which

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import AnalogError, ToolNotFoundError
from pyharness.install import INSTALL

__all__ = ("BatchResult", "ngspice_has_osdi", "run_batch")

_CAUSE = re.compile(r"error|too small|singular|unknown|fatal|fail|can't|cannot|undefined|abort", re.I)
_FATAL = re.compile(r"too small|run simulation\(s\) aborted|interrupted due to error", re.I)
_PROGRESS = re.compile(r"Trying|Note:|No\. of|Doing analysis")
_AT_LINE = "Error on line"


@dataclass(frozen=True)
class BatchResult:
    """Vectors by name (``time``, ``v(a)``, ``i(v1)``), each of one value per point, and the CPU seconds used."""

    vectors: dict[str, NDArray[np.float64]]
    cpu_s: float


def _read_raw(path: Path) -> dict[str, NDArray[np.float64]]:
    raw = path.read_bytes()
    header, _, data = raw.partition(b"Binary:\n")
    text = header.decode("ascii", "replace")
    count = int(re.findall(r"No\. Variables:\s*(\d+)", text)[-1])
    points = int(re.findall(r"No\. Points:\s*(\d+)", text)[-1])
    names = re.findall(r"^\s+\d+\s+(\S+)\s+\S+", text[text.rindex("Variables:\n") :], re.M)
    # a device's variable is v(@dev[name]) or @dev[name], by what ngspice guesses of its name
    names = [re.sub(r"^v\((@.*)\)$", r"\1", name) for name in names]
    table = np.frombuffer(data[: 8 * count * points], dtype=float).reshape(points, count)
    return {name: table[:, i].copy() for i, name in enumerate(names)}


def _causes(output: str) -> list[str]:
    """Return what of ngspice's output tells a failure; after "Error on line" the next two lines, which say which."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    found: list[str] = []
    follow = 0
    for line in lines:
        if line.startswith(_AT_LINE):
            follow = 3
        if (follow > 0 or _CAUSE.search(line)) and not _PROGRESS.match(line):
            found.append(line)
        follow -= 1
    return list(dict.fromkeys(found)) or lines


@lru_cache(maxsize=1)
def ngspice_has_osdi() -> bool:
    """Return whether the ngspice on PATH loads OSDI libraries; False without any ngspice."""
    if which("ngspice") is None:
        return False
    with tempfile.TemporaryDirectory(prefix="pyharness-") as folder:
        deck = Path(folder, "probe.cir")
        deck.write_text("* probe\n.control\nosdi\nquit\n.endc\nr1 a 0 1\n.end\n", encoding="ascii")
        told = subprocess.run(
            ["ngspice", "-n", "-b", str(deck)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
    return "no such command" not in told.stdout + told.stderr


def run_batch(
    circuit: Sequence[str],
    analysis: str,
    *,
    save: Sequence[str] = (),
    timeout_s: float = 300,
    libraries: Sequence[Path] = (),
) -> BatchResult:
    """Run one analysis.

    Args:
        circuit: lines without title and ``.end``.
        analysis: for example ``.tran 1u 1m``.
        save: vectors to keep; all when empty.
        timeout_s: wall-clock limit.
        libraries: OSDI libraries to load first.

    Raises:
        ToolNotFoundError: no ``ngspice`` on PATH.
        AnalogError: ngspice refused the circuit, did not converge, took too long, or does not know a vector to save.
    """
    if which("ngspice") is None:
        raise ToolNotFoundError(f"'ngspice' is not on PATH: install it (Debian, Ubuntu: {INSTALL['ngspice']})")
    saves = [f".save {' '.join(save)}"] if save else []
    with tempfile.TemporaryDirectory(prefix="pyharness-") as folder:
        deck, raw = Path(folder, "deck.cir"), Path(folder, "deck.raw")
        control = []
        for number, library in enumerate(libraries):  # under a name that ngspice's command line cannot misread
            shutil.copyfile(library, Path(folder, f"{number}.osdi"))
            control.append(f"pre_osdi {number}.osdi")
        if control:  # one thread: OpenMP costs more than a few devices' evaluation
            control = [".control", *control, "set num_threads=1", ".endc"]
        lines = ["* batch run", *control, *circuit, analysis, *saves, ".end", ""]
        deck.write_text("\n".join(lines), encoding="utf-8")
        # -n: a user's start-up files must not change results
        command = ["ngspice", "-n", "-b", "-r", str(raw), str(deck)]
        logging.getLogger(__name__).info("%s", shlex.join(command))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            done = subprocess.run(
                command,
                capture_output=True, text=True, errors="replace", timeout=timeout_s, cwd=folder, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise AnalogError(
                f"ngspice did not finish within {timeout_s:g} s: simplify the circuit or allow more"
            ) from None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        output = done.stdout + done.stderr
        if done.returncode != 0 or not raw.exists() or _FATAL.search(output):
            raise AnalogError("ngspice failed:\n" + "\n".join(f"  ngspice: {line}" for line in _causes(output)[:8]))
        vectors = _read_raw(raw)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    absent = [name for name in save if name != "all" and name.lower() not in vectors]
    if absent:
        raise AnalogError(
            f"ngspice saved no {', '.join(absent)}; it has {', '.join(vectors)}: ask for nodes and sources of the circuit"
        )
    return BatchResult(vectors, cpu_s)
