# SPDX-License-Identifier: BSD-3-Clause
"""The ``pyharness`` command: its commands in groups, and what holds for all of them."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.models import CommandInfo

from pyharness import __version__
from pyharness.cli import coupling, doctor, fit, handoff, job, model, schema, study
from pyharness.cli.common import Command, commands
from pyharness.cli.ending import run

__all__ = ("GROUPS", "app", "commands", "main")

GROUPS = {
    "Jobs": (job,),
    "Studies": (study,),
    "Device models": (model, fit),
    "Installation and files": (doctor, coupling, schema),
    "Delivery": (handoff,),
}
"""Heading of ``--help`` -> modules whose commands stand under it, in this order."""

_EPILOG = (
    "Exit status: 0 done, 1 the job failed or its input is wrong, 2 wrong usage, 130 interrupted, 143 terminated. "
    "Results go to standard output, messages to standard error."
)


def _arrange() -> None:
    """Put each command under its module's heading."""
    headings = {module.__name__: heading for heading, modules in GROUPS.items() for module in modules}

    def module_of(command: CommandInfo) -> str:
        assert command.callback is not None
        return command.callback.__module__

    for command in commands.registered_commands:
        command.cls = Command
        command.rich_help_panel = headings[module_of(command)]
    for group in commands.registered_groups:
        assert group.typer_instance is not None
        group.rich_help_panel = headings[module_of(group.typer_instance.registered_commands[0])]
        for command in group.typer_instance.registered_commands:
            command.cls = Command
    commands.registered_commands.sort(key=lambda command: [*headings].index(module_of(command)))


_arrange()


def _version(show: bool) -> None:
    if show:
        print(__version__)
        raise typer.Exit


@commands.callback(epilog=_EPILOG)
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show errors only; files and the text that was asked for are written.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what is run, libraries' logs, and what caused an error.")
    ] = False,
) -> None:
    """Mixed-signal co-simulation of Verilog controllers and Verilog-A memristors."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        from pyharness.handoff.archive import source_date

        source_date()  # told here: a build would fail after minutes, and NumPy when it is imported


def app() -> None:
    """Run the command line."""
    run(typer.main.get_command(commands), sys.argv[1:] or ["--help"])


def main() -> None:
    """Entry of ``python -m pyharness``."""
    app()
