# SPDX-License-Identifier: BSD-3-Clause
"""ctypes view of the C engine (see ``engine/engine.h``).

The engine holds one analog block per process.  All calls are made from vvp's own thread and stack, between two
simulation events; none of them runs Python code.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import re
import shutil
import tempfile
from ctypes import POINTER, c_char_p, c_double, c_int, c_uint64
from pathlib import Path

from pyharness.errors import AnalogError, ToolNotFoundError
from pyharness.install import INSTALL

__all__ = ("MAX_PHASES", "STOP_SOURCE", "Edge", "Engine", "Options", "Statistics")

MAX_PHASES = 8
STOP_SOURCE = "vpyh_stop"

_loaded: set[str] = set()
"""OSDI libraries that this process's ngspice holds, by digest."""

_TELLING = re.compile(r"error|too small|singular|unknown|fatal|fail|can't|cannot|undefined", re.I)


class Options(ctypes.Structure):
    _fields_ = (
        ("crossing_tol_s", c_double),
        ("tmax_s", c_double),
        ("edge_corners", c_int),
        ("log_edges", c_int),
    )


class Statistics(ctypes.Structure):
    """What a run cost and how exact it was.

    ``points`` accepted analog points, ``redone`` steps shortened by the synchroniser, ``syncs`` hand-overs to the
    digital side, ``edges_d2a`` and ``edges_a2d`` events each way, ``late_a2d`` crossings that went out later than the
    tolerance allows and ``late_max_s`` by how much, ``window_max_s`` longest time from crossing to HDL event,
    ``analog_s`` analog time reached.
    """

    _fields_ = (
        ("points", c_uint64),
        ("redone", c_uint64),
        ("syncs", c_uint64),
        ("edges_d2a", c_uint64),
        ("edges_a2d", c_uint64),
        ("late_a2d", c_uint64),
        ("late_max_s", c_double),
        ("window_max_s", c_double),
        ("analog_s", c_double),
    )


class Edge(ctypes.Structure):
    """One event across the border: HDL tick, analog time, pin number, direction (0 D->A, 1 A->D), level."""

    _fields_ = (
        ("tick", c_uint64),
        ("analog_s", c_double),
        ("pin", c_int),
        ("direction", c_int),
        ("level", c_double),
    )


_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "pyh_error": (c_char_p, ()),
    "pyh_messages": (c_char_p, ()),
    "pyh_version": (c_char_p, ()),
    "pyh_state": (c_int, ()),
    "pyh_statistics": (POINTER(Statistics), ()),
    "pyh_process": (c_int, ()),
    "pyh_open": (c_int, (c_char_p, c_int)),
    "pyh_tick": (c_double, ()),
    "pyh_signal": (c_int, (c_char_p, c_int)),
    "pyh_width": (c_int, (c_int,)),
    "pyh_phase": (c_int, (c_int,)),
    "pyh_driver": (
        c_int,
        (c_char_p, c_int, c_int, c_int, c_int, c_double, c_double, c_double, c_double, c_int, c_int),
    ),
    "pyh_circuit": (c_int, (POINTER(c_char_p), c_char_p)),
    "pyh_index": (c_int, (c_char_p,)),
    "pyh_name": (c_char_p, (c_int,)),
    "pyh_names": (c_int, ()),
    "pyh_sensor": (c_int, (c_int, c_int, c_int, c_int, c_double, c_double)),
    "pyh_meter": (c_int, (c_int, c_int, c_int, c_int)),
    "pyh_probe": (c_int, (c_char_p, c_int, c_double)),
    "pyh_event": (None, (c_char_p,)),
    "pyh_command": (c_int, (c_char_p,)),
    "pyh_start": (c_int, (POINTER(Options), c_char_p)),
    "pyh_stop": (None, ()),
    "pyh_value": (c_double, (c_int,)),
    "pyh_integrals": (None, (c_int, POINTER(c_double), POINTER(c_double))),
    "pyh_set_source": (None, (c_int, c_double)),
    "pyh_land": (None, ()),
    "pyh_watch": (c_int, (c_int, c_int, c_double, c_int)),
    "pyh_unwatch": (None, (c_int,)),
    "pyh_fired": (c_int, (c_int,)),
    "pyh_edges": (c_int, (POINTER(POINTER(Edge)),)),
}


