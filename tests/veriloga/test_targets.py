# SPDX-License-Identifier: BSD-3-Clause
"""One source, three targets: NumPy, OSDI library and ngspice agree, over what the language offers."""

import functools
from pathlib import Path

import numpy as np
import pytest

from pyharness.errors import NetlistError, VerilogAError
from pyharness.qa.benches import cycles, dc_sweeps, output_of
from pyharness.qa.suite import subject_of
from pyharness.spice import run_batch
from pyharness.veriloga import (
    compile_numpy,
    compile_osdi,
    emit_ngspice,
    graph,
    load_device,
    load_module,
    osdi_subcircuit,
)

HEAD = '`include "disciplines.vams"\n`include "constants.vams"\n'

# each: source, the unknowns in order, what to expect of NumPy at one point: {row: (f, q)}
CASES = {
    "operators": """module dut(p, n);
    inout p, n; electrical p, n;
    parameter real g = 1.0e-3 from (0:inf) exclude 0.5;
    parameter integer k = 7, m = -2;
    localparam real twice = 2 * g;
    aliasparam conductance = g;
    real a, b; integer i, j;
    analog begin
        a = V(p, n);
        i = k / 2;                     // 3
        j = k % 3 - k / m;             // 1 + 3 = 4
        b = i + 10 * j + 2 ** 3 + k / 2.0;  // 3 + 40 + 8 + 3.5
        i = 2.5; b = b + 100 * i;      // 300
        i = -2.5; b = b + 1000 * i;    // -3000
        if (a >= 0.2 && a != 0.5 || !(a < 1)) b = b + 5; else b = b - 5;
        b = b + (a > 0 ? exp(a) : -a) + pow(a * a, 1.5) + hypot(a, 1) + atan2(a, -2) + min(a, 0.1) * max(a, 0.2);
        b = b + ln(1 + a * a) + log(2 + a) + sqrt(a * a + 1) + abs(a) + floor(a) + ceil(a) + sin(a) + cos(a) + tan(a);
        b = b + asin(a / 4) + acos(a / 4) + atan(a) + sinh(a) + cosh(a) + tanh(a) + asinh(a) + acosh(2 + a) + atanh(a / 4);
        I(p, n) <+ twice * b + conductance * limexp(100 * a) + g * -a ** 2 + a % 0.3;
    end
endmodule""",
    "functions_case_loops": """module dut(p, n);
    inout p, n; electrical p, n;
    parameter integer kind = 2 from [0:3];
    localparam integer terms = 6;
    analog function real series;
        input x; input count; output last;
        real x, term, last; integer count, i;
        begin
            term = 1; series = 1;
            for (i = 1; i <= 6; i = i + 1) begin term = term * x / i; series = series + term; end
            last = term;
        end
    endfunction
    analog function integer parity;
        input n; integer n;
        parity = n % 2;
    endfunction
    real a, s, l, w; integer i;
    analog begin
        a = V(p, n);
        s = series(a, terms, l);
        i = 0;
        while (i < terms) begin : inner
            real square;
            square = a * i;
            s = s + square * square;
            i = i + 1;
        end
        repeat (3) s = 1.25 * s;
        case (kind)
            0, 1: w = 1;
            2: w = a;
            default: w = -1;
        endcase
        series(2 * a, 1, l);
        I(p, n) <+ 1m * (s + l + w + parity(5) + parity(terms));
    end
endmodule""",
    "charges_and_integrals": """module dut(p, n);
    inout p, n; electrical p, n, m; branch (p, n) b;
    parameter real c = 2n, l = 3u, ic = 0.25;
    real q, y;
    analog begin
        q = c * V(b) * (1 + 0.1 * V(b));
        I(b) <+ ddt(q) - 0.5 * ddt(c * V(p));
        y = idt(V(p, n) - V(m), ic);
        I(m) <+ 1m * (V(m) - y) + V(p) * ddt(1u * V(m)) + 1u * ddt(ddt(1n * V(m)));
        if (V(p) > 0) I(p) <+ ddt(1n * V(p)); else I(p) <+ 1u * V(p);
        I(m, n) <+ (c > 1n) ? ddt(c * V(m)) : 0;
    end
endmodule""",
    "potentials_and_probes": """module dut(p, n);
    inout p, n; electrical p, n, m, o; branch (m, n) coil; branch (p, o) ammeter;
    parameter real rs = 5.0, l = 1u;
    analog begin
        V(o, m) <+ rs * I(o, m) + 0.1 * tanh(I(ammeter));
        V(coil) <+ l * ddt(I(coil)) + 2 * I(coil);
        I(p, n) <+ 1m * V(p, n) + 0.5 * I(coil) * V(p, n);
        I(n, p) <+ 1u * V(n);
    end
endmodule""",
    "switch_branch": """module dut(p, n);
    inout p, n; electrical p, n, m;
    parameter real rs = 0.0 from [0:inf);
    analog begin
        if (rs > 0) I(p, m) <+ V(p, m) / rs; else V(p, m) <+ 0;
        I(m, n) <+ 1m * V(m, n);
    end
endmodule""",
    "natures": """nature Concentration units = "1"; access = Conc; abstol = 1e-9; endnature
nature Rate; units = "1/s"; access = Flow; abstol = 1e-9; endnature
discipline chemical potential Concentration; flow Rate; enddiscipline
module dut(inout electrical p, inout electrical n);
    chemical c; thermal t; ground gnd;
    parameter real x0 = 0.5;
    analog begin
        Flow(c) <+ ddt(Conc(c)) - V(p, n) + Conc(c);
        Pwr(t) <+ 1m * Temp(t) - V(p, n) * V(p, n);
        I(p, n) <+ 1m * V(p, n) * (x0 + Conc(c)) * (1 + 0.1 * Temp(t)) + 1u * V(p, gnd);
    end
endmodule""",
    "system_functions": """`define TERM(x, y) ((x) * \\
    (y))
module dut(p, n);
    inout p, n; electrical p, n;
    parameter real r = 1k, s = 2.0;
    real g, d; real scale = 3;
    (* desc="Power", units="W" *) real power;
    analog begin
        @(initial_step) g = 1 / r;
        d = ddx(pow(V(p), 3) * V(n), V(p));
        I(p, n) <+ `TERM(g,
            V(p, n)) + 1m * $vt + 1u * $vt(400) + 1n * $temperature + 1u * scale + d * 1u + $limit(V(p), "pnjlim", 1, 1) * 1u;
        if ($param_given(s)) I(p, n) <+ 1.0; else I(p, n) <+ 2.0;
        I(p, n) <+ 1m * $abstime + $simparam("gmin") * V(p, n) + $simparam("nothing", 1u) * $port_connected(p);
        I(p, n) <+ white_noise(4 * `P_K * $temperature * g, "thermal") + flicker_noise(1e-18 * V(p, n), 1.2, "flicker");
        if (analysis("static")) I(p, n) <+ 5; else I(p, n) <+ 7;
        if (analysis("tran", "dc")) I(p, n) <+ 11;
        $bound_step(1u / (1 + abs(V(p, n))));
        power = V(p, n) * V(p, n) * g;
    end
endmodule""",
}


