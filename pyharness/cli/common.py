# SPDX-License-Identifier: BSD-3-Clause
"""What the commands share: the application they register with, where they print, options, files they write."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pyharness.errors import ConfigError

__all__ = (
    "ConfigArgument",
    "OutOption",
    "commands",
    "console",
    "keep_existing",
    "make_folder",
    "write_text",
    "writing",
)

commands = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Mixed-signal co-simulation of Verilog controllers and Verilog-A memristors.",
)
# a table that goes to a file is not folded to eighty columns
console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)

OutOption = Annotated[Path, typer.Option("--out", help="Folder for runs; each gets its own folder inside.")]
ConfigArgument = Annotated[str | None, typer.Argument(help="YAML file, or the name of a shipped one (sim, smoke).")]


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """Turn a failure to write ``path``, given by ``option``, into a message."""
    try:
        yield
    except OSError as cause:
        # folders are made where there are none: what exists and is in the way is a file
        reason = "it is not a folder" if isinstance(cause, FileExistsError) else cause.strerror or cause
        raise ConfigError(
            f"{option} {path}: cannot write '{cause.filename or path}': {reason}: name a place that can be written"
        ) from None


def keep_existing(paths: list[Path], force: bool) -> None:
    """Refuse to replace a file unasked."""
    for path in paths:
        if path.exists() and not force:
            raise ConfigError(f"'{path}' exists: give another name, or --force to replace it")


def make_folder(path: Path) -> None:
    """Make the folder of a long run's results, and write to it for a try."""
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        pass


def write_text(output: Path | None, text: str, force: bool) -> None:
    """Write ``text`` to a file, or to standard output."""
    if output is None:
        sys.stdout.write(text)
        return
    with writing("-o", output):
        keep_existing([output], force)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
