# SPDX-License-Identifier: BSD-3-Clause
"""Carry a study out: what its store lacks, on Dask workers, each result stored as it comes."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from distributed import Client, Future, LocalCluster, as_completed
from distributed.comm.core import connect as connect_to
from distributed.security import Security

from pyharness.code import code_version
from pyharness.errors import ConfigError, ToolNotFoundError
from pyharness.install import INSTALL
from pyharness.study.process import run_apart, runs_ended
from pyharness.study.spec import Point, Study, points
from pyharness.study.store import Outcome, Row, Store
from pyharness.suggest import did_you_mean
from pyharness.yamlfile import read_mapping

__all__ = ("Progress", "Workers", "carry_out", "connect")

_WAITING = 1000
"""Runs that the scheduler knows of: more than there are processors, also of workers that come later; each gets the next as it ends one."""
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
    data = read_mapping(path, "cluster file")
    kind, jobs = data.pop("kind", None), data.pop("jobs", 1)
    if kind not in _KINDS:
        hint = did_you_mean(str(kind), _KINDS)
        raise ConfigError(
            f"cluster file '{path}': kind must be one of {', '.join(_KINDS)}, got {kind!r}{f': {hint}' if hint else ''}"
        )
    try:
        found = getattr(import_module("dask_jobqueue"), _KINDS[kind])
    except ImportError:
        raise ToolNotFoundError(f"a cluster file needs dask-jobqueue: {INSTALL['cluster']}") from None
    keys = {*_keywords(found), "kind", "jobs"}
    for key in data:
        if key not in keys:
            hint = did_you_mean(str(key), keys)
            raise ConfigError(
                f"cluster file '{path}': unknown key '{key}': {hint or f'{found.__name__} of dask-jobqueue says what there is'}"
            )
    try:
        # one simulation a process
        cluster = found(**{"processes": 1, "cores": 1, **data})
    except (TypeError, ValueError) as cause:
        raise ConfigError(f"cluster file '{path}': {cause}") from None
    cluster.scale(jobs=jobs)
    return cluster


def _keywords(cluster: Any) -> set[str]:
    """Return what a class of dask-jobqueue takes: its own arguments, those of its jobs and of the classes above both."""
    classes = [*cluster.__mro__, *cluster.job_cls.__mro__]
    given = (p for each in classes for p in inspect.signature(each.__init__).parameters.values())
    return {p.name for p in given if p.kind is p.POSITIONAL_OR_KEYWORD} - {"self"}


async def _ask(address: str, security: Security) -> None:
    comm = await connect_to(address, timeout=10, **security.get_connection_args("client"))
    await comm.close()


def _worth_a_word(record: logging.LogRecord) -> bool:
    """Whether a worker's log says more than that a run's task ended with the worker, which is how a study is stopped."""
    return not record.getMessage().endswith("ended with CancelledError")


@contextmanager
def connect(workers: Workers) -> Iterator[Client]:
    """Give a client of the workers while the block runs.

    Local ones listen on the loopback interface alone, and that for their status pages.  Certificates of a ``tls://`` scheduler are those of
    Dask's own configuration (``distributed.comm.tls``).

    Raises:
        ConfigError: no scheduler at the address, or a faulty cluster file.
        ToolNotFoundError: dask-jobqueue is not installed.
    """
    if workers.scheduler:
        security = Security()
        try:
            # asked first: a Client that does not come about waits for its end, and tells of that
            asyncio.run(_ask(workers.scheduler, security))
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
        logging.getLogger("distributed.worker.state_machine").addFilter(_worth_a_word)
        # Dask's own part of a worker is a thread of this program; the runs are processes in any case
        cluster = LocalCluster(
            n_workers=1,
            threads_per_worker=workers.count or os.cpu_count() or 1,
            processes=False,
            dashboard_address="127.0.0.1:0",  # left out, Dask takes its usual port of every interface
            worker_dashboard_address="127.0.0.1:0",
            memory_limit=None,
            silence_logs=50,
        )
    with cluster, runs_ended(), Client(cluster, set_as_default=False) as client:
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
    arguments = point.config.model_dump_json(), study.limit_s, code_version()
    return client.submit(run_apart, *arguments, key=f"run-{point.id}", pure=True, retries=3)


def _outcome(future: Future[Any]) -> Outcome:
    error = future.exception()
    if isinstance(error, ConfigError):
        raise error
    if error is None:
        outcome: Outcome = future.result()
        return outcome
    return Outcome("fail", f"{type(error).__name__}: {error}", {}, 0.0, "")


def carry_out(study: Study, store: Store, client: Client, show: Progress) -> int:
    """Do every run that the store lacks; return how many were done.  ``show`` is called with each as it is stored.

    Raises:
        ConfigError: a run's configuration is wrong, or a worker holds another version of the code.
    """
    todo = _missing(study, store)
    waiting: dict[str, Point] = {}
    done = 0
    queue = as_completed(loop=client.loop)

    def submit(count: int) -> None:
        for point in itertools.islice(todo, count):
            future = _submit(client, study, point)
            waiting[str(future.key)] = point
            queue.add(future)

    submit(_WAITING)
    for future in queue:
        row = _row(study, waiting.pop(str(future.key)), _outcome(future))
        store.add(row)
        future.release()
        done += 1
        show(row)
        submit(1)
    return done


def _missing(study: Study, store: Store) -> Iterator[Point]:
    """Yield each run that is not stored, once: two series may ask for the same."""
    seen: set[str] = set()
    for point in points(study):
        if point.id not in seen and not store.done([point.id]):
            seen.add(point.id)
            yield point
