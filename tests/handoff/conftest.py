# SPDX-License-Identifier: BSD-3-Clause
"""One archive for all tests of a worker, and copies of it to damage."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pyharness.handoff.contents import NAME, build_archive


@pytest.fixture(scope="session")
def packed() -> bytes:
    """The archive as it is built."""
    return build_archive(())[0]


@pytest.fixture(scope="session")
def files(packed: bytes) -> dict[str, bytes]:
    """Its files by their names within its folder, as Python's own tarfile reads them."""
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
        return {e.name.removeprefix(f"{NAME}/"): tar.extractfile(e).read() for e in tar}  # type: ignore[union-attr]


@pytest.fixture
def archive(tmp_path: Path, packed: bytes) -> Path:
    """The archive as a file."""
    path = tmp_path / f"{NAME}.tar"
    path.write_bytes(packed)
    return path


@pytest.fixture
def unpack(tmp_path: Path, files: dict[str, bytes]) -> Callable[[], Path]:
    """Unpack the archive below a folder with a space in its name."""

    def to_folder() -> Path:
        folder = tmp_path / "from the fab" / NAME
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    return to_folder


@pytest.fixture
def folder(unpack: Callable[[], Path]) -> Path:
    """The archive's unpacked folder."""
    return unpack()
