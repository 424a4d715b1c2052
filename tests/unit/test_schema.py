# SPDX-License-Identifier: BSD-3-Clause
"""The published JSON schemas: they hold what is shipped and written, refuse what is misspelt, and the copies are current."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from pyharness.bench.runner import read_record, run_sim
from pyharness.cli.schema import Kind
from pyharness.config import SimConfig
from pyharness.resources import model_dir, shipped_cards, shipped_configs, shipped_studies
from pyharness.schema import SCHEMAS, schema_text
from pyharness.study.spec import Metric, load_study
from pyharness.study.store import Store
from pyharness.study.summary import METRICS, summary_json

COPIES = Path(__file__).parents[2] / "docs" / "schema"
SHIPPED = {
    "config": shipped_configs(),
    "study": shipped_studies(),
    "card": shipped_cards(),
    "fit-plan": {p.parent.name: p for p in model_dir().glob("*/fit.yaml")},
}
TINY = {
    "engine": "numpy",
    "images": [[["#."]], [[".#"]]],
    "training": {"hidden": 1, "targets_siemens": [2e-4, 2.5e-4, 1.5e-4]},
    "test": {"count": 4},
    "variation": {"device": True, "cycle": True},
}


def check(kind: str, data: Any) -> None:
    schema = json.loads(schema_text(kind))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(data)


def shipped(kind: str, name: str) -> Any:
    return yaml.safe_load(SHIPPED[kind][name].read_text())


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, files in SHIPPED.items() for name in files])
def test_what_is_shipped_fits(kind: str, name: str) -> None:
    """Every YAML file of the package."""
    check(kind, shipped(kind, name))


@pytest.mark.parametrize(
    ("kind", "name", "place", "fault"),
    [
        ("config", "sim", [], {"sede": 1}),
        ("config", "sim", ["write_verify"], {"tolerence": 0.01}),
        ("config", "sim", ["write_verify"], {"tolerance": 2}),
        ("config", "sim", [], {"engine": "spice"}),
        ("config", "sim", [], {"images": {"flie": "digits"}}),
        ("study", "paper", [], {"serie": []}),
        ("study", "paper", ["base"], {"trainning": {}}),
        ("study", "paper", ["series", 0], {"vary": {"test.pixle_noise": [0]}}),
        ("study", "paper", ["statements", 0], {"metric": "acuracy"}),
        ("card", "chromium", [], {"validty": ""}),
        ("card", "chromium", ["spread"], {"cycle_to_cycl": {}}),
        ("fit-plan", "msdc", [], {"scater": {}}),
    ],
)
def test_what_is_misspelt_does_not(kind: str, name: str, place: list[Any], fault: dict[str, Any]) -> None:
    """Keys at every depth, choices, ranges."""
    data = inside = shipped(kind, name)
    for key in place:
        inside = inside[key]
    inside.update(fault)
    with pytest.raises(ValidationError):
        check(kind, data)


@pytest.mark.parametrize("images", [[[["#."]], [[".#"]]], "digits", {"file": "a.csv", "threshold": 3}])
def test_images_have_short_forms(images: Any) -> None:
    """A list of patterns, a word, a section."""
    check("config", {"images": images})


def test_what_is_written_fits(tmp_path: Path) -> None:
    """A run's record, and the summary of a study without runs."""
    folder = run_sim(SimConfig.model_validate(TINY), tmp_path, "test")
    check("record", json.loads((folder / "results.json").read_text()))
    assert read_record(folder).status == "complete"
    study = load_study("paper")
    with Store(tmp_path / "study.db") as store:
        check("summary", json.loads(json.dumps(summary_json(store, study))))


def test_every_metric_is_known() -> None:
    """To the study's file and to the summary."""
    assert get_args(Metric) == tuple(METRICS)
    assert set(METRICS) <= set(json.loads(schema_text("summary"))["$defs"]["LineResult"]["properties"])


def test_the_copies_are_current() -> None:
    """docs/schema holds what ``pyharness schema`` prints: ``make schema`` writes it anew."""
    assert [kind.value for kind in Kind] == [*SCHEMAS]
    assert sorted(path.stem for path in COPIES.iterdir()) == sorted(SCHEMAS)
    for kind in SCHEMAS:
        assert json.loads((COPIES / f"{kind}.json").read_text()) == json.loads(schema_text(kind)), kind
