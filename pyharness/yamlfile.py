# SPDX-License-Identifier: BSD-3-Clause
"""YAML files of a user: read without trust, checked key by key, every fault told with a way out."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from pyharness.errors import ConfigError
from pyharness.pinned import check_content
from pyharness.suggest import did_you_mean

__all__ = ("checked", "file_of", "led_by", "parse_mapping", "parse_yaml", "read_mapping", "read_text", "read_yaml")

MOST_BYTES = 16 << 20
"""A larger file is none that a person wrote; a device file has no end."""

Model = TypeVar("Model", bound=BaseModel)
_short = reprlib.Repr()  # a value may be large, by aliases even larger than its file
_short.maxstring = _short.maxother = 80


class _UniqueKeys(yaml.SafeLoader):
    """Safe loader that refuses a key given twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def file_of(name: str | Path, shipped: Mapping[str, Path], what: str) -> Path:
    """Return the file of a path, or of a shipped name where there is no such file.

    Raises:
        ConfigError: neither; with the name that is most like it.
    """
    file = Path(name)
    if not file.is_file() and str(name) in shipped:
        return shipped[str(name)]
    if not file.exists():
        hint = did_you_mean(file.stem, shipped)
        raise ConfigError(
            f"cannot read {what} '{file}': there is no such file; {f'{hint} ' if hint else ''}shipped ones: {', '.join(shipped)}"
        )
    return file


def read_text(file: Path, what: str, sha256: str | None = None) -> str:
    """Return the text of a file that a person wrote; ``what`` leads the messages, ``sha256`` is the digest that it must have.

    Raises:
        ConfigError: unreadable, too large, not UTF-8, another digest.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(
                f"{what} '{file}' has more than {MOST_BYTES >> 20} MiB: give a file that is meant for this"
            )
        check_content(file, content, sha256)
        return content.decode("utf-8-sig")
    except OSError as cause:
        raise ConfigError(f"cannot read {what} '{file}': {cause.strerror}") from None
    except UnicodeDecodeError as cause:
        raise ConfigError(f"{what} '{file}' is not text in UTF-8: {cause}") from None


def parse_yaml(text: str, file: Path, what: str) -> Any:
    """Return what the text of a file, one YAML document, says; None if that is nothing.

    Raises:
        ConfigError: not YAML, a key given twice.
    """
    try:
        loader = _UniqueKeys(text)
        loader.name = str(file)  # for the places in messages
        return loader.get_single_data()
    except (yaml.YAMLError, ValueError) as cause:  # a value may look like a date of a thirteenth month
        raise ConfigError(f"{what} '{file}' is not plain YAML: {cause}") from None
    except RecursionError:
        raise ConfigError(f"{what} '{file}' is not plain YAML: it is nested too deeply") from None


def read_yaml(file: Path, what: str, sha256: str | None = None) -> Any:
    """Return what a YAML file says, by :func:`read_text` and :func:`parse_yaml`."""
    return parse_yaml(read_text(file, what, sha256), file, what)


def read_mapping(file: Path, what: str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds, by :func:`read_text` and :func:`parse_mapping`."""
    return parse_mapping(read_text(file, what), file, what)


def parse_mapping(text: str, file: Path, what: str) -> dict[str, Any]:
    """Return the mapping that the text of a file says; an empty one if it says nothing.

    Raises:
        ConfigError: as :func:`parse_yaml`, or no mapping.
    """
    data = parse_yaml(text, file, what)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{what} '{file}' must be a mapping of keys, got {type(data).__name__}")
    return data


def checked(model: type[Model], data: Any, where: str) -> Model:
    """Return ``data`` as a ``model``.

    Raises:
        ConfigError: a line for each key or value that breaks its rule; ``where`` leads each.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{where}: {_explain(one, model)}" for one in error.errors())) from None


@contextmanager
def led_by(where: str) -> Iterator[None]:
    """Let ``where`` lead the message of a ConfigError inside, which knows no file: as in :func:`checked`; "": nothing."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}" if where else str(error)) from error.__cause__


_NUMBER_WITH_UNIT = re.compile(
    r"\s*([-+]?\d*\.?\d+(?:e[-+]?\d+)?)\s*(%|[pnuµμmkMG]?)(?:s|V|S|siemens|Hz|W|[oO]hm|Ω)?\s*"
)
_FACTORS = {
    "": 1,
    "%": 1e-2,
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "µ": 1e-6,
    "μ": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
}
_NUMBERS = {
    "float_parsing": "must be a number, in SI units and without the unit",
    "int_parsing": "must be a whole number, without a unit",
}
"""Type of an error -> the rule."""


def _explain(error: Any, model: type[BaseModel]) -> str:
    location = ".".join(map(str, error["loc"])) or "the file"
    if error["type"] == "extra_forbidden":
        around = _model_at(model, error["loc"][:-1])
        allowed = list(around.model_fields) if around else []
        hint = did_you_mean(str(error["loc"][-1]), allowed) or f"the keys here are {', '.join(allowed)}"
        return f"unknown key '{location}': {hint}"
    if error["type"] == "missing":
        return f"{location}: this key is missing"
    given, kind = error["input"], error["type"]
    rule = _NUMBERS.get(kind) or str(error.get("ctx", {}).get("error", error["msg"]))
    inside = _model_at(model, error["loc"])
    if kind == "model_type" and inside:
        rule = f"must be a section of keys ({', '.join(inside.model_fields)})"
    words = f"{location}: {rule}, got {_short.repr(given)}"
    if kind == "float_parsing" and isinstance(given, str) and (number := _NUMBER_WITH_UNIT.fullmatch(given)):
        return f"{words}: write {float(number[1]) * _FACTORS[number[2]]:g}"
    if kind == "model_type" and inside and (key := _key_for(inside, given)):
        return f"{words}: write {location}: {{{key}: {given}}}"
    if error["type"] == "literal_error":
        hint = did_you_mean(
            str(error["input"]), error["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        )
        return f"{words}: {hint}" if hint else words
    return words


def _key_for(model: type[BaseModel], given: Any) -> str | None:
    """Return the first key that a word, given in a section's place, may be the value of."""

    def fits(key: str) -> bool:
        try:
            model.model_validate({key: given})
        except ValidationError:
            return False
        return True

    return next(filter(fits, model.model_fields), None) if isinstance(given, str) else None


def _model_at(model: type[BaseModel], location: tuple[Any, ...]) -> type[BaseModel] | None:
    """Return the model whose keys stand at ``location``."""
    annotation: Any = model
    for part in location:
        inside = _model_in(annotation)
        # anything else is the place in a list, or a key of a mapping, of the one model that the annotation holds
        if inside and str(part) in inside.model_fields:
            annotation = inside.model_fields[str(part)].annotation
    return _model_in(annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation is, or is a list, a mapping or an alternative of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
