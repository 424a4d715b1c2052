# SPDX-License-Identifier: BSD-3-Clause
"""The quality suite: every shipped model and card passes, and a model with a fault fails the check that is there for it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pyharness.cli import commands
from pyharness.errors import ConfigError, SimulationError, VerilogAError
from pyharness.qa import circuits, equations, form, run_suite, shipped_subjects, subject_of, write_table


@pytest.mark.parametrize("name", shipped_subjects())
def test_shipped_models_pass(name: str) -> None:
    """Every check of every card, and of every model without a card."""
    checks = run_suite(subject_of(name))
    assert len(checks) >= 22
    assert [f"{c.name}: {c.value:.3g} > {c.limit:.3g} {c.unit}" for c in checks if not c.passed] == []


SOUND = """// SPDX-License-Identifier: BSD-3-Clause
// dut 1.0.0: a model without faults.  Port order: p sets.
`include "disciplines.vams"
module dut(p, n);
    inout p, n; electrical p, n, n_x;
    (* desc="Start", units="", type="instance" *) parameter real x0 = 0.0 from [0:1];
    (* desc="Conductance, off", units="S" *) parameter real g_off = 1e-5 from (0:inf);
    real v, x, rate, i;
    analog begin
        v = V(p, n); x = x0 + V(n_x);
        rate = 100 * (0.5 * (1 + tanh(40 * (v - 0.3))) * (1 - x) - 0.5 * (1 - tanh(40 * (v + 0.3))) * x);
        i = v * (g_off + 1e-3 * x);
        if (analysis("static")) I(n_x) <+ 1u * V(n_x); else I(n_x) <+ -1e-8 * rate;
        I(n_x) <+ 1e-8 * ddt(V(n_x));
        I(p, n) <+ i;
    end
endmodule
"""


def broken(tmp_path: Path, old: str, new: str):
    """The sound model with one text replaced; ``new`` may hold ``|old|new`` of a second one."""
    new, *second = new.split("|")
    assert old in SOUND
    text = SOUND.replace(old, new)
    path = tmp_path / "dut.va"
    path.write_text(text.replace(*second) if second else text)
    return subject_of(str(path))


def test_a_sound_model_passes(tmp_path: Path) -> None:
    """The model that the faults are put into."""
    checks = run_suite(broken(tmp_path, "real v", "real v"))
    assert [c.name for c in checks if not c.passed] == []


@pytest.mark.parametrize(
    ("check", "old", "new"),
    [
        (equations.zero_current, "i = v *", "i = 1n + v *"),
        (equations.passivity, "i = v *", "i = -1m * tanh(v) + v *"),
        (equations.bounds, "* (1 - x)", "* (1.1 - x)"),
        (equations.hold, "tanh(40 * (v + 0.3))", "tanh(4 * (v + 0.3))"),
        (equations.read_disturb, "tanh(40 * (v - 0.3))", "tanh(40 * (v - 0.15))"),
        (equations.temperature, "i = v *", "i = sqrt($temperature - 220) * v *"),
        (circuits.bounds_in_circuit, "rate = 100 * (", "rate = 100 * (0.2 * v + "),
        (equations.smooth, "i = v *", "i = abs(v) * v / max(abs(v), 1e-12) * "),
        (equations.smooth, "i = v *", "i = max(v, 1.5 * v - 0.2) *"),
        (equations.smooth, "rate = 100 * (", "rate = 100 * (max(x - 0.35, 0) * (1 - x) * x + "),
        (circuits.cold_start, "I(n_x) <+ 1u * V(n_x);", "I(n_x) <+ 1u * V(n_x) - 0.5u;"),
        (form.language, '`include "disciplines.vams"', ""),
        (form.language, "inout p, n;", "inout p;"),
        (form.language, "i = v *", "i = `M_PI * v *"),
        (form.source_form, "// dut 1.0.0", "// dut"),
        (form.source_form, "// SPDX-License-Identifier: BSD-3-Clause", "// mine"),
        (form.source_form, "Port order: p sets.", ""),
        (form.source_form, "    real v", "\treal v"),
        (form.documented, 'desc="Start", ', ""),
        (form.documented, ', units="S"', ""),
        (form.documented, ', type="instance"', ""),
        (form.ranges, " from (0:inf)", ""),
        (form.ranges, "from (0:inf)", "from (0:inf]"),
        (form.ranges, "tanh(40 * (v - 0.3))", "tanh(4e-4 * (v - 0.3) / g_off)|from (0:inf)|from [0:inf)"),
    ],
)
def test_each_fault_is_found(tmp_path: Path, check, old: str, new: str) -> None:
    """A bench that must fail, for the reason that its check names."""
    assert check(broken(tmp_path, "real v", "real v")).passed
    assert not check(broken(tmp_path, old, new)).passed


