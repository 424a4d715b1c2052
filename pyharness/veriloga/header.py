# SPDX-License-Identifier: BSD-3-Clause
"""What the comment at the head of a Verilog-A file states: name, version, licence, authors, citation, polarity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ("Header", "read_header")


@dataclass(frozen=True)
class Header:
    """The statements of a source's head; empty where there is none.

    Attributes:
        version: ``version.subversion.revision``: parameter sets break, compatible change, implementation alone.
        title: what the model is, the rest of the version's line.
        licence: SPDX identifier.
        date: of the version, ISO 8601.
        authors, citation: free text.
        port_order: the sentence on the order of the ports and the sign that SETs.
    """

    version: str
    title: str
    licence: str
    date: str
    authors: str
    citation: str
    port_order: str


def read_header(source: Path, name: str) -> Header:
    """Return what the line comments of ``source`` before its first statement say of module ``name``.

    Raises:
        OSError: the file cannot be read.
    """
    lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    head = []
    for line in lines:
        if line.strip() and not line.lstrip().startswith("//"):
            break
        head.append(line)
    text = "\n".join(head)

    def stated(pattern: str) -> str:
        found = re.search(pattern, text, re.M | re.I)
        return found[1].strip() if found else ""

    return Header(
        version=stated(rf"^//\s*{re.escape(name)} (\d+\.\d+\.\d+)\b"),
        title=stated(rf"^//\s*{re.escape(name)} \d+\.\d+\.\d+\s*:\s*(.*)$"),
        licence=stated(r"SPDX-License-Identifier:\s*(\S+)"),
        date=stated(r"^//\s*Date:\s*(\d{4}-\d\d-\d\d)\s*$"),
        authors=stated(r"^//\s*Authors?:\s*(.+)$"),
        citation=stated(r"^//\s*Cite:\s*(.+)$"),
        port_order=stated(r"//.*?port order:\s*(.+)$"),
    )
