# SPDX-License-Identifier: BSD-3-Clause
"""Compiled Verilog-A tried on a conductance: the C compiler, OpenVAF, and ngspice with OSDI.

A probe returns what it saw; ToolNotFoundError says that the tool is missing, any other error that it is broken.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

from pyharness.cosim.libngspice import find_libngspice, library_has_osdi
from pyharness.doctor.analog import ngspice_version
from pyharness.doctor.circuits import DIVIDER, check_divider
from pyharness.doctor.command import version_of
from pyharness.doctor.shared_library import SharedLibrary
from pyharness.doctor.toy import CONDUCTANCE
from pyharness.errors import AnalogError, ToolNotFoundError
from pyharness.spice import ngspice_has_osdi, run_batch
from pyharness.veriloga import compile_osdi, load_module, osdi_compiler

__all__ = ("c_compiler", "c_compiler_version", "library_osdi", "openvaf", "openvaf_version", "program_osdi")


def c_compiler() -> str:
    """The conductance as C, compiled and loaded."""
    return _loaded(compile_osdi(load_module(CONDUCTANCE), Path("toy.osdi")))


def c_compiler_version() -> str | None:
    """First line that the compiler prints of itself."""
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    return version_of(r"(.+)", *compiler.split(), "--version")


def openvaf() -> str:
    """The conductance compiled by OpenVAF, and run where ngspice takes it."""
    compiler = osdi_compiler()
    if compiler is None:
        raise ToolNotFoundError("neither 'openvaf-r' nor 'openvaf' is on PATH")
    compiled = compile_osdi(load_module(CONDUCTANCE), Path("toy.osdi"), openvaf=compiler)
    seen = _loaded(compiled)
    return f"{seen}; {_divided(compiled)}" if ngspice_has_osdi() else f"{seen}; not run: this ngspice has no OSDI"


def openvaf_version() -> str | None:
    """Version of OpenVAF's compiler."""
    return version_of(r"(\d[\w.+-]*)", osdi_compiler() or "openvaf", "--version")


def program_osdi() -> str:
    """The compiled conductance in ``ngspice -b``."""
    version = ngspice_version()
    if version is None:
        raise ToolNotFoundError("'ngspice' is not on PATH")
    if not ngspice_has_osdi():
        raise ToolNotFoundError(f"ngspice {version} is built without OSDI")
    return _divided(compile_osdi(load_module(CONDUCTANCE), Path("toy.osdi")))


def library_osdi() -> str:
    """The compiled conductance in process."""
    path = find_libngspice()
    if not library_has_osdi(path):
        raise ToolNotFoundError(f"{path} is built without OSDI")
    compiled = compile_osdi(load_module(CONDUCTANCE), Path("toy.osdi"))
    (out,) = SharedLibrary(path).run(DIVIDER, "op", ["out"], [compiled])
    return check_divider(out[0])


def _loaded(compiled: Path) -> str:
    """Load an OSDI library as a simulator would and return the interface that it states."""
    try:
        osdi = ctypes.CDLL(str(compiled.resolve()))
        major, minor, models = (
            ctypes.c_uint32.in_dll(osdi, f"OSDI_{name}").value
            for name in ("VERSION_MAJOR", "VERSION_MINOR", "NUM_DESCRIPTORS")
        )
    except (OSError, ValueError) as cause:
        raise AnalogError(f"the compiled toy is no OSDI library: {cause}") from None
    if models != 1:
        raise AnalogError(f"the compiled toy holds {models} models, not 1")
    return f"a library of OSDI {major}.{minor} with its model"


def _divided(compiled: Path) -> str:
    (out_v,) = run_batch(DIVIDER, ".op", libraries=[compiled]).vectors["v(out)"]
    return check_divider(float(out_v))
