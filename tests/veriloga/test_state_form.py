# SPDX-License-Identifier: BSD-3-Clause
"""Modules as devices: a contributed voltage turned round to a current, and other forms refused with place and cause."""

from pathlib import Path

import numpy as np
import pytest

from pyharness.bench.job import build_job
from pyharness.config import SimConfig
from pyharness.errors import ConfigError, VerilogAError
from pyharness.fit.cards import window_states
from pyharness.qa import circuits, subject_of
from pyharness.veriloga import Module, check_window, compile_numpy, emit_verilog, load_device, load_module
from pyharness.veriloga.scalar_target import compile_scalar

HEAD = """`include "disciplines.vams"
module lid(p, n);
    inout p, n; electrical p, n, m, k;
    parameter real r_on = 100.0 from (0:inf);
    parameter real r_off = 16e3 from (0:inf);
    parameter real x0 = 0.3 from [0:1];
    real x;
    analog begin
        x = x0 + V(m);
"""
STATE = "I(m) <+ 1u * ddt(V(m)) - 0.01 * I(p, n) * x * (1 - x);"
DRIFT = f"V(p, n) <+ I(p, n) * (r_on * x + r_off * (1 - x)); {STATE}"
CARD = "{{model: lid.va, dopant: none, parameters: {{}}, window_siemens: [{}], validity: none, source: none}}"


def module_of(folder: Path, body: str) -> Module:
    """The module with ``body``; the node k is there where the body has it."""
    head = HEAD if "(k" in body else HEAD.replace(", m, k", ", m")
    (folder / "lid.va").write_text(f"{head}        {body}\n    end\nendmodule\n")
    return load_module(folder / "lid.va")


@pytest.mark.parametrize(
    "body",
    [
        DRIFT,
        DRIFT.replace("V(p, n) <+ I(p, n) *", "V(n, p) <+ I(n, p) *"),
        f"V(p, n) <+ I(p, n) * r_on * x; V(p, n) <+ I(p, n) * r_off * (1 - x); {STATE}",
        f"I(p, n) <+ V(p, n) / (r_on * x + r_off * (1 - x)); {STATE}",
    ],
)
def test_linear_ion_drift(tmp_path: Path, body: str) -> None:
    """Current, rate and their slopes are those of the formula, whichever side is contributed; all roots of the system's equations."""
    model = compile_numpy(module_of(tmp_path, body), {}, ("x0",))
    v, x = np.array([-1.0, 0.2, 2.0])[:, None], np.linspace(0, 1, 5)
    ohm = 100.0 * x + 16e3 * (1 - x)
    np.testing.assert_allclose(model.current(v, x, x0=0.0), v / ohm, rtol=1e-14)
    np.testing.assert_allclose(model.rate(v, x, x0=0.0), 1e4 * v / ohm * x * (1 - x), rtol=1e-14)
    (i_v, i_x), _ = model.jacobian(v, x, x0=0.0)
    np.testing.assert_allclose(i_v, np.broadcast_to(1 / ohm, i_v.shape), rtol=1e-14)
    np.testing.assert_allclose(i_x, v / ohm**2 * (16e3 - 100.0), rtol=1e-13)
    assert "device_evaluate" in emit_verilog(model.module, {})
    found = compile_scalar(model)(0.2, 0.5, np.array([0.0]))
    np.testing.assert_allclose(found[:2], [0.2 / 8050, 1e4 * 0.2 / 8050 * 0.25], rtol=1e-13)
    sign = 1.0 if "n, p" not in body else -1.0
    f, _ = model.residuals([2.0, 0.5, 0.1, sign * 1.5 / (100.0 * 0.4 + 16e3 * 0.6)])
    assert f[0] == pytest.approx(-f[1]) and f[3] == pytest.approx(0.0, abs=1e-12)


def test_linear_ion_drift_is_the_same_in_ngspice(tmp_path: Path) -> None:
    """The subcircuit holds the voltage that the source contributes, the NumPy functions the current that follows."""
    module_of(tmp_path, DRIFT)
    assert [c.name for c in circuits.targets(subject_of(str(tmp_path / "lid.va"))) if not c.passed] == []


