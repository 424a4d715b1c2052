# SPDX-License-Identifier: BSD-3-Clause
"""Runs in processes of their own, each of which is replaced after some hundred runs.

What a run leaves in memory, hangs in or dies of ends with its process; the worker that asked lives on.  The process ends, and its simulator with
it, as soon as the worker is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pyharness.errors import ConfigError, SimulationError
from pyharness.study.store import Outcome

__all__ = ("RunProcesses", "run_apart", "runs_ended")

# a run takes one processor: there are as many workers
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_IMPORTED_FROM = str(Path(__file__).parents[2])


class _Process:
    """A process that does one run after another.

    Raises:
        SimulationError: it does not start.
    """

    def __init__(self) -> None:
        self.runs, self.peak_bytes = 0, 0  # done by it; the most that it ever held
        self.late = False
        # nothing is ever written to it: it breaks when this program ends, however it does
        ours, self._lifeline = os.pipe()
        # this object alone removes the folder: the process removes nothing that it is only told the name of
        self._folder = tempfile.TemporaryDirectory(prefix="pyharness-", ignore_cleanup_errors=True)
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "pyharness.study.process", str(ours)],
            pass_fds=[ours],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **dict.fromkeys(_ONE_THREAD, "1"),
                "TMPDIR": self._folder.name,
                "PYTHONPATH": os.pathsep.join([_IMPORTED_FROM, *filter(None, [os.environ.get("PYTHONPATH")])]),
            },
            process_group=0,  # the terminal's Ctrl-C is for the program, which ends its runs itself
        )
        os.close(ours)
        try:
            self._answer()
        except BaseException:
            self.end()
            raise

    def _answer(self) -> dict[str, Any]:
        """Return the next line that it writes."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line.endswith("\n"):  # ended, perhaps amid an answer
            status = self._popen.wait()
            how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            raise SimulationError(f"the process of a run on {socket.gethostname()} {how}: is there memory enough?")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def do(self, config_json: str, limit_s: float, code: str, grace_s: float) -> Outcome:
        """Do a run; see :func:`run_apart`."""
        begun = time.monotonic()
        timer = threading.Timer(min(limit_s + grace_s, threading.TIMEOUT_MAX), self._end_late)
        timer.start()
        try:
            assert self._popen.stdin is not None
            with suppress(BrokenPipeError):  # it is gone: what became of it is told below
                self._popen.stdin.write(json.dumps([config_json, limit_s, code]) + "\n")
                self._popen.stdin.flush()
            answer = self._answer()
        except SimulationError:
            if not self.late:
                raise
            message = f"the run took longer than {limit_s:g} s, did not end itself and was ended: raise its limit"
            return Outcome("timeout", message, {}, time.monotonic() - begun, socket.gethostname())
        finally:
            timer.cancel()
        if "code" in answer:
            raise ConfigError(
                f"a worker on {socket.gethostname()} has pyharness {answer['code']}, the study {code}: install the same there, and "
                "change no source while a study runs"
            )
        self.runs, self.peak_bytes = self.runs + 1, answer["peak_bytes"]
        return Outcome(**answer["outcome"])

    def _end_late(self) -> None:
        self.late = True
        self._popen.kill()

    def kill(self) -> None:
        """End it now; who waits for its answer is told."""
        self._popen.kill()

    def end(self) -> None:
        """End it; nothing of it stays."""
        self._popen.kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._popen.wait()
        os.close(self._lifeline)
        self._folder.cleanup()


class RunProcesses:
    """The processes of a worker: as many as it has threads that ask.

    Args:
        runs_each: after so many a process is replaced.
        memory_bytes: and when it once held more than this.
        grace_s: a run that does not end itself by its limit is ended so much later.
    """

    def __init__(self, runs_each: int = 500, memory_bytes: int = 1 << 30, grace_s: float = 10.0) -> None:
        self._runs_each, self._memory_bytes, self._grace_s = runs_each, memory_bytes, grace_s
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._busy: set[_Process] = set()
        self._closed = False

    def do(self, config_json: str, limit_s: float, code: str) -> Outcome:
        """Do a run; see :func:`run_apart`."""
        process = self._take()
        whole = False  # what failed in any way is not asked again
        try:
            outcome = process.do(config_json, limit_s, code, self._grace_s)
            whole = not (process.late or process.runs >= self._runs_each or process.peak_bytes > self._memory_bytes)
            return outcome
        finally:
            with self._lock:
                self._busy.discard(process)
                whole = whole and not self._closed
                if whole:
                    self._idle.append(process)
            if not whole:
                process.end()

    def _take(self) -> _Process:
        with self._lock:
            process = self._idle.pop() if self._idle else None
        process = process or _Process()
        with self._lock:
            if not self._closed:
                self._busy.add(process)
                return process
        process.end()
        raise SimulationError("the study was stopped")

    def close(self) -> None:
        """End all of them, and what they run; start no more."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for process in self._busy:
                process.kill()
        for process in idle:
            process.end()


_of_this_worker = RunProcesses()


@contextmanager
def runs_ended() -> Iterator[None]:
    """Runs asked for inside the block, by any thread of this program, are ended with it."""
    global _of_this_worker
    _of_this_worker = RunProcesses()
    try:
        yield
    finally:
        _of_this_worker.close()


def run_apart(config_json: str, limit_s: float, code: str) -> Outcome:
    """Do a run as :func:`pyharness.study.run.run_point` does, in another process.

    Args:
        config_json: a whole :class:`pyharness.config.SimConfig`.
        limit_s: of this machine's time; a run that does not keep to it is ended ten seconds later, whatever it does.
        code: version of the code that the run is of.

    Raises:
        ConfigError: the code here is another.
        SimulationError: the process died: the run may be done again.
    """
    return _of_this_worker.do(config_json, limit_s, code)


def _peak_bytes() -> int:
    """Return the most memory that this process ever held; what getrusage tells begins with that of the parent."""
    return 1024 * int(re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[0])


def _end_with(lifeline: int) -> None:
    """Have the kernel end this process when the pipe breaks, and its simulator with it, which is bound to this process.

    No thread of its own could: machine code lets none run.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(
        lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC
    )  # SIGIO, which nobody handles


def _serve(lifeline: int) -> None:
    """Do the runs that standard input asks for."""
    _end_with(lifeline)
    from pyharness.code import version_on_disk
    from pyharness.study.run import run_point

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    loaded = version_on_disk()
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        config_json, limit_s, code = json.loads(line)
        # a simulator reads the sources anew
        here = version_on_disk()
        if code != loaded or code != here:
            answer: dict[str, Any] = {"code": here if code == loaded else loaded}
        else:
            try:
                outcome = run_point(config_json, limit_s)
            except Exception as error:  # noqa: BLE001 a bug that one run meets is told as its failure
                outcome = Outcome("fail", f"{type(error).__name__}: {error}", {}, 0.0, socket.gethostname())
            answer = {"outcome": asdict(outcome), "peak_bytes": _peak_bytes()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
