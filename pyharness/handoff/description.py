# SPDX-License-Identifier: BSD-3-Clause
"""A model's description (Markdown) as HTML by sections, its equations as MathML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import latex2mathml.converter
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from pyharness.errors import ConfigError

__all__ = ("read_sections",)


class _Renderer(RendererHTML):
    """Renders fences named ``math`` as MathML, everything else as usual."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        if token.info.strip() != "math":
            return super().fence(tokens, idx, options, env)
        return f'<p class="math">{latex2mathml.converter.convert(token.content, display="block")}</p>\n'


def _without_tables(tokens: Sequence[Token]) -> list[Token]:
    kept, inside = [], False
    for token in tokens:
        inside = inside or token.type == "table_open"
        if not inside:
            kept.append(token)
        inside = inside and token.type != "table_close"
    return kept


def read_sections(path: Path) -> dict[str, str]:
    """Return heading -> HTML of each part of a description; the part before the first heading of level two is ``""``.

    Tables are left out: the manual's are made from the source.

    Raises:
        ConfigError: the file cannot be read, or has two sections of one name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(f"cannot read the model's description {path}: {cause}") from None
    markdown = MarkdownIt("commonmark", {"xhtmlOut": True, "html": False}, renderer_cls=_Renderer).enable("table")
    sections: dict[str, list[Token]] = {"": []}
    heading, tokens = "", markdown.parse(text)
    level = ""
    for token in tokens:
        if token.type == "heading_open":
            level = token.tag
        if token.type == "inline" and level == "h2":
            heading = token.content
            if heading in sections:
                raise ConfigError(f"{path}: two sections are named '{heading}': give each its own name")
            sections[heading] = []
        elif not level:
            sections[heading].append(token)
        if token.type == "heading_close":
            level = ""
    return {
        name: str(markdown.renderer.render(_without_tables(own), markdown.options, {}))
        for name, own in sections.items()
    }
