# SPDX-License-Identifier: BSD-3-Clause
"""What a verification must refuse: any changed byte, and every archive that is built to do harm; and that it runs nothing."""

import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pyharness.cli import commands
from pyharness.errors import ConfigError
from pyharness.files import sha256
from pyharness.handoff import unpack as reading
from pyharness.handoff.archive import pack
from pyharness.handoff.contents import NAME
from pyharness.handoff.manifest import INDEX, MANIFEST, manifest_text
from pyharness.handoff.verify import beside, verify

TIME_S = 315532800
Entry = tuple[str, bytes, bytes, str]  # name, type, content, link's target


def written(path: Path, files: dict[str, bytes]) -> Path:
    """Write files as an archive in the right form, whatever they are."""
    path.write_bytes(pack({f"{NAME}/{name}": content for name, content in files.items()}, TIME_S))
    return path


def signed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files with a manifest that agrees."""
    return {**files, MANIFEST: manifest_text(files).encode()}


def foreign(path: Path, *entries: Entry) -> Path:
    """Write an archive of any entries, in the right form."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, kind, content, target in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname, entry.mtime = kind, len(content), target, TIME_S
            tar.addfile(entry, io.BytesIO(content))
    path.write_bytes(buffer.getvalue())
    return path


def test_the_archive_as_built(archive: Path, folder: Path, packed: bytes, files: dict[str, bytes]) -> None:
    """Archive and folder; their hashes are told; without a hash from outside the answer says so."""
    found = verify(archive)
    assert found.files == files
    assert (found.archive_sha256, found.manifest_sha256) == (sha256(packed), sha256(files[MANIFEST]))
    assert not found.told
    unpacked = verify(folder)
    assert (unpacked.archive_sha256, unpacked.manifest_sha256) == (None, found.manifest_sha256)
    for told in (found.archive_sha256, found.manifest_sha256, found.manifest_sha256.upper()):
        assert verify(archive, told).told
    done = CliRunner().invoke(commands, ["handoff", "verify", str(archive)])
    assert done.exit_code == 0
    assert sha256(packed) in done.output and found.manifest_sha256 in done.output
    assert "agrees with itself" in done.output
    beside(archive).write_text(f"{sha256(packed)}  {archive.name}\n")
    assert not verify(archive).told  # it lies where the archive lies: who changed one could change the other


def flips(size: int, count: int, seed: int) -> list[tuple[int, int]]:
    """Return (place, bits to turn) of random single bits."""
    rng = random.Random(seed)
    return [(rng.randrange(size), 1 << rng.randrange(8)) for _ in range(count)]


def test_any_changed_byte_of_the_archive(tmp_path: Path, packed: bytes) -> None:
    """Bits of the first entry's head, of the end, and anywhere."""
    ends = [*range(0, 512, 5), *range(len(packed) - 10, len(packed))]
    places = [(place, 1 << bit) for place in ends for bit in range(8)]
    path = tmp_path / "changed.tar"
    for place, bits in [*places, *flips(len(packed), 150, seed=1)]:
        changed = bytearray(packed)
        changed[place] ^= bits
        path.write_bytes(changed)
        with pytest.raises(ConfigError):
            verify(path)


def test_any_changed_byte_of_a_file(folder: Path, files: dict[str, bytes]) -> None:
    """A file of each kind, the manifest among them, random bits."""
    kinds = {Path(name).suffix or name: name for name in sorted(files)}
    assert {".va", ".vh", ".v", ".yaml", ".csv", ".sub", ".cir", ".sym", ".json", ".py", ".sha256", "LICENSE"} <= set(
        kinds
    )
    for name in kinds.values():
        for place, bits in flips(len(files[name]), 3, seed=len(name)):
            changed = bytearray(files[name])
            changed[place] ^= bits
            (folder / name).write_bytes(changed)
            with pytest.raises(ConfigError) as told:
                verify(folder)
            assert name == MANIFEST or f"changed: {name!r}" in str(told.value)
        (folder / name).write_bytes(files[name])
    verify(folder)


