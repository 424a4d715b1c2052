# SPDX-License-Identifier: BSD-3-Clause
"""JSON schemas (draft 2020-12) of the files that pyharness reads and writes."""

from __future__ import annotations

import json

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from pyharness.config import SimConfig
from pyharness.fit import FitPlan
from pyharness.record import Record
from pyharness.study.spec import Study
from pyharness.study.summary import Summary
from pyharness.veriloga import Card

__all__ = ("SCHEMAS", "schema_text")

SCHEMAS: dict[str, type[BaseModel]] = {
    "config": SimConfig,
    "study": Study,
    "card": Card,
    "fit-plan": FitPlan,
    "record": Record,
    "summary": Summary,
}
"""Kind of file -> what it is checked against."""


def schema_text(kind: str) -> str:
    """Return the schema of a kind of file, of :data:`SCHEMAS`, as JSON text."""
    schema = {"$schema": GenerateJsonSchema.schema_dialect, **SCHEMAS[kind].model_json_schema()}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
