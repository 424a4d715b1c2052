# SPDX-License-Identifier: BSD-3-Clause
"""The command line: exit statuses, one message for what went wrong, how much is said and where."""

import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyharness.cli import GROUPS
from pyharness.errors import ConfigError, RunInterrupted

CLI = [sys.executable, "-m", "pyharness"]
MODEL = "module dut(p, n);\n    inout p, n;\n    electrical p, n;\n    analog I(p, n) <+ V(p, n);\nendmodule\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(command_line: Run) -> Run:
    """The command line, by a short name."""
    return command_line


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--version"], 0, ""),
        (["study", "/no/such/paper"], 1, "pyharness: cannot read study '/no/such/paper': there is no such file"),
        (["smi"], 2, "pyharness: no such command 'smi'. Did you mean 'sim'?\nsee pyharness --help\n"),
        (
            ["sim", "--sede", "3"],
            2,
            "pyharness: no such option: --sede (Possible options: --seed)\nsee pyharness sim --help\n",
        ),
        (
            ["selftest", "--simulator", "icaru"],
            2,
            "pyharness: invalid value for '--simulator': 'icaru' is not one of 'icarus', 'verilator': did you mean 'icarus'?\n"
            "see pyharness selftest --help\n",
        ),
        (
            ["schema", "zzz"],
            2,
            "pyharness: invalid value for 'kind': 'zzz' is not one of 'config', 'study', 'card', 'fit-plan', 'record', 'summary'\n"
            "see pyharness schema --help\n",
        ),
        (["sim", "smoke", "--seed", "-1"], 2, "invalid value for '--seed': "),
        (["sim", "smoke", "--seed", str(1 << 63)], 1, "configuration: seed: "),
        (["qa", "msdcc"], 1, "no device card 'msdcc', and no model: did you mean 'msdc'? there are carbon, "),
        (["study"], 2, "pyharness: missing argument 'file'\nsee pyharness study --help\n"),
        (
            ["schema", "config", "-q", "-v"],
            2,
            "pyharness: invalid value for '--quiet': --verbose is given, too: leave one of them out\nsee pyharness schema --help\n",
        ),
        (
            ["classify", "smokee"],
            1,
            "pyharness: cannot read configuration 'smokee': there is no such file; did you mean 'smoke'? "
            "shipped ones: carbon, digits, sim, smoke, tungsten\n",
        ),
        (["sim", "paper.yml"], 1, "shipped ones: carbon, digits, sim, smoke, tungsten\n"),
        (["study", "papr"], 1, "did you mean 'paper'? shipped ones: digits_study, methods, paper\n"),
        (["study", "paper", "--only", "nose", "--dry-run"], 1, "has no series 'nose': "),
        (["compile", "chromum", "--target", "verilog"], 1, "no device card 'chromum', and no model: did you mean 'chromium'? "),
        (["fit", "tinn"], 1, "no measured data of 'tinn': did you mean 'tin'? give one of "),
        (["compile", "none.va"], 1, "none.va: cannot read the Verilog-A source: No such file or directory\n"),
        (["compile", "/"], 1, "cannot read the Verilog-A source: Is a directory\n"),
        (["report", "nowhere"], 1, "no readable results.json in 'nowhere'"),
        (["schema", "config", "-o", "/dev/full", "--force"], 1, "cannot write '/dev/full': No space left on device"),
        (["schema", "config", "-o", "/dev/null/x"], 1, "cannot write '/dev/null': it is not a folder"),
    ],
)  # fmt: skip
def test_status_and_message(run: Run, arguments: list[str], status: int, message: str) -> None:
    """What a user can get wrong is told in one message, with the nearest name, and nothing else is printed."""
    found, out, errors = run(*arguments)
    assert found == status
    assert message in errors
    assert "Traceback" not in errors
    assert errors.count("pyharness: ") == (1 if message else 0)
    assert bool(out) == (status == 0)


