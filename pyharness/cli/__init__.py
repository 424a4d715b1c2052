# SPDX-License-Identifier: BSD-3-Clause
"""The ``pyharness`` command.

Exit status: 0 done, 1 the job failed or its input is wrong (one message on standard error), 2 wrong usage, 130
interrupted, 143 terminated.
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from pyharness import __version__
from pyharness.cli import coupling, fit, handoff, job, model, study
from pyharness.cli.common import commands
from pyharness.errors import PyharnessError, RunInterrupted

__all__ = ("COMMANDS", "app", "commands", "main")

COMMANDS = (job, study, model, fit, coupling, handoff)
"""Modules with commands: importing them registers what they have, in the order of ``--help``."""


def _version(show: bool) -> None:
    if show:
        print(__version__)
        raise typer.Exit


@commands.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Mixed-signal co-simulation of Verilog controllers and Verilog-A memristors."""


class _Terminated(BaseException):
    """SIGTERM, as an exception: what runs below the command is ended on its way."""


def _terminate(*_: object) -> None:
    raise _Terminated


def app() -> None:
    """Run the command line; a user's error is one message, not a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        commands()
    except _Terminated:
        sys.exit(128 + signal.SIGTERM)
    except PyharnessError as error:
        print(f"pyharness: {error}", file=sys.stderr)
        sys.exit(130 if isinstance(error, RunInterrupted) else 1)


def main() -> None:
    """Entry of ``python -m pyharness``."""
    app()
