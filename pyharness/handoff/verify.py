# SPDX-License-Identifier: BSD-3-Clause
"""Verify an archive, or its unpacked folder: every file of the manifest with its hash, and no other."""

from __future__ import annotations

import json
import os
import re
import reprlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyharness.errors import ConfigError, SimulationError
from pyharness.files import sha256
from pyharness.handoff.manifest import FORMAT, INDEX, MANIFEST, check_manifest
from pyharness.handoff.unpack import check_names, read_archive, read_folder, read_packed, read_some

__all__ = ("Verified", "beside", "run_benches", "verify")

_DIGEST = re.compile(r"[0-9a-fA-F]{64}\Z")
_MOST_TOLD = 400
"""Bytes of a file with a hash and the archive's name."""
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}\Z")
_RUNNER = "benches/run.py"
_LIMIT_S = 3600


@dataclass(frozen=True)
class Verified:
    """A verified archive.

    Attributes:
        version: of the archive.
        files: names to contents.
        manifest_sha256: hash of the manifest, which stands for all files.
        archive_sha256: hash of the packed archive; None for a folder.
        told: the hash was given by who asks, and is the right one: without, the archive agrees with itself only; who changed it
            could have changed the file with its hash, too.
    """

    version: str
    files: Mapping[str, bytes]
    manifest_sha256: str
    archive_sha256: str | None
    told: bool


def beside(archive: Path) -> Path:
    """Return the file with the archive's hash, in the form of ``sha256sum``."""
    return archive.with_name(f"{archive.name}.sha256")


def _told_beside(archive: Path) -> str | None:
    path = beside(archive)
    if not path.exists():
        return None
    # a pipe would never end, and need not even begin
    told = read_some(path, _MOST_TOLD) if path.is_file() else b""
    words = told.decode("utf-8", "replace").split()
    if len(told) > _MOST_TOLD or len(words) != 2 or not _DIGEST.match(words[0]) or words[1].lstrip("*") != archive.name:
        raise ConfigError(f"'{path}' must hold a SHA-256 and the name {archive.name}, got {' '.join(words)!r:.120}")
    return words[0].lower()


def verify(path: Path, expected: str | None = None) -> Verified:
    """Return what was verified; nothing of the archive is run or written anywhere.

    Args:
        path: archive or unpacked folder.
        expected: SHA-256 of the archive or of its manifest, from a place that is trusted.

    Raises:
        ConfigError: it is not what it should be; the message says how.
    """
    if expected is not None and not _DIGEST.match(expected):
        raise ConfigError(f"--sha256 takes 64 hexadecimal digits, got {expected!r}")
    if not path.exists():
        raise ConfigError(f"there is no '{path}'")
    digests: list[str] = []
    name = None
    if path.is_dir():
        files = read_folder(path)
    else:
        stated = _told_beside(path)
        packed = read_packed(path)
        digests.append(sha256(packed))
        if stated is not None and stated != digests[0]:
            raise ConfigError(
                f"'{beside(path).name}' states {stated}, but the archive has {digests[0]}: one of the two was changed"
            )
        name, files = read_archive(packed)
    check_manifest(files)
    check_names(files)
    digests.append(sha256(files[MANIFEST]))
    if expected is not None and expected.lower() not in digests:
        raise ConfigError(
            f"--sha256 {expected.lower()}: neither archive nor manifest has this hash, but {' and '.join(digests)}"
        )
    version = _version(files)
    if name is not None and name != f"pyharness-handoff-{version}":
        raise ConfigError(f"the archive's folder is '{name}', but {INDEX} states version {version}")
    return Verified(version, files, digests[-1], digests[0] if len(digests) > 1 else None, expected is not None)


def _version(files: Mapping[str, bytes]) -> str:
    try:
        index = json.loads(files[INDEX])
        form, version = index["format"], index["version"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ConfigError(f"{INDEX} is missing, or does not state format and version") from None
    if form != FORMAT:
        raise ConfigError(
            f"the archive has format {reprlib.repr(form)}, this pyharness knows {FORMAT}: take the pyharness that built it"
        )
    if not isinstance(version, str) or not _VERSION.match(version):
        raise ConfigError(
            f"{INDEX}: version is 1 to 40 letters, digits, '.', '+', '-', got {reprlib.repr(version)}: the archive was changed"
        )
    return version


def run_benches(files: Mapping[str, bytes], names: Sequence[str] = ()) -> str:
    """Run the archive's own benches from a temporary folder, and return what they print.

    Raises:
        SimulationError: one failed; the message holds what they printed.
    """
    with tempfile.TemporaryDirectory(prefix="pyharness-", ignore_cleanup_errors=True) as name:
        folder, temporary = Path(name, "archive"), Path(name, "temporary")
        temporary.mkdir()
        for one, content in files.items():
            path = folder / one
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        process = subprocess.Popen(
            [sys.executable, "-I", _RUNNER, *names], cwd=folder, env={**os.environ, "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            start_new_session=True,
        )  # fmt: skip
        with process:
            try:
                output, messages = process.communicate(timeout=_LIMIT_S)
            except subprocess.TimeoutExpired:
                raise SimulationError(f"the archive's benches did not end within {_LIMIT_S} s") from None
            finally:
                with suppress(ProcessLookupError):  # the simulator that it runs is of its group
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        raise SimulationError(f"the archive's benches failed:\n{(output + messages).rstrip()}")
    return output
