# SPDX-License-Identifier: BSD-3-Clause
"""A study's file: a base configuration and series, each of which varies some of its keys."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, PrivateAttr, field_validator

from pyharness.code import code_version
from pyharness.config import SimConfig, beside, pinned
from pyharness.errors import ConfigError
from pyharness.resources import shipped_studies
from pyharness.suggest import there_are
from pyharness.yamlfile import checked, file_of, read_mapping

__all__ = (
    "Against",
    "Point",
    "Series",
    "SpotCheck",
    "Statement",
    "Study",
    "chosen",
    "load_study",
    "points",
)


Metric = Literal["accuracy", "below_bayes", "training_time_s", "energy_j", "pulses", "given_up", "error_rms"]
"""What a statement may ask of runs; :mod:`pyharness.study.summary` says what each is."""


class _AsConfiguration:
    """Gives a mapping the schema of a configuration; what it says is checked with each run's own."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(SimConfig.__pydantic_core_schema__)


class _DottedKeys:
    """Lets the schema know which keys a mapping may have: those of a configuration and of its sections."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "propertyNames": {"enum": _dotted(SimConfig)}}


def _each_once(values: list[Any]) -> list[Any]:
    """Refuse a list of which no run, or the same runs twice, would come."""
    if not values:
        raise ValueError("no value means no run: give one or more, or leave the key out")
    if twice := [value for place, value in enumerate(values) if value in values[:place]]:
        raise ValueError(f"{twice[0]!r} is listed twice, and its runs would count twice: leave one of them out")
    return values


Values = Annotated[list[Any], AfterValidator(_each_once), Field(json_schema_extra={"minItems": 1, "uniqueItems": True})]
"""What a key takes in a series, one after another."""


def _dotted(model: type[BaseModel]) -> list[str]:
    keys = []
    for name, field in model.model_fields.items():
        inside = field.annotation
        below = _dotted(inside) if isinstance(inside, type) and issubclass(inside, BaseModel) else []
        keys += [name, *(f"{name}.{key}" for key in below)]
    return keys


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Series(_Part):
    """Runs of one question.

    ``vary``: key -> values, each once, every combination; a dotted key names an entry of a section, as in ``test.pixel_noise``.
    ``change``: entries that differ from the study's base in the whole series, in the same form.
    ``repeats``: arrays of each combination, with seeds ``base.seed``, ``base.seed + 1`` ...
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    vary: Annotated[dict[str, Values], _DottedKeys] = {}
    change: Annotated[dict[str, Any], _DottedKeys] = {}
    repeats: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @field_validator("vary", "change")
    @classmethod
    def _no_seed(cls, entries: dict[str, Any]) -> dict[str, Any]:
        if "seed" in entries:
            raise ValueError("'seed' is not for a series to set: repeats go on from the base's seed; leave it out here")
        return entries


class Against(_Part):
    """Runs that a statement's are compared with, seed by seed: by ratio, or by difference."""

    series: str | None = None
    at: Annotated[dict[str, Any], _DottedKeys] = {}
    as_ratio: bool = False


class Statement(_Part):
    """A published statement and the runs that answer it.

    ``reading``: how a statement in words became ``published``, a number; ``goal``: which side of it is the better one.
    """

    statement: str
    reading: str = ""
    published: float
    goal: Literal["at_least", "at_most"]
    metric: Metric
    series: str
    at: Annotated[dict[str, Any], _DottedKeys] = {}
    against: Against | None = None


class SpotCheck(_Part):
    """Runs of a series that another engine does too: what the series' engine is worth is measured on them.

    ``at``: which of the series' combinations; all that hold these values.  ``change``: entries that differ in the runs of both engines.
    ``repeats``: arrays of each, from the study's first seed on.
    """

    series: str
    at: Annotated[dict[str, Any], _DottedKeys] = {}
    change: Annotated[dict[str, Any], _DottedKeys] = {}
    engine: Literal["ngspice", "behavioural", "numpy"] = "ngspice"
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1

    @field_validator("change")
    @classmethod
    def _changes(cls, change: dict[str, Any]) -> dict[str, Any]:
        for key in ("engine", "seed"):
            if key in change:
                raise ValueError(f"'{key}' is not for a spot check to change: both engines do the series' own jobs")
        return change

    @property
    def name(self) -> str:
        """Series under which the runs are stored: no other one has a dot in its name."""
        return f"{self.series}.{self.engine}"


class Study(_Part):
    """A study; ``base`` is a configuration as for ``pyharness sim``; ``limit_s`` ends a run that takes longer."""

    study: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    base: Annotated[dict[str, Any], _AsConfiguration] = {}
    limit_s: Annotated[float, Field(gt=0)] = 3600.0
    series: Annotated[list[Series], Field(min_length=1)]
    statements: list[Statement] = []
    spot_checks: list[SpotCheck] = []
    # paths in it count from its folder
    _file: Path = PrivateAttr(Path("study.yaml"))


