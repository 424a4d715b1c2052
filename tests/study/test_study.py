# SPDX-License-Identifier: BSD-3-Clause
"""Studies: ids, store, statements, and real workers that are killed."""

import csv
import io
import json
import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import yaml
from rich.console import Console

from pyharness.cli import commands
from pyharness.errors import ConfigError
from pyharness.resources import config_dir, model_dir, shipped_studies
from pyharness.study.run import run_point
from pyharness.study.show import comparison, series_tables
from pyharness.study.spec import Statement, chosen, load_study, points
from pyharness.study.store import Row, Store
from pyharness.study.summary import METRICS, differences, estimate, judge, lines, runs_csv

TINY: dict[str, Any] = {
    "study": "tiny",
    "base": {
        "engine": "numpy",
        "images": [[["##", ".."], ["..", "##"]], [["#.", "#."], [".#", ".#"]]],
        "training": {"hidden": 2, "pixel_noise": 0.02},
        "test": {"count": 0, "pixel_noise": 0.1},
        "variation": {"device": True, "cycle": True},
        "waves": False,
    },
    "series": [{"name": "noise", "vary": {"test.pixel_noise": [0.0, 0.1]}, "repeats": 6}],
}


def write(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump(TINY | changes))
    return path


def row(**changes: Any) -> Row:
    result = {"accuracy": 0.9, "bayes_limit": 0.95, "training_time_s": 0.1, "pulses": [1], "given_up": 0}
    base = Row("a" * 16, "tiny", "noise", {}, 1, "numpy", {}, "0", "pass", "", result, 0.5, "here")
    return replace(base, **changes)


def study_command(file: Path, out: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "pyharness", "study", str(file), "--out", str(out), *words]


def stored(out: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(out / "study.db")) as db:
        return db.execute("SELECT id, status FROM runs").fetchall()


