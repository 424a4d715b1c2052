# SPDX-License-Identifier: BSD-3-Clause
"""Words of a message about a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ("did_you_mean", "there_are")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question after the known name that is most like ``name``, nothing if none is."""
    near = difflib.get_close_matches(name, [*known], n=1)
    return f"did you mean '{near[0]}'?" if near else ""


def there_are(name: str, known: Iterable[str]) -> str:
    """Return the question, and which names there are."""
    names = [*known]
    return f"{did_you_mean(name, names)} there are {', '.join(names) or 'none'}".strip()
