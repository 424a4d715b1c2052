# SPDX-License-Identifier: BSD-3-Clause
"""The Verilog-A preprocessor: comments, macros, conditionals and includes, with the origin of every line kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyharness.errors import VerilogAError
from pyharness.suggest import did_you_mean

__all__ = ("Source", "preprocess")

_DISCIPLINES = ("disciplines.vams", "disciplines.h", "discipline.h")
_CONSTANTS = ("constants.vams", "constants.h", "constants.va")
_STANDARD_HEADERS = (*_DISCIPLINES, *_CONSTANTS)
# What the standard headers define.  LRM 2.4 annex E gives the constants of mathematics and of physics; the older values
# of P_Q and P_K are the default there, and compilers that know the header ship them.
_PREDEFINED = {
    "M_E": "2.7182818284590452354",
    "M_LOG2E": "1.4426950408889634074",
    "M_LOG10E": "0.43429448190325182765",
    "M_LN2": "0.69314718055994530942",
    "M_LN10": "2.30258509299404568402",
    "M_PI": "3.14159265358979323846",
    "M_TWO_PI": "6.28318530717958647693",
    "M_PI_2": "1.57079632679489661923",
    "M_PI_4": "0.78539816339744830962",
    "M_1_PI": "0.31830988618379067154",
    "M_2_PI": "0.63661977236758134308",
    "M_2_SQRTPI": "1.12837916709551257390",
    "M_SQRT2": "1.41421356237309504880",
    "M_SQRT1_2": "0.70710678118654752440",
    "P_Q": "1.602176462e-19",
    "P_C": "2.99792458e8",
    "P_K": "1.3806503e-23",
    "P_H": "6.62606876e-34",
    "P_EPS0": "8.854187817e-12",
    "P_U0": "1.2566370614359172954e-6",
    "P_CELSIUS0": "273.15",
    "__VAMS_ENABLE__": "1",
    "__VAMS_COMPACT_MODELING__": "1",
}
# they set what a compact model has no use for
_IGNORED = (
    "timescale", "default_discipline", "default_transition", "default_nettype", "resetall", "begin_keywords", "end_keywords",
    "pragma", "line", "celldefine", "endcelldefine",
)  # fmt: skip
_STRING = r'"(?:[^"\\\n]|\\.)*"'
# where a line is taken apart, strings left whole
_CONDITIONAL = re.compile(rf"{_STRING}|(`(?:ifdef|ifndef|elsif|else|endif)\b)")
_MAX_DEPTH = 32
_MAX_CHARACTERS = 2_000_000


_DIRECTIVE = re.compile(rf"\s*`(define|undef|include|ifdef|ifndef|elsif|else|endif|{'|'.join(_IGNORED)})\b(.*)", re.S)


@dataclass(frozen=True)
class _Macro:
    parameters: tuple[str, ...] | None
    body: str


@dataclass
class Source:
    """Preprocessed text; ``origin[i]`` is the (file, line) that line ``i`` came from.

    ``disciplines`` says whether the standard header of that name is included, ``illegal`` what was read though the language
    has no such thing, with its place.
    """

    lines: list[str] = field(default_factory=list)
    origin: list[tuple[str, int]] = field(default_factory=list)
    disciplines: bool = False
    illegal: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines) + "\n"

    def where(self, line: int, column: int) -> str:
        """Return ``file:line:column`` of a position in the preprocessed text (1-based)."""
        file, number = self.origin[min(max(line, 1), len(self.origin)) - 1] if self.origin else ("?", 1)
        return f"{file}:{number}:{column}"


class _Preprocessor:
    def __init__(self, include_dirs: Sequence[Path]) -> None:
        self.include_dirs = list(include_dirs)
        self.macros = {name: _Macro(None, value) for name, value in _PREDEFINED.items()}
        # what is known here without the header that defines it
        self.lent = {name for name in _PREDEFINED if not name.startswith("__")}
        self.out = Source()
        self.characters = 0

    def fail(self, file: str, line: int, column: int, text: str) -> VerilogAError:
        return VerilogAError(f"{file}:{line}:{column}: {text}")

    def run(self, path: Path, depth: int = 0) -> None:
        file = path.name
        try:
            raw = path.read_bytes()
        except OSError as cause:
            raise VerilogAError(f"{path}: cannot read the Verilog-A source: {cause.strerror}") from None
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        # the line ends of any system; no other character ends a line
        text = _strip_comments(text.replace("\r\n", "\n").replace("\r", "\n"), file)
        other = re.search(r"[^\x00-\x7f]", text)
        if other:
            number = text.count("\n", 0, other.start()) + 1
            column = other.start() - text.rfind("\n", 0, other.start())
            raise self.fail(
                file,
                number,
                column,
                f"{other[0]!r} is no ASCII character: such may stand in comments and strings alone",
            )
        lines = list(enumerate(text.split("\n"), 1))
        active: list[tuple[bool, bool, int]] = []  # (taken now, some arm taken, line of the ifdef)
        i = 0
        while i < len(lines):
            number, line = lines[i]
            while line.rstrip().endswith("\\") and i + 1 < len(lines):
                i += 1
                line = line.rstrip()[:-1] + " " + lines[i][1]
            i += 1
            directive = _DIRECTIVE.match(line)
            cut = _cut(line, directive)
            if cut:  # what follows is read as a line of its own, its columns kept
                line, rest = line[:cut], " " * cut + line[cut:]
                lines.insert(i, (number, rest))
            if directive and directive[1] in _IGNORED:
                self.emit("", file, number)
            elif directive:
                self.directive(directive[1], line[directive.start(2) :].strip(), active, path, number, depth)
                self.emit("", file, number)
            elif all(taken for taken, _, _ in active):
                while self.unclosed(line) and i < len(lines) and not _DIRECTIVE.match(lines[i][1]):
                    line += " " + lines[i][1]
                    i += 1
                self.emit(self.expand(line, file, number), file, number)
        if active:
            raise self.fail(file, active[-1][2], 1, "`ifdef without `endif: close it")

    def unclosed(self, line: str) -> bool:
        """Return whether a macro's arguments go on in the next line."""
        for use in re.finditer(r"`([A-Za-z_]\w*)", line):
            macro = self.macros.get(use[1])
            if macro and macro.parameters is not None:
                rest = re.sub(_STRING, "", line[use.end() :])
                if not rest.strip() or (rest.lstrip().startswith("(") and rest.count("(") > rest.count(")")):
                    return True
        return False

    def emit(self, line: str, file: str, number: int) -> None:
        self.characters += len(line) + 1
        if self.characters > _MAX_CHARACTERS:
            raise self.fail(file, number, 1, f"macros expand to over {_MAX_CHARACTERS} characters: simplify them")
        self.out.lines.append(line)
        self.out.origin.append((file, number))

    def directive(
        self, kind: str, rest: str, active: list[tuple[bool, bool, int]], path: Path, number: int, depth: int
    ) -> None:
        file = path.name
        if kind in ("ifdef", "ifndef"):
            taken = rest in self.macros
            taken = taken if kind == "ifdef" else not taken
            active.append((taken, taken, number))
            return
        if kind in ("elsif", "else", "endif"):
            if not active:
                raise self.fail(file, number, 1, f"`{kind} without `ifdef: remove it or open the conditional")
            _, some, line = active.pop()
            if kind != "endif":
                taken = not some and (kind == "else" or rest in self.macros)
                active.append((taken, some or taken, line))
            return
        if not all(taken for taken, _, _ in active):
            return
        if kind == "undef":
            self.macros.pop(rest, None)
        elif kind == "define":
            macro = re.match(r"([A-Za-z_]\w*)(\(([^)]*)\))?\s*(.*)\Z", rest, re.S)
            if not macro:
                raise self.fail(file, number, 1, f"`define needs a name, got {rest!r}")
            names = tuple(p.strip() for p in macro[3].split(",")) if macro[2] else None
            self.macros[macro[1]] = _Macro(names, macro[4].strip())
            self.lent.discard(macro[1])
        else:
            self.include(rest, path, number, depth)

    def include(self, rest: str, path: Path, number: int, depth: int) -> None:
        name = re.fullmatch(r'"([^"]+)"', rest)
        if not name:
            raise self.fail(path.name, number, 1, f"`include needs a file name in double quotes, got {rest!r}")
        if Path(name[1]).name in _STANDARD_HEADERS:
            self.out.disciplines |= Path(name[1]).name in _DISCIPLINES
            if Path(name[1]).name in _CONSTANTS:
                self.lent.clear()
            return
        if depth >= _MAX_DEPTH:
            raise self.fail(
                path.name, number, 1, f"`include nests over {_MAX_DEPTH} levels: does a file include itself?"
            )
        folders = [path.parent, *self.include_dirs]
        for folder in folders:
            if (folder / name[1]).is_file():
                self.run(folder / name[1], depth + 1)
                return
        known = [*_STANDARD_HEADERS, *(p.name for f in folders if f.is_dir() for p in f.iterdir() if p != path)]
        hint = did_you_mean(name[1], known)
        raise self.fail(
            path.name, number, 1,
            f"`include file '{name[1]}' not found: {f'{hint} ' if hint else ''}put it beside {path.name}, or name its folder (-I FOLDER)",
        )  # fmt: skip

    def expand(self, line: str, file: str, number: int, depth: int = 0) -> str:
        if "`" not in line:
            return line
        out, at = [], 0
        for use in re.finditer(rf"{_STRING}|`([A-Za-z_]\w*)?", line):
            if use.start() < at or use[0].startswith('"'):
                continue
            name = use[1]
            macro = self.macros.get(name or "")
            if macro is None:
                raise self.fail(file, number, use.start() + 1, f"macro `{name or ''} is not defined: `define it first")
            if name in self.lent:
                self.out.illegal.append(
                    f'{file}:{number}:{use.start() + 1}: macro `{name} is used but not defined: write `include "constants.vams" before it'
                )
                self.lent.clear()  # said once
            if depth >= _MAX_DEPTH:
                raise self.fail(file, number, use.start() + 1, f"macro `{name} expands into itself: break the cycle")
            out.append(line[at : use.start()])
            at = use.end()
            body = macro.body
            if macro.parameters is not None:
                arguments, at = self.arguments(line, at, file, number, str(name))
                if len(arguments) != len(macro.parameters):
                    raise self.fail(
                        file, number, use.start() + 1,
                        f"macro `{name} takes {len(macro.parameters)} arguments, got {len(arguments)}",
                    )  # fmt: skip
                values = dict(zip(macro.parameters, arguments, strict=True))
                # a string is left as it is (IEEE 1364-2005, 19.3.1)
                body = re.sub(rf"{_STRING}|\b[A-Za-z_]\w*\b", lambda m, values=values: values.get(m[0], m[0]), body)  # type: ignore[misc]
            out.append(self.expand(body, file, number, depth + 1))
            if sum(map(len, out)) > _MAX_CHARACTERS:
                raise self.fail(file, number, use.start() + 1, f"macro `{name} expands without bound: simplify it")
        out.append(line[at:])
        return "".join(out)

    def arguments(self, line: str, at: int, file: str, number: int, name: str) -> tuple[list[str], int]:
        opening = re.compile(r"\s*\(").match(line, at)
        if not opening:
            raise self.fail(file, number, at + 1, f"macro `{name} needs its arguments in parentheses")
        depth, start, found = 1, opening.end(), []
        inside = {i for m in re.finditer(_STRING, line) for i in range(*m.span())}
        for i in range(opening.end(), len(line)):
            c = line[i] if i not in inside else ""
            depth += (c == "(") - (c == ")")
            if (c == "," and depth == 1) or depth == 0:
                found.append(line[start:i].strip())
                start = i + 1
            if depth == 0:
                return found, i + 1
        raise self.fail(file, number, at + 1, f"macro `{name}: the closing parenthesis is missing")


