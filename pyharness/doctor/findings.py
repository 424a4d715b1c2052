# SPDX-License-Identifier: BSD-3-Clause
"""What ``pyharness doctor --json`` prints: a finding for each capability, and where it was found."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pyharness import __version__

__all__ = ("Environment", "Finding", "Findings", "describe_environment")

_MEMORY = Path("/proc/meminfo")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Finding(_Part):
    """One capability: what of pyharness needs it, whether it works, what was run and seen, what serves without it, and how it is installed.

    ``missing``: not there, or too old for what it is needed for; ``broken``: there, but the toy went wrong, crashed or did
    not end.  ``instead`` is null where nothing takes its place.
    """

    name: str
    title: str
    required: bool
    needed_for: str
    verdict: Literal["works", "missing", "broken"]
    version: str | None = None
    ran: str
    seen: str
    instead: str | None
    install: str
    wall_s: float


class Environment(_Part):
    """The machine and the interpreter; ``cpus`` are those that this process may use, memory is null where it is not known."""

    pyharness: str
    python: str
    system: str
    machine: str
    cpus: int
    memory_bytes: int | None
    memory_available_bytes: int | None


class Findings(_Part):
    """All of it, schema version 1.  ``works``: every required capability that was examined does."""

    schema_version: Literal[1] = 1
    works: bool
    environment: Environment
    capabilities: list[Finding]


def describe_environment() -> Environment:
    """Return what this process runs on."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        system = platform.platform()
    memory = dict(re.findall(r"(\w+):\s*(\d+) kB", _MEMORY.read_text())) if _MEMORY.exists() else {}
    total, available = (1024 * int(memory[name]) if name in memory else None for name in ("MemTotal", "MemAvailable"))
    return Environment(
        pyharness=__version__,
        python=platform.python_version(),
        system=system,
        machine=platform.machine(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=total,
        memory_available_bytes=available,
    )


if __name__ == "__main__":
    json.dump(Findings.model_json_schema(), sys.stdout, indent=1)
