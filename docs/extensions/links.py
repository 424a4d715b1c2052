# SPDX-License-Identifier: BSD-3-Clause
"""Links of the built site: internal ones and their anchors must lead somewhere, external ones are listed.

The list is ``external-links.txt``: nothing is fetched, since the site is built without a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

LISTED = "external-links.txt"


class _Page(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loads += [given[name] for name in ("src", "href") if tag != "a" and name in given]


def faults_of(folder: Path) -> tuple[list[str], set[str]]:
    """Return what is wrong with the links of a built site, and its external links."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    faults = [fault for path in pages for fault in _internal(folder, path, pages)]
    external = {link for page in pages.values() for link in page.links if urlsplit(link).scheme in ("http", "https")}
    return faults, external


def _internal(folder: Path, path: Path, pages: dict[Path, _Page]) -> Iterator[str]:
    where, page = path.relative_to(folder), pages[path]
    for load in page.loads:
        if urlsplit(load).scheme not in ("", "data") or load.startswith("//"):
            yield f"{where}: loads {load} from elsewhere"
    for link in [*page.links, *page.loads]:
        parts = urlsplit(link)
        if parts.scheme or link.startswith("//"):
            continue
        file, anchor = urldefrag(link)
        target = (path.parent / unquote(urlsplit(file).path)).resolve() if file else path
        if not target.exists():
            yield f"{where}: no file for {link}"
        elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
            yield f"{where}: no anchor for {link}"


def _check(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir).resolve()
    faults, external = faults_of(folder)
    (folder / LISTED).write_text("".join(f"{link}\n" for link in sorted(external)), encoding="utf-8")
    if faults:
        raise ExtensionError("links that lead nowhere:\n" + "\n".join(faults))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True}
