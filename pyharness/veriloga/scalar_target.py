# SPDX-License-Identifier: BSD-3-Clause
"""Target: machine code of one device (Numba), from the text of the NumPy functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from numba import njit

from pyharness.veriloga.numpy_target import NumpyModel

__all__ = ("compile_scalar",)


@njit
def _select(condition, a, b):  # type: ignore[no-untyped-def]
    return a if condition else b


@lru_cache(maxsize=16)
def _compiled(source: str, free: tuple[str, ...]) -> Any:
    scope: dict[str, Any] = {"select": _select}
    source = source.replace("np.where(", "select(")  # Numba makes an array of each scalar that it is given
    exec(compile(source, "<model for Numba>", "exec"), scope)  # as compile_numpy: the text is the compiler's own
    # as in NumPy, of a choice both sides are evaluated: what is left out may divide by 0
    scope = {"together": njit(error_model="numpy")(scope["together"])}
    given = ", ".join(f"p_{name}=p[{i}]" for i, name in enumerate(free))
    exec(compile(f"def evaluate(v, s, p):\n    return together(v, s, {given})\n", "<one device>", "exec"), scope)
    return njit(scope["evaluate"])


def compile_scalar(model: NumpyModel) -> Callable[[float, float, Any], tuple[float, ...]]:
    """Return ``evaluate(v, s, p) -> (i, ds/dt, di/dv, di/ds, d(ds/dt)/dv, d(ds/dt)/ds)``, callable from Numba code.

    ``v`` is the voltage in volt, ``s`` the state counted from ``x0``, ``p`` the free parameters in the order of ``model.free``.

    Raises:
        VerilogAError: the model has another form than two ports and one state.
    """
    model.check_one_state()
    return _compiled(model.source, tuple(model.free))  # type: ignore[no-any-return]
