# SPDX-License-Identifier: BSD-3-Clause
"""A crossbar whose lines have resistance: its nodal equations, sparse.

Each cell has a node on its row's line and one on its column's.  Neighbours on a line are a segment apart; driver r feeds the row's node
at column 0, the last row's node of column c feeds its end.  Nodal analysis as in every circuit simulator (Ho, Ruehli and Brennan, IEEE
Trans. Circuits Syst. 22, 504, 1975, without their modification: no branch lacks a conductance); the matrix is factorised by SuperLU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

__all__ = ("WiredCrossbar",)

Array = NDArray[np.float64]


class WiredCrossbar:
    """Solutions of linear cells between resistive lines."""

    def __init__(self, rows: int, cols: int, wire_ohm: float, driver_ohm: float, column_ohm: float) -> None:
        """Lay the lines.

        Args:
            rows, cols: size, at least 1.
            wire_ohm: of a segment between neighbouring cells, above 0; what a cell's resistance exceeds it by, times 1e-16, is lost
                of the cell in rounding.
            driver_ohm: from each row's source to the node of its first cell.
            column_ohm: from the node of each column's last cell to the potential it ends at.
        """
        nodes = np.arange(2 * rows * cols).reshape(2, rows, cols)
        self._row, self._col = nodes
        self._begin, self._end = self._row[:, 0], self._col[-1]
        self._driver_ohm, self._column_ohm = driver_ohm, column_ohm
        one = np.concatenate([self._row[:, :-1].ravel(), self._col[:-1].ravel()])
        other = np.concatenate([self._row[:, 1:].ravel(), self._col[1:].ravel()])
        # each branch from a to b is on the diagonal at both and, negative, beside it; the cells come first
        a, b = np.concatenate([self._row.ravel(), one]), np.concatenate([self._col.ravel(), other])
        self._i = np.concatenate([a, b, a, b, self._begin, self._end])
        self._j = np.concatenate([a, b, b, a, self._begin, self._end])
        self._wire = np.full(len(one), 1 / wire_ohm)
        self._ends = np.concatenate([np.full(rows, 1 / driver_ohm), np.full(cols, 1 / column_ohm)])

    def _factorise(self, g_siemens: Array) -> Any:
        branch = np.concatenate([g_siemens.ravel(), self._wire])
        values = np.concatenate([branch, branch, -branch, -branch, self._ends])
        count = self._row.size + self._col.size
        return splu(coo_matrix((values, (self._i, self._j)), shape=(count, count)).tocsc())

    def gain(self, g_siemens: Array) -> Array:
        """Return the voltage at the columns' ends by volt of each row's source, shape (cols, rows), for cells of (rows, cols)."""
        drive = np.zeros((self._row.size + self._col.size, len(self._begin)))
        drive[self._begin, np.arange(len(self._begin))] = 1 / self._driver_ohm
        ends: Array = self._factorise(g_siemens).solve(drive)[self._end]
        return ends

    def solve(self, g_siemens: Array, own_a: Array, source_v: Array, emf_v: Array) -> tuple[Array, Array, Array]:
        """Solve cells that take ``own_a + g_siemens * v`` each, image by image.

        Args:
            g_siemens, own_a: shape (images, rows, cols).
            source_v: behind the drivers, shape (images, rows).
            emf_v: potential that the columns end at, shape (images,).

        Returns:
            in volt: across the cells, (images, rows, cols); at the rows' first nodes, (images, rows); at the columns' last nodes,
            (images, cols).
        """
        node = np.zeros((len(g_siemens), self._row.size + self._col.size))
        node[:, self._row], node[:, self._col] = -own_a, own_a
        node[:, self._begin] += source_v / self._driver_ohm
        node[:, self._end] += emf_v[:, None] / self._column_ohm
        for k, g in enumerate(g_siemens):
            node[k] = self._factorise(g).solve(node[k])
        return node[:, self._row] - node[:, self._col], node[:, self._begin], node[:, self._end]