@pytest.mark.parametrize("what", ["missing", "added", "added hidden", "cut", "empty"])
def test_files_missing_and_added(tmp_path: Path, folder: Path, files: dict[str, bytes], what: str) -> None:
    """In an archive and in a folder."""
    name = "hdl/neuron.v"
    more = {"added": "hdl/extra.v", "added hidden": ".hidden"}.get(what)
    changed = {**files, more: b"x"} if more else {**files, name: files[name][:-1] if what == "cut" else b""}
    if what == "missing":
        del changed[name]
        (folder / name).unlink()
    words = {"missing": f"missing: {name!r}", "cut": f"changed: {name!r}", "empty": f"changed: {name!r}"}
    for one in set(changed) - set(files) | ({name} & set(changed)):
        (folder / one).write_bytes(changed[one])
    for place in (folder, written(tmp_path / "a.tar", changed)):
        with pytest.raises(ConfigError, match=words.get(what, f"not in the manifest: {more!r}")):
            verify(place)


def test_a_forgery_that_agrees_with_itself(archive: Path, files: dict[str, bytes], packed: bytes) -> None:
    """A new manifest fits a changed file; only a hash from outside tells."""
    original = sha256(packed)
    forged = signed({**files, "hdl/neuron.v": files["hdl/neuron.v"] + b"\n"})
    written(archive, forged)
    assert not verify(archive).told
    for told in (original, sha256(files[MANIFEST])):
        with pytest.raises(ConfigError, match="neither archive nor manifest has this hash"):
            verify(archive, told)
    beside(archive).write_text(f"{original}  {archive.name}\n")
    with pytest.raises(ConfigError, match=r"states .* but the archive has"):
        verify(archive)
    for text in ("", "no hash at all", f"{original}  another.tar\n", f"{original[:-1]}  {archive.name}\n"):
        beside(archive).write_text(text)
        with pytest.raises(ConfigError, match="must hold a SHA-256 and the name"):
            verify(archive)


@pytest.mark.parametrize("told", ["", "12", "g" * 64, "0" * 63])
def test_a_hash_that_is_none(archive: Path, told: str) -> None:
    """Is told, not compared."""
    with pytest.raises(ConfigError, match="--sha256 takes 64 hexadecimal digits"):
        verify(archive, told)


FILE, TOP = tarfile.REGTYPE, f"{NAME}/a"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("../evil", FILE, b"x", "")], r"holds '\.\.'"),
        ([(f"{NAME}/../../evil", FILE, b"x", "")], r"holds '\.\.'"),
        ([("/etc/evil", FILE, b"x", "")], "is an absolute path"),
        ([("C:/evil", FILE, b"x", "")], "is an absolute path"),
        ([(f"{NAME}\\..\\evil", FILE, b"x", "")], "is not plain"),
        ([(f"{NAME}//a", FILE, b"x", "")], "is not plain"),
        ([(f"{NAME}/./a", FILE, b"x", "")], "is not plain"),
        ([(f"{NAME}/a\nb", FILE, b"x", "")], "is not plain"),
        ([(f"{NAME}/\u202ea", FILE, b"x", "")], "is not plain"),
        ([(f"{TOP}\x1b[2J", tarfile.SYMTYPE, b"", "/")], r"a\\x1b\[2J' is a symbolic link"),  # no escape reaches the terminal
        ([(TOP, tarfile.SYMTYPE, b"", "/etc/passwd")], "is a symbolic link"),
        ([(TOP, tarfile.LNKTYPE, b"", "../../etc/passwd")], "is a hard link"),
        ([(TOP, tarfile.CHRTYPE, b"", "")], "is a character device"),
        ([(TOP, tarfile.BLKTYPE, b"", "")], "is a block device"),
        ([(TOP, tarfile.FIFOTYPE, b"", "")], "is a named pipe"),
        ([(TOP, tarfile.DIRTYPE, b"", "")], "is a directory"),
        ([(TOP, tarfile.CONTTYPE, b"", "")], "is an entry of type"),
        # extension headers: a thousand of them nest tarfile's own reader, a long one takes it hours
        ([(TOP, tarfile.XHDTYPE, b"", "")] * 3000, "is an entry of type b'x'"),
        ([(TOP, tarfile.XHDTYPE, b"1" * 200_000, "")], "is an entry of type b'x'"),
        ([(TOP, tarfile.GNUTYPE_LONGNAME, b"a" * 1000, "")] * 3000, "is an entry of type b'L'"),
        ([(TOP, FILE, b"x", ""), (TOP, FILE, b"y", "")], "occurs twice"),
        ([(TOP, FILE, b"x", ""), (f"{NAME}/A", FILE, b"y", "")], "differ by case only"),
        ([(TOP, FILE, b"x", ""), (f"{TOP}/b", FILE, b"y", "")], "is a file and a folder"),
        ([(TOP, FILE, b"x", ""), ("zother/b", FILE, b"y", "")], "one folder and nothing beside it"),
        ([("a", FILE, b"x", "")], "one folder and nothing beside it"),
        ([], "not in the form"),
        ([(TOP, FILE, b"x", "")], f"there is no {MANIFEST}"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)  # fmt: skip
