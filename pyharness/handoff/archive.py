# SPDX-License-Identifier: BSD-3-Clause
"""One way to write a tree as bytes: regular files in order, one time, one mode, nobody's; the same tree, the same archive."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from pyharness.errors import ConfigError
from pyharness.files import replace_file

__all__ = ("pack", "source_date", "write_new")

_EPOCH_S = 315532800
"""1980-01-01: the first day that all archive formats know; a build's own time would make two builds differ."""
_MODE = 0o644
_LAST_S = 0o77777777777


def source_date() -> int:
    """Return the time that all files get, in s: ``SOURCE_DATE_EPOCH``, else a constant.

    Raises:
        ConfigError: SOURCE_DATE_EPOCH is no whole number that an archive can hold.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", str(_EPOCH_S))
    if not (text.isascii() and text.isdigit() and int(text) <= _LAST_S):
        raise ConfigError(
            f"SOURCE_DATE_EPOCH must be whole seconds in 0 .. {_LAST_S}, got {text!r}: correct it or unset it"
        )
    return int(text)


def pack(files: Mapping[str, bytes], time_s: int) -> bytes:
    """Return the tree as a ustar archive: names to contents, sorted by name, every file with ``time_s``.

    Not compressed: a compressor's bytes depend on its library and version, and several streams mean the same content, so
    that a changed byte could pass.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(files[name]), time_s, _MODE
            tar.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()


def write_new(path: Path, data: bytes, force: bool) -> bool:
    """Write a file in one step; return False where it is there with the same bytes.

    Raises:
        ConfigError: a folder is in the way, or another file and ``force`` is not given.
    """
    if path.is_dir():
        raise ConfigError(f"'{path}' is a folder: move it away, or give another folder by --out")
    if path.is_file() and path.read_bytes() == data:
        return False
    if path.exists() and not force:
        raise ConfigError(f"'{path}' exists and is another: give another folder by --out, or --force to replace it")
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, data)
    return True
