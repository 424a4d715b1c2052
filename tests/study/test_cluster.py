# SPDX-License-Identifier: BSD-3-Clause
"""Other machines' workers: dask-jobqueue's job scripts under a queue of a few lines, and a scheduler that speaks TLS alone."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

STUDY: dict[str, Any] = {
    "study": "three",
    "base": {
        "engine": "numpy",
        "images": [[["#."]], [[".#"]]],
        "training": {"hidden": 1, "targets_siemens": [2e-4, 2.5e-4, 1.5e-4]},
        "test": {"count": 0},
        "waves": False,
    },
    "series": [{"name": "arrays", "repeats": 3}],
}


def study_command(folder: Path, *words: str) -> list[str]:
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    out = ["--out", str(folder / "out")]
    return [sys.executable, "-m", "pyharness", "study", str(folder / "study.yaml"), *out, *words]


def statuses(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "out" / "study.db")) as db:
        return [status for (status,) in db.execute("SELECT status FROM runs")]


SBATCH = """#!/bin/sh
# queue of one machine: runs a copy of the script now, for it is taken away soon; tells its number
cp "$1" "$QUEUE/script"
setsid sh "$QUEUE/script" >"$QUEUE/log" 2>&1 </dev/null &
echo "$!" >>"$QUEUE/started"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
echo "$@" >>"$QUEUE/ended"
for job; do kill -TERM "-$job"; done 2>/dev/null
"""


def test_a_study_by_job_scripts(tmp_path: Path) -> None:
    """dask-jobqueue writes the script, the queue runs it, its worker does the runs; the job is cancelled in the end."""
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    cluster = {"kind": "slurm", "jobs": 1, "memory": "2GB", "python": sys.executable, "interface": "lo"}
    (tmp_path / "cluster.yaml").write_text(yaml.safe_dump(cluster | {"local_directory": str(tmp_path)}))
    environment = {**os.environ, "QUEUE": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        study_command(tmp_path, "--cluster", str(tmp_path / "cluster.yaml")),
        env=environment, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    log = (tmp_path / "log").read_text() if (tmp_path / "log").exists() else "no job"
    assert done.returncode == 0, done.stdout + done.stderr + log
    assert statuses(tmp_path) == ["pass"] * 3
    assert (tmp_path / "ended").read_text().split() == (tmp_path / "started").read_text().split()


@contextmanager
def tls_cluster(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Give the address of a scheduler with one worker that speak TLS alone."""
    address = folder / "scheduler.json"
    words: dict[str, Any] = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "tls://127.0.0.1", "--port", "0"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    started = []
    try:
        for command in ([*scheduler, "--no-dashboard"], [*worker, "--local-directory", str(folder)]):
            started.append(subprocess.Popen([*command, "--scheduler-file", str(address)], **words))
        until = time.monotonic() + 120
        while not (address.exists() and address.read_text().endswith("}")):
            assert time.monotonic() < until
            time.sleep(0.1)
        yield json.loads(address.read_text())["address"]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture
def certified(tmp_path: Path) -> dict[str, str]:
    """Environment that tells Dask of a certificate made for this test."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    settings = {"CA_FILE": "ca.pem"} | {
        f"{role}__{part}": "own.pem" for role in ("CLIENT", "SCHEDULER", "WORKER") for part in ("CERT", "KEY")
    }
    return {
        **os.environ,
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
        **{f"DASK_DISTRIBUTED__COMM__TLS__{key}": str(tmp_path / name) for key, name in settings.items()},
    }


def test_a_study_over_tls(tmp_path: Path, certified: dict[str, str]) -> None:
    """With the certificates of Dask's configuration; without them nothing is run."""
    with tls_cluster(tmp_path, certified) as address:
        assert address.startswith("tls://")
        command = study_command(tmp_path, "--scheduler", address)
        refused = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert refused.returncode == 1
        assert f"no scheduler at '{address}'" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert statuses(tmp_path) == []
        done = subprocess.run(command, env=certified, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert statuses(tmp_path) == ["pass"] * 3
