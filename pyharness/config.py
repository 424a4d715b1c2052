# SPDX-License-Identifier: BSD-3-Clause
"""Configuration of the main job: YAML, checked key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pyharness.errors import ConfigError
from pyharness.network.datasets import DIGITS, SUFFIXES
from pyharness.network.images import PATTERNS_RULE, are_patterns
from pyharness.pinned import sha256_of
from pyharness.resources import shipped_configs
from pyharness.veriloga import card_sha256
from pyharness.yamlfile import checked, file_of, read_mapping

__all__ = ("SimConfig", "beside", "load_config", "pinned", "recorded_config")

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Volt = Annotated[float, Field(ge=0, le=2.0)]
PathName = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PulseWidth = Annotated[float, Field(ge=1e-6, le=0.1)]
_DEFAULT_IMAGES = [
    [[".#.", "#.#", ".#."], [".#.", "###", ".#."]],
    [["#.#", ".#.", "#.#"], ["#.#", "...", "#.#"]],
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Device(_Section):
    """The memristor: card name or path, and where the devices start: all alike, or each at its own place of a list, in the array's order.

    A relative path counts from the configuration's own folder; ``card_sha256`` is the digest that a card file must have, with the model that
    it brings along (:func:`pyharness.veriloga.card_sha256`).  ``target`` is the form of the model: B sources for any
    ngspice, a compiled library for one with OSDI, or what the library at hand can do.
    """

    card: PathName = "chromium"
    card_sha256: Sha256 | None = None
    start_fraction: Fraction | list[Fraction] = 0.0
    target: Literal["auto", "ngspice", "osdi"] = "auto"

    @field_validator("card")
    @classmethod
    def _absolute(cls, card: str) -> str:
        """A run works in a folder of its own, where a relative path would lead elsewhere."""
        return str(Path(card).absolute()) if card.endswith(".yaml") else card


def _short_forms(schema: dict[str, Any]) -> None:
    """Put the short forms of images into a schema, beside the section."""
    patterns = schema["properties"]["patterns"]["anyOf"][0]
    section = dict(schema)
    schema.clear()
    schema["anyOf"] = [section, patterns, {"type": "string", "minLength": 1}]


class ImageSource(_Section):
    """Patterns of several classes, or where images are read from (:mod:`pyharness.network.datasets`).

    A list stands for ``patterns``, a word for ``file``.  A relative path counts from the configuration's own folder.
    ``threshold``: grey values from it on are 1; without it all must be 0 or 1.  ``test_share``: part of each class that is kept for the
    test, chosen by ``split_seed``, or by the seed where there is none; of no effect with ``test_file``, which holds the test images instead.
    ``file_sha256`` and ``test_file_sha256`` are digests that the files must have.
    """

    model_config = ConfigDict(json_schema_extra=_short_forms)

    patterns: list[list[list[str]]] | None = None
    file: PathName | None = None
    file_sha256: Sha256 | None = None
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = None
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    split_seed: Annotated[int, Field(ge=0)] | None = None
    test_file: PathName | None = None
    test_file_sha256: Sha256 | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if isinstance(given, list):
            return {"patterns": given}
        return {"file": given} if isinstance(given, str) else given

    @field_validator("patterns", mode="before")
    @classmethod
    def _rows(cls, given: Any) -> Any:
        if given is not None and not are_patterns(given):
            raise ValueError(PATTERNS_RULE)
        return given

    @field_validator("file", "test_file")
    @classmethod
    def _absolute(cls, name: str | None) -> str | None:
        if name is None or name == DIGITS:
            return name
        if Path(name).suffix not in SUFFIXES:
            raise ValueError(f"must be {DIGITS} or the path of a {', '.join(SUFFIXES)} file")
        return str(Path(name).absolute())

    @model_validator(mode="after")
    def _consistent(self) -> ImageSource:
        if (self.patterns is None) == (self.file is None):
            raise ValueError("patterns or file is needed, and only one of them")
        clean = self.file is None or self.file.endswith(".yaml")
        if clean and not (self.threshold is None and self.test_file is None):
            raise ValueError("patterns have neither grey values nor a test_file: leave threshold and test_file out")
        if self.test_file is not None and self.test_file.endswith(".yaml"):
            raise ValueError(f"test_file must hold labelled images, got {self.test_file}: give a .csv or .npz file")
        return self


class Test(_Section):
    """Noisy images to classify in co-simulation, and their pixel-flip probability; of a data set at most its test images, each once."""

    count: Annotated[int, Field(ge=0, le=100_000)] = 600
    pixel_noise: Annotated[float, Field(ge=0, le=0.5)] = 0.15


class Manhattan(_Section):
    """The two pulses of the Manhattan rule, amplitudes at the row driver; a pulse moves a device by a small share of the window."""

    set_v: Volt = 0.8
    set_pulse_s: PulseWidth = 4e-5
    reset_v: Volt = 0.8
    reset_pulse_s: PulseWidth = 8e-6


class Training(_Section):
    """Training: in software (:class:`pyharness.network.training.TrainingOptions`), then on the chip if ``method`` says so.

    ``readout``: what tells the class (:class:`pyharness.network.reference.Network`): the output neuron behind ``hidden`` ones, for two
    classes; or the largest of one layer's sums, a neuron for each class, whatever ``hidden`` says.  None: by the number of classes.
    ``method``: software targets programmed by write-verify; these fine-tuned in the loop (:mod:`pyharness.bench.in_the_loop`); or single
    pulses by the sign of the gradient (:mod:`pyharness.bench.manhattan`).  The other two take at most ``rounds`` rounds, in each of which the
    array answers ``samples`` images (none: every possible one); without a round, the biases alone are tuned to its answers.
    ``start``: where they start from; ``random``: conductances that nothing was trained for.
    ``pulse_budget``: pulses that the whole array may get; when they are spent no more follow, whatever the method.
    ``programming_error``: relative standard deviation of errors that are put on the targets before they are programmed, inside the
    converter's range; a device keeps its own however often it is programmed.
    ``noise``: ``pixel_noise`` and ``conductance_error`` as given, or chosen by ``noise_trials`` trainings for the accuracy at
    ``test.pixel_noise`` on arrays with ``programming_error`` and the tolerance of write-verify (:mod:`pyharness.network.noise_choice`).
    ``targets_siemens``: conductances to program instead, layer by layer, row by row; nothing is trained then.
    """

    readout: Literal["output", "largest"] | None = None
    method: Literal["software", "in_the_loop", "manhattan"] = "software"
    start: Literal["software", "random"] = "software"
    rounds: Annotated[int, Field(ge=0, le=10_000)] = 5
    samples: Annotated[int, Field(ge=1, le=100_000)] | None = None
    pulse_budget: Annotated[int, Field(ge=1)] | None = None
    manhattan: Manhattan = Manhattan()
    levels: Annotated[int, Field(ge=2, le=64)] | None = None
    gain_limit: Annotated[float, Field(gt=0, le=1)] | None = None

    pixel_noise: Annotated[float, Field(ge=0, le=0.3)] = 0.12
    conductance_error: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    noise: Literal["given", "optimised"] = "given"
    noise_trials: Annotated[int, Field(ge=2, le=200)] = 12
    programming_error: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    window_siemens: tuple[Positive, Positive] = (100e-6, 400e-6)
    # a row of the second layer adds up to 127 DAC codes to the reference row, which has 2047
    hidden: Annotated[int, Field(ge=1, le=16)] = 3
    restarts: Annotated[int, Field(ge=1, le=100)] = 6
    targets_siemens: list[Positive] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Training:
        if self.window_siemens[0] >= self.window_siemens[1]:
            raise ValueError("window_siemens must be [lowest, highest] with lowest below highest")
        on_chip = self.method != "software"
        if self.targets_siemens is not None and (on_chip or self.levels or self.gain_limit):
            raise ValueError("targets_siemens are programmed as they are: leave method, levels and gain_limit out")
        if self.noise == "optimised" and (self.targets_siemens is not None or self.start == "random"):
            raise ValueError(
                "noise: optimised chooses levels of software training, which start: random and targets_siemens leave out: take noise: given"
            )
        if self.start == "random" and not on_chip:
            raise ValueError("start: random and method: software train nothing: choose another method or start")
        if self.start == "random" and (self.levels or self.gain_limit):
            raise ValueError(
                "start: random has no software targets that levels or gain_limit could hold: leave them out"
            )
        if self.levels is not None and (self.gain_limit is not None or self.method == "in_the_loop"):
            raise ValueError(
                "levels hold the targets that gain_limit would scale and in_the_loop would move: leave one of them out"
            )
        return self


class WriteVerify(_Section):
    """Write-verify; tolerance as a share of the target, amplitudes at the row driver.

    ``law_v``, ``law_v_per_siemens`` and ``trim_v_per_siemens`` belong to the predictive algorithm: source amplitude at which
    the compliance law ends a SET at 0 S, what it gains with the target, and the excess for the remaining error.
    A device that ``set_max_v`` moves too little gets SET pulses of up to ``2**set_stretch`` times ``set_pulse_s``.  The others' meaning
    is that of the registers, ``hdl/README.md``.
    """

    algorithm: Literal["fixed", "incremental", "predictive"] = "predictive"
    law_v: Volt = 0.2
    law_v_per_siemens: Annotated[float, Field(ge=0, le=1e9)] = 1030.0
    trim_v_per_siemens: Annotated[float, Field(ge=0, le=1e9)] = 4500.0
    tolerance: Annotated[float, Field(ge=0.001, le=0.5)] = 0.01
    confirm: Annotated[int, Field(ge=1, le=15)] = 2
    read_v: Annotated[float, Field(ge=0.02, le=0.2)] = 0.1
    set_start_v: Volt = 0.28
    set_max_v: Volt = 2.0
    set_pulse_s: PulseWidth = 2e-4
    set_stretch: Annotated[int, Field(ge=0, le=7)] = 3
    reset_start_v: Volt = 0.6
    reset_max_v: Volt = 1.5
    reset_step_v: Volt = 0.05
    reset_pulse_s: PulseWidth = 1e-5
    step_min_v: Annotated[float, Field(ge=1e-3, le=2.0)] = 0.004
    step_max_v: Annotated[float, Field(ge=1e-3, le=2.0)] = 0.2
    gain_shift: Annotated[int, Field(ge=0, le=15)] = 2
    max_pulses: Annotated[int, Field(ge=1, le=1023)] = 100
    stuck_limit: Annotated[int, Field(ge=0, le=255)] = 5
    initial_reset: bool = False
    initial_reset_v: Volt = 1.5
    initial_reset_pulse_s: PulseWidth = 1e-3

    @model_validator(mode="after")
    def _ordered(self) -> WriteVerify:
        for first, limit in (
            ("set_start_v", "set_max_v"),
            ("reset_start_v", "reset_max_v"),
            ("step_min_v", "step_max_v"),
        ):
            if getattr(self, first) > getattr(self, limit):
                raise ValueError(f"{first} must not exceed {limit}")
        return self


class Peripheral(_Section):
    """Power of what the row drivers' energy does not hold, all of it on from the first to the last clock: assumptions, not measurements.

    ``row_w``: DAC of each row and of each layer's reference row.  ``column_w``: amplifier, comparator and converter of each column.
    ``logic_w``: the controller.  The defaults are orders of magnitude for converters of 12 bits at a microsecond a step.
    """

    row_w: Annotated[float, Field(ge=0, le=1)] = 20e-6
    column_w: Annotated[float, Field(ge=0, le=1)] = 100e-6
    logic_w: Annotated[float, Field(ge=0, le=10)] = 20e-6


class Timing(_Section):
    """Clock and the waits between digital action and analog result."""

    clock_hz: Annotated[float, Field(ge=1e4, le=1e8)] = 1e6
    settle_s: Annotated[float, Field(ge=1e-7, le=1e-2)] = 5e-6
    guard_s: Annotated[float, Field(ge=1e-7, le=1e-3)] = 2e-6
    adc_bit_s: Annotated[float, Field(ge=2e-7, le=1e-3)] = 1e-6


class Variation(_Section):
    """Measured scatter of the card's parameters, from device to device and from pulse to pulse; sigmas times ``scale``."""

    device: bool = False
    cycle: bool = False
    scale: Annotated[float, Field(ge=0, le=10)] = 1.0


