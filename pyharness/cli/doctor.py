# SPDX-License-Identifier: BSD-3-Clause
"""Which tools work here: ``doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from pyharness.cli.common import commands, console
from pyharness.errors import ToolNotFoundError
from pyharness.progress import progress

if TYPE_CHECKING:
    from pyharness.doctor import Environment, Finding, Findings

__all__ = ("doctor",)

_COLOUR = {"works": "green", "missing": "yellow", "broken": "red"}


@commands.command()
def doctor(
    names: Annotated[list[str] | None, typer.Argument(help="Capabilities to examine; all by default.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    limit: Annotated[float, typer.Option(min=1.0, help="Seconds that one may take.")] = 120.0,
) -> None:
    """Try every tool on a toy and say what works, what serves instead and how the rest is installed.

    Exit status 1: something that `make sim` needs is missing or broken.
    """
    from pyharness.doctor import choose, examine

    chosen = choose(names or [])
    if json:
        findings = examine(chosen, limit, lambda title, over: None)
        print(findings.model_dump_json(indent=1))
    else:
        with progress() as show:
            findings = examine(chosen, limit, lambda title, over: show("examining", over, len(chosen), title))
        _show(findings)
    failed = [one for one in findings.capabilities if one.required and one.verdict != "works"]
    if failed:
        told = "; ".join(f"{one.title} is {one.verdict} ({one.install})" for one in failed)
        raise ToolNotFoundError(f"make sim needs what does not work here: {told}")


def _show(findings: Findings) -> None:
    console.print(_place(findings.environment))
    table = Table("", "", "version", "what was run, and seen", box=None)
    for one in findings.capabilities:
        verdict = Text(one.verdict, style=_COLOUR[one.verdict])
        seen = f"{one.ran}: {one.seen}" if one.verdict == "works" else f"{one.ran}: see below"
        table.add_row(verdict, one.title, one.version or "", seen)
    console.print(table)
    for one in findings.capabilities:
        if one.verdict != "works":
            console.print(_remedy(one), soft_wrap=True)


def _place(on: Environment) -> str:
    gib = [f"{size / 2**30:.1f}" if size else "?" for size in (on.memory_available_bytes, on.memory_bytes)]
    return (
        f"pyharness {on.pyharness}, Python {on.python}, {on.system} ({on.machine}), processors: {on.cpus}, "
        f"memory: {gib[0]} of {gib[1]} GiB available"
    )


def _remedy(one: Finding) -> str:
    need = "required" if one.required else "optional"
    return (
        f"\n{one.title}: {one.verdict} ({need}: {one.needed_for})\n  seen:    {one.seen}\n"
        f"  instead: {one.instead or 'nothing'}\n  install: {one.install}"
    )
