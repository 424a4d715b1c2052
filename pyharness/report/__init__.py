# SPDX-License-Identifier: BSD-3-Clause
"""The report of a run: one self-contained HTML file, and each figure with the data behind it as files of its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pyharness.files import replace_file
from pyharness.record import Record
from pyharness.report.figures import draw_all
from pyharness.report.page import render
from pyharness.report.source import Source

__all__ = ("write_report",)


def write_report(record: Record, folder: Path) -> Path:
    """Write ``report.html`` into ``folder``, and the figures with their data into ``folder/figures``; return the page's path.

    The same record gives the same bytes.  A card or an image file that is not there any more costs the figures that need it, and the
    page says so.

    Args:
        record: complete or partial; what is missing is named.
        folder: existing folder.
    """
    source, figures = Source(record), folder / "figures"
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as drawing:  # an interrupt leaves no half of them
        page = render(source, *draw_all(source, Path(drawing)))
        figures.mkdir(exist_ok=True)
        for file in Path(drawing).iterdir():
            os.replace(file, figures / file.name)
    return replace_file(folder / "report.html", page)
