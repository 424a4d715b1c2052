# SPDX-License-Identifier: BSD-3-Clause
"""The receiver's benches, run from an unpacked archive as the receiver does: they pass, and they notice damage."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyharness.handoff.verify import verify
from pyharness.spice import ngspice_has_osdi

NEEDS = ("iverilog", "ngspice")


def run(folder: Path, *names: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the benches without anything of pyharness in reach."""
    environment = {"PATH": os.environ["PATH"] if path is None else path, "LC_ALL": "C"}
    return subprocess.run(
        [sys.executable, "-I", folder / "benches" / "run.py", *names], cwd=folder.parent, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def only(folder: Path, deck: str) -> None:
    """Leave one deck in the ngspice bench: the others have nothing to do with the test."""
    for path in [*folder.glob("benches/ngspice/*.cir"), *folder.glob("loaders/*/ngspice_subcircuit.cir")]:
        if path.relative_to(folder).as_posix() != deck:
            path.unlink()


def test_all_as_expected(folder: Path) -> None:
    """One command, a path with a space, a folder that cannot be written; nothing is left in it."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "PASS: 12 benches"
    assert all(line.startswith("ok ") for line in lines[:-1])
    shares = [float(share) for share in re.findall(r"worst at ([0-9.]+)% of its tolerance", done.stdout)]
    assert len(shares) == 11
    assert max(shares) < 50  # the tolerance has room for other simulators
    verify(folder)
    subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "MANIFEST.sha256"], cwd=folder, check=True)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)


@pytest.mark.parametrize("deck", ["benches/ngspice/vteam.cir", "loaders/vteam/ngspice_subcircuit.cir"])
def test_altered_currents_are_noticed(folder: Path, deck: str) -> None:
    """One value by 2 %: the bench's deck and the loader's."""
    only(folder, deck)
    table = folder / "benches" / "ngspice" / "vteam.csv"
    rows = table.read_text().splitlines()
    name, time_s, value, *others = rows[3].split(",")
    table.write_text(
        "\n".join([*rows[:3], ",".join([name, time_s, f"{float(value) * 1.02:.6e}", *others]), *rows[4:], ""])
    )
    done = run(folder, "ngspice")
    assert done.returncode == 1
    assert re.search(rf"FAILED {deck}: {name}: expected", done.stdout)
    assert done.stdout.splitlines()[-1] == "FAIL: 1 of 1 benches"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x1 p 0", "x1 0 p"),  # the other polarity
        ("rs in a 5110.0", "rs in a 5200.0"),
        (".measure tran top", "* .measure tran top"),  # a value that is not there is not a value that is right
        ("vteam.sub", "absent.sub"),
    ],
)
def test_a_damaged_deck_is_noticed(folder: Path, old: str, new: str) -> None:
    """Polarity, resistor, a measure left out, a file that is not there."""
    only(folder, "benches/ngspice/vteam.cir")
    deck = folder / "benches" / "ngspice" / "vteam.cir"
    text = deck.read_text()
    assert old in text
    deck.write_text(text.replace(old, new))
    done = run(folder, "ngspice")
    assert done.returncode == 1, done.stdout
    assert "FAILED" in done.stdout


def test_no_deck_is_no_success(folder: Path) -> None:
    """An empty bench fails."""
    only(folder, "")
    done = run(folder, "ngspice")
    assert done.returncode == 1 and "holds no deck" in done.stdout


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("benches/icarus/expected.txt", "0 478 ", "0 479 ", "device 0: expected target 479"),
        ("benches/icarus/expected.txt", " 2 1\n", " 3 1\n", "expected target 478, code 474, 3 pulses"),
        ("benches/icarus/expected.txt", "5 795 788 10 1\n", "", "has no line for it"),
        ("benches/icarus/devices.txt", "2472.4588621049875", "2000.0", "expected"),
        ("benches/icarus/writes.txt", "80 c8\n", "80 d8\n", "expected"),
        ("hdl/pulse_timer.v", "count_q <=", "count_q <= 1 +", "FAIL"),
        ("hdl/analog/device_model.vh", "0.0001129", "0.0001229", "expected"),
        ("hdl/write_verify.v", "endmodule", "", "iverilog ended with status"),
    ],
)
def test_damage_to_the_digital_side_is_noticed(folder: Path, name: str, old: str, new: str, told: str) -> None:
    """Expected values, tables, register values, RTL, equations."""
    text = (folder / name).read_text()
    if name == "hdl/pulse_timer.v":
        old, new = next(
            (a, a.replace("<= ", "<= 1'b1 + "))
            for a in re.findall(r"\w+_q <= cycles[^;]*;|\w+ <= \w*cycles\w*[^;]*;", text)
        )
    if name == "hdl/analog/device_model.vh":
        old, new = next(
            (a, str(float(a) * 1.05)) for a in re.findall(r"\b\d\.\d{4,}(?:e-\d+)?\b", text.split("function", 1)[1])
        )
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    done = run(folder, "icarus")
    assert done.returncode == 1, done.stdout
    assert told in done.stdout
    assert done.stdout.splitlines()[-1] == "FAIL: 1 of 1 benches"


def test_without_simulators(folder: Path, tmp_path: Path) -> None:
    """What could not be run did not pass."""
    done = run(folder, path=str(tmp_path / "nothing"))
    assert done.returncode == 1
    assert "'ngspice' is not on PATH" in done.stdout
    assert "'iverilog' is not on PATH" in done.stdout
    assert done.stdout.splitlines()[-1] == "FAIL: 12 of 12 benches"


def test_an_unknown_bench(folder: Path) -> None:
    """Is wrong usage."""
    done = run(folder, "spectre")
    assert done.returncode == 2 and "there is no bench 'spectre'" in done.stderr


def test_osdi_libraries_from_the_archive(folder: Path) -> None:
    """The C sources compile from the archive's own files; an ngspice with OSDI finds the same currents, one without says so."""
    done = run(folder, "osdi")
    if ngspice_has_osdi():
        assert done.returncode == 0, done.stdout
        assert done.stdout.splitlines()[-1] == "PASS: 3 benches"
    else:
        assert done.returncode == 1
        assert done.stdout.count("this ngspice has no OSDI") == 3, done.stdout
    verify(folder)


def test_osdi_needs_its_source(folder: Path) -> None:
    """A C source that does not compile is told."""
    source = folder / "generated" / "osdi" / "vteam.c"
    source.write_text(source.read_text() + "int broken(\n")
    done = run(folder, "osdi")
    assert done.returncode == 1
    assert "FAILED loaders/vteam/ngspice_osdi.cir: cc ended with status" in done.stdout


@pytest.mark.parametrize("card", ["carbon", "tin", "tungsten"])
def test_another_card_in_the_behavioural_view(folder: Path, tmp_path: Path, card: str) -> None:
    """By ``iverilog -c`` from the archive's files alone, as its README says."""
    own = tmp_path / "own"
    own.mkdir()
    shutil.copyfile(folder / "generated" / "verilog" / f"{card}.vh", own / "device_model.vh")
    sources = ["-c", "simulation.f", "bench/program_bench.v", "../benches/icarus/bench.v"]
    for include in ([f"-I{own}"], []):
        program = tmp_path / f"{len(include)}.vvp"
        command = [
            "iverilog",
            "-g2005",
            "-Wall",
            "-Wno-timescale",
            *include,
            "-o",
            str(program),
            "-s",
            "bench",
            *sources,
        ]
        done = subprocess.run(command, cwd=folder / "hdl", capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert (tmp_path / "1.vvp").read_bytes() != (tmp_path / "0.vvp").read_bytes()
