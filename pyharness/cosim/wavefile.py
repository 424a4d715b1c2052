# SPDX-License-Identifier: BSD-3-Clause
"""Write the simulator's dump to disk, and notice when that fails.

Icarus Verilog ignores a failed write: a full disk would leave a waveform that is cut off, and a run that passes.  So the
dump goes through a named pipe in place of the file, and from there to disk.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ("WaveFile",)

_CHUNK = 1 << 20
_POLL_MS = 100


class WaveFile(threading.Thread):
    """Takes what the simulator dumps to ``path``; use as a context manager around the simulator's run.

    Attributes:
        error: why the file could not be written, None if it could.
    """

    def __init__(self, path: Path, on_failure: Callable[[], None]) -> None:
        """Prepare.

        Args:
            path: the dump's file; an older one is replaced.
            on_failure: called once, from another thread, when the file cannot be written.
        """
        super().__init__(daemon=True)
        self.path = path
        self.part = path.with_name(f"{path.name}.part")
        self.error: OSError | None = None
        self._on_failure = on_failure
        self._over = threading.Event()
        self._written = 0

    def __enter__(self) -> WaveFile:
        self.path.unlink(missing_ok=True)
        os.mkfifo(self.path)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self.path.unlink(missing_ok=True)
        if self._written:  # also what a failed write left: it can be looked at
            os.replace(self.part, self.path)
        else:
            self.part.unlink(missing_ok=True)

    def run(self) -> None:
        """Copy until the run is over and the pipe is empty."""
        # also open for writing: the pipe then neither blocks without a simulator nor ends with it
        pipe = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        try:
            with self.part.open("wb", buffering=0) as target:
                while True:
                    last = self._over.is_set()
                    if not poll.poll(0 if last else _POLL_MS):
                        if last:
                            return
                        continue
                    chunk = os.read(pipe, _CHUNK)
                    while chunk:
                        done = target.write(chunk)
                        self._written += done
                        chunk = chunk[done:]
        except OSError as cause:
            self.error = cause
            self._on_failure()
        finally:
            os.close(pipe)
