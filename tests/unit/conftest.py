# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of commands share."""

import logging
from collections.abc import Callable, Iterator

import pytest
import typer

from pyharness.cli import commands
from pyharness.cli.ending import status_of
from pyharness.terminal import set_detail


@pytest.fixture
def command_line(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run a command line in this process: exit status, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = status_of(typer.main.get_command(commands), [*arguments])
        return status, *capsys.readouterr()

    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield run
    set_detail(quiet=False, verbose=False)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
