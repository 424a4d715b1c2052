# SPDX-License-Identifier: BSD-3-Clause
"""A module as a system of equations, f(x) + dq(x)/dt = 0, with its exact Jacobian."""

from __future__ import annotations

from dataclasses import dataclass

from pyharness.veriloga.graph import ZERO, Expr, apply, derivative, leaf, voltage
from pyharness.veriloga.module import Module

__all__ = ("Entry", "System", "equations")


@dataclass(frozen=True)
class Entry:
    """One place of the Jacobian that is not zero everywhere."""

    row: int
    column: int
    resistive: Expr
    reactive: Expr


@dataclass(frozen=True)
class System:
    """Unknowns and residuals.

    Attributes:
        names: of the unknowns: nodes, then the branches whose current is one.
        unknowns: their leaves.
        resistive, reactive: f and q of every row; a node's row is the sum of the currents that leave it.
        jacobian: entries by row and column.
    """

    names: tuple[str, ...]
    unknowns: tuple[Expr, ...]
    resistive: tuple[Expr, ...]
    reactive: tuple[Expr, ...]
    jacobian: tuple[Entry, ...]


def equations(module: Module) -> System:
    """Return the equations of ``module``."""
    flows = [b for b in module.branches if b.flow]
    names = (*module.nodes, *(b.flow for b in flows))
    unknowns = (*map(voltage, module.nodes), *(leaf("flow", b.flow) for b in flows))
    row = {name: i for i, name in enumerate(module.nodes)}
    resistive = [ZERO] * len(names)
    reactive = [ZERO] * len(names)
    number = len(module.nodes)
    for b in module.branches:
        current, charge = b.current, b.charge
        if b.flow:
            across = apply("sub", voltage(b.plus), voltage(b.minus))
            unknown = leaf("flow", b.flow)
            resistive[number] = apply(
                "select", b.is_potential, apply("sub", across, b.potential), apply("sub", unknown, b.current)
            )
            reactive[number] = apply("neg", apply("select", b.is_potential, b.flux, b.charge))
            number += 1
            current, charge = unknown, ZERO
        for node, op in ((b.plus, "add"), (b.minus, "sub")):
            if node != "0":
                i = row[node]
                resistive[i] = apply(op, resistive[i], current)
                reactive[i] = apply(op, reactive[i], charge)
    jacobian = []
    for i in range(len(names)):
        for j, unknown in enumerate(unknowns):
            entry = Entry(i, j, derivative(resistive[i], unknown), derivative(reactive[i], unknown))
            if entry.resistive is not ZERO or entry.reactive is not ZERO:
                jacobian.append(entry)
    return System(names, unknowns, tuple(resistive), tuple(reactive), tuple(jacobian))
