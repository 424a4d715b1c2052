# SPDX-License-Identifier: BSD-3-Clause
"""Fit a model's parameters to measured current-voltage loops."""

from pyharness.fit.cards import card_of, conductance, hold_figures, pulsed_state, record_of, window_states, write_card
from pyharness.fit.fitting import FitPlan, FitResult, fit_card, load_plan
from pyharness.fit.loops import FACTORS, LIMITS, figures, pulse_resistances, simulate_loops
from pyharness.fit.measured import Measured, load_measured

__all__ = (
    "FACTORS",
    "LIMITS",
    "FitPlan",
    "FitResult",
    "Measured",
    "card_of",
    "conductance",
    "figures",
    "fit_card",
    "hold_figures",
    "load_measured",
    "load_plan",
    "pulse_resistances",
    "pulsed_state",
    "record_of",
    "simulate_loops",
    "window_states",
    "write_card",
)
