# SPDX-License-Identifier: BSD-3-Clause
"""`pyharness compile`: which target is written where, and what is refused."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pyharness import cli
from pyharness.errors import ConfigError
from pyharness.resources import model_dir
from pyharness.veriloga import compile_numpy, device_model, emit_ngspice, load_device

MODEL = str(model_dir() / "vteam" / "vteam.va")


def compiled(*arguments: str) -> Result:
    return CliRunner().invoke(cli.commands, ["compile", MODEL, *arguments])


@pytest.fixture(params=[False, True], ids=["no OSDI", "OSDI"])
def ngspice(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """An ngspice without and one with OSDI."""
    monkeypatch.setattr("pyharness.spice.ngspice_has_osdi", lambda: request.param)
    return bool(request.param)


@pytest.mark.parametrize(
    ("ending", "begin"),
    [(".osdi", b"\x7fELF"), (".py", b'"""Module vteam of'), (".sub", b"* vteam: module"), (".cir", b"* vteam: module")],
)
def test_the_ending_chooses(tmp_path: Path, ngspice: bool, ending: str, begin: bytes) -> None:
    """Whatever the ngspice at hand loads."""
    out = tmp_path / "new folder" / f"x{ending}"
    assert compiled("-o", str(out)).exit_code == 0
    assert out.read_bytes().startswith(begin)


def test_without_an_ending_the_ngspice_at_hand_chooses(tmp_path: Path, ngspice: bool) -> None:
    """A library where one is loaded, unless values are to be put in; text on standard output."""
    compiled("-o", str(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes().startswith(b"\x7fELF") is ngspice
    compiled("-o", str(tmp_path / "y"), "--param", "r_on=500")
    assert (tmp_path / "y").read_bytes().startswith(b"* vteam")
    assert ".subckt vteam p n x0=0.0" in compiled().output


def test_the_target_can_be_named(tmp_path: Path) -> None:
    """`--target` overrides the ending; the NumPy text is a module that runs."""
    assert compiled("--target", "numpy", "-o", str(tmp_path / "x.sub")).exit_code == 0
    scope: dict[str, object] = {}
    exec((tmp_path / "x.sub").read_text(), scope)
    assert scope["current"](0.1, 0.5)[0] == pytest.approx(0.1 / (0.5 * (1470.1 + 203515.2)), rel=1e-12)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "osdi"), "an OSDI library is no text: give -o FILE"),
        (("--target", "osdi", "-o", "x", "--param", "r_on=500"), "have no place in an OSDI library"),
        (("--param", "r_on=many"), "--param takes NAME=NUMBER, got 'r_on=many'"),
        (("--param", "r_on=-1"), r"parameter 'r_on' must lie in \(0:inf\) Ohm, got -1"),
        (
            ("--param", "r_on=500", "--param", "r_on=600"),
            "sets 'r_on' once only, got 500.0 and then 'r_on=600': keep one",
        ),
        (("--param", "rn=1"), "no parameter 'rn' to set; it has r_on, r_off"),
        (("--instance", "rn"), "no parameter 'rn' to leave free"),
        (("-o", MODEL), "exists: give another name, or --force"),
    ],
)
def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str) -> None:
    """One message; nothing is written."""
    monkeypatch.chdir(tmp_path)
    done = compiled(*arguments)
    assert isinstance(done.exception, ConfigError | ValueError)
    with pytest.raises(type(done.exception), match=message):
        raise done.exception
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "target", "reason"),
    [
        ("/proc/x.py", "numpy", "cannot write '/proc/x.py': No such file or directory: name a place"),
        ("FILE/x.py", "numpy", "cannot write 'FILE': it is not a folder"),
        ("FILE/new/x.py", "numpy", "cannot write 'FILE/new': Not a directory"),
        ("DIR", "numpy", "cannot write 'DIR': Is a directory"),
        ("/dev/full", "ngspice", "cannot write '/dev/full': No space left on device"),
        ("FILE/x.osdi", "osdi", "cannot write 'FILE': it is not a folder"),
        ("DIR", "osdi", "-o DIR: an OSDI library replaces a file only"),
        ("PIPE", "osdi", "-o PIPE: an OSDI library replaces a file only"),
    ],
)
def test_what_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, target: str, reason: str
) -> None:
    """Path and reason in one message, for every target; a pipe or a folder stays what it is."""
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_text("mine")
    Path("DIR").mkdir()
    os.mkfifo("PIPE")
    done = compiled("-o", place, "--target", target, "--force")
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith(f"-o {place}: ") and reason in str(done.exception)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["DIR", "FILE", "PIPE"]
    assert Path("FILE").read_text() == "mine" and Path("PIPE").is_fifo()