def write(folder: Path, name: str):
    path = folder / "dut.va"
    path.write_text(HEAD + CASES[name] + "\n")
    return load_module(path)


@pytest.mark.parametrize("name", CASES)
def test_osdi_library_agrees_with_numpy(tmp_path: Path, osdi_device, name: str) -> None:
    """Residuals and Jacobian of the compiled library equal NumPy's to rounding, at random points."""
    module = write(tmp_path, name)
    model = compile_numpy(module, {})
    device = osdi_device(compile_osdi(module, tmp_path / "dut.osdi"))
    assert device.errors == []
    assert [n.removeprefix("flow(").removesuffix(")") for n in device.names] == list(model.system.names)
    rng = np.random.default_rng(1)
    for _ in range(50):
        x = rng.uniform(-0.9, 0.9, len(model.system.names))
        f, q = model.residuals(x, abstime=1.0)
        df, dq = model.jacobians(x, abstime=1.0)
        for mine, theirs in zip((f, q, df, dq), device.evaluate(x), strict=True):
            # libm and NumPy differ by an ulp per call; limexp(100 a) reaches 1e39, hence relative
            np.testing.assert_allclose(theirs, mine, rtol=1e-12, atol=1e-15 * max(1, np.abs(mine).max()))


@pytest.mark.parametrize("name", CASES)
def test_jacobian_is_the_derivative(tmp_path: Path, name: str) -> None:
    """Central differences of the residuals; points keep away from the steps of floor(), ceil() and conditions."""
    model = compile_numpy(write(tmp_path, name), {})
    rng = np.random.default_rng(2)
    h = 1e-6
    for _ in range(20):
        x = rng.uniform(0.21, 0.29, len(model.system.names))
        df, dq = model.jacobians(x)
        for j in range(len(x)):
            step = np.zeros(len(x))
            step[j] = h
            up, down = model.residuals(x + step), model.residuals(x - step)
            for exact, high, low in zip((df, dq), up, down, strict=True):
                scale = np.abs(exact).max() + np.abs(high).max()
                np.testing.assert_allclose(exact[:, j], (high - low) / (2 * h), rtol=1e-5, atol=1e-8 * scale)


def operators(a: float) -> float:
    g = 1e-3
    b = 3 + 40 + 8 + 3.5 + 300 - 3000 + (5 if a >= 0.2 else -5)
    b += (np.exp(a) if a > 0 else -a) + (a * a) ** 1.5 + np.hypot(a, 1) + np.arctan2(a, -2) + min(a, 0.1) * max(a, 0.2)
    b += np.log(1 + a * a) + np.log10(2 + a) + np.sqrt(a * a + 1) + abs(a) + np.floor(a) + np.ceil(a)
    b += (
        np.sin(a) + np.cos(a) + np.tan(a) + np.arcsin(a / 4) + np.arccos(a / 4) + np.arctan(a) + np.sinh(a) + np.cosh(a)
    )
    b += np.tanh(a) + np.arcsinh(a) + np.arccosh(2 + a) + np.arctanh(a / 4)
    limited = np.exp(100 * a) if 100 * a < np.log(1e30) else 1e30 * (1 + 100 * a - np.log(1e30))
    return 2 * g * b + g * limited + g * a * a + np.fmod(a, 0.3)


