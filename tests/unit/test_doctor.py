# SPDX-License-Identifier: BSD-3-Clause
"""What ``pyharness doctor`` says of this machine, and of tools that are hidden, wrong, crash or hang."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from shutil import which

import pytest

from pyharness.cosim.engine import Engine
from pyharness.cosim.libngspice import find_libngspice, library_has_osdi
from pyharness.cosim.simulate import VERILATOR, simulate
from pyharness.doctor import CAPABILITIES, Finding, Findings, choose, examine
from pyharness.doctor.circuits import check_divider, check_rc
from pyharness.doctor.toy import lfsr_state
from pyharness.errors import AnalogError, ConfigError, ToolNotFoundError
from pyharness.install import INSTALL
from pyharness.spice import ngspice_has_osdi, run_batch

NEEDS = ("iverilog", "libngspice0", "ngspice", "verilator")
ROOT = Path(__file__).parents[2]
REQUIRED = ["packages", "engine", "ngspice-library", "icarus", "cocotb", "coupling"]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def fake(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def found(name: str, limit_s: float = 120.0) -> Finding:
    (finding,) = examine(choose([name]), limit_s, lambda title, over: None).capabilities
    return finding


def command(*words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "pyharness", "doctor", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # what runs in a shell's background is deaf to it, and hands that down
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def doctor(*words: str, **environment: str) -> tuple[int, str, str]:
    """Return exit status, standard output and standard error of the command."""
    with command(*words, **environment) as process:
        out, err = process.communicate(timeout=600)
    return process.returncode, out, err


def gone(pid_file: Path) -> bool:
    """Whether the process that wrote its number into a file ends within ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        status = Path("/proc", pid_file.read_text().strip(), "stat")
        if not status.exists() or ") Z " in status.read_text():
            return True
        time.sleep(0.05)
    return False


def test_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every verdict is what the machine has by other signs; one JSON document; nothing is left anywhere."""
    places = {name: tmp_path / name for name in ("HOME", "TMPDIR", "here")}
    for place in places.values():
        place.mkdir()
    places["here"].chmod(0o555)
    monkeypatch.chdir(places["here"])
    status, out, err = doctor(
        "--json", HOME=str(places["HOME"]), TMPDIR=str(places["TMPDIR"]), XDG_CACHE_HOME=str(places["HOME"])
    )
    findings = Findings.model_validate_json(out)
    assert (status, findings.works, err) == (0, True, ""), out
    assert [list(place.iterdir()) for place in places.values()] == [[], [], []]
    told = subprocess.run(["verilator", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.findall(r"\d+", told)
    there = {
        "c-compiler": which("cc") is not None,
        "osdi": library_has_osdi(find_libngspice()),
        "osdi-program": ngspice_has_osdi(),
        "openvaf": bool(which("openvaf") or which("openvaf-r")),
        "verilator-cocotb": (int(version[0]), int(version[1])) >= VERILATOR,
        "xyce": which("Xyce") is not None,
        "gtkwave": which("gtkwave") is not None,
        "surfer": which("surfer") is not None,
    }
    verdicts = {one.name: one.verdict for one in findings.capabilities}
    assert verdicts == {one.name: "works" if there.get(one.name, True) else "missing" for one in CAPABILITIES}
    assert [one.name for one in findings.capabilities if one.required] == REQUIRED
    versions = {one.name: one.version for one in findings.capabilities}
    assert versions["verilator"] == told.split()[1]
    assert versions["icarus"] and versions["ngspice"] and versions["ngspice"] == versions["ngspice-library"]
    assert all(one.seen and one.ran and one.install for one in findings.capabilities)
    assert findings.environment.cpus >= 1
    assert (findings.environment.memory_available_bytes or 1) < (findings.environment.memory_bytes or 2)


def test_the_answer_has_a_schema() -> None:
    """Printed by the module, and strict: a document with another key, or verdict, is none."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pyharness.doctor.findings"], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert json.loads(done.stdout) == Findings.model_json_schema()
    data = examine([], 1.0, lambda title, over: None).model_dump()
    assert Findings.model_validate(data).capabilities == []
    for wrong in ({"more": 1}, {"schema_version": 2}):
        with pytest.raises(ValueError):
            Findings.model_validate({**data, **wrong})


