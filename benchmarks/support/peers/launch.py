# SPDX-License-Identifier: BSD-3-Clause
"""Run one command alone, with a time limit, and tell what it cost and how it ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from xml.etree import ElementTree

from cocotb_tools.runner import Icarus

_POLL_S = 0.05


@dataclass(frozen=True)
class Run:
    """How one process ended.

    Attributes:
        status: exit status; negative for a signal, None for a process that had to be ended at the limit.
        cpu_s: user and system time, its children's included.
        rss_mb: highest resident memory.
        limit_s: the time limit that it had.
        log: what it printed.
        tests: verdict of the cocotb tests: ``passed``, the first failure's message, or empty without a results file.
    """

    status: int | None
    cpu_s: float
    rss_mb: float
    limit_s: float
    log: str
    tests: str = ""

    @property
    def process_ending(self) -> str:
        """How the process ended, in words; empty when nothing went wrong."""
        if self.status is None:
            return f"not finished in {self.limit_s:g} s"
        if self.status < 0:
            return signal.Signals(-self.status).name
        return f"exit status {self.status}" if self.status else ""

    @property
    def ending(self) -> str:
        """How the run ended, in words; empty when nothing went wrong."""
        if self.process_ending or self.tests in ("", "passed"):
            return self.process_ending
        return f"test failed: {' '.join(self.tests.split())}"


def measure(command: Sequence[str], folder: Path, limit_s: float, environment: Mapping[str, str] | None = None) -> Run:
    """Run ``command`` in ``folder``; at the limit it is killed with its children."""
    log = folder / "output.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stream,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        end, peak_kb, late = time.monotonic() + limit_s, 0, False
        while True:
            # the highest memory of rusage would count this Python's own, which the child is a copy of before exec
            peak_kb = max(peak_kb, _resident_kb(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end and not late:
                late = True
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            time.sleep(_POLL_S)
        process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for here
    return Run(
        status=None if late else process.returncode,
        cpu_s=usage.ru_utime + usage.ru_stime,
        rss_mb=peak_kb / 1024,
        limit_s=limit_s,
        log=log.read_text(errors="replace"),
    )


def _resident_kb(pid: int) -> int:
    try:
        found = re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


class _Measured(Icarus):
    """cocotb's runner for Icarus, whose simulation runs under :func:`measure`."""

    limit_s: float | None = None
    run: Run | None = None

    def _execute_cmds(self, cmds: Sequence[list[str]], cwd: Any, stdout: TextIO | None = None) -> None:
        if self.limit_s is None:
            super()._execute_cmds(cmds, cwd, stdout)
            return
        (command,) = cmds
        self.run = measure(command, Path(cwd), self.limit_s, self.env)


def simulate(
    source: Path,
    top: str,
    pins: Mapping[str, str],
    folder: Path,
    limit_s: float,
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
) -> Run:
    """Compile ``source`` with a recorder of its ``pins`` and run the tests of ``peer_bench`` on it; only the simulation is measured and limited.

    The same for every tool: cocotb's own runner, ``arguments`` being what a tool wants on vvp's command line.
    """
    here = str(Path(__file__).parent)
    if here not in sys.path:  # which the runner hands on to the tests
        sys.path.append(here)
    runner = _Measured()
    runner.build(
        sources=[source, Path(__file__).with_name("record.v")], hdl_toplevel=top, defines=pins, build_dir=folder,
        always=True, log_file=folder / "build.log", build_args=["-Wno-timescale", "-s", "record"],
    )  # fmt: skip
    runner.limit_s = limit_s
    results = folder / "results.xml"
    runner.test(
        test_module="peer_bench",
        hdl_toplevel=top,
        build_dir=folder,
        test_dir=folder,
        results_xml=str(results.resolve()),
        test_args=["-n", *arguments],
        extra_env={**environment, "NO_COLOR": "1"},
    )
    assert runner.run is not None
    return Run(**{**vars(runner.run), "tests": _verdict(results)})


def _verdict(results: Path) -> str:
    try:
        root = ElementTree.parse(results).getroot()
    except (OSError, ElementTree.ParseError):
        return ""
    cases = list(root.iter("testcase"))
    for case in cases:
        for found in (*case.findall("failure"), *case.findall("error")):
            return found.get("error_msg") or found.get("message") or (found.text or "").strip() or "failed"
    return "passed" if cases else ""