def test_faults_of_the_language_have_places(tmp_path: Path) -> None:
    """What the headers define, and directions in the port list, are none; a name's first use is told once."""
    for header in ("disciplines.vams", "disciplines.h"):
        sound = broken(tmp_path, "module dut(p, n);\n    inout p, n;", "module dut(inout p, n);\n    inout n;")
        sound.module.source.write_text(sound.module.source.read_text().replace("disciplines.vams", header))
        assert form.language(subject_of(str(sound.module.source))).passed
    constants = broken(
        tmp_path,
        '`include "disciplines.vams"',
        '`include "disciplines.vams"\n`include "constants.vams"|i = v|i = `M_PI * v',
    )
    own = broken(tmp_path, "module dut", "`define M_PI 3.0\nmodule dut|i = v|i = `M_PI * v")
    assert form.language(constants).passed and form.language(own).passed
    faults = broken(tmp_path, '`include "disciplines.vams"', "|i = v|i = `M_PI * `M_PI * v").module.illegal
    assert faults == (
        'dut.va:12:13: macro `M_PI is used but not defined: write `include "constants.vams" before it',
        "dut.va:5:17: discipline 'electrical' is used but not declared: write `include \"disciplines.vams\" before the module",
    )
    assert broken(tmp_path, "inout p, n;", "inout p;").module.illegal == (
        "dut.va:4:15: port 'n' has no direction: write 'inout n;'",
    )


UGLY = {
    "// SPDX-License-Identifier: BSD-3-Clause": "//",
    "// dut 1.0.0:": "//",
    "Port order: p sets.": "",
    ', type="instance"': "",
}


@pytest.mark.parametrize("command", ["lint", "qa"])
def test_form_alone_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    """Remarks quote what to write and leave the status at 0; --strict makes faults of them."""
    monkeypatch.setattr("pyharness.qa.suite._CHECKS", [*form.FORM, equations.zero_current])
    text, out = SOUND, ["--out", str(tmp_path / "out")] if command == "qa" else []
    for old, new in UGLY.items():
        text = text.replace(old, new)
    (tmp_path / "dut.va").write_text(text)
    commands([command, str(tmp_path / "dut.va"), *out], standalone_mode=False)
    told = " ".join("".join(capfd.readouterr()).replace("│", " ").split())
    if command == "lint":
        for example in (
            "'// dut 1.0.0: what it models'",
            "'// SPDX-License-Identifier: BSD-3-Clause'",
            "'// Port order: p is the SET",
            '(* desc="Start state", units="", type="instance" *)',
        ):
            assert example in told
        assert told.count("dut.va: remark, ") == 2
    else:
        assert "remark" in told and "FAILED" not in told
    with pytest.raises(VerilogAError if command == "lint" else SimulationError, match="source form"):
        commands([command, str(tmp_path / "dut.va"), *out, "--strict"], standalone_mode=False)
    (tmp_path / "dut.va").write_text(text.replace("inout p, n;", "inout p;"))
    with pytest.raises(VerilogAError if command == "lint" else SimulationError, match="language"):
        commands([command, str(tmp_path / "dut.va"), *out], standalone_mode=False)


def test_what_does_not_converge_fails_and_says_so(tmp_path: Path) -> None:
    """A current that jumps has no operating point for some sources: the checks in circuits fail with ngspice's words."""
    checks = {c.name: c for c in run_suite(broken(tmp_path, "i = v *", "i = (v > 0.05 ? 10 * v : 0.1 * v - 1) *"))}
    assert not checks["array converges"].passed and "ngspice" in checks["array converges"].meaning
    assert not checks["smooth"].passed


def test_loops_that_are_none_are_found(tmp_path: Path) -> None:
    """A source in the state opens the loop off the origin; a state that follows at once keeps its loop at 1 MHz."""
    open_loop = broken(tmp_path, "i = v *", "i = 2e-4 * x + v *")
    assert [c.passed for c in circuits.pinched_loop(open_loop)] == [False, True]
    lasting = broken(tmp_path, "rate = 100 *", "rate = 1e9 *")
    assert [c.passed for c in circuits.pinched_loop(lasting)] == [True, False]


def test_too_loose_options_are_found() -> None:
    """The state's error depends on the options: at ngspice's own it is over the limit."""
    assert not circuits.state_per_pulse(subject_of("yakopcic"), "reltol=1e-3 trtol=7").passed


def test_pulses_that_move_nothing_are_no_check() -> None:
    """A SET below the threshold, a RESET that takes nothing back: the checks by pulses fail and say what to give."""
    for given, words in (
        ({"set_v": 0.1}, r"SET pulses of 0\.1 V .* leave states of .*: give an amplitude"),
        ({"reset_v": -0.001}, r"RESET pulses from -0\.001 to -0\.00477 V, .* take the state of 0\.9.* back to .* only"),
    ):
        checks = {c.name: c for c in run_suite(replace(subject_of("vteam"), **given))}
        assert not checks["state per pulse"].passed and not checks["methods"].passed
        assert re.search(words, checks["state per pulse"].meaning), checks["state per pulse"].meaning


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    """The suite is for two ports and one state."""
    path = tmp_path / "r.va"
    path.write_text("module r(p, n); inout p, n; electrical p, n; analog I(p, n) <+ V(p, n); endmodule\n")
    with pytest.raises(
        ConfigError,
        match=r"models of two ports with one state node and a parameter x0.*r\.va:1:1: module 'r' has no parameter 'x0'",
    ):
        subject_of(str(path))
    with pytest.raises(ConfigError, match="no device card 'unobtainium'"):
        subject_of("unobtainium")


