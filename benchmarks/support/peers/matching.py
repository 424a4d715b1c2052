# SPDX-License-Identifier: BSD-3-Clause
"""Pair what was meant to happen with what did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pair(
    meant: Sequence[tuple[float, int]], seen: Sequence[tuple[float, int]], within_s: float
) -> tuple[list[float], int, int]:
    """Return the time errors of the pairs, and how many of ``meant`` and of ``seen`` have no partner.

    Both are (second, level) in order.  Pairs have equal levels and lie within ``within_s``; of all ways to pair them in
    order, the one with the fewest left over, then with the smallest errors, so that no choice favours a tool or
    counts against it.
    """
    n, m, skip = len(meant), len(seen), within_s / 2
    cost = np.zeros((n + 1, m + 1))
    cost[:, 0] = skip * np.arange(n + 1)
    cost[0, :] = skip * np.arange(m + 1)
    a, la = np.array([t for t, _ in meant]), np.array([level for _, level in meant])
    b, lb = np.array([t for t, _ in seen]), np.array([level for _, level in seen])
    match = np.where(la[:, None] == lb[None, :], abs(a[:, None] - b[None, :]), np.inf) if n and m else None
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            assert match is not None
            cost[i, j] = min(cost[i - 1, j - 1] + match[i - 1, j - 1], cost[i - 1, j] + skip, cost[i, j - 1] + skip)
    errors: list[float] = []
    i, j, missed, extra = n, m, 0, 0
    while i and j:
        if match is not None and cost[i, j] == cost[i - 1, j - 1] + match[i - 1, j - 1]:
            i, j = i - 1, j - 1
            errors.append(float(b[j] - a[i]))
        elif cost[i, j] == cost[i - 1, j] + skip:
            i, missed = i - 1, missed + 1
        else:
            j, extra = j - 1, extra + 1
    return errors[::-1], missed + i, extra + j
