# SPDX-License-Identifier: BSD-3-Clause
"""Files are written in one step: a failure leaves what was there, names the file, and leaves nothing beside it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pyharness.cli import commands
from pyharness.errors import ConfigError
from pyharness.files import replace_file, sha256
from pyharness.fit import write_card
from pyharness.report.plot import Plot, draw


def test_new_and_old(tmp_path: Path) -> None:
    """Text is UTF-8; a file keeps its mode, a link its target; nothing stays beside them."""
    path, link = tmp_path / "a.txt", tmp_path / "link"
    assert replace_file(path, "Ω\n") == path
    assert path.read_bytes() == "Ω\n".encode()
    path.chmod(0o640)
    link.symlink_to("a.txt")
    replace_file(link, b"new")
    assert path.read_bytes() == b"new" and link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert {p.name for p in tmp_path.iterdir()} == {"a.txt", "link"}
    assert replace_file(Path("/dev/null"), b"gone").is_char_device()


def test_the_mode_of_a_new_file_is_the_users(tmp_path: Path) -> None:
    """As the umask says."""
    before = os.umask(0o027)
    try:
        assert replace_file(tmp_path / "a", b"").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_what_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder would allow it; root may write everything, so that the answer is put in."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(PermissionError) as caught:
        replace_file(path, b"new")
    assert caught.value.filename == str(path) and path.read_bytes() == b"old"


def test_the_digest() -> None:
    """That of the standard's example."""
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when the bytes are to be on it."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)


def paint(figure: object) -> None:
    """An empty figure."""


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.yaml", lambda path: replace_file(path, b"new")),
        ("a.yaml", lambda path: write_card({"model": "msdc"}, path, "fit")),
        ("a.png", lambda path: draw(Plot("a", "a", "a", ("x",), [(1,)], paint), path.parent)),
    ],
    ids=["any", "card", "figure"],
)
def test_a_failure_leaves_what_was_there(tmp_path: Path, name: str, write: object) -> None:
    """And tells the file that could not be written."""
    path = tmp_path / name
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left on device") as told:
        write(path)  # type: ignore[operator]
    assert told.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("full")
def test_a_command_that_fails_to_write(tmp_path: Path) -> None:
    """Tells the option and the file; a first try leaves nothing that a second one had to replace."""
    path = tmp_path / "s.json"
    failed = CliRunner().invoke(commands, ["schema", "config", "-o", str(path)])
    assert isinstance(failed.exception, ConfigError)
    assert str(failed.exception).startswith(f"-o {path}: cannot write '{path}': No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_limit_of_the_system(tmp_path: Path) -> None:
    """A file that may not grow as long as its content."""
    path = tmp_path / "s.json"
    path.write_text("old")
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)); from pyharness.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "schema", "config", "-o", str(path), "--force"], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 1 and f"cannot write '{path}': File too large" in done.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
