# SPDX-License-Identifier: BSD-3-Clause
"""Read an archive or a folder of unknown origin into memory, refusing all that ``pack`` does not write.

Nothing is extracted to a disk here, and nothing is run.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import tarfile
from collections.abc import Iterable
from pathlib import Path

from pyharness.errors import ConfigError
from pyharness.handoff.archive import pack

__all__ = ("MOST_BYTES", "MOST_FILES", "check_names", "read_archive", "read_folder", "read_packed")

MOST_BYTES = 128 << 20
MOST_FILES = 10_000
"""Bytes and files beyond which an archive is refused: a hundred times what one holds."""
_KINDS = {
    tarfile.DIRTYPE: "a directory",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
}
_PLAIN = re.compile(r"[A-Za-z0-9._+-]+\Z")


def check_names(names: Iterable[str]) -> None:
    """Refuse names that leave the folder, or that some file system takes for one another.

    Raises:
        ConfigError: such a name.
    """
    seen: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if name.startswith("/") or re.match(r"[A-Za-z]:", name):
            raise ConfigError(
                f"the name {name!r} is an absolute path: it would be written outside the archive's folder"
            )
        if ".." in parts:
            raise ConfigError(f"the name {name!r} holds '..': it would be written outside the archive's folder")
        if not all(_PLAIN.match(part) and part != "." for part in parts):
            raise ConfigError(
                f"the name {name!r} is not plain: names are letters, digits, '.', '_', '+', '-', with '/' between"
            )
        if seen.get(name.lower()) == name:
            raise ConfigError(f"the name {name!r} occurs twice: the later file would replace the earlier one")
        if name.lower() in seen:
            raise ConfigError(
                f"the names {seen[name.lower()]!r} and {name!r} differ by case only: some file systems take them for one"
            )
        seen[name.lower()] = name
    for name in seen.values():
        parents = name.lower().split("/")[:-1]
        above = next((seen[up] for n in range(1, len(parents) + 1) if (up := "/".join(parents[:n])) in seen), None)
        if above:
            raise ConfigError(f"the name {above!r} is a file and a folder, of {name!r}")


def read_packed(path: Path) -> bytes:
    """Return the bytes of an archive.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(f"the archive has {size} bytes, more than {MOST_BYTES >> 20} MiB: refused")
        return path.read_bytes()
    except OSError as cause:
        raise ConfigError(f"cannot read '{path}': {cause.strerror or cause}") from None


def read_archive(data: bytes) -> tuple[str, dict[str, bytes]]:
    """Return the archive's folder and its files, by their names within that.

    Raises:
        ConfigError: no archive, a damaged one, or one with anything in it that ``pack`` does not write.
    """
    try:
        entries = _entries(data)
        files = {entry.name: data[entry.offset_data : entry.offset_data + entry.size] for entry in entries}
        # what else could differ, times, modes, owners, order, filling, differs from the one form that pack() writes
        if not entries or pack(files, int(entries[0].mtime)) != data:
            raise ConfigError(
                "the archive is not in the form that pyharness handoff build writes: it was changed or packed anew"
            )
    except ConfigError:
        raise
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError, OSError, struct.error) as cause:
        raise ConfigError(f"this is no tar archive, or a damaged one: {cause}") from None
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        raise ConfigError(f"an archive holds one folder and nothing beside it, this one {', '.join(sorted(tops))}")
    return tops.pop(), {name.partition("/")[2]: content for name, content in files.items()}


def _entries(data: bytes) -> list[tarfile.TarInfo]:
    """Return a tar archive's entries, all of them files with plain names, of a size that is there."""
    entries: list[tarfile.TarInfo] = []
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        while (entry := tar.next()) is not None:
            entries.append(entry)
            if len(entries) > MOST_FILES:
                raise ConfigError(f"the archive holds more than {MOST_FILES} files: refused")
    for entry in entries:
        if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            kind = _KINDS.get(entry.type, f"an entry of type {entry.type!r}")
            raise ConfigError(f"{entry.name!r} is {kind}: an archive holds files only")
    check_names(entry.name for entry in entries)
    if (claimed := sum(entry.size for entry in entries)) > len(data):
        raise ConfigError(f"the archive's files claim {claimed} bytes, of {len(data)} that there are: it is damaged")
    return entries


def read_folder(path: Path) -> dict[str, bytes]:
    """Return the files of an unpacked archive by their names within it.

    Raises:
        ConfigError: a link or device, too much, or a file that cannot be read.
    """
    names: dict[str, Path] = {}
    total = 0
    try:
        for one in sorted(path.rglob("*")):  # does not follow links
            name, status = one.relative_to(path).as_posix(), one.lstat()
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode):
                kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "no regular file"
                raise ConfigError(f"{name!r} is {kind}: an archive holds files only")
            names[name] = one
            total += status.st_size
            if len(names) > MOST_FILES or total > MOST_BYTES:
                raise ConfigError(f"'{path}' holds more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB: refused")
        return {name: one.read_bytes() for name, one in names.items()}
    except OSError as cause:
        raise ConfigError(f"cannot read '{cause.filename or path}': {cause.strerror or cause}") from None
