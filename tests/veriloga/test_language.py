# SPDX-License-Identifier: BSD-3-Clause
"""What the Verilog-A reader accepts, and how it refuses the rest: file:line:column, the construct, the way out."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyharness.errors import ConfigError, NetlistError, PyharnessError, VerilogAError
from pyharness.resources import model_dir
from pyharness.spice import run_batch
from pyharness.veriloga import compile_numpy, emit_ngspice, emit_osdi, load_card, load_device, load_module

HEAD = """`include "disciplines.vams"
module dut(p, n);
    inout p, n;
    electrical p, n, n_x;
    parameter real g = 1.0e-3 from (0:inf);
    parameter real x0 = 0.0;
    real a, b;
    integer k;
    branch (p, n) br;
    analog function real f; input x; real x; f = x; endfunction
"""
STATE = "I(n_x) <+ ddt(V(n_x)) + V(n_x);"


def module_of(tmp_path: Path, body: str, head: str = HEAD):
    path = tmp_path / "dut.va"
    path.write_text(f"{head}    analog begin\n{body}\n{STATE}\n    end\nendmodule\n")
    return load_module(path)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("a = b;", r"dut\.va:12:5: hidden state: variable 'b' is read before it is assigned.*internal node"),
        ("if (V(p) > 0) b = 1; a = b;", r"dut\.va:12:26: hidden state: variable 'b'"),
        ("a = $random;", r"\$random is not supported in a model: draw the value outside"),
        ("a = $rdist_normal(1, 0, 1);", r"\$rdist_normal is not supported in a model: draw the value outside"),
        ("@(cross(V(p), 1)) a = 1;", r"dut\.va:12:1: the event @\(cross\) is not simulated inside a model"),
        (
            "@(timer(1, 1)) a = 1;",
            r"the event @\(timer\) is not simulated inside a model: keep the state on an internal node",
        ),
        ("@(initial_step) a = V(p);", r"dut\.va:12:17: @\(initial_step\) may set 'a' only to a constant"),
        ("@(initial_step) a = 1; a = a + 1;", r"dut\.va:12:28: hidden state: variable 'a'"),
        ("@(initial_step) a = $abstime;", r"@\(initial_step\) may set 'a' only to a constant"),
        ("@(initial_step or final_step) a = 1;", r"the event @\(final_step\) is not simulated"),
        ("@(final_step) a = 1;", r"the event @\(final_step\) is not simulated"),
        ("if (g > 1) a = 1; if (g > 2) b = a;", r"dut\.va:12:34: hidden state: variable 'a'"),
        (
            "if (g > 1) a = 1; if (V(p) > 0) a = 2; if (g > 1) b = a; if (V(p) > 0) b = a; b = a;",
            r"dut\.va:12:83: hidden state: variable 'a'",
        ),
        ("I(p, n) <+ 1; V(p, n) <+ 2; I(p, n) <+ 3;", r"goes back to a flow, which would discard both"),
        ("a = k & 3;", r"hidden state: variable 'k'"),
        ("a = g & 3;", r"'&' works on numbers known here, &, \| and \^ also on comparisons: write && \|\| !"),
        ("a = ~(g > 1);", r"'~' works on numbers known here"),
        ("a = 1 << 40;", r"'<<' works on numbers known here"),
        ("a = $realtime;", r"\$realtime is not supported in a model: use \$abstime"),
        ("@(initial_step) I(p, n) <+ 1;", r"contributions belong into the analog block, outside functions and events"),
        ("begin : blk real t; a = t; end", r"hidden state: variable 't'"),
        ("begin : blk real t = 1; a = t; t = 2; end", r"hidden state: variable 't'"),
        ("a = a + 1 * $abstime;", r"hidden state: variable 'a'"),
        ("a = I(p, n); I(p) <+ 1; branch (p, n) b;", r"syntax error at 'branch': it cannot stand here$"),
        ("I(br) <+ V(br); a = I(p, n);", r"probed on a branch of its own, which would short"),
        ("a = I(<p>);", r"a port probe I\(<p>\) is not supported: probe the branches"),
        ("a = V();", r"V\(\) takes one branch, or one or two nodes"),
        ("a = Temp(p);", r"'p' is of discipline electrical: read it by V or I, not Temp\(\)"),
        ("f(1) <+ 2;", r"'f' is no access function: contribute to V\(\) or I\(\)"),
        ("exp(1);", r"'exp' is no analog function: a statement assigns"),
        ("while (V(p) > 0) a = 1;", r"a loop runs a number of times that is known here"),
        ("for (k = 0; k < g; k = k + 1) a = k;", r"a loop runs a number of times that is known here"),
        ("while (1) a = 1;", r"takes over 20000 steps when its loops are written out"),
        ("repeat (1e9) a = 1;", r"takes over 20000 steps"),
        ("repeat (g) a = 1;", r"repeat\(\) takes a constant"),
        ("case (k) default: a = 1; default: a = 2; endcase", r"hidden state: variable 'k'"),
        ("case (1) default: a = 1; default: a = 2; endcase", r"a case has one default arm at most"),
        ("a = transition(1, 0, 1);", r"'transition\(\)' is not supported: write a smooth function"),
        ("a = idt(1, 0, 1);", r"idt\(\) with a reset is an event"),
        ("a = idt(1, V(p));", r"the start of idt\(\) must be constant"),
        ("a = ddx(V(p), V(p, n));", r"ddx\(\) takes the potential of one node"),
        ("a = ddx(ddt(V(p)), V(p));", r"ddx\(\) of a time derivative"),
        ("I(p, n) <+ exp(white_noise(1));", r"noise must be added to a contribution"),
        ('a = analysis("nonsense");', r"analysis\(\) takes the names of analyses"),
        ('a = $simparam("unheard_of");', r"has no value here: give a default"),
        ("a[0] = 1;", r"'\[' is not supported: vectors and arrays"),
        ("a = 'h1F;", r"based numbers are not supported"),
        ("a = V(p, q);", r"'q' is not a declared node: declare it 'electrical q;'"),
        ("c = 1;", r"'c' cannot be assigned: it is not a declared variable"),
        ("g = 1;", r"'g' cannot be assigned: it is a parameter"),
        ("a = exp(1, 2);", r"exp\(\) takes 1 arguments, got 2"),
        ("I(p, p) <+ 1;", r"the branch leads from a node to itself"),
        ("a = 1 +;", r"dut\.va:12:8: syntax error at ';': it cannot stand here$"),
        (
            "a = 1\n\n  b = 2;",
            r"dut\.va:14:3: syntax error at 'b': it cannot stand here; is a ';' missing before it \(line 12\)\?",
        ),
        (
            "I(p, n) <+ 1\nif (g > 1) a = 1;",
            r"dut\.va:13:1: syntax error at 'if': it .*is a ';' missing before it \(line 12\)\?",
        ),
        ("a = 1 2;", r"dut\.va:12:7: syntax error at '2': it cannot stand here$"),
        (
            "a = tanhh(1);",
            r"dut\.va:12:5: function 'tanhh\(\)' is not known: did you mean 'tanh'\? there are abs, acos",
        ),
        (
            "a = ff(1);",
            r"function 'ff\(\)' is not known: did you mean 'f'\? there are .*; or declare an analog function",
        ),
        ("a = 1 # 2;", r"dut\.va:12:7: unexpected character '#'"),
        ("a = `NOPE;", r"dut\.va:12:5: macro `NOPE is not defined: `define it first"),
        ("a = 1e999;", r"the number 1e999 is too large"),
        (
            "I(p, n) <+ 1e300 * 1e300 * V(p, n);",
            r"dut\.va:12:1: this contribution divides by the number 0, or combines",
        ),
        ("I(p, n) <+ V(p, n) / (1 - 1);", r"dut\.va:12:1: this contribution divides by the number 0"),
        (
            "if (V(p) > 0) a = idt(V(p)); else a = 0;",
            r"dut\.va:12:19: idt\(\) under a condition that changes.*before the if",
        ),
    ],
)
def test_refusals(tmp_path: Path, body: str, message: str) -> None:
    """Each unsound or unsupported construct is named where it stands."""
    with pytest.raises(VerilogAError, match=message):
        module_of(tmp_path, body)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module dut(p); electrical p;", r"ends in the middle of a construct: is 'endmodule' or 'end' missing\?"),
        ("/* never closed", r"comment opened by /\* is never closed"),
        ("`ifdef A\nmodule", r"dut\.va:1:1: `ifdef without `endif"),
        ('`include "dut.va"', r"`include nests over 32 levels: does a file include itself\?"),
        (
            '`include "nowhere.va"',
            r"`include file 'nowhere\.va' not found: put it beside dut\.va, or name its folder \(-I FOLDER\)",
        ),
        (
            '`include "dispclines.vams"',
            r"'dispclines\.vams' not found: did you mean 'disciplines\.vams'\? put it beside",
        ),
        ('`include "parts/figure.va"', r"'parts/figure\.va' not found: did you mean 'figures\.va'\?"),
        ("`define A `A\nmodule `A;", r"macro `A expands into itself"),
        ("`define A(x) x\nmodule `A(1, 2);", r"macro `A takes 1 arguments, got 2"),
        ("module a(p); endmodule", r"port 'p' has no discipline"),
        ("module a(); endmodule module b(); endmodule", r"a model file holds one module, this is the second"),
        ("", r"dut\.va:1:1: the file holds no module"),
        ("module if(p); electrical p; endmodule", r"'if' is a word of the language: choose another name"),
        ("module a(p, p); electrical p; endmodule", r"port 'p' stands twice in the port list"),
        ("module a(p); optical p; endmodule", r"discipline 'optical' is not declared: use electrical"),
        ('nature N; units = "1"; endnature module a(); endmodule', r"nature 'N' has no access function"),
        ("discipline d potential N; enddiscipline", r"nature 'N' is not declared"),
        ("module a(p); electrical p; aliasparam x = y; endmodule", r"'y' is not a parameter"),
        (
            "module a(p); electrical p; parameter real r = V(p); endmodule",
            r"the default of parameter 'r' must be constant",
        ),
        (
            'nature N; access = A; abstol = "small"; endnature',
            r"the abstol of nature 'N' must be a number, got \"small\"",
        ),
        (
            'module a(p); electrical p; parameter string s = "x"; endmodule',
            r"'string' is not supported: use an integer",
        ),
        ("module a(p); electrical p; real x = V(p); endmodule", r"the start value of 'x' must be constant"),
        ("module a(p); electrical p; analog function real f; f = 1; endfunction endmodule", r"'f' has no input"),
        (
            "module a(p); electrical p; analog function real f; input x; real x; f = f(x); endfunction\nanalog I(p) <+ f(1); endmodule",
            r"'f' calls itself",
        ),
        (
            "module a(p); electrical p; analog function real f; input x; real x; f = V(p); endfunction\nanalog I(p) <+ f(1); endmodule",
            r"cannot be read inside an analog function",
        ),
        (
            "module a(p); electrical p; analog function real f; output x; real x; f = 1; endfunction\nreal y; analog I(p) <+ f(y); endmodule",
            r"leaves an output unassigned",
        ),
        (
            'module a(p); electrical p; (* desc="x" *) real y; analog if (V(p) > 0) y = 1; endmodule',
            r"operating-point variable 'y' is not assigned on every path",
        ),
        ("module a(p); electrical p; initial x = 1; endmodule", r"'initial' is not supported: use an 'analog' block"),
        ("module a(p); electrical [0:3] p; endmodule", r"'\[' is not supported: vectors and arrays"),
        ("module a(p); electrical p, p; endmodule", r"'p' is declared twice"),
        ("module a(p); electrical p; genvar i; endmodule", r"'genvar' is not supported: write the terms out"),
        ("module a(p); electrical p; wire w; endmodule", r"'wire' is not supported: use 'electrical'"),
        (
            "module a(p); electrical p; parameter real r = 1 from (V(p):inf); endmodule",
            r"the bound of a range must follow from numbers and parameters",
        ),
        ("module a(p); electrical p; parameter real r = 1 from (s:inf); endmodule", r"'s' is not declared"),
        (
            "module \u03a9(p); endmodule",
            r"dut\.va:1:8: '\u03a9' is no ASCII character: such may stand in comments and strings",
        ),
        ("module a(p); electrical p; parameter real r = 1 from (2:1); endmodule", r"the range \(2:1\) is empty"),
    ],
)
def test_refused_files(tmp_path: Path, text: str, message: str) -> None:
    """Faults outside the analog block."""
    path = tmp_path / "dut.va"
    (tmp_path / "figures.va").write_text("")
    path.write_text(text)
    with pytest.raises(VerilogAError, match=message):
        load_module(path)