def _cut(line: str, directive: re.Match[str] | None) -> int:
    """Return where a line ends for the preprocessor: before a conditional, or behind the one it begins with; 0: at its end."""
    if directive is None:
        return next((m.start() for m in _CONDITIONAL.finditer(line) if m[1]), 0)
    if directive[1] not in ("ifdef", "ifndef", "elsif", "else", "endif"):
        return 0
    named = re.compile(r"\s*\w+").match(line, directive.start(2)) if directive[1] not in ("else", "endif") else None
    end = named.end() if named else directive.start(2)
    return end if line[end:].strip() else 0


def _strip_comments(text: str, file: str) -> str:
    """Blank out comments, keeping strings (their other characters as ?), columns and line ends."""

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return re.sub(r"[^\x00-\x7f]", "?", found) if found.startswith('"') else re.sub(r"[^\n]", " ", found)

    stripped = re.sub(rf"{_STRING}|//[^\n]*|/\*.*?\*/", blank, text, flags=re.S)
    if "/*" in re.sub(_STRING, "", stripped):
        line = stripped[: stripped.index("/*")].count("\n") + 1
        raise VerilogAError(f"{file}:{line}:1: comment opened by /* is never closed")
    return stripped


def preprocess(path: Path, include_dirs: Sequence[Path] = ()) -> Source:
    """Read ``path`` and return its text without comments and directives, macros expanded.

    Raises:
        VerilogAError: unreadable or not ASCII, unknown macro, unbalanced conditional, missing include.
    """
    machine = _Preprocessor(include_dirs)
    machine.run(path)
    return machine.out
