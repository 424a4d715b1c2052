# SPDX-License-Identifier: BSD-3-Clause
"""Reference pages from what they describe: the directive ``generated`` writes commands, configuration, record, study.

Pages are made with the site, from the program itself, so that they cannot be out of date.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
import yaml
from docutils import nodes
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from pyharness.cli import commands
from pyharness.config import SimConfig
from pyharness.record import Record
from pyharness.study.spec import Study

HERE = Path(__file__).parent
UNITS = {
    "v": "V", "s": "s", "ohm": "Ohm", "siemens": "S", "hz": "Hz", "w": "W", "j": "J", "rel": "share", "v_per_siemens": "V/S",
}  # fmt: skip
"""Ending of a name -> its unit."""


def cell(text: object) -> str:
    """Return text for a table's cell."""
    return str(text).replace("|", "\\|").replace("<", "\\<").replace("\n", " ").strip()


def table(headings: list[str], rows: Iterator[list[str]] | list[list[str]]) -> str:
    """Return a Markdown table; empty without rows."""
    lines = ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    rule = "|" + "---|" * len(headings)
    return "\n".join(["| " + " | ".join(headings) + " |", rule, *lines, ""]) if lines else ""


def unit(name: str) -> str:
    """Return the unit that a name ends in."""
    return next((u for ending, u in sorted(UNITS.items(), key=lambda e: -len(e[0])) if name.endswith(f"_{ending}")), "")


# -- commands ----------------------------------------------------------------------------------------------------------


def command_line() -> str:
    """Every command of ``pyharness``, with arguments, options and defaults, as ``--help`` has them."""
    group: Any = typer.main.get_command(commands)
    parts = [f"## {name}\n\n{command_page(name, group.commands[name])}" for name in sorted(group.commands)]
    return "\n".join(parts)


def command_page(path: str, command: Any) -> str:
    """Return what a command does and takes; of a group, its commands one below the other."""
    text = inspect.cleandoc(command.help or "")
    if inner := getattr(command, "commands", None):
        return "\n".join([text, "", *(f"### {path} {n}\n\n{command_page(f'{path} {n}', inner[n])}" for n in inner)])
    hints = get_type_hints(command.callback)
    arguments = [p for p in command.params if not p.opts[0].startswith("-")]
    words = [p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments]
    rows = []
    for p in command.params:
        if p.name == "help":
            continue
        names = p.name.upper() if p in arguments else ", ".join([*p.opts, *p.secondary_opts])
        default = (
            ""
            if p.default in (None, False, ()) or callable(p.default)
            else f"`{getattr(p.default, 'value', p.default)}`"
        )
        rows.append([f"`{names}`", "required" if p.required else default, word_type(hints[p.name]), p.help or ""])
    usage = " ".join(["pyharness", path, "[OPTIONS]", *words])
    return "\n".join(
        [f"```text\n{usage}\n```", "", text, "", table(["argument, option", "default", "type", "meaning"], rows)]
    )


def word_type(annotation: Any) -> str:
    """Return what a word of the command line is read as."""
    several = get_origin(annotation) is list or any(get_origin(a) is list for a in get_args(annotation))
    kinds = [a for a in get_args(annotation) if a is not NoneType] if get_args(annotation) else [annotation]
    kind = get_args(kinds[0])[0] if get_args(kinds[0]) else kinds[0]
    if issubclass(kind, Enum):
        return ", ".join(f"`{one.value}`" for one in kind)
    word = {bool: "switch", int: "whole number", float: "number", str: "text", Path: "path"}[kind]
    return f"{word}, any number of times" if several else word


# -- pydantic models ---------------------------------------------------------------------------------------------------