@dataclass(frozen=True)
class Point:
    """One run of a study.

    Attributes:
        series: its name; ``series.engine`` for a spot check.
        varied: the varied keys' values.
        config: all of its configuration, with the seed and the digests of the files that it reads.
    """

    series: str
    varied: dict[str, Any]
    config: SimConfig

    @cached_property
    def id(self) -> str:
        """Name that follows from the full configuration, the seed and the digests of files in it, and the version of the code, and from
        nothing else."""
        what = [self.config.model_dump(mode="json"), code_version()]
        text = json.dumps(what, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_study(path: str | Path) -> Study:
    """Return the study of a YAML file, or of a shipped one by its name (``paper``).

    Raises:
        ConfigError: it cannot be read, a key is unknown, or a series is there twice.
    """
    file = file_of(path, shipped_studies(), "study")
    study = checked(Study, read_mapping(file, "study"), f"study '{file}'")
    study._file = file
    _check_questions(study, f"study '{file}'")
    names = [*(series.name for series in study.series), *(check.name for check in study.spot_checks)]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(
            f"study '{file}': series '{twice[0]}' is there twice: give each its own name, and each series one spot check by an engine"
        )
    return study


def _check_questions(study: Study, where: str) -> None:
    """Check that each series that something asks for is there, and varies what it is asked at.

    Raises:
        ConfigError: it is not, or does not.
    """
    named = {series.name: series for series in study.series}

    def check(who: str, name: str, at: dict[str, Any]) -> None:
        if name not in named:
            raise ConfigError(f"{where}: {who} asks for series '{name}': {there_are(name, named)}")
        for key in at:
            if key not in named[name].vary:
                raise ConfigError(
                    f"{where}: {who} asks at '{key}', which series '{name}' does not vary: {there_are(key, named[name].vary)}"
                )

    for statement in study.statements:
        who = f"statement '{statement.statement}'"
        check(who, statement.series, statement.at)
        if statement.against:
            check(who, statement.against.series or statement.series, statement.against.at)
    for spot_check in study.spot_checks:
        check("a spot check", spot_check.series, spot_check.at)


def _put(data: dict[str, Any], key: str, value: Any, where: str) -> None:
    """Set a dotted key."""
    *sections, last = key.split(".")
    for section in sections:
        data = data.setdefault(section, {})
        if not isinstance(data, dict):
            raise ConfigError(f"{where}: '{key}': '{section}' holds a value, not a section")
    data[last] = value


def _config(study: Study, series: Series, entries: dict[str, Any], seed: int) -> SimConfig:
    where = f"study '{study.study}', series '{series.name}'"
    data: dict[str, Any] = json.loads(json.dumps(study.base))
    for key, value in {**series.change, **entries}.items():
        _put(data, key, copy.deepcopy(value), where)
    data["seed"] = seed
    return pinned(checked(SimConfig, beside(study._file, data), where))


def points(study: Study) -> Iterator[Point]:
    """Yield every run, series by series, the spot checks behind them: each by the engine of its series, then by its own.

    Raises:
        ConfigError: a run's configuration is wrong, or is that of two combinations, whose runs would count twice.
    """
    made: dict[tuple[str, str], dict[str, Any]] = {}
    for point in _points(study):
        other = made.setdefault((point.series, point.id), point.varied)
        if other is not point.varied:
            differing = [key for key, value in point.varied.items() if value != other[key]]
            first, second = (", ".join(f"{key} {at[key]!r}" for key in differing) for at in (other, point.varied))
            raise ConfigError(
                f"study '{study.study}', series '{point.series}': {first} and {second} are one configuration, whose runs would count "
                "twice: leave one of them out of 'vary'"
            )
        yield point


def _points(study: Study) -> Iterator[Point]:
    for series in study.series:
        for varied in _combinations(series):
            yield from _repeated(study, series, series.name, varied, {}, series.repeats)
    named = {series.name: series for series in study.series}
    for check in study.spot_checks:
        series = named[check.series]
        wanted = [varied for varied in _combinations(series) if check.at.items() <= varied.items()]
        if not wanted:
            raise ConfigError(
                f"study '{study.study}': spot check of '{series.name}' at {check.at}: no run has these values"
            )
        if both := set(check.change) & set(series.vary):
            raise ConfigError(
                f"study '{study.study}': spot check of '{series.name}' changes '{min(both)}', which the series varies: choose by 'at'"
            )
        for varied, engine in itertools.product(wanted, ({}, {"engine": check.engine})):
            for point in _repeated(study, series, check.name, varied, {**check.change, **engine}, check.repeats):
                if not engine and point.config.engine == check.engine:
                    raise ConfigError(
                        f"study '{study.study}': spot check of '{series.name}' by engine {check.engine}, which is the series' own: "
                        "name another one"
                    )
                yield point


def _combinations(series: Series) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*series.vary.values()):
        yield dict(zip(series.vary, values, strict=True))


def _repeated(
    study: Study, series: Series, name: str, varied: dict[str, Any], change: dict[str, Any], repeats: int
) -> Iterator[Point]:
    first = int(study.base.get("seed", 1))
    one = _config(study, series, {**varied, **change}, first)
    for repeat in range(repeats):
        yield Point(name, varied, one.model_copy(update={"seed": first + repeat}))


def chosen(study: Study, names: list[str] | None) -> Study:
    """Return the study with the named series alone, and the statements that need no other; all without names.

    Raises:
        ConfigError: no such series.
    """
    if not names:
        return study
    there = [series.name for series in study.series]
    for name in names:
        if name not in there:
            raise ConfigError(f"study '{study.study}' has no series '{name}': {there_are(name, there)}")
    statements = [s for s in study.statements if {s.series, (s.against and s.against.series) or s.series} <= set(names)]
    series = [series for series in study.series if series.name in names]
    checks = [check for check in study.spot_checks if check.series in names]
    return study.model_copy(update={"series": series, "statements": statements, "spot_checks": checks})
