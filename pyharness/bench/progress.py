# SPDX-License-Identifier: BSD-3-Clause
"""How far a main job is: told by what computes in this process, or read from the log that its testbench writes."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyharness.progress import Show, listening, progress

__all__ = ("LINE", "log_told", "show_progress", "show_told")

LINE = re.compile(
    r"^(programming|training|training in software|choosing noise levels|classifying): \w+ (\d+) of (\d+)", re.M
)
"""A line of progress in the log: what, how far, of how many."""

_POLL_S = 0.5
_SELDOM_S = 2.0


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


def _seldom(show: Show) -> Show:
    """Pass on what is told when two seconds are over, and then every two: what is quick needs no word."""
    passed = time.monotonic()

    def pass_on(what: str, done: int, total: int, note: str = "") -> None:
        nonlocal passed
        if time.monotonic() - passed > _SELDOM_S:
            passed = time.monotonic()
            show(what, done, total, note)

    return pass_on


@contextmanager
def show_told() -> Iterator[None]:
    """Show what is told (:func:`pyharness.progress.tell`) while the block runs."""
    with progress() as show, listening(_seldom(show)):
        yield


@contextmanager
def log_told() -> Iterator[None]:
    """Write what is told while the block runs to the log, for :func:`show_progress` to find."""

    def write(what: str, done: int, total: int, note: str = "") -> None:
        print(f"{what}: {note or 'part'} {done} of {total}", flush=True)

    with listening(_seldom(write)):
        yield
