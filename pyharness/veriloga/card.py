# SPDX-License-Identifier: BSD-3-Clause
"""Device cards: named parameter sets of the shipped models, or of a user's own, with their origin and validity."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pyharness.errors import ConfigError, VerilogAError
from pyharness.pinned import check_digest
from pyharness.resources import model_dir, shipped_cards, shipped_models
from pyharness.suggest import did_you_mean, there_are
from pyharness.veriloga.module import START, Module
from pyharness.veriloga.numpy_target import NumpyModel
from pyharness.veriloga.parse import load_module
from pyharness.veriloga.preprocess import preprocess
from pyharness.veriloga.state_form import check_terminals
from pyharness.yamlfile import checked, parse_mapping, read_text

__all__ = (
    "READ_V",
    "Card",
    "Device",
    "card_sha256",
    "check_card_name",
    "check_window",
    "load_any",
    "load_card",
    "load_device",
    "model_reference",
)

READ_V = 0.1
"""Voltage of the reads that a card's window is stated for."""

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


class Spread(BaseModel):
    """How a parameter scatters: ``normal`` adds ``sigma`` (in ``unit``), ``lognormal`` multiplies (``sigma`` of the logarithm)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    distribution: Literal["normal", "lognormal"]
    sigma: Annotated[float, Field(ge=0)]
    unit: str
    source: str


class Spreads(BaseModel):
    """Scatter by parameter, from pulse to pulse of one device and from device to device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cycle_to_cycle: dict[str, Spread] = {}
    device_to_device: dict[str, Spread] = {}


class Hold(BaseModel):
    """Largest relative change of a conductance in the window: an hour at 0 V; 10^4 reads of 0.1 V and 100 us."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hour_at_0_v: Annotated[float, Field(ge=0)]
    reads_10000: Annotated[float, Field(ge=0)]


class FitError(BaseModel):
    """How the model deviates: at 1 V 10 Hz, where a figure of the 1 V series is beyond its limit, and after pulses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rated: dict[str, str] = {}
    beyond_limits: list[str] = []
    pulses: list[str] = []


class Card(BaseModel):
    """One card as written in its file; ``series_ohm`` is the resistor that the measurement and the window are for.

    ``model``: name of a shipped one, or the path of a ``.va`` file, which counts from the card's own folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,62}|[^\x00]{1,1024}\.va)$")]
    dopant: str
    parameters: dict[str, float]
    window_siemens: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    series_ohm: Annotated[float, Field(gt=0)] | None = None
    hold: Hold | None = None
    spread: Spreads = Spreads()
    fit: FitError | None = None
    validity: str
    source: str


@dataclass(frozen=True)
class Device:
    """A card together with its compiled model; ``name`` is the card's file name."""

    name: str
    card: Card
    module: Module


def check_card_name(path: Path) -> None:
    """Refuse a file name that could not be the name of a subcircuit.

    Raises:
        ConfigError: no lower-case identifier and ``.yaml``.
    """
    if path.suffix != ".yaml" or not _IDENTIFIER.match(path.stem):
        raise ConfigError(f"a card's file name must be a lower-case identifier before .yaml, got {path.name!r}")


def _file(name: str | Path) -> Path:
    path = Path(name)
    if path.suffix == ".yaml":
        return path
    cards = shipped_cards()
    if str(name) not in cards:
        hint = did_you_mean(str(name), cards)
        raise ConfigError(
            f"no device card {str(name)!r}: {f'{hint} ' if hint else ''}give one of {', '.join(cards)}, or the path of a .yaml card file"
        )
    return cards[str(name)]


def load_card(name: str | Path) -> tuple[str, Card]:
    """Return (name, card) of a shipped card by its name, or of a ``.yaml`` file by its path.

    Raises:
        ConfigError: no such card, a key or value that breaks the schema; the message names file and key.
    """
    path = _file(name)
    check_card_name(path)
    return path.stem, _parsed(path, read_text(path, "card"))


@lru_cache(maxsize=64)  # the jobs of a study share a few cards
def _parsed(path: Path, text: str) -> Card:
    return checked(Card, parse_mapping(text, path, "card"), f"card '{path}'")


_shipped = cache(load_module)  # the package's own files do not change while it runs


@lru_cache(maxsize=16)  # the jobs of a study share it; a file that was written since is read again
def _own(source: Path, *_written: int) -> Module:
    return load_module(source)


def _own_source(card: Card, path: Path) -> Path | None:
    """Return the file of a model that is not a shipped one."""
    return path.parent / card.model if card.model.endswith(".va") else None


