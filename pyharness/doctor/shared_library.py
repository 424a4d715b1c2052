# SPDX-License-Identifier: BSD-3-Clause
"""A circuit through ngspice's shared library, by ctypes and without the engine of the coupling."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import CFUNCTYPE, POINTER, c_bool, c_char_p, c_double, c_int, c_short, c_void_p
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import AnalogError

__all__ = ("SharedLibrary",)

_NEEDED = ("ngSpice_Init", "ngSpice_Init_Sync", "ngSpice_Circ", "ngSpice_Command", "ngSpice_SetBkpt", "ngGet_Vec_Info")

_OnText = CFUNCTYPE(c_int, c_char_p, c_int, c_void_p)
_OnExit = CFUNCTYPE(c_int, c_int, c_bool, c_bool, c_int, c_void_p)
_OnData = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_void_p)
_OnPlot = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)
_OnThread = CFUNCTYPE(c_int, c_bool, c_int, c_void_p)


class _Vector(ctypes.Structure):
    """``struct vector_info`` of sharedspice.h."""

    _fields_ = (
        ("name", c_char_p),
        ("type", c_int),
        ("flags", c_short),
        ("real", POINTER(c_double)),
        ("complex", c_void_p),
        ("length", c_int),
    )


class SharedLibrary:
    """A loaded ngspice; once in a process.

    Attributes:
        messages: what it has printed.

    Raises:
        AnalogError: it cannot be loaded, or lacks a call that the coupling needs.
    """

    def __init__(self, path: str) -> None:
        try:
            self._library = ctypes.CDLL(path)
        except OSError as cause:
            raise AnalogError(f"cannot load the ngspice library: {cause}") from None
        absent = [name for name in _NEEDED if not hasattr(self._library, name)]
        if absent:
            raise AnalogError(
                f"{path} is not an ngspice shared library with synchronisation calls: no {', '.join(absent)}"
            )
        self.messages: list[str] = []
        self._library.ngGet_Vec_Info.restype = POINTER(_Vector)
        # ngspice keeps the callbacks: so must this object
        self._callbacks = (
            _OnText(self._on_text),
            _OnText(lambda *_: 0),
            _OnExit(self._on_exit),
            _OnData(lambda *_: 0),
            _OnPlot(lambda *_: 0),
            _OnThread(lambda *_: 0),
        )
        self._library.ngSpice_Init(*self._callbacks, None)

    def _on_text(self, text: bytes, *_: object) -> int:
        self.messages.append(text.decode(errors="replace").removeprefix("stdout ").removeprefix("stderr "))
        return 0

    def _on_exit(self, status: int, *_: object) -> int:
        self.messages.append(f"ngspice asked to exit with status {status}")
        return 0

    def command(self, line: str) -> None:
        """Carry out a command.

        Raises:
            AnalogError: ngspice refuses it.
        """
        before = len(self.messages)
        if self._library.ngSpice_Command(line.encode()):
            raise AnalogError(f"ngspice refuses '{line}': {'; '.join(self.messages[before:])[-600:]}")

    def run(
        self, circuit: Sequence[str], analysis: str, names: Sequence[str], libraries: Sequence[Path] = ()
    ) -> list[NDArray[np.float64]]:
        """Run an analysis and return the named vectors.

        Args:
            circuit: lines without title and ``.end``.
            libraries: OSDI libraries to load first, of paths without spaces.

        Raises:
            AnalogError: ngspice refuses the circuit, or a vector is not there.
        """
        for library in libraries:
            self.command(f"osdi {library}")
        lines = [line.encode() for line in ("* toy", *circuit, ".end")]
        before = len(self.messages)
        if self._library.ngSpice_Circ((c_char_p * (len(lines) + 1))(*lines, None)):
            raise AnalogError(f"ngspice refuses the toy: {'; '.join(self.messages[before:])[-600:]}")
        self.command(analysis)
        return [self._vector(name) for name in names]

    def _vector(self, name: str) -> NDArray[np.float64]:
        found = self._library.ngGet_Vec_Info(name.encode())
        if not found or not found[0].real:
            raise AnalogError(f"ngspice has no vector '{name}': {'; '.join(self.messages)[-600:]}")
        return np.array(found[0].real[: found[0].length])
