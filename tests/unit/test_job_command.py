# SPDX-License-Identifier: BSD-3-Clause
"""``pyharness sim``, ``report`` and ``classify`` as a newcomer meets them: what is printed, when, and what is told beside it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from rich.console import Console
from threadpoolctl import threadpool_info

from pyharness.bench.job import build_job
from pyharness.bench.progress import LINE, log_told
from pyharness.bench.runner import read_record
from pyharness.cli.job import summary
from pyharness.config import SimConfig
from pyharness.network.training import train
from pyharness.progress import tell
from pyharness.record import Energy, Record, write_record
from pyharness.resources import shipped_configs

Run = Callable[..., tuple[int, str, str]]

SMALL: dict[str, Any] = {
    "engine": "numpy",
    "images": [[["#."]], [[".#"]]],
    "training": {"hidden": 1, "restarts": 2},
    "write_verify": {"tolerance": 0.03, "confirm": 1},
    "test": {"count": 4},
}
CSV = "0,9,0,0,9\n0,8,1,0,7\n0,9,0,1,9\n1,0,9,9,0\n1,1,8,9,0\n1,0,9,7,1\n"


@pytest.fixture
def run(command_line: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in an empty folder, where ``mine.yaml`` is SMALL with other sections: status, output, messages."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **sections: Any) -> tuple[int, str, str]:
        Path("mine.yaml").write_text(yaml.safe_dump(SMALL | sections))
        return command_line(*arguments)

    return run


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no report: seconds that only the tests of it need."""
    monkeypatch.setattr("pyharness.report.write_report", lambda _, folder: folder / "report.html")


def interrupted(*_: Any, **__: Any) -> NoReturn:
    raise KeyboardInterrupt


def words(text: str) -> list[str]:
    """Return the lines with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]


def table(record: Record) -> list[str]:
    shown = Console(file=io.StringIO(), width=300)
    shown.print(summary(record))
    assert isinstance(shown.file, io.StringIO)
    return words(shown.file.getvalue())


@pytest.mark.usefixtures("undrawn")
def test_the_configured_tolerance_and_the_verdict_are_shown(run: Run) -> None:
    """Not a tolerance of the program's own; report last, for its figures take longest."""
    status, out, errors = run("sim", "mine.yaml")
    assert status == 0
    lines = words(out)
    assert "devices verified within 3 % of target 3 of 3" in lines
    assert "verdict Pass" in lines
    assert [line.split()[0] for line in lines[-2:]] == ["record", "report"]
    assert "asked for" not in errors


def test_an_interrupt_while_the_report_is_drawn(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is out, the message says what is whole and what draws the rest; no half of a figure lies about."""

    def half(_: object, folder: Path) -> NoReturn:
        (folder / "accuracy.png").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("pyharness.report.draw_all", half)
        status, out, errors = run("sim", "mine.yaml")
    (folder,) = (path for path in Path("build/sim").iterdir() if not path.is_symlink())
    assert status == 130
    assert "verdict Pass" in words(out)
    assert f"record {folder}/results.json" in words(out)
    assert errors.endswith(
        f"pyharness: interrupted while drawing the report; the record is complete: pyharness report {folder} draws it\n"
    )
    assert {path.name for path in folder.iterdir()} == {"results.json", "job.json"}
    assert run("report", str(folder))[0] == 0
    assert (folder / "report.html").exists() and (folder / "figures" / "accuracy.png").stat().st_size > 1000


def test_an_interrupted_run_is_shown_as_the_report_shows_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time it took, and what its pulses left in place of devices that were not read back."""
    assert run("sim", "mine.yaml")[0] == 0
    whole = read_record(Path("build/sim/latest"))
    part = whole.model_copy(update={"devices": [], "status": "interrupted", "message": "interrupted by the user"})
    Path("part").mkdir()
    write_record(part, Path("part"))
    status, out, _ = run("report", "part")
    told = "3 not read back; 3 were last seen in tolerance"
    assert status == 0
    assert f"devices verified within 3 % of target 0 of 3: {told}" in words(out)
    assert any(
        line.startswith("verdict Incomplete: The run ended early: interrupted by the user.") for line in words(out)
    )
    assert told in Path("part/report.html").read_text()

    monkeypatch.setattr("pyharness.bench.numpy_job.run_numpy", interrupted)
    status, _, errors = run("sim", "mine.yaml", "--out", "other")
    assert (status, "interrupted; what was measured so far is in other/" in errors) == (130, True)
    (folder,) = Path("other").iterdir()
    kept = read_record(folder)
    assert kept.wall_s > 0 and kept.cpu_s > 0
    assert kept.message == "interrupted by the user"


def test_large_and_small_figures_change_their_prefix() -> None:
    """A second is no thousand milliseconds."""
    record = Record(
        seed=1, engine="e", tools={}, command="c", training_time_s=1.6571, network={"layers": [[9, 3], [3, 1]]},
        config={"peripheral": {"row_w": 0.0, "column_w": 0.0, "logic_w": 0.7e-3}},
        energy_j=Energy(reset=0.0, write=5e-6, verify=2e-9, inference=1e-6, total=6.002e-6, devices=1e-6),
    )  # fmt: skip
    lines = table(record)
    assert "training time (simulated) 1.66 s" in lines
    assert "energy from the drivers 6 uJ" in lines
    assert "reset, write, verify, inference 0 J, 5 uJ, 2 nJ, 1 uJ" in lines
    assert "periphery while training (assumed) 1.16 mJ" in lines


@pytest.mark.usefixtures("undrawn")
def test_that_no_device_trained_is_told(run: Run) -> None:
    """With what to look at; the job was carried out, so the status is 0."""
    status, out, errors = run("sim", "mine.yaml", write_verify={"set_max_v": 0.3})
    assert status == 0
    assert "devices verified within 1 % of target 0 of 3: 3 did not reach it" in words(out)
    assert any(line.startswith("verdict Pass with remarks: 0 of 3 devices trained") for line in words(out))
    assert (
        "pyharness: no device trained: 3 stuck low; does a positive V(p,n) raise the conductance? is the state's rate zero where it "
        "starts (device.start_fraction 0)?\n"
    ) in errors


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("count", "told"), [({"count": 50}, True), ({"count": 2}, False), ({}, False)])
def test_fewer_test_images_than_asked_for(run: Run, count: dict[str, int], told: bool) -> None:
    """Asked for, not left at its default."""
    Path("mine.csv").write_text(CSV)
    status, _, errors = run(
        "sim", "mine.yaml", test={"pixel_noise": 0.0, **count},
        images={"file": "mine.csv", "threshold": 5, "test_share": 0.34}, training={"hidden": 2},
    )  # fmt: skip
    assert status == 0
    assert ("pyharness: 2 test images, 50 asked for (test.count): " in errors) == told


