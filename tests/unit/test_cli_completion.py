# SPDX-License-Identifier: BSD-3-Clause
"""Completion in bash: its own function, sourced and asked as the shell asks it."""

import subprocess
import sys
from pathlib import Path

import pytest

BASH = r"""
source <(_PYHARNESS_COMPLETE=source_bash pyharness)
complete -p pyharness
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_pyharness_completion pyharness
printf '%s\n' "${COMPREPLY[@]}"
"""


def completed(folder: Path, *words: str) -> list[str]:
    """Return what bash offers for the last word."""
    program = folder / "bin" / "pyharness"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from pyharness.cli import app; app()" "$@"\n')
        program.chmod(0o755)
    script = f'PATH="{program.parent}:$PATH"\n{BASH}'
    done = subprocess.run(
        ["bash", "-c", script, "bash", "pyharness", *words], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    registered, *found = done.stdout.splitlines()
    # file names where nothing else fits
    assert registered == "complete -o default -F _pyharness_completion pyharness"
    return [word for word in found if word]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["s"], ["schema", "selftest", "sim", "study"]),
        (["sim", "s"], ["sim", "smoke"]),
        (["classify", "dig"], ["digits"]),
        (["study", ""], ["digits_study", "methods", "paper"]),
        (["study", "--o"], ["--only", "--out"]),
        (["fit", "t"], ["tin", "tungsten"]),
        (["fit-pulses", "mine.csv", "--start", "c"], ["carbon", "chromium"]),
        (["qa", "v"], ["vteam"]),
        (["qa", "chromium", "yak"], ["yakopcic"]),
        (["schema", "c"], ["card", "config"]),
        (["selftest", "--simulator", ""], ["icarus", "verilator"]),
        (["sim", "mine"], []),
        (["sim", "--qui"], ["--quiet"]),
        (["report", "build/sim/2"], ["build/sim/20260102-000000", "build/sim/20260101-000000"]),
        (["report", "build/sim/20260101"], ["build/sim/20260101-000000"]),
    ],
)
def test_completions(tmp_path: Path, words: list[str], expected: list[str]) -> None:
    """Commands, options, choices, shipped names, runs; the latest run first."""
    for name in ("20260101-000000", "20260102-000000", "unfinished"):
        (tmp_path / "build/sim" / name).mkdir(parents=True)
        if name != "unfinished":
            (tmp_path / "build/sim" / name / "results.json").touch()
    found = completed(tmp_path, *words)
    assert (found if words[0] == "report" else sorted(found)) == expected
