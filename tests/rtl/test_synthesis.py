# SPDX-License-Identifier: BSD-3-Clause
"""Synthesis of the controller by Yosys (generic cells): no latch, no loop, no conflict of drivers, and its size as expected.

``synthesis.yaml`` holds the cells and flip-flops of each module; the run leaves what it counted, with Yosys' log, in
``build/synthesis``.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pyharness.resources import hdl_dir

HERE = Path(__file__).parent
REPORT = HERE.parents[1] / "build" / "synthesis"
EXPECTED: dict[str, dict[str, int]] = yaml.safe_load((HERE / "synthesis.yaml").read_text())
SPREAD = {"cells": 0.2, "flip_flops": 0.0}
"""How far a count may lie off the table.  The cells of one unchanged module were 1439 and 1640: what abc makes of it follows
from more than the module.  Flip-flops are what the source says."""

CHECKS = [
    "check -assert",  # undriven wires, several drivers, combinational loops
    "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr t:$sr t:$_DLATCH* t:$_SR*",
    "select -assert-none t:$dffsr t:$_DFFSR* t:$aldff t:$aldffe t:$_ALDFF*",  # flip-flops that load or set and reset at will
]


def yosys(commands: list[str], log: Path) -> tuple[bool, str]:
    """Run commands of Yosys in a process of its own, for an error ends it; return whether all succeeded, and the log."""
    code = "import sys; from pyosys import libyosys\nfor command in sys.argv[1:]: libyosys.run_pass(command)"
    with log.open("w") as stream:
        done = subprocess.run(
            [sys.executable, "-c", code, *commands], cwd=hdl_dir(), stdout=stream, stderr=subprocess.STDOUT, check=False
        )
    return done.returncode == 0, log.read_text()


def read(size: tuple[int, int, int, int] | None = None) -> list[str]:
    """Return the commands that read the controller, with the rows and columns of both layers set."""
    sources = " ".join((hdl_dir() / "accelerator.f").read_text().split())
    names = ("L1_ROWS", "L1_COLS", "L2_ROWS", "L2_COLS")
    parameters = [f"-chparam {name} {value}" for name, value in zip(names, size or (), strict=bool(size))]
    return [
        f"read_verilog -DSYNTHESIS {sources}",
        f"hierarchy -check -top accelerator {' '.join(parameters)}",
        "proc",
    ]


def counts(statistics: dict[str, dict[str, dict[str, dict[str, int]]]]) -> dict[str, dict[str, int]]:
    """Return cells (without instances of modules) and flip-flops of each module and of the whole."""
    result = {}
    for name, module in (*statistics["modules"].items(), ("total", statistics["design"])):
        primitives = {
            kind: int(number) for kind, number in module["num_cells_by_type"].items() if kind.startswith("$_")
        }
        plain = re.sub(r"^(\$paramod(\$\w+)?)?\\?(\w+).*", r"\3", name)
        flip_flops = sum(number for kind, number in primitives.items() if "DFF" in kind)
        result[plain] = {"cells": sum(primitives.values()), "flip_flops": flip_flops}
    return result


def test_synthesis() -> None:
    """Every module becomes gates and flip-flops of about the expected number, and the flattened whole passes the checks."""
    REPORT.mkdir(parents=True, exist_ok=True)
    statistics = REPORT / "statistics.json"
    passed, log = yosys(
        [
            *(*read(), *CHECKS, "synth -top accelerator", *CHECKS),
            f"tee -q -o {os.path.relpath(statistics, hdl_dir())} stat -json",
            *("flatten", "opt -fast", *CHECKS),
        ],
        REPORT / "yosys.log",
    )
    assert passed, log[-3000:]
    measured = counts(json.loads(statistics.read_text()))
    (REPORT / "modules.json").write_text(json.dumps(measured, indent=2) + "\n")
    assert measured.keys() == EXPECTED.keys()
    for name, expected in EXPECTED.items():
        for what, number in expected.items():
            assert abs(measured[name][what] - number) <= SPREAD[what] * number, (
                f"{name} has {measured[name][what]} {what}, synthesis.yaml says {number}: if that is meant, change it there"
            )


def test_readme_shows_the_table() -> None:
    """hdl/README.md has the figures of synthesis.yaml."""
    readme = (hdl_dir() / "README.md").read_text()
    for name, figures in yaml.safe_load((HERE / "synthesis.yaml").read_text()).items():
        assert f"| {name} | {figures['cells']} | {figures['flip_flops']} |" in readme


@pytest.mark.parametrize("size", [(1, 1, 1, 1), (64, 10, 10, 1), (2, 32, 32, 1), (32, 32, 32, 31)])
def test_checks_at_other_sizes(tmp_path: Path, size: tuple[int, int, int, int]) -> None:
    """No latch, loop or conflict at the smallest and largest sizes either, before gates are made of it."""
    passed, log = yosys([*read(size), *CHECKS, "flatten", *CHECKS], tmp_path / "yosys.log")
    assert passed, log[-3000:]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("always @(*) if (a) q = b;", "t:$dlatch"),
        ("always @(posedge a or posedge b) if (b) q <= c; else q <= 0;", "t:$aldff"),
        ("wire x; assign x = b ? !x : a; always @(*) q = x;", "found logic loop"),
        ("wire x; assign x = a; assign x = b; always @(*) q = x;", "multiple conflicting drivers"),
        ("wire x; always @(*) q = x;", "used but has no driver"),
    ],
    ids=["latch", "load", "loop", "drivers", "undriven"],
)
def test_checks_can_fail(tmp_path: Path, body: str, message: str) -> None:
    """Each check finds a module that violates it."""
    source = tmp_path / "broken.v"
    source.write_text(f"module broken(input wire a, input wire b, input wire c, output reg q);\n{body}\nendmodule\n")
    passed, log = yosys([f"read_verilog {source}", "hierarchy -check -top broken", "proc", *CHECKS], tmp_path / "log")
    assert not passed
    assert message in log
