# SPDX-License-Identifier: BSD-3-Clause
"""Run a tool's command and take what it prints."""

from __future__ import annotations

import re
import subprocess
from shutil import which

from pyharness.errors import SimulationError, ToolNotFoundError

__all__ = ("TOLD", "expect", "run", "version_of")

TOLD = 600
"""Characters of a failed command's output that are of use."""


def run(*words: str, allow_failure: bool = False) -> str:
    """Run a command in the working folder and return what it printed, on both streams.

    Raises:
        ToolNotFoundError: it is not on PATH.
        SimulationError: it cannot be started, or ends with another status than 0.
    """
    if which(words[0]) is None:
        raise ToolNotFoundError(f"'{words[0]}' is not on PATH")
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
        )  # fmt: skip
    except OSError as cause:
        raise SimulationError(f"{words[0]} cannot be started: {cause.strerror}") from None
    if done.returncode and not allow_failure:
        told = done.stdout.strip()[-TOLD:]
        raise SimulationError(f"{words[0]} ended with status {done.returncode}" + (f": {told}" if told else ""))
    return done.stdout


def expect(told: str, wanted: str, of: str) -> str:
    """Return ``wanted`` if it is a line of what a toy printed.

    Raises:
        SimulationError: it is not.
    """
    if wanted not in (line.strip() for line in told.splitlines()):
        raise SimulationError(f"{of} printed {told.strip()[-TOLD:]!r}, not {wanted!r}")
    return wanted


def version_of(pattern: str, *words: str) -> str | None:
    """Return the first group of ``pattern`` in what a command prints; None without the command or a match."""
    if which(words[0]) is None:
        return None
    found = re.search(pattern, run(*words, allow_failure=True))
    return found[1] if found else None
