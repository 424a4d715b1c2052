# SPDX-License-Identifier: BSD-3-Clause
"""The analog array: netlist, pins and energy meters, from one description.

Cell (r, c) of a layer is a memristor with its access switch between row r and column c::

    row code --driver--> row r --ammeter--[word r]-- memristor --> column c --ammeter--+--[write c]-- compliance R -- 0
                                                                                       |
                           ref code --driver-- reference R --+-- sum c --[read c]------+
                                                             |
                                                 transimpedance amplifier, comparator against the ADC code

The positive terminal of the memristor is on the row side: a positive row voltage sets it.  A column that is neither
written nor read floats, an open word line cuts its cells off: there is no sneak path.  All nodes named after a port of
the HDL shell are driven by, or watched from, the digital side.

With ``wire_ohm`` the lines have resistance, one segment between neighbouring cells; seen from above, the rows' drivers are
on the left and the columns end at the bottom, where they are written and sensed::

    driver row 0 --o-- wire --o-- wire --o      o  a cell, between its row's line and its column's;
                   |          |          |         cell (r, c) is c segments from the driver
                  wire       wire       wire       and rows - 1 - r segments from the column's end
                   |          |          |
    driver row 1 --o-- wire --o-- wire --o
                   |          |          |
                  end        end        end

No segment lies before the first cell of a row or after the last of a column: ``driver_ohm`` and ``switch_on_ohm`` stand there.
The reference conductances are beside the amplifiers, at the columns' ends; their line stays ideal.

The switches are ngspice's own: against a smooth conductance in a B source they take as many time points at two thirds
of the time for each, and leave the same states.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pyharness.cosim import E2L, L2E, Meter
from pyharness.errors import ConfigError
from pyharness.spice import Netlist, check_name, number
from pyharness.veriloga import Subcircuit

__all__ = ("PHASES", "Array", "ArrayElectrics", "Cell", "EnergyBalance", "Layer", "build_array")

PHASES = ("idle", "reset", "write", "verify", "inference")
"""Meaning of the phase port's value, in order."""

_LIMITS = {
    "compliance_ohm": (1.0, 1e9),
    "driver_ohm": (1e-3, 1e6),
    "switch_on_ohm": (1e-3, 1e6),
    "switch_off_ohm": (1e6, 1e15),
    "bleed_ohm": (1e6, 1e15),
    "g_ref_siemens": (1e-9, 1.0),
    "feedback_verify_ohm": (1.0, 1e9),
    "feedback_inference_ohm": (1.0, 1e9),
    "amplifier_gain": (10.0, 1e9),
    "amplifier_settling_s": (1e-12, 1.0),
    "saturation_v": (1e-3, 1e3),
    "comparator_offset_v": (-1.0, 1.0),
    "dac_lsb_v": (1e-9, 1.0),
    "dac_bits": (2, 32),
    "adc_lsb_v": (1e-9, 1.0),
    "adc_bits": (2, 32),
    "edge_s": (1e-12, 1.0),
    "wire_ohm": (0.0, 1000.0),
}
_LEAST_WIRE_OHM = 1e-3
"""Below, a cell's conductance drowns in the rounding of the sum at its node: no solver finds the cells' currents."""


_POLE_F = 1e-14
"""The amplifiers' pole: a volt on it is ngspice's tolerance of charge, so that an output near zero is not followed to
5e-5 of itself; with 50 pF the ramps of the read took twice the time points."""


