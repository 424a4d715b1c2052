# SPDX-License-Identifier: BSD-3-Clause
"""A user's own .va, named by the path in a card: found, checked, read again when it was written, and part of a run's id."""

import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pyharness.bench.job import build_job
from pyharness.cli import commands
from pyharness.config import SimConfig
from pyharness.errors import ConfigError, NetlistError, VerilogAError
from pyharness.qa import subject_of
from pyharness.qa.circuits import targets
from pyharness.study.spec import load_study, points
from pyharness.veriloga import is_model_type, load_device, load_module, osdi_subcircuit

OWN = Path(__file__).parents[2] / "examples" / "own_model"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OWN, tmp_path / "own"))


def test_the_path_counts_from_the_card(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the working folder; an absolute path, and one that leads up, serve as well; values are checked."""
    monkeypatch.chdir(tmp_path)
    for place, model in (
        ("own/mine.yaml", "memristor.va"),
        ("own/absolute.yaml", str(folder / "memristor.va")),
        ("beside.yaml", "own/memristor.va"),
        ("own/below/card.yaml", "../memristor.va"),
    ):
        card = yaml.safe_load((OWN / "mine.yaml").read_text()) | {"model": model}
        Path(place).parent.mkdir(exist_ok=True)
        Path(place).write_text(yaml.safe_dump(card))
        device = load_device(Path(place))
        assert device.module.source.resolve() == folder / "memristor.va"
        assert device.name == Path(place).stem
    card["parameters"]["v_set"] = -1.0
    Path("own/wrong.yaml").write_text(yaml.safe_dump(card | {"model": "memristor.va"}))
    with pytest.raises(ConfigError, match=r"parameter 'v_set' must lie in \(0:inf\) V, got -1\.0"):
        load_device("own/wrong.yaml")


def test_the_netlist_has_the_model(folder: Path) -> None:
    """Its subcircuit is named after module and card, not after the path."""
    config = SimConfig.model_validate({"device": {"card": str(folder / "mine.yaml")}})
    netlist = "\n".join(build_job(config).array.netlist)
    assert ".subckt memristor_mine " in netlist
    assert "tanh(" in netlist
    assert str(folder) not in netlist


def test_a_missing_model_is_told(folder: Path) -> None:
    """With the card, the place that was looked at and what else may stand there."""
    (folder / "memristor.va").unlink()
    with pytest.raises(
        ConfigError, match=r"card 'mine' names the model 'memristor\.va', but there is no .*own/memristor\.va: give"
    ):
        load_device(folder / "mine.yaml")


def test_a_changed_model_is_read_again(folder: Path) -> None:
    """In the same process: what was compiled before is not used, and a fault is told with its line."""
    card, model = folder / "mine.yaml", folder / "memristor.va"
    assert load_device(card).module.check_parameters({})["r_on"] == 1000.0
    assert load_device(card).module is load_device(card).module
    text = model.read_text()
    model.write_text(text.replace("r_on = 1.0e3", "r_on = 1.5e3 "))
    assert load_device(card).module.check_parameters({})["r_on"] == 1500.0
    model.write_text(text.replace("x = x0 + V(n_x);", "x = x + 1.0e-3;"))
    with pytest.raises(VerilogAError, match=r"memristor\.va:\d+:\d+: .*'x'"):
        load_device(card)


def test_a_runs_id_follows_from_the_model(folder: Path) -> None:
    """And from what it includes: another equation is another run, the same text the same."""
    model, study = folder / "memristor.va", folder / "study.yaml"

    def first() -> str:
        return next(points(load_study(study))).id

    before, text = first(), model.read_text()
    model.write_text(text)
    assert first() == before
    model.write_text(text.replace("1.0e-6 * tau", "1.1e-6 * tau"))
    assert first() != before
    (folder / "figures.vams").write_text("`define SLOW 1.0\n")
    model.write_text('`include "figures.vams"\n' + text.replace("tau * ddt", "tau * `SLOW * ddt"))
    included = first()
    (folder / "figures.vams").write_text("`define SLOW 2.0\n")
    assert first() not in (before, included)


def test_a_module_named_as_a_model_type_of_ngspice(tmp_path: Path) -> None:
    """ngspice has a code model ``memristor``, which it would take for the library's module: told where a library is asked for."""
    module = load_module(OWN / "memristor.va")
    with pytest.raises(NetlistError, match=r"memristor\.va: ngspice has a model type 'memristor' of its own.*rename"):
        osdi_subcircuit(module, name="dut", parameters={}, library=tmp_path / "a.osdi")
    done = CliRunner().invoke(commands, ["compile", str(module.source), "-o", str(tmp_path / "a.osdi")])
    assert done.exit_code == 0, done.output
    assert "ngspice has a model type 'memristor' of its own" in " ".join(done.output.split())
    assert not is_model_type("vteam")


def test_its_targets_are_compared_where_ngspice_has_its_name() -> None:
    """``memristor`` is a model type of newer ngspice: NumPy and B sources are compared, no library."""
    assert [(c.name, c.passed) for c in targets(subject_of(str(OWN / "mine.yaml")))] == [("NumPy = B sources", True)]