def series(x: float) -> tuple[float, float]:
    terms = [x**k / float(np.prod(range(1, k + 1))) for k in range(7)]
    return sum(terms), terms[-1]


def test_operators_mean_what_the_language_reference_says(tmp_path: Path) -> None:
    """Integer division, remainder, rounding, precedence of the sign over **, against Python."""
    model = compile_numpy(write(tmp_path, "operators"), {})
    for a in (-0.8, -0.3, 0.05, 0.25, 0.45, 0.8):
        f, _ = model.residuals([a + 0.1, 0.1])
        assert f[0] == pytest.approx(operators((a + 0.1) - 0.1), rel=1e-13)
        assert f[1] == -f[0]


@pytest.mark.parametrize(("kind", "w"), [(0, 1.0), (1, 1.0), (2, 0.3), (3, -1.0)])
def test_functions_case_and_loops(tmp_path: Path, kind: int, w: float) -> None:
    """Loops written out, functions in place, outputs returned, case arms chosen."""
    model = compile_numpy(write(tmp_path, "functions_case_loops"), {"kind": kind})
    a = 0.3
    s = (series(a)[0] + sum((a * i) ** 2 for i in range(6))) * 1.25**3
    expected = 1e-3 * (s + series(2 * a)[1] + w + 1 + 0)
    assert model.residuals([a, 0.0])[0][0] == pytest.approx(expected, rel=1e-13)


def test_system_functions(tmp_path: Path, osdi_device) -> None:
    """Values of $-functions; noise, time step and operating point as an OSDI library gives them."""
    module = write(tmp_path, "system_functions")
    v, t = 0.4, 330.0
    k_q = 1.3806488e-23 / 1.602176565e-19
    expected = 1e-3 * v + 1e-3 * k_q * t + 1e-6 * k_q * 400 + 1e-9 * t + 3e-6 + v * 1e-6
    expected += 1e-3 * 2.0 + 1e-12 * v + 1e-6 + 11
    for given, extra in (({}, 2.0), ({"s": 2.0}, 1.0)):
        model = compile_numpy(module, given)
        assert model.residuals([v, 0.0], temperature=t, abstime=2.0)[0][0] == pytest.approx(
            expected + extra + 7, rel=1e-14
        )
        device = osdi_device(compile_osdi(module, tmp_path / f"{len(given)}.osdi"), given, temperature_k=t)
        assert device.evaluate([v, 0.0], time_s=2.0)[0][0] == pytest.approx(expected + extra + 7, rel=1e-14)
        rest = device.evaluate([v, 0.0], time_s=0.0, flags=8192)[0][0]
        assert rest == pytest.approx(expected - 2e-3 + extra + 5, rel=1e-14)
    device.evaluate([v, 0.0])
    assert device.output("power") == pytest.approx(v * v * 1e-3, rel=1e-14)
    assert device.bound_step_s == pytest.approx(1e-6 / 1.4, rel=1e-14)
    np.testing.assert_allclose(device.noise(10.0), [4 * 1.3806503e-23 * t * 1e-3, 1e-18 * v / 10**1.2], rtol=1e-13)


def test_instance_parameters_and_m_of_a_library(tmp_path: Path, osdi_device) -> None:
    """An instance overrides the model, the model the default; m devices draw m times the current; ranges are told."""
    module = write(tmp_path, "operators")
    library = compile_osdi(module, tmp_path / "dut.osdi", instance_parameters=("k",))
    one = osdi_device(library, {"g": 2e-3}, {"k": 9})
    assert (one.output("k"), one.errors) == (9, [])
    expected = compile_numpy(module, {"g": 2e-3, "k": 9}).residuals([0.3, 0.0])[0]
    np.testing.assert_allclose(one.evaluate([0.3, 0.0])[0], expected, rtol=1e-13)
    four = osdi_device(library, {"conductance": 2e-3, "k": 9}, {"$mfactor": 4.0})
    np.testing.assert_allclose(four.evaluate([0.3, 0.0])[0], 4 * expected, rtol=1e-13)
    assert osdi_device(library, {"g": -1.0}).errors == ["g", "g"]
    assert osdi_device(library, {"g": 0.5}).errors == ["g", "g"]
    with pytest.raises(VerilogAError, match="no parameter 'nothing' to set per instance"):
        compile_osdi(module, tmp_path / "x.osdi", instance_parameters=("nothing",))


@pytest.mark.parametrize("name", ["operators", "functions_case_loops"])
def test_ngspice_agrees_with_numpy(tmp_path: Path, name: str) -> None:
    """A slow ramp through the subcircuit against NumPy at the same voltages."""
    module = write(tmp_path, name)
    model = compile_numpy(module, {})
    text = emit_ngspice(module, name="dut", parameters={}).text
    deck = [text, "v1 a 0 pwl(0 -0.45 1 0.45)", "x1 a 0 dut", ".options reltol=1e-9 gmin=1e-18"]
    run = run_batch(deck, ".tran 0.01 1 0 0.01", save=["v(a)", "i(v1)"])
    v = run.vectors["v(a)"]
    expected = model.residuals(np.array([v, 0 * v]))[0][0]
    smooth = np.abs(v) > 1e-3  # floor(), ceil() and % step at 0; ngspice's own fmod-free form needs no more room
    np.testing.assert_allclose(-run.vectors["i(v1)"][smooth], expected[smooth], rtol=1e-8)


