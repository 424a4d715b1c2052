# SPDX-License-Identifier: BSD-3-Clause
"""The main job, worked out from its configuration: device, network, targets, register settings, array.

Everything here is deterministic, so the process that starts the simulation and the testbench inside it agree by
building it from the same configuration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyharness.bench.array import Array, ArrayElectrics, Layer, build_array
from pyharness.bench.registers import registers
from pyharness.bench.settings import manhattan_registers, register_settings
from pyharness.bench.trained import images_of, network_of, readout_of, shown
from pyharness.bench.variation import CycleDraws, draw_devices
from pyharness.bench.write_verify import PulseOrder
from pyharness.config import SimConfig
from pyharness.cosim import SolverOptions
from pyharness.errors import ConfigError, VerilogAError
from pyharness.network.images import Images, ImageSet
from pyharness.network.reference import Arithmetic, Network
from pyharness.network.training import TrainingOptions
from pyharness.veriloga import (
    Device,
    Module,
    Subcircuit,
    check_window,
    compile_numpy,
    emit_ngspice,
    load_device,
    osdi_subcircuit,
)

__all__ = ("MODEL_LIBRARY", "Job", "build_job", "verify_codes")

_FULL_REFERENCE, _LEAST_READ_CODE = 2047, 20
MODEL_LIBRARY = "model.osdi"
"""Name of the compiled model in a run's folder."""


@dataclass(frozen=True)
class Job:
    """A main job ready to run.

    Attributes:
        config: what it was built from.
        device: card and model.
        layers: the crossbars.
        electrics: figures of the periphery.
        library: the model compiled, if it is.
        cells: (layer, row, column) of every device, layer by layer, row by row.
        images: patterns or a data set.
        network: the trained network, with exact target conductances.
        training: what it was trained with, noise levels that were chosen included.
        targets_siemens: per device, in the array's order, errors of the programming included.
        programming_factor: of each device, by which those errors multiply what it is asked for.
        target_codes: verify codes of the targets.
        path_ohm: per device, resistance of the lines in series with it when it is written or read.
        registers: settings of the controller by register name.
        test_images, test_labels: noisy images, shape (count, pixels), and their true classes.
        start_fractions: state of each device before its first pulse, 0 .. 1, shape (devices,).
        parameters: of each device, those that differ from the card's.
        cycles: what the parameters are in each pulse; None without variation from pulse to pulse.
    """

    config: SimConfig
    device: Device
    library: Path | None
    layers: tuple[Layer, Layer]
    electrics: ArrayElectrics
    cells: list[tuple[int, int, int]]
    images: Images
    network: Network
    training: TrainingOptions
    targets_siemens: NDArray[np.float64]
    programming_factor: NDArray[np.float64]
    target_codes: NDArray[np.int_]
    path_ohm: NDArray[np.float64]
    registers: dict[str, int]
    test_images: NDArray[np.int_]
    test_labels: NDArray[np.int_]
    start_fractions: NDArray[np.float64]
    parameters: list[dict[str, float]]
    cycles: CycleDraws | None

    @cached_property
    def subcircuit(self) -> Subcircuit:
        """The device's form in the netlist.

        Raises:
            VerilogAError: a model that ngspice cannot hold.
        """
        name, values = f"{self.device.module.name.lower()}_{self.device.name}", self.device.card.parameters
        free = ("x0", *self.parameters[0])
        if self.library:
            return osdi_subcircuit(
                self.device.module, name=name, parameters=values, instance_parameters=free, library=self.library
            )
        driven = self.cycles.drives if self.cycles else {}
        return emit_ngspice(
            self.device.module,
            name=name,
            parameters=values,
            instance_parameters=free,
            driven=driven,
            transient_only=True,
            soa=False,
        )

    @cached_property
    def array(self) -> Array:
        """Netlist, pins, meters: worked out for the engines that have a use for them."""
        starts = [{"x0": x0, **own} for x0, own in zip(self.start_fractions.tolist(), self.parameters, strict=True)]
        return build_array(self.electrics, self.layers, self.subcircuit, dict(zip(self.cells, starts, strict=True)))

    @property
    def shown(self) -> ImageSet | None:
        """The images, if the array can be shown every possible one, each of known probability: patterns of few pixels."""
        return shown(self.images)

    @property
    def access_clocks(self) -> int:
        """Clock cycles that no access to a device takes longer than, the search for it included."""
        r = self.registers
        pulse = max(r["SET_CYCLES"] << r["SET_STRETCH"], r["RESET_CYCLES"], r["INIT_CYCLES"])
        read = max(1, r["SETTLE"]) + 13 * max(1, r["BIT_CYCLES"])
        return pulse + 2 * read + 4 * max(1, r["GUARD"]) + len(self.target_codes) + 100

    def microseconds(self, clocks: int) -> int:
        """Return how long so many clock cycles are, rounded up."""
        return math.ceil(clocks / self.config.timing.clock_hz * 1e6)

    @property
    def read_v(self) -> float:
        """Read voltage."""
        return self.config.write_verify.read_v

    def conductance(self, device: int, code: int) -> float:
        """Return the conductance that a device's verify code stands for: the middle of its step."""
        return self.electrics.conductance(code + 0.5, self.read_v, float(self.path_ohm[device]))

    def source_v(self, order: PulseOrder) -> float:
        """Return a pulse's amplitude at the row driver."""
        return order.amplitude * self.electrics.dac_lsb_v * (-1 if order.is_reset else 1)

    def drawn(self, device: int, pulse: int) -> dict[str, float]:
        """Return the parameters that are drawn for a pulse; none without variation from pulse to pulse."""
        return self.cycles.values(device, pulse) if self.cycles else {}

    def solver(self) -> SolverOptions:
        """Return the analog accuracy."""
        s = self.config.solver
        return SolverOptions(**s.model_dump())

    def with_conductances(self, g_siemens: NDArray[np.float64]) -> Network:
        """Return the network as it is with the given conductances, in the array's order."""
        first = self.layers[0].rows * self.layers[0].cols
        return replace(
            self.network,
            g1_siemens=g_siemens[:first].reshape(self.layers[0].rows, -1),
            g2_siemens=g_siemens[first:].reshape(self.layers[1].rows, -1),
        )


