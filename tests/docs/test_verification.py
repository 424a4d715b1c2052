# SPDX-License-Identifier: BSD-3-Clause
"""The verification plan names tests that there are, and leaves no test file out."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PLAN = TESTS.parent / "docs" / "verification.md"
NAMED = re.compile(r"`([\w/]+/test_\w+\.py)(?:::(\w+))?`")


def faults_of(plan: str) -> list[str]:
    """Return what is wrong with a plan's names."""
    named = NAMED.findall(plan)
    faults = []
    for file, test in sorted(set(named)):
        path = TESTS / file
        if not path.is_file():
            faults.append(f"there is no tests/{file}")
        elif test and test not in {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}:
            faults.append(f"tests/{file} has no {test}")
    files = {str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")}
    return faults + [f"docs/verification.md leaves out tests/{file}" for file in sorted(files - {f for f, _ in named})]


def test_the_plan_is_complete() -> None:
    """What it promises is tested where it says, and every test file answers to a promise."""
    assert faults_of(PLAN.read_text(encoding="utf-8")) == []


def test_faults_are_found() -> None:
    """A file or a test that is not there, and one that is left out."""
    text = PLAN.read_text(encoding="utf-8").replace(
        "`cosim/test_reals.py`", "`cosim/test_rc.py::test_nothing`, `cosim/test_none.py`"
    )
    assert faults_of(text) == [
        "there is no tests/cosim/test_none.py",
        "tests/cosim/test_rc.py has no test_nothing",
        "docs/verification.md leaves out tests/cosim/test_reals.py",
    ]


PACKAGE = TESTS.parent / "pyharness"
COMMON = {
    "__version__", "code", "errors", "files", "install", "pinned", "progress", "record", "resources", "suggest", "terminal", "yamlfile",
}  # fmt: skip
"""What all may use: left out of the architecture's column of imports."""


def imports_of(package: str) -> set[str]:
    """Return the other parts of pyharness that a package or module imports, wherever it does."""
    found = set()
    files = [*(PACKAGE / package).rglob("*.py"), *PACKAGE.glob(f"{package}.py")]
    for node in (n for file in files for n in ast.walk(ast.parse(file.read_text()))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pyharness."):
            found.add(str(node.module).split(".")[1])
    return found - COMMON - {package}


def stated_imports(page: str) -> dict[str, set[str]]:
    """Return package -> imports of the architecture's table, in its order."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", page, re.M)
    return {name: set(re.findall(r"`(\w+)`", stated)) for name, stated in rows}


def test_the_architecture_is_the_sources() -> None:
    """Each package imports what the page says, and only from rows below its own."""
    stated = stated_imports((TESTS.parent / "docs" / "architecture.md").read_text(encoding="utf-8"))
    names = list(stated)
    assert {"cosim", "bench", "study", "veriloga"} <= set(names)
    for place, name in enumerate(names):
        if name == "cli":
            continue
        assert imports_of(name) == stated[name], name
        assert stated[name] <= set(names[place + 1 :]), f"{name} imports upwards"