class ArraySection(_Section):
    """The figures of the array's periphery that a user may want to move."""

    compliance_ohm: Annotated[float, Field(ge=100, le=1e6)] = 5110.0
    g_ref_siemens: Annotated[float, Field(ge=1e-6, le=1e-2)] = 250e-6
    comparator_offset_v: Annotated[float, Field(ge=-0.1, le=0.1)] = 0.0
    feedback_verify_ohm: Annotated[float, Field(ge=100, le=1e8)] = 20e3
    feedback_inference_ohm: Annotated[float, Field(ge=10, le=1e8)] = 5e3
    edge_s: Annotated[float, Field(ge=1e-9, le=1e-4)] = 100e-9
    wire_ohm: Annotated[float, Field(ge=0, le=1000)] = 0.0


class Solver(_Section):
    """Accuracy of the analog side: see :class:`pyharness.cosim.SolverOptions`."""

    reltol: Annotated[float, Field(ge=1e-9, le=1e-2)] = 5e-5
    # small: a state, 0 .. 1, is a voltage too, and carbon's moves below 0.02
    vntol_v: Annotated[float, Field(ge=1e-12, le=1e-2)] = 1e-8
    trtol: Annotated[float, Field(ge=0.1, le=100)] = 0.5
    tmax_s: Annotated[float, Field(ge=1e-9, le=1e-2)] = 1e-3
    crossing_tol_s: Annotated[float, Field(ge=1e-12, le=1e-6)] = 2e-8


