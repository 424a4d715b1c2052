# SPDX-License-Identifier: BSD-3-Clause
"""What a shell can complete: names of what is shipped, and of what lies where the commands put it.

A shell completes file names where none of these fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ("cards", "configs", "models_and_cards", "runs", "studies")


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def configs(incomplete: str) -> list[str]:
    """Return the names of shipped configurations."""
    from pyharness.resources import shipped_configs

    return _beginning(incomplete, shipped_configs())


def studies(incomplete: str) -> list[str]:
    """Return the names of shipped studies."""
    from pyharness.resources import shipped_studies

    return _beginning(incomplete, shipped_studies())


def cards(incomplete: str) -> list[str]:
    """Return the names of shipped cards."""
    from pyharness.resources import shipped_cards

    return _beginning(incomplete, shipped_cards())


def models_and_cards(incomplete: str) -> list[str]:
    """Return the names of shipped models and cards."""
    from pyharness.resources import shipped_cards, shipped_models

    return _beginning(incomplete, [*shipped_models(), *shipped_cards()])


def runs(incomplete: str) -> list[str]:
    """Return the folders of runs below the current one's ``build``, the latest first."""
    found = sorted((str(path.parent) for path in Path().glob("build/*/*/results.json")), reverse=True)
    return _beginning(incomplete, found)