def test_ngspice_charges_and_integrals(tmp_path: Path) -> None:
    """A capacitor, an integral and a nested derivative in ngspice against their closed forms."""
    path = tmp_path / "dut.va"
    path.write_text(
        HEAD
        + """module dut(p, n);
    inout p, n; electrical p, n;
    parameter real c = 2n, ic = 0.25;
    real y;
    analog begin
        y = idt(V(p, n), ic);
        I(p, n) <+ V(p, n) * ddt(c * V(p, n)) + 1m * y;
    end
endmodule
"""
    )
    text = emit_ngspice(load_module(path), name="dut", parameters={}).text
    deck = [text, "v1 a 0 sin(0 1 1k)", "x1 a 0 dut", ".options reltol=1e-7 trtol=1"]
    run = run_batch(deck, ".tran 1u 2m 0 1u", save=["v(a)", "i(v1)"])
    t, w = run.vectors["time"], 2e3 * np.pi
    expected = np.sin(w * t) * 2e-9 * w * np.cos(w * t) + 1e-3 * (0.25 + (1 - np.cos(w * t)) / w)
    late = t > 2e-5  # the derivative's node starts at rest, at 0
    np.testing.assert_allclose(-run.vectors["i(v1)"][late], expected[late], rtol=0, atol=2e-4 * np.abs(expected).max())


def test_ngspice_potentials_and_probes(tmp_path: Path) -> None:
    """A series resistor, a coil and current probes in ngspice against the equations solved by NumPy."""
    module = write(tmp_path, "potentials_and_probes")
    text = emit_ngspice(module, name="dut", parameters={"l": 1e-6}).text
    run = run_batch([text, "v1 a 0 1", "x1 a 0 dut", ".options reltol=1e-9"], ".op", save=["v(a)", "i(v1)"])
    model = compile_numpy(module, {})
    names = list(model.system.names)
    x = np.zeros(len(names))
    fixed = {names.index("p"): 1.0, names.index("n"): 0.0}
    free = [i for i in range(len(x)) if i not in fixed]
    for i, value in fixed.items():
        x[i] = value
    for _ in range(50):
        f, (df, _) = model.residuals(x)[0], model.jacobians(x)
        x[free] -= np.linalg.solve(df[np.ix_(free, free)], f[free])
    assert -run.vectors["i(v1)"][0] == pytest.approx(model.residuals(x)[0][0], rel=1e-9)
    # a coil with a step: L/R = 1u/7 plus the tanh's 0.1
    deck = [text, "v1 a 0 pwl(0 0 1n 1)", "x1 a 0 dut", ".options reltol=1e-7"]
    run = run_batch(deck, ".tran 1n 2u 0 1n", save=["i(v1)"])
    assert -run.vectors["i(v1)"][-1] == pytest.approx(model.residuals(x)[0][0], rel=1e-5)


def test_switch_branches(tmp_path: Path) -> None:
    """A branch that parameters make a short or a resistor goes to ngspice; one that a voltage switches does not."""
    module = write(tmp_path, "switch_branch")
    for rs, expected in ((0.0, 1e-3), (1000.0, 0.5e-3)):
        text = emit_ngspice(module, name="dut", parameters={"rs": rs}).text
        run = run_batch([text, "v1 a 0 1", "x1 a 0 dut"], ".op", save=["i(v1)"])
        assert -run.vectors["i(v1)"][0] == pytest.approx(expected, rel=1e-6)
    path = tmp_path / "relay.va"
    path.write_text(
        HEAD
        + "module relay(p, n); inout p, n; electrical p, n; analog if (V(p) > 1) V(p, n) <+ 0; else I(p, n) <+ 0; endmodule"
    )
    with pytest.raises(VerilogAError, match=r"relay\.va:3:\d+: branch 'p_n' is a voltage or a current by turns"):
        emit_ngspice(load_module(path), name="relay", parameters={})


def test_long_expressions_are_split_over_nodes(tmp_path: Path) -> None:
    """What would double with each step stays a few lines, and means the same."""
    path = tmp_path / "dut.va"
    steps = "\n".join("x = x * x - 0.3 * x + 0.1;" for _ in range(40))
    path.write_text(
        HEAD
        + f"module dut(p, n); inout p, n; electrical p, n; real x;\nanalog begin x = V(p, n); {steps}\nI(p, n) <+ 1m * x; end endmodule"
    )
    module = load_module(path)
    text = emit_ngspice(module, name="dut", parameters={}).text
    assert len(text) < 100_000 and max(map(len, text.splitlines())) < 10_000
    run = run_batch([text, "v1 a 0 0.9", "x1 a 0 dut", ".options reltol=1e-9"], ".op", save=["i(v1)"])
    assert -run.vectors["i(v1)"][0] == pytest.approx(compile_numpy(module, {}).residuals([0.9, 0.0])[0][0], rel=1e-8)


