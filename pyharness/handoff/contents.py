# SPDX-License-Identifier: BSD-3-Clause
"""What is in the archive: each part is a function that writes its files below the folder it is given."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jinja2

from pyharness import __version__
from pyharness.files import sha256
from pyharness.handoff.archive import pack, source_date
from pyharness.handoff.checklist import Row, checklist, write_checklist
from pyharness.handoff.digital import write_digital
from pyharness.handoff.golden import golden_record, made_with
from pyharness.handoff.manifest import FORMAT, INDEX, MANIFEST, manifest_text
from pyharness.handoff.manual import write_manual
from pyharness.handoff.models import model_versions, put, write_models, write_sources
from pyharness.handoff.sbom import sbom_text
from pyharness.handoff.state import programmed_state, state_schema
from pyharness.handoff.subjects import subjects
from pyharness.handoff.tree import REPORT, read_tree
from pyharness.qa.assess import Assessment
from pyharness.resources import project_file, shipped_models

__all__ = ("NAME", "PARTS", "build_archive")

NAME = f"pyharness-handoff-{__version__}"
"""The archive's one folder, and its name without ``.tar``."""
SBOM = "sbom.cdx.json"
_MAKERS = (
    "cyclonedx-python-lib", "jinja2", "lark", "latex2mathml", "markdown-it-py", "matplotlib", "numba", "numpy", "pydantic", "pyyaml",
    "scipy",
)  # fmt: skip
"""The packages that the bytes depend on."""


def write_state(folder: Path) -> None:
    """Write ``state/``: the state of the golden run's array, and the schema."""
    state = programmed_state(golden_record())
    put(folder / "state" / "state.json", state.model_dump_json(indent=1) + "\n")
    put(folder / "state" / "state.schema.json", json.dumps(state_schema(), indent=1) + "\n")


def write_papers(folder: Path) -> None:
    """Write README, support, licence, changelog and the receiver's runner."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pyharness.handoff", "."), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )  # fmt: skip
    known = {
        "version": __version__,
        "format": FORMAT,
        "models": model_versions(),
        "cards": [s.name for s in subjects() if s.card],
        "devices": len(golden_record().devices),
    }
    for name, template in (("README.md", "archive_readme.md.j2"), ("SUPPORT.md", "archive_support.md.j2")):
        put(folder / name, environment.get_template(template).render(known))
    for name in ("LICENSE", "CHANGELOG.md"):
        put(folder / name, project_file(name).read_text(encoding="utf-8"))
    put(folder / "benches" / "run.py", (files("pyharness.handoff") / "receiver.py").read_text(encoding="utf-8"))


def _makers() -> dict[str, str]:
    return {name: version(name) for name in _MAKERS}


def write_index(folder: Path) -> None:
    """Write ``index.json``: versions of the format, the project, the models and the tools."""
    index = {
        "name": "pyharness-handoff",
        "format": FORMAT,
        "version": __version__,
        "source_date": source_date(),
        "models": model_versions(),
        "cards": {s.name: s.module.name for s in subjects() if s.card},
        "built_with": {"python": platform.python_version()} | _makers(),
        "golden_data_made_with": made_with(),
        "manifest": MANIFEST,
        "sbom": SBOM,
    }
    put(folder / INDEX, json.dumps(index, indent=1) + "\n")


def write_manuals(folder: Path) -> None:
    """Write ``manual/``: a page for each model."""
    for model in shipped_models():
        write_manual(model, folder / "manual" / f"{model}.html")


PARTS: tuple[Callable[[Path], None], ...] = (
    write_sources,
    write_models,
    write_manuals,
    write_digital,
    write_state,
    write_papers,
    write_index,
)
"""Every part; what hashes the others, bill of materials and manifest, comes after all of them."""


def _with_lists(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder with bill of materials and manifest of them, which are written there, too."""
    tree = {name: data for name, data in read_tree(folder).items() if name not in (SBOM, MANIFEST)}
    tree[SBOM] = sbom_text({name: sha256(data) for name, data in tree.items()}, _makers()).encode()
    tree[MANIFEST] = manifest_text(tree).encode("ascii")
    for name in (SBOM, MANIFEST):
        (folder / name).write_bytes(tree[name])
    return tree


def build_archive(measured: Iterable[Assessment]) -> tuple[bytes, list[Row]]:
    """Return the archive, and the rows of the QA report in it.

    Args:
        measured: what was found on the models, for the report; a model without is told there as not measured.

    Raises:
        ConfigError: a model without a version, a faulty card, or a faulty SOURCE_DATE_EPOCH.
    """
    time_s = source_date()
    with tempfile.TemporaryDirectory(prefix="pyharness-") as name:
        folder = Path(name)
        for write in PARTS:
            write(folder)
        # the report looks at the lists, too: they are made without it, then with it
        _with_lists(folder)
        rows = checklist(folder, measured)
        write_checklist(rows, folder / REPORT)
        tree = _with_lists(folder)
    return pack({f"{NAME}/{one}": data for one, data in tree.items()}, time_s), rows
