# SPDX-License-Identifier: BSD-3-Clause
"""A user's own measured pulses: resistance after each pulse of a train, from a CSV file."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import ConfigError

__all__ = ("Pulses", "load_pulses")

Array = NDArray[np.float64]
READ_V = 0.1
"""Voltage over the device while it is read, in volt, where the file does not say."""
_NEEDED = ("device", "pulse", "amplitude_v", "width_s", "series_ohm")
_RESULTS = ("resistance_ohm", "conductance_siemens")
_OPTIONAL = ("read_v",)


@dataclass(frozen=True)
class Pulses:
    """Pulse trains, device by device, each in the order of the file; all arrays of shape (pulses,).

    Attributes:
        device: names.
        number: place in the train, from 1; 1 begins a train, for which the device was brought to its off state.
        amplitude_v: of the source, signed: positive SET, negative RESET; 0: a read alone, which at the beginning of a train tells
            the state that it starts from.
        width_s: rectangular, 0 for a read alone.
        series_ohm: between source and device.
        resistance_ohm: after the pulse, at ``read_v`` over the device.
        read_v: of the read.
        line: of the file.
    """

    device: NDArray[np.str_]
    number: NDArray[np.int_]
    amplitude_v: Array
    width_s: Array
    series_ohm: Array
    resistance_ohm: Array
    read_v: Array
    line: NDArray[np.int_]

    def __len__(self) -> int:
        return len(self.number)

    @property
    def devices(self) -> list[str]:
        """Names in the order of the file."""
        return list(dict.fromkeys(self.device.tolist()))

    def of(self, device: str) -> Pulses:
        """Return one device's pulses."""
        own = self.device == device
        return Pulses(**{name: values[own] for name, values in vars(self).items()})


def load_pulses(path: Path) -> Pulses:
    """Read a CSV file of pulses, one a row, in the order in which each device got them.

    Its first line that is no comment (``#``) names the columns: ``device``, ``pulse`` (1, 2, ... in each train; 1 begins a train from
    the off state), ``amplitude_v``, ``width_s``, ``series_ohm``, and ``resistance_ohm`` or ``conductance_siemens`` after the pulse; ``read_v``
    may be left out.

    Raises:
        ConfigError: it cannot be read, or breaks a rule; the message names file, line, column and value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets begin with a byte order mark
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(f"cannot read the pulses {path}: {cause}") from None
    numbered = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise ConfigError(f"{path}: no header: give a line with the columns {', '.join((*_NEEDED, _RESULTS[0]))}")
    (at, header), *rows = ((n, [cell.strip() for cell in next(csv.reader([line]))]) for n, line in numbered)
    _check_header(path, at, header)
    table = [_Row(path, n, header, row) for n, row in rows]
    if not table:
        raise ConfigError(f"{path}: no pulse follows the header in line {at}: give a row for each")
    last: dict[str, int] = {}
    for row in table:
        number, before = row.number, last.get(row.device, 0)
        if number not in (1, before + 1):
            after = f"{before + 1} after {before}, or 1" if before else "1"
            row.wrong(
                "pulse",
                f"{after} for device '{row.device}'",
                "number the pulses of each train from 1 on, none left out",
            )
        last[row.device] = number
    order = list(last)
    table.sort(key=lambda row: order.index(row.device))  # stable: what two devices got in turns is one train each
    return Pulses(
        device=np.array([row.device for row in table]),
        number=np.array([row.number for row in table]),
        line=np.array([row.line for row in table]),
        **{
            name: np.array([getattr(row, name) for row in table])
            for name in ("amplitude_v", "width_s", "series_ohm", "resistance_ohm", "read_v")
        },
    )


def _check_header(path: Path, line: int, header: list[str]) -> None:
    known = (*_NEEDED, *_RESULTS, *_OPTIONAL)
    for name in header:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"the columns are {', '.join(known)}"
            raise ConfigError(f"{path}:{line}: unknown column '{name}': {hint}")
        if header.count(name) > 1:
            raise ConfigError(f"{path}:{line}: column '{name}' is there twice: keep one")
    if lacking := [name for name in _NEEDED if name not in header]:
        raise ConfigError(f"{path}:{line}: no column '{lacking[0]}': the file needs {', '.join(_NEEDED)}")
    results = [name for name in _RESULTS if name in header]
    if len(results) != 1:
        raise ConfigError(
            f"{path}:{line}: one of the columns {' and '.join(_RESULTS)} is needed, got {' and '.join(results) or 'none'}"
        )


class _Row:
    """One row, every value checked."""

    def __init__(self, path: Path, line: int, header: list[str], cells: list[str]) -> None:
        self.path, self.line = path, line
        if len(cells) != len(header):
            raise ConfigError(
                f"{path}:{line}: {len(header)} columns are named, but the row has {len(cells)} values: give each column one"
            )
        self.cells = dict(zip(header, cells, strict=True))
        self.device = self.cells["device"]
        if not self.device:
            self.wrong("device", "a name", "name the device of every row")
        number = self._number("pulse", "a whole number from 1 on", lambda x: x >= 1 and x == int(x))
        self.number = int(number)
        self.amplitude_v = self._number("amplitude_v", "-100 .. 100 V", lambda x: abs(x) <= 100)
        self.width_s = self._number("width_s", "0 .. 1e4 s", lambda x: 0 <= x <= 1e4)
        if self.amplitude_v and not self.width_s:
            self.wrong("width_s", "above 0 s for a pulse", "give its width, or amplitude_v 0 for a read alone")
        self.series_ohm = self._number("series_ohm", "0 .. 1e9 Ohm", lambda x: 0 <= x <= 1e9)
        if "resistance_ohm" in self.cells:
            self.resistance_ohm = self._number("resistance_ohm", "1e-3 .. 1e15 Ohm", lambda x: 1e-3 <= x <= 1e15)
        else:
            self.resistance_ohm = 1 / self._number("conductance_siemens", "1e-15 .. 1e3 S", lambda x: 1e-15 <= x <= 1e3)
        in_range = "-2 .. 2 V and not 0"
        self.read_v = self._number("read_v", in_range, lambda x: 0 < abs(x) <= 2) if "read_v" in self.cells else READ_V

    def _number(self, column: str, rule: str, holds: Callable[[float], bool]) -> float:
        try:
            value = float(self.cells[column])
        except ValueError:
            self.wrong(
                column, f"a number, {rule}", "write it in the column's unit, with a decimal point and without a unit"
            )
        if not (math.isfinite(value) and holds(value)):
            self.wrong(column, rule, "correct it, or remove the row's train")
        return value

    def wrong(self, column: str, rule: str, what_to_do: str) -> NoReturn:
        """Refuse a value."""
        raise ConfigError(
            f"{self.path}:{self.line}: column '{column}' must be {rule}, got '{self.cells[column]}': {what_to_do}"
        )
