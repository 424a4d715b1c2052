# SPDX-License-Identifier: BSD-3-Clause
"""Which code a result is of: the package's version and a digest of all its sources, models and RTL."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from pyharness import __version__
from pyharness.resources import hdl_dir, model_dir

__all__ = ("code_version", "version_on_disk")

_SOURCES = ("*.py", "*.v", "*.vh", "*.va", "*.vams", "*.yaml", "*.lark", "*.j2", "*.c", "*.h")
_PACKAGE = Path(__file__).parent


def _files(root: Path) -> list[Path]:
    return sorted({path for pattern in _SOURCES for path in root.rglob(pattern)})


@cache
def _sources() -> tuple[tuple[str, Path], ...]:
    """Return (name, file) of each source; the same names in a checkout and in an installed package, which holds RTL and models."""
    own = [path for path in _files(_PACKAGE) if not path.is_relative_to(_PACKAGE / "share")]
    named = [(str(path.relative_to(_PACKAGE)), path) for path in own]
    return (
        *named,
        *((str(path.relative_to(root)), path) for root in (hdl_dir(), model_dir()) for path in _files(root)),
    )


@cache
def _version(stamps: tuple[tuple[int, int], ...]) -> str:
    """Return the version of the sources as they are; ``stamps`` tell when they were written."""
    digest = hashlib.sha256()
    for name, path in _sources():
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{__version__}+{digest.hexdigest()[:12]}"


def version_on_disk() -> str:
    """Return the version of what a simulator started now would read; quick as long as no file was written."""
    return _version(tuple((s.st_mtime_ns, s.st_size) for s in (path.stat() for _, path in _sources())))


@cache
def code_version() -> str:
    """Return the package's version and a digest of its sources, as this process first saw them: a changed line is another code."""
    return version_on_disk()
