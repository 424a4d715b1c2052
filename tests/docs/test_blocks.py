# SPDX-License-Identifier: BSD-3-Clause
"""The pages' own files and commands, carried out: what a page shows is what comes out.

A page is worked through in a folder of its own, from top to bottom:

- a ``code-block`` or ``literalinclude`` with a ``:caption:`` is a file of that name;
- ``python`` blocks are run;
- of ``console`` blocks, lines after ``$ `` are run, and the lines below are what they print: the same words, the same whole numbers above 100,
  and others within a quarter, for versions of simulators differ; times in seconds are this machine's, and ``...`` stands for any lines;
- ``sh`` and ``text`` blocks are shown only: they take minutes, or tools that need not be there.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [DOCS / "index.md", *sorted(DOCS.glob("tutorial/*.md")), *sorted(DOCS.glob("howto/*.md"))]
LIMIT_S = 900
NEEDS = ("iverilog", "libngspice0", "ngspice")

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S)
OPTION = re.compile(r"^:(\w+): *(.*)\n", re.M)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?: ?s\b)?")
DATED = re.compile(r"\d{8}-\d{6}(?:-\d+)?")


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind, the file it is (if any), its text, and what it includes."""

    kind: str
    caption: str
    text: str
    source: Path | None = None


def blocks_of(page: str, folder: Path) -> list[Block]:
    """Return a page's blocks; ``folder`` is where includes are counted from."""
    found = []
    for match in FENCE.finditer(page):
        info, body = match["info"].strip(), match["body"]
        directive = re.fullmatch(r"\{([\w-]+)\} *(.*)", info)
        if not directive:
            found.append(Block(info, "", body))
            continue
        head = re.match(r"(?::\w+:[^\n]*\n)*\n?", body)
        assert head is not None
        options = dict(OPTION.findall(head[0]))
        source = (folder / directive[2]).resolve() if directive[1] == "literalinclude" else None
        found.append(Block(directive[1], options.get("caption", ""), body[head.end() :], source))
    return found


def same(shown: str, printed: str) -> bool:
    """Whether a line says the same as the one that the page shows."""
    shown, printed = (DATED.sub("DATE", " ".join(line.split())) for line in (shown, printed))
    if NUMBER.sub("#", shown) != NUMBER.sub("#", printed):
        return False
    for a, b in zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True):
        if a.endswith("s"):
            continue
        room = 0.0 if a.isdecimal() and int(a) > 100 else 0.25
        if abs(float(a) - float(b)) > max(room * abs(float(a)), 1e-12):
            return False
    return True


def agree(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines that were printed are the shown ones; ``...`` is any number of lines."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(agree(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and same(shown[0], printed[0]) and agree(shown[1:], printed[1:])


def carry_out(page: str, place: Path, folder: Path) -> int:
    """Write a page's files and run what it says, in ``place``; return how many commands and scripts there were."""
    python_path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": python_path, "COLUMNS": "160", "PYTHON": sys.executable}
    environment.pop("PYTEST_CURRENT_TEST", None)
    tools = 'pyharness() { "$PYTHON" -m pyharness "$@"; }; python() { "$PYTHON" "$@"; }; pytest() { "$PYTHON" -m pytest "$@"; }\n'

    def run(command: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", tools + command], cwd=place, env=environment, capture_output=True, text=True,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip
        # what ends with an error is shown with its message, and so with what it prints last
        printed = done.stdout + (done.stderr if done.returncode else "")
        return [line.rstrip() for line in printed.splitlines() if line.strip()]

    count = 0
    for block in blocks_of(page, folder):
        if block.caption:
            text = block.source.read_text(encoding="utf-8") if block.source else block.text
            (place / block.caption).parent.mkdir(parents=True, exist_ok=True)
            (place / block.caption).write_text(text, encoding="utf-8")
        elif block.kind == "python":
            count += 1
            done = subprocess.run([sys.executable, "-c", block.text], cwd=place, env=environment, capture_output=True, text=True, check=False)  # fmt: skip
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"
        elif block.kind == "console":
            for entry in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
                command, *shown = entry.splitlines()
                count += 1
                printed = run(command)
                expected = [line.rstrip() for line in shown if line.strip()]
                assert agree(expected, printed), "\n".join([f"$ {command}", "shown:", *expected, "printed:", *printed])
    return count


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    """Files, scripts, commands and what they print."""
    text = page.read_text(encoding="utf-8")
    count = carry_out(text, tmp_path, page.parent)
    assert count == text.count("\n$ ") + len(re.findall(r"^```python$", text, re.M))


def test_the_tutorial_and_the_guides_are_there() -> None:
    """A test of no page would pass."""
    assert len(list(DOCS.glob("tutorial/*.md"))) >= 6
    assert len(list(DOCS.glob("howto/*.md"))) >= 12


def page_of(*lines: str) -> str:
    return "\n".join(["```console", *lines, "```", ""])


@pytest.mark.parametrize(
    ("lines", "passes"),
    [
        (["$ echo took 10 of 30 in 5.0 s", "took 11 of 30 in 99.0 s"], True),
        (["$ echo took 10 of 30", "took 14 of 30"], False),
        (["$ echo 1563 runs", "1563 runs"], True),
        (["$ echo 1563 runs", "1420 runs"], False),
        (["$ echo took 10 of 30", "found 10 of 30"], False),
        (["$ seq 3", "1", "..."], True),
        (["$ seq 3", "1", "3"], False),
        (["$ seq 2", "1", "2", "3"], False),
        (["$ true", "1"], False),
        (["$ echo no >&2; false", "no"], True),
        (["$ echo 20261126-163314-2", "20250101-000000"], True),
    ],
)
def test_what_counts_as_the_same(tmp_path: Path, lines: list[str], passes: bool) -> None:
    """Other words, numbers far off, and lines too many or too few are faults of a page."""
    if passes:
        assert carry_out(page_of(*lines), tmp_path, tmp_path) == 1
    else:
        with pytest.raises(AssertionError, match="shown:"):
            carry_out(page_of(*lines), tmp_path, tmp_path)


def test_files_and_scripts(tmp_path: Path) -> None:
    """A captioned block is a file, an included one a copy; a script that fails fails the page."""
    (tmp_path / "there.txt").write_text("included\n")
    page = (
        "```{code-block} yaml\n:caption: folder/mine.yaml\n\na: 1\n```\n"
        "```{literalinclude} there.txt\n:caption: copy.txt\n```\n"
        "```python\nassert open('folder/mine.yaml').read() == 'a: 1\\n'\n```\n" + page_of("$ cat copy.txt", "included")
    )
    place = tmp_path / "place"
    place.mkdir()
    assert carry_out(page, place, tmp_path) == 2
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        carry_out("```python\n1 / 0\n```\n", place, tmp_path)
