# SPDX-License-Identifier: BSD-3-Clause
"""Device cards: named parameter sets of the shipped models, with their origin and validity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pyharness.errors import ConfigError
from pyharness.resources import model_dir, shipped_cards
from pyharness.suggest import did_you_mean
from pyharness.veriloga.module import Module
from pyharness.veriloga.parse import load_module
from pyharness.yamlfile import checked, parse_mapping, read_text

__all__ = ("Card", "Device", "check_card_name", "load_card", "load_device")

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
    """One card as written in its file; ``series_ohm`` is the resistor that the measurement and the window are for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
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


def load_card(name: str | Path, sha256: str | None = None) -> tuple[str, Card]:
    """Return (name, card) of a shipped card by its name, or of a ``.yaml`` file by its path; ``sha256``: digest that the file must have.

    Raises:
        ConfigError: no such card, a key or value that breaks the schema; the message names file and key.
    """
    path = Path(name)
    if path.suffix != ".yaml":
        cards = shipped_cards()
        if str(name) not in cards:
            hint = did_you_mean(str(name), cards)
            raise ConfigError(
                f"no device card {str(name)!r}: {f'{hint} ' if hint else ''}give one of {', '.join(cards)}, or the path of a .yaml card file"
            )
        path = cards[str(name)]
    check_card_name(path)
    return path.stem, _parsed(path, read_text(path, "card", sha256))


@lru_cache(maxsize=64)  # the jobs of a study share a few cards
def _parsed(path: Path, text: str) -> Card:
    return checked(Card, parse_mapping(text, path, "card"), f"card '{path}'")


_shipped = cache(load_module)  # the package's own files do not change while it runs


def load_device(name: str | Path, sha256: str | None = None) -> Device:
    """Return the card and its compiled model, with every parameter checked.

    Raises:
        ConfigError: a faulty card, an unknown parameter, a value out of its range.
        VerilogAError: the model's source is faulty.
    """
    stem, card = load_card(name, sha256)
    source = model_dir() / card.model / f"{card.model}.va"
    if not source.is_file():
        raise ConfigError(f"card '{stem}' names the model '{card.model}', but there is no {source.name}")
    module = _shipped(source)
    module.check_parameters(card.parameters)
    for kind in ("cycle_to_cycle", "device_to_device"):
        for name in getattr(card.spread, kind):
            if name not in module.parameters:
                raise ConfigError(
                    f"card '{stem}': spread.{kind} names '{name}', which module '{module.name}' does not have"
                )
    return Device(stem, card, module)