def test_command_prints_and_writes(tmp_path: Path) -> None:
    """`pyharness qa` on a faulty model: a table, a file, a message, status 1."""
    path = tmp_path / "dut.va"
    path.write_text(SOUND.replace("i = v *", "i = 1n + v *"))
    done = CliRunner().invoke(commands, ["qa", str(path), "--out", str(tmp_path / "out")])
    assert "zero current at 0 V" in done.output and "FAILED" in done.output
    assert done.exit_code == 1 and "checks failed: dut, default: zero current at 0 V" in str(done.exception)
    rows = json.loads((tmp_path / "out" / "dut.json").read_text())["cards"]["default"]
    assert {r["check"]: r["passed"] for r in rows}["zero current at 0 V"] is False
    assert write_table([], tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--series-ohm", "-5"),
            r"vteam, default: --series-ohm must lie in \(0:inf\) Ohm, got -5\.0: give a value inside",
        ),
        (("--series-ohm", "0"), r"--series-ohm must lie in .*, got 0\.0"),
        (("--pulse-s", "0"), r"--pulse-s must lie in \(5e-06:inf\) s, got 0\.0"),
        (("--rated-v", "nan"), r"--rated-v must lie in \(0:inf\) V, got nan"),
        (("--set-v", "-1"), r"--set-v must lie in .*, got -1\.0"),
        (("--set-v", "inf"), r"--set-v must lie in .*, got inf"),
        (("--reset-v", "1"), r"--reset-v must lie in \(-inf:0\) V, got 1\.0"),
        (("--out", "FILE/x"), r"--out FILE/x: cannot write 'FILE(/x)?': (it is not a folder|Not a directory)"),
        (("--out", "FILE"), r"--out FILE: cannot write 'FILE': it is not a folder"),
        (("--out", "/proc/q"), r"--out /proc/q: cannot write '/proc/q': No such file"),
        (("--out", "/proc"), r"--out /proc: cannot write '/proc"),
    ],
)
def test_nonsense_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    """Drives that no device sees, folders that cannot be written: no check is begun."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyharness.qa.suite._CHECKS", [lambda _: pytest.fail("begun")])
    Path("FILE").write_text("mine")
    done = CliRunner().invoke(commands, ["qa", "vteam", *arguments])
    with pytest.raises(ConfigError, match=message):
        raise done.exception or AssertionError(done.output)
    assert [p.name for p in tmp_path.iterdir()] == ["FILE"]


def test_a_table_that_cannot_be_written_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the way of the file is told, after the table."""
    monkeypatch.setattr("pyharness.qa.suite._CHECKS", [form.source_form])
    (tmp_path / "vteam.json").mkdir()
    done = CliRunner().invoke(commands, ["qa", "vteam", "--out", str(tmp_path)])
    assert isinstance(done.exception, ConfigError) and "vteam.json': Is a directory" in str(done.exception)
    assert "source form" in done.output


@pytest.mark.parametrize(
    ("given", "start"), [("= 0.0 from [0:1]", 0), ("= 0.1 from (0:1)", 1e-4), ("= 0.5 from [0.2:1)", 0.2), ("= 0.5", 0)]
)
def test_the_start_keeps_its_range(tmp_path: Path, given: str, start: float) -> None:
    """Pulses begin at the lower end of the start's range, a little inside where it is open; the state itself is 0 .. 1."""
    subject = broken(tmp_path, "= 0.0 from [0:1]", given)
    assert subject.start(0.0) == pytest.approx(start) and subject.start(0.6) == 0.6
    assert equations.bounds(subject).passed and equations.jacobian(subject).passed


def test_a_model_with_an_open_range_passes(tmp_path: Path) -> None:
    """Its pulses begin inside the range."""
    subject = broken(tmp_path, "= 0.0 from [0:1]", "= 0.1 from (0:1)")
    assert [x0 for _, x0, _ in subject.pulses][:2] == pytest.approx([1e-4, 1e-4])
    assert circuits.state_per_pulse(subject).passed and circuits.cold_start(subject).passed


def test_a_model_of_another_form_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A capacitor in parallel has no current as a function of voltage and state: told once, before any check."""
    monkeypatch.setattr("pyharness.qa.suite._CHECKS", [lambda _: pytest.fail("begun")])
    path = tmp_path / "dut.va"
    path.write_text(
        SOUND.replace("I(p, n) <+ i;", "I(p, n) <+ i + ddt(1p * V(p, n)); // \N{OHM SIGN}"), encoding="utf-8"
    )
    done = CliRunner().invoke(commands, ["qa", str(path), "vteam", "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, ConfigError)
    assert re.search(r"a parameter x0, its start: dut\.va:15:9: .*leave ddt\(\) out of the branch", str(done.exception))
    assert not (tmp_path / "out").exists()