def test_help_in_a_damaged_installation() -> None:
    """The shipped files are gone: the commands are there, and so is the doctor."""
    lost = (
        "import pyharness.resources as r\n"
        "def gone(): raise r.ToolNotFoundError('the folder is missing')\n"
        "r.shipped_configs = r.shipped_studies = gone\n"
        "import sys; sys.argv = ['pyharness', 'sim', '--help']; from pyharness.cli import app; app()"
    )
    done = subprocess.run([sys.executable, "-c", lost], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and "Usage: pyharness sim" in done.stdout


def test_a_group_alone_shows_its_commands(run: Run) -> None:
    """On standard output, without a message."""
    status, out, errors = run("handoff")
    assert (status, errors) == (2, "") and "verify" in out


def test_a_study_is_no_configuration(run: Run) -> None:
    """By its path; the command for it is told."""
    from pyharness.resources import config_dir

    status, _, errors = run("classify", str(config_dir() / "paper.yaml"))
    assert (status, errors.endswith("is a study: run it by pyharness study\n")) == (1, True)


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), 130), (RunInterrupted("interrupted; kept in x"), 130), (OSError(28, "No space left"), 1)],
)
def test_what_ends_a_command(run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int) -> None:
    """An interrupt, also one that has words; what the system has against it."""

    def ended(_: str) -> str:
        raise error

    monkeypatch.setattr("pyharness.schema.schema_text", ended)
    found, out, errors = run("schema", "config")
    assert (found, out) == (status, "")
    assert errors in ("", "pyharness: interrupted; kept in x\n", "pyharness: No space left\n")


def test_help_names_the_groups_in_order(run: Run) -> None:
    """``sim`` first; every command has a heading; the exit statuses stand below."""
    status, text, _ = run("--help")
    assert status == 0
    places = [text.index(f"─ {heading} ─") for heading in GROUPS]
    assert places == sorted(places)
    assert "─ Commands ─" not in text
    assert text.index(" sim ") < text.index(" report ") < text.index(" study ") < text.index(" qa ")
    assert "130 interrupted" in " ".join(text.split())
    _, text, _ = run("sim", "--help")
    assert "--quiet" in text and "--verbose" in text


@pytest.mark.parametrize("place", [0, 1, 3])
def test_quiet_leaves_the_text_that_was_asked_for(run: Run, tmp_path: Path, place: int) -> None:
    """Before and after the command: no messages, but errors; files and standard output as ever."""
    (tmp_path / "dut.va").write_text(MODEL)
    words = ["compile", str(tmp_path / "dut.va"), "--target", "ngspice"]
    loud = run(*words)
    words.insert(place if place < 3 else len(words), "-q")
    assert run(*words) == (loud[0], loud[1], "")
    assert ".subckt dut" in loud[1]
    (tmp_path / "bad.va").write_text("module")
    assert "bad.va:" in run("compile", str(tmp_path / "bad.va"), "--quiet")[2]


def test_quiet_and_verbose_lint(run: Run, tmp_path: Path) -> None:
    """Results and remarks are silenced as well; a fault is told in any case; where it was found, the message says."""
    assert "module msdc" in run("lint")[1]
    assert run("lint", "--quiet") == (0, "", "")
    (tmp_path / "dut.va").write_text(MODEL)
    status, out, errors = run("lint", str(tmp_path / "dut.va"), "-q")
    assert (status, out) == (1, "")
    assert errors.startswith(f"pyharness: {tmp_path}/dut.va: language: ") and "no licence" not in errors
    assert "Traceback" not in errors
    assert "Traceback" not in run("-v", "lint", str(tmp_path / "dut.va"))[2]


@pytest.mark.parametrize(("cause", "shown"), [(None, False), (KeyError("deep"), True)])
def test_verbose_shows_what_caused_an_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, cause: Exception | None, shown: bool
) -> None:
    """Another exception, that is: of a rule broken by the user the message is all."""

    def fails(_: str) -> str:
        raise ConfigError("a rule") from cause

    monkeypatch.setattr("pyharness.schema.schema_text", fails)
    status, _, errors = run("-v", "schema", "config")
    assert status == 1
    assert errors.endswith("pyharness: a rule\n")
    assert ("Traceback" in errors) == ("deep" in errors) == shown


