# SPDX-License-Identifier: BSD-3-Clause
"""Files that a job reads, told by their content: what was worked out for one content is not done with another."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pyharness import files
from pyharness.errors import ConfigError

__all__ = ("check_content", "check_digest", "sha256_of")


def check_content(path: str | Path, content: bytes, sha256: str | None) -> None:
    """Refuse content that was read from a file and has not the digest, in hexadecimal, that it must have; None: any.

    Raises:
        ConfigError: it has another one.
    """
    if sha256 is not None:
        check_digest(path, files.sha256(content), sha256)


def check_digest(path: str | Path, found: str, wanted: str) -> None:
    """Refuse a file, with all that it names, that has another digest than it must have.

    Raises:
        ConfigError: it has.
    """
    if found != wanted:
        raise ConfigError(
            f"'{path}' is another file than the job was made for: its SHA-256 is {found}, the configuration's {wanted}: put that file "
            "back, or take the digest out of the configuration"
        )


@lru_cache(maxsize=64)  # all the points of a study name the same few files
def _digest(path: str, *_written: int) -> str:
    return files.sha256(Path(path).read_bytes())


def sha256_of(path: str | Path) -> str:
    """Return the digest of a file's content, in hexadecimal; read again only when its time or size has changed.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        status = Path(path).stat()
        return _digest(str(path), status.st_mtime_ns, status.st_size)
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or cause
        raise ConfigError(f"cannot read '{path}': {reason}: give the path of a file that is there") from None