def test_the_table() -> None:
    """Names are unique, functions exist, and what the set-up installs is what the lines of required tools name."""
    names = [one.name for one in CAPABILITIES]
    assert len(set(names)) == len(names)
    for one in CAPABILITIES:
        for function in filter(None, (one.probe, one.version)):
            module, _, attribute = function.partition(".")
            assert callable(getattr(import_module(f"pyharness.doctor.{module}"), attribute))
    (listed,) = re.findall(r"^packages=\((.*)\)", (ROOT / "tools/system-packages").read_text(), re.M)
    for one in CAPABILITIES:
        if one.required:
            packages = re.findall(r"apt-get install ([\w\s-]*[\w-])", one.install)
            assert set(" ".join(packages).split()) <= set(listed.split())


def test_messages_name_the_same_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run says of a missing tool is what the doctor says."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, install in (("ngspice", INSTALL["ngspice"]), ("icarus", INSTALL["iverilog"])):
        finding = found(name)
        assert (finding.verdict, finding.install) == ("missing", install)
    with pytest.raises(ToolNotFoundError, match=re.escape(INSTALL["ngspice"])):
        run_batch(["r1 a 0 1"], ".op")
    with pytest.raises(ToolNotFoundError, match=re.escape(INSTALL["iverilog"])):
        simulate([], "none", "none", tmp_path)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(ToolNotFoundError, match=re.escape(INSTALL["engine"])):
        Engine()


def test_a_hidden_required_tool_ends_with_1(tmp_path: Path) -> None:
    """With its line, and nothing but JSON on standard output."""
    status, out, err = doctor("icarus", "surfer", "--json", PATH=str(tmp_path))
    findings = Findings.model_validate_json(out)
    assert (status, findings.works) == (1, False)
    assert [one.verdict for one in findings.capabilities] == ["missing", "missing"]
    assert (
        err
        == "pyharness: make sim needs what does not work here: Icarus Verilog is missing (apt-get install iverilog)\n"
    )


def test_a_hidden_optional_tool_ends_with_0(tmp_path: Path) -> None:
    """Told in words, with what serves instead."""
    status, out, err = doctor("openvaf", "surfer", PATH=str(tmp_path))
    assert status == 0
    # how far it is, and no message
    assert all(line.startswith("examining, ") for line in err.splitlines())
    assert "OpenVAF: missing (optional: OSDI libraries by another compiler)" in out
    assert [line.split()[:2] for line in out.splitlines()[2:4]] == [["missing", "OpenVAF"], ["missing", "Surfer"]]
    assert "instead: pyharness's own C and the C compiler" in out
    assert "install: no package of Debian, Ubuntu or PyPI" in out


def test_an_unknown_name_is_told() -> None:
    """With all that there are."""
    with pytest.raises(ConfigError, match=r"must be one of packages, engine, .*, surfer, got 'nosuch'"):
        choose(["icarus", "nosuch"])


COMPILES_NOTHING = 'case $1 in -V) echo "Icarus Verilog version 99.0 (fake)";; *) while [ "$1" != -o ]; do shift; done; echo : > $2;; esac'


