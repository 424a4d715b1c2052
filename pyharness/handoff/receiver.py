# SPDX-License-Identifier: BSD-3-Clause
"""Run the benches of this archive and compare with what is expected.  Needs Python 3.9 or newer and the simulator, nothing else.

    python3 benches/run.py              both of the next
    python3 benches/run.py ngspice      the models as subcircuits, against expected currents
    python3 benches/run.py icarus       the controller on the behavioural view of the array (iverilog, vvp)
    python3 benches/run.py osdi         the models as OSDI libraries: an ngspice with OSDI, and a C compiler (CC, else cc)

Exit status: 0 all as expected; 1 something is not, or could not be run.  Writes to a temporary folder only.
"""

from __future__ import annotations

import csv
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPICE, ICARUS = ROOT / "benches" / "ngspice", ROOT / "benches" / "icarus"
LIMIT_S = 300


class BenchError(Exception):
    """A bench that could not be run, or did not find what is expected."""


def run(command: list[str], folder: Path) -> str:
    """Run a program in a folder and return what it printed."""
    environment = {"HOME": str(folder), **os.environ}  # without a home ngspice 39 crashes
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False
        )  # fmt: skip
    except FileNotFoundError:
        raise BenchError(f"'{command[0]}' is not on PATH: install it") from None
    except subprocess.TimeoutExpired:
        raise BenchError(f"{command[0]} did not end within {LIMIT_S} s") from None
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise BenchError(f"{command[0]} ended with status {done.returncode}:\n{text[-2000:]}")
    return text


def compare(printed: str, expected: Path) -> str:
    """Compare what ``.measure`` printed with a table; return a line about it."""
    found = dict(re.findall(r"^(\w+)\s+=\s+([-+0-9.eE]+)", printed, re.M))
    worst, count, faults = 0.0, 0, []
    with expected.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            wanted, name = float(row["expected_a"]), row["measure"]
            allowed = float(row["relative"]) * abs(wanted) + float(row["absolute_a"])
            count += 1
            share = abs(float(found[name]) - wanted) / allowed if name in found else math.inf
            worst = max(worst, share)
            if not share <= 1:
                faults.append(
                    f"{name}: expected {wanted:g} A, within {allowed:.2g} A, got {found.get(name, 'nothing')}"
                )
    if faults or not count:
        raise BenchError("; ".join(faults) or f"{expected.name} holds no expected values")
    return f"{count} values, the worst at {worst:.1%} of its tolerance"


def expected_of(deck: Path) -> Path:
    """Return the table that a deck names in its head."""
    named = re.search(r"^\* expected: (\S+)$", deck.read_text(encoding="utf-8"), re.M)
    if named is None:
        raise BenchError(f"{deck.name} does not name its table of expected values")
    return SPICE / named.group(1)


def ngspice_deck(deck: Path, folder: Path | None = None) -> str:
    """Run one deck; ``-n``: start-up files of the user change nothing."""
    return compare(run(["ngspice", "-n", "-b", str(deck.name)], folder or deck.parent), expected_of(deck))


def osdi_deck(deck: Path) -> str:
    """Compile a model and run its deck beside the library."""
    model = deck.parent.name
    source = ROOT / "generated" / "osdi" / f"{model}.c"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flags = ["-O2", "-ffp-contract=off", "-fPIC", "-shared", "-fvisibility=hidden", "-std=gnu11"]
        run([*os.environ.get("CC", "cc").split(), *flags, "-o", f"{model}.osdi", str(source), "-lm"], folder)
        (folder / deck.name).write_text(deck.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "probe.cir").write_text("* probe\n.control\nosdi\nquit\n.endc\nr1 a 0 1\n.end\n", encoding="ascii")
        if "no such command" in run(["ngspice", "-n", "-b", "probe.cir"], folder):
            raise BenchError("this ngspice has no OSDI: take one from 39 on that was built with it")
        return ngspice_deck(deck, folder)


def icarus_bench(folder: Path) -> str:
    """Program the array over AXI4-Lite; the bench compares the outcomes itself."""
    with tempfile.TemporaryDirectory() as name:
        program = Path(name) / "bench.vvp"
        sources = ["-c", "simulation.f", "bench/program_bench.v", "../benches/icarus/bench.v"]
        run(["iverilog", "-g2005", "-o", str(program), "-s", "bench", *sources], ROOT / "hdl")
        words = ["+pyh_writes=writes.txt", "+pyh_devices=devices.txt", "+pyh_expected=expected.txt"]
        lines = run(["vvp", "-n", str(program), *words], folder).strip().splitlines()
    if not lines or lines[-1] != "PASS":
        raise BenchError("\n  ".join(lines[-10:]) or "vvp printed nothing")
    return lines[0]


def main(names: list[str]) -> int:
    """Run the named benches; return the exit status."""
    loaders = ROOT / "loaders"
    decks = {
        "ngspice": [*sorted(SPICE.glob("*.cir")), *sorted(loaders.glob("*/ngspice_subcircuit.cir"))],
        "icarus": [ICARUS],
        "osdi": sorted(loaders.glob("*/ngspice_osdi.cir")),
    }
    how: dict[str, Callable[[Path], str]] = {"ngspice": ngspice_deck, "icarus": icarus_bench, "osdi": osdi_deck}
    unknown = [name for name in names if name not in decks]
    if unknown:
        print(f"there is no bench '{unknown[0]}': name {', '.join(decks)}, or none for the first two", file=sys.stderr)
        return 2
    failed = count = 0
    for name in names or ["ngspice", "icarus"]:
        if not decks[name]:
            failed += 1
            print(f"FAILED {name}: the archive holds no deck for it")
        for deck in decks[name]:
            count += 1
            try:
                print(f"ok     {deck.relative_to(ROOT)}: {how[name](deck)}")
            except (BenchError, OSError, ValueError, KeyError) as cause:
                failed += 1
                print(f"FAILED {deck.relative_to(ROOT)}: {cause}")
    print(f"FAIL: {failed} of {count} benches" if failed else f"PASS: {count} benches")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
