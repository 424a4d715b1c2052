# SPDX-License-Identifier: BSD-3-Clause
"""A model's description (Markdown) as HTML by sections, its equations as MathML."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import latex2mathml.converter
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from pyharness.errors import ConfigError

__all__ = ("read_sections",)


class _Renderer(RendererHTML):
    """Renders fences named ``math``, whose content is MathML by now, as they are, everything else as usual."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        if not _is_math(token):
            return super().fence(tokens, idx, options, env)
        return f'<p class="math">{token.content}</p>\n'


def _is_math(token: Token) -> bool:
    return token.type == "fence" and token.info.strip() == "math"


def _mathml(latex: str) -> str:
    """Return an equation as MathML; its words stay words, whatever they look like.

    Raises:
        ConfigError: it cannot be converted, or asks for a link or a style of its own.
    """
    try:
        tree = latex2mathml.converter.convert_to_element(latex, display="block")
    except Exception as cause:  # noqa: BLE001 its errors have no class in common
        raise ConfigError(
            f"this equation cannot be converted to MathML: {type(cause).__name__}: {latex!r:.80}"
        ) from None
    for element in tree.iter():
        if {"href", "style"} & element.attrib.keys():
            raise ConfigError(f"an equation of the manual takes no \\href and no \\style: {latex!r:.80}")
        # the converter writes symbols as character references; its own way to text would make elements of words, too
        element.text = html.unescape(element.text) if element.text else None
    return ElementTree.tostring(tree, encoding="unicode")


def _checked(token: Token) -> Token:
    """Return a token with its equation as MathML.

    Raises:
        ConfigError: a faulty equation, or an image that is not in the description itself.
    """
    for child in token.children or ():
        if child.type == "image" and not str(child.attrs["src"]).startswith("data:"):
            raise ConfigError(
                f"the manual is one file that needs no network: leave the image {child.attrs['src']!r} out"
            )
    return token.copy(content=_mathml(token.content)) if _is_math(token) else token


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
        ConfigError: the file cannot be read, has two sections of one name, a faulty equation, or an image of another place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(f"cannot read the model's description {path}: {cause}") from None
    markdown = MarkdownIt("commonmark", {"xhtmlOut": True, "html": False}, renderer_cls=_Renderer).enable("table")
    sections: dict[str, list[Token]] = {"": []}
    heading, level = "", ""
    for token in markdown.parse(text):
        if token.type == "heading_open" and token.tag in ("h1", "h2"):
            level = token.tag
        if token.type == "inline" and level == "h2":
            heading = token.content
            if heading in sections:
                raise ConfigError(f"{path}: two sections are named '{heading}': give each its own name")
            sections[heading] = []
        elif not level:
            try:
                sections[heading].append(_checked(token))
            except ConfigError as cause:
                raise ConfigError(f"{path}:{token.map[0] + 1 if token.map else 1}: {cause}") from None
        if token.type == "heading_close":
            level = ""
    return {
        name: str(markdown.renderer.render(_without_tables(own), markdown.options, {}))
        for name, own in sections.items()
    }