@pytest.mark.parametrize(
    ("marked", "arguments", "told"),
    [
        ("", (), "put in as numbers, which ngspice ignores on an instance line without a word: r_on, x0; --instance x0 leaves x0 free"),
        ('(* type="instance" *)', (), "without a word: r_on; --instance x0 --instance r_on leaves r_on free"),
        ("", ("--instance", "x0"), ""),
        ("", ("--param", "r_on=5", "--param", "x0=0.1"), ""),
        ("", ("--target", "numpy"), ""),
    ],
)  # fmt: skip
def test_what_is_put_in_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], marked: str, arguments: tuple[str, ...], told: str
) -> None:
    """ngspice takes x0=0.8 on an instance line whether the subcircuit has it or not: what has no effect there is said, in one line."""
    source = tmp_path / "lid.va"
    source.write_text(
        f"""`include "disciplines.vams"
module lid(p, n);
    inout p, n; electrical p, n;
    parameter real r_on = 1; {marked} parameter real x0 = 0; localparam real k = 2;
    analog I(p, n) <+ V(p, n) / (r_on + k * x0);
endmodule
"""
    )
    cli.commands(["compile", str(source), "-o", str(tmp_path / "lid.sub"), *arguments], standalone_mode=False)
    out, errors = capfd.readouterr()
    assert out == f"written: {tmp_path / 'lid.sub'} (target {'numpy' if 'numpy' in arguments else 'ngspice'})\n"
    assert told in errors and errors.count("\n") == bool(told)


@pytest.mark.parametrize("target", ["ngspice", "numpy", "verilog"])
def test_a_card_gives_its_values(tmp_path: Path, target: str) -> None:
    """By its name or its file, for every target; --param goes before."""
    device = load_device("chromium")
    module, values = device.module, device.card.parameters
    wanted = {
        "ngspice": emit_ngspice(module, name="chromium", parameters=values, instance_parameters=("x0",)).text + "\n",
        "numpy": compile_numpy(module, values, ("x0",)).source,
        "verilog": device_model("chromium"),
    }
    for model in ("chromium", str(model_dir() / "msdc" / "cards" / "chromium.yaml")):
        out = tmp_path / "out"
        done = CliRunner().invoke(cli.commands, ["compile", model, "-o", str(out), "--target", target, "--force"])
        assert done.exit_code == 0, done.output
        assert out.read_text() == wanted[target]
    changed = ["compile", "chromium", "--target", "ngspice", "--param", "r_on=500", "--name", "mine"]
    text = emit_ngspice(module, name="mine", parameters={**values, "r_on": 500}, instance_parameters=("x0",)).text
    assert text in CliRunner().invoke(cli.commands, changed).output


def test_a_library_takes_a_cards_values_on_the_model_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It has the model alone: the line is told."""
    cli.commands(["compile", "chromium", "-o", str(tmp_path / "c.osdi")], standalone_mode=False)
    assert "the card is the line .model chromium msdc r_on=1198.0 r_off=" in capfd.readouterr().err
    assert (tmp_path / "c.osdi").read_bytes().startswith(b"\x7fELF")


def test_a_shipped_model_by_its_name() -> None:
    """As its file."""
    named = CliRunner().invoke(cli.commands, ["compile", "vteam", "--target", "ngspice"]).output
    assert named == compiled("--target", "ngspice").output


@pytest.mark.parametrize("target", ["numpy", "ngspice"])
def test_what_a_target_leaves_out_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str], target: str) -> None:
    """Messages, noise and operating-point variables, on standard error."""
    source = tmp_path / "talk.va"
    source.write_text(
        """`include "disciplines.vams"
module talk(p, n);
    inout p, n; electrical p, n;
    (* desc="Power" *) real power;
    analog begin
        $strobe("here");
        power = V(p, n) * V(p, n);
        I(p, n) <+ V(p, n) + white_noise(1e-20, "hum");
    end
endmodule
"""
    )
    cli.commands(["compile", str(source), "--target", target], standalone_mode=False)
    told = capfd.readouterr().err
    assert "put in as numbers" not in told
    assert told.count(f"pyharness: not in the {target} target: talk.va") == 3
    assert "$strobe" in told and "noise source 'hum'" in told and "operating-point variable 'power'" in told
