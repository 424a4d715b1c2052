# SPDX-License-Identifier: BSD-3-Clause
"""Verilog-A models as equations: read once, written for each simulator.

Knows of no simulator run and of no array.
"""

from pyharness.veriloga.card import (
    READ_V,
    Card,
    Device,
    card_sha256,
    check_card_name,
    check_window,
    load_any,
    load_card,
    load_device,
    model_reference,
)
from pyharness.veriloga.model_types import is_model_type
from pyharness.veriloga.module import Module, Parameter
from pyharness.veriloga.ngspice import Drive, Subcircuit, emit_ngspice
from pyharness.veriloga.numpy_target import NumpyModel, compile_numpy
from pyharness.veriloga.osdi import compile_osdi, emit_osdi, osdi_compiler, osdi_subcircuit
from pyharness.veriloga.parse import load_module
from pyharness.veriloga.reference import divider_voltage, integrate
from pyharness.veriloga.state_form import check_terminals
from pyharness.veriloga.verilog_target import device_model, emit_verilog

__all__ = (
    "READ_V",
    "Card",
    "Device",
    "Drive",
    "Module",
    "NumpyModel",
    "Parameter",
    "Subcircuit",
    "card_sha256",
    "check_card_name",
    "check_terminals",
    "check_window",
    "compile_numpy",
    "compile_osdi",
    "device_model",
    "divider_voltage",
    "emit_ngspice",
    "emit_osdi",
    "emit_verilog",
    "integrate",
    "is_model_type",
    "load_any",
    "load_card",
    "load_device",
    "load_module",
    "model_reference",
    "osdi_compiler",
    "osdi_subcircuit",
)
