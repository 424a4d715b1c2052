# SPDX-License-Identifier: BSD-3-Clause
"""The store of a study's runs: one SQLite file, written run by run.

A run is in it entirely or not at all.  Values are plain JSON; nothing is ever unpickled.  One study at a time writes to a
store; others may read.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from pyharness.errors import ConfigError

__all__ = ("STATUSES", "Outcome", "Row", "Store")

STATUSES = ("pass", "fail", "timeout", "not converged")
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY,
    study TEXT NOT NULL,
    series TEXT NOT NULL,
    varied TEXT NOT NULL,
    seed INTEGER NOT NULL,
    engine TEXT NOT NULL,
    config TEXT NOT NULL,
    code TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN {STATUSES}),
    message TEXT NOT NULL,
    result TEXT NOT NULL,
    wall_s REAL NOT NULL,
    host TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
    study TEXT NOT NULL,
    series TEXT NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    varied TEXT NOT NULL,
    PRIMARY KEY (study, series, place)
) STRICT, WITHOUT ROWID;
"""
_VERSION = 1


@dataclass(frozen=True)
class Outcome:
    """What became of a run: status of :data:`STATUSES`, message, result, time, machine."""

    status: str
    message: str
    result: dict[str, Any]
    wall_s: float
    host: str


@dataclass(frozen=True)
class Row:
    """A run as it is stored; ``result`` is what :func:`pyharness.study.run.run_point` found, empty unless it passed."""

    id: str
    study: str
    series: str
    varied: dict[str, Any]
    seed: int
    engine: str
    config: dict[str, Any]
    code: str
    status: str
    message: str
    result: dict[str, Any]
    wall_s: float
    host: str


_COLUMNS = tuple(f.name for f in fields(Row))
_JSON = ("varied", "config", "result")


class Store:
    """The runs in one file."""

    def __init__(self, path: Path, *, write: bool = True) -> None:
        """Open the file; with ``write`` make it if needed and keep other writers out.

        Raises:
            ConfigError: no such file, not a store, one of another version, or another study writes to it.
        """
        self.path, self._lock = path, -1
        self._db: Any = None
        if not write and not path.is_file():
            raise ConfigError(f"no store '{path}': run the study first, or name its store")
        try:
            self._open(write)
        except BaseException:
            self.close()
            raise

    def _open(self, write: bool) -> None:
        path, elsewhere = self.path, f"name another {'folder' if write else 'file'}"
        try:
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._db = sqlite3.connect(path if write else self._address_to_read(), uri=not write, timeout=60)
            if write:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and write:
                with self._db:
                    self._db.executescript(_SCHEMA)
                    self._db.execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                raise ConfigError(f"store '{path}' has version {version}, this program writes {_VERSION}: {elsewhere}")
        except BlockingIOError:
            raise ConfigError(f"another study is writing to '{path}': wait for it, or {elsewhere}") from None
        except (OSError, sqlite3.Error) as cause:
            raise ConfigError(f"cannot use '{path}' as a store: {cause}: {elsewhere}") from None

    def _address_to_read(self) -> str:
        """Return the store as SQLite is to read it.

        Without a log beside it nobody writes to it: it is read as a file that does not change, for otherwise SQLite would make a log, and leave
        it.  A study that begins in that moment writes to a log first.
        """
        unchanging = "" if Path(f"{self.path}-wal").exists() else "&immutable=1"
        return f"{self.path.absolute().as_uri()}?mode=ro{unchanging}"

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let other writers in."""
        if self._db is not None:
            self._db.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def done(self, ids: Iterable[str]) -> set[str]:
        """Return which of ``ids`` are stored."""
        return {one for one in ids if self._db.execute("SELECT 1 FROM runs WHERE id = ?", (one,)).fetchone()}

    def declare(self, study: str, members: Iterable[tuple[str, int, str, dict[str, Any]]]) -> None:
        """Say which runs (series, place, id, varied values) series of a study have, in place of what was said of these before."""
        rows = [(study, series, place, one, json.dumps(varied)) for series, place, one, varied in members]
        with self._db:
            self._db.executemany(
                "DELETE FROM members WHERE study = ? AND series = ?", {(study, series) for _, series, *_ in rows}
            )
            self._db.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?)", rows)

    def add(self, row: Row) -> None:
        """Store a run, in one transaction.

        Raises:
            ConfigError: its id is there already: a run is never stored twice; or it cannot be written.
        """
        values = [json.dumps(v) if k in _JSON else v for k, v in ((k, getattr(row, k)) for k in _COLUMNS)]
        try:
            with self._db:
                self._db.execute(f"INSERT INTO runs VALUES ({', '.join('?' * len(values))})", values)
        except sqlite3.Error as cause:  # its id is there, or the disk is full
            raise ConfigError(f"run {row.id} cannot be stored in '{self.path}': {cause}") from None

    def forget(self, ids: Iterable[str]) -> int:
        """Take runs out that did not pass, so that they are run again; return how many."""
        with self._db:
            return sum(
                self._db.execute("DELETE FROM runs WHERE id = ? AND status <> 'pass'", (one,)).rowcount for one in ids
            )

    def get(self, start: str) -> Row:
        """Return the run whose id begins with ``start``.

        Raises:
            ConfigError: none, or several.
        """
        found = list(self._rows("WHERE substr(id, 1, ?) = ? LIMIT 2", (len(start), start)))
        if len(found) != 1:
            raise ConfigError(
                f"{'no run' if not found else 'more than one run'} in '{self.path}' has an id that begins with '{start}'"
            )
        return found[0]

    def rows(self, study: str, series: str) -> Iterator[Row]:
        """Yield the stored runs of a series as the study was last declared, in its order."""
        yield from self._rows(
            "JOIN members ON members.id = runs.id WHERE members.study = ? AND members.series = ? ORDER BY place",
            (study, series),
        )

    def counts(self) -> dict[str, int]:
        """Return the number of runs by status."""
        return dict(self._db.execute("SELECT status, count(*) FROM runs GROUP BY status").fetchall())

    def mean_wall_s(self, engine: str) -> float | None:
        """Return how long a run of an engine took on average; None when none is stored."""
        (mean,) = self._db.execute("SELECT avg(wall_s) FROM runs WHERE engine = ?", (engine,)).fetchone()
        return None if mean is None else float(mean)

    def _rows(self, where: str, values: tuple[Any, ...]) -> Iterator[Row]:
        joined = "members" in where
        names = [f"{'members' if joined and c in ('study', 'series', 'varied') else 'runs'}.{c}" for c in _COLUMNS]
        for row in self._db.execute(f"SELECT {', '.join(names)} FROM runs {where}", values):
            yield Row(**{k: json.loads(v) if k in _JSON else v for k, v in zip(_COLUMNS, row, strict=True)})
