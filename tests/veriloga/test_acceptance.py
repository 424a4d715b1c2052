# SPDX-License-Identifier: BSD-3-Clause
"""Other front ends read the shipped models, and mean the same: ADMS (which Xyce uses) and OpenVAF's, as verilogae."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pyharness.resources import model_dir
from pyharness.veriloga import compile_numpy, load_card, load_module

NEEDS = ("adms",)
MODELS = sorted(p.stem for p in model_dir().glob("*/*.va"))
# variables to compare, and how the current follows from them and the voltage
CURRENT = {"msdc": "i", "vteam": "g", "yakopcic": "i"}


def test_there_are_models() -> None:
    """The three that ship."""
    assert MODELS == ["msdc", "vteam", "yakopcic"]


@pytest.mark.parametrize("name", MODELS)
def test_adms_accepts(tmp_path: Path, name: str) -> None:
    """admsXml reads the source without a word of complaint; a fault in it is told."""
    source = model_dir() / name / f"{name}.va"
    done = subprocess.run(
        ["admsXml", str(source)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0 and not re.search(r"error|warn|fatal", told, re.I), told
    bad = tmp_path / "bad.va"
    bad.write_text(source.read_text().replace("real v,", "real unknown = 0.0, v,", 1))  # ADMS knows no start values
    done = subprocess.run(["admsXml", str(bad)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0 or re.search(r"error|fatal", done.stdout + done.stderr, re.I)


def marked(tmp_path: Path, name: str) -> Path:
    """A copy whose current and rate OpenVAF's front end gives out."""
    text = (model_dir() / name / f"{name}.va").read_text()
    for variable in (CURRENT[name], "rate"):
        attributed = re.compile(rf"\(\*[^*]*\*\)\s*real {variable};")
        if attributed.search(text):
            text = attributed.sub(f"(* retrieve *) real {variable};", text)
        else:
            text = re.sub(rf"(    real v,[^;]*), {variable}\b", r"\1", text, count=1)
            text = text.replace("    real v,", f"    (* retrieve *) real {variable};\n    real v,", 1)
    path = tmp_path / f"{name}.va"
    path.write_text(text)
    return path


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="verilogae's wheels end at Python 3.11")
@pytest.mark.parametrize("name", MODELS)
def test_numpy_agrees_with_openvafs_front_end(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 random points: current and state derivative to 1e-12 of their largest value near each point."""
    import verilogae

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    theirs = verilogae.load(str(marked(tmp_path, name)))
    module = load_module(model_dir() / name / f"{name}.va")
    parameters = {"x0": 0.0}
    if name == "msdc":
        parameters |= load_card("chromium")[1].parameters
    values = module.check_parameters(parameters)
    rng = np.random.default_rng(11)
    v, x = rng.uniform(-2, 2, 20_000), rng.uniform(0, 1, 20_000)
    model = compile_numpy(module, parameters)
    found = {}
    for variable in (CURRENT[name], "rate"):
        f = theirs.functions[variable]
        volts = {b: x if "n_x" in b else v for b in f.voltages}
        found[variable] = np.asarray(f.eval(temperature=300.15, voltages=volts, **{p: values[p] for p in f.parameters}))
    current = found[CURRENT[name]] * (v if CURRENT[name] == "g" else 1.0)
    np.testing.assert_allclose(model.current(v, x), current, rtol=1e-12, atol=1e-12 * 1e-6)
    # a rate is a difference of two terms: where they cancel, rounding is that of the terms
    scale = np.abs(found["rate"]).max()
    np.testing.assert_allclose(model.rate(v, x), found["rate"], rtol=1e-12, atol=1e-15 * scale)