class SimConfig(_Section):
    """Everything that the main job can be told.

    ``engine``: what computes: ngspice, coupled to the HDL simulator that runs the RTL; the RTL with the behavioural view of the array in
    Verilog, quick and without SPICE; or NumPy and machine code, controller and array, hundreds of times as quick, for wide sweeps.
    ``solver`` and ``device.target`` concern ngspice alone.
    """

    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    engine: Literal["ngspice", "behavioural", "numpy"] = "ngspice"
    device: Device = Device()
    images: ImageSource = ImageSource(patterns=_DEFAULT_IMAGES)
    test: Test = Test()
    training: Training = Training()
    write_verify: WriteVerify = WriteVerify()
    timing: Timing = Timing()
    array: ArraySection = ArraySection()
    peripheral: Peripheral = Peripheral()
    variation: Variation = Variation()
    solver: Solver = Solver()
    waves: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> SimConfig:
        if self.array.edge_s > self.timing.guard_s:
            raise ValueError(
                f"array.edge_s, {self.array.edge_s:g}, must not exceed timing.guard_s, {self.timing.guard_s:g}: an "
                "amplitude would rise before its switches are closed; shorten the one or lengthen the other"
            )
        if self.engine == "behavioural" and self.array.wire_ohm:
            raise ValueError(
                f"array.wire_ohm must be 0 with engine: behavioural, whose array in Verilog has ideal lines, got "
                f"{self.array.wire_ohm:g}: take engine: ngspice or engine: numpy"
            )
        low, high = self.training.window_siemens
        if self.training.gain_limit is not None and not low <= self.array.g_ref_siemens <= high:
            raise ValueError(
                f"training.gain_limit scales weights towards array.g_ref_siemens, {self.array.g_ref_siemens:g}, which training.window_siemens "
                f"[{low:g}, {high:g}] does not hold: widen the window, move the reference or leave gain_limit out"
            )
        if self.engine == "ngspice" and self.variation.cycle and self.device.target == "osdi":
            raise ValueError(
                "variation.cycle moves parameters while the simulation runs, which a compiled model cannot: set "
                "device.target to ngspice or auto"
            )
        return self