@dataclass(frozen=True)
class ArrayElectrics:
    """Electrical figures of the periphery.

    Attributes:
        compliance_ohm: resistor between a written column and ground.
        driver_ohm: output resistance of each row and reference driver.
        switch_on_ohm, switch_off_ohm: of every access and column switch.
        bleed_ohm: from each column to ground, so that a floating column has a potential.
        g_ref_siemens: reference conductance of each column.
        feedback_verify_ohm, feedback_inference_ohm: of the transimpedance amplifier, by range.
        amplifier_gain: open loop, V/V.
        amplifier_settling_s: time constant of the amplifier's output.
        saturation_v: amplifier output limit, plus and minus.
        comparator_offset_v: added to the comparator's input.
        dac_lsb_v, dac_bits: row and reference drivers, two's complement.
        adc_lsb_v, adc_bits: successive-approximation converter, two's complement.
        edge_s: rise and fall time of everything that the digital side drives.
        wire_ohm: of a row or column line between neighbouring cells; 0, or 1e-3 and more.
    """

    compliance_ohm: float = 5110.0
    driver_ohm: float = 10.0
    switch_on_ohm: float = 10.0
    switch_off_ohm: float = 1e10
    bleed_ohm: float = 1e9
    g_ref_siemens: float = 250e-6
    feedback_verify_ohm: float = 20e3
    feedback_inference_ohm: float = 5e3
    amplifier_gain: float = 1e5
    amplifier_settling_s: float = 50e-9
    saturation_v: float = 1.2
    comparator_offset_v: float = 0.0
    dac_lsb_v: float = 1e-3
    dac_bits: int = 12
    adc_lsb_v: float = 0.5e-3
    adc_bits: int = 12
    edge_s: float = 100e-9
    wire_ohm: float = 0.0

    def __post_init__(self) -> None:
        for one in fields(self):
            low, high = _LIMITS[one.name]
            value = getattr(self, one.name)
            kinds = int if one.type == "int" else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                rule = "be a whole number in" if one.type == "int" else "lie in"
                raise ConfigError(f"array figure {one.name} must {rule} {low:g} .. {high:g}, got {value!r}")
        if 0 < self.wire_ohm < _LEAST_WIRE_OHM:
            raise ConfigError(
                f"array figure wire_ohm must be 0 or at least {_LEAST_WIRE_OHM:g}, got {self.wire_ohm!r}: beside such a segment "
                "a cell is lost in rounding; take 0 for ideal lines"
            )
        if self.beside_ohm <= 0:
            raise ConfigError(
                "the array's inference range puts a resistor beside the verify feedback: feedback_inference_ohm must "
                f"be well below feedback_verify_ohm, got {self.feedback_inference_ohm!r} and "
                f"{self.feedback_verify_ohm!r}"
            )

    @property
    def beside_ohm(self) -> float:
        """Resistor that the range switch puts beside the verify feedback; negative when there is none."""
        more = 1 / self.feedback_inference_ohm - 1 / self.feedback_verify_ohm
        return 1 / more - self.switch_on_ohm if more > 0 else -math.inf

    @property
    def read_series_ohm(self) -> float:
        """Resistance in series with a cell that is read, its lines aside: driver, access switch, column switch."""
        return self.driver_ohm + 2 * self.switch_on_ohm

    @property
    def full_code(self) -> int:
        """Largest code of the converters."""
        return (1 << (self.adc_bits - 1)) - 1

    def path_ohm(self, layer: Layer) -> NDArray[np.float64]:
        """Return the resistance of the lines' segments in series with each cell that is read or written, shape (rows, cols)."""
        segments = np.arange(layer.cols) + np.arange(layer.rows)[::-1, None]
        return segments * np.float64(self.wire_ohm)

    def verify_code(self, g_siemens: float, read_v: float, path_ohm: float = 0.0) -> float:
        """Return the (unrounded) ADC code of a single cell of ``g_siemens``, at ``path_ohm`` of lines, read at ``read_v`` volt."""
        seen = g_siemens / (1 + g_siemens * (self.read_series_ohm + path_ohm))
        return seen * read_v * self.feedback_verify_ohm / self.adc_lsb_v

    def conductance(self, code: float, read_v: float, path_ohm: float = 0.0) -> float:
        """Return the conductance in siemens that reads as ``code``: the inverse of :meth:`verify_code`."""
        seen = code * self.adc_lsb_v / (read_v * self.feedback_verify_ohm)
        return seen / (1 - seen * (self.read_series_ohm + path_ohm))


