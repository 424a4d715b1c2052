# SPDX-License-Identifier: BSD-3-Clause
"""Put the peers into a folder of their own, so that the project's environment stays as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import invalidate_caches
from pathlib import Path

from .tools import PEERS, installed

_ROOT = Path(__file__).resolve().parents[3]


def provide_peers(folder: Path = _ROOT / "build" / "peers") -> dict[str, str]:
    """Install what is not there, in the versions of the extra ``peers``; return for each peer that failed why.

    Without their dependencies: cocotb, the only one, is the project's own.
    """
    extras = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    folder.mkdir(parents=True, exist_ok=True)
    sys.path.append(str(folder))  # cocotb's runner hands it on to the simulator
    failed: dict[str, str] = {}
    for requirement in extras["peers"]:
        tool = re.split(r"[^\w-]", requirement, maxsplit=1)[0]
        assert tool in PEERS, tool
        if installed(tool):
            continue
        print(f"installing {requirement} ...", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run(
            [*command, "--target", str(folder), requirement],
            capture_output=True,
            text=True,
            env={"NGSPICE_ROOT": "/usr", **os.environ},  # where spicebind looks for ngspice's headers
        )
        invalidate_caches()
        if not installed(tool):
            errors = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
            failed[tool] = errors[0] if errors else f"pip ends with status {done.returncode}"
    return failed
