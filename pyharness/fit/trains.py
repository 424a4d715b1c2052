# SPDX-License-Identifier: BSD-3-Clause
"""Pulse trains through a model: what it reads after each pulse, its state integrated from pulse to pulse in machine code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pyharness.bench.cell import cell_kernels
from pyharness.errors import ConfigError
from pyharness.fit.pulses import Pulses
from pyharness.veriloga import Module, compile_numpy
from pyharness.veriloga.module import START
from pyharness.veriloga.scalar_target import compile_scalar

__all__ = ("TrainModel",)

Array = NDArray[np.float64]
_TOLERANCE = 1e-6  # of a step, as a share of the state: differences of it are to be taken
_OFF = 1e-4  # the state that stands for off, as in the fit to loops
_LEAST_A = 1e-18


@lru_cache(maxsize=16)
def _kernel(evaluate: Callable[..., Any]) -> Callable[..., Array]:
    integrate = cell_kernels(evaluate, 0.0, 1.0).integrate

    @njit
    def state_of(read_v, current_a, p):  # type: ignore[no-untyped-def]
        """The state that carries a current, by halving: the current rises with the state."""
        below, above = 0.0, 1.0
        for _ in range(60):
            middle = 0.5 * (below + above)
            if abs(evaluate(read_v, middle, p)[0]) < current_a:
                below = middle
            else:
                above = middle
        return 0.5 * (below + above)

    @njit
    def train(source_v, width_s, series_ohm, read_v, first, before_v, before_a, p):  # type: ignore[no-untyped-def]
        currents, x = np.empty(len(source_v)), 0.0
        for k in range(len(source_v)):
            if before_a[k] > 0:
                x = state_of(before_v[k], before_a[k], p)
            elif first[k]:
                x = _OFF
            if width_s[k] > 0 and source_v[k] != 0:
                x = integrate(x, width_s[k], source_v[k], series_ohm[k], p, 0.0, _TOLERANCE)[0]
            currents[k] = abs(evaluate(read_v[k], x, p)[0])
        return currents

    return train  # type: ignore[no-any-return]


class TrainModel:
    """A module under pulse trains, some of its parameters free."""

    def __init__(self, module: Module, values: Mapping[str, float], free: Sequence[str]) -> None:
        """Compile it.

        Args:
            module: of two ports and one state node, its start a parameter ``x0`` from 0 to 1.
            values: parameters that stay as they are; the others keep their defaults.
            free: parameters that :meth:`log_ohm` is told.

        Raises:
            ConfigError: no such parameters, a value out of range, or a state of another range.
            VerilogAError: a module of another shape.
        """
        low, high = module.state_bounds
        if (low, high) != (0, 1):
            raise ConfigError(
                f"module '{module.name}': its start state must be a parameter {START} from 0 to 1, got {low:g} .. {high:g}: declare it as "
                f"'parameter real {START} = 0.0 from [0:1]' and scale the state to that"
            )
        self.module, self.free = module, tuple(free)
        self._model = compile_numpy(module, {**values, START: 0.0}, self.free)
        self._train = _kernel(compile_scalar(self._model))

    def log_ohm(
        self, pulses: Pulses, values: Sequence[float], *, one_step: bool = False, read_v: float | None = None
    ) -> Array:
        """Return the natural logarithm of the resistance in ohm read after each pulse, shape (pulses,).

        Pulses are rectangular; reads and rests between them move nothing.  A train starts from the off state, or from what a read at
        its beginning says.  NaN: the device finds no voltage.

        Args:
            pulses: the trains.
            values: of the free parameters, in their order.
            one_step: each pulse starts from the resistance measured before it, not from the model's own.
            read_v: of the reads after the pulses; default: the measurement's.
        """
        first, read_a = pulses.number == 1, np.abs(pulses.read_v) / pulses.resistance_ohm
        told = first & (pulses.amplitude_v == 0)
        before_v, before_a = pulses.read_v, np.where(told, read_a, 0.0)
        if one_step:
            before_v = np.where(first, before_v, np.roll(pulses.read_v, 1))
            before_a = np.where(first, before_a, np.roll(read_a, 1))
        after_v = pulses.read_v if read_v is None else np.full(len(pulses), read_v)
        currents = self._train(
            pulses.amplitude_v,
            pulses.width_s,
            pulses.series_ohm,
            after_v,
            first,
            before_v,
            before_a,
            np.array(values, float),
        )
        found: Array = np.log(np.abs(after_v) / np.maximum(currents, _LEAST_A))
        return found
