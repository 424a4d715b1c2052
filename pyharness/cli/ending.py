# SPDX-License-Identifier: BSD-3-Clause
"""How the command line ends: one message for what went wrong, and the exit status.

0 done, 1 the job failed, its input is wrong or the reader of its output left, 2 wrong usage, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import signal
import sys
import tempfile
import traceback
from types import TracebackType
from typing import Any, NoReturn

import typer

from pyharness import __version__
from pyharness.errors import PyharnessError, RunInterrupted
from pyharness.suggest import did_you_mean

__all__ = ("run", "status_of")

DONE, FAILED, USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 128 + signal.SIGINT, 128 + signal.SIGTERM


class _Terminated(BaseException):
    """SIGTERM, as an exception: what runs below the command is ended on its way."""


def _terminate(*_: object) -> None:
    raise _Terminated


def run(command: Any, arguments: list[str]) -> NoReturn:
    """Run a command and end the program; a user's error is one message, not a traceback."""
    sys.excepthook = _tell_of_a_bug
    signal.signal(signal.SIGTERM, _terminate)
    status = status_of(command, arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        status = status or _tell_of_the_system(error)
        # what cannot be written is not tried once more when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def status_of(command: Any, arguments: list[str]) -> int:
    """Run a command, tell what went wrong, and return the exit status."""
    try:
        # the commands return nothing: what comes is the status of a command that ended early
        return int(command.main(arguments, prog_name="pyharness", standalone_mode=False) or DONE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except _Terminated:
        return TERMINATED
    except typer.TyperException as error:
        return _tell_of_usage(error)
    except PyharnessError as error:
        _tell(str(error), error)
        return INTERRUPTED if isinstance(error, RunInterrupted) else FAILED
    except OSError as error:
        return _tell_of_the_system(error)


def _tell(message: str, error: Exception) -> None:
    """Print a message; with ``--verbose``, where the error came from as well; of one of our own, which says where, only what caused it."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if logging.getLogger().isEnabledFor(logging.INFO) and (cause or not isinstance(error, PyharnessError)):
        traceback.print_exc()
    print(f"pyharness: {message}", file=sys.stderr)


def _tell_of_usage(error: typer.TyperException) -> int:
    words = error.format_message().replace("Value error, ", "").rstrip(".")
    if choice := re.search(r"'([^']*)' is not one of (.*)", words):
        hint = did_you_mean(choice[1], re.findall("'(.*?)'", choice[2]))
        words = f"{words}: {hint}" if hint else words
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "pyharness"
    if words:  # else the help was printed, in place of a command that was not given
        print(f"pyharness: {words[:1].lower()}{words[1:]}\nsee {command} --help", file=sys.stderr)
    return error.exit_code


def _tell_of_the_system(error: OSError) -> int:
    """Tell of a full disk, a missing permission and the like; a pipe whose reader left needs no words."""
    if not isinstance(error, BrokenPipeError):
        place = f"'{error.filename}': " if error.filename is not None else ""
        _tell(f"{place}{error.strerror or error}", error)
    return FAILED


def _tell_of_a_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell of an exception that nobody expected, and keep its traceback out of the way."""
    text = "".join(traceback.format_exception(kind, error, trace))
    place = "above"
    try:
        if logging.getLogger().isEnabledFor(logging.INFO):
            sys.stderr.write(text)
        else:
            with tempfile.NamedTemporaryFile(
                "w", prefix="pyharness-", suffix=".log", delete=False, encoding="utf-8"
            ) as file:
                file.write(f"pyharness {__version__}: {shlex.join(sys.argv)}\n{text}")
            place = f"in {file.name}"
    except OSError:
        sys.stderr.write(text)
    what = f"{kind.__name__}: {error}".splitlines()[0]
    print(f"pyharness: this is a bug, please report it with the traceback, which is {place}: {what}", file=sys.stderr)