_FILES = (("device", "card", card_sha256), ("images", "file", sha256_of), ("images", "test_file", sha256_of))
"""Section and key of each file that a configuration may name, and what its digest is."""


def beside(file: Path, data: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with the paths of a card and of images counted from the file's own folder."""
    images = data.get("images")
    found = {**data, "images": {"file": images}} if isinstance(images, str) else data
    for section, key, _ in _FILES:
        entries = found.get(section)
        if isinstance(entries, dict) and str(entries.get(key, "")).endswith(SUFFIXES):
            found = {**found, section: {**entries, key: str(file.parent / entries[key])}}
    return found


def pinned(config: SimConfig) -> SimConfig:
    """Return the configuration with the digests of the files that it names, where it has none: a job of it is of their present content.

    Raises:
        ConfigError: a file cannot be read.
    """
    for section, key, digest in _FILES:
        part = getattr(config, section)
        name = getattr(part, key)
        # a card and images by name are of the package: the code's version tells them
        if name and Path(name).is_absolute() and not getattr(part, f"{key}_sha256"):
            part = part.model_copy(update={f"{key}_sha256": digest(name)})
            config = config.model_copy(update={section: part})
    return config


def load_config(path: str | Path | None = None) -> SimConfig:
    """Read a configuration; without a path the shipped ``sim.yaml``.

    Args:
        path: a file, or the name of a shipped configuration (``smoke``).

    Raises:
        ConfigError: unreadable, not YAML, an unknown or doubled key, a value out of range; each with file, key, the
            rule, the value received and what to do.
    """
    file = file_of(path if path is not None else "sim", shipped_configs(), "configuration")
    data = read_mapping(file, "configuration")
    if "study" in data and "series" in data:
        raise ConfigError(f"configuration '{file}' is a study: run it by pyharness study")
    return checked(SimConfig, beside(file, data), f"configuration '{file}'")


def recorded_config(config: dict[str, Any]) -> SimConfig:
    """Return the configuration that a run's record holds.

    Raises:
        ConfigError: this version does not read it; with the key and why.
    """
    return checked(SimConfig, config, "this version of pyharness does not read the run's configuration")
