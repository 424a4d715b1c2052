# SPDX-License-Identifier: BSD-3-Clause
"""`pyharness compile`: which target is written where, and what is refused."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pyharness import cli
from pyharness.errors import ConfigError
from pyharness.resources import model_dir

MODEL = str(model_dir() / "vteam" / "vteam.va")


def compiled(*arguments: str) -> Result:
    return CliRunner().invoke(cli._typer, ["compile", MODEL, *arguments])


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