def type_name(annotation: Any) -> str:
    """Return a type in words: ``number``, ``one of a, b``, ``list of number`` ..."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{json.dumps(a) if not isinstance(a, str) else a}`" for a in arguments)
    if origin is UnionType or str(origin) == "typing.Union":
        return " or ".join(type_name(a) for a in arguments)
    if hasattr(annotation, "__metadata__"):
        return type_name(arguments[0]) + limits(annotation.__metadata__)
    if origin in (list, tuple):
        return (
            f"list of {type_name(arguments[0])}" if origin is list else f"{len(arguments)} x {type_name(arguments[0])}"
        )
    if origin is dict:
        return f"mapping to {type_name(arguments[1])}"
    names = {
        float: "number",
        int: "whole number",
        str: "text",
        bool: "`true`, `false`",
        type(None): "`null`",
        Any: "anything",
    }
    return names.get(annotation) or f"[{annotation.__name__}](#{annotation.__name__.lower()})"


def limits(metadata: tuple[Any, ...]) -> str:
    """Return the limits that pydantic holds a value to, from `` >= 0`` to a pattern."""
    found = []
    for one in metadata:
        for part in getattr(one, "metadata", [one]):
            for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("min_length", "length >=")):
                if (value := getattr(part, name, None)) is not None and not (name == "min_length" and value == 1):
                    found.append(f"{sign} {value:g}")
    return " " + ", ".join(found) if found else ""


def default_of(field: Any) -> str:
    """Return the default as YAML has it."""
    if field.default is PydanticUndefined:
        return "required"
    if isinstance(field.default, BaseModel):
        return ""
    text = json.dumps(field.default)
    return "an example's patterns" if len(text) > 40 else f"`{text}`"


def is_model(annotation: Any) -> bool:
    """Whether a field is a section."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a model and those that its fields hold, each once, in their order."""
    seen: list[type[BaseModel]] = []

    def visit(annotation: Any) -> None:
        if is_model(annotation) and annotation not in seen:
            seen.append(annotation)
            for field in annotation.model_fields.values():
                visit(field.annotation)
        for inner in get_args(annotation):
            visit(inner)

    visit(model)
    yield from seen


def said(model: type[BaseModel]) -> str:
    """Return a model's docstring; its references become plain code."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", inspect.cleandoc(model.__doc__ or ""))
    return text.replace("``", "`")


def fields_page(model: type[BaseModel]) -> str:
    """A section for each model: what its docstring says, and its fields."""
    parts = []
    for one in models_in(model):
        rows = [
            [f"`{name}`", type_name(f.annotation) + limits(tuple(f.metadata)), default_of(f), unit(name)]
            for name, f in one.model_fields.items()
        ]
        parts += [f"## {one.__name__}", "", said(one), "", table(["field", "type", "default", "unit"], rows)]
    return "\n".join(parts)


def record() -> str:
    """The result record."""
    return fields_page(Record)


def study() -> str:
    """A study's file."""
    return fields_page(Study)


def configuration() -> str:
    """Every key of a configuration; meanings are those of ``configuration.yaml``, which must have each key and no other.

    Raises:
        ExtensionError: a key without a meaning, or a meaning without a key.
    """
    meanings: dict[str, str] = yaml.safe_load(
        (HERE.parent / "reference" / "configuration.yaml").read_text(encoding="utf-8")
    )
    missing = [key for key, _, _ in keys(SimConfig) if key not in meanings]
    unused = set(meanings) - {key for key, _, _ in keys(SimConfig)}
    if missing or unused:
        raise ExtensionError(
            f"docs/reference/configuration.yaml must say what each key of a configuration means: missing {missing}, "
            f"no key {sorted(unused)}"
        )
    parts, section = [], None
    rows: list[list[str]] = []
    for key, name, field in [*keys(SimConfig), ("end.", "", None)]:
        here = key.rpartition(".")[0]
        if here != section:
            if rows:
                title = f"## {section}" if section else "## At the top"
                parts += [title, "", table(["key", "type", "default", "unit", "meaning"], rows)]
            section, rows = here, []
        if field is not None:
            kind = type_name(field.annotation) + limits(tuple(field.metadata))
            rows.append([f"`{name}`", kind, default_of(field), unit(name), meanings[key]])
    return "\n".join(parts)


def keys(model: type[BaseModel], above: str = "") -> list[tuple[str, str, Any]]:
    """Return (dotted key, name, field) of every value, those of sections behind the section's own."""
    own = [(above + n, n, f) for n, f in model.model_fields.items() if not is_model(f.annotation)]
    inner = [keys(f.annotation, f"{above}{n}.") for n, f in model.model_fields.items() if is_model(f.annotation)]  # type: ignore[arg-type]
    return [*own, *(key for section in inner for key in section)]


PAGES: dict[str, Callable[[], str]] = {f.__name__: f for f in (command_line, configuration, record, study)}


class Generated(SphinxDirective):
    """``{generated} NAME``: the page of that name, in Markdown."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(PAGES[self.arguments[0]](), allow_section_headings=True)


def _several_names(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Of ``a, b: both are ...`` Sphinx would take the first for a type: it looks for a space."""
    for i, line in enumerate(lines):
        if field := re.match(r"(\s*:(?:ivar|param) )([\w, ]+)(:.*)", line):
            lines[i] = field[1] + field[2].replace(", ", ",") + field[3]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", _several_names, priority=900)  # after napoleon
    app.add_directive("generated", Generated)
    # a state machine is read as text: drawing it takes a script from elsewhere
    app.add_lexer("mermaid", TextLexer)
    return {"parallel_read_safe": True}