def test_functions_of_nodes_that_are_not_solved_yet(tmp_path: Path) -> None:
    """A logarithm of a long expression: its nodes are 0 V at Newton's first iteration, which ngspice must not stumble over."""
    path = tmp_path / "dut.va"
    path.write_text(
        HEAD
        + """module dut(p, n); inout p, n; electrical p, n; real x; integer i;
    analog begin
        x = 2;
        for (i = 1; i <= 60; i = i + 1) x = x + 0.01 * sin(i * V(p, n)) * sin(i * V(p, n));
        I(p, n) <+ 1m * (ln(x - 1) + sqrt(x - 1.5) + acosh(x - 0.5) + log(x - 1) + asin(x - 2) + atanh(x - 2.1));
    end
endmodule
"""
    )
    module = load_module(path)
    text = emit_ngspice(module, name="dut", parameters={}).text
    assert "v(t_1)" in text
    run = run_batch([text, "v1 a 0 0.3", "x1 a 0 dut", ".options reltol=1e-9"], ".op", save=["i(v1)"])
    assert -run.vectors["i(v1)"][0] == pytest.approx(compile_numpy(module, {}).residuals([0.3, 0.0])[0][0], rel=1e-8)


def test_negative_charges_are_native(tmp_path: Path) -> None:
    """A capacitor of negative value is a C line, as a positive one."""
    path = tmp_path / "dut.va"
    path.write_text(
        HEAD + "module dut(p, n); inout p, n; electrical p, n; analog I(p, n) <+ ddt(-1n * V(p, n)); endmodule"
    )
    assert "c_p_n p n -1e-09 m={m}" in emit_ngspice(load_module(path), name="dut", parameters={}).text


def test_analyses_in_a_library(tmp_path: Path, osdi_device) -> None:
    """analysis() by the flags of the simulator; a transient is neither a small-signal nor a noise analysis."""
    path = tmp_path / "dut.va"
    path.write_text(
        HEAD
        + """module dut(p, n); inout p, n; electrical p, n;
    analog begin
        if (analysis("ac")) I(p, n) <+ 1;
        if (analysis("noise")) I(p, n) <+ 10;
        if (analysis("tran")) I(p, n) <+ 100;
        if (analysis("static")) I(p, n) <+ 1000;
        if (analysis("ac", "noise")) I(p, n) <+ 10000;
    end
endmodule
"""
    )
    module = load_module(path)
    assert compile_numpy(module, {}).residuals([0.0, 0.0])[0][0] == 100
    device = osdi_device(compile_osdi(module, tmp_path / "dut.osdi"))
    for flags, expected in ((8192, 100), (8192 | 32768, 1000), (4096, 10101), (1024, 10110)):
        assert device.evaluate([0.0, 0.0], flags=flags)[0][0] == expected


def test_a_library_refuses_what_the_model_refuses(tmp_path: Path, osdi_device) -> None:
    """Bounds that follow other parameters, and $error under a condition on parameters."""
    path = tmp_path / "dut.va"
    path.write_text(
        HEAD
        + """module dut(p, n); inout p, n; electrical p, n;
    localparam real two = 2;
    parameter real lo = 1 from [0:inf), hi = 3 from (two * lo:inf), far = 9;
    analog begin if (far < hi) $error("order"); I(p, n) <+ lo * V(p, n); end
endmodule
"""
    )
    library = compile_osdi(load_module(path), tmp_path / "dut.osdi")
    assert osdi_device(library).errors == []
    assert osdi_device(library, {"hi": 2.0}).errors == ["hi", "hi"]
    assert set(osdi_device(library, {"lo": 4.0}).errors) == {"hi"}
    assert osdi_device(library, {"hi": 10.0}).errors == ["hi", "hi"]


def test_what_ngspice_cannot_hold_is_named(tmp_path: Path) -> None:
    """Noise, operating-point variables and $bound_step are told with their place."""
    sub = emit_ngspice(write(tmp_path, "system_functions"), name="dut", parameters={})
    text = "\n".join(sub.ignored)
    assert "dut.va:17:20: noise source 'thermal'" in text and "noise source 'flicker'" in text
    assert "operating-point variable 'power'" in text and "$bound_step" in text


def test_openvaf_is_preferred_where_installed(tmp_path: Path) -> None:
    """OpenVAF's command line; its failure is told with what it printed, and nothing is left behind."""
    module = write(tmp_path, "operators")
    fake = tmp_path / "openvaf"
    fake.write_text('#!/bin/sh\n[ "$1" = -o ] && cp "$3" "$2"\n')
    fake.chmod(0o755)
    out = compile_osdi(module, tmp_path / "out" / "dut.osdi", openvaf=str(fake))
    assert out.read_text() == (tmp_path / "dut.va").read_text()
    fake.write_text('#!/bin/sh\necho "error: it is late" >&2; exit 65\n')
    with pytest.raises(VerilogAError, match=r"(?s)could not compile dut\.va, exit status 65.*it is late"):
        compile_osdi(module, tmp_path / "bad.osdi", openvaf=str(fake))
    assert not (tmp_path / "bad.osdi").exists()


