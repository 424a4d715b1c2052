# SPDX-License-Identifier: BSD-3-Clause
"""Functions in Verilog against the NumPy target, for every shipped model and card, and over what the language offers."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from pyharness import cli
from pyharness.errors import ConfigError, VerilogAError
from pyharness.resources import hdl_dir, model_dir
from pyharness.veriloga import NumpyModel, compile_numpy, emit_verilog, load_device, load_module
from pyharness.veriloga.module import Module
from pyharness.veriloga.verilog_target import device_model, free_parameters, write_cycles, write_devices

NEEDS = ("iverilog",)
CARDS = sorted(p.stem for p in model_dir().glob("*/cards/*.yaml"))
MODELS = sorted(p.stem for p in model_dir().glob("*/*.va"))
SUFFIXES = ("current", "rate", "current_v", "current_s", "rate_v", "rate_s")
HEAD = '`include "disciplines.vams"\nmodule dut(p, n);\n    inout p, n; electrical p, n, m;\n'
# every function and operator in a device of two ports with a state
LANGUAGE = (
    HEAD
    + """    parameter real x0 = 0.0 from [0:1];
    parameter real g = 1.0e-3 from (0:inf);
    real a, b, x;
    analog begin
        a = V(p, n);
        x = x0 + V(m);
        b = 0;
        if (a >= 0.2 && a != 0.5 || !(a < 1)) b = b + 5; else b = b - 5;
        b = b + (a > 0) * 3 + ((a > -0.3) && x);
        b = b + (a > 0 ? exp(a) : -a) + pow(a * a, 1.5) + hypot(a, 1) + atan2(a, -2) + min(a, 0.1) * max(a, 0.2);
        b = b + ln(1 + a * a) + log(2 + a) + sqrt(a * a + 1) + abs(a) + floor(a) + ceil(a) + sin(a) + cos(a) + tan(a);
        b = b + asin(a / 4) + acos(a / 4) + atan(a) + sinh(a) + cosh(a) + tanh(a) + asinh(a) + acosh(2 + a) + atanh(a / 4);
        I(p, n) <+ g * b * x + g * limexp(100 * a) + g * -a ** 2 + a % 0.3 + g * $vt;
        I(m) <+ 1m * ddt(V(m)) - b * x + limexp(-80 * a) * (1 - x);
    end
endmodule
"""
)


def in_verilog(
    folder: Path, text: str, calls: Sequence[str], rows: NDArray[np.float64], first: str = ""
) -> NDArray[np.float64]:
    """Return ``calls``, expressions of a[0], a[1] .., for each row of numbers, after the statements ``first``.

    Numbers go bit by bit both ways.
    """
    (folder / "functions.vh").write_text(text)
    (folder / "in.hex").write_text("\n".join(f"{word:016x}" for word in rows.view(np.uint64).ravel()))
    show = "\n".join(f'$display("%h", $realtobits({call}));' for call in calls)
    (folder / "bench.v").write_text(
        f"""module bench;
    reg [63:0] words [0:{rows.size - 1}];
    real a [0:{rows.shape[1] - 1}];
    integer i, k;
