# SPDX-License-Identifier: BSD-3-Clause
"""The manifest: a SHA-256 of every file, in the form that ``sha256sum -c`` reads too."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyharness.errors import ConfigError
from pyharness.files import sha256

__all__ = ("FORMAT", "INDEX", "MANIFEST", "check_manifest", "manifest_faults", "manifest_text")

MANIFEST = "MANIFEST.sha256"
INDEX = "index.json"
FORMAT = 1
"""Version of the archive's format: goes up when a place or a file's form changes so that a reader must know."""
_LINE = re.compile(r"([0-9a-f]{64})  ([ -~]+)\Z")


def manifest_text(files: Mapping[str, bytes]) -> str:
    """Return the manifest of files by their names; it leaves itself out."""
    return "".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files) if name != MANIFEST)


def manifest_faults(files: Mapping[str, bytes], apart: str | None = None) -> list[str]:
    """Return what is missing, changed or beyond the manifest among files by their names.

    Args:
        files: the manifest is one of them.
        apart: beginning of names that the manifest may hold without their being there.

    Raises:
        ConfigError: no manifest, or a faulty line of it.
    """
    stated = _stated(files)
    absent = [name for name in stated if name not in files and not (apart and name.startswith(apart))]
    faults = [f"missing: {name!r:.120}" for name in absent]
    faults += [
        f"not in the manifest: {name!r:.120}" for name in sorted(files) if name not in stated and name != MANIFEST
    ]
    faults += [
        f"changed: {name!r:.120}" for name, digest in stated.items() if name in files and sha256(files[name]) != digest
    ]
    return faults


def _stated(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return name -> digest of the manifest among files."""
    if MANIFEST not in files:
        raise ConfigError(f"there is no {MANIFEST}: this is not what pyharness handoff build writes")
    try:
        text = files[MANIFEST].decode("ascii")
    except UnicodeDecodeError as cause:
        raise ConfigError(f"{MANIFEST}: byte {cause.start} is no ASCII: the manifest was changed") from None
    stated: dict[str, str] = {}
    for number, line in enumerate(text.split("\n")[:-1], 1):
        found = _LINE.match(line)
        if found is None or found[2] in stated:
            raise ConfigError(
                f"{MANIFEST}:{number}: a line is a hash, two spaces and a name, each name once; got {line!r:.120}"
            )
        stated[found[2]] = found[1]
    if not text.endswith("\n") or list(stated) != sorted(stated):
        raise ConfigError(
            f"{MANIFEST}: lines are sorted by name and each ends with a line feed: the manifest was changed"
        )
    return stated


def check_manifest(files: Mapping[str, bytes]) -> None:
    """Check files by their names against the manifest among them.

    Raises:
        ConfigError: no manifest, a faulty line, a file that is missing, changed, or beyond the manifest; up to ten are named.
    """
    if faults := manifest_faults(files):
        more = f"\n  and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise ConfigError("the files are not those of the manifest:\n  " + "\n  ".join(faults[:10]) + more)
