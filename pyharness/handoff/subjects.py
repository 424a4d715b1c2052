# SPDX-License-Identifier: BSD-3-Clause
"""What is handed off: every shipped card, and every shipped model with its defaults, under one name each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pyharness.errors import ConfigError
from pyharness.resources import shipped_cards, shipped_models
from pyharness.veriloga import Card, Device, Module, Subcircuit, emit_ngspice, load_device, load_module

__all__ = ("EXAMPLE", "START", "Subject", "example_of", "subjects")

START = "x0"
"""The parameter that stays free: the state at the start, 0 .. 1."""
EXAMPLE = "chromium"
"""The card that decks and symbols show where one has to do."""
_DEFAULT_SERIES_OHM = 5110.0


@dataclass(frozen=True)
class Subject:
    """One device of the archive.

    Attributes:
        name: of its subcircuit and of its files: the card's, or the model's for the defaults.
        module: the compiled model.
        parameters: the card's values; none for the defaults.
        series_ohm: resistor between source and device in the decks: the card's.
        device: the card with its model; None for the defaults.
    """

    name: str
    module: Module
    parameters: Mapping[str, float]
    series_ohm: float = _DEFAULT_SERIES_OHM
    device: Device | None = None

    @property
    def card(self) -> Card | None:
        """The card, where there is one."""
        return self.device.card if self.device else None

    @property
    def start(self) -> float:
        """State at the start where an instance says nothing."""
        return float(self.module.check_parameters(self.parameters)[START])

    @cached_property
    def subcircuit(self) -> Subcircuit:
        """The ngspice form."""
        return emit_ngspice(self.module, name=self.name, parameters=self.parameters, instance_parameters=(START,))


def subjects() -> list[Subject]:
    """Return the cards by name, then the models by name.

    Raises:
        ConfigError: a card has a model's name: their files would be one.
    """
    cards, found = shipped_cards(), []
    for card in sorted(cards):
        device = load_device(card)
        series_ohm = device.card.series_ohm or _DEFAULT_SERIES_OHM
        found.append(Subject(card, device.module, device.card.parameters, series_ohm, device))
    for name, source in shipped_models().items():
        if name in cards:
            raise ConfigError(f"'{name}' is the name of a card and of a model: rename the card")
        found.append(Subject(name, load_module(source), {}))
    return found


def example_of(model: str) -> Subject:
    """Return what the loader decks of a model show: the example, else its first card, else its defaults."""
    own = [s for s in subjects() if s.module.name == model]
    return next((s for s in own if s.name == EXAMPLE), own[0])
