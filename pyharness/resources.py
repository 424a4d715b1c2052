# SPDX-License-Identifier: BSD-3-Clause
"""Where the RTL, the models and the configurations are: inside an installed package, or beside it in a checkout."""

from __future__ import annotations

import re
from pathlib import Path

from pyharness.errors import ToolNotFoundError

__all__ = (
    "config_dir",
    "controller_sources",
    "hdl_dir",
    "model_dir",
    "project_file",
    "shipped_cards",
    "shipped_configs",
    "shipped_models",
    "shipped_studies",
)

_PACKAGE = Path(__file__).parent


def _find(name: str) -> Path:
    for folder in (_PACKAGE / "share" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise ToolNotFoundError(f"the folder '{name}' of pyharness is missing from the installation: install it again")


def hdl_dir() -> Path:
    """Return the folder with the Verilog sources."""
    return _find("hdl")


def controller_sources() -> list[Path]:
    """Return the controller's Verilog files, those of ``accelerator.f``."""
    folder = hdl_dir()
    return [folder / name for name in (folder / "accelerator.f").read_text(encoding="utf-8").split()]


def model_dir() -> Path:
    """Return the folder with the Verilog-A models and their cards."""
    return _find("veriloga")


def config_dir() -> Path:
    """Return the folder with the shipped configurations."""
    return _find("configs")


def shipped_cards() -> dict[str, Path]:
    """Return the device cards by name."""
    return {p.stem: p for p in sorted(model_dir().glob("*/cards/*.yaml"))}


def shipped_models() -> dict[str, Path]:
    """Return the Verilog-A models by name."""
    return {p.stem: p for p in sorted(model_dir().glob("*/*.va")) if p.stem == p.parent.name}


def shipped_configs() -> dict[str, Path]:
    """Return the configurations by name, without those of studies."""
    return {p.stem: p for p in sorted(config_dir().glob("*.yaml")) if not _is_study(p)}


def shipped_studies() -> dict[str, Path]:
    """Return the studies by name."""
    return {p.stem: p for p in sorted(config_dir().glob("*.yaml")) if _is_study(p)}


def _is_study(path: Path) -> bool:
    return re.search(r"^study:", path.read_text(encoding="utf-8"), re.M) is not None


def project_file(name: str) -> Path:
    """Return a file of the project's root that travels with the package: LICENSE or CHANGELOG.md."""
    for path in (_PACKAGE / "share" / name, _PACKAGE.parent / name):
        if path.is_file():
            return path
    raise ToolNotFoundError(f"the file '{name}' of pyharness is missing from the installation: install it again")