def test_missing_sources(tmp_path: Path) -> None:
    """A file that is not there, and one that is none."""
    with pytest.raises(VerilogAError, match="cannot read the Verilog-A source"):
        load_module(tmp_path / "none.va")
    with pytest.raises(VerilogAError, match="cannot read the Verilog-A source"):
        load_module(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_comments_and_strings_may_hold_any_character(tmp_path: Path, encoding: str, line_end: str) -> None:
    """As foundries write them, with the line ends of any system."""
    text = '// \u00b0C, \u00b5\nmodule dut(p);\nelectrical p; /* \u00e9 */ (* desc="3 \u00b5A" *) parameter real g = 1;\nanalog I(p) <+ q;\nendmodule\n'
    (tmp_path / "dut.va").write_bytes(text.replace("\n", line_end).encode(encoding))
    with pytest.raises(VerilogAError, match=r"dut\.va:4:16: 'q' is not declared"):
        load_module(tmp_path / "dut.va")
    (tmp_path / "dut.va").write_bytes(text.replace("q;", "g;").replace("\n", line_end).encode(encoding))
    assert load_module(tmp_path / "dut.va").parameters["g"].desc.startswith("3 ?")


def test_a_variable_may_hold_a_value_on_some_paths(tmp_path: Path) -> None:
    """It may be read where its value holds: behind the same condition, a stricter one, another value of a case."""
    body = """
        if (g > 1) a = V(p, n); else if (g > 0.5) a = 2 * V(p, n);
        if (V(p, n) > 0.1) b = 3; else b = 4;
        if (g > 1 && b > 3.5) I(p, n) <+ a;
        if (V(p, n) <= 0.1) k = 5;
        if (!(g > 1) && g > 0.5) I(p, n) <+ 10 * a;
        if (V(p, n) <= 0.1) I(p, n) <+ k;
        case (j) 0: w = 7; 1: begin w = V(p, n); z = 1; end endcase
        case (j) 1: I(p, n) <+ w + z; 0: I(p, n) <+ w; endcase
        if (V(p, n) > 0) a = 0;
        if (g > 1) begin if (V(p, n) > 0) I(p, n) <+ a; else I(p, n) <+ 100 * a; end
    """
    head = HEAD.replace("real a, b;", "real a, b, w, z; parameter integer j = 0;")
    module = module_of(tmp_path, body, head)
    for g in (0.2, 0.7, 1.5):
        for j in (0, 1, 2):
            model = compile_numpy(module, {"g": g, "j": j})
            for v in (-0.3, 0.05, 0.3):
                a = v if g > 1 else 2 * v
                i = a * (g > 1 and v <= 0.1) + 10 * a * (0.5 < g <= 1) + 5 * (v <= 0.1) + {0: 7, 1: v + 1, 2: 0}[j]
                i += (0 if v > 0 else 100 * a) * (g > 1)
                assert model.current(v, 0.0) == pytest.approx(i, rel=1e-14), (g, j, v)


def test_what_initial_step_sets(tmp_path: Path) -> None:
    """Constants, in any of its forms; a variable assigned later as well is as if it had not been set."""
    body = """
        @(initial_step("tran", "dc") or initial_step) begin a = 2; k = a + 1; end
        a = V(p, n);
        I(p, n) <+ k * a;
    """
    assert compile_numpy(module_of(tmp_path, body), {}).current(0.25, 0.0) == 0.75


def test_messages_and_refused_parameters(tmp_path: Path) -> None:
    """What only prints is named and left out; what ends a simulation for its parameters refuses them, in every target."""
    body = """
        $strobe("g = %g", g); if (V(p, n) > 1) $warning("high"); $discontinuity(1);
        if (g > x0 + 1) begin $strobe("x"); $error("g, x0: out of order"); end
        if (V(p, n) > 5) $finish;
        @(final_step) begin $display("done"); end
        I(p, n) <+ g * V(p, n);
    """
    module = module_of(tmp_path, body)
    told = "\n".join(emit_ngspice(module, name="dut", parameters={}).ignored)
    for line, what in (
        (13, "$strobe"),
        (13, "$warning"),
        (14, "$strobe"),
        (15, "$finish under a condition that changes"),
    ):
        assert re.search(rf"dut\.va:{line}:\d+: {re.escape(what)}", told)
    assert "@(final_step)" in told and "$error" not in told
    with pytest.raises(ConfigError, match=r"refuses these parameters \(dut\.va:14:\d+\): \$error g, x0: out of order"):
        compile_numpy(module, {"g": 1.5})
    assert compile_numpy(module, {"g": 1.5, "x0": 0.6}).current(1.0, 0.0) == 1.5


def test_bounds_follow_other_parameters(tmp_path: Path) -> None:
    """Ranges and exclusions of expressions, every kind of bracket."""
    extra = """    localparam real two = 2;
    parameter real hi = 2.5 from (g:two * g + 3] exclude (2.6:2.8] exclude [2.9:3.0) exclude 3.001 exclude (2 + 2) * 0.76;
"""
    module = module_of(tmp_path, "I(p, n) <+ hi;", HEAD + extra)
    for good in (2.5, 2.6, 2.85, 3.0, 3.002):
        assert module.check_parameters({"hi": good})["hi"] == good
    for bad in (1e-3, 3.01, 2.7, 2.8, 2.9, 3.001, 3.04):
        with pytest.raises(ConfigError, match="parameter 'hi' must"):
            module.check_parameters({"hi": bad})
    assert module.check_parameters({"hi": 3.01, "g": 0.1})["hi"] == 3.01


def test_a_default_out_of_range_is_told_where_it_stands(tmp_path: Path) -> None:
    """It need not hurt who sets the parameter."""
    module = module_of(tmp_path, "I(p, n) <+ r;", HEAD + "    parameter real r = 0 from (0:inf);\n")
    with pytest.raises(
        ConfigError, match=r"dut\.va:11:20: module 'dut', by its default: parameter 'r' must lie in \(0:inf\)"
    ):
        module.check_parameters({})
    assert module.check_parameters({"r": 1})["r"] == 1


def test_macros_and_strings(tmp_path: Path) -> None:
    """Commas and parentheses in strings are none of the macro's; a string is not substituted in."""
    head = HEAD.replace(
        "module dut",
        '`define PAR(n, d, t) (* desc=t, info="n" *) parameter real n = d;\n`pragma x\n`line 3\nmodule dut',
    )
    text = '`PAR(r, 1 + 2, "first, (second")\n`PAR(s,\n 5, ")")\n'
    module = module_of(tmp_path, "I(p, n) <+ r + s;", head + text)
    assert module.parameters["r"].desc == "first, (second" and module.parameters["s"].desc == ")"
    assert compile_numpy(module, {}).current(0.0, 0.0) == 8


def test_conditionals_anywhere_in_a_line(tmp_path: Path) -> None:
    """Text may follow a directive on its line, and stand before it; columns and strings stay."""
    body = """
        `ifdef NOPE a = 1; `elsif __VAMS_ENABLE__ a = 2;
        `else a = 3;
        `endif b = 5; $strobe("`else");
        `ifndef NOPE k = 7; `else k = 8; `endif I(p, n) <+ a `ifdef NOPE + 100 `else + 10 * b `endif + 100 * k;
    """
    assert compile_numpy(module_of(tmp_path, body), {}).current(0.0, 0.0) == 752
    with pytest.raises(VerilogAError, match=r"dut\.va:13:16: 'zz' is not declared"):
        module_of(tmp_path, "`ifdef NOPE\n`else a = 1; b=zz; `endif")


def test_values_of_the_simulator_and_aliases(tmp_path: Path) -> None:
    """A known value beats the default; an alias is given when its parameter is, by either name."""
    body = """
        I(p, n) <+ 1e12 * $simparam("gmin", 7) + 10 * $simparam("unheard_of", 7) + 100 * $param_given(conductance);
        if ($param_given(g)) I(p, n) <+ 1000;
    """
    module = module_of(tmp_path, body, HEAD + "    aliasparam conductance = g;\n")
    assert compile_numpy(module, {}).current(0.0, 0.0) == 71
    assert compile_numpy(module, {"g": 1}).current(0.0, 0.0) == 1171
    assert compile_numpy(module, {"conductance": 1}).current(0.0, 0.0) == 1171


def test_integers_of_analog_functions(tmp_path: Path) -> None:
    """An argument is converted where it goes in, an output where it comes out, whatever the names."""
    head = (
        HEAD
        + """
        analog function real whole; input m; integer m; whole = m; endfunction
        analog function real split; input x; output y; real x, y; begin y = x; split = 0; end endfunction
        real m;
    """
    )
    body = "m = V(p, n); a = split(V(p, n) - 1, k); I(p, n) <+ whole(m) + 100 * k;"
    assert compile_numpy(module_of(tmp_path, body, head), {}).current(2.7, 0.0) == 203


def test_bits_and_functions_with_a_dollar(tmp_path: Path) -> None:
    """On numbers, as Python; on comparisons, as truth values; $ln() is ln()."""
    body = """
        k = (13 & 7 | 64 ^ 3 << 2) + (200 >> 3) + ~5;
        if ((V(p, n) > 0) & (g > 0) | (V(p, n) < -1) ^ (V(p, n) < -2)) a = 1; else a = 0;
        I(p, n) <+ k + 1000 * a + $ln(2) + $log10(100) + $pow(2, 3) + $sqrt(16);
    """
    model = compile_numpy(module_of(tmp_path, body), {})
    k = (13 & 7 | 64 ^ 3 << 2) + (200 >> 3) + ~5
    for v, a in ((-3, 0), (-1.5, 1), (-0.5, 0), (0.5, 1)):
        assert model.current(v, 0.0) == pytest.approx(k + 1000 * a + np.log(2) + 2 + 8 + 4, rel=1e-14)


def test_long_sums(tmp_path: Path) -> None:
    """A sum of some thousand terms, which is a deep tree."""
    module = module_of(tmp_path, f"I(p, n) <+ {' + '.join(f'{k} * V(p, n)' for k in range(3000))};")
    assert compile_numpy(module, {}).current(1.0, 0.0) == sum(range(3000))


def test_language_means_what_it_says(tmp_path: Path) -> None:
    """Macros, scale factors, operators, functions and branches of a conditional, against the same in Python."""
    head = HEAD.replace("module dut", "`define SQ(x) ((x) * (x))\n`define TWICE 2 *\nmodule dut")
    body = """
        a = V(p, n);
        k = 2.6;
        if (a > 0.25 && !(a >= 1)) b = `SQ(a + 1) / 3; else if (a < -0.5 || a == 0) b = -a ** 3; else b = 1m;
        b = b + max(a, 0.1) * min(a, 0.2) + (a != 0 ? exp(-a) : 0) + k + pow(2, 3) + sqrt(abs(a)) + 1.5k * 1u;
        I(p, n) <+ `TWICE g * b + atan2(a, 2) + hypot(a, 1) + limexp(a) + tanh(a) * sinh(a) + cosh(a);
    """
    model = compile_numpy(module_of(tmp_path, body, head), {"g": 0.5})
    for a in (-0.8, -0.3, 0.0, 0.1, 0.5, 2.0):
        b = (a + 1) ** 2 / 3 if 0.25 < a < 1 else -(a**3) if a < -0.5 or a == 0 else 1e-3
        b += max(a, 0.1) * min(a, 0.2) + (np.exp(-a) if a else 0) + 3 + 8 + np.sqrt(abs(a)) + 1.5e-3
        i = 2 * 0.5 * b + np.arctan2(a, 2) + np.hypot(a, 1) + np.exp(a) + np.tanh(a) * np.sinh(a) + np.cosh(a)
        assert model.current(a, 0.0) == pytest.approx(i, rel=1e-14)


def test_ngspice_and_numpy_agree(tmp_path: Path) -> None:
    """The same module on both targets, to the tolerance that ngspice's iteration is asked for."""
    body = """
        a = V(p, n);
        if (a > 0.1) b = a * a; else b = 0.2 * a - 0.01;
        I(p, n) <+ g * (b + 0.3 * tanh(3 * a) + limexp(2 * a) - 1 + pow(a * a + 0.1, 0.7) + atan(a));
    """
    module = module_of(tmp_path, body)
    model = compile_numpy(module, {})
    text = emit_ngspice(module, name="dut", parameters={}).text
    deck = [text, "v1 a 0 pwl(0 -1 1 1)", "x1 a 0 dut", ".options reltol=1e-9"]
    run = run_batch(deck, ".tran 0.01 1 0 0.01", save=["v(a)", "i(v1)"])
    np.testing.assert_allclose(-run.vectors["i(v1)"], model.current(run.vectors["v(a)"], 0.0), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", ["a b", "a\n.control", "x;shell", "A", "", "1a", "a" * 80, "a{b}", "$x", "../x"])
def test_no_name_reaches_the_netlist_unchecked(tmp_path: Path, name: str) -> None:
    """Names that could open a line or a command are refused."""
    module = module_of(tmp_path, "I(p, n) <+ g * V(p, n);")
    with pytest.raises(NetlistError, match="must be a lower-case identifier"):
        emit_ngspice(module, name=name, parameters={})


@pytest.mark.parametrize("value", ["1\n.control", float("nan"), float("inf"), None, "1k", True, [1]])
def test_no_value_reaches_the_netlist_unchecked(tmp_path: Path, value: object) -> None:
    """Parameter values are finite numbers."""
    if value is None:
        return
    module = module_of(tmp_path, "I(p, n) <+ g * V(p, n);")
    with pytest.raises(ConfigError, match="parameter 'g' must be a finite number"):
        emit_ngspice(module, name="dut", parameters={"g": value})


def test_parameters_are_checked(tmp_path: Path) -> None:
    """Unknown names and values out of range are refused with what would be right."""
    module = module_of(tmp_path, "I(p, n) <+ g * V(p, n);")
    with pytest.raises(ConfigError, match=r"no parameter 'gg' to set; it has g, x0"):
        module.check_parameters({"gg": 1.0})
    with pytest.raises(ConfigError, match=r"parameter 'g' must lie in \(0:inf\).*got 0"):
        module.check_parameters({"g": 0})


def test_cards(tmp_path: Path) -> None:
    """A card is found by name or path; every fault names the file and the key."""
    assert load_device("chromium").card.dopant == "chromium"
    text = (Path(__file__).parents[2] / "veriloga/msdc/cards/chromium.yaml").read_text()
    with pytest.raises(ConfigError, match=r"no device card 'unobtainium': give one of .*chromium"):
        load_card("unobtainium")
    for name, change, message in [
        ("a", ("tau_on: ", "tau_on: many #"), r"a\.yaml': parameters\.tau_on"),
        (
            "b",
            ("dopant:", "dopand:"),
            r"(?s)b\.yaml': dopant: this key is missing.*unknown key 'dopand': did you mean 'dopant'\?",
        ),
        ("c", ("tau_on: ", "tau_on: -1.0 #"), r"parameter 'tau_on' must lie in \(0:inf\) s, got -1\.0"),
        ("d", ("tau_on:", "tao:"), r"no parameter 'tao' to set"),
        ("e", ("model: msdc", "model: nodevice"), r"there is no nodevice\.va"),
        ("f", ("model: msdc", "model: ../../etc"), r"f\.yaml': model"),
        ("g", ("model: msdc", "model: !!python/object/apply:os.system [ls]"), r"is not plain YAML"),
    ]:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text.replace(*change))
        with pytest.raises(ConfigError, match=message):
            load_device(path)
    with pytest.raises(ConfigError, match=r"file name must be a lower-case identifier"):
        load_device(tmp_path / "Bad Name.yaml")


TOKENS = ["for", "while", "repeat", "case", "endcase", "default", "analog function real f;", "endfunction", "idt", "white_noise", "ddx",
          "branch", "localparam", "aliasparam", "nature", "endnature", "discipline", "enddiscipline", "initial_step", "$abstime", "integer",
          "V(p, n)", "I(p, n)", "k", "%", "**", "&&", "module", "endmodule", "analog", "begin", "end", "if", "else", "(", ")", ";", ",", "V", "I", "(p)", "<+", "=", "+", "-",
          "*", "/", "1", "2.5k", "a", "p", "n", "dut", "ddt", "exp", "real", "electrical", "inout", "parameter", "from", "[0:1]",
          "`define", "`ifdef", "`endif", '"x"', "$random", "@", "?", ":", "\n", "(*", "*)", "//", "/*", "*/", "\\"]  # fmt: skip


@settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(TOKENS), max_size=60).map(" ".join)))
def test_no_input_crashes_the_reader(tmp_path: Path, text: str) -> None:
    """Whatever the text, the reader returns a module or a VerilogAError."""
    path = tmp_path / "fuzz.va"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        load_module(path)
    except VerilogAError as error:
        assert str(error)


