# SPDX-License-Identifier: BSD-3-Clause
"""The same sources give the same bytes; nothing is overwritten unasked."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pyharness.cli import commands
from pyharness.errors import ConfigError
from pyharness.handoff.archive import pack, source_date, write_new
from pyharness.handoff.contents import NAME, PARTS, build_archive
from pyharness.handoff.manifest import MANIFEST
from pyharness.handoff.tree import PLACES, read_tree
from pyharness.handoff.verify import beside
from pyharness.qa.assess import Assessment

ROOT = Path(__file__).parents[2]
_CODE = """
import os, sys
os.umask(0o{umask})
from pyharness.handoff import contents
assert contents.__file__.startswith(sys.argv[1]), contents.__file__
sys.stdout.buffer.write(contents.build_archive(())[0])
"""


def build_elsewhere(checkout: Path, cwd: Path, umask: str, **environment: str) -> bytes:
    """Build in a process of its own, from the package in ``checkout``."""
    done = subprocess.run(
        [sys.executable, "-c", _CODE.format(umask=umask), str(checkout)], cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_two_builds_are_the_same_to_the_byte(tmp_path: Path, packed: bytes) -> None:
    """Another checkout, with a space in its path and files that are no sources, umask, time zone, locale, hash seed, folder."""
    checkout = tmp_path / "another checkout"
    for name in ("pyharness", "hdl", "veriloga", "configs"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "CHANGELOG.md"):
        shutil.copyfile(ROOT / name, checkout / name)
    (checkout / "hdl" / "program.vvp").write_text("left by a simulation")
    (checkout / "hdl" / ".accelerator.v.swp").write_text("left by an editor")
    for path in checkout.rglob("*.v"):
        os.utime(path, (1e9, 1e9))
        path.chmod(0o600)
    other = build_elsewhere(
        checkout, tmp_path, "077", TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="4711", HOME=str(tmp_path), USER="another"
    )  # fmt: skip
    assert hashlib.sha256(other).hexdigest() == hashlib.sha256(packed).hexdigest()


def test_a_changed_source_changes_the_archive(tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above can fail: one byte of one card."""
    models = tmp_path / "veriloga"
    shutil.copytree(ROOT / "veriloga", models)
    card = models / "msdc" / "cards" / "tin.yaml"
    card.write_text(card.read_text() + "\n")
    monkeypatch.setattr("pyharness.handoff.models.model_dir", lambda: models)
    assert build_archive(())[0] != packed


def test_entries_are_nobodys_and_of_one_time(packed: bytes) -> None:
    """Sorted regular files below one folder; no name, no time, no path of the machine."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        entries = list(tar)
    assert [e.name for e in entries] == sorted(e.name for e in entries)
    assert {e.name.split("/")[0] for e in entries} == {NAME}
    facts = {(e.isreg(), e.mtime, e.mode, e.uid, e.gid, e.uname, e.gname) for e in entries}
    assert facts == {(True, 315532800, 0o644, 0, 0, "", "")}


def test_no_path_of_the_machine(files: dict[str, bytes]) -> None:
    """Neither the checkout's nor a temporary folder's."""
    for name, content in files.items():
        for path in (str(ROOT), "/tmp/"):
            assert path.encode() not in content, name


def test_source_date_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the time of every file and of the bill of materials, and stated."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    with tarfile.open(fileobj=io.BytesIO(build_archive(())[0])) as tar:
        assert {e.mtime for e in tar} == {1700000000}
        sbom = tar.extractfile(f"{NAME}/sbom.cdx.json")
        assert sbom is not None and b"2023-11-14T22:13:20" in sbom.read()


@pytest.mark.parametrize("text", ["", "yesterday", "-1", "1.5", "9" * 12, "\uff11"])
def test_a_faulty_source_date(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Is told, not taken for a time."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(ConfigError, match="SOURCE_DATE_EPOCH must be whole seconds"):
        source_date()


@pytest.mark.parametrize("arguments", [["handoff", "build"], ["report", "a"], ["lint"]])
def test_a_faulty_source_date_ends_a_command_before_it_begins(tmp_path: Path, arguments: list[str]) -> None:
    """A build measures for minutes before it needs the date, and NumPy refuses to be imported."""
    done = subprocess.run(
        [sys.executable, "-m", "pyharness", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "abc"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("pyharness: SOURCE_DATE_EPOCH must be whole seconds") and "bug" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    """Another archive of that name is replaced by --force only; the same one is left as it is."""
    path = tmp_path / "out" / "a.tar"
    first, second = (pack({"a/b": text}, 0) for text in (b"1", b"2"))
    assert write_new(path, first, force=False)
    before = path.stat().st_mtime_ns
    assert not write_new(path, first, force=False)
    assert path.stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match=r"exists and is another.*--force"):
        write_new(path, second, force=False)
    assert path.read_bytes() == first
    assert write_new(path, second, force=True)
    assert path.read_bytes() == second
    assert [p.name for p in path.parent.iterdir()] == ["a.tar"]


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the old archive, and nothing beside it."""
    path = tmp_path / "a.tar"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_new(path, b"new", force=True)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar"]