@pytest.mark.parametrize("name", ["functions_case_loops", "potentials_and_probes", "natures"])
def test_ngspice_b_sources_agree_with_osdi(tmp_path: Path, osdi_simulator, name: str) -> None:
    """In one ngspice, at the same time points: B sources and the library, to 1e-9 of the largest current."""
    module = write(tmp_path, name)
    library = compile_osdi(module, tmp_path / "dut.osdi")
    texts = [
        emit_ngspice(module, name="dut", parameters={}).text,
        osdi_subcircuit(module, name="dut", parameters={}, library=library).text,
    ]
    currents, times = [], []
    for text, libraries in zip(texts, ([], [library]), strict=True):
        # a step that the tolerances never shorten: both runs stop at the same times
        options = ".options reltol=1e-9 trtol=1e6 chgtol=1e6 vntol=1e-12 abstol=1e-16 gmin=1e-18"
        deck = [text, "v1 a 0 pwl(0 0 1m 0.4 2m -0.4)", "x1 a 0 dut", options]
        run = run_batch(deck, ".tran 2u 2m 0 2u", save=["i(v1)"], libraries=libraries)
        currents.append(run.vectors["i(v1)"])
        times.append(run.vectors["time"])
    np.testing.assert_array_equal(*times)
    np.testing.assert_allclose(currents[0], currents[1], rtol=0, atol=1e-9 * np.abs(currents[0]).max())


def test_noise_and_operating_point_in_ngspice(tmp_path: Path, osdi_simulator) -> None:
    """The library's thermal noise beside a resistor's, and its operating-point variables, as ngspice reports them."""
    device = load_device("chromium")
    library = compile_osdi(device.module, tmp_path / "msdc.osdi")
    p = device.card.parameters
    sub = osdi_subcircuit(device.module, name="dut", parameters=p, instance_parameters=("x0",), library=library)
    run = run_batch(
        [sub.text, "v1 a 0 dc 0 ac 1", "rs a b 1e3", "x1 b 0 dut x0=0.3"],
        ".noise v(b) v1 dec 1 10 1e3",
        libraries=[library],
    )
    model = compile_numpy(device.module, {**p, "x0": 0.3})
    g = p["phi"] * (0.7 / p["r_off"] + 0.3 / p["r_on"])
    parallel = 1 / (1e-3 + model.jacobian(0.0, 0.0)[0, 0])
    # CODATA 2002 in the header, 2018 in ngspice's resistor: 1 ppm
    expected = np.sqrt(4 * 1.380649e-23 * 300.15 * (1e-3 + g)) * parallel
    np.testing.assert_allclose(run.vectors["onoise_spectrum"], expected, rtol=1e-5)
    found = ["@n.x1.n1[g]", "@n.x1.n1[power]", "@n.x1.n1[x]"]
    run = run_batch([sub.text, "v1 b 0 0.1", "x1 b 0 dut x0=0.3"], ".op", libraries=[library], save=found)
    values = [float(run.vectors[name][0]) for name in found]
    assert values == pytest.approx([g, 0.1 * float(model.current(0.1, 0.0)), 0.3], rel=1e-12)


def two_terminals(folder: Path, body: str, declarations: str = ""):
    path = folder / "dut.va"
    path.write_text(
        f"{HEAD}module dut(p, n); inout p, n; electrical p, n; {declarations}\nanalog begin\n{body}\nend endmodule\n"
    )
    return load_module(path)


def ngspice_currents(folder: Path, module, voltages, free=(), instance: str = "", control: str = "") -> list[float]:
    """Return the current into a device for each voltage, all in one run."""
    text = emit_ngspice(module, name="dut", parameters={}, instance_parameters=free).text
    deck = [text, ".options reltol=1e-9", control]
    for i, v in enumerate(voltages):
        deck += [f"v{i} a{i} 0 {v!r}", f"x{i} a{i} 0 dut {instance}"]
    run = run_batch(deck, ".op", save=[f"i(v{i})" for i in range(len(voltages))])
    return [-float(run.vectors[f"i(v{i})"][0]) for i in range(len(voltages))]


@pytest.mark.parametrize(
    "body",
    [
        "I(p, n) <+ 1m * V(p, n); if (V(p, n) > 0.5) I(p, n) <+ 1m;",
        "I(p, n) <+ 1m * V(p, n) + 1m * floor(V(p, n));",
        "I(p, n) <+ 1m * (V(p, n) % 1.5);",
        "if (V(p, n) > 1) I(p, n) <+ 1m * V(p, n) + 1m; else if (V(p, n) < -1) I(p, n) <+ 1m * V(p, n) - 1m; else I(p, n) <+ 1m * V(p, n);",
        "I(p, n) <+ 1m * ((V(p, n) > 0) + (V(p, n) > 1));",
        "I(p, n) <+ 1m * pow(2, (V(p, n) > 0) + (V(p, n) > 1));",
        "I(p, n) <+ 1m * ((V(p, n) > 0) - (V(p, n) < 0)) - 1u * -(V(p, n) > 0) + 1u * (V(p, n) > 0 ? V(p, n) < 1 : 5);",
        "s = V(p, n) > 0 ? 1 : -1; if (s) I(p, n) <+ 1m; else I(p, n) <+ 2m;",
        "if (V(p, n)) I(p, n) <+ 1m; else I(p, n) <+ 2m;",
        "I(p, n) <+ 1m * !V(p, n) + 2m * !(V(p, n) > 0);",
        "I(p, n) <+ 1m * (V(p, n) && V(p, n) + 2.3) + 10m * (V(p, n) || 0);",
    ],
)
def test_steps_and_truth_values(tmp_path: Path, body: str) -> None:
    """A current with a step is no resistor; a truth value is the number 1 or 0, and any number but 0 is true."""
    module = two_terminals(tmp_path, body, "integer s;")
    voltages = [-2.3, -1.2, -1.0, 0.0, 0.3, 0.7, 1.2, 3.0]
    # by the reference implementation of the operators, one voltage at a time
    current = module.branches[0].current
    expected = []
    for v in voltages:
        at = graph.replace(current, {graph.voltage("p"): graph.constant(v), graph.voltage("n"): graph.ZERO})
        assert at.op == "const"
        expected.append(at.value)
    np.testing.assert_allclose(compile_numpy(module, {}).residuals([voltages, [0.0] * 8])[0][0], expected, rtol=1e-12)
    assert ngspice_currents(tmp_path, module, voltages) == pytest.approx(expected, rel=1e-6, abs=1e-11)