def wait_for_runs(out: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when so many runs are stored."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert process.poll() is None, "it ended before"
        try:
            if len(stored(out)) >= count:
                return
        except sqlite3.Error:
            pass
        time.sleep(0.05)
    raise AssertionError(f"no {count} runs in five minutes")


def test_an_id_follows_from_configuration_and_seed(tmp_path: Path) -> None:
    """Twelve runs, twelve ids, the same every time; a series with the same runs has the same ids."""
    study = load_study(write(tmp_path / "a.yaml"))
    ids = [p.id for p in points(study)]
    assert len(set(ids)) == 12
    assert ids == [p.id for p in points(load_study(tmp_path / "a.yaml"))]
    base = TINY["base"] | {"test": {"count": 0, "pixel_noise": 0.0}}
    other = load_study(write(tmp_path / "b.yaml", base=base, series=[{"name": "other", "repeats": 6}]))
    assert [p.id for p in points(other)] == ids[:6]


def test_an_id_follows_from_the_images_in_a_file(tmp_path: Path) -> None:
    """Counted from the study's folder; another content is another run, and a missing file is told."""
    base = TINY["base"] | {"images": "images.csv"}
    study = write(tmp_path / "a.yaml", base=base, series=[{"name": "one"}])
    ids = []
    for text in ("0,1,0\n0,1,1\n1,0,1\n1,0,0\n", "0,1,0\n0,1,1\n1,0,1\n1,0,1\n"):
        (tmp_path / "images.csv").write_text(text)
        (point,) = points(load_study(study))
        assert point.config.images.file == str(tmp_path / "images.csv")
        ids.append(point.id)
        assert ids[-1] == point.id
    assert ids[0] != ids[1]
    # what was made for one content is not done with another
    (tmp_path / "images.csv").write_text(text + "1,0,1\n")
    outcome = run_point(point.config.model_dump_json(), 60)
    assert outcome.status == "fail"
    assert "images.csv' is another file than the job was made for" in outcome.message
    (tmp_path / "images.csv").unlink()
    with pytest.raises(ConfigError, match=r"cannot read '.*images\.csv'"):
        list(points(load_study(study)))


def test_an_id_follows_from_the_card_in_a_file(tmp_path: Path) -> None:
    """In a series' own changes and variations, too, it is counted from the study's folder; another content is another run."""
    shipped = (model_dir() / "msdc" / "cards" / "chromium.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(shipped)
    (tmp_path / "other.yaml").write_text(shipped)
    series = [
        {"name": "changed", "change": {"device.card": "mine.yaml"}},
        {"name": "varied", "vary": {"device.card": ["mine.yaml", "other.yaml", "chromium"]}},
    ]
    study = write(tmp_path / "a.yaml", series=series)
    before = [(p.series, p.varied, p.config.device.card, p.id) for p in points(load_study(study))]
    mine, other = str(tmp_path / "mine.yaml"), str(tmp_path / "other.yaml")
    assert [card for _, _, card, _ in before] == [mine, mine, other, "chromium"]
    assert before[1][1] == {"device.card": "mine.yaml"}
    (tmp_path / "mine.yaml").write_text(shipped + "# measured anew\n")
    after = [p.id for p in points(load_study(study))]
    assert [a == b[3] for a, b in zip(after, before, strict=True)] == [False, False, True, True]


def test_a_varied_section_stays_as_written(tmp_path: Path) -> None:
    """Where one of its entries is varied beside it: what a run is listed by is what the file says."""
    vary = {"test": [{"count": 0}, {"count": 4}], "test.pixel_noise": [0.1, 0.2]}
    found = list(points(load_study(write(tmp_path / "a.yaml", series=[{"name": "x", "vary": vary}]))))
    assert [(p.config.test.count, p.config.test.pixel_noise) for p in found] == [(0, 0.1), (0, 0.2), (4, 0.1), (4, 0.2)]
    assert [p.varied["test"] for p in found] == [{"count": 0}, {"count": 0}, {"count": 4}, {"count": 4}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"serie": []}, r"unknown key 'serie': did you mean 'series'\?"),
        ({"series": [{"name": "x", "repeat": 3}]}, r"unknown key 'series.0.repeat'"),
        ({"series": [{"name": "x"}, {"name": "x"}]}, r"series 'x' is there twice"),
        ({"series": [{"name": "x", "vary": {"test.pixel_nose": [0]}}]}, r"did you mean 'pixel_noise'\?"),
        (
            {"series": [{"name": "x", "vary": {"seed.x": [0]}}], "base": {"seed": 3}},
            r"'seed' holds a value, not a section",
        ),
        ({"series": [{"name": "x", "vary": {"test.pixel_noise": [0.7]}}]}, r"test.pixel_noise: .*0.5, got 0.7"),
        (
            {"series": [{"name": "x", "vary": {"test.pixel_noise": [0.1, 0.2, 0.1]}}]},
            r"series.0.vary.test.pixel_noise: .*0.1 is listed twice, .*: leave one of them out, got \[0.1, 0.2, 0.1\]",
        ),
        (
            {"series": [{"name": "x", "vary": {"test.pixel_noise": []}}]},
            r"no value means no run: give one .*, got \[\]",
        ),
        ({"series": [{"name": "x", "vary": {"seed": [1, 2]}}]}, r"series.0.vary: .*'seed' is not for a series to set"),
        ({"series": [{"name": "x", "change": {"seed": 2}}]}, r"series.0.change: .*leave it out here"),
        (
            {"series": [{"name": "x", "vary": {"test.count": [0, 4], "test.pixel_noise": [0.2, 0.1, "1e-1"]}}]},
            r"series 'x': test.pixel_noise 0.1 and test.pixel_noise '1e-1' are one configuration, .*: leave one of them out of 'vary'",
        ),
        (
            {"spot_checks": [{"series": "noise", "change": {"test": {"count": 4}}}]},
            r"series 'noise.ngspice': test.pixel_noise 0.0 and test.pixel_noise 0.1 are one configuration",
        ),
        ({"spot_checks": [{"series": "nois"}]}, r"asks for series 'nois': did you mean 'noise'\? there are noise"),
        ({"spot_checks": [{"series": "noise", "at": {"test.pixel_noise": 0.3}}]}, r"no run has these values"),
        ({"spot_checks": [{"series": "noise", "engine": "numpy"}]}, r"engine numpy, which is the series' own"),
        ({"spot_checks": [{"series": "noise", "change": {"seed": 7}}]}, r"'seed' is not for a spot check to change"),
        ({"spot_checks": [{"series": "noise", "change": {"test.pixel_noise": 0.4}}]}, r"which the series varies"),
    ],
)
def test_a_faulty_file_is_told(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    """Before anything runs, with the key."""
    with pytest.raises(ConfigError, match=message):
        list(points(load_study(write(tmp_path / "a.yaml", **changes))))


def test_shipped_studies_are_sound() -> None:
    """Every run of paper.yaml is a configuration that can be built, every statement asks for runs that are there."""
    study = load_study("paper")
    found = {(p.series, json.dumps(p.varied, sort_keys=True)) for p in points(study)}
    for statement in study.statements:
        for at in (statement.at, statement.against.at if statement.against else statement.at):
            assert any(
                series == statement.series and at.items() <= json.loads(varied).items() for series, varied in found
            )
    assert (config_dir() / "paper.yaml").is_file()
    assert {p.config.images.file for p in points(load_study("digits_study"))} == {"digits"}
    assert {p.config.training.method for p in points(load_study("methods"))} == {"software", "in_the_loop", "manhattan"}
    with pytest.raises(ConfigError, match="has no series 'nois'"):
        chosen(study, ["nois"])


def test_a_run_is_stored_once(tmp_path: Path) -> None:
    """And by one program at a time."""
    path = tmp_path / "s.db"
    with Store(path) as store:
        store.add(row())
        with pytest.raises(ConfigError, match="cannot be stored"):
            store.add(row())
        with pytest.raises(ConfigError, match="another study is writing"):
            Store(path)
        with pytest.raises(ConfigError, match="cannot be stored"):
            store.add(row(id="b", status="perhaps"))
        assert store.counts() == {"pass": 1}
        assert store.forget(["a" * 16]) == 0  # what passed stays
        store.add(row(id="b" * 16, status="timeout"))
        assert store.forget(["b" * 16]) == 1
    with Store(path, write=False) as store:
        assert store.get("aaa").result["accuracy"] == 0.9
        with pytest.raises(ConfigError, match="no run"):
            store.get("c")
    with pytest.raises(ConfigError, match="no store"):
        Store(tmp_path / "other.db", write=False)
    (tmp_path / "text").write_text("no data base, but long enough to be taken for one\n" * 40)
    with pytest.raises(ConfigError, match="cannot use"):
        Store(tmp_path / "text")


def test_a_reader_leaves_nothing(tmp_path: Path) -> None:
    """No log of SQLite's beside a store that nobody writes to; a store that is written to is read as it is now."""
    folder = tmp_path / "100%?#"
    path = folder / "study.db"
    with Store(path) as store:
        store.add(row())
        found = sorted(folder.iterdir())
        with Store(path, write=False) as reader:
            store.add(row(id="b" * 16))
            assert reader.counts() == {"pass": 2}
        assert sorted(folder.iterdir()) == found
    found = sorted(folder.iterdir())
    assert [file.name for file in found] == ["study.db", "study.db.lock"]
    with Store(path, write=False) as reader:
        assert reader.counts() == {"pass": 2}
    assert sorted(folder.iterdir()) == found


def test_no_spread_comes_of_rounding() -> None:
    """Equal values, and accuracies as far below their limit, have an interval of no width."""
    for value in np.random.default_rng(1).uniform(0.9, 1, 50):
        found = estimate([value] * 3)
        assert (found.mean, found.low, found.high, found.runs) == (value, value, value, 3)
    below = [METRICS["below_bayes"]({"bayes_limit": a + 0.01, "accuracy": a}) for a in (0.9, 0.97, 0.98)]
    assert below == [0.01] * 3
    spread = estimate([0.97, 0.97 + 1e-9])
    assert spread.low < 0.97 < spread.high


def test_an_accuracy_is_shown_up_to_one(tmp_path: Path) -> None:
    """The interval of a mean may reach beyond; a difference's or a ratio's is no accuracy."""
    data = {"statement": "s", "published": 0.97, "goal": "at_least", "metric": "accuracy", "series": "noise"}
    plain, ratio = (Statement.model_validate(data | more) for more in ({}, {"against": {"as_ratio": True}}))
    judged = {"statement": "s", "published": 0.97, "ours": 0.99, "ci95": [0.95, 1.03], "verdict": "met"}
    console = Console(width=100)
    with console.capture() as shown:
        console.print(comparison([plain, ratio], [judged, judged]))
    assert [line for line in ("0.95 .. 1 ", "0.95 .. 1.03") if line in shown.get()] == ["0.95 .. 1 ", "0.95 .. 1.03"]


def test_every_run_is_a_row_of_the_csv(tmp_path: Path) -> None:
    """Series and spot checks; a cell is empty where there is no such key or figure, and a varied null is told."""
    series = [TINY["series"][0], {"name": "levels", "vary": {"training.levels": [None, [2, 3]]}}]
    study = load_study(write(tmp_path / "a.yaml", series=series, spot_checks=[{"series": "noise"}]))
    result = row().result | {"energy_j": {"total": 3e-6, "inference": 1e-6}, "error_rms": math.nan}
    members = [
        ("noise", 0, "a" * 16, {"test.pixel_noise": 0.1}),
        ("levels", 0, "b" * 16, {"training.levels": None}),
        ("levels", 1, "c" * 16, {"training.levels": [2, 3]}),
        ("noise.ngspice", 0, "d" * 16, {"test.pixel_noise": 0.1}),
    ]
    with Store(tmp_path / "s.db") as store:
        for _, _, one, _ in members:
            store.add(row(id=one, result=result))
        store.forget(["b" * 16])
        store.add(row(id="e" * 16, status="fail", result={}))
        store.declare("tiny", [*members, ("levels", 2, "e" * 16, {"training.levels": None})])
        found = list(csv.DictReader(io.StringIO(runs_csv(store, study))))
    told = [(r["series"], r["id"][0], r["test.pixel_noise"], r["training.levels"]) for r in found]
    assert told == [
        ("noise", "a", "0.1", ""),
        ("levels", "b", "", "null"),
        ("levels", "c", "", "[2, 3]"),
        ("levels", "e", "", "null"),
        ("noise.ngspice", "d", "0.1", ""),
    ]
    assert found[0]["seed"] == "1"
    assert (float(found[0]["accuracy"]), float(found[0]["energy_j"])) == (0.9, pytest.approx(2e-6))
    assert found[0]["error_rms"] == ""
    assert (found[3]["status"], found[3]["accuracy"]) == ("fail", "")


@pytest.mark.parametrize(
    ("accuracies", "goal", "published", "verdict"),
    [
        ([0.98, 0.981, 0.979], "at_least", 0.97, "beaten"),
        ([0.98, 0.99, 0.94], "at_least", 0.97, "met"),
        ([0.9, 0.91, 0.9], "at_least", 0.97, "not met"),
        ([0.9, 0.91, 0.9], "at_most", 0.97, "beaten"),
        ([], "at_least", 0.97, "no runs"),
    ],
)
def test_verdicts(tmp_path: Path, accuracies: list[float], goal: str, published: float, verdict: str) -> None:
    """By the interval, seed by seed against other runs."""
    study = load_study(write(tmp_path / "a.yaml"))
    with Store(tmp_path / "s.db") as store:
        rows = [row(id=f"{i:016x}", seed=i, result=row().result | {"accuracy": a}) for i, a in enumerate(accuracies)]
        for one in rows:
            store.add(one)
        store.declare("tiny", [("noise", i, one.id, {"at": 1}) for i, one in enumerate(rows)])
        data = {"statement": "s", "published": published, "goal": goal, "metric": "accuracy", "series": "noise"}
        statement = Statement.model_validate(data | {"at": {"at": 1}})
        found = judge(store, study, statement)
        assert found["verdict"] == verdict
        against = Statement.model_validate(data | {"published": 1.0, "against": {"at": {"at": 1}, "as_ratio": True}})
        if accuracies:
            assert found["ours"] == pytest.approx(sum(accuracies) / len(accuracies))
            assert judge(store, study, against)["ours"] == 1.0
            (line,) = lines(store, study, study.series[0])
            assert line.statuses == {"pass": len(accuracies)}


def test_what_becomes_of_a_run_is_told(tmp_path: Path) -> None:
    """Limit of time, a configuration that cannot be built."""
    (point, *_) = points(load_study(write(tmp_path / "a.yaml")))
    assert run_point(point.config.model_dump_json(), 0.0).status == "timeout"
    assert run_point(point.config.model_dump_json(), 60.0).status == "pass"
    other = json.loads(point.config.model_dump_json()) | {"device": {"card": "chromum"}}
    failed = run_point(json.dumps(other), 60.0)
    assert failed.status == "fail"
    assert "chromum" in failed.message


def test_a_killed_study_goes_on(tmp_path: Path) -> None:
    """kill -9 of the program; then every run is there once, and each can be done again to the bit."""
    file, out = write(tmp_path / "a.yaml"), tmp_path / "out"
    with subprocess.Popen(study_command(file, out, "--workers", "1"), stdout=subprocess.DEVNULL) as process:
        wait_for_runs(out, 2, process)
        process.send_signal(signal.SIGKILL)
    before = stored(out)
    assert 2 <= len(before) < 12
    done = subprocess.run(study_command(file, out, "--workers", "1"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"12 runs, {len(before)} of them stored" in done.stderr
    after = stored(out)
    assert len(after) == 12
    assert set(before) <= set(after)
    summary = json.loads((out / "summary.json").read_text())
    assert [line["statuses"] for line in summary["series"]["noise"]] == [{"pass": 6}, {"pass": 6}]
    with (out / "runs.csv").open(newline="") as file:
        assert {line["id"] for line in csv.DictReader(file)} == {one for one, _ in after}
    again = [sys.executable, "-m", "pyharness", "replay", after[0][0], "--store", str(out / "study.db")]
    assert "the same" in subprocess.run(again, capture_output=True, text=True, check=True).stdout
    with closing(sqlite3.connect(out / "study.db")) as db, db:
        db.execute("UPDATE runs SET result = replace(result, 'training_time_s\": 0.', 'training_time_s\": 1.')")
    failed = subprocess.run(again, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "other values: training_time_s" in failed.stderr


def test_ctrl_c_is_one_line(tmp_path: Path) -> None:
    """However often, to the last moment of the program; nothing of Dask's besides; what is stored stays."""
    file, out = write(tmp_path / "a.yaml", series=[{**TINY["series"][0], "repeats": 500}]), tmp_path / "out"
    with subprocess.Popen(
        study_command(file, out, "--workers", "2"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        wait_for_runs(out, 3, process)
        until = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < until:
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.02)
        text = process.communicate(timeout=1)[0].decode()
    assert process.returncode == 130
    assert re.search("^pyharness: stopped with .* of 1000 runs stored; the same command goes on$", text, re.M)
    assert {line.split(":")[0].split(",")[0] for line in text.splitlines() if line} == {"pyharness", "tiny"}
    assert len(stored(out)) >= 3


def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    """A scheduler and two workers, each a process of its own; one is killed in the middle."""
    file, out, address = write(tmp_path / "a.yaml"), tmp_path / "out", tmp_path / "scheduler.json"
    dask = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
    ]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(address)]
    worker += ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*dask, "--scheduler-file", str(address)], **quiet) as scheduler:
        workers = [subprocess.Popen(worker, **quiet) for _ in range(2)]
        try:
            until = time.monotonic() + 60
            while not (address.exists() and address.read_text().endswith("}")) and time.monotonic() < until:
                time.sleep(0.1)
            where = json.loads(address.read_text())["address"]
            with subprocess.Popen(study_command(file, out, "--scheduler", where), stdout=subprocess.PIPE) as process:
                wait_for_runs(out, 2, process)
                workers[0].kill()
                text = process.communicate(timeout=240)[0].decode()
            assert process.returncode == 0, text
        finally:
            for one in (*workers, scheduler):
                one.kill()
                one.wait()
    assert len(stored(out)) == 12
    assert {status for _, status in stored(out)} == {"pass"}


def test_no_scheduler_no_cluster(tmp_path: Path) -> None:
    """One message each, status 1, nothing stored."""
    file, cluster = write(tmp_path / "a.yaml"), tmp_path / "c.yaml"
    cluster.write_text("kind: slrm\n")
    for words, message in (
        (("--scheduler", "tcp://127.0.0.1:9"), "no scheduler at 'tcp://127.0.0.1:9'"),
        (("--cluster", str(cluster)), "kind must be one of slurm"),
    ):
        done = subprocess.run(
            study_command(file, tmp_path / "out", *words), capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert stored(tmp_path / "out") == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """By the option that names it; also where it is the default one, and where the store in it is none."""
    file = write(tmp_path / "a.yaml")
    (tmp_path / "build").write_text("no folder")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "study.db").write_text("no data base, but long enough to be taken for one\n" * 40)
    command = [sys.executable, "-P", "-m", "pyharness", "study", str(file)]
    for words, message in (
        (["--out", "/proc/q"], "--out /proc/q: cannot write '/proc/q': No such file or directory: name a place that"),
        ([], "--out build/study/tiny: cannot write 'build/study/tiny': Not a directory: name a place that can be"),
        (["--out", "out"], "cannot use 'out/study.db' as a store: file is not a database: name another folder"),
    ):
        done = subprocess.run([*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_the_help_names_the_shipped_studies() -> None:
    """As they are found."""
    command: Any = typer.main.get_command(commands)
    (file,) = (p for p in command.commands["study"].params if p.name == "file")
    assert file.help.endswith(f"({', '.join(shipped_studies())}).")


SOCKETS = """
import psutil
from pyharness.study.execute import Workers, connect
if __name__ == "__main__":
    with connect(Workers(1)) as client:
        print(client.submit(max, 1, 2).result())
        print({s.laddr.ip for s in psutil.Process().net_connections() if s.status == psutil.CONN_LISTEN})
"""


def test_local_workers_listen_to_this_machine_alone(tmp_path: Path) -> None:
    """Loopback for every socket; in a process of its own, as Dask leaves threads to the end of the program."""
    (tmp_path / "workers.py").write_text(SOCKETS)
    done = subprocess.run([sys.executable, tmp_path / "workers.py"], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["2", "{'127.0.0.1'}"]


def test_spot_checks_measure_the_engines(tmp_path: Path) -> None:
    """The same jobs by the Verilog view, equal to the bit, and by co-simulation; both are printed and in the summary."""
    checks = [
        {"series": "noise", "at": {"test.pixel_noise": 0.1}, "change": {"test.count": 4}, "engine": engine}
        for engine in ("behavioural", "ngspice")
    ]
    series = [{**TINY["series"][0], "repeats": 1}]
    out = tmp_path / "out"
    file = write(tmp_path / "a.yaml", spot_checks=checks, series=series)
    done = subprocess.run(study_command(file, out, "--workers", "2"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "noise: numpy against ngspice" in done.stdout
    found = json.loads((out / "summary.json").read_text())["spot_checks"]
    (view,), (spice,) = found["noise.behavioural"], found["noise.ngspice"]
    assert (view["conductance"], view["training_time"], view["same_pulses"]) == (0, 0, [10, 10])
    # a code of the converter is 0.25 uS of 100 .. 400; a device on another path ends anywhere within the tolerance of 2 %
    assert 0 <= spice["conductance_same_pulses"] < 0.005
    assert spice["conductance"] < 0.04
    assert spice["same_pulses"][0] > 5
    assert spice["correct"][2] == 4
    assert spice["engines"] == ["numpy", "ngspice"]


def test_a_difference_is_seen(tmp_path: Path) -> None:
    """One conductance 2 % off, one pulse more: told so; a job that one engine did not do gives no line."""
    study = load_study(write(tmp_path / "a.yaml", spot_checks=[{"series": "noise"}]))
    base = {
        "training_time_s": 0.1,
        "energy_j": {"total": 3.0, "inference": 1.0},
        "pulses": [4, 5],
        "final_siemens": [1e-4, 2e-4],
    }
    off = {**base, "pulses": [4, 6], "final_siemens": [1e-4, 1.96e-4]}
    ours, other, alone = (row(id=c * 16, series="noise.ngspice") for c in "abc")
    with Store(tmp_path / "study.db") as store:
        for one, engine, result, wall_s in ((ours, "numpy", off, 0.1), (other, "ngspice", base, 50.0)):
            store.add(replace(one, engine=engine, result=result, wall_s=wall_s))
        store.add(replace(alone, seed=2))
        store.declare("tiny", [("noise.ngspice", i, c * 16, {}) for i, c in enumerate("abc")])
        (found,) = differences(store, study, study.spot_checks[0])
    assert (found.conductance, found.conductance_same_pulses) == (pytest.approx(0.02), 0)
    assert (found.same_pulses, found.energy, found.speed) == ((1, 2), 0, 500)


@pytest.mark.parametrize(("width", "count"), [(200, 1), (90, 2), (64, 4)])
def test_tables_fit_the_terminal(tmp_path: Path, width: int, count: int) -> None:
    """Split at need, all metrics once, the varied value in each; nothing is cut."""
    study = load_study(write(tmp_path / "a.yaml"))
    result = row().result | {"energy_j": {"total": 3e-6, "inference": 1e-6}, "error_rms": 0.01}
    console = Console(width=width)
    with Store(tmp_path / "study.db") as store:
        for seed in (1, 2):
            store.add(row(id=f"{seed:016x}", seed=seed, result=result | {"training_time_s": 0.1 * seed}))
        varied = {"test.pixel_noise": 0.1}
        store.declare("tiny", [("noise", seed, f"{seed:016x}", varied) for seed in (1, 2)])
        tables = series_tables(console, store, study, study.series[0])
        few = series_tables(console, store, study, study.series[0], ("accuracy", "pulses"))
    assert len(tables) == count
    with console.capture() as shown:
        console.print(*tables)
    text = shown.get()
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for word in ("accuracy", "below_bayes", "training_time, ms", "energy, uJ", "pulses", "given_up", "error_rms"):
        assert text.count(word) == 1
    assert text.count("noise (continued)") == count - 1
    assert text.count("test.pixel_noise") == text.count("2 pass") == count
    assert [len(table.columns) for table in few] == [4]
