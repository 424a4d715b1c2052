# SPDX-License-Identifier: BSD-3-Clause
"""How far a job of more than a few seconds is: a bar on a terminal, else a line each tenth, or each job."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pyharness.terminal import messages

__all__ = ("Show", "listening", "progress", "tell")


class Show(Protocol):
    """Shows that ``done`` of ``total`` parts of ``what`` are over; ``note`` is a word on the state."""

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """Show it."""


_listener: ContextVar[Show | None] = ContextVar("_listener", default=None)


def tell(what: str, done: int, total: int) -> None:
    """Tell that ``done`` of ``total`` parts of ``what`` are over to who listens, if anyone does: a computation knows no display."""
    if (show := _listener.get()) is not None:
        show(what, done, total)


@contextmanager
def listening(show: Show) -> Iterator[None]:
    """Call ``show`` with what is told while the block runs."""
    token = _listener.set(show)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def progress(tenths: bool = True) -> Iterator[Show]:
    """Give a function that shows progress on standard error while the block runs.

    Args:
        tenths: off a terminal, a line each tenth of a job; else one where it begins, for many short jobs.
    """
    terminal = messages.is_terminal and not messages.is_dumb_terminal
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(
        *columns,
        console=messages,
        transient=True,
        disable=messages.quiet or not terminal,
        redirect_stdout=sys.stdout.isatty(),  # results in a pipe are not to come out beside the bar
    )
    tasks: dict[str, TaskID] = {}
    told: set[tuple[str, int]] = set()

    def show(what: str, done: int, total: int, note: str = "") -> None:
        words = f"{what}, {note}" if note else what
        if terminal:
            if what not in tasks:
                tasks[what] = bars.add_task(words, total=total)
            bars.update(tasks[what], completed=done, description=words)
        elif (tenth := (what, 10 * done // max(total, 1) if tenths else 0)) not in told:
            told.add(tenth)
            messages.print(f"{words}: {done} of {total}" if tenths else words)

    with bars:
        yield show
