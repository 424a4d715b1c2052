# SPDX-License-Identifier: BSD-3-Clause
"""How files are written, in one step, and told by their content."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from pathlib import Path

__all__ = ("replace_file", "sha256")


def replace_file(path: Path, content: bytes | str) -> Path:
    """Write a file in one step and return its path: a reader sees the old content or the new one, and so does who comes after a failure.

    A file keeps its mode and a link its target; a device or a pipe, which cannot be replaced, takes the bytes as they come.

    Args:
        path: of the file, in an existing folder.
        content: bytes, or text for UTF-8.

    Raises:
        OSError: it cannot be written; with ``path`` as its file name.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return path
        place = Path(os.path.realpath(path))
        if place.exists() and not os.access(place, os.W_OK):  # the folder would let it be replaced
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        fresh = place.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            with fresh.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if place.exists():
                shutil.copymode(place, fresh)
            fresh.replace(place)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as cause:  # of a write it names no file, of the others the one beside
        raise OSError(cause.errno, cause.strerror, str(path)) from None
    return path


def sha256(data: bytes) -> str:
    """Return the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
