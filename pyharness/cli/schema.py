# SPDX-License-Identifier: BSD-3-Clause
"""The files' form: ``schema``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pyharness.cli.common import commands, write_text

__all__ = ("schema",)


class Kind(StrEnum):
    """Kinds of file that have a schema: the keys of pyharness.schema.SCHEMAS, which takes seconds to import."""

    config = "config"
    study = "study"
    card = "card"
    fit_plan = "fit-plan"
    record = "record"
    summary = "summary"


@commands.command()
def schema(
    kind: Annotated[
        Kind,
        typer.Argument(
            help="What pyharness reads: config, study, card, fit-plan; or writes: record (results.json), summary (summary.json)."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; standard output by default.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Print the JSON schema of a kind of file: for an editor that completes and checks YAML, or for a program that reads results."""
    from pyharness.schema import schema_text

    write_text(output, schema_text(kind.value), force)