def test_charges_with_a_step_are_no_capacitors(tmp_path: Path) -> None:
    """The charge's slope alone does not make a native capacitor."""
    module = two_terminals(tmp_path, "I(p, n) <+ ddt(1n * V(p, n) + (V(p, n) > 1 ? 1n : 0));")
    assert "c_p_n p n q = " in emit_ngspice(module, name="dut", parameters={}).text


def test_truth_values_go_over_nodes(tmp_path: Path) -> None:
    """Comparisons of comparisons stay short too."""
    body = "c = V(p, n) > 0; for (i = 0; i < 40; i = i + 1) c = (c == (c < 1 + i)); I(p, n) <+ 1m * c;"
    module = two_terminals(tmp_path, body, "integer c, i;")
    assert len(emit_ngspice(module, name="dut", parameters={}).text) < 100_000
    expected = compile_numpy(module, {}).residuals([[-1.0, 1.0], [0.0, 0.0]])[0][0]
    assert ngspice_currents(tmp_path, module, [-1.0, 1.0]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("k", "expected"), [(2, 4e-3), (3, -8e-3), (0, 1e-3), (-1, -0.5e-3)])
def test_powers_with_a_free_exponent(tmp_path: Path, k: int, expected: float) -> None:
    """An even power of a negative number is positive."""
    module = two_terminals(tmp_path, "I(p, n) <+ 1m * V(p, n) ** k + V(p, n) ** -1;", "parameter integer k = 2;")
    assert ngspice_currents(tmp_path, module, [-2.0], ["k"], f"k={k}") == pytest.approx([expected - 0.5], rel=1e-6)


@pytest.mark.parametrize("name", ["gnd", "GND", "null", "temper", "value"])
def test_nodes_that_ngspice_takes_for_its_own(tmp_path: Path, name: str) -> None:
    """ngspice would tie them to ground, share them between devices, or misread them."""
    body = f"I(p, {name}) <+ 1m * V(p, {name}); I({name}, n) <+ 1m * V({name}, n);"
    module = two_terminals(tmp_path, body, f"electrical {name};")
    with pytest.raises(
        NetlistError, match=rf"dut\.va:1:1: a node cannot be named '{name}'.*rename it.*'ground {name};'"
    ):
        emit_ngspice(module, name="dut", parameters={})
    emit_ngspice(two_terminals(tmp_path, body, f"ground {name};"), name="dut", parameters={})


@pytest.mark.parametrize("name", ["e", "PI", "temper", "time", "hertz", "int", "sgn", "pwl", "ternary_fcn", "m"])
def test_free_parameters_that_ngspice_takes_for_its_own(tmp_path: Path, name: str) -> None:
    """They are refused where they are to stay free, and welcome where their value is put in."""
    module = two_terminals(tmp_path, f"I(p, n) <+ {name} * V(p, n);", f"parameter real {name} = 2;")
    with pytest.raises(NetlistError, match=rf"dut\.va:3:63: an instance parameter cannot be named '{name}'.*rename it"):
        emit_ngspice(module, name="dut", parameters={}, instance_parameters=[name])
    assert ngspice_currents(tmp_path, module, [1.0]) == pytest.approx([2.0])


def test_generated_names_are_free_ones(tmp_path: Path) -> None:
    """Nodes, branches and the differences of others that are named as the generator names its own."""
    declarations = "electrical d_p_n, a_b, c, a, b_c, t_1, m_br, f_co; branch (p, n) br; branch (c, n) co;"
    long = " + ".join(f"sin({k} * V(p, n))" for k in range(2, 150))
    body = f"""
        I(p, n) <+ 1m * V(p, n) * V(p, n) + 1m * V(d_p_n); I(d_p_n) <+ V(d_p_n) - 1;
        I(a_b) <+ V(a_b) - 2; I(c) <+ V(c); I(a) <+ V(a) - 5; I(b_c) <+ V(b_c);
        I(p, n) <+ 1m * V(a_b, c) * V(a_b, c) + 1m * V(a, b_c) * V(a, b_c);
        I(t_1) <+ V(t_1) - 7; I(p, n) <+ 1m * V(t_1) + 1u * exp(({long}) * 1e-3 + V(t_1));
        I(m_br) <+ V(m_br) - 9; I(br) <+ 1m * V(br); I(p, n) <+ 1m * V(m_br) + I(br) * V(br);
        I(f_co) <+ V(f_co) - 3; V(co) <+ ddt(1n * I(co)); I(p, n) <+ 1m * V(f_co) + 1u * I(co);
    """
    module = two_terminals(tmp_path, body, declarations)
    model = compile_numpy(module, {})
    x = np.zeros(len(model.system.names))
    x[0] = 0.5
    for _ in range(20):
        f, (df, _) = model.residuals(x)[0], model.jacobians(x)
        x[2:] -= np.linalg.solve(df[2:, 2:], f[2:])
    expected = model.residuals(x)[0][0]
    assert ngspice_currents(tmp_path, module, [0.5]) == pytest.approx([expected], rel=1e-6)


