# SPDX-License-Identifier: BSD-3-Clause
"""One probe in a process of its own: ``python -m pyharness.doctor.child NAME ANSWER``.

The answer is a file of JSON lines, so that what was told before a crash is not lost with it.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from pyharness.doctor.capabilities import CAPABILITIES
from pyharness.errors import PyharnessError, ToolNotFoundError

__all__ = ("main",)


def _call(name: str) -> str | None:
    module, _, function = name.partition(".")
    result: str | None = getattr(import_module(f"pyharness.doctor.{module}"), function)()
    return result


def main(name: str, answer: Path) -> None:
    """Try a capability and write what came of it."""
    (capability,) = (one for one in CAPABILITIES if one.name == name)

    def tell(**what: str | None) -> None:
        with answer.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(what) + "\n")

    if capability.version:
        try:
            tell(version=_call(capability.version))
        except Exception:  # noqa: BLE001 the probe tells what is wrong
            tell(version=None)
    try:
        tell(verdict="works", seen=_call(capability.probe))
    except (ToolNotFoundError, ModuleNotFoundError) as cause:
        tell(verdict="missing", seen=str(cause))
    except PyharnessError as cause:
        tell(verdict="broken", seen=str(cause))
    except Exception as cause:  # noqa: BLE001 whatever a tool makes Python meet
        tell(verdict="broken", seen=f"{type(cause).__name__}: {cause}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
