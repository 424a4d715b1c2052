# SPDX-License-Identifier: BSD-3-Clause
"""The site builds without a warning, as `make docs` does it, and what its pages link to is there."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("site")  # one build serves all


def build(docs: Path, out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", *words, str(docs), str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "docs", folder / "html", "-d", str(folder / "doctrees"))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


def read(pages: Iterable[Path]) -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def test_every_page_is_built(site: Path) -> None:
    """No Markdown file is left aside, and nothing is loaded from elsewhere."""
    sources = [p.relative_to(ROOT / "docs").with_suffix(".html") for p in (ROOT / "docs").rglob("*.md")]
    assert len(sources) > 40
    assert [str(page) for page in sources if not (site / page).is_file()] == []
    assert re.findall(r'(?:src|<link[^>]*href)="https?:[^"]*"', read(site.rglob("*.html"))) == []


def test_external_links_are_listed(site: Path) -> None:
    """In a file of their own: nothing is fetched."""
    listed = (site / "external-links.txt").read_text().split()
    assert "https://arxiv.org/abs/2408.14680" in listed
    assert all(link.startswith("https://") for link in listed)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("reference/cli", ["pyharness selftest", "--edges", "--dry-run", "pyharness fit-pulses"]),
        ("reference/configuration", ["law_v_per_siemens", "V/S", "Lowest and highest conductance of a target"]),
        ("reference/record", ["DeviceResult", "final_siemens", "Wilson"]),
        ("reference/study", ["spot_checks", "as_ratio"]),
        ("reference/controller", ["STUCK_LIMIT", "0x005c"]),
        ("reference/api/cosim", ["pyharness.cosim.AnalogBlock.crossing", "pyharness.cosim.SolverOptions"]),
        ("sync", ["What is not seen"]),
        ("veriloga", ["hidden state"]),
    ],
)
def test_references_hold_what_they_describe(site: Path, page: str, words: list[str]) -> None:
    """Taken from the program and its sources."""
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[away](nowhere.md)", "nowhere"),
        ("[a section](index.md#there-is-none)", "there-is-none"),
        ('<a href="gone.html">gone</a>', "no file for gone.html"),
        ('<a href="index.html#gone">gone</a>', "no anchor for index.html#gone"),
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js from elsewhere"),
        ("```{eval-rst}\n:py:class:`pyharness.cosim.Nothing`\n```", "pyharness.cosim.Nothing"),
    ],
)
def test_links_that_lead_nowhere_fail_the_build(tmp_path: Path, text: str, message: str) -> None:
    """Each kind, in a site of one page."""
    docs = tmp_path / "docs"
    shutil.copytree(ROOT / "docs" / "extensions", docs / "extensions")
    conf = (ROOT / "docs" / "conf.py").read_text()
    (docs / "conf.py").write_text(conf.replace('ROOT / "docs" / "extensions"', 'Path(__file__).parent / "extensions"'))
    (docs / "index.md").write_text(f"# One page\n\n{text}\n")
    done = build(docs, tmp_path / "html")
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


def test_a_key_without_a_meaning_fails_the_build(tmp_path: Path) -> None:
    """The page of the configuration can have none left out, and none too many."""
    docs = tmp_path / "docs"
    shutil.copytree(ROOT / "docs" / "extensions", docs / "extensions")
    (docs / "reference").mkdir()
    meanings = (ROOT / "docs" / "reference" / "configuration.yaml").read_text()
    (docs / "reference" / "configuration.yaml").write_text(meanings.replace("test.count:", "test.cuont:"))
    conf = (ROOT / "docs" / "conf.py").read_text()
    (docs / "conf.py").write_text(conf.replace('ROOT / "docs" / "extensions"', 'Path(__file__).parent / "extensions"'))
    (docs / "index.md").write_text("# One page\n\n```{generated} configuration\n```\n")
    done = build(docs, tmp_path / "html")
    assert done.returncode != 0
    assert re.search(r"missing \['test\.count'\],\s+no key \['test\.cuont'\]", done.stdout + done.stderr)
