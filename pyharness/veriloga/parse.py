# SPDX-License-Identifier: BSD-3-Clause
"""Read a Verilog-A file."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pyharness.errors import VerilogAError
from pyharness.veriloga.elaborate import WAYS_OUT, elaborate
from pyharness.veriloga.module import Module
from pyharness.veriloga.preprocess import Source, preprocess

__all__ = ("load_module",)

_DEEPEST = 20_000
"""Calls in each other: a sum of a few thousand terms is a tree of that depth."""


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark.open_from_package(
        __package__, "grammar.lark", parser="lalr", propagate_positions=True, maybe_placeholders=True
    )


def _explain(cause: UnexpectedInput, source: Source) -> VerilogAError:
    where = source.where(cause.line if cause.line and cause.line > 0 else len(source.lines), max(cause.column or 1, 1))
    if isinstance(cause, UnexpectedCharacters):
        if cause.char in WAYS_OUT:
            return VerilogAError(f"{where}: '{cause.char}': {WAYS_OUT[cause.char]}")
        return VerilogAError(f"{where}: unexpected character {cause.char!r}: it has no meaning here")
    token = cause.token if isinstance(cause, UnexpectedToken) else Token("?", "?")
    if token.type == "$END":
        return VerilogAError(f"{where}: the file ends in the middle of a construct: is 'endmodule' or 'end' missing?")
    # a keyword we do not know reads like a name, and the error shows later in its statement
    start = max(source.text.rfind(";", 0, token.start_pos or 0), source.text.rfind("\n", 0, token.start_pos or 0)) + 1
    words = [Token("ID", w[0], start + w.start()) for w in re.finditer(r"\w+", source.text[start : token.start_pos])]
    for word in (token, *words):
        if str(word) in WAYS_OUT:
            at = word.start_pos or 0
            line = source.text.count("\n", 0, at) + 1
            where = source.where(line, at - source.text.rfind("\n", 0, at))
            return VerilogAError(f"{where}: '{word}' is not supported: {WAYS_OUT[str(word)]}")
    return VerilogAError(f"{where}: syntax error at '{token}': it cannot stand here{_missing_semicolon(source, token)}")


def _missing_semicolon(source: Source, token: Token) -> str:
    """Return the question after a ';' that would let the parser go on behind ``token``."""
    at = token.start_pos or 0
    end = len(source.text[:at].rstrip())
    try:
        _parser().parse(f"{source.text[:end]};{source.text[end:]}")
    except UnexpectedInput as later:
        if (later.pos_in_stream or 0) <= at + 1:
            return ""
    _, line, _ = source.where(source.text.count("\n", 0, end) + 1, 1).rsplit(":", 2)
    return f"; is a ';' missing before it (line {line})?"


def load_module(path: str | Path, include_dirs: Sequence[Path] = ()) -> Module:
    """Read the one module of a Verilog-A file.

    Args:
        path: the ``.va`` file.
        include_dirs: folders searched for includes after the file's own.

    Raises:
        VerilogAError: anything wrong with the source; the message begins with file:line:column and says what to do.
    """
    path = Path(path)
    source = preprocess(path, include_dirs)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEPEST))
    try:
        return elaborate(_parser().parse(source.text), source, path)
    except UnexpectedInput as cause:
        raise _explain(cause, source) from None
    except RecursionError:
        raise VerilogAError(f"{path.name}:1:1: an expression nests too deeply: split it over variables") from None
    finally:
        sys.setrecursionlimit(limit)
