# SPDX-License-Identifier: BSD-3-Clause
"""What the names of one source mean, and where its errors lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree

from pyharness.errors import VerilogAError
from pyharness.veriloga.disciplines import STANDARD_DISCIPLINES, STANDARD_NATURES, Discipline, Nature
from pyharness.veriloga.module import Parameter
from pyharness.veriloga.preprocess import Source

__all__ = ("Function", "Symbols", "Variable")


@dataclass(frozen=True)
class Variable:
    """A variable of the module; ``output`` makes it an operating-point variable."""

    name: str
    kind: str
    output: bool
    units: str
    desc: str
    multiplicity: str


@dataclass(frozen=True)
class Function:
    """An analog function: its arguments with their directions, its variables with their kinds, its body."""

    name: str
    arguments: list[tuple[str, str]]
    variables: dict[str, str]
    starts: dict[str, Any]
    body: Any


class Symbols:
    """The symbol tables of a module."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.module = ""
        self.natures: dict[str, Nature] = dict(STANDARD_NATURES)
        self.disciplines: dict[str, Discipline] = dict(STANDARD_DISCIPLINES)
        self.ports: list[str] = []
        self.nets: dict[str, Discipline] = {}
        self.grounds: set[str] = set()
        self.branches: dict[str, tuple[str, str]] = {}
        self.parameters: dict[str, Parameter] = {}
        self.aliases: dict[str, str] = {}
        self.variables: dict[str, Variable] = {}
        self.functions: dict[str, Function] = {}
        self.assigned: set[str] = set()

    def place(self, at: Any) -> str:
        """Return file:line:column of a piece of the tree."""
        line = at.line if isinstance(at, Token) else getattr(getattr(at, "meta", None), "line", 1)
        column = at.column if isinstance(at, Token) else getattr(getattr(at, "meta", None), "column", 1)
        return self.source.where(line or 1, column or 1)

    def error(self, at: Any, text: str) -> VerilogAError:
        """Return the error ``text`` with its place."""
        return VerilogAError(f"{self.place(at)}: {text}")

    def note_assignments(self, items: Iterable[Tree[Token]]) -> None:
        """Collect the variables that statements assign, those under @(initial_step) and initialisers left out."""
        stack: list[Any] = list(items)
        while stack:
            tree = stack.pop()
            if not isinstance(tree, Tree) or tree.data == "event":
                continue
            if tree.data == "assignment":
                self.assigned.add(str(tree.children[0]))
            elif tree.data in ("call", "call_statement") and str(tree.children[0]) in self.functions:
                function = self.functions[str(tree.children[0])]
                arguments = tree.children[1].children if isinstance(tree.children[1], Tree) else []
                for (_, direction), given in zip(function.arguments, arguments, strict=False):
                    if direction != "input" and isinstance(given, Tree) and given.data == "name":
                        self.assigned.add(str(given.children[0]))
            stack.extend(tree.children)

    def node(self, token: Any) -> str:
        """Return the node that ``token`` names, ``0`` for ground."""
        name = str(token)
        if name not in self.nets:
            raise self.error(token, f"'{name}' is not a declared node: declare it 'electrical {name};'")
        return "0" if name in self.grounds else name

    def new_node(self, stem: str) -> str:
        """Declare an internal node under a free name and return it."""
        taken = (self.nets, self.branches, self.parameters, self.variables)
        number = 1
        while any(f"{stem}{number}" in names for names in taken):
            number += 1
        self.nets[f"{stem}{number}"] = STANDARD_DISCIPLINES["electrical"]
        return f"{stem}{number}"

    def is_access(self, name: str) -> bool:
        """Return whether ``name`` is the access function of a nature."""
        return any(n.access == name for n in self.natures.values())

    def access(self, token: Any, name: str) -> str:
        """Return 'potential' or 'flow' for access function ``token`` on node or branch ``name``."""
        node = next((n for n in self.branches.get(name, (name,)) if n in self.nets), None)
        discipline = self.nets[node] if node else STANDARD_DISCIPLINES["electrical"]
        for kind in ("potential", "flow"):
            nature: Nature | None = getattr(discipline, kind)
            if nature and nature.access == str(token):
                return kind
        ways = [n.access for n in (discipline.potential, discipline.flow) if n]
        raise self.error(
            token, f"'{name}' is of discipline {discipline.name}: read it by {' or '.join(ways)}, not {token}()"
        )