def test_a_compiled_model_that_ngspice_does_not_load(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before anything is written."""
    monkeypatch.setattr("pyharness.bench.runner.find_libngspice", lambda: "/lib/ngspice.so")
    monkeypatch.setattr("pyharness.bench.runner.library_has_osdi", lambda _: False)
    status, out, errors = run("sim", "mine.yaml", engine="ngspice", device={"target": "osdi"})
    assert (status, out) == (1, "")
    assert errors.startswith("pyharness: device.target osdi: /lib/ngspice.so was built without OSDI")
    assert "set it to auto or ngspice" in errors
    assert not Path("build").exists()


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"images": [[["#."]], [[".#"], ["##"]]]}, "images: two classes or more with the same number of patterns, at least one, are needed; got 2 classes of 1 and 2 patterns: "),
        ({"images": [[["#."]]]}, "at least one, are needed; got 1 class: "),
        ({"training": {"window_siemens": [1e-5, 4e-4]}}, "training.window_siemens [1e-05, 0.0004] leaves the reach of card 'chromium'"),
        ({"training": {"targets_siemens": [2e-4]}}, "training.targets_siemens must hold 2 x 3 + 3 x 1 = 9 conductances"),
        ({"images": {"file": "none.csv"}}, "cannot read '"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["sim", "classify"])
def test_what_the_whole_job_shows_is_told_with_its_file(
    run: Run, command: str, sections: dict[str, Any], message: str
) -> None:
    """As what one key shows; nothing is written."""
    status, out, errors = run(command, "mine.yaml", **sections)
    assert (status, out) == (1, "")
    assert errors.startswith("pyharness: configuration 'mine.yaml': ")
    assert message in errors
    assert not Path("build").exists()


def test_a_folder_of_runs_is_no_run(run: Run) -> None:
    """But the latest in it is."""
    Path("runs/20260101-000000").mkdir(parents=True)
    Path("runs/latest").symlink_to("20260101-000000")
    assert "did you mean" not in run("report", "runs")[2]
    Path("runs/latest/results.json").touch()
    status, _, errors = run("report", "runs")
    assert (status, errors) == (
        1,
        "pyharness: no readable results.json in 'runs': No such file or directory: did you mean 'runs/latest'?\n",
    )


def test_help_names_all_shipped_configurations(run: Run) -> None:
    """Those that a misspelt name is told, too."""
    text = " ".join(run("sim", "--help")[1].replace("│", " ").split())
    assert f"({', '.join(shipped_configs())})" in text


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("command", "seed"), [("sim", 77), ("classify", 78)])  # what was trained once is kept
def test_training_shows_how_far_it_is(run: Run, monkeypatch: pytest.MonkeyPatch, command: str, seed: int) -> None:
    """In lines where no terminal is; once it has taken some time."""
    monkeypatch.setattr("pyharness.bench.progress._SELDOM_S", -1.0)
    errors = run(command, "mine.yaml", seed=seed)[2].splitlines()
    assert errors[:2] == ["training in software: 0 of 2", "training in software: 1 of 2"]
    assert ("programming: 1 of 3" in errors) == (command == "sim")
    monkeypatch.setattr("pyharness.bench.progress._SELDOM_S", 60.0)
    assert run(command, "mine.yaml", seed=seed + 2)[2] == ""


def test_the_testbench_writes_how_far_training_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the form that the log is searched for."""
    monkeypatch.setattr("pyharness.bench.progress._SELDOM_S", -1.0)
    tell("training in software", 0, 6)  # nobody listens
    with log_told():
        tell("training in software", 1, 6)
    assert LINE.findall(capsys.readouterr().out) == [("training in software", "1", "6")]


def test_training_takes_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several wait for each other longer than one computes on matrices of three columns, and round otherwise."""
    threads: list[int] = []

    def watched(*words: Any) -> Any:
        threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return train(*words)

    monkeypatch.setattr("pyharness.bench.trained.train", watched)
    build_job(SimConfig.model_validate(SMALL))
    assert threads and set(threads) == {1}
