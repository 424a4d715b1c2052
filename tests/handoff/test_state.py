# SPDX-License-Identifier: BSD-3-Clause
"""The programmed state: from the golden record and from any run; its schema takes it and refuses what is none."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from typer.testing import CliRunner

from pyharness.bench.runner import run_sim
from pyharness.cli import commands
from pyharness.config import SimConfig
from pyharness.errors import ConfigError, SimulationError
from pyharness.handoff.golden import CONFIG, golden_record
from pyharness.handoff.state import ProgrammedState, programmed_state, state_schema


def test_state_of_the_golden_run(files: dict[str, bytes]) -> None:
    """Every device with its target, its conductance, its pulses, its own parameters."""
    state = json.loads(files["state/state.json"])
    schema = json.loads(files["state/state.schema.json"])
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(state)
    assert schema == state_schema()
    record = golden_record()
    assert (state["card"], state["seed"], state["layers"]) == ("chromium", CONFIG["seed"], [[1, 3], [3, 1]])
    assert len(state["devices"]) == len(record.devices) == 6
    for i, (told, device) in enumerate(zip(state["devices"], record.devices, strict=True)):
        assert (told["device"], told["pulses"], told["verdict"]) == (i, device.pulses, "reached")
        assert (told["target_siemens"], told["actual_siemens"]) == (device.target_siemens, device.final_siemens)
        assert abs(told["actual_siemens"] / told["target_siemens"] - 1 - told["error_rel"]) < 1e-12
        assert set(told["parameters"]) == {"v_on", "r_on", "r_off"}


BAD: list[tuple[tuple[Any, ...], Any]] = [
    (("schema_version",), 2),
    (("seed",), -1),
    (("tolerance",), 0),
    (("devices",), []),
    (("layers",), [[1, 0]]),
    (("layers",), [[1, 2, 3]]),
    (("devices", 0, "verdict"), "perhaps"),
    (("devices", 0, "pulses"), 1.5),
    (("devices", 0, "target_siemens"), 0),
    (("devices", 0, "actual_siemens"), "2e-4"),
    (("devices", 0, "unknown"), 1),
]


@pytest.mark.parametrize(("place", "value"), BAD, ids=lambda v: ".".join(map(str, v)) if isinstance(v, tuple) else "")
def test_what_is_no_state(files: dict[str, bytes], place: tuple[Any, ...], value: Any) -> None:
    """Schema and model refuse it."""
    state = json.loads(files["state/state.json"])
    target = state
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    assert list(Draft202012Validator(state_schema()).iter_errors(state))
    if value != "2e-4":  # which pydantic reads as the number that it is
        with pytest.raises(ValidationError):
            ProgrammedState.model_validate(state)


@pytest.mark.parametrize("key", ["seed", "devices", "card", "pyharness"])
def test_what_a_state_lacks(files: dict[str, bytes], key: str) -> None:
    """No part may be missing."""
    state = json.loads(files["state/state.json"])
    del state[key]
    assert list(Draft202012Validator(state_schema()).iter_errors(state))


def test_state_of_any_run(tmp_path: Path) -> None:
    """The command, from a run's folder: a device that is given up among them; nothing is overwritten unasked."""
    config = SimConfig.model_validate({**CONFIG, "write_verify": {"max_pulses": 3}, "variation": {}})
    run = run_sim(config, tmp_path / "runs", "test")
    output = tmp_path / "state.json"
    arguments = ["handoff", "state", str(run), "-o", str(output)]
    assert CliRunner().invoke(commands, arguments).exit_code == 0
    state = ProgrammedState.model_validate_json(output.read_text())
    Draft202012Validator(state_schema()).validate(json.loads(output.read_text()))
    assert {d.verdict for d in state.devices} >= {"given_up"}
    assert all(d.pulses <= 3 and d.parameters == {} for d in state.devices)
    again = CliRunner().invoke(commands, arguments)
    assert isinstance(again.exception, ConfigError) and "--force" in str(again.exception)
    printed = CliRunner().invoke(commands, ["handoff", "state", str(run)])
    assert printed.output == output.read_text()
    no_run = CliRunner().invoke(commands, ["handoff", "state", str(tmp_path)])
    assert isinstance(no_run.exception, SimulationError)


def test_an_unfinished_run_has_no_state() -> None:
    """What was not read back is not known."""
    record = golden_record().model_copy(update={"status": "interrupted"})
    with pytest.raises(ConfigError, match="after a complete run, but this one is 'interrupted'"):
        programmed_state(record)


def test_a_record_of_another_version() -> None:
    """Is told with the key that this version does not know, or lacks."""
    record = golden_record()
    record.config["write_verify"]["patience"] = 3
    with pytest.raises(
        ConfigError, match=r"does not read the run's configuration: unknown key 'write_verify.patience'"
    ):
        programmed_state(record)
    record = golden_record()
    del record.network["layers"]
    with pytest.raises(ConfigError, match="the run's record holds no programmed state: layers"):
        programmed_state(record)


def test_an_energy_that_rounding_leaves_below_zero() -> None:
    """Is none."""
    record = golden_record()
    record.devices[0].energy_j = -1e-22
    assert programmed_state(record).devices[0].energy_j == 0


def test_a_card_of_ones_own_is_told_by_its_name(tmp_path: Path) -> None:
    """Not by its path, which is a matter of the machine."""
    card = tmp_path / "mine.yaml"
    card.write_text("")
    record = golden_record()
    record.config["device"]["card"] = str(card)
    assert programmed_state(record).card == "mine"