class Engine(ctypes.CDLL):
    """The loaded engine library; its functions are the ``pyh_*`` calls of ``engine/api.c``."""

    def __init__(self) -> None:
        folder = Path(__file__).parent
        built = sorted(folder.glob("_engine*.so"))
        if not built:
            raise ToolNotFoundError(
                f"the co-simulation engine is not built in {folder.name}/: install the package again "
                f"with a C compiler, ngspice's and Icarus Verilog's headers present ({INSTALL['engine']})"
            )
        super().__init__(str(built[-1]))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self, name)
            function.restype = result
            function.argtypes = arguments

    def text(self, call: str) -> str:
        """Return the text that the parameterless ``pyh_<call>`` points to."""
        value: bytes = getattr(self, f"pyh_{call}")() or b""
        return value.decode(errors="replace")

    def check(self, status: int) -> int:
        """Return ``status``, or raise what the engine says about a negative one.

        Raises:
            AnalogError: ``status`` is negative.
        """
        if status < 0:
            raise AnalogError(self.explain())
        return status

    def explain(self) -> str:
        """Return the engine's error with the lines of ngspice that tell its cause."""
        error = self.text("error") or "the analog side failed without a message"
        lines = [line.strip() for line in self.text("messages").splitlines() if line.strip()]
        causes: list[str] = []
        for i, line in enumerate(lines):
            if line.lower().startswith("error on line"):
                causes += lines[i : i + 3]  # the line itself and what is wrong with it follow
            elif _TELLING.search(line) and not line.startswith("Trying"):
                causes.append(line)
        return error + "".join(f"\n  ngspice: {line}" for line in list(dict.fromkeys(causes))[:8])

    def open(self, ngspice: str, isolated: bool) -> None:
        """Start the analog side with an ngspice library, in this process or isolated in one of its own.

        Raises:
            AnalogError: a run is in progress, no VPI, or a library that does not serve.
        """
        status = self.pyh_open(ngspice.encode(), isolated)
        if status == -2:
            raise AnalogError("the system grants no address space for the analog side: raise the limit (ulimit -v)")
        if isolated:
            _loaded.clear()  # a new process holds none
        self.check(status)

    def load_osdi(self, library: Path) -> None:
        """Have ngspice load the models of ``library``, once per process.

        Raises:
            AnalogError: it cannot be read, or ngspice refuses it.
        """
        try:
            content = library.read_bytes()
        except OSError as cause:
            raise AnalogError(f"cannot read the OSDI library {library}: {cause.strerror}") from None
        digest = hashlib.sha256(content).hexdigest()[:16]
        if digest in _loaded:
            return
        # ngspice's command line takes no path with spaces; a library must stay while it is loaded
        copy = Path(tempfile.mkdtemp(prefix="pyharness-"), "model.osdi")
        copy.write_bytes(content)
        atexit.register(shutil.rmtree, copy.parent, ignore_errors=True)
        before = len(self.text("messages"))
        self.pyh_command(f"osdi {copy}".encode())
        told = self.text("messages")[before:]
        if re.search("error|couldn't", told, re.I):
            raise AnalogError(f"ngspice refuses the OSDI library {library}:\n  ngspice: {told.strip()}")
        self.pyh_command(b"set num_threads=1")  # threads cost more than a few hundred devices' evaluation
        _loaded.add(digest)

    def allocate_lines(self, lines: list[str]) -> ctypes.Array[c_char_p]:
        """Return ``lines`` as the null-terminated array that ngspice reads a circuit from."""
        encoded: list[bytes | None] = [line.encode() for line in lines]
        return (c_char_p * (len(lines) + 1))(*encoded, None)
