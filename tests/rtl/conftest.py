# SPDX-License-Identifier: BSD-3-Clause
"""The random regression, played once for all the tests that look at it, and the import path of its modules."""

import fcntl
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[[str, Callable[[Path], Any]], Any]:
    """Return ``once(name, make)``: what ``make(folder)`` returned to the first of all workers that asked.

    The others wait for it.  (Groups of xdist, which would put the users on one worker, do nothing with pytest 9.2.)
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def share(name: str, make: Callable[[Path], Any]) -> Any:
        folder = shared / f"once-{name}"
        folder.mkdir(exist_ok=True)
        stored = folder / "result.pickle"
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not stored.exists():
                stored.write_bytes(pickle.dumps(make(folder)))
        return pickle.loads(stored.read_bytes())

    return share


@pytest.fixture(scope="session")
def regression(once):
    """Results of all runs of the regression."""
    from regression import RUNS, play

    return once("regression", lambda folder: play(RUNS, folder))