def test_ngspice_follows_its_temperature(tmp_path: Path) -> None:
    """`.temp` sets $temperature and $vt; a temperature that is given is folded in."""
    module = two_terminals(tmp_path, "I(p, n) <+ 1u * $temperature * V(p, n) + $vt;")
    expected = 1e-6 * 373.15 + 1.3806488e-23 / 1.602176565e-19 * 373.15
    assert ngspice_currents(tmp_path, module, [1.0], control=".temp 100") == pytest.approx([expected], rel=1e-6)
    assert "temper" not in emit_ngspice(module, name="dut", parameters={}, temperature_k=300.0).text


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    """Refused where parameters make them; constants whose product alone is too large are left apart."""
    module = two_terminals(tmp_path, "I(p, n) <+ V(p, n) / r;", "parameter real r = 1;")
    with pytest.raises(VerilogAError, match=r"dut\.va:5:1: with these parameters branch 'p_n' divides by the number 0"):
        emit_ngspice(module, name="dut", parameters={"r": 0})
    module = two_terminals(tmp_path, "I(p, n) <+ 1e200 * (1e200 * V(p, n)) * 1e-300 * 1e-103;")
    assert "inf" not in emit_ngspice(module, name="dut", parameters={}).text


def test_a_dc_sweep_holds_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up and down give one curve; a subcircuit for transients alone takes the swept voltage for the time, and does not."""
    subject = subject_of("vteam")
    assert dc_sweeps(subject).value < 1e-9  # what the solver's tolerance leaves of a curve without memory
    monkeypatch.setattr("pyharness.qa.subject.emit_ngspice", functools.partial(emit_ngspice, transient_only=True))
    assert dc_sweeps(subject_of("vteam")).value > 0.1


def test_exponentials_beyond_the_knee(tmp_path: Path) -> None:
    """limexp() goes on as a straight line above 1e30, as in the other targets; a bare exp() would be at 1e43."""
    module = two_terminals(tmp_path, "I(p, n) <+ 1e-30 * limexp(100 * V(p, n));")
    text = emit_ngspice(module, name="dut", parameters={}).text
    run = run_batch([text, "v1 a 0 0", "x1 a 0 dut"], ".dc v1 0.5 1 0.5", save=["i(v1)"])
    expected = 1e-30 * np.array([np.exp(50), 1e30 * (1 + 100 - np.log(1e30))])
    np.testing.assert_allclose(-run.vectors["i(v1)"], expected, rtol=1e-9)


def test_excess_voltage_through_snapping_resets_converges() -> None:
    """A thousand periods of five times the rated source: iterates far off come back (an exponential to 1e99 does not)."""
    assert cycles(subject_of("chromium")).passed


GUARDED = """module dut(p, n);
    inout p, n;
    parameter real g = 1e-3;
    (* soa="p, n" *) parameter real v_max = 1.5 from (0:inf);
    electrical p, n;
    analog I(p, n) <+ g * V(p, n);
endmodule"""


@pytest.mark.parametrize("free", [(), ("v_max",)])
def test_voltages_beyond_the_safe_operating_area(tmp_path: Path, free: tuple[str, ...]) -> None:
    """ngspice tells of voltages above and below, on request, and the current is the model's alone."""
    path = tmp_path / "dut.va"
    path.write_text(HEAD + GUARDED + "\n")
    text = emit_ngspice(load_module(path), name="dut", parameters={}, instance_parameters=free).text
    instance = "x1 a 0 dut " + " ".join(f"{n}=2.5" for n in free)

    def told(volt: float, options: str = ".options warn=1") -> str:
        return output_of([text, f"v1 a 0 sin(0 {volt} 1k)", instance, options], ".tran 10u 1m")

    bound = 2.5 if free else 1.5
    assert f"has exceeded bv_max={bound}" in told(1.05 * bound)
    assert "exceeded" not in told(0.95 * bound) + told(1.05 * bound, "")
    run = run_batch([text, "v1 a 0 2", instance], ".op", save=["i(v1)"])
    assert run.vectors["i(v1)"][0] == pytest.approx(-2e-3, rel=1e-9)
    assert "bv_max" not in emit_ngspice(load_module(path), name="dut", parameters={}, soa=False).text


@pytest.mark.parametrize("attribute", ["p", "p, q", "", "p, n, p"])
def test_a_safe_operating_area_of_no_two_nodes(tmp_path: Path, attribute: str) -> None:
    path = tmp_path / "dut.va"
    path.write_text(HEAD + GUARDED.replace('p, n" *)', f'{attribute}" *)') + "\n")
    with pytest.raises(VerilogAError, match=r"dut\.va:\d+:\d+: the soa of parameter 'v_max' must be two nodes"):
        load_module(path)
