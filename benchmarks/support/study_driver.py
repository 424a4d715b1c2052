# SPDX-License-Identifier: BSD-3-Clause
"""Carry a study out as ``pyharness study`` does, and write what it took; a line in FOLDER/asked for each run that a worker begins.

Usage: python study_driver.py STUDY.yaml FOLDER WORKERS
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from distributed import WorkerPlugin

from pyharness.study.execute import Workers, carry_out, connect
from pyharness.study.spec import load_study
from pyharness.study.store import Row, Store

SAMPLE_S = 2.0


class Asked(WorkerPlugin):
    """Writes the key of each run that begins, at once: what is written stays when the program is killed."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        if finish == "executing":
            os.write(self.file, f"{key}\n".encode())


def main(study_file: str, folder: Path, workers: int) -> None:
    """Write FOLDER/took.json: when each run was stored, its own time, memory over time, CPU of driver and of all."""
    study, me = load_study(study_file), psutil.Process()
    began = time.monotonic()
    stored: list[tuple[float, float]] = []
    memory: list[tuple[float, int, int]] = []

    def show(row: Row) -> None:
        now = time.monotonic() - began
        stored.append((now, row.wall_s))
        if not memory or now - memory[-1][0] > SAMPLE_S:
            children = [p.memory_info().rss for p in me.children()]
            memory.append((now, me.memory_info().rss, max(children, default=0)))

    with Store(folder / "study.db") as store, connect(Workers(workers)) as client:
        client.register_plugin(Asked(folder / "asked"), name="asked")
        carry_out(study, store, client, show)
        cpu = me.cpu_times()
    took = {"stored": stored, "memory": memory, "driver_cpu_s": cpu.user + cpu.system}
    (folder / "took.json").write_text(json.dumps(took))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