def _module(card: Card, path: Path) -> Module:
    own = _own_source(card, path)
    source = own or model_dir() / card.model / f"{card.model}.va"
    if not source.is_file():
        raise ConfigError(
            f"card '{path.stem}' names the model '{card.model}', but there is no {own or source.name}: give the name of a shipped "
            "model, or the path of a .va file, from the card's own folder"
        )
    return _own(own, own.stat().st_mtime_ns, own.stat().st_size) if own else _shipped(source)


def model_reference(module: Module, folder: Path) -> str:
    """Return how a card in ``folder`` names a model: by the name of a shipped one, else by the path from there."""
    if module.source.resolve().is_relative_to(model_dir().resolve()):
        return module.name
    return os.path.relpath(module.source.resolve(), folder.resolve())


def card_sha256(name: str | Path) -> str:
    """Return the digest, in hexadecimal, of a card's file and of the model that it brings along, with all that this includes.

    Raises:
        ConfigError: a faulty card.
        VerilogAError: a faulty directive, or there is no such file.
    """
    path = _file(name)
    own = _own_source(load_card(name)[1], path)
    text = read_text(path, "card") + (preprocess(own).text if own else "")
    return hashlib.sha256(text.encode()).hexdigest()


def load_device(name: str | Path, sha256: str | None = None) -> Device:
    """Return the card and its compiled model, with every parameter checked.

    Args:
        name: as :func:`load_card` takes it.
        sha256: what :func:`card_sha256` must give; None: anything.

    Raises:
        ConfigError: a faulty card, another digest, no such model, an unknown parameter, a value out of its range, a model that
            has not two ports and a parameter ``x0``.
        VerilogAError: the model's source is faulty.
    """
    stem, card = load_card(name)
    if sha256 is not None:
        check_digest(_file(name), card_sha256(name), sha256)
    module = _module(card, _file(name))
    try:
        check_terminals(module)
    except VerilogAError as cause:
        raise ConfigError(f"card '{stem}': {cause}") from None
    module.check_parameters(card.parameters)
    for kind in ("cycle_to_cycle", "device_to_device"):
        for name in getattr(card.spread, kind):
            if name not in module.parameters:
                raise ConfigError(
                    f"card '{stem}': spread.{kind} names '{name}', which module '{module.name}' does not have"
                )
    return Device(stem, card, module)


def load_any(name: str, include_dirs: Sequence[Path] = ()) -> tuple[Module, Device | None]:
    """Return the module of a card's name or path, of a shipped model's name, or of a Verilog-A file; and the card's device.

    Args:
        name: of the card or model, or a path.
        include_dirs: folders searched for a Verilog-A file's includes after its own.

    Raises:
        ConfigError: none of these, or a faulty card.
        VerilogAError: a faulty source.
    """
    models, cards = shipped_models(), shipped_cards()
    if name in models:
        return load_module(models[name]), None
    if name in cards or name.endswith(".yaml"):
        device = load_device(name)
        return device.module, device
    if name.endswith(".va") or Path(name).exists():
        return load_module(name, include_dirs), None
    raise ConfigError(
        f"no device card '{name}', and no model: {there_are(name, [*cards, *models])}; or give the path of a .yaml or .va file"
    )


_ROUNDING = 1e-9


def check_window(model: NumpyModel, window_siemens: Sequence[float]) -> tuple[float, float]:
    """Return the range of ``x0``, 0 to 1 where it has none, between whose ends the model reads as all of a card's window.

    Args:
        model: with ``x0`` free.
        window_siemens: lowest and highest conductance at :data:`READ_V`.

    Raises:
        ConfigError: the model does not reach the window.
        VerilogAError: a model of another form than two ports and states.
    """
    bounds = model.module.state_bounds
    bounds = bounds if all(map(math.isfinite, bounds)) else (0.0, 1.0)
    first, last = sorted(float(model.current(READ_V, 0.0, **{START: x})) / READ_V for x in bounds)
    low, high = window_siemens
    # a conductance of the card and current over voltage of the model differ by rounding, where they are the same
    if not first * (1 - _ROUNDING) <= low < high <= last * (1 + _ROUNDING):
        raise ConfigError(
            f"the window of {low:g} to {high:g} S is beyond what module '{model.module.name}' reaches with these parameters, "
            f"{first:.3g} to {last:.3g} S at {READ_V:g} V: correct window_siemens in the card"
        )
    return bounds
