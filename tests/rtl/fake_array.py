# SPDX-License-Identifier: BSD-3-Clause
"""An ideal array for the controller's tests: compliance-law devices, ideal periphery, and the safety rules.

On every clock it checks what must never happen, then answers the comparators.
"""

from __future__ import annotations

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge

LSB_V, READ_OHM, WIDE_OHM, G_REF = 0.5e-3, 20e3, 5e3, 250e-6
HRS = 6.6e-6


def fields(value, width: int, count: int) -> list[int]:
    """Split a packed vector into signed fields."""
    bits = int(value)
    raw = [bits >> width * i & ((1 << width) - 1) for i in range(count)]
    return [r - (1 << width) if r >> (width - 1) else r for r in raw]


class FakeArray:
    """The devices of the bench's size.  ``gain`` scales what a SET leaves; ``stuck`` devices never move; a RESET beyond 0.35 V erases."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.shell = dut.u_array
        self.shapes = [tuple(int(getattr(dut, f"L{n}_{what}").value) for what in ("ROWS", "COLS")) for n in (1, 2)]
        self.g = [np.full(shape, HRS) for shape in self.shapes]
        self.gain = 1.0
        self.stuck: set[tuple[int, int, int]] = set()
        self.highest = 0
        self.lowest = 0
        self.cycles = 0
        self.writes: list[tuple[int, int, int, int]] = []
        for layer in ("l1", "l2"):
            getattr(self.shell, f"{layer}_cmp").value = 0
        cocotb.start_soon(self.run())

    async def run(self) -> None:
        while True:
            await FallingEdge(self.dut.clk_i)
            if not int(self.dut.rst_ni.value):
                continue
            self.cycles += 1
            self.check_and_answer()

    def check_and_answer(self) -> None:
        s, phase = self.shell, int(self.shell.phase.value)
        words_all = writes_all = 0
        for layer, (rows, cols) in enumerate(self.shapes):
            name = f"l{layer + 1}"
            codes = fields(getattr(s, f"{name}_row_code").value, 12, rows)
            ref = fields(getattr(s, f"{name}_ref_code").value, 12, 1)[0]
            words = [int(getattr(s, f"{name}_word").value) >> r & 1 for r in range(rows)]
            write = [int(getattr(s, f"{name}_col_write").value) >> c & 1 for c in range(cols)]
            read = [int(getattr(s, f"{name}_col_read").value) >> c & 1 for c in range(cols)]
            wide = int(getattr(s, f"{name}_range").value)
            trial = fields(getattr(s, f"{name}_adc_code").value, 12, cols)
            words_all += sum(words)
            writes_all += sum(write)
            assert not any(w and r for w, r in zip(write, read, strict=True)), "a column is written and read"
            assert not (any(write) and any(read)), "the array is written and read"
            assert all(w or not code for w, code in zip(words, codes, strict=True)), (
                "a row is driven with its word line open"
            )
            if phase == 0:
                assert not any(codes) and not ref and not any(words + write + read), "idle, but not all is off"
            if phase in (1, 2, 3):
                assert sum(words) <= 1 and sum(write) + sum(read) <= 1, "more than one cell is selected"
                assert ref == 0, "the reference row is driven outside inference"
                assert not wide, "the inference range is on for a single cell"
            assert (phase in (1, 2)) >= any(write), "a column is written outside reset and write"
            self.highest, self.lowest = max(self.highest, *codes), min(self.lowest, *codes)
            self.apply(layer, codes, words, write)
            self.answer(layer, name, codes, ref, words, read, wide, trial)
        if phase in (1, 2, 3):
            assert words_all <= 1 and writes_all <= 1, "cells of both layers are selected"

    def apply(self, layer: int, codes: list[int], words: list[int], write: list[int]) -> None:
        for r, code in enumerate(codes):
            for c, on in enumerate(write):
                if not (on and words[r] and code) or (layer, r, c) in self.stuck:
                    continue
                v = code * 1e-3
                self.writes.append((layer, r, c, code))
                if v > 0:
                    left = self.gain * 0.82e-3 * max(v - 0.21, 0.0)
                    self.g[layer][r, c] = max(self.g[layer][r, c], left)
                elif v < -0.35:
                    self.g[layer][r, c] = HRS

    def answer(self, layer, name, codes, ref, words, read, wide, trial) -> None:
        volts = np.array(codes) * 1e-3 * np.array(words)
        current = volts @ self.g[layer] + ref * 1e-3 * G_REF
        seen = current * (WIDE_OHM if wide else READ_OHM) / LSB_V
        bits = sum(int(on and seen[c] > trial[c]) << c for c, on in enumerate(read))
        getattr(self.shell, f"{name}_cmp").value = bits

    @staticmethod
    def code(g_siemens: float) -> int:
        """Return the code that a cell of ``g_siemens`` reads as at 100 mV."""
        return int(np.clip(np.ceil(g_siemens * 0.1 * READ_OHM / LSB_V) - 1, -2048, 2047))


async def settle(dut) -> None:
    """Wait until the outputs of the present clock are final."""
    await RisingEdge(dut.clk_i)
    await ReadOnly()
