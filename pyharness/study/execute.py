# SPDX-License-Identifier: BSD-3-Clause
"""Carry a study out: what its store lacks, on Dask workers, each result stored as it comes."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from distributed import Client, Future, LocalCluster, as_completed
from distributed.security import Security

from pyharness.config import read_yaml
from pyharness.errors import ConfigError, ToolNotFoundError
from pyharness.study.run import Outcome, run_point
from pyharness.study.spec import Point, Study, code_version, points
from pyharness.study.store import Row, Store

__all__ = ("Progress", "Workers", "carry_out", "connect")

_AHEAD = 3
"""Runs that wait at each worker: none is ever idle, and few are lost with the program."""
_KINDS = {
    "slurm": "SLURMCluster",
    "lsf": "LSFCluster",
    "sge": "SGECluster",
    "pbs": "PBSCluster",
    "htcondor": "HTCondorCluster",
}


@dataclass(frozen=True)
class Workers:
    """Where runs are done: ``count`` local processes, or a scheduler's address, or a cluster file."""

    count: int | None = None
    scheduler: str | None = None
    cluster: Path | None = None


def _job_cluster(path: Path) -> Any:
    """Return the cluster of a file: ``kind``, ``jobs``, and what dask-jobqueue's class of that kind takes.

    Raises:
        ConfigError: an unknown kind or argument.
        ToolNotFoundError: dask-jobqueue is not installed.
    """
    file, data = read_yaml(path)
    kind, jobs = data.pop("kind", None), data.pop("jobs", 1)
    if kind not in _KINDS:
        raise ConfigError(f"cluster file '{file}': kind must be one of {', '.join(_KINDS)}, got {kind!r}")
    try:
        found = getattr(import_module("dask_jobqueue"), _KINDS[kind])
    except ImportError:
        raise ToolNotFoundError("a cluster file needs dask-jobqueue: pip install 'pyharness[cluster]'") from None
    try:
        # one simulation a process
        cluster = found(**{"processes": 1, "cores": 1, **data})
    except (TypeError, ValueError) as cause:
        raise ConfigError(f"cluster file '{file}': {cause}") from None
    cluster.scale(jobs=jobs)
    return cluster


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started in the block do not hear the terminal's Ctrl-C: this program does, and ends them."""
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


@contextmanager
def connect(workers: Workers) -> Iterator[Client]:
    """Give a client of the workers while the block runs.

    Local workers are processes of one thread that listen on the loopback interface alone.  Certificates of a ``tls://`` scheduler are those of
    Dask's own configuration (``distributed.comm.tls``).

    Raises:
        ConfigError: no scheduler at the address, or a faulty cluster file.
        ToolNotFoundError: dask-jobqueue is not installed.
    """
    if workers.scheduler:
        security = Security() if workers.scheduler.startswith("tls://") else None
        try:
            client = Client(workers.scheduler, security=security, timeout="10s", set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError) as cause:
            raise ConfigError(
                f"no scheduler at '{workers.scheduler}': {cause}; start one by 'dask scheduler', or leave --scheduler out"
            ) from None
        with client:
            yield client
        return
    if workers.cluster:
        cluster = _job_cluster(workers.cluster)
    else:
        with _deaf_children():
            cluster = LocalCluster(
                n_workers=workers.count or os.cpu_count() or 1,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # the usual port may be another program's
                worker_dashboard_address="127.0.0.1:0",
                silence_logs=50,
            )
    with cluster, Client(cluster, set_as_default=False) as client:
        yield client


Progress = Callable[[Row], None]


def _row(study: Study, point: Point, outcome: Outcome) -> Row:
    return Row(
        id=point.id,
        study=study.study,
        series=point.series,
        varied=point.varied,
        seed=point.config.seed,
        engine=point.config.engine,
        config=point.config.model_dump(mode="json"),
        code=code_version(),
        status=outcome.status,
        message=outcome.message,
        result=outcome.result,
        wall_s=outcome.wall_s,
        host=outcome.host,
    )


def _submit(client: Client, study: Study, point: Point) -> Future[Any]:
    # the key is the run's: the scheduler, too, does it once; a worker that dies does not take it along
    return client.submit(
        run_point, point.config.model_dump_json(), study.limit_s, key=f"run-{point.id}", pure=True, retries=3
    )


def _outcome(future: Future[Any]) -> Outcome:
    error = future.exception()
    if error is None:
        outcome: Outcome = future.result()
        return outcome
    return Outcome("fail", f"{type(error).__name__}: {error}", {}, 0.0, "")


def carry_out(study: Study, store: Store, client: Client, show: Progress) -> int:
    """Do every run that the store lacks; return how many were done.  ``show`` is called with each as it is stored.

    Raises:
        ConfigError: a run's configuration is wrong, or the workers hold another version of the code.
    """
    _same_code(client)
    todo = _missing(study, store)
    width = max(1, len(client.scheduler_info()["workers"])) * _AHEAD
    waiting: dict[str, Point] = {}
    done = 0
    queue = as_completed(loop=client.loop)
    for point in itertools.islice(todo, width):
        _wait_for(client, study, point, waiting, queue)
    for future in queue:
        point = waiting.pop(str(future.key))
        row = _row(study, point, _outcome(future))
        store.add(row)
        future.release()
        done += 1
        show(row)
        for following in itertools.islice(todo, 1):
            _wait_for(client, study, following, waiting, queue)
    return done


def _wait_for(client: Client, study: Study, point: Point, waiting: dict[str, Point], queue: Any) -> None:
    future = _submit(client, study, point)
    waiting[str(future.key)] = point
    queue.add(future)


def _missing(study: Study, store: Store) -> Iterator[Point]:
    """Yield each run that is not stored, once: two series may ask for the same."""
    seen: set[str] = set()
    for point in points(study):
        if point.id not in seen and not store.done([point.id]):
            seen.add(point.id)
            yield point


def _same_code(client: Client) -> None:
    versions: Mapping[str, str] = client.run(code_version)
    for worker, version in versions.items():
        if version != code_version():
            raise ConfigError(
                f"worker {worker} has pyharness {version}, this program {code_version()}: install the same there"
            )
