# SPDX-License-Identifier: BSD-3-Clause
"""Netlist text: nothing but checked names and finite numbers gets in; plain runs tell their failures."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyharness.errors import AnalogError, NetlistError, ToolNotFoundError
from pyharness.spice import Netlist, check_name, number, run_batch

HOSTILE = ["a b", "a\nb", "a;b", ".control", "$x", "{x}", "a+b", "A", "", "0a", "x" * 64, "é", "a\x00", "*a", "a.b"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused(name: str) -> None:
    """As element, node, subcircuit and parameter name."""
    net = Netlist()
    for attempt in (
        lambda: check_name(name),
        lambda: net.resistor("ok", name, "0", 1.0),
        lambda: net.resistor(name if name else "\n", "a", "0", 1.0),
        lambda: net.subcircuit("x", ("a",), name, {}),
        lambda: net.subcircuit("y", ("a",), "ok", {name: 1.0}),
    ):
        if attempt is not None and name != "0a":
            with pytest.raises(NetlistError):
                attempt()


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
    ],
)
def test_failures_are_told(lines: list[str], message: str) -> None:
    """With ngspice's own words."""
    with pytest.raises(AnalogError, match=message):
        run_batch(lines, ".tran 1u 10u")


def test_a_missing_ngspice_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolNotFoundError, match="apt-get install ngspice"):
        run_batch(["v1 a 0 1"], ".tran 1u 10u")
