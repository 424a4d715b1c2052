# SPDX-License-Identifier: BSD-3-Clause
"""Bill of materials of the archive, as CycloneDX 1.6: its own parts, the measured data, and what made it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from pyharness import __version__
from pyharness.handoff.archive import source_date
from pyharness.handoff.models import model_versions

__all__ = ("sbom_text",)

_LICENCE = "BSD-3-Clause"
_SPACE = uuid.UUID("8f4bd2c1-6a0e-5c5f-9a52-51c1f9a3a0b7")
"""Namespace of the serial numbers, which follow from what is in the archive."""
_DATA = "https://github.com/mancorz98/memristor_programming_study"


def _part(name: str, number: str, kind: ComponentType, description: str, hashes: Sequence[HashType] = ()) -> Component:
    return Component(
        name=name, version=number, type=kind, description=description, bom_ref=f"{name}@{number}",
        licenses=[LicenseExpression(_LICENCE)], hashes=hashes,
    )  # fmt: skip


def sbom_text(hashes: Mapping[str, str], tools: Mapping[str, str]) -> str:
    """Return the bill of materials.

    Args:
        hashes: SHA-256 of the archive's other files by their names.
        tools: versions of the Python packages that the archive is made with.
    """
    parts = []
    for name, number in model_versions().items():
        digest = HashType(alg=HashAlgorithm.SHA_256, content=hashes[f"veriloga/{name}/{name}.va"])
        parts.append(_part(name, number, ComponentType.LIBRARY, "Verilog-A memristor model", [digest]))
    parts.append(
        _part("accelerator", __version__, ComponentType.LIBRARY, "Verilog controller, behavioural view of the array")
    )
    parts.append(
        Component(
            name="memristor_programming_study", version="fdc5a80f", type=ComponentType.DATA, bom_ref="measured-data",
            description="Measured loops of self-directed-channel memristors; excerpts in veriloga/data",
            external_references=[ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(_DATA))],
        )
    )  # fmt: skip
    needed = [
        Component(
            name=name,
            version=number,
            purl=PackageURL("pypi", name=name.lower(), version=number),
            bom_ref=f"{name}@{number}",
        )
        for name, number in tools.items()
    ]
    whole = _part(
        "pyharness-handoff",
        __version__,
        ComponentType.APPLICATION,
        "Memristor models and controller for chip designers",
    )
    maker = _part("pyharness", __version__, ComponentType.APPLICATION, "Builds the archive")
    bom = Bom(
        components=parts,
        serial_number=uuid.uuid5(_SPACE, "\n".join(f"{digest} {name}" for name, digest in sorted(hashes.items()))),
        metadata=BomMetaData(
            component=whole,
            timestamp=datetime.fromtimestamp(source_date(), UTC),
            tools=ToolRepository(components=[maker, *needed]),
        ),
    )
    bom.register_dependency(whole, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
