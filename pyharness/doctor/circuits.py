# SPDX-License-Identifier: BSD-3-Clause
"""The toys of analog simulators, and how far off their answers are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyharness.errors import AnalogError

__all__ = ("DIVIDER", "RC", "RC_ANALYSIS", "check_divider", "check_rc")

_TAU_S = 1e-6
RC = ["v1 in 0 1", "r1 in out 1k", "c1 out 0 1n ic=0"]
"""1 kOhm and 1 nF at 1 V, from 0 V on."""
RC_ANALYSIS = "tran 10n 3u 0 10n uic"

DIVIDER = ["v1 in 0 1", "r1 in out 1k", "n1 out 0 toy", ".model toy conductance g=2m"]
"""1 kOhm above a compiled conductance of 2 mS, at 1 V."""


def check_rc(time_s: NDArray[np.float64], out_v: NDArray[np.float64]) -> str:
    """Compare the low-pass with ``1 - exp(-t/RC)`` and say how far off it is.

    Args:
        time_s, out_v: the points, shape (n,).

    Raises:
        AnalogError: too few points, or more than 1 mV off.
    """
    if len(time_s) < 100 or not np.isclose(time_s[-1], 3 * _TAU_S):
        raise AnalogError(f"the RC toy gave {len(time_s)} points, not some 300 over 3 us")
    off_v = float(np.max(np.abs(out_v - (1 - np.exp(-time_s / _TAU_S)))))
    if not off_v <= 1e-3:
        raise AnalogError(f"the RC toy is {off_v:.2g} V off its closed form, 1 mV is allowed")
    return f"{len(time_s)} points, at most {off_v * 1e6:.2g} uV off the closed form"


def check_divider(out_v: float) -> str:
    """Compare the divider's output with a third of a volt.

    Raises:
        AnalogError: more than 1 uV off.
    """
    if not abs(out_v - 1 / 3) <= 1e-6:
        raise AnalogError(f"the divider toy gave {out_v:.9g} V, not 1/3 V")
    return f"{out_v:.9f} V across it, 1/3 V expected"
