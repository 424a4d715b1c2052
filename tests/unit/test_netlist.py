# SPDX-License-Identifier: BSD-3-Clause
"""Netlist text: nothing but checked names and finite numbers gets in; plain runs tell their failures."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyharness.errors import AnalogError, NetlistError, ToolNotFoundError
from pyharness.spice import Netlist, check_name, number, run_batch

HOSTILE = ["a b", "a\nb", "a;b", ".control", "$x", "{x}", "a+b", "A", "", "0a", "x" * 64, "é", "a\x00", "*a", "a.b"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "attempt",
    [
        lambda net, name: check_name(name),
        lambda net, name: net.resistor("ok", name, "0", 1.0),
        lambda net, name: net.resistor("ok", "a", name, 1.0),
        lambda net, name: net.ammeter("ok", name, "0"),
        lambda net, name: net.subcircuit("x", ("a",), name, {}),
        lambda net, name: net.subcircuit("y", ("a",), "ok", {name: 1.0}),
        lambda net, name: net.subcircuit("z", (name,), "ok", {}),
    ],
)
def test_hostile_names_are_refused(attempt: Callable[[Netlist, str], object], name: str) -> None:
    """As node, subcircuit and parameter name."""
    net = Netlist()
    with pytest.raises(NetlistError, match="must be"):
        attempt(net, name)
    assert net.lines == []


@pytest.mark.parametrize("name", [n for n in HOSTILE if n not in ("", "0a")])
def test_hostile_element_names_are_refused(name: str) -> None:
    """Behind the letter of their kind, where a digit may stand first."""
    net = Netlist()
    with pytest.raises(NetlistError, match="element name must be a lower-case identifier"):
        net.resistor(name, "a", "0", 1.0)
    assert net.lines == []


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "1\n.control"])
def test_resistances_and_capacitances_are_positive_numbers(value: Any) -> None:
    """A message with the value, for each."""
    for add in (Netlist().resistor, Netlist().capacitor):
        with pytest.raises(NetlistError, match=r"must be (above 0|a finite number).*, got"):
            add("a", "x", "0", value)


@given(st.text())
def test_an_accepted_name_is_an_identifier(name: str) -> None:
    """Whatever passes is a plain identifier."""
    try:
        check_name(name)
    except NetlistError:
        return
    assert name.isascii()
    assert name.isidentifier()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_exactly(value: float) -> None:
    """No digit is lost."""
    assert float(number(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, True])
def test_other_values_are_refused(value: object) -> None:
    """Only finite numbers."""
    with pytest.raises(NetlistError, match="must be a finite number"):
        number(value)  # type: ignore[arg-type]


def test_an_element_is_unique() -> None:
    """ngspice would silently take the last."""
    net = Netlist()
    net.resistor("a", "x", "0", 1.0)
    with pytest.raises(NetlistError, match="'ra' is in the netlist twice"):
        net.resistor("a", "y", "0", 1.0)


def test_a_comment_stays_on_its_line() -> None:
    """Line breaks in text become marks."""
    net = Netlist()
    net.comment("x\n.control\nshell touch y")
    assert net.lines == ["* x?.control?shell touch y"]


@pytest.mark.parametrize(
    "line",
    [
        ".control",
        " .include /etc/passwd",
        ".CONTROL",
        "\t.end",
        ".lib x",
        ".save all",
        ".tran 1u 1m",
        "r1 a 0 1\r2",
        "r1 a\x0bb 1",
    ],
)
def test_a_block_holds_subcircuits_only(line: str) -> None:
    """Generated text brings no command in, nor a character that a reader may take for a line break."""
    net = Netlist()
    with pytest.raises(NetlistError, match=r"lines only|must be printable ASCII"):
        net.block(f".subckt a b c\n{line}\n.ends a")


def test_a_comment_of_a_block_is_no_command() -> None:
    """ngspice runs what follows ``*#``."""
    net = Netlist()
    net.block("*#shell touch y\n*ng_script\n* f\u00e9")
    assert net.lines == ["* #shell touch y", "* ng_script", "* f?"]


def test_a_run_gives_vectors() -> None:
    """A divider."""
    found = run_batch(["v1 a 0 3", "r1 a b 1k", "r2 b 0 2k"], ".tran 1u 10u").vectors
    assert found["v(b)"][-1] == pytest.approx(2.0, rel=1e-9)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["v1 a 0 1", "r1 a 0 1k bogus=1"], "unknown parameter"),
        (["v1 a 0 1", "x1 a nosuch"], "unknown subckt"),
        (["v1 a 0 1", "v2 a 0 2"], "singular matrix"),
        (["v1 a 0 1", "m1 too 0"], "m1 too 0\n.*could not find a valid modelname"),
        (
            ["v1 a 0 pwl(0 0 10u 1)", "r1 a b 1", "b1 b 0 i = (time > 5u) ? ((v(b) > 0.2) ? 1e6 : -1e9) : 0"],
            r"Timestep too small; time = [45]\.?\d*e-06",
        ),
    ],
)
def test_failures_are_told(lines: list[str], message: str) -> None:
    """With ngspice's own words."""
    with pytest.raises(AnalogError, match=message):
        run_batch(lines, ".tran 1u 10u")


def test_a_vector_that_is_not_there_is_told() -> None:
    """ngspice itself leaves it out and says nothing."""
    with pytest.raises(AnalogError, match=r"ngspice saved no v\(nosuch\); it has time, v\(a\)"):
        run_batch(["v1 a 0 1", "r1 a 0 1"], ".tran 1u 10u", save=["v(a)", "v(nosuch)"])


def test_an_endless_run_is_ended() -> None:
    """With the limit in the message."""
    with pytest.raises(AnalogError, match=r"did not finish within 0\.5 s"):
        run_batch(["v1 a 0 sin(0 1 1g)", "r1 a 0 1"], ".tran 1p 1 0 1p", save=["v(a)"], timeout_s=0.5)


def test_start_up_files_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's ``.spiceinit`` could change tolerances or run commands: it is not read."""
    (tmp_path / ".spiceinit").write_text(f"shell touch {tmp_path}/read\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run_batch(["v1 a 0 1", "r1 a 0 1"], ".tran 1u 10u")
    assert not (tmp_path / "read").exists()
    # the file would have run: ngspice without -n reads it
    subprocess.run(["ngspice", "-b", "/dev/null"], cwd=tmp_path, capture_output=True, check=False)
    assert (tmp_path / "read").exists()


def test_a_missing_ngspice_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolNotFoundError, match="apt-get install ngspice"):
        run_batch(["v1 a 0 1"], ".tran 1u 10u")
