# SPDX-License-Identifier: BSD-3-Clause
"""The fields of the traces that random_bench.v writes, most significant first, and how to read a trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ("STATES", "Row", "Shape", "pack", "read_trace", "unpack")

Fields = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Shape:
    """Rows and columns of both layers; longest pulse in cycles."""

    rows: tuple[int, int] = (3, 2)
    cols: tuple[int, int] = (2, 2)
    longest: int = 13

    @property
    def devices(self) -> int:
        return self.rows[0] * self.cols[0] + self.rows[1] * self.cols[1]

    @property
    def columns(self) -> int:
        return sum(self.cols)

    @property
    def parameters(self) -> dict[str, int]:
        """As the benches name them."""
        (r1, r2), (c1, c2) = self.rows, self.cols
        return {"L1_ROWS": r1, "L1_COLS": c1, "L2_ROWS": r2, "L2_COLS": c2, "MAX_PULSE_CYCLES": self.longest}

    @property
    def inputs(self) -> Fields:
        return (
            *(("rst_ni", 1), ("awvalid", 1), ("awaddr", 16), ("wvalid", 1), ("wdata", 32), ("wstrb", 4), ("bready", 1)),
            *(("arvalid", 1), ("araddr", 16), ("rready", 1), ("cmp", self.columns)),
        )

    @property
    def outputs(self) -> Fields:
        layers = []
        for name, rows, cols in zip(("l1", "l2"), self.rows, self.cols, strict=True):
            layers += [(f"{name}_row_code", 12 * rows), (f"{name}_ref_code", 12), (f"{name}_word", rows)]
            layers += [(f"{name}_col_write", cols), (f"{name}_col_read", cols), (f"{name}_range", 1)]
            layers += [(f"{name}_adc_code", 12 * cols)]
        return (
            *(("awready", 1), ("wready", 1), ("bvalid", 1), ("bresp", 2), ("arready", 1), ("rvalid", 1), ("rresp", 2)),
            *(("rdata", 32), ("irq", 1), ("phase", 3), *layers),
            *(("log_valid", 1), ("log_device", 12), ("log_initial", 1), ("log_is_reset", 1), ("log_amplitude", 11)),
            *(("log_cycles", 20), ("log_before", 12), ("log_after", 12), ("log_verdict", 3)),
        )


STATES: Fields = (
    *(("state", 3), ("verdict", 3), ("is_reset", 1), ("pulses", 10), ("target", 12), ("last", 2), ("initial", 1)),
    *(("confirmed", 4), ("amplitude", 11), ("access", 3), ("program", 3), ("infer", 4), ("abort", 1)),
)


class Row(NamedTuple):
    """What the wires showed for ``count`` clocks, from ``clock`` on."""

    clock: int
    count: int
    inputs: int
    outputs: int
    states: int


def unpack(word: int, fields: Fields) -> dict[str, int]:
    """Split a word into its fields."""
    values = {}
    for name, width in reversed(fields):
        values[name] = word & ((1 << width) - 1)
        word >>= width
    return values


def pack(values: dict[str, int], fields: Fields) -> int:
    """Join fields to a word; a field that is not given is 0."""
    word = 0
    for name, width in fields:
        word = word << width | values.get(name, 0)
    return word


def read_trace(path: Path) -> Iterator[Row]:
    """Return the rows of a trace.

    Raises:
        ValueError: a bit is unknown, or the trace has no end.
    """
    previous: tuple[int, int, int, int] | None = None
    rows = 0
    with path.open() as file:
        for line in file:
            try:
                clock, *words = (int(word, 16) for word in line.split())
            except ValueError:
                raise ValueError(f"unknown bits in {path.name}, line {rows + 1}: {line.strip()}") from None
            if previous is not None:
                yield Row(previous[0], clock - previous[0], *previous[1:])
            previous = (clock, *words)
            rows += 1
    if previous is None or rows < 2:
        raise ValueError(f"{path} holds no trace")
    yield Row(previous[0], 1, *previous[1:])