@dataclass(frozen=True)
class Layer:
    """One crossbar: name (prefix of all its ports and nodes), rows (inputs), columns (outputs)."""

    name: str
    rows: int
    cols: int

    def __post_init__(self) -> None:
        check_name(self.name, "layer name")
        for what in ("rows", "cols"):
            value = getattr(self, what)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1024:
                raise ConfigError(f"layer '{self.name}': {what} must be a whole number in 1 .. 1024, got {value!r}")


@dataclass(frozen=True)
class Cell:
    """One device: layer, row, column, and the names of its instance and meter."""

    layer: int
    row: int
    col: int
    instance: str


@dataclass(frozen=True)
class EnergyBalance:
    """Where the energy of the row and reference drivers goes, in joule.

    ``supply_j`` is what the DACs deliver; it is lost in the drivers' own resistance, in the lines' wire, in the access
    switches, in the devices, beyond the columns (column switches, compliance resistor or amplifier input) and in the
    reference conductances with what they feed.  The amplifiers' own supply is not part of it.
    """

    supply_j: float
    drivers_j: float
    wires_j: float
    switches_j: float
    devices_j: float
    columns_j: float
    reference_j: float

    @classmethod
    def of(cls, meters: Mapping[str, float]) -> EnergyBalance:
        """Sort the energies of an array's meters, given by the meter's name."""

        def total(kind: str) -> float:
            return math.fsum(e for name, e in meters.items() if name.startswith(f"{kind} "))

        def of_reference(kind: str) -> float:
            return math.fsum(e for n, e in meters.items() if n.startswith(f"{kind} ") and n.endswith("_ref"))

        return cls(
            supply_j=total("supply"),
            drivers_j=total("supply") - total("row"),
            wires_j=total("wire"),
            switches_j=total("cell") - total("device"),
            devices_j=total("device"),
            columns_j=total("column"),
            reference_j=of_reference("row"),
        )

    @property
    def residual_j(self) -> float:
        """What is unaccounted for: by Kirchhoff's laws zero, up to the solver's tolerance."""
        return self.supply_j - math.fsum(
            (self.drivers_j, self.wires_j, self.switches_j, self.devices_j, self.columns_j, self.reference_j)
        )