@pytest.mark.parametrize(
    ("name", "tool", "text", "seen"),
    [
        ("icarus", "iverilog", "echo no licence; exit 1", "iverilog ended with status 1: no licence"),
        ("icarus", "iverilog", COMPILES_NOTHING, "vvp "),
        ("icarus", "vvp", "echo state 1", "vvp printed 'state 1', not 'state "),
        ("cocotb", "vvp", "exit 3", "the simulator ended without results"),
        ("coupling", "iverilog", "exit 1", "does not compile"),
        ("ngspice", "ngspice", "exit 0", "ngspice failed"),
        ("verilator-lint", "verilator", "exit 0", "nothing against nine bits in eight"),
        ("verilator", "verilator", "echo Verilator 5.900; exit 1", "verilator ended with status 1: Verilator 5.900"),
        ("verilator-cocotb", "verilator", "echo Verilator 5.900; exit 1", "'lfsr' does not compile"),
        ("formal", "yices-smt2", "exit 1", "did not find the state"),
        ("openvaf", "openvaf-r", "exit 1", "openvaf-r could not compile"),
        ("openvaf", "openvaf", "echo > $2", "no OSDI library"),
        ("xyce", "Xyce", "exit 127", "Xyce ended with status 127"),
    ],
)  # fmt: skip
def test_a_broken_tool_is_told(tools: Path, name: str, tool: str, text: str, seen: str) -> None:
    """Never as missing, never as working."""
    fake(tools, tool, text)
    finding = found(name)
    assert finding.verdict == "broken", finding
    assert seen in finding.seen


def test_a_wrong_version_is_still_told(tools: Path) -> None:
    """What a tool says of itself is worth nothing if it compiles wrongly."""
    fake(tools, "iverilog", COMPILES_NOTHING)
    finding = found("icarus")
    assert (finding.version, finding.verdict) == ("99.0", "broken")


def test_a_verilator_too_old_for_cocotb_is_missing(tools: Path) -> None:
    """With the version that is asked for, whatever the machine has."""
    fake(tools, "verilator", "echo Verilator 5.006 2022-10-29")
    finding = found("verilator-cocotb")
    assert (finding.verdict, finding.version, finding.required) == ("missing", "5.006", False)
    assert "cocotb needs Verilator 5.036 or newer, found Verilator 5.006" in finding.seen


def test_a_wrong_number_is_told(tools: Path) -> None:
    """From an ngspice that takes the capacitor for twice its size."""
    fake(tools, "ngspice", f'for last; do :; done; sed -i "s/ 1n / 2n /" "$last"; exec {which("ngspice")} "$@"')
    finding = found("ngspice")
    assert finding.verdict == "broken"
    assert re.search(r"is 0\.\d+ V off its closed form, 1 mV is allowed", finding.seen)


def test_a_hanging_tool_is_ended(tools: Path) -> None:
    """With its children; what it had told before is kept, and another capability is not held up."""
    hang = f'case $1 in -V) echo "Icarus Verilog version 98.0 ()";; *) sleep 600 & echo $! > {tools}/pid; wait;; esac'
    fake(tools, "iverilog", hang)
    fake(tools, "surfer", "echo surfer 0.4.0")
    icarus, surfer = examine(choose(["icarus", "surfer"]), 10.0, lambda title, over: None).capabilities
    assert (icarus.verdict, icarus.version, surfer.verdict) == ("broken", "98.0", "works")
    assert icarus.seen == "did not end within 10 s and was ended; on a busy machine raise --limit"
    assert gone(tools / "pid")


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_ended_doctor_leaves_nothing(tools: Path, sent: signal.Signals, status: int) -> None:
    """Neither processes nor files."""
    temporary = tools / "temporary"
    temporary.mkdir()
    fake(tools, "iverilog", f"sleep 600 & echo $! > {tools}/part; mv {tools}/part {tools}/pid; wait")
    with command("icarus", TMPDIR=str(temporary)) as process:
        while not (tools / "pid").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(sent)
        process.communicate(timeout=60)
    assert process.returncode == status
    assert gone(tools / "pid")
    assert list(temporary.iterdir()) == []


def compiled(folder: Path, source: str) -> str:
    (folder / "fake.c").write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "fake.so", folder / "fake.c"], check=True)
    return str(folder / "fake.so")


