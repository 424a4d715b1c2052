# SPDX-License-Identifier: BSD-3-Clause
"""How far a running main job is, read from the log that its testbench writes."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ("LINE", "show_progress")

LINE = re.compile(r"^(programming|classifying): \w+ (\d+) of (\d+)", re.M)
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
    """Show the progress written to ``log`` while the block runs: a bar on a terminal, else a line each tenth.

    Args:
        log: file that need not exist yet.
    """
    over = threading.Event()
    terminal = sys.stdout.isatty()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=Console(), transient=True, disable=not terminal)
    tasks: dict[str, int] = {}
    told: set[tuple[str, int]] = set()

    def follow() -> None:
        while not over.wait(_POLL_S):
            now = _latest(log)
            if now is None:
                continue
            what, done, total = now
            if terminal:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done)  # type: ignore[arg-type]
            elif (tenth := (what, 10 * done // total)) not in told:
                told.add(tenth)
                print(f"{what}: {done} of {total}", flush=True)

    follower = threading.Thread(target=follow, daemon=True)
    with bars:
        follower.start()
        try:
            yield
        finally:
            over.set()
            follower.join()