def test_verbose_shows_what_is_run(run: Run, tmp_path: Path) -> None:
    """The compiler of a model, for one."""
    (tmp_path / "dut.va").write_text(MODEL)
    status, _, errors = run("compile", str(tmp_path / "dut.va"), "-o", str(tmp_path / "dut.osdi"), "--verbose")
    assert status == 0
    assert "pyharness.veriloga.osdi: " in errors
    assert "-shared" in errors


@pytest.mark.parametrize(("words", "shown"), [((), False), (("--verbose",), True)])
def test_libraries_log_where_it_is_wanted(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], shown: bool
) -> None:
    """Also one whose logger has a level of its own, as cocotb's runner."""
    library = logging.getLogger("library")
    monkeypatch.setattr(library, "level", logging.INFO)

    def logs(_: str) -> str:
        library.info("results are here")
        return "text"

    monkeypatch.setattr("pyharness.schema.schema_text", logs)
    assert run("schema", "config", *words) == (0, "text", "library: results are here\n" if shown else "")


def test_a_bug_is_told_and_its_traceback_kept(tmp_path: Path) -> None:
    """In a file; with --verbose, at once."""
    code = (
        "import sys, pyharness.schema\n"
        "pyharness.schema.schema_text = lambda kind: {}[kind]\n"
        "from pyharness.cli import app\n"
        "app()\n"
    )
    for words in ((), ("--verbose",)):
        done = subprocess.run(
            [sys.executable, "-c", code, "schema", "config", *words],
            env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert "pyharness: this is a bug, please report it" in done.stderr
        assert done.stderr.rstrip().endswith("KeyError: 'config'")
        assert ("Traceback" in done.stderr) == bool(words)
    (log,) = tmp_path.iterdir()
    assert "Traceback" in log.read_text() and "schema config" in log.read_text()


def test_output_that_nobody_takes(tmp_path: Path) -> None:
    """A reader that leaves is no error of the command; a full disk is told."""
    code = "import sys\nfrom pyharness.cli import app\napp()\n"
    with subprocess.Popen(
        [sys.executable, "-c", code, "schema", "study"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()  # before the first byte is written
        assert process.stderr.read() == b""
    assert process.returncode == 1
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*CLI, "schema", "study"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "pyharness: No space left on device\n")


def on_a_terminal(command: list[str], **environment: str) -> str:
    """Return what a command writes to a terminal."""
    own, other = pty.openpty()
    inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    with subprocess.Popen(command, stdout=other, stderr=other, env={**inherited, **environment}) as process:
        os.close(other)
        text = b""
        try:
            while part := os.read(own, 65536):
                text += part
        except OSError:  # the end, on Linux
            pass
    os.close(own)
    assert process.returncode == 0
    return text.decode()


def test_colour_on_a_terminal_alone() -> None:
    """None where NO_COLOR or TERM=dumb asks for none, none in a pipe."""
    words = [*CLI, "sim", "--help"]
    assert "\x1b[1;36m" in on_a_terminal(words, TERM="xterm")
    assert "\x1b[1;36m" not in on_a_terminal(words, TERM="xterm", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(words, TERM="dumb")
    assert "\x1b" not in subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_a_bar_on_a_terminal_alone() -> None:
    """Elsewhere lines, on standard error: a pipe gets the results alone."""
    code = (
        "from pyharness.progress import progress\n"
        "from pyharness.terminal import console\n"
        "with progress() as show:\n"
        "    show('work', 1, 2)\n"
        "    console.print('result')\n"
    )
    words = [sys.executable, "-c", code]
    assert "━" in on_a_terminal(words, TERM="xterm", LANG="C.UTF-8")
    assert on_a_terminal(words, TERM="dumb").split("\r\n") == ["work: 1 of 2", "result", ""]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("result\n", "work: 1 of 2\n")


def test_no_arguments_is_help() -> None:
    """Through the real entry, as a user types it."""
    done = subprocess.run(CLI, capture_output=True, text=True, check=True)
    assert "Usage: pyharness" in done.stdout
    shown = subprocess.run([*CLI, "schema", "card"], capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout)["title"] == "Card"