def test_malicious_archives(tmp_path: Path, entries: list[Entry], message: str) -> None:
    """Each is refused with what is wrong, and nothing is written anywhere."""
    (tmp_path / "work").mkdir()
    path = foreign(tmp_path / "work" / "a.tar", *entries)
    with pytest.raises(ConfigError, match=message):
        verify(path)
    assert [p.name for p in tmp_path.rglob("*")] == ["work", "a.tar"]


def test_too_much(tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Many files, many bytes."""
    path = tmp_path / "a.tar"
    written(path, signed({**files, "zeros": bytes(4 << 20)}))
    verify(path)
    monkeypatch.setattr(reading, "MOST_FILES", 20)
    written(path, signed(files))
    with pytest.raises(ConfigError, match="more than 20 files"):
        verify(path)
    monkeypatch.setattr(reading, "MOST_BYTES", 1 << 10)
    with pytest.raises(ConfigError, match="more than 0 MiB: refused"):
        verify(path)


def test_a_size_that_is_not_there(tmp_path: Path) -> None:
    """An entry of eight gigabytes in an archive of a kilobyte takes no memory."""
    entry = tarfile.TarInfo(TOP)
    entry.size = 8 * 1024**3 - 1
    path = tmp_path / "a.tar"
    path.write_bytes(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    with pytest.raises(ConfigError, match=r"claim|damaged"):
        verify(path)


def test_a_size_below_zero(tmp_path: Path) -> None:
    """It would lead back to the entry itself, without an end."""
    head = bytearray(tarfile.TarInfo(TOP).tobuf(tarfile.USTAR_FORMAT))
    head[124:136] = (-512).to_bytes(12, "big", signed=True)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    path = tmp_path / "a.tar"
    path.write_bytes(head * 3)
    with pytest.raises(ConfigError, match="claims -512 bytes"):
        verify(path)


def test_what_has_no_end_or_no_size(tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device is read as far as an archive may be long, a pipe's bytes count; the file with the hash is a small one."""
    monkeypatch.setattr(reading, "MOST_BYTES", 4 << 20)
    with pytest.raises(ConfigError, match="has more than 4 MiB: refused"):
        verify(Path("/dev/zero"))
    path = tmp_path / "a.tar"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(packed,))
    writer.start()
    assert verify(path).archive_sha256 == sha256(packed)
    writer.join()
    path.unlink()
    path.write_bytes(packed)
    for make in (
        lambda: beside(path).symlink_to("/dev/zero"),
        lambda: os.mkfifo(beside(path)),
        lambda: beside(path).write_text(f"{sha256(packed)}  {path.name}\n" + " " * 1000),
    ):
        make()
        with pytest.raises(ConfigError, match="must hold a SHA-256 and the name"):
            verify(path)
        beside(path).unlink()


def test_a_folder_within_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told: what lies in it is not in the manifest."""
    hidden, scandir = folder / "hdl" / "more", os.scandir
    hidden.mkdir()

    def denied(path: str | Path) -> object:
        if Path(path) == hidden:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", denied)
    with pytest.raises(ConfigError, match=r"cannot read '.*hdl/more': Permission denied"):
        verify(folder)


def gap_of(data: bytearray) -> int:
    """Return a place between a file's end and the next block of 512 bytes."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return next(e.offset_data + e.size for e in tar if e.size % 512)


def repacked(packed: bytes, change: Callable[[bytearray], None]) -> bytes:
    data = bytearray(packed)
    change(data)
    return bytes(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.extend(bytes(10240)),
        lambda data: data.__setitem__(slice(-100, -99), b"x"),
        lambda data: data.__setitem__(gap_of(data), ord("x")),
    ],
    ids=["filled up", "behind the end", "between files"],
)
def test_what_is_hidden_between_files(tmp_path: Path, packed: bytes, change: Callable[[bytearray], None]) -> None:
    """Bytes that no file holds."""
    path = tmp_path / "a.tar"
    path.write_bytes(repacked(packed, change))
    with pytest.raises(ConfigError, match="is not in the form that pyharness handoff build writes"):
        verify(path)


