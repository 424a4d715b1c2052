# SPDX-License-Identifier: BSD-3-Clause
"""Fit a model's parameters to measured current-voltage loops, or to measured pulses."""

from pyharness.fit.cards import card_of, conductance, hold_figures, pulsed_state, record_of, window_states, write_card
from pyharness.fit.fitting import FitPlan, FitResult, fit_card, load_plan
from pyharness.fit.loops import FACTORS, LIMITS, figures, pulse_resistances, simulate_loops
from pyharness.fit.measured import Measured, load_measured
from pyharness.fit.pulse_card import PulseResult, estimate_table, pulse_card, pulse_record, related, residual_lines
from pyharness.fit.pulse_fit import Estimate, PulseFit, fit_pulses, train_model
from pyharness.fit.pulse_scatter import between_devices, between_pulses
from pyharness.fit.pulses import Pulses, load_pulses
from pyharness.fit.trains import TrainModel

__all__ = (
    "FACTORS",
    "LIMITS",
    "Estimate",
    "FitPlan",
    "FitResult",
    "Measured",
    "PulseFit",
    "PulseResult",
    "Pulses",
    "TrainModel",
    "between_devices",
    "between_pulses",
    "card_of",
    "conductance",
    "estimate_table",
    "figures",
    "fit_card",
    "fit_pulses",
    "hold_figures",
    "load_measured",
    "load_plan",
    "load_pulses",
    "pulse_card",
    "pulse_record",
    "pulse_resistances",
    "pulsed_state",
    "record_of",
    "related",
    "residual_lines",
    "simulate_loops",
    "train_model",
    "window_states",
    "write_card",
)