WORD = re.compile(
    r'"[^"\n]*"|//[^\n]*|`\w+|\$\w+|[A-Za-z_]\w*|[0-9.]+(?:e[+-]?\d+)?\w*|<\+|\*\*|&&|\|\||[<>=!]=|\s+|.', re.S
)
MODELS = [WORD.findall(p.read_text()) for p in sorted(model_dir().glob("*/*.va"))]
WORDS = sorted({w for model in MODELS for w in model if not w.isspace() and len(w) < 40} | set(TOKENS))


@st.composite
def damaged_models(draw: st.DrawFn) -> str:
    """A shipped model with a few words lost, changed, swapped, doubled or put in."""
    words = list(draw(st.sampled_from(MODELS)))
    for _ in range(draw(st.integers(1, 5))):
        at, other = (draw(st.integers(0, len(words) - 1)) for _ in range(2))
        match draw(st.sampled_from(["lose", "change", "insert", "swap", "double"])):
            case "lose":
                del words[at]
            case "change":
                words[at] = draw(st.sampled_from(WORDS))
            case "insert":
                words.insert(at, draw(st.sampled_from(WORDS)))
            case "swap":
                words[at], words[other] = words[other], words[at]
            case "double":
                words[at:at] = words[at : at + 8]
    return "".join(words)


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged_models())
def test_no_damage_crashes_a_target(tmp_path: Path, text: str) -> None:
    """A damaged model is refused where it stands, or goes through every target."""
    path = tmp_path / "fuzz.va"
    path.write_text(text)
    try:
        module = load_module(path)
    except VerilogAError as error:
        assert re.match(r"fuzz\.va:\d+:\d+: ", str(error))
        return
    for write in (emit_osdi, lambda m: emit_ngspice(m, name="dut", parameters={}), lambda m: compile_numpy(m, {})):
        with contextlib.suppress(PyharnessError):  # such as a default out of its range
            write(module)