def test_a_library_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no library, another library, one that crashes: each by its own words; the doctor lives on."""
    text = tmp_path / "text"
    text.write_text("no library")
    crash = compiled(tmp_path, "__attribute__((constructor)) static void at_load(void) { *(volatile int *)0 = 1; }")
    for path, verdict, seen in (
        (str(tmp_path / "none"), "missing", "which is not a file"),
        (str(text), "broken", "cannot load the ngspice library"),
        (str(next(Path(Engine()._name).parent.glob("_engine*.so"))), "broken", "is not an ngspice shared library"),
        (crash, "broken", "the process that tried it was ended by SIGSEGV"),
    ):
        monkeypatch.setenv("NGSPICE_LIBRARY_PATH", path)
        finding = found("ngspice-library")
        assert (finding.verdict, finding.required) == (verdict, True), finding
        assert seen in finding.seen
        assert finding.install == "apt-get install libngspice0"


def test_the_c_compiler_is_the_one_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """By ``$CC``: none, or one that fails."""
    for compiler, verdict in (("nosuchcompiler", "missing"), ("false", "broken")):
        monkeypatch.setenv("CC", compiler)
        assert found("c-compiler").verdict == verdict


def test_openvaf_and_xyce_can_work(tools: Path) -> None:
    """Stand-ins that do what they should are believed: the doctor asks for the result alone."""
    python = f"#!{sys.executable}\nimport sys\nsys.path[:0] = [{str(ROOT)!r}]\n"
    compile_it = "from pathlib import Path\nfrom pyharness.veriloga import compile_osdi, load_module\n"
    fake(tools, "openvaf-r", f"{python}{compile_it}compile_osdi(load_module(Path(sys.argv[3])), Path(sys.argv[2]))")
    assert "a library of OSDI 0.3 with its model" in found("openvaf").seen
    solve = "from math import exp\nassert 'c1 out 0 1n ic=0' in open(sys.argv[1]).read()\n"
    rows = "rows = [f'{t * 1e-8:.8e} {1 - exp(-t * 1e-2 * SCALE):.8e}' for t in range(301)]\n"
    write = (
        "open(f'{sys.argv[1]}.prn', 'w').write('\\n'.join(['TIME V(OUT)', *rows, 'End of Xyce(TM) Simulation', '']))"
    )
    for scale, verdict in (("1", "works"), ("1.1", "broken")):
        fake(tools, "Xyce", f"{python}if sys.argv[1] == '-v': sys.exit()\n{solve}{rows.replace('SCALE', scale)}{write}")
        assert found("xyce").verdict == verdict


def test_viewers_are_not_opened(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are asked for their version, without a screen to open a window on."""
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    for viewer in ("gtkwave", "surfer"):
        told = f'echo "$@ $DISPLAY$WAYLAND_DISPLAY" >> {tools}/calls; echo "surfer 0.4.0"; echo "GTKWave Analyzer v0.4.0 x"'
        fake(tools, viewer, told)
        finding = found(viewer)
        assert (finding.verdict, finding.version, finding.seen) == ("works", "0.4.0", f"{tools}/{viewer}; not opened")
    assert (tools / "calls").read_text().split() == ["--version", "--version"]


def test_toys_are_held_to_their_answers() -> None:
    """Numbers that are off, or too few, are refused; the register runs through all 255 states."""
    import numpy as np

    time_s = np.linspace(0, 3e-6, 301)
    check_rc(time_s, 1 - np.exp(-time_s / 1e-6))
    for points, scale in ((301, 1.01), (50, 1.0), (301, np.nan)):
        with pytest.raises(AnalogError, match="the RC toy"):
            check_rc(time_s[:points], scale * (1 - np.exp(-time_s[:points] / 1e-6)))
    check_divider(1 / 3)
    with pytest.raises(AnalogError, match=r"gave 0\.5 V, not 1/3 V"):
        check_divider(0.5)
    assert len({lfsr_state(clocks) for clocks in range(255)}) == 255
    assert lfsr_state(255) == lfsr_state(0) == 1


def test_no_place_for_temporary_files_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error of the user's, not a traceback."""
    monkeypatch.setattr(tempfile, "tempdir", "/nosuchfolder")
    with pytest.raises(ConfigError, match=r"no folder for temporary files: .*: set TMPDIR"):
        found("surfer")
