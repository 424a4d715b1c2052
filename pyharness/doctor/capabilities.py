# SPDX-License-Identifier: BSD-3-Clause
"""What there is to examine, in the order of the answer."""

from __future__ import annotations

from dataclasses import dataclass

from pyharness.install import INSTALL

__all__ = ("CAPABILITIES", "Capability")

_NO_SPICE = "engine: behavioural or engine: numpy in the configuration, without SPICE"
_NO_SIMULATOR = "engine: numpy in the configuration, without a simulator"


@dataclass(frozen=True)
class Capability:
    """One thing that a tool must be able to do.

    Attributes:
        needed_for: what of pyharness asks for it.
        ran: what the probe does.
        instead: what serves without it; None: nothing.
        install: the line that installs it, or where it comes from.
        probe: function of this package that tries it, ``module.function``; imported where it runs, and there alone.
        required: ``make sim`` needs it.
        version: function that tells the version.
    """

    name: str
    title: str
    needed_for: str
    ran: str
    instead: str | None
    install: str
    probe: str
    version: str | None = None
    required: bool = False


CAPABILITIES = (
    Capability(
        "packages", "Python packages", "everything", "import of each", None, INSTALL["python packages"], "python.packages", required=True
    ),
    Capability(
        "engine", "engine of the coupling", "make sim", "load, and a call that must be refused outside a simulator", _NO_SPICE,
        INSTALL["engine"], "python.engine", required=True,
    ),
    Capability(
        "ngspice-library", "ngspice in process", "make sim", "RC low-pass through the library, against its closed form", _NO_SPICE,
        INSTALL["libngspice"], "analog.library", "analog.library_version", required=True,
    ),
    Capability(
        "icarus", "Icarus Verilog", "make sim", "shift register by iverilog and vvp", _NO_SIMULATOR,
        INSTALL["iverilog"], "digital.icarus", "digital.icarus_version", required=True,
    ),
    Capability(
        "cocotb", "cocotb in vvp", "make sim", "test of a shift register by VPI", _NO_SIMULATOR,
        f"{INSTALL['iverilog']} {INSTALL['libpython'].rpartition(' ')[2]}", "coupled.cocotb", "coupled.cocotb_version", required=True,
    ),
    Capability(
        "coupling", "vvp and ngspice coupled", "make sim", "RC self-test of 20 edges", _NO_SPICE,
        f"{INSTALL['iverilog']} {INSTALL['libngspice'].rpartition(' ')[2]}", "coupled.coupling", required=True,
    ),
    Capability(
        "ngspice", "ngspice program", "pyharness qa, tests", "RC low-pass by ngspice -b, against its closed form", None,
        INSTALL["ngspice"], "analog.ngspice", "analog.ngspice_version",
    ),
    Capability(
        "code-models", "XSPICE code models", "circuits of your own that use them", "gain of two by ngspice -b", "B sources",
        INSTALL["ngspice"], "analog.code_models", "analog.ngspice_version",
    ),
    Capability(
        "c-compiler", "C compiler", "OSDI libraries without OpenVAF", "conductance in Verilog-A as C, compiled and loaded",
        "subcircuits of B sources (or OpenVAF)", INSTALL["c compiler"], "compiled.c_compiler", "compiled.c_compiler_version",
    ),
    Capability(
        "osdi", "OSDI in ngspice's library", "compiled models in make sim", "divider with a compiled conductance, in process",
        "subcircuits of B sources", INSTALL["osdi"], "compiled.library_osdi", "analog.library_version",
    ),
    Capability(
        "osdi-program", "OSDI in the ngspice program", "pyharness qa of compiled models", "divider with a compiled conductance, by ngspice -b",
        "subcircuits of B sources", INSTALL["osdi"], "compiled.program_osdi", "analog.ngspice_version",
    ),
    Capability(
        "openvaf", "OpenVAF", "OSDI libraries by another compiler", "conductance in Verilog-A compiled and loaded",
        "pyharness's own C and the C compiler", INSTALL["openvaf"], "compiled.openvaf", "compiled.openvaf_version",
    ),
    Capability(
        "verilator-lint", "Verilator's lint", "make lint, tests", "clean Verilog, and a wrong width", "iverilog -Wall, which tells less",
        INSTALL["verilator"], "digital.verilator_lint", "digital.verilator_version",
    ),
    Capability(
        "verilator", "Verilator", "line coverage in the tests", "shift register translated, compiled and run", "Icarus Verilog",
        INSTALL["verilator build"], "digital.verilator", "digital.verilator_version",
    ),
    Capability(
        "verilator-cocotb", "cocotb in Verilator", "the coupling with simulator='verilator'", "test of a shift register by VPI",
        "Icarus Verilog", INSTALL["verilator cocotb"], "coupled.cocotb_in_verilator", "digital.verilator_version",
    ),
    Capability(
        "yosys", "Yosys", "synthesis in the tests", "shift register into gates and flip-flops", None,
        INSTALL["yosys"], "digital.yosys", "digital.yosys_version",
    ),
    Capability(
        "formal", "SymbiYosys and a solver", "proofs in the tests", "bounded search for a state of a shift register", None,
        INSTALL["formal"], "digital.formal", "digital.formal_version",
    ),
    Capability(
        "dask", "Dask, local", "pyharness study", "task on a local worker", None,
        INSTALL["python packages"], "python.dask", "python.dask_version",
    ),
    Capability(
        "numba", "Numba", "engine: numpy", "loop in machine code", "engine: behavioural",
        INSTALL["python packages"], "python.numba", "python.numba_version",
    ),
    Capability(
        "xyce", "Xyce", "circuits of your own", "RC low-pass, against its closed form", "ngspice",
        INSTALL["xyce"], "analog.xyce", "analog.xyce_version",
    ),
    Capability(
        "gtkwave", "GTKWave", "looking at waves.vcd", "looked for", "any viewer of VCD",
        INSTALL["gtkwave"], "digital.gtkwave", "digital.gtkwave_version",
    ),
    Capability(
        "surfer", "Surfer", "looking at waves.vcd", "looked for", "any viewer of VCD",
        INSTALL["surfer"], "digital.surfer", "digital.surfer_version",
    ),
)  # fmt: skip
