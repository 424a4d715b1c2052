# SPDX-License-Identifier: BSD-3-Clause
"""Read an archive or a folder of unknown origin into memory, refusing all that ``pack`` does not write.

Nothing is extracted to a disk here, and nothing is run.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import tarfile
from collections.abc import Iterable
from pathlib import Path

from pyharness.errors import ConfigError
from pyharness.handoff.archive import pack

__all__ = ("MOST_BYTES", "MOST_FILES", "check_names", "read_archive", "read_folder", "read_packed", "read_some")

MOST_BYTES = 128 << 20
MOST_FILES = 10_000
"""Bytes and files beyond which an archive is refused: a hundred times what one holds."""
_BLOCK = tarfile.BLOCKSIZE
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


def read_some(path: Path, most: int) -> bytes:
    """Return the first bytes of a file, one more than ``most`` at the most: the size of a device or a pipe is not known before."""
    with path.open("rb") as file:
        return file.read(most + 1)


def read_packed(path: Path) -> bytes:
    """Return the bytes of an archive.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    try:
        data = read_some(path, MOST_BYTES)
    except OSError as cause:
        raise ConfigError(f"cannot read '{path}': {cause.strerror or cause}") from None
    if len(data) > MOST_BYTES:
        raise ConfigError(f"the archive has more than {MOST_BYTES >> 20} MiB: refused")
    return data


def read_archive(data: bytes) -> tuple[str, dict[str, bytes]]:
    """Return the archive's folder and its files, by their names within that.

    Raises:
        ConfigError: no archive, a damaged one, or one with anything in it that ``pack`` does not write.
    """
    try:
        entries = _entries(data)
        files = {entry.name: content for entry, content in entries}
        # what else could differ, times, modes, owners, order, filling, differs from the one form that pack() writes
        if not entries or pack(files, int(entries[0][0].mtime)) != data:
            raise ConfigError(
                "the archive is not in the form that pyharness handoff build writes: it was changed or packed anew"
            )
    except ConfigError:
        raise
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError, OSError, struct.error) as cause:
        raise ConfigError(f"this is no tar archive, or a damaged one: {cause}") from None
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        raise ConfigError(f"an archive holds one folder and nothing beside it, this one {', '.join(sorted(tops)[:5])}")
    return tops.pop(), {name.partition("/")[2]: content for name, content in files.items()}


def _entries(data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return a tar archive's entries with their contents: all of them files with plain names, of a size that is there.

    Block by block: ``tarfile.open`` works through extension headers, however many and long they are, before it tells of them.
    """
    entries: list[tuple[tarfile.TarInfo, bytes]] = []
    place = 0
    while any(head := data[place : place + _BLOCK]):  # zeros, or nothing, at the end
        entry = tarfile.TarInfo.frombuf(head, "ascii", "surrogateescape")
        if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            kind = _KINDS.get(entry.type, f"an entry of type {entry.type!r}")
            raise ConfigError(f"{entry.name!r} is {kind}: an archive holds files only")
        place += _BLOCK
        if not 0 <= entry.size <= len(data) - place:
            raise ConfigError(
                f"{entry.name!r} claims {entry.size} bytes, of {len(data) - place} that are left: damaged"
            )
        entries.append((entry, data[place : place + entry.size]))
        if len(entries) > MOST_FILES:
            raise ConfigError(f"the archive holds more than {MOST_FILES} files: refused")
        place += -(-entry.size // _BLOCK) * _BLOCK
    check_names(entry.name for entry, _ in entries)
    return entries


def read_folder(path: Path) -> dict[str, bytes]:
    """Return the files of an unpacked archive by their names within it.

    Raises:
        ConfigError: a link or device, too much, or a file or folder that cannot be read.
    """
    found: dict[str, bytes] = {}
    folders, count, left = [path], 0, MOST_BYTES
    try:
        while folders:
            with os.scandir(folders.pop()) as inside:  # unlike Path.rglob it tells of a folder that it may not read
                entries = sorted(inside, key=lambda entry: entry.name)
            for one in entries:
                name, mode = Path(one).relative_to(path).as_posix(), one.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    folders.append(Path(one))
                elif stat.S_ISREG(mode):
                    found[name] = read_some(Path(one), left)
                    left -= len(found[name])
                else:
                    kind = "a symbolic link" if stat.S_ISLNK(mode) else "no regular file"
                    raise ConfigError(f"{name!r} is {kind}: an archive holds files only")
                count += 1
                if count > MOST_FILES or left < 0:
                    raise ConfigError(f"'{path}' holds more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB: refused")
    except OSError as cause:
        raise ConfigError(f"cannot read '{cause.filename or path}': {cause.strerror or cause}") from None
    return found
