# SPDX-License-Identifier: BSD-3-Clause
"""The analog array without a simulator: the network of array.py in NumPy, its devices' states in machine code.

It stands for the same circuit as the behavioural view in Verilog, and leaves out the same: settling of amplifiers, leakage of
open switches, cells that are not selected.  Reads of one device move its state; images, which move it by less, do not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyharness.bench.array import ArrayElectrics, Layer
from pyharness.bench.cell import cell_kernels
from pyharness.bench.variation import free_model
from pyharness.errors import SimulationError
from pyharness.network.wires import WiredCrossbar
from pyharness.veriloga import Device
from pyharness.veriloga.scalar_target import compile_scalar

__all__ = ("LayerAnswer", "NumpyArray")

STATE_TOLERANCE = 1e-5
"""Of a step of the integration, as a share of the state; as in the behavioural view."""
_NEWTON_V, _STEP_V, _ROUNDS = 1e-6, 0.2, 200

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LayerAnswer:
    """Of a driven layer: output voltage of each column's amplifier (images, cols); power from its drivers (images,) and into
    each device (images, cells), in watt."""

    out_v: Array
    supply_w: Array
    device_w: Array


def _ideal_lines(
    driver_ohm: float, column_ohm: float, g: Array, own: Array, source: Array, emf: Array
) -> tuple[Array, Array, Array]:
    """Solve as :meth:`WiredCrossbar.solve` does: without resistance a line is one node, and all images are solved at once."""
    images, rows, cols = g.shape
    nodal = np.zeros((images, rows + cols, rows + cols))
    r, c = np.arange(rows), rows + np.arange(cols)
    nodal[:, :rows, rows:], nodal[:, rows:, :rows] = -g, -g.transpose(0, 2, 1)
    nodal[:, r, r] = 1 / driver_ohm + g.sum(2)
    nodal[:, c, c] = 1 / column_ohm + g.sum(1)
    drive = np.concatenate([source / driver_ohm - own.sum(2), emf[:, None] / column_ohm + own.sum(1)], 1)
    node = np.linalg.solve(nodal, drive[:, :, None])[:, :, 0]
    row, column = node[:, :rows], node[:, rows:]
    return row[:, :, None] - column[:, None], row, column


class NumpyArray:
    """States, energies and answers of an array of 1T1R cells, layer by layer, row by row.

    Attributes:
        x: states.
        supply_j: energy from the row and reference drivers, by phase.
        device_j: energy taken by each device.
    """

    def __init__(
        self,
        device: Device,
        electrics: ArrayElectrics,
        layers: tuple[Layer, ...],
        parameters: list[dict[str, float]],
        start_fractions: Array,
    ) -> None:
        """Prepare the devices.

        Args:
            device: card and model.
            electrics: figures of the periphery.
            layers: the crossbars.
            parameters: of each device, those that differ from the card's.
            start_fractions: states of the devices at the start, 0 .. 1, shape (devices,).

        Raises:
            VerilogAError: the model has not two ports and one state.
        """
        model = free_model(device)
        self._kernels = cell_kernels(compile_scalar(model), *device.module.state_bounds)
        self._electrics, self._layers = electrics, layers
        self._place = {name: k for k, name in enumerate(model.free)}
        self._own = np.array([list({**model.free, **one}.values()) for one in parameters])
        self.x = np.array(start_fractions, float)
        self.supply_j = dict.fromkeys(("reset", "write", "verify", "inference"), 0.0)
        self.device_j = np.zeros(len(parameters))
        self._at_s = np.zeros(len(parameters))  # when each state was last brought up to date
        e = electrics
        self._path_ohm = np.concatenate([e.path_ohm(layer).ravel() for layer in layers])
        self._write_ohm = (
            e.driver_ohm + e.switch_on_ohm + 1 / (1 / (e.switch_on_ohm + e.compliance_ohm) + 1 / e.bleed_ohm)
        ) + self._path_ohm

    def _virtual_ohm(self, feedback_ohm: float) -> float:
        """What a column's current meets at the amplifier's input, the reference conductance beside it."""
        into = feedback_ohm / (1 + self._electrics.amplifier_gain)
        return into / (1 + into * self._electrics.g_ref_siemens)

    def _rest(self, cell: int, now_s: float) -> None:
        if now_s > self._at_s[cell]:
            self.x[cell] = self._kernels.rest(self.x[cell], now_s - self._at_s[cell], self._own[cell])
        self._at_s[cell] = now_s

    def pulse(
        self, cell: int, source_v: float, now_s: float, width_s: float, drawn: Mapping[str, float] | None
    ) -> None:
        """Drive one cell through the compliance resistor from ``now_s`` on; ``drawn``: its parameters in this pulse.

        Raises:
            SimulationError: the device finds no voltage.
        """
        self._rest(cell, now_s)
        p = self._own[cell]
        if drawn:
            p = p.copy()
            for name, value in drawn.items():
                p[self._place[name]] = value
        edge_s, load_ohm = self._electrics.edge_s, self._write_ohm[cell]
        x, supply_j, device_j = self._kernels.pulse(
            self.x[cell], source_v, edge_s, width_s, load_ohm, p, STATE_TOLERANCE
        )
        if math.isnan(x):
            raise SimulationError(f"device {cell} finds no voltage behind {source_v:g} V: is its current continuous?")
        self.x[cell] = x
        self._at_s[cell] = now_s + width_s + edge_s
        self.supply_j["reset" if source_v < 0 else "write"] += supply_j
        self.device_j[cell] += device_j

    def read(self, cell: int, read_v: float, now_s: float, span_s: float) -> int:
        """Return the ADC code of one cell, driven at ``read_v`` for ``span_s``; the last trial ends with it.

        Raises:
            SimulationError: the device finds no voltage.
        """
        self._rest(cell, now_s)
        e = self._electrics
        virtual = self._virtual_ohm(e.feedback_verify_ohm)
        load_ohm = e.driver_ohm + 2 * e.switch_on_ohm + virtual + self._path_ohm[cell]
        p = self._own[cell]
        _, current, *_ = self._kernels.solve(self.x[cell], read_v, load_ohm, p, read_v)
        x, supply_j, device_j, _ = self._kernels.integrate(
            self.x[cell], span_s, read_v, load_ohm, p, read_v, STATE_TOLERANCE
        )
        if math.isnan(x):
            raise SimulationError(f"device {cell} finds no voltage behind {read_v:g} V: is its current continuous?")
        self.x[cell] = x
        self._at_s[cell] = now_s + span_s
        self.supply_j["verify"] += supply_j
        self.device_j[cell] += device_j
        half = 1 << (e.adc_bits - 1)  # as convert does, of one number in a tenth of the time
        out_v: float = min(max(e.amplifier_gain * virtual * current, -e.saturation_v), e.saturation_v)
        return min(max(math.ceil((out_v + e.comparator_offset_v) / e.adc_lsb_v) - 1, -half), half - 1)

    def convert(self, out_v: Any) -> NDArray[np.int_]:
        """Return what the converters make of amplifier outputs: the largest code below, saturated."""
        e = self._electrics
        half = 1 << (e.adc_bits - 1)
        seen = np.clip(out_v, -e.saturation_v, e.saturation_v) + e.comparator_offset_v
        found: NDArray[np.int_] = np.clip(np.ceil(seen / e.adc_lsb_v) - 1, -half, half - 1).astype(int)
        return found

    def inference(self, number: int, row_codes: NDArray[np.int_]) -> LayerAnswer:
        """Return the answer of layer ``number`` to DAC codes of its rows, shape (images, rows).

        Newton's method over the cells' voltages; each round solves the linear network of drivers, cells and columns: dense, of a
        node for each row and column, or sparse, of two nodes for each cell, where the lines have resistance.

        Raises:
            SimulationError: no solution.
        """
        e, layer = self._electrics, self._layers[number]
        rows, cols = layer.rows, layer.cols
        first = sum(other.rows * other.cols for other in self._layers[:number])
        place = slice(first, first + rows * cols)
        x, own_parameters = self.x[place], self._own[place]
        source: Array = row_codes * np.float64(e.dac_lsb_v)
        reference = -source.sum(1)
        virtual = self._virtual_ohm(e.feedback_inference_ohm)
        column_ohm = e.switch_on_ohm + virtual
        v = np.broadcast_to(source[:, :, None], (len(source), rows, cols)).copy()
        emf = np.zeros(len(source))
        if e.wire_ohm:
            lines = WiredCrossbar(rows, cols, e.wire_ohm, e.driver_ohm, column_ohm).solve
        else:
            lines = partial(_ideal_lines, e.driver_ohm, column_ohm)
        for _ in range(_ROUNDS):
            i, i_v = self._kernels.currents(v.reshape(len(v), -1), x, own_parameters)
            i, i_v = i.reshape(v.shape), i_v.reshape(v.shape)
            beside = 1 + e.switch_on_ohm * i_v
            g, own = i_v / beside, (i - i_v * v) / beside
            across, begin, end = lines(g, own, source, emf)
            step = across - e.switch_on_ohm * (own + g * across) - v
            v += np.clip(step, -_STEP_V, _STEP_V)  # an exponential characteristic needs its steps bounded
            column = (end - emf[:, None]) / column_ohm
            # the reference row, and the virtual grounds that its current shifts
            total = virtual * column.sum(1)
            fed = e.driver_ohm * e.g_ref_siemens
            reference_node = (reference + fed * total) / (1 + fed * cols * (1 - e.g_ref_siemens * virtual))
            shifted = virtual * e.g_ref_siemens * reference_node
            done = (
                np.abs(step).max(initial=0.0) < _NEWTON_V and np.abs(shifted - emf).max(initial=0.0) < _NEWTON_V * 1e-3
            )
            emf = shifted
            if done:
                break
        else:
            raise SimulationError(f"the currents of layer {layer.name} are not found")
        out = e.amplifier_gain * (virtual * column + emf[:, None])
        supply = (source * (source - begin) / e.driver_ohm).sum(1)
        supply += reference * (reference - reference_node) / e.driver_ohm
        taken = (v * (own + g * across)).reshape(len(source), -1)
        return LayerAnswer(np.clip(out, -e.saturation_v, e.saturation_v), supply, taken)
