# SPDX-License-Identifier: BSD-3-Clause
"""The programmed state of an array: what each device was to be, what it is, what it took; made from a run's record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pyharness.config import recorded_config
from pyharness.errors import ConfigError
from pyharness.record import Record
from pyharness.yamlfile import checked

__all__ = ("DeviceState", "ProgrammedState", "programmed_state", "state_schema")

_Conductance = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Energy = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeviceState(_Part):
    """One device, in the array's order: layer by layer, row by row.

    ``parameters``: those that differ from the card's.  ``actual_siemens`` is what the array reads at ``read_v``.
    """

    device: _Count
    layer: _Count
    row: _Count
    col: _Count
    target_siemens: _Conductance
    actual_siemens: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    error_rel: Annotated[float, Field(ge=-1, allow_inf_nan=False)]
    pulses: _Count
    verdict: Literal["untouched", "reached", "given_up", "stuck_low", "aborted", "stuck_high"]
    energy_j: _Energy
    parameters: dict[str, float] = {}


class ProgrammedState(_Part):
    """The state of an array after a run.  SI units throughout.

    ``seed``, ``engine``, ``card``: with the same version of pyharness they give the same run again.  ``tolerance``: share of the
    target within which a device counts as reached.  ``layers``: rows and columns of each.
    """

    schema_version: Literal[1] = 1
    pyharness: str
    engine: str
    seed: _Count
    card: str
    read_v: Annotated[float, Field(gt=0)]
    tolerance: Annotated[float, Field(gt=0)]
    layers: Annotated[list[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]], Field(min_length=1)]
    training_time_s: Annotated[float, Field(ge=0)]
    devices: Annotated[list[DeviceState], Field(min_length=1)]


def programmed_state(record: Record) -> ProgrammedState:
    """Return the programmed state that a record tells.

    Raises:
        ConfigError: the run was not completed, so that some devices' states are not known, or another version's record.
    """
    if record.status != "complete" or record.training_time_s is None:
        raise ConfigError(
            f"the state of an array is that after a complete run, but this one is '{record.status}' with {len(record.devices)} devices "
            "read back: repeat it"
        )
    config = recorded_config(record.config)
    own = record.variation.devices if record.variation and config.variation.device else []
    state = {
        "pyharness": record.tools.get("pyharness"),
        "engine": record.engine,
        "seed": record.seed,
        "card": Path(config.device.card).stem,  # a path is a matter of the machine
        "read_v": config.write_verify.read_v,
        "tolerance": config.write_verify.tolerance,
        "layers": record.network.get("layers"),
        "training_time_s": record.training_time_s,
        "devices": [
            {
                "device": i,
                "layer": d.layer,
                "row": d.row,
                "col": d.col,
                "target_siemens": d.target_siemens,
                "actual_siemens": d.final_siemens,
                "error_rel": d.error_rel,
                "pulses": d.pulses,
                "verdict": d.status,
                "energy_j": max(d.energy_j, 0.0),  # rounding may leave a device that took nothing below it
                "parameters": own[i] if own else {},
            }
            for i, d in enumerate(record.devices)
        ],
    }
    return checked(ProgrammedState, state, "the run's record holds no programmed state")


def state_schema() -> dict[str, Any]:
    """Return the JSON schema of ``state.json``."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **ProgrammedState.model_json_schema()}
    found: dict[str, Any] = json.loads(json.dumps(schema, sort_keys=True))
    return found
