# SPDX-License-Identifier: BSD-3-Clause
"""The network as the hardware computes it, in integers: what each answer of the co-simulation is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyharness.network.wires import WiredCrossbar

__all__ = ("TABLE", "Arithmetic", "Network", "Prediction")

TABLE = 64
"""Entries of the activation table."""


@dataclass(frozen=True)
class Arithmetic:
    """Figures of the conversion from conductances to codes.

    Attributes:
        read_code: row code of an active pixel; one code is ``dac_lsb_v``.
        dac_lsb_v, adc_lsb_v: volt per code.
        feedback_ohm: transimpedance in the inference range.
        g_ref_siemens: reference conductance.
        driver_ohm, cell_ohm, column_ohm: resistance shared by the cells of a row, of each cell, and of a column.
        adc_bits: resolution, two's complement, saturating.
        wire_ohm: of a row or column line between neighbouring cells; the column's end is beside the last row.
    """

    read_code: int = 100
    dac_lsb_v: float = 1e-3
    adc_lsb_v: float = 0.5e-3
    feedback_ohm: float = 5e3
    g_ref_siemens: float = 250e-6
    driver_ohm: float = 10.0
    cell_ohm: float = 10.0
    column_ohm: float = 10.0
    adc_bits: int = 12
    wire_ohm: float = 0.0

    def column_code(self, g_siemens: ArrayLike, row_codes: ArrayLike) -> NDArray[np.float64]:
        """Return the unrounded ADC codes of the columns, the series resistances solved with the cells.

        Args:
            g_siemens: conductances, shape (rows, cols).
            row_codes: DAC codes, shape (images, rows).

        Returns:
            shape (images, cols).
        """
        g = np.asarray(g_siemens, float)
        volts = np.asarray(row_codes, float) * self.dac_lsb_v
        cell = g / (1 + g * self.cell_ohm)
        current = volts @ self._gain(cell).T / self.column_ohm
        loaded = 1 + self.driver_ohm * self.g_ref_siemens * cell.shape[1]
        reference = -self.g_ref_siemens * volts.sum(1, keepdims=True) / loaded
        codes: NDArray[np.float64] = (current + reference) * self.feedback_ohm / self.adc_lsb_v
        return codes

    def _gain(self, cell: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the voltage at the columns' ends by volt of each row's driver, shape (cols, rows)."""
        rows, cols = cell.shape
        if self.wire_ohm:
            return WiredCrossbar(rows, cols, self.wire_ohm, self.driver_ohm, self.column_ohm).gain(cell)
        # nodal equations of the row and column nodes; drivers on one side, virtual grounds on the other
        nodal = np.block(
            [
                [np.diag(1 / self.driver_ohm + cell.sum(1)), -cell],
                [-cell.T, np.diag(1 / self.column_ohm + cell.sum(0))],
            ]
        )
        drive = np.vstack([np.eye(rows) / self.driver_ohm, np.zeros((cols, rows))])
        return np.linalg.solve(nodal, drive)[rows:]

    def convert(self, codes: ArrayLike) -> NDArray[np.int_]:
        """Return what the converter makes of unrounded codes: the largest code below, saturated."""
        half = 1 << (self.adc_bits - 1)
        converted: NDArray[np.int_] = np.clip(np.floor(np.asarray(codes)), -half, half - 1).astype(int)
        return converted


@dataclass(frozen=True)
class Prediction:
    """Of each image: class, output sum, hidden activations; shapes (images,), (images,), (images, hidden)."""

    label: NDArray[np.int_]
    accumulator: NDArray[np.int_]
    hidden: NDArray[np.int_]


@dataclass(frozen=True)
class Network:
    """Two layers and their digital parts.

    Attributes:
        g1_siemens, g2_siemens: conductances, shapes (pixels, hidden) and (hidden, 1).
        bias: ADC codes added to each sum, hidden neurons then the output neuron.
        table: 64 activations, DAC codes 0 .. 255.
        shift: the table's index is (sum >> shift) + 32, clamped.
        threshold: the class is 1 above it.
        arithmetic: conversion figures.
        readout: what the class is taken from: the output neuron; or the largest hidden activation, of equal ones the first, in which case
            the second layer says nothing.
    """

    g1_siemens: NDArray[np.float64]
    g2_siemens: NDArray[np.float64]
    bias: tuple[int, ...]
    table: tuple[int, ...]
    shift: int
    threshold: int
    arithmetic: Arithmetic = Arithmetic()
    readout: Literal["output", "largest"] = "output"

    def predict(self, images: ArrayLike) -> Prediction:
        """Return the answers for 0/1 images, shape (images, pixels)."""
        a = self.arithmetic
        hidden = self.activations(a.convert(a.column_code(self.g1_siemens, np.asarray(images) * a.read_code)))
        return self.decide(hidden, a.convert(a.column_code(self.g2_siemens, hidden)))

    def activations(self, codes: NDArray[np.int_]) -> NDArray[np.int_]:
        """Return what the hidden neurons make of the first layer's ADC codes, shape (images, hidden)."""
        sums = self.saturate(codes + self.bias[: codes.shape[1]])
        hidden: NDArray[np.int_] = np.asarray(self.table)[np.clip((sums >> self.shift) + TABLE // 2, 0, TABLE - 1)]
        return hidden

    def decide(self, hidden: NDArray[np.int_], codes: NDArray[np.int_]) -> Prediction:
        """Return the answers to the second layer's ADC codes, shape (images, 1)."""
        out = self.saturate(codes[:, 0] + self.bias[hidden.shape[1]])
        label = hidden.argmax(1) if self.readout == "largest" else (out > self.threshold).astype(int)
        return Prediction(label, out, hidden)

    @staticmethod
    def saturate(sums: NDArray[np.int_]) -> NDArray[np.int_]:
        """Clamp to 16 bits, as the neuron does."""
        return np.clip(sums, -32768, 32767)