def test_an_offset_that_follows_the_state(tmp_path: Path) -> None:
    """V = V0 + R I."""
    model = compile_numpy(module_of(tmp_path, f"V(p, n) <+ 0.1 * x + r_on * I(p, n); {STATE}"), {"x0": 0.0})
    assert model.current(1.0, 0.5) == pytest.approx((1 - 0.05) / 100)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            f"V(p, n) <+ 1k * I(p, n) + I(p, n) * abs(I(p, n)); {STATE}",
            r"lid\.va:10:9: the current must be contributed as I\(p, n\) <\+ \.\.\.: V\(p, n\) <\+ \.\.\. is turned round only where it is linear",
        ),
        (f"V(p, n) <+ 1k * I(p, n) + floor(I(p, n)); {STATE}", r"only where it is linear in I\(p, n\)"),
        (f"V(p, n) <+ 0.5 * x; {STATE}", r"lid\.va:10:9: the current must be contributed: V\(p, n\) <\+ .* sets a voltage"),
        (f"if (V(m) > 0) V(p, n) <+ 0; else I(p, n) <+ 0; {STATE}", r"are contributed in turns: contribute I\(p, n\) in both"),
        (f"I(p, n) <+ V(p, n) + 1u * I(p, n); {STATE}", r"I\(p, n\) depends on itself"),
        (f"I(p, n) <+ V(p, n) + ddt(1p * V(p, n)); {STATE}", r"lid\.va:10:9: .*leave ddt\(\) out of the branch between 'p' and 'n'"),
        (f"V(p, n) <+ r_on * I(p, n) + ddt(1n * I(p, n)); {STATE}", r"leave ddt\(\) out of the branch between 'p' and 'n'"),
        ("I(p, n) <+ V(p, n) * x; V(m) <+ 0.1 * V(p, n);", r"lid\.va:10:33: V\(m\) <\+ \.\.\. holds the node of a state"),
        (f"I(p, k) <+ V(p, k); I(k, n) <+ V(k, n); {STATE}", r"this one lies between 'p' and 'k': write the current as"),
        (f"I(p) <+ V(p); {STATE}", r"this one lies between 'p' and ground"),
        ("I(p, n) <+ V(p, n) * x; I(m) <+ V(m);", r"lid\.va:10:33: the node 'm' must be a state, I\(m\) <\+ ddt\(c\*V\(m\)\)"),
        ("I(p, n) <+ V(p, n) * x; I(m) <+ ddt(V(m) * V(p, n));", r"the node 'm' must be a state"),
    ],
)  # fmt: skip
def test_other_forms_are_refused(tmp_path: Path, body: str, message: str) -> None:
    """With the place and what to write; the ngspice target takes them."""
    model = compile_numpy(module_of(tmp_path, body), {})
    with pytest.raises(VerilogAError, match=rf"{message}.*; residuals\(\) and jacobians\(\) take any form"):
        model.current(0.0, 0.0)
    with pytest.raises(VerilogAError, match=rf"{message}.*; the targets ngspice and osdi take any form"):
        emit_verilog(model.module, {})


def job_of(folder: Path, body: str, engine: str, window: str = "7e-5, 1e-3") -> None:
    module_of(folder, body)
    (folder / "mine.yaml").write_text(CARD.format(window))
    data = {"device": {"card": str(folder / "mine.yaml")}, "engine": engine, "training": {"targets_siemens": [2e-4] * 3, "hidden": 1}, "images": [[["#."]], [[".#"]]]}  # fmt: skip
    build_job(SimConfig.model_validate(data))


def test_a_job_is_refused_before_it_runs(tmp_path: Path) -> None:
    """By the engines that cannot run the form, with the cause; ngspice takes it."""
    job_of(tmp_path, DRIFT, "numpy")
    other = "I(p, n) <+ V(p, n) * 1m * x + ddt(1p * V(p, n)); I(m) <+ ddt(V(m)) - V(p, n);"
    job_of(tmp_path, other, "ngspice")
    for engine in ("numpy", "behavioural"):
        with pytest.raises(
            VerilogAError, match=rf"leave ddt\(\) out .*; engine ngspice takes any form, engine {engine}"
        ):
            job_of(tmp_path, other, engine)
        two = f"{DRIFT} I(k) <+ ddt(V(k)) + V(k);"
        with pytest.raises(
            VerilogAError, match=r"module 'lid' has 2 nodes beside its ports \(m, k\): a device has one"
        ):
            job_of(tmp_path, two, engine)


@pytest.mark.parametrize("engine", ["ngspice", "numpy"])
def test_a_window_beyond_the_models_reach_is_refused(tmp_path: Path, engine: str) -> None:
    """As the quality suite does: 1/16 kOhm to 1/100 Ohm is what this model has."""
    with pytest.raises(
        ConfigError, match=r"card 'mine': the window of 1e-05 to 0\.001 S is beyond .* 6\.25e-05 to 0\.01 S at 0\.1 V"
    ):
        job_of(tmp_path, DRIFT, engine, "1e-5, 1e-3")


def test_a_window_up_to_the_models_ends_is_within(tmp_path: Path) -> None:
    """Current over voltage and 1/r differ in the last bit for one resistance in eight."""
    module = module_of(tmp_path, DRIFT)
    for r_on in np.arange(100.0, 10000.0, 100.0).tolist():
        model = compile_numpy(module, {"r_on": r_on}, ("x0",))
        window_states(model, (1 / 16e3, 1 / r_on))
        with pytest.raises(ConfigError, match="is beyond what module 'lid' reaches"):
            check_window(model, (1 / 16e3, 1.0001 / r_on))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("parameter real x0", "localparam real x0", r"lid\.va:1:1: module 'lid' has no parameter 'x0', by which the array sets"),
        ("p, n", "p, n, q", r"lid\.va:1:1: module 'lid' has 3 ports \(p, n, q\): a device has two"),
    ],
)  # fmt: skip
def test_a_card_needs_two_ports_and_a_start(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Told with the card, the module, and the rule."""
    module_of(tmp_path, DRIFT)
    source = tmp_path / "lid.va"
    head, _, rest = source.read_text().partition("analog")
    head = head.replace("from [0:1];", ";") if old != "p, n" else head
    source.write_text(head.replace(old, new) + "analog" + rest)
    (tmp_path / "mine.yaml").write_text(CARD.format("7e-5, 1e-3"))
    with pytest.raises(ConfigError, match=f"card 'mine': {message}"):
        load_device(tmp_path / "mine.yaml")