`include "functions.vh"
    initial begin
        $readmemh("in.hex", words);
        for (i = 0; i < {rows.shape[0]}; i = i + 1) begin
            for (k = 0; k < {rows.shape[1]}; k = k + 1) a[k] = $bitstoreal(words[i * {rows.shape[1]} + k]);
            {first}
            {show}
        end
    end
endmodule
"""
    )
    command = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "bench", "bench.v"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    done = subprocess.run(["vvp", "-n", "bench"], cwd=folder, capture_output=True, text=True, check=True)
    words = np.array([int(line, 16) for line in done.stdout.split()], np.uint64)
    return words.view(np.float64).reshape(rows.shape[0], len(calls))


def in_numpy(model: NumpyModel, free: Sequence[str], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return current, rate and their slopes, a column each."""
    v, s, *rest = rows.T
    given = dict(zip(free, rest, strict=True))
    jacobian = model.jacobian(v, s, **given)
    return np.array(
        [model.current(v, s, **given), model.rate(v, s, **given), *np.broadcast_to(jacobian, (2, 2, len(v))).reshape(4, -1)]
    ).T  # fmt: skip


def close(found: NDArray[np.float64], expected: NDArray[np.float64]) -> None:
    """To 1e-12; what is left of 1 - tanh() carries the last bits of tanh(), in which libm and NumPy differ."""
    assert np.isfinite(expected).all()
    for column in range(expected.shape[1]):
        scale = np.abs(expected[:, column]).max()
        np.testing.assert_allclose(found[:, column], expected[:, column], rtol=1e-12, atol=2e-15 * scale)


def points(module: Module, parameters: Mapping[str, float], free: Sequence[str], count: int) -> NDArray[np.float64]:
    """Return rows of voltage, state and free parameters about their values; x0 and the state add up to 0 .. 1."""
    rng = np.random.default_rng(5)
    values = module.check_parameters(dict(parameters))
    fraction = rng.uniform(0, 1, count)
    fraction[:8] = [0, 1] * 4
    x0 = rng.uniform(0, 1, count) * (rng.random(count) < 0.5)
    voltage = rng.uniform(-1.5, 1.5, count)
    voltage[:4] = 0
    others = [values[name] * rng.uniform(0.8, 1.25, count) for name in free if name != "x0"]
    return np.array([voltage, fraction - x0, x0, *others]).T.copy()


def subjects() -> list[tuple[str, Module, dict[str, float], dict[str, str]]]:
    found = []
    for name in CARDS:
        device = load_device(name)
        found.append((name, device.module, dict(device.card.parameters), free_parameters(device)))
    for name in MODELS:
        module = load_module(model_dir() / name / f"{name}.va")
        some = [n for n in ("r_on", "r_off", "v_on", "v_off", "a1", "vp", "vn", "ap") if n in module.parameters]
        found.append((f"{name} by default", module, {}, dict.fromkeys(some, "*")))
    return found


@pytest.mark.parametrize("subject", subjects(), ids=lambda s: s[0])
def test_functions_equal_numpy(tmp_path: Path, subject: tuple[str, Module, dict[str, float], dict[str, str]]) -> None:
    """Current, rate and slopes, at random voltages, states and free parameters; functions, and the array's task."""
    _, module, parameters, scatter = subject
    free = ("x0", *scatter)
    rows = points(module, parameters, free, 300)
    text = emit_verilog(module, parameters, free, scatter=scatter)
    arguments = ", ".join(f"a[{k}]" for k in range(rows.shape[1]))
    found = in_verilog(tmp_path, text, [f"device_{s}({arguments})" for s in SUFFIXES], rows)
    model = compile_numpy(module, parameters, free)
    close(found, in_numpy(model, free, rows))
    # the array's form: the state in x0
    rows[:, 2] = np.clip(rows[:, 1] + rows[:, 2], 0, 1)
    rows[:, 1] = 0
    first = " ".join(f"device_p[{k}] = a[{k + 3}];" for k in range(len(scatter))) + " device_evaluate(a[0], a[2]);"
    results = [f"device_{name}" for name in ("i", "dx", "i_v", "i_x", "dx_v", "dx_x")]
    close(in_verilog(tmp_path, text, results, rows, first), in_numpy(model, free, rows))


def test_the_language_in_verilog(tmp_path: Path) -> None:
    """Every function, conditions as numbers and numbers as conditions, limexp beyond its knee."""
    (tmp_path / "dut.va").write_text(LANGUAGE)
    module = load_module(tmp_path / "dut.va")
    rng = np.random.default_rng(6)
    rows = np.array([rng.uniform(-0.9, 0.9, 200), rng.uniform(0, 0.5, 200), rng.uniform(0, 0.5, 200)]).T.copy()
    text = emit_verilog(module, {"g": 2e-3}, temperature_k=330.0)
    found = in_verilog(tmp_path, text, [f"device_{s}(a[0], a[1], a[2])" for s in SUFFIXES], rows)
    model = compile_numpy(module, {"g": 2e-3}, ("x0",))
    v, s, x0 = rows.T
    jacobian = np.broadcast_to(model.jacobian(v, s, x0=x0, temperature=330.0), (2, 2, 200)).reshape(4, -1)
    given = {"x0": x0, "temperature": 330.0}
    expected = np.array(
        [np.broadcast_to(y, 200) for y in (model.current(v, s, **given), model.rate(v, s, **given), *jacobian)]
    ).T
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)
    assert expected[:, 0].max() > 1e27  # the knee was passed


def test_several_states(tmp_path: Path) -> None:
    """A rate for each state, a slope by each; no part for the array, which moves one state."""
    (tmp_path / "dut.va").write_text(
        HEAD
        + """    electrical k;
    analog begin
        I(p, n) <+ V(p, n) * V(m) + V(k);
        I(m) <+ ddt(V(m)) - 2 * V(k) * V(p, n);
        I(k) <+ ddt(3 * V(k)) + V(m) * V(m);
    end
endmodule
"""
    )
    text = emit_verilog(load_module(tmp_path / "dut.va"), {}, (), prefix="two")
    assert "evaluate" not in text
    calls = [
        f"two_{n}(a[0], a[1], a[2])" for n in ("current", "rate_m", "rate_k", "current_by_k", "rate_m_v", "rate_k_by_m")
    ]
    found = in_verilog(tmp_path, text, calls, np.array([[2.0, 3.0, 5.0]]))
    np.testing.assert_allclose(found, [[11, 20, -3, 1, 10, -2]], rtol=1e-15)


def test_the_shipped_file_is_up_to_date() -> None:
    """hdl/analog/device_model.vh is the chromium card's; every card says which it is."""
    assert (hdl_dir() / "analog" / "device_model.vh").read_text() == device_model("chromium")
    for name in CARDS:
        assert f"// Card {name}; written by:" in device_model(name)
    assert free_parameters(load_device("chromium")) == {"r_on": "*", "r_off": "*", "v_on": "+", "v_off": "*"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "I(p, n) <+ V(p, n);",
            r"the node 'm' must be a state, I\(m\) <\+ ddt.*; the targets ngspice and osdi take any form",
        ),
        (
            "I(p, n) <+ V(m) * $abstime; I(m) <+ ddt(V(m)) + V(m);",
            r"dut\.va:1:1: 'abstime' cannot be written for Verilog",
        ),
        ("I(p, n) <+ V(m) / (g - 1m); I(m) <+ ddt(V(m)) + V(m);", "divide by the number 0"),
    ],
)
def test_refusals(tmp_path: Path, body: str, message: str) -> None:
    """What has no form in Verilog is told with its place and a way out."""
    (tmp_path / "dut.va").write_text(
        HEAD + f"    parameter real g = 1m;\n    analog begin\n{body}\n    end\nendmodule\n"
    )
    with pytest.raises(VerilogAError, match=message):
        emit_verilog(load_module(tmp_path / "dut.va"), {}, ())
    with pytest.raises(ConfigError, match="must be a lower-case identifier, got 'Device'"):
        emit_verilog(load_module(tmp_path / "dut.va"), {}, (), prefix="Device")


def test_a_card_without_a_start_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The array moves a state by x0 alone."""
    (tmp_path / "dut").mkdir()
    (tmp_path / "dut" / "dut.va").write_text(
        HEAD + "    analog begin I(p, n) <+ V(m); I(m) <+ ddt(V(m)) + V(m); end\nendmodule\n"
    )
    (tmp_path / "bare.yaml").write_text(
        "{model: dut, dopant: none, parameters: {}, window_siemens: [1.0e-6, 1.0e-3], validity: none, source: none}"
    )
    monkeypatch.setattr("pyharness.veriloga.card.model_dir", lambda: tmp_path)
    with pytest.raises(ConfigError, match=r"card 'bare': dut\.va:1:1: module 'dut' has no parameter 'x0', by which"):
        device_model(tmp_path / "bare.yaml")


def test_tables(tmp_path: Path) -> None:
    """Columns in the include file's order, numbers to the last bit; incomplete rows are refused."""
    write_devices(tmp_path / "d", ("v_on",), [{"v_on": 0.1 + 0.2, "x0": 0.0}])
    assert (tmp_path / "d").read_text() == "x0 v_on\n0.0 0.30000000000000004\n"
    write_cycles(tmp_path / "c", {"v_on": "+", "v_off": "*"}, [(3, {"v_off": 1.5, "v_on": -0.01})])
    assert (tmp_path / "c").read_text() == "device v_on+ v_off*\n3 -0.01 1.5\n"
    with pytest.raises(ConfigError, match="device 0: a row holds a value for each of x0, v_on; got v_on"):
        write_devices(tmp_path / "d", ("v_on",), [{"v_on": 1.0}])
    with pytest.raises(ConfigError, match="pulse 0: 'v_on' must be a finite number, got nan"):
        write_cycles(tmp_path / "c", {"v_on": "+"}, [(0, {"v_on": float("nan")})])


def test_compile_command(tmp_path: Path) -> None:
    """`--target verilog`, by name or by the ending; --name is the prefix."""
    model = str(model_dir() / "vteam" / "vteam.va")
    for arguments in (["--target", "verilog"], ["-o", str(tmp_path / "x.vh")]):
        done = CliRunner().invoke(
            cli.commands, ["compile", model, "--instance", "x0", "--instance", "r_on", *arguments]
        )
        assert done.exit_code == 0
    text = (tmp_path / "x.vh").read_text()
    assert "function real device_current_v;" in text and "input real p_r_on;" in text
    done = CliRunner().invoke(
        cli.commands, ["compile", model, "--target", "verilog", "--name", "cell", "--param", "r_on=500"]
    )
    assert "task cell_evaluate;" in done.output and "r_on=500.0" in done.output


def test_compile_command_takes_a_card(tmp_path: Path) -> None:
    """The include file of the array, by the card's name; what the card says cannot be said again."""
    out = tmp_path / "new" / "device_model.vh"
    assert (
        CliRunner().invoke(cli.commands, ["compile", "tungsten", "--target", "verilog", "-o", str(out)]).exit_code == 0
    )
    assert out.read_text() == device_model("tungsten")
    again = CliRunner().invoke(cli.commands, ["compile", "tungsten", "--target", "verilog", "-o", str(out)])
    assert "exists: give another name, or --force" in str(again.exception)
    both = CliRunner().invoke(cli.commands, ["compile", "tungsten", "--target", "verilog", "--param", "r_on=1"])
    assert "a card says itself what is put in" in str(both.exception)
