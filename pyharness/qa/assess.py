# SPDX-License-Identifier: BSD-3-Clause
"""All checks of a hand-off on every shipped card and model, kept under a hash of all that they depend on."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from shutil import which

from pydantic import BaseModel, ConfigDict

import pyharness
from pyharness.errors import VerilogAError
from pyharness.files import replace_file, sha256
from pyharness.qa.subject import Check
from pyharness.qa.suite import HANDOFF, answer, shipped_subjects, subject_of
from pyharness.resources import model_dir

__all__ = ("Assessment", "assess", "assess_all")

_PARTS = ("bench", "fit", "qa", "spice", "veriloga")


class Assessment(BaseModel):
    """What the checks of a hand-off found on one card, or on a model's defaults.

    Attributes:
        model: name of the module, or of the file where the compiler refuses it.
        subject: the card, or ``default``.
        source_sha256: of the model's source.
        refused: the compiler's words where it refuses the source; then there are no answers.
        answers: name of the check's function -> its answers; none where it does not apply.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    model: str
    subject: str
    source_sha256: str
    refused: str = ""
    answers: dict[str, list[Check]] = {}


def assess(name: str, progress: Callable[[int, int], None] | None = None) -> Assessment:
    """Return the assessment of a card's name or path, a shipped model's name, or a path to a ``.va`` file.

    Raises:
        ConfigError: none of these, or a model of another shape than the suite checks.
    """
    try:
        subject = subject_of(name)
    except VerilogAError as cause:
        path = Path(name)
        return Assessment(
            model=path.stem, subject="default", source_sha256=sha256(path.read_bytes()), refused=str(cause)
        )
    answers = {}
    for number, check in enumerate(HANDOFF):
        answers[check.__name__] = answer(check, subject)
        if progress:
            progress(number + 1, len(HANDOFF))
    return Assessment(
        model=subject.module.name,
        subject=subject.name,
        source_sha256=sha256(subject.module.source.read_bytes()),
        answers=answers,
    )


def _surroundings() -> list[str]:
    """Return all that an answer depends on beside the subject's name: sources, data, tools."""
    package = Path(pyharness.__file__).parent
    files = [
        p for part in _PARTS for p in sorted((package / part).rglob("*.*")) if p.suffix in (".py", ".lark", ".j2", ".h")
    ]
    files += sorted(p for p in model_dir().rglob("*") if p.is_file())
    told = (
        subprocess.run(["ngspice", "--version"], capture_output=True, text=True, check=False).stdout
        if which("ngspice")
        else ""
    )
    tools = [f"{name} {version(name)}" for name in ("numpy", "scipy", "lark")]
    others = [f"ADMS {which('admsXml')}", f"verilogae {importlib.util.find_spec('verilogae') is not None}"]
    return [
        *(f"{p.name} {sha256(p.read_bytes())}" for p in files),
        told,
        *tools,
        *others,
        platform.python_version(),
        platform.machine(),
    ]


def assess_all(
    names: Sequence[str] | None = None,
    cache: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Assessment]:
    """Return the assessments of ``names``, of all shipped cards and models by default.

    Args:
        names: as :func:`assess` takes them.
        cache: folder for answers under the hash of all that they depend on; what is there is not measured again.
        progress: called with (name, done, of).

    Raises:
        ConfigError: see :func:`assess`.
    """
    surroundings = "\n".join(_surroundings()) if cache else ""
    found = []
    for name in names if names is not None else shipped_subjects():
        own = sha256(Path(name).read_bytes()) if Path(name).is_file() else name
        key = sha256(f"{surroundings}\n{own}".encode())[:16]
        kept = cache / f"{Path(name).stem}-{key}.json" if cache else None
        if kept and kept.is_file():
            found.append(Assessment.model_validate_json(kept.read_text(encoding="utf-8")))
            continue
        found.append(assess(name, partial(progress, name) if progress else None))
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            replace_file(kept, found[-1].model_dump_json(indent=1) + "\n")
    return found