def _variation(
    config: SimConfig,
    device: Device,
    count: int,
    device_seed: np.random.SeedSequence,
    cycle_seed: np.random.SeedSequence,
) -> tuple[list[dict[str, float]], CycleDraws | None]:
    """Return each device's own parameters, and the draws of the pulses."""
    v = config.variation
    own = draw_devices(device, count, device_seed, v.scale) if v.device else [{} for _ in range(count)]
    return own, CycleDraws(device, own, cycle_seed, v.scale) if v.cycle else None


def _start_fractions(config: SimConfig, count: int) -> NDArray[np.float64]:
    given = np.asarray(config.device.start_fraction, float)
    if given.ndim and len(given) != count:
        raise ConfigError(
            f"device.start_fraction must be one number for all, or a list of {count}, one for each device, layer by layer, row by row; "
            f"got a list of {len(given)}"
        )
    return np.broadcast_to(given, count)


def verify_codes(
    electrics: ArrayElectrics, g_siemens: NDArray[np.float64], read_v: float, path_ohm: NDArray[np.float64]
) -> NDArray[np.int_]:
    """Return the codes that stand for conductances: the converter cuts off, and the middle of the step is nearest.

    The same conductance reads lower at the end of long lines, of ``path_ohm`` to each device.
    """
    each = zip(g_siemens, path_ohm, strict=True)
    return np.rint([electrics.verify_code(g, read_v, ohm) - 0.5 for g, ohm in each]).astype(int)


@lru_cache(maxsize=64)  # the jobs of a study share a few cards
def _check_model(
    module: Module, parameters: tuple[tuple[str, float], ...], window_siemens: tuple[float, float], engine: str
) -> None:
    """Refuse a model of a form that the engine cannot run, and a card's window that the model does not reach."""
    model = compile_numpy(module, dict(parameters), ("x0",))
    if engine != "ngspice":
        try:
            model.check_one_state()
        except VerilogAError as cause:
            raise VerilogAError(f"{cause}; engine ngspice takes any form, engine {engine} does not") from None
    if not model.other_form and len(module.internal_nodes) == 1:
        check_window(model, window_siemens)