def test_the_same_files_packed_otherwise(tmp_path: Path, files: dict[str, bytes]) -> None:
    """By tar: with owners, times, folders."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{NAME}/{name}")
            entry.size, entry.uname, entry.uid = len(content), "somebody", 1000
            tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(ConfigError, match="not in the form"):
        verify(path)


def test_any_damage_within(tmp_path: Path, packed: bytes) -> None:
    """Bytes changed and cut, checksums of the entries' heads made right again: a message, never a traceback."""
    data, path, rng = packed, tmp_path / "a.tar", random.Random(2)
    for _ in range(100):
        changed = bytearray(data[: rng.choice((len(data), rng.randrange(512, len(data))))])
        head = 512 * rng.choice((0, 0, rng.randrange(len(changed) // 512)))
        for _ in range(rng.choice((1, 2, 8))):
            changed[head + rng.randrange(min(512, len(changed) - head))] = rng.choice(
                (0, 255, 0x78, 0x4C, rng.randrange(256))
            )
        changed[head + 148 : head + 156] = b" " * 8
        changed[head + 148 : head + 156] = b"%06o\0 " % sum(changed[head : head + 512])
        if changed == data:  # what was drawn is what was there
            continue
        path.write_bytes(changed)
        with pytest.raises(ConfigError):
            verify(path)


def test_added_at_the_end(tmp_path: Path, packed: bytes) -> None:
    """A byte, and a second archive, of which tar would tell nothing."""
    path = tmp_path / "a.tar"
    for more in (b"\0", packed):
        path.write_bytes(packed + more)
        with pytest.raises(ConfigError, match="not in the form"):
            verify(path)


def test_no_archive_or_half_of_one(tmp_path: Path, packed: bytes) -> None:
    """Each with its message, none with a traceback."""
    path = tmp_path / "a.tar"
    with pytest.raises(ConfigError, match="there is no"):
        verify(path)
    with pytest.raises(ConfigError, match=f"no {MANIFEST}"):
        verify(tmp_path)
    for content in (b"", b"\x1f", b"a text", b"PK\x03\x04", b"no tar archive" * 1000):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"is no tar archive|not in the form"):
            verify(path)
    for size in (5, 512, 1000, len(packed) // 2, len(packed) - 1024, len(packed) - 1):
        path.write_bytes(packed[:size])
        with pytest.raises(ConfigError, match=r"damaged|not in the form|has \d+ bytes"):
            verify(path)
    path.write_bytes(b"no tar archive" * 1000)
    done = CliRunner().invoke(commands, ["handoff", "verify", str(path)])
    assert done.exit_code == 1 and isinstance(done.exception, ConfigError)


def test_links_in_a_folder(tmp_path: Path, folder: Path, files: dict[str, bytes]) -> None:
    """A link to the very same bytes, a link to a folder, a pipe."""
    outside = tmp_path / "outside.v"
    outside.write_bytes(files["hdl/neuron.v"])
    (folder / "hdl" / "neuron.v").unlink()
    (folder / "hdl" / "neuron.v").symlink_to(outside)
    with pytest.raises(ConfigError, match=r"'hdl/neuron\.v' is a symbolic link"):
        verify(folder)
    (folder / "hdl" / "neuron.v").unlink()
    (folder / "hdl" / "neuron.v").write_bytes(files["hdl/neuron.v"])
    (folder / "more").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(ConfigError, match="'more' is a symbolic link"):
        verify(folder)
    (folder / "more").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(ConfigError, match="'pipe' is no regular file"):
        verify(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("  hdl/neuron.v", " hdl/neuron.v"), "two spaces and a name"),
        (lambda text: text + text.splitlines()[0] + "\n", "each name once"),
        (lambda text: text[:-1], "ends with a line feed"),
        (lambda text: "\n".join(reversed(text.splitlines())) + "\n", "sorted by name"),
        (lambda text: text + "\n", "two spaces and a name"),
        (lambda text: text + f"{'0' * 64}  zz\x1b[2J\n", r"two spaces and a name, each name once; got .*\\x1b\[2J"),
        (lambda text: text.upper(), "two spaces and a name"),
        (lambda text: text + f"{'0' * 64}  zzz/../../evil\n", "missing: 'zzz/../../evil'"),
        (lambda text: text.replace("hdl/neuron.v", "hdl/néuron.v"), "no ASCII"),
    ],
)
def test_faulty_manifests(folder: Path, files: dict[str, bytes], change: Callable[[str], str], message: str) -> None:
    """Each line has one form."""
    (folder / MANIFEST).write_text(change(files[MANIFEST].decode()), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        verify(folder)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (b'{"format": 2, "version": "9.0.0"}', "has format 2, this pyharness knows 1"),
        (b"{}", "does not state format and version"),
        (b"[]", "does not state format and version"),
        (b"no json", "does not state format and version"),
        (b'{"format": 1, "version": "9.0.0"}', "states version 9.0.0"),
        (b"[" * 200_000, "does not state format and version"),
        (
            b'{"format": ' + b"[" * 400 + b"]" * 400 + b', "version": "9.0.0"}',
            r"has format \[\[.*, this pyharness knows 1",
        ),
        (b'{"format": 1, "version": 9}', "version is 1 to 40 letters.*got 9"),
        (b'{"format": 1, "version": "9\\u001b[2J"}', r"got '9\\x1b\[2J'"),
        (b'{"format": 1, "version": "' + b"9" * 10_000 + b'"}', r"got '9{12}\.\.\.9{13}'"),
    ],
    ids=range(10),
)
def test_other_formats(tmp_path: Path, folder: Path, files: dict[str, bytes], index: bytes, message: str) -> None:
    """An archive of another format is not taken for one of this."""
    path = written(tmp_path / "a.tar", signed({**files, INDEX: index}))
    for name, content in signed({**files, INDEX: index}).items():
        (folder / name).write_bytes(content)
    for place in (path, folder) if "states" not in message else (path,):  # a folder may have any name
        with pytest.raises(ConfigError, match=message):
            verify(place)


