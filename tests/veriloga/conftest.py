# SPDX-License-Identifier: BSD-3-Clause
"""A simulator's half of the OSDI interface, to evaluate a library without any simulator."""

import ctypes as c
import os
from pathlib import Path

import numpy as np
import pytest

from pyharness.spice import ngspice_has_osdi

NONE = 2**32 - 1
STATIC, TRANSIENT = 32768, 8192


class _Pair(c.Structure):
    _fields_ = (("first", c.c_uint32), ("second", c.c_uint32))


class _Entry(c.Structure):
    _fields_ = (("nodes", _Pair), ("reactive_offset", c.c_uint32), ("flags", c.c_uint32))


class _Node(c.Structure):
    _fields_ = (
        ("name", c.c_char_p), ("units", c.c_char_p), ("residual_units", c.c_char_p), ("f", c.c_uint32), ("q", c.c_uint32),
        ("limit_f", c.c_uint32), ("limit_q", c.c_uint32), ("is_flow", c.c_bool),
    )  # fmt: skip


class _Parameter(c.Structure):
    _fields_ = (
        ("names", c.POINTER(c.c_char_p)), ("aliases", c.c_uint32), ("desc", c.c_char_p), ("units", c.c_char_p),
        ("flags", c.c_uint32), ("length", c.c_uint32),
    )  # fmt: skip


class _Noise(c.Structure):
    _fields_ = (("name", c.c_char_p), ("nodes", _Pair))


_P = c.c_void_p


class _Descriptor(c.Structure):
    _fields_ = (
        ("name", c.c_char_p), ("node_count", c.c_uint32), ("terminal_count", c.c_uint32), ("nodes", c.POINTER(_Node)),
        ("entry_count", c.c_uint32), ("entries", c.POINTER(_Entry)), ("collapsible_count", c.c_uint32), ("collapsible", _P),
        ("collapsed_offset", c.c_uint32), ("noises", c.POINTER(_Noise)), ("noise_count", c.c_uint32),
        ("parameter_count", c.c_uint32), ("instance_count", c.c_uint32), ("output_count", c.c_uint32),
        ("parameters", c.POINTER(_Parameter)), ("node_mapping", c.c_uint32), ("pointers", c.c_uint32),
        ("state_count", c.c_uint32), ("state_offset", c.c_uint32), ("bound_step", c.c_uint32),
        ("instance_size", c.c_uint32), ("model_size", c.c_uint32),
        ("access", c.CFUNCTYPE(_P, _P, _P, c.c_uint32, c.c_uint32)),
        ("setup_model", c.CFUNCTYPE(None, _P, _P, _P, _P)),
        ("setup_instance", c.CFUNCTYPE(None, _P, _P, _P, c.c_double, c.c_uint32, _P, _P)),
        ("eval", c.CFUNCTYPE(c.c_uint32, _P, _P, _P, _P)),
        ("load_noise", c.CFUNCTYPE(None, _P, _P, c.c_double, _P)),
        *((name, c.CFUNCTYPE(None, _P, _P, _P)) for name in ("residual_f", "residual_q", "limit_f", "limit_q")),
        ("rhs_dc", c.CFUNCTYPE(None, _P, _P, _P, _P)),
        ("rhs_tran", c.CFUNCTYPE(None, _P, _P, _P, _P, c.c_double)),
        ("jacobian_f", c.CFUNCTYPE(None, _P, _P)),
        ("jacobian_q", c.CFUNCTYPE(None, _P, _P, c.c_double)),
        ("jacobian_tran", c.CFUNCTYPE(None, _P, _P, c.c_double)),
    )  # fmt: skip


class _Simulation(c.Structure):
    _fields_ = (
        ("parameters", _P * 4), ("time", c.c_double), ("solution", _P), ("previous", _P), ("next", _P), ("flags", c.c_uint32)
    )  # fmt: skip


class _Error(c.Structure):
    _fields_ = (("code", c.c_uint32), ("parameter", c.c_uint32))


class _Result(c.Structure):
    _fields_ = (("flags", c.c_uint32), ("count", c.c_uint32), ("errors", c.POINTER(_Error)))


