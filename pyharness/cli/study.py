# SPDX-License-Identifier: BSD-3-Clause
"""Many jobs: ``study``, ``replay``."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from pyharness.cli import complete
from pyharness.cli.common import commands, console, make_folder, note, shipped, writing
from pyharness.errors import ConfigError

__all__ = ("replay", "study")


@commands.command()
def study(
    file: Annotated[
        str,
        typer.Argument(
            help=f"YAML file of a study, or the name of a shipped one{shipped(complete.studies)}.",
            autocompletion=complete.studies,
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the results; build/study/<study> if left out.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Local processes; one a processor if left out.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, in place of local processes.")
    ] = None,
    cluster: Annotated[
        Path | None, typer.Option(help="YAML file of a dask-jobqueue cluster (Slurm, LSF, SGE).")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Name of a series; again for several.")] = None,
    retry: Annotated[bool, typer.Option(help="Do runs again that did not pass.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many runs there are and how long they take.")
    ] = False,
) -> None:
    """Do the runs of a study that its store lacks; write summary.json and runs.csv, and print the tables.

    Ends with status 1 if a run did not pass.
    """
    _stop_once()
    import json

    from pyharness.files import replace_file
    from pyharness.progress import progress
    from pyharness.study.execute import Workers, carry_out, connect
    from pyharness.study.show import Watch, comparison, difference_table, series_tables
    from pyharness.study.spec import chosen, load_study, points
    from pyharness.study.store import Store
    from pyharness.study.summary import differences, runs_csv, summary_json

    plan = chosen(load_study(file), only)
    members = [(p.series, place, p.id, p.varied) for place, p in enumerate(points(plan))]
    ids = list(dict.fromkeys(one for _, _, one, _ in members))
    folder = out or Path("build/study") / plan.study
    if dry_run:
        _tell_runs(plan, folder / "study.db", ids)
        return
    with writing("--out", folder):
        make_folder(folder)
    with Store(folder / "study.db") as store:
        store.declare(plan.study, members)
        if retry:
            store.forget(ids)
        done = len(store.done(ids))
        note(f"{len(ids)} runs, {done} of them stored in {folder / 'study.db'}")
        if done < len(ids):
            try:
                with connect(Workers(workers, scheduler, cluster)) as client, progress() as show:
                    carry_out(plan, store, client, Watch(console, show, store, plan, len(ids), done))
            except KeyboardInterrupt:
                note(f"stopped with {len(store.done(ids))} of {len(ids)} runs stored; the same command goes on")
                raise
        found = summary_json(store, plan)
        summary = replace_file(folder / "summary.json", json.dumps(found, indent=1))
        runs = replace_file(folder / "runs.csv", runs_csv(store, plan))
        for series in plan.series:
            console.print(*series_tables(console, store, plan, series))
        for check in plan.spot_checks:
            if measured := differences(store, plan, check):
                console.print(difference_table(check.series, measured))
        if found["statements"]:
            console.print(comparison(plan.statements, found["statements"]))
        console.print(f"summary   {summary}\nruns      {runs}", soft_wrap=True)
        named = [*(series.name for series in plan.series), *(check.name for check in plan.spot_checks)]
        bad = [row for name in named for row in store.rows(plan.study, name) if row.status != "pass"]
    if bad:
        note(f"{len(bad)} runs did not pass; pyharness study {file} --retry does them again")
        raise typer.Exit(1)


def _stop_once() -> None:
    """Have the first Ctrl-C stop the study, and further ones do nothing, to the program's last moment.

    Its end takes a second, in which they would break off what ends the runs, or end the program by the signal.
    """

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    # in the background of a shell it is ignored, and stays so
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, stop)


def _tell_runs(plan: Any, path: Path, ids: list[str]) -> None:
    """Say what ``pyharness study`` would do."""
    from pyharness.study.spec import points
    from pyharness.study.store import Store

    stored: set[str] = set()
    means: dict[str, float] = {}
    engines = {p.id: p.config.engine for p in points(plan)}
    if path.is_file():
        with Store(path, write=False) as store:
            stored = store.done(ids)
            means = {e: m for e in set(engines.values()) if (m := store.mean_wall_s(e)) is not None}
    left = [one for one in ids if one not in stored]
    known = [means[engines[one]] for one in left if engines[one] in means]
    console.print(f"{len(ids)} runs, {len(stored)} stored, {len(left)} to do")
    if left and len(known) == len(left):
        console.print(f"about {sum(known):.0f} s on one worker, from the stored runs of the same engines")
    elif left:
        unknown = sorted({engines[one] for one in left if engines[one] not in means})
        console.print(f"no run of engine {', '.join(unknown)} is stored yet: how long one takes is not known")


@commands.command()
def replay(
    run: Annotated[str, typer.Argument(help="Id of a run, or its beginning.")],
    store: Annotated[Path, typer.Option(help="Store of the study.")] = Path("build/study/paper/study.db"),
) -> None:
    """Do a stored run again in this process; ends with status 1 unless every bit of its result is the same."""
    import json

    from pyharness.code import code_version
    from pyharness.study.run import run_point
    from pyharness.study.store import Store

    with Store(store, write=False) as opened:
        row = opened.get(run)
    if row.code != code_version():
        note(f"stored by pyharness {row.code}, this is {code_version()}: results may differ")
    outcome = run_point(json.dumps(row.config), float("inf"))
    same = (outcome.status, outcome.result) == (row.status, row.result)
    console.print(f"{row.id} ({row.series}, {row.varied}, seed {row.seed}): {'the same' if same else 'another result'}")
    if not same:
        different = [k for k in {*row.result, *outcome.result} if row.result.get(k) != outcome.result.get(k)]
        raise ConfigError(
            f"run {row.id} was '{row.status}', now '{outcome.status}'; other values: {', '.join(sorted(different))}"
            + (f"; {outcome.message}" if outcome.message else "")
        )
