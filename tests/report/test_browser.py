# SPDX-License-Identifier: BSD-3-Clause
"""The report in a real browser: Chromium, driven over its DevTools protocol."""

import io
import re
from collections.abc import Iterator
from shutil import which
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from playwright.sync_api import Browser, Page, sync_playwright

NEEDS = ("chromium",)
pytestmark = pytest.mark.xdist_group("report")

Reported = Any  # of conftest.py, which is no module to import
SCREEN = {"width": 1280, "height": 800}
LIMIT_MS = 300_000  # the machine may be busy


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=which("chromium"), timeout=LIMIT_MS)
        yield started
        started.close()


def opened(browser: Browser, reported: Reported, told: list[str], **options: Any) -> Page:
    """Open the report; what the console says and what is asked of the network goes to ``told``."""
    page = browser.new_page(viewport=SCREEN, **options)
    page.set_default_timeout(LIMIT_MS)
    page.on("console", lambda message: told.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: told.append(f"error: {error}"))
    page.on("request", lambda request: told.append(f"request: {request.url}"))
    page.goto((reported.folder / "report.html").as_uri())
    return page


def colours(picture: bytes) -> int:
    """Return how many colours a PNG has."""
    pixels = np.round(imread(io.BytesIO(picture)) * 255).astype(np.uint32)
    return len(np.unique(pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]))


def test_nothing_is_asked_for_and_nothing_complained_of(browser: Browser, reported: Reported) -> None:
    """No request but the page's own, no word on the console, no error."""
    told: list[str] = []
    opened(browser, reported, told).close()
    asked = [line for line in told if not line.startswith("request: data:image/svg+xml;base64,")]
    assert asked == [f"request: {(reported.folder / 'report.html').as_uri()}"]


def test_a_request_would_be_noticed(browser: Browser, reported: Reported, tmp_path: Any) -> None:
    """And is refused by the page's own policy."""
    (tmp_path / "report.html").write_text(reported.page.replace("<main>", '<main><img src="other.png" alt="">'))
    told: list[str] = []
    opened(browser, type("Copy", (), {"folder": tmp_path}), told).close()
    assert [line for line in told if line.startswith("console: ") and "Content Security Policy" in line]


def test_every_figure_is_painted(browser: Browser, reported: Reported) -> None:
    """Its image is decoded, has its size, and many colours; a blank one has one."""
    page = opened(browser, reported, [])
    images = page.locator("figure img")
    assert images.count() == 10
    for image in images.all():
        assert image.evaluate("one => one.complete && one.naturalWidth > 300")
        assert colours(image.screenshot()) > 30
    ways = page.locator(".device:not(.other) svg")
    assert ways.count() == 1
    assert colours(ways.screenshot()) > 8
    blank = page.locator("figure img").first
    blank.evaluate("one => { one.style.opacity = '0' }")
    assert colours(blank.screenshot()) == 1
    page.close()


def test_the_first_screen_holds_the_verdict(browser: Browser, reported: Reported) -> None:
    """With the four answers and the first two figures, at 1280 x 800, nothing beyond the right edge."""
    page = opened(browser, reported, [])
    for part in (page.locator("#verdict"), *page.locator(".card").all(), *page.locator("figure img").all()[:2]):
        box = part.bounding_box()
        assert box is not None
        assert box["y"] >= 0 and box["y"] + box["height"] <= SCREEN["height"]
        assert box["x"] >= 0 and box["x"] + box["width"] <= SCREEN["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREEN["width"]
    assert "30 of 30 devices trained" in page.locator("#verdict").inner_text()
    page.close()


def test_a_device_is_chosen(browser: Browser, reported: Reported) -> None:
    """By the list, the buttons, and a link of the table; one is shown at a time."""
    page = opened(browser, reported, [])
    shown = page.locator(".device:not(.other) summary")
    assert shown.inner_text().startswith("device 0,")
    page.locator("#choice").select_option(index=7)
    assert shown.inner_text().startswith("device 7,")
    page.get_by_role("button", name="Next").click()
    assert shown.inner_text().startswith("device 8,")
    page.get_by_role("button", name="Previous").click()
    assert shown.inner_text().startswith("device 7,")
    page.evaluate("location.hash = '#device-29'")
    page.wait_for_function("document.querySelector('.device:not(.other)').dataset.label.startsWith('device 29,')")
    assert shown.count() == 1
    page.close()


def test_without_script_every_device_is_there(browser: Browser, reported: Reported) -> None:
    """Each can be opened; the list that needs script is not shown."""
    page = opened(browser, reported, [], java_script_enabled=False)
    assert page.locator(".device").count() == 30
    assert not page.locator("#chooser").is_visible()
    last = page.locator(".device").last
    assert not last.locator("table").is_visible()
    last.locator("summary").click()
    assert last.locator("table").is_visible()
    page.close()


@pytest.mark.parametrize("script", [True, False])
def test_the_print_is_whole(browser: Browser, reported: Reported, script: bool) -> None:
    """A4, several pages, collapsed sections open with and without script: each device's pulses, the configuration."""
    page = opened(browser, reported, [], java_script_enabled=script)
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 6 <= pages <= 20
    width, height = map(float, re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", printed)[0])
    assert (width, height) == pytest.approx((595, 842), abs=2)
    page.emulate_media(media="print")
    assert page.locator(".device").last.locator("td").first.bounding_box() is not None
    assert page.locator("pre").last.bounding_box() is not None
    assert not page.locator("nav").is_visible()
    page.close()
