# SPDX-License-Identifier: BSD-3-Clause
"""Try capabilities side by side, each in a process and a folder of its own that may crash, hang and litter."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import site
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyharness.doctor.capabilities import CAPABILITIES, Capability
from pyharness.doctor.command import TOLD
from pyharness.doctor.findings import Finding, Findings, describe_environment
from pyharness.errors import ConfigError

__all__ = ("choose", "examine")

_IMPORTED_FROM = str(Path(__file__).parents[2])
_LONGEST_FIRST = ("verilator-cocotb", "verilator", "coupling", "dask")
_TAKEN = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")


def choose(names: Sequence[str]) -> list[Capability]:
    """Return the named capabilities in their order; all without a name.

    Raises:
        ConfigError: a name that none has.
    """
    known = [one.name for one in CAPABILITIES]
    for name in names:
        if name not in known:
            raise ConfigError(f"a capability must be one of {', '.join(known)}, got '{name}'")
    return [one for one in CAPABILITIES if not names or one.name in names]


def examine(capabilities: Sequence[Capability], limit_s: float, done: Callable[[str, int], None]) -> Findings:
    """Try each and return what was found; nothing stays behind.

    Args:
        limit_s: of this machine's time, for one.
        done: called with the title of each that is over and how many are.

    Raises:
        ConfigError: no folder for temporary files can be written.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="pyharness-", ignore_cleanup_errors=True)
    except OSError as cause:
        raise ConfigError(
            f"no folder for temporary files: {cause.strerror}: set TMPDIR to one that can be written"
        ) from None
    with folder:
        findings = asyncio.run(_all(capabilities, Path(folder.name), limit_s, done))
    works = all(one.verdict == "works" for one in findings if one.required)
    return Findings(works=works, environment=describe_environment(), capabilities=findings)


async def _all(
    capabilities: Sequence[Capability], folder: Path, limit_s: float, done: Callable[[str, int], None]
) -> list[Finding]:
    # one more than there are processors: a probe waits now and then
    slots = asyncio.Semaphore(1 + (os.cpu_count() or 1))
    over = 0

    async def one(capability: Capability) -> Finding:
        nonlocal over
        async with slots:
            finding = await _examine(capability, folder / capability.name, limit_s)
        over += 1
        done(capability.title, over)
        return finding

    order = sorted(capabilities, key=lambda c: c.name not in _LONGEST_FIRST)
    async with asyncio.TaskGroup() as group:
        tasks = {capability.name: group.create_task(one(capability)) for capability in order}
    return [tasks[capability.name].result() for capability in capabilities]


def _environment(folder: Path) -> dict[str, str]:
    # without a screen no tool opens a window; with a home of its own none leaves a cache or reads a start-up file
    kept = {name: value for name, value in os.environ.items() if name not in _TAKEN}
    return {
        **kept,
        **dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), str(folder)),
        "PYTHONUSERBASE": site.getuserbase(),
        # programs of the environment's packages, of which the solver is one
        "PATH": os.pathsep.join([*filter(None, [kept.get("PATH")]), str(Path(sys.executable).parent)]),
        "PYTHONPATH": os.pathsep.join([_IMPORTED_FROM, *filter(None, [kept.get("PYTHONPATH")])]),
    }


async def _examine(capability: Capability, folder: Path, limit_s: float) -> Finding:
    work, answer, output = folder / "work", folder / "answer", folder / "output"
    work.mkdir(parents=True)
    begun, late = time.monotonic(), False
    with output.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "pyharness.doctor.child", capability.name, str(answer),
            cwd=work, stdin=asyncio.subprocess.DEVNULL, stdout=stream, stderr=stream, env=_environment(work), start_new_session=True,
        )  # fmt: skip
    try:
        status = await asyncio.wait_for(process.wait(), limit_s)
    except TimeoutError:
        late, status = True, 0
    finally:
        with suppress(ProcessLookupError):  # what it started and left is of its group
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    told: dict[str, Any] = {}
    for line in answer.read_text(encoding="utf-8").splitlines() if answer.exists() else ():
        told |= json.loads(line)
    if "verdict" not in told:
        told |= {"verdict": "broken", "seen": _how_it_ended(limit_s if late else None, status, output)}
    return Finding(
        name=capability.name,
        title=capability.title,
        required=capability.required,
        needed_for=capability.needed_for,
        ran=capability.ran,
        instead=capability.instead,
        install=capability.install,
        wall_s=round(time.monotonic() - begun, 3),
        **told,
    )


def _how_it_ended(limit_s: float | None, status: int, output: Path) -> str:
    if limit_s is not None:
        return f"did not end within {limit_s:g} s and was ended; on a busy machine raise --limit"
    told = output.read_text(errors="replace").strip()[-TOLD:]
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return f"the process that tried it {how}" + (f": {told}" if told else "")
