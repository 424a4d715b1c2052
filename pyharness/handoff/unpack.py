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
import zlib
from collections.abc import Iterable
from pathlib import Path

from pyharness.errors import ConfigError
from pyharness.handoff.archive import GZIP_HEADER, tar_bytes

__all__ = ("MOST_FILES", "MOST_PACKED", "MOST_UNPACKED", "check_names", "read_archive", "read_folder", "read_packed")

MOST_PACKED = 64 << 20
MOST_UNPACKED = 256 << 20
MOST_FILES = 10_000
"""Bytes packed and unpacked, and files, beyond which an archive is refused: a hundred times what one holds."""
_KINDS = {
    tarfile.DIRTYPE: "a directory",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
}
_PLAIN = re.compile(r"[A-Za-z0-9._+-]+\Z")
_TRAILER = 8


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


def _inflate(data: bytes) -> bytes:
    """Return what is compressed; the only stream, to its last bit."""
    if not data.startswith(GZIP_HEADER[:3]):
        raise ConfigError("this is no .tar.gz archive: it does not begin as one")
    if data[: len(GZIP_HEADER)] != GZIP_HEADER:
        raise ConfigError(
            "the archive's first ten bytes are not those that pyharness handoff build writes: it was changed"
        )
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = stream.decompress(data, MOST_UNPACKED + 1)
    except zlib.error as cause:
        raise ConfigError(f"the archive is damaged: {cause}") from None
    if len(found) > MOST_UNPACKED:
        raise ConfigError(f"the archive unpacks to more than {MOST_UNPACKED >> 20} MiB: refused")
    if not stream.eof:
        raise ConfigError(f"the archive is cut off after {len(data)} bytes: get it again")
    if stream.unused_data:
        raise ConfigError(f"{len(stream.unused_data)} bytes follow the end of the archive: it was added to")
    if _idle_bits(data):
        raise ConfigError("the archive is damaged: bits are set behind the end of its compressed stream")
    return found


def _idle_bits(data: bytes) -> bool:
    """Return whether a bit is set between the end of the compressed stream and the next whole byte, where none counts."""
    last = data[-_TRAILER - 1]
    if not last:
        return False
    without = last & ~(1 << (last.bit_length() - 1))
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        stream.decompress(data[: -_TRAILER - 1] + bytes([without]) + data[-_TRAILER:], MOST_UNPACKED + 1)
    except zlib.error:
        return False
    return stream.eof and not stream.unused_data


def read_packed(path: Path) -> bytes:
    """Return the bytes of an archive.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    try:
        size = path.stat().st_size
        if size > MOST_PACKED:
            raise ConfigError(f"the archive has {size} bytes, more than {MOST_PACKED >> 20} MiB: refused")
        return path.read_bytes()
    except OSError as cause:
        raise ConfigError(f"cannot read '{path}': {cause.strerror or cause}") from None


def read_archive(packed: bytes) -> tuple[str, dict[str, bytes]]:
    """Return the archive's folder and its files, by their names within that.

    Raises:
        ConfigError: no archive, a damaged one, or one with anything in it that ``pack`` does not write.
    """
    data = _inflate(packed)
    try:
        entries = _entries(data)
        files = {entry.name: data[entry.offset_data : entry.offset_data + entry.size] for entry in entries}
        # what else could differ, times, modes, owners, order, filling, differs from the one form that pack() writes
        if not entries or tar_bytes(files, int(entries[0].mtime)) != data:
            raise ConfigError(
                "the archive is not in the form that pyharness handoff build writes: it was changed or packed anew"
            )
    except ConfigError:
        raise
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError, OSError, struct.error) as cause:
        raise ConfigError(f"what is compressed is no tar archive, or a damaged one: {cause}") from None
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
            if len(names) > MOST_FILES or total > MOST_UNPACKED:
                raise ConfigError(f"'{path}' holds more than {MOST_FILES} files or {MOST_UNPACKED >> 20} MiB: refused")
        return {name: one.read_bytes() for name, one in names.items()}
    except OSError as cause:
        raise ConfigError(f"cannot read '{cause.filename or path}': {cause.strerror or cause}") from None
