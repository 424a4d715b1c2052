# SPDX-License-Identifier: BSD-3-Clause
"""What the commands share: the application they register with, where they print, options, files they write."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from pyharness.cli import complete
from pyharness.errors import ConfigError, PyharnessError
from pyharness.files import replace_file
from pyharness.terminal import console, messages, set_detail

__all__ = (
    "Command",
    "ConfigArgument",
    "OutOption",
    "commands",
    "console",
    "keep_existing",
    "make_folder",
    "note",
    "shipped",
    "write_text",
    "writing",
)

commands = typer.Typer(pretty_exceptions_enable=False)


class Command(TyperCommand):
    """A command that takes the options for all commands, too."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the command's parameters, then ``--quiet`` and ``--verbose``."""
        own = super().get_params(ctx)
        return [*own, *(p for p in ctx.find_root().command.params if p.name in ("quiet", "verbose"))]

    def invoke(self, ctx: Any) -> Any:
        """Run the command in as many words as are wanted."""
        quiet, verbose = (
            ctx.params.pop(name, False) or ctx.find_root().params.get(name, False) for name in ("quiet", "verbose")
        )
        if quiet and verbose:
            raise typer.BadParameter("--verbose is given, too: leave one of them out", ctx, param_hint="'--quiet'")
        set_detail(quiet=quiet, verbose=verbose)
        return super().invoke(ctx)


OutOption = Annotated[Path, typer.Option("--out", help="Folder for runs; each gets its own folder inside.")]


def shipped(names: Callable[[str], list[str]]) -> str:
    """Return shipped names for a help text, in brackets; the help is to be there in a damaged installation, too."""
    with suppress(PyharnessError, OSError):
        return f" ({', '.join(names(''))})"
    return ""


ConfigArgument = Annotated[
    str | None,
    typer.Argument(
        help=f"YAML file, or the name of a shipped one{shipped(complete.configs)}; sim if left out.",
        autocompletion=complete.configs,
    ),
]


def note(text: str) -> None:
    """Say on standard error what was not asked for but should be known."""
    messages.print(f"pyharness: {text}")


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
        replace_file(output, text)
