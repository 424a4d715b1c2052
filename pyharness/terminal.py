# SPDX-License-Identifier: BSD-3-Clause
"""Where a program's words go: results to standard output, messages to standard error; how much of both is wanted."""

from __future__ import annotations

import logging
import sys

from rich.console import Console

__all__ = ("console", "messages", "set_detail")

# a table that goes to a file is not folded to eighty columns
console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 160)
"""Results."""
messages = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
"""What is going on."""


def set_detail(*, quiet: bool, verbose: bool) -> None:
    """Let results and messages be shown or not, and the log of what is run and of libraries on top or not."""
    console.quiet = messages.quiet = quiet
    level = logging.INFO if verbose else logging.WARNING
    shown = logging.StreamHandler(sys.stderr)
    shown.setLevel(level)  # a library's logger may have a level of its own
    logging.basicConfig(level=level, format="%(name)s: %(message)s", handlers=[shown], force=True)
