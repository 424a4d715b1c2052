# SPDX-License-Identifier: BSD-3-Clause
"""The manual of a model: one HTML file that needs no network.

Parameters, operating-point variables, nodes and the sign that SETs follow from the Verilog-A source by the project's own
compiler, the cards from their files, the rest from the description beside the source.  The same sources give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape

from pyharness import __version__
from pyharness.errors import ConfigError
from pyharness.files import replace_file
from pyharness.fit import load_measured
from pyharness.fit.measured import DOPANTS
from pyharness.handoff.description import read_sections
from pyharness.handoff.loops import loop_figure
from pyharness.resources import model_dir
from pyharness.veriloga import Card, Module, Parameter, compile_numpy, load_card, load_module
from pyharness.veriloga.graph import constant, parameter
from pyharness.veriloga.header import Header, read_header

__all__ = ("SECTIONS", "set_sign", "write_manual")

SECTIONS = ("Equations", "Parameters", "Validity", "Known limits", "Sources", "Changes")
"""Sections that a model's description must have; ``Cards`` where the model has cards."""

_SERIES_OHM = 1e3


@dataclass(frozen=True)
class _CardPart:
    """One card as shown: its name, content, and its figure where its device was measured."""

    name: str
    card: Card
    figure: str


def set_sign(module: Module, volt: float = 1.0) -> int:
    """Return 1 where a positive voltage from the first port to the second raises the state, -1 where a negative one does.

    Raises:
        ConfigError: neither, or both.
    """
    model = compile_numpy(module, {}, ("x0",))
    rates = [float(model.rate(v, 0.0, x0=0.5)) for v in (volt, -volt)]
    if not rates[0] * rates[1] < 0:
        raise ConfigError(
            f"module '{module.name}': +{volt:g} V and -{volt:g} V move the state at rates of {rates[0]:g} and {rates[1]:g} 1/s: "
            "one sign is to SET, the other to RESET"
        )
    return 1 if rates[0] > 0 else -1


def _range(p: Parameter, values: Mapping[Any, Any]) -> str:
    permitted = " or ".join(str(i.at(values) or "follows from other parameters") for i in p.intervals)
    excluded = ", ".join(f"{r.low:g}" if r.low == r.high else str(r) for i in p.excluded if (r := i.at(values)))
    return (permitted or "any") + (f" without {excluded}" if excluded else "")


def _parameter_rows(module: Module) -> list[dict[str, str]]:
    """Return name, default, unit, range, kind and description of every parameter that can be set."""
    defaults = module.check_parameters({})
    values = {parameter(n): constant(v) for n, v in defaults.items()}
    aliases = {name: [a for a, target in module.aliases.items() if target == name] for name in module.parameters}
    return [
        {
            "name": " = ".join([p.name, *aliases[p.name]]),
            "default": f"{defaults[p.name]:g}",
            "unit": p.units or "",
            "range": _range(p, values),
            "kind": "instance" if p.instance else "model",
            "description": p.desc,
        }
        for p in module.parameters.values()
        if not p.local
    ]


def _node_rows(module: Module) -> list[dict[str, str]]:
    sign = set_sign(module)
    first, second = module.ports[:2]
    roles = {
        first: "SET terminal" if sign > 0 else "RESET terminal",
        second: "RESET terminal" if sign > 0 else "SET terminal",
    }
    return [
        {
            "name": node,
            "kind": "port, inout" if node in module.ports else "internal",
            "discipline": module.disciplines.get(node, "electrical"),
            "role": roles.get(node, "state minus x0, 1 V per 1" if node in module.internal_nodes else ""),
        }
        for node in module.nodes
    ]


def _cards(folder: Path, module: Module) -> list[_CardPart]:
    parts = []
    for path in sorted((folder / "cards").glob("*.yaml")):
        name, card = load_card(path)
        module.check_parameters(card.parameters)
        figure = loop_figure(module, card, load_measured(card.dopant)) if card.dopant in DOPANTS else ""
        parts.append(_CardPart(name, card, figure))
    return parts


def _sections(folder: Path, model: str, with_cards: bool) -> dict[str, str]:
    path = folder / f"{model}.md"
    sections = read_sections(path)
    lacking = [s for s in (*SECTIONS, *(("Cards",) if with_cards else ())) if s not in sections]
    if lacking:
        raise ConfigError(f"{path} has no section {', '.join(lacking)}: the manual needs it, write '## {lacking[0]}'")
    return sections


def _checked(header: Header, module: Module) -> Header:
    if not header.version:
        raise ConfigError(
            f"{module.file} states no version: write '// {module.name} 1.0.0: what it is' at its head, for the manual's title"
        )
    return header


def write_manual(model: str, path: Path, folder: Path | None = None) -> None:
    """Write the manual of ``model`` to ``path`` in one step.

    Args:
        model: name of a model.
        path: of the HTML file; its folder is made where it is not there.
        folder: holds ``<model>.va``, ``<model>.md`` and ``cards``; that of the shipped model by default.

    Raises:
        ConfigError: no such model, no version, a description that lacks a section, a faulty card.
        VerilogAError: a faulty source.
    """
    folder = folder or model_dir() / model
    source = folder / f"{model}.va"
    if not source.is_file():
        raise ConfigError(f"no model '{model}' in {folder}: it needs {source.name} there")
    module = load_module(source)
    cards = _cards(folder, module)
    environment = Environment(
        loader=PackageLoader("pyharness.handoff"), autoescape=select_autoescape(["html", "j2"]), trim_blocks=True
    )
    environment.filters["figure"] = lambda value: f"{value:.4g}" if np.isfinite(value) else str(value)
    text = environment.get_template("manual.html.j2").render(
        module=module,
        header=_checked(read_header(source, module.name), module),
        sign=set_sign(module),
        parameters=_parameter_rows(module),
        nodes=_node_rows(module),
        cards=cards,
        sections=_sections(folder, model, bool(cards)),
        series_ohm=_SERIES_OHM,
        package_version=__version__,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text)
