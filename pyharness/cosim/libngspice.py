# SPDX-License-Identifier: BSD-3-Clause
"""Find ngspice's shared library."""

from __future__ import annotations

import ctypes.util
import os
from pathlib import Path

from pyharness.errors import ToolNotFoundError
from pyharness.install import INSTALL

__all__ = ("find_libngspice", "library_has_osdi")

_VARIABLE = "NGSPICE_LIBRARY_PATH"
_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/opt/homebrew/lib",
)
_NAMES = ("libngspice.so.0", "libngspice.so", "libngspice.dylib")


def find_libngspice() -> str:
    """Return the library to load: ``NGSPICE_LIBRARY_PATH`` if set, else the system's.

    Raises:
        ToolNotFoundError: none of the places has it; the message lists them all and says what to install.
    """
    asked = os.environ.get(_VARIABLE)
    if asked:
        if not Path(asked).is_file():
            raise ToolNotFoundError(f"{_VARIABLE} names '{asked}', which is not a file: correct or unset it")
        return asked
    tried = []
    for folder in _FOLDERS:
        for name in _NAMES:
            path = Path(folder) / name
            if path.exists():
                return str(path)
            tried.append(str(path))
    found = ctypes.util.find_library("ngspice")
    if found:
        return found
    raise ToolNotFoundError(
        f"ngspice's shared library was not found. Install it (Debian, Ubuntu: {INSTALL['libngspice']}) or set "
        f"{_VARIABLE} to its path. Tried: {', '.join(tried)}"
    )


def library_has_osdi(library: str) -> bool:
    """Return whether the ngspice library loads compiled Verilog-A: it looks for this symbol in them, so it holds the name.

    A library that is known by its name alone, as the system's loader finds it, counts as one that does not.
    """
    return Path(library).is_file() and b"OSDI_VERSION_MAJOR" in Path(library).read_bytes()