@dataclass
class Array:
    """A generated array.

    Attributes:
        netlist: circuit lines, without the sources of the driven nodes.
        pins: connect modules of all ports of the HDL shell.
        meters: ``device <instance>``, ``cell ..``, ``row ..``, ``column ..`` and ``supply ..`` energies; ``wire ..``, of
            each segment of a line with resistance.
        cells: all devices, layer by layer, row by row.
        driven: nodes that the digital side, or Python, drives.
        controls: per cell, driven parameter -> node of its control voltage.
    """

    netlist: list[str]
    pins: list[L2E | E2L] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    driven: list[str] = field(default_factory=list)
    controls: list[dict[str, str]] = field(default_factory=list)

    def batch_sources(self, waves: Mapping[str, Sequence[tuple[float, float]]]) -> list[str]:
        """Return sources for a plain ngspice run: corners (s, V) for the named nodes, 0 V for the others."""
        lines = []
        for node in self.driven:
            corners = " ".join(f"{number(t)} {number(v)}" for t, v in waves.get(node, [(0.0, 0.0)]))
            lines.append(f"vpyh_{node} {node} 0 pwl({corners})")
        return lines

    def batch_energies(self, vectors: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
        """Return each meter's energy in joule from the vectors of a plain transient run."""
        step = np.diff(vectors["time"])

        def volt(node: str) -> NDArray[np.float64] | float:
            return 0.0 if node == "0" else vectors[f"v({node})"]

        def energy(meter: Meter) -> float:
            power = (volt(meter.plus) - volt(meter.minus)) * vectors[f"i({meter.branch})"]
            return float(np.sum((power[1:] + power[:-1]) / 2 * step))

        return {meter.name: energy(meter) for meter in self.meters}


def _elements(port: str, count: int) -> list[str]:
    return [f"{port}{i}" for i in range(count)] if count > 1 else [port]


class _Builder:
    def __init__(self, electrics: ArrayElectrics, device: Subcircuit) -> None:
        self.e = electrics
        self.device = device
        self.net = Netlist()
        self.array = Array(self.net.lines)

    def drive(self, port: str, count: int, **pin: float) -> list[str]:
        """Add an L2E port of ``count`` elements and return its nodes."""
        self.array.pins.append(L2E(port, rise_s=self.e.edge_s, fall_s=self.e.edge_s, **pin))  # type: ignore[arg-type]
        nodes = _elements(port, count)
        self.array.driven += nodes
        return nodes

    def meter(self, kind: str, name: str, plus: str, minus: str, branch: str) -> None:
        self.array.meters.append(Meter(f"{kind} {name}", plus, minus, branch))

    def driver(self, name: str, code: str, out: str) -> None:
        """A DAC output ``code`` drives ``out`` through the output resistance; what it delivers is metered."""
        inner = f"{out}_m"
        branch = self.net.ammeter(f"m_{name}", code, inner)
        self.net.resistor(f"drv_{name}", inner, out, self.e.driver_ohm)
        self.meter("supply", name, code, "0", branch)
        self.meter("row", name, out, "0", branch)

    def switch(self, name: str, a: str, b: str, control: str) -> None:
        self.net.add("s", name, (a, b, control, "0"), "closing")

    def layer(self, index: int, layer: Layer, start: Mapping[tuple[int, int, int], Mapping[str, float]]) -> None:
        e, n, net = self.e, layer.name, self.net
        net.comment(f"layer {n}: {layer.rows} rows x {layer.cols} columns")
        dac: dict[str, float] = {"bits": e.dac_bits, "lsb_v": e.dac_lsb_v, "signed": True}
        codes = self.drive(f"{n}_row_code", layer.rows, **dac)
        (ref_code,) = self.drive(f"{n}_ref_code", 1, **dac)
        words = self.drive(f"{n}_word", layer.rows, corners=-1)
        write = self.drive(f"{n}_col_write", layer.cols, corners=-1)
        read = self.drive(f"{n}_col_read", layer.cols, corners=-1)
        (wide,) = self.drive(f"{n}_range", 1, corners=-1)
        adc = self.drive(f"{n}_adc_code", layer.cols, bits=e.adc_bits, lsb_v=e.adc_lsb_v, signed=True, corners=-1)
        cmp = _elements(f"{n}_cmp", layer.cols)
        self.array.pins.append(E2L(f"{n}_cmp", threshold_v=0.5))

        for r in range(layer.rows):
            self.driver(f"{n}_row{r}", codes[r], f"{n}_row{r}")
        self.driver(f"{n}_ref", ref_code, f"{n}_ref")
        row, col = self.lines(layer)
        for r in range(layer.rows):
            for c in range(layer.cols):
                cell = Cell(index, r, c, f"{n}_r{r}_c{c}")
                self.cell(cell, row[r][c], col[r][c], words[r], start.get((index, r, c), {}))
        for c in range(layer.cols):
            self.column(n, c, write[c], read[c], wide, adc[c], cmp[c])

    def lines(self, layer: Layer) -> tuple[list[list[str]], list[list[str]]]:
        """Return the node of each cell on its row's line and on its column's; with resistance, lay the segments between."""
        n, rows, cols = layer.name, layer.rows, layer.cols
        row = [[f"{n}_row{r}"] * cols for r in range(rows)]
        col = [[f"{n}_col{c}" for c in range(cols)] for _ in range(rows)]
        if not self.e.wire_ohm:
            return row, col
        for r in range(rows):
            row[r][1:] = [f"{n}_row{r}_c{c}" for c in range(1, cols)]
            for near, far in pairwise(row[r]):
                self.segment(far, near, far)
        for r in range(rows - 1):
            col[r] = [f"{n}_col{c}_r{r}" for c in range(cols)]
        for upper, lower in pairwise(col):
            for far, near in zip(upper, lower, strict=True):
                self.segment(far, far, near)
        return row, col

    def segment(self, name: str, a: str, b: str) -> None:
        """Wire from ``a`` to ``b``; what it loses is metered by its own current, so that the balance remains a check."""
        branch = self.net.ammeter(f"m_{name}", a, f"{name}_w")
        self.net.resistor(f"wire_{name}", f"{name}_w", b, self.e.wire_ohm)
        self.meter("wire", name, a, b, branch)

    def cell(self, cell: Cell, row: str, col: str, word: str, values: Mapping[str, float]) -> None:
        name = cell.instance
        branch = self.net.ammeter(f"m_{name}", row, f"{name}_a")
        self.switch(f"w_{name}", f"{name}_a", f"{name}_p", word)
        # controls of its own: what is drawn for the pulse of one cell must not move the others, not even at rest
        controls = {parameter: f"{terminal}_{name}" for parameter, terminal in self.device.driven.items()}
        self.net.subcircuit(name, (f"{name}_p", col, *controls.values()), self.device.name, values)
        self.array.cells.append(cell)
        self.array.controls.append(controls)
        self.array.driven += controls.values()
        self.meter("device", name, f"{name}_p", col, branch)
        self.meter("cell", name, row, col, branch)

    def column(self, n: str, c: int, write: str, read: str, wide: str, adc: str, cmp: str) -> None:
        e, net, name = self.e, self.net, f"{n}_col{c}"
        end, total, amp, out = f"{name}_end", f"{name}_sum", f"{name}_amp", f"{name}_out"
        branch = net.ammeter(f"m_{name}", name, end)
        self.meter("column", name, name, "0", branch)
        net.resistor(f"bleed_{name}", end, "0", e.bleed_ohm)
        self.switch(f"cw_{name}", end, f"{name}_cc", write)
        net.resistor(f"cc_{name}", f"{name}_cc", "0", e.compliance_ohm)
        self.switch(f"cr_{name}", end, total, read)
        net.resistor(f"ref_{name}", f"{n}_ref", total, 1 / e.g_ref_siemens)
        # transimpedance amplifier: a linear loop of finite gain, then its pole and its output limit, so that the
        # virtual ground holds in saturation too; the range switch puts a resistor beside the feedback
        net.resistor(f"fb_{name}", total, amp, e.feedback_verify_ohm)
        self.switch(f"fs_{name}", amp, f"{name}_fb", wide)
        net.resistor(f"fi_{name}", f"{name}_fb", total, e.beside_ohm)
        net.add("e", f"amp_{name}", (amp, "0", "0", total), number(e.amplifier_gain))
        net.resistor(f"pole_{name}", amp, f"{name}_slow", e.amplifier_settling_s / _POLE_F)
        net.capacitor(f"pole_{name}", f"{name}_slow", "0", _POLE_F)
        limit = number(e.saturation_v)
        net.add("b", f"out_{name}", (out, "0"), f"v = max(min(v({name}_slow), {limit}), -{limit})")
        # comparator input: the E2L threshold of 0.5 V is where the column current equals the ADC code
        offset = number(0.5 + e.comparator_offset_v)
        net.add("b", f"cmp_{name}", (cmp, "0"), f"v = {offset} - v({out}) - v({adc})")
        net.resistor(f"cmp_{name}", cmp, "0", 1e6)


def build_array(
    electrics: ArrayElectrics,
    layers: Sequence[Layer],
    device: Subcircuit,
    start: Mapping[tuple[int, int, int], Mapping[str, float]] | None = None,
) -> Array:
    """Generate the array.

    Args:
        electrics: figures of the periphery.
        layers: crossbars, first to last.
        device: the memristor's subcircuit.
        start: instance parameters by (layer, row, column); the others keep the subcircuit's defaults.

    Raises:
        NetlistError: a name or value that may not stand in a netlist.
    """
    builder = _Builder(electrics, device)
    net = builder.net
    net.comment("memristor array, generated")
    net.block(device.text)
    on, off = number(electrics.switch_on_ohm), number(electrics.switch_off_ohm)
    net.block(f".model closing sw(vt=0.5 vh=0.0 ron={on} roff={off})")
    for index, layer in enumerate(layers):
        builder.layer(index, layer, start or {})
    return builder.array