def test_the_command(tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archive and hash beside it, as sha256sum reads it; a second build finds it there; another one is refused.

    The models are not measured here, which takes minutes: the report says so of each, and the command too.
    """
    monkeypatch.setattr("pyharness.qa.assess.assess_all", lambda **_: [])
    out = tmp_path / "with space"
    done = CliRunner().invoke(commands, ["handoff", "build", "--out", str(out)])
    assert done.exit_code == 0, done.output
    path = out / f"{NAME}.tar"
    assert path.read_bytes() == packed
    assert hashlib.sha256(packed).hexdigest() in done.output
    assert "C39 fails for package: " in done.output and "msdc is in the package, but was not measured" in done.output
    subprocess.run(["sha256sum", "-c", "--strict", f"{path.name}.sha256"], cwd=out, check=True, capture_output=True)
    path.write_bytes(packed + b"!")
    again = CliRunner().invoke(commands, ["handoff", "build", "--out", str(out)])
    assert isinstance(again.exception, ConfigError)
    assert path.read_bytes() == packed + b"!"
    forced = CliRunner().invoke(commands, ["handoff", "build", "--out", str(out), "--force"])
    assert forced.exit_code == 0
    assert path.read_bytes() == packed
    (tmp_path / "file").touch()
    refused = CliRunner().invoke(commands, ["handoff", "build", "--out", str(tmp_path / "file")])
    assert isinstance(refused.exception, ConfigError) and "--out" in str(refused.exception)


def test_progress_off_a_terminal(tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each card."""

    def assess_all(cache: Path, progress: Callable[[str, int, int], None]) -> list[Assessment]:
        for card in ("carbon", "tin"):
            for done in range(1, 45):
                progress(card, done, 44)
        return []

    monkeypatch.setattr("pyharness.qa.assess.assess_all", assess_all)
    monkeypatch.setattr("pyharness.handoff.contents.build_archive", lambda _: (packed, []))
    done = CliRunner().invoke(commands, ["handoff", "build", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.exception
    assert [line for line in done.stderr.splitlines() if "checking" in line] == ["checking carbon", "checking tin"]


def test_what_an_ended_build_left(tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash of an earlier archive beside the new one is written anew; a folder in the way is told, for --force does not help."""
    monkeypatch.setattr("pyharness.qa.assess.assess_all", lambda **_: [])
    monkeypatch.setattr("pyharness.handoff.contents.build_archive", lambda _: (packed, []))
    path = tmp_path / f"{NAME}.tar"
    path.write_bytes(packed)
    beside(path).write_text(f"{'0' * 64}  {path.name}\n")
    arguments = ["handoff", "build", "--out", str(tmp_path)]
    done = CliRunner().invoke(commands, arguments)
    assert done.exit_code == 0, done.exception
    assert beside(path).read_text() == f"{hashlib.sha256(packed).hexdigest()}  {path.name}\n"
    path.unlink()
    path.mkdir()
    refused = CliRunner().invoke(commands, [*arguments, "--force"])
    assert isinstance(refused.exception, ConfigError)
    assert "is a folder: move it away, or give another" in str(refused.exception)


def test_help_alone() -> None:
    """``pyharness handoff`` names its commands."""
    done = CliRunner().invoke(commands, ["handoff"])
    assert all(word in done.output for word in ("build", "verify", "state"))


def test_every_place_is_filled(files: dict[str, bytes]) -> None:
    """What the report looks for is written, and where it looks is where it is written."""
    for part, pattern in PLACES.items():
        place = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\{model\}", "vteam")
        assert [name for name in files if re.fullmatch(place, name)], part


def test_parts_do_not_meet(tmp_path: Path) -> None:
    """No two parts write the same file: the later would hide the earlier."""
    seen: set[str] = set()
    for number, write in enumerate(PARTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder)
        names = set(read_tree(folder))
        assert names and not names & seen
        assert MANIFEST not in names
        seen |= names