class OsdiDevice:
    """One device of a library: set parameters, evaluate, read."""

    def __init__(self, library: Path, model: dict | None = None, instance: dict | None = None, temperature_k=300.15):
        self.library = c.CDLL(str(library))
        assert c.c_uint32.in_dll(self.library, "OSDI_VERSION_MAJOR").value == 0
        assert c.c_uint32.in_dll(self.library, "OSDI_VERSION_MINOR").value == 3
        self.d = _Descriptor.in_dll(self.library, "OSDI_DESCRIPTORS")
        d = self.d
        self.model, self.instance = c.create_string_buffer(d.model_size), c.create_string_buffer(d.instance_size)
        count = d.parameter_count + d.output_count
        self.ids = {
            d.parameters[i].names[j].decode(): i for i in range(count) for j in range(d.parameters[i].aliases + 1)
        }
        for values, flags in ((model or {}, 1), (instance or {}, 5)):
            for name, value in values.items():
                self._cell(name, flags).value = value
        self.errors = []
        result = _Result()
        d.setup_model(None, self.model, None, c.byref(result))
        self.errors += [d.parameters[result.errors[i].parameter].names[0].decode() for i in range(result.count)]
        d.setup_instance(None, self.instance, self.model, temperature_k, d.terminal_count, None, c.byref(result))
        self.errors += [d.parameters[result.errors[i].parameter].names[0].decode() for i in range(result.count)]
        self.names = [d.nodes[i].name.decode() for i in range(d.node_count)]
        (c.c_uint32 * d.node_count).from_buffer(self.instance, d.node_mapping)[:] = list(range(d.node_count))
        self.f_cells, self.q_cells = np.zeros(d.entry_count), np.zeros(d.entry_count)
        pointers = (c.c_void_p * d.entry_count).from_buffer(self.instance, d.pointers)
        for i in range(d.entry_count):
            pointers[i] = self.f_cells.ctypes.data + 8 * i
            if d.entries[i].reactive_offset != NONE:
                offset = d.entries[i].reactive_offset
                c.c_void_p.from_buffer(self.instance, offset).value = self.q_cells.ctypes.data + 8 * i

    def _cell(self, name: str, flags: int):
        i = self.ids[name]
        kind = c.c_int32 if self.d.parameters[i].flags & 3 == 1 else c.c_double
        return kind.from_address(self.d.access(self.instance, self.model, i, flags))

    def evaluate(self, unknowns, *, time_s: float = 1.0, flags: int = TRANSIENT):
        """Return (f, q, df, dq) at ``unknowns``."""
        d, x = self.d, np.ascontiguousarray(unknowns, float)
        n = d.node_count
        simulation = _Simulation(time=time_s, solution=x.ctypes.data, flags=flags)
        assert d.eval(None, self.instance, self.model, c.byref(simulation)) == 0
        f, q = np.zeros(n), np.zeros(n)
        d.residual_f(self.instance, self.model, f.ctypes.data)
        d.residual_q(self.instance, self.model, q.ctypes.data)
        self.f_cells[:] = self.q_cells[:] = 0
        d.jacobian_f(self.instance, self.model)
        d.jacobian_q(self.instance, self.model, 1.0)
        df, dq = np.zeros((n, n)), np.zeros((n, n))
        for i in range(d.entry_count):
            place = d.entries[i].nodes.first, d.entries[i].nodes.second
            df[place], dq[place] = self.f_cells[i], self.q_cells[i]
        rhs = np.zeros(n)
        d.rhs_tran(self.instance, self.model, rhs.ctypes.data, x.ctypes.data, 3.0)
        np.testing.assert_allclose(rhs, (df + 3.0 * dq) @ x - f, rtol=1e-12, atol=1e-14 * np.abs(df + 3.0 * dq).max())
        rhs[:] = 0
        d.rhs_dc(self.instance, self.model, rhs.ctypes.data, x.ctypes.data)
        np.testing.assert_allclose(rhs, df @ x - f, rtol=1e-12, atol=1e-14 * np.abs(df).max())
        return f, q, df, dq

    def output(self, name: str) -> float:
        """Return an operating-point variable, or a parameter of the instance."""
        return self._cell(name, 4).value

    def noise(self, frequency_hz: float) -> np.ndarray:
        """Return the spectral densities of the noise sources."""
        found = np.zeros(max(self.d.noise_count, 1))
        self.d.load_noise(self.instance, self.model, frequency_hz, found.ctypes.data)
        return found[: self.d.noise_count]

    @property
    def bound_step_s(self) -> float:
        """The time step that the model asked for."""
        return c.c_double.from_buffer(self.instance, self.d.bound_step).value


@pytest.fixture(scope="session")
def osdi_device():
    """The class that loads an OSDI library and evaluates one device."""
    return OsdiDevice


@pytest.fixture
def osdi_simulator():
    """Skip where the ngspice at hand has no OSDI (Debian 12); PYHARNESS_OSDI=required forbids that."""
    if not ngspice_has_osdi():
        assert os.environ.get("PYHARNESS_OSDI") != "required", "this ngspice loads no OSDI libraries"
        pytest.skip("this ngspice loads no OSDI libraries (Debian 13's does)")