def build_job(config: SimConfig, library: Path | None = None) -> Job:
    """Work the job out; with ``library``, the model compiled, the netlist refers to it, else it holds B sources.

    Raises:
        ConfigError: targets outside the device's reach, images that do not fit or cannot be read, start states for another number
            of devices, a faulty card.
        VerilogAError: a faulty model, or one of a form that the engine cannot run.
    """
    device = load_device(config.device.card, config.device.card_sha256)
    card = device.card
    try:
        _check_model(device.module, tuple(card.parameters.items()), card.window_siemens, config.engine)
    except ConfigError as cause:
        raise ConfigError(f"card '{device.name}': {cause}") from None
    low, high = config.training.window_siemens
    reach = device.card.window_siemens
    if low < reach[0] or high > reach[1]:
        raise ConfigError(
            f"training.window_siemens [{low:g}, {high:g}] leaves the reach of card '{device.name}', "
            f"{reach[0]:g} .. {reach[1]:g} S: narrow the window or take another card"
        )
    images = images_of(config)
    if config.training.method != "software" and config.training.samples is None and shown(images) is None:
        raise ConfigError(
            f"training.method {config.training.method} would show all 2^{images.pixels} images in every round: set training.samples, the "
            "number of images that are drawn for one"
        )
    readout = readout_of(config, images)
    hidden = images.classes if readout == "largest" else config.training.hidden
    layers = (Layer("l1", images.pixels, hidden), Layer("l2", hidden, 1))
    electrics = ArrayElectrics(**config.array.model_dump())
    read_code = round(config.write_verify.read_v * 1e3)
    if (most := _FULL_REFERENCE // _LEAST_READ_CODE) < images.pixels:
        raise ConfigError(
            f"images of {images.pixels} pixels: at the lowest write_verify.read_v the reference row takes {most}: give smaller images"
        )
    if images.pixels * read_code > _FULL_REFERENCE:
        raise ConfigError(
            f"{images.pixels} pixels at write_verify.read_v of {config.write_verify.read_v:g} V need {images.pixels * read_code} codes of "
            f"the reference row, which has {_FULL_REFERENCE}: set write_verify.read_v to {_FULL_REFERENCE // images.pixels * 1e-3:g} or less"
        )
    rows = sum(registers()[name].width for name in ("IMAGE", "IMAGE_HIGH"))
    if config.engine != "numpy" and images.pixels > rows:
        raise ConfigError(
            f"images of {images.pixels} pixels: the controller's IMAGE registers, which engine {config.engine} uses, have {rows} bits: set "
            "engine to numpy, or give smaller images"
        )
    arithmetic = Arithmetic(
        read_code=read_code,
        dac_lsb_v=electrics.dac_lsb_v,
        adc_lsb_v=electrics.adc_lsb_v,
        feedback_ohm=electrics.feedback_inference_ohm,
        g_ref_siemens=electrics.g_ref_siemens,
        driver_ohm=electrics.driver_ohm,
        cell_ohm=electrics.switch_on_ohm,
        column_ohm=electrics.switch_on_ohm,
        adc_bits=electrics.adc_bits,
        wire_ohm=electrics.wire_ohm,
    )
    if config.training.method == "manhattan":
        manhattan_registers(config, electrics)  # its errors are told before the run
    # one stream of random numbers for each purpose, all from the one recorded seed; pyharness.bench.on_chip has the next
    training_seed, test_seed, device_seed, cycle_seed, error_seed = np.random.SeedSequence(config.seed).spawn(5)
    network, trained_with = network_of(config, images, readout, hidden, arithmetic, training_seed)
    targets = np.concatenate([network.g1_siemens.ravel(), network.g2_siemens.ravel()])
    path_ohm = np.concatenate([electrics.path_ohm(layer).ravel() for layer in layers])
    codes = verify_codes(electrics, targets, config.write_verify.read_v, path_ohm)
    full = electrics.full_code
    if codes.max() > full or codes.min() < 1:
        raise ConfigError(
            f"targets of {targets.min():g} .. {targets.max():g} S read as ADC codes {codes.min()} .. {codes.max()} at "
            f"{config.write_verify.read_v:g} V, outside 1 .. {full}: lower write_verify.read_v or the window"
        )
    # errors of the conductances: the network stays what it was trained to be
    factor = 1 + config.training.programming_error * np.random.default_rng(error_seed).standard_normal(len(targets))
    if config.training.programming_error:
        # no device is brought to where the converter reads nothing
        first, last = (
            np.array([electrics.conductance(code + 0.5, config.write_verify.read_v, ohm) for ohm in path_ohm])
            for code in (1, full)
        )
        factor = np.clip(targets * factor, first, last) / targets
        targets = targets * factor
        codes = np.clip(verify_codes(electrics, targets, config.write_verify.read_v, path_ohm), 1, full)
    cells = [(i, r, c) for i, layer in enumerate(layers) for r in range(layer.rows) for c in range(layer.cols)]
    parameters, cycles = _variation(config, device, len(cells), device_seed, cycle_seed)
    test_images, test_labels = images.sample(
        config.test.count, config.test.pixel_noise, np.random.default_rng(test_seed)
    )
    return Job(
        config=config,
        device=device,
        library=library,
        layers=layers,
        electrics=electrics,
        cells=cells,
        images=images,
        network=network,
        training=trained_with,
        targets_siemens=targets,
        programming_factor=factor,
        target_codes=codes,
        path_ohm=path_ohm,
        registers=register_settings(config, network, electrics),
        test_images=test_images,
        test_labels=test_labels,
        start_fractions=_start_fractions(config, len(cells)),
        parameters=parameters,
        cycles=cycles,
    )