def test_nothing_is_run_unasked(tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive's own code runs with --run alone, and its failure is the command's."""
    marker = tmp_path / "ran"
    code = f"import pathlib, sys\npathlib.Path({str(marker)!r}).touch()\nprint('benches ran')\nsys.exit(len(sys.argv) - 1)\n"
    path = written(tmp_path / "a.tar", signed({**files, "benches/run.py": code.encode()}))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    assert CliRunner().invoke(commands, ["handoff", "verify", str(path)]).exit_code == 0
    assert not marker.exists()
    assert list(work.iterdir()) == []
    done = CliRunner().invoke(commands, ["handoff", "verify", str(path), "--run"])
    assert done.exit_code == 0 and "benches ran" in done.output
    assert marker.exists()
    assert list(work.iterdir()) == []
    failing = written(path, signed({**files, "benches/run.py": b"print('told why')\nraise SystemExit(3)\n"}))
    done = CliRunner().invoke(commands, ["handoff", "verify", str(failing), "--run"])
    assert done.exit_code == 1 and "told why" in str(done.exception)


def test_a_terminated_command_ends_what_the_benches_run(tmp_path: Path, files: dict[str, bytes]) -> None:
    """The simulator that they started as well, and no folder stays behind."""
    marker = tmp_path / "simulator"
    code = (
        "import pathlib, subprocess, sys, tempfile\n"
        "with tempfile.TemporaryDirectory():\n"
        "    simulator = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"    pathlib.Path({str(marker)!r}).write_text(str(simulator.pid))\n"
        "    simulator.wait()\n"
    )
    path = written(tmp_path / "a.tar", signed({**files, "benches/run.py": code.encode()}))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = subprocess.Popen(
        [sys.executable, "-m", "pyharness", "handoff", "verify", str(path), "--run"],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: marker.exists() and marker.read_text() != "")
        command.send_signal(signal.SIGTERM)
        assert command.wait(30) == 143
    finally:
        command.kill()
        command.wait()
    simulator = Path("/proc", marker.read_text(), "stat")
    until(lambda: not simulator.exists() or simulator.read_text().split()[2] == "Z")  # ended, if not waited for
    assert list(temporary.iterdir()) == []


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, half a minute at the most."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
