# SPDX-License-Identifier: BSD-3-Clause
"""How far a running main job is, read from the log that its testbench writes."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyharness.progress import progress

__all__ = ("LINE", "show_progress")

LINE = re.compile(r"^(programming|training|classifying): \w+ (\d+) of (\d+)", re.M)
"""A line of progress in the log: what, how far, of how many."""

_POLL_S = 0.5


def _latest(log: Path) -> tuple[str, int, int] | None:
    try:
        found = LINE.findall(log.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return (found[-1][0], int(found[-1][1]), int(found[-1][2])) if found else None


@contextmanager
def show_progress(log: Path) -> Iterator[None]:
    """Show the progress written to ``log`` while the block runs.

    Args:
        log: file that need not exist yet.
    """
    over = threading.Event()
    with progress() as show:

        def follow() -> None:
            while not over.wait(_POLL_S):
                now = _latest(log)
                if now is not None:
                    show(*now)

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        try:
            yield
        finally:
            over.set()
            follower.join()
