# SPDX-License-Identifier: BSD-3-Clause
"""Mutants of the controller's Verilog: one small change each, found by patterns in the text.

Ports, parameters, comments, declarations' widths and checks outside synthesis are left alone.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ("Mutant", "all_mutants", "choose")


@dataclass(frozen=True)
class Mutant:
    """A change: file, line number, kind, the line before and after it, and which of several equal lines it is."""

    file: str
    line: int
    kind: str
    before: str
    after: str
    nth: int = 1

    @property
    def name(self) -> str:
        """Stays the same when lines move: file, old text, new text."""
        which = f" (occurrence {self.nth})" if self.nth > 1 else ""
        return f"{self.file}: {self.before.strip()}{which}  ->  {self.after.strip()}"

    def apply(self, text: str) -> str:
        """Return the file's text with the change.

        Raises:
            ValueError: the line is not what it was.
        """
        lines = text.split("\n")
        if lines[self.line - 1] != self.before:
            raise ValueError(f"{self.file}, line {self.line} is not {self.before.strip()!r} any more")
        lines[self.line - 1] = self.after
        return "\n".join(lines)


OPERATORS = {
    "==": ("!=",),
    "!=": ("==",),
    "<": ("<=", ">="),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "<=": ("<", ">"),
    "&&": ("||",),
    "||": ("&&",),
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    ">>": ("<<",),
    ">>>": (">>",),
    "|": ("&",),
    "^": ("|",),
}
TOKEN = re.compile(r"(?<= )(==|!=|<=|>=|<|>|&&|\|\||\+|-|\*|>>>|>>|\||\^)(?= )")
NUMBER = re.compile(r"(?<![\w'])(-?)(\d+)'(s?)d(\d+)\b")
STATEMENT = re.compile(r"^(\s*)([\w\[\]+:*,{} ]+?) (<=|=) [^;]*;\s*(//.*)?$")
ASSIGN = re.compile(r"\b(assign|wire|reg|localparam|for|integer|parameter)\b")
TERNARY = re.compile(r"(?<=[=?:(] )?([\w'\[\]:.]+) : ([\w'\[\]:.]+)(?=[;,)])")
STATE = re.compile(r"\b(state_d|state_q)(\s*<?= )(ST_\w+)")
NEGATION = re.compile(r"!(?=[\w(])(?!=)")
CONDITION = re.compile(r"\bif \((?=[^;]*\))")

LEFT_ALONE = re.compile(r"\s*($|`|localparam|\.|genvar|for|always|ST_\w+ = )")


def _sites(code: str, in_block: bool, states: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (kind, changed code) for one line without its comment."""
    first_assignment = STATEMENT.match(code) if in_block and not ASSIGN.search(code) else None
    for found in TOKEN.finditer(code):
        operator = found[1]
        if operator == "<=" and re.match(
            r"^[^()=?]*$", code[: found.start()].split("begin")[-1].split(": ")[-1].split(") ")[-1]
        ):
            if in_block and "?" not in code[: found.start()]:
                continue  # an assignment
        for other in OPERATORS[operator]:
            yield "operator", code[: found.start()] + other + code[found.end() :]
    for found in NUMBER.finditer(code):
        width, value = int(found[2]), int(found[4])
        for other in (value + 1, value - 1):
            if 0 <= other < 1 << width:
                yield "constant", f"{code[: found.start(4)]}{other}{code[found.end(4) :]}"
    for found in NEGATION.finditer(code):
        if "rst_ni" not in code[found.start() :][:8]:
            yield "negation", code[: found.start()] + code[found.end() :]
    for found in STATE.finditer(code):
        for other in states:
            if other != found[3]:
                yield "state", code[: found.start(3)] + other + code[found.end(3) :]
    for found in TERNARY.finditer(code):
        if "?" in code[: found.start()] and found[1] != found[2]:
            yield "swapped", f"{code[: found.start()]}{found[2]} : {found[1]}{code[found.end() :]}"
    if in_block and (found := CONDITION.search(code)) and "rst_ni" not in code:
        depth, end = 0, found.end() - 1
        for end in range(found.end() - 1, len(code)):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            if depth == 0:
                break
        yield "condition", f"{code[: found.end()]}!({code[found.end() : end]}){code[end:]}"
    if first_assignment:
        yield "dropped", f"{first_assignment[1]};"


def all_mutants(file: str, text: str) -> list[Mutant]:
    """Return every mutant of a file."""
    states = re.findall(r"\b(ST_\w+) = ", text)
    found: list[Mutant] = []
    inside = skipped = False
    in_block = False
    times: Counter[str] = Counter()
    for number, line in enumerate(text.split("\n"), 1):
        times[line.strip()] += 1
        code, slashes, comment = line.partition("//")
        inside = inside or code.startswith(");")  # the end of the ports
        skipped = (skipped or "ifndef SYNTHESIS" in code) and "`endif" not in code
        in_block = (in_block or "always @" in code or code.startswith("    task ")) and code.rstrip() != "    end"
        if not inside or skipped or "unused" in code or LEFT_ALONE.match(code):
            continue
        seen = set()
        for kind, changed in _sites(code, in_block, states):
            if changed != code and changed not in seen:
                seen.add(changed)
                after = changed if kind == "dropped" else changed + slashes + comment
                found.append(Mutant(file, number, kind, line, after, times[line.strip()]))
    return found


def choose(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Draw ``count`` mutants, each kind about as often as it can be."""
    rng = random.Random(f"{seed} {mutants[0].file}")
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in rng.sample(mutants, len(mutants)):
        by_kind.setdefault(mutant.kind, []).append(mutant)
    chosen: list[Mutant] = []
    while len(chosen) < min(count, len(mutants)):
        for kind in sorted(by_kind):
            if by_kind[kind] and len(chosen) < count:
                chosen.append(by_kind[kind].pop())
    return chosen
