# SPDX-License-Identifier: BSD-3-Clause
"""What is of Python: the packages, the coupling's engine, Dask and Numba.

A probe returns what it saw; ToolNotFoundError says that the tool is missing, any other error that it is broken.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from pyharness.cosim.engine import Engine
from pyharness.errors import AnalogError, SimulationError, ToolNotFoundError

__all__ = ("dask", "dask_version", "engine", "numba", "numba_version", "packages")

_MODULES = {
    "cyclonedx-python-lib": "cyclonedx",
    "markdown-it-py": "markdown_it",
    "packageurl-python": "packageurl",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
"""Packages whose modules have other names."""


def packages() -> str:
    """Every package that pyharness requires is imported."""
    names = [re.split(r"[^\w.-]", line)[0] for line in requires("pyharness") or () if "extra ==" not in line]
    seen = []
    for name in names:
        try:
            seen.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            raise ToolNotFoundError(f"no package {name}") from None
        import_module(_MODULES.get(name, name))
    return ", ".join(seen)


def engine() -> str:
    """The compiled engine is called; outside a simulator it must refuse to start, for it has no VPI there."""
    loaded = Engine()
    try:
        loaded.open("", isolated=False)
    except AnalogError as refusal:
        if "no VPI in this process" in str(refusal):
            return f"{Path(loaded._name).name} answers"
        raise
    raise SimulationError("the engine starts where there is no simulator")


def dask() -> str:
    """A task on a local worker, as a study has them."""
    from pyharness.study.execute import Workers, connect

    with connect(Workers(count=1)) as client:
        answer = client.submit(pow, 3, 7).result()
    if answer != 3**7:
        raise SimulationError(f"a worker holds 3**7 for {answer}")
    return f"a local worker computed {answer}"


def dask_version() -> str:
    """Version of the package."""
    return version("distributed")


def numba() -> str:
    """A loop in machine code."""
    from numba import njit

    @njit
    def total(count):  # type: ignore[no-untyped-def]
        result = 0
        for i in range(count):
            result += i * i
        return result

    answer, expected = total(1000), sum(i * i for i in range(1000))
    if answer != expected:
        raise SimulationError(f"machine code sums to {answer}, not {expected}")
    return f"machine code sums to {answer}, as expected"


def numba_version() -> str:
    """Version of the package."""
    return version("numba")
