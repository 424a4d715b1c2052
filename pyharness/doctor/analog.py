# SPDX-License-Identifier: BSD-3-Clause
"""Analog tools tried on a toy: ngspice as library and as program, Xyce.

A probe returns what it saw; ToolNotFoundError says that the tool is missing, any other error that it is broken.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pyharness.cosim.libngspice import find_libngspice
from pyharness.doctor.circuits import RC, RC_ANALYSIS, check_rc
from pyharness.doctor.command import run, version_of
from pyharness.doctor.shared_library import SharedLibrary
from pyharness.errors import AnalogError
from pyharness.spice import run_batch

__all__ = ("code_models", "library", "library_version", "ngspice", "ngspice_version", "xyce", "xyce_version")


def library() -> str:
    """The RC toy in process."""
    path = find_libngspice()
    vectors = SharedLibrary(path).run(RC, RC_ANALYSIS, ["time", "out"])
    return f"{path}: {check_rc(*vectors)}"


def library_version() -> str | None:
    """Version that the library prints of itself."""
    loaded = SharedLibrary(find_libngspice())
    loaded.command("version")
    found = re.search(r"ngspice-(\S+)", "\n".join(loaded.messages))
    return found[1] if found else None


def ngspice() -> str:
    """The RC toy by ``ngspice -b``."""
    vectors = run_batch(RC, f".{RC_ANALYSIS}").vectors
    return check_rc(vectors["time"], vectors["v(out)"])


def ngspice_version() -> str | None:
    """Version of the program."""
    return version_of(r"ngspice-(\S+)", "ngspice", "--version")


def code_models() -> str:
    """A gain of two from XSPICE's analog models."""
    gain = ["v1 in 0 1", "a1 in out twice", ".model twice gain(gain=2)", "r1 out 0 1k"]
    (out_v,) = run_batch(gain, ".op").vectors["v(out)"]
    if abs(out_v - 2) > 1e-6:
        raise AnalogError(f"a gain of 2 gave {out_v:.9g} V from 1 V")
    return f"{out_v:.6f} V from 1 V"


def xyce() -> str:
    """The RC toy by Xyce."""
    Path("toy.cir").write_text(
        "\n".join(["* toy", *RC, f".{RC_ANALYSIS}", ".print tran format=noindex v(out)", ".end", ""])
    )
    run("Xyce", "toy.cir")
    rows = [line.split() for line in Path("toy.cir.prn").read_text().splitlines()]
    points = np.array([[float(word) for word in row] for row in rows if re.match(r"[-\d.]", row[0])])
    return check_rc(points[:, 0], points[:, 1])


def xyce_version() -> str | None:
    """Version of Xyce."""
    return version_of(r"(\d+\.\d[\w.]*)", "Xyce", "-v")
