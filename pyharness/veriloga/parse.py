# SPDX-License-Identifier: BSD-3-Clause
"""Read a Verilog-A file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pyharness.errors import VerilogAError
from pyharness.veriloga.elaborate import elaborate
from pyharness.veriloga.module import Module
from pyharness.veriloga.preprocess import Source, preprocess

__all__ = ("load_module",)

_WAYS_OUT = {
    "case": "write if ... else if ... instead",
    "for": "write the terms out",
    "while": "write the terms out",
    "repeat": "write the terms out",
    "function": "write the expression in place, or use a macro",
    "genvar": "write the terms out",
    "discipline": "include disciplines.vams and use 'electrical'",
    "nature": "include disciplines.vams and use 'electrical'",
    "initial": "use an 'analog' block; the start of a state is a parameter",
    "always": "digital behaviour belongs into Verilog, beside the analog block",
}


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark.open_from_package(
        __package__, "grammar.lark", parser="lalr", propagate_positions=True, maybe_placeholders=True
    )


def _explain(cause: UnexpectedInput, source: Source) -> VerilogAError:
    where = source.where(cause.line if cause.line and cause.line > 0 else len(source.lines), max(cause.column or 1, 1))
    if isinstance(cause, UnexpectedCharacters):
        return VerilogAError(f"{where}: unexpected character {cause.char!r}: it has no meaning here")
    token = cause.token if isinstance(cause, UnexpectedToken) else Token("?", "?")
    if token.type == "$END":
        return VerilogAError(f"{where}: the file ends in the middle of a construct: is 'endmodule' or 'end' missing?")
    before = (cause.token_history or []) if isinstance(cause, UnexpectedToken) else []
    for word in (token, *before):  # a keyword we do not know reads like a name, and the error shows one token later
        if str(word) in _WAYS_OUT:
            where = source.where(word.line or 1, word.column or 1)
            return VerilogAError(f"{where}: '{word}' is not supported: {_WAYS_OUT[str(word)]}")
    return VerilogAError(f"{where}: syntax error at '{token}': it cannot stand here")


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
    try:
        tree = _parser().parse(source.text)
        modules = tree.children
        if len(modules) != 1:
            raise VerilogAError(f"{path.name}:1:1: a model file holds one module, got {len(modules)}: split the file")
        return elaborate(modules[0], source, path.name)  # type: ignore[arg-type]
    except UnexpectedInput as cause:
        raise _explain(cause, source) from None
    except RecursionError:
        raise VerilogAError(f"{path.name}:1:1: an expression nests too deeply: split it over variables") from None
