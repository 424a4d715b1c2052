# SPDX-License-Identifier: BSD-3-Clause
"""Fit a model's parameters to measured current-voltage loops."""

from pyharness.fit.fitting import FitPlan, FitResult, fit_card, load_plan
from pyharness.fit.loops import LIMITS, figures, simulate_loops
from pyharness.fit.measured import Measured, load_measured

__all__ = (
    "LIMITS",
    "FitPlan",
    "FitResult",
    "Measured",
    "figures",
    "fit_card",
    "load_measured",
    "load_plan",
    "simulate_loops",
)
