# SPDX-License-Identifier: BSD-3-Clause
"""Run the main job: a folder of its own, the simulation, the record, and the link to the latest good run."""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
import resource
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pyharness.bench.job import MODEL_LIBRARY, Job, build_job
from pyharness.bench.progress import show_progress, show_told
from pyharness.bench.view import prepare_behavioural
from pyharness.code import code_version
from pyharness.config import SimConfig, pinned
from pyharness.cosim import simulate
from pyharness.cosim.libngspice import find_libngspice, library_has_osdi
from pyharness.cosim.waves import PROBE_MODULE, write_gtkwave_view, write_probe_module
from pyharness.errors import ConfigError, RunInterrupted, SimulationError, ToolNotFoundError
from pyharness.network.datasets import DataSet
from pyharness.network.largest import logistic_regression
from pyharness.record import Record, SoftwareAccuracy, VariationResult, write_record
from pyharness.resources import controller_sources, hdl_dir
from pyharness.veriloga import compile_osdi, is_model_type, load_device, osdi_compiler
from pyharness.yamlfile import led_by

__all__ = ("hdl_sources", "read_record", "run_sim")

_REFERENCE_STREAM = 7  # of the seed: pyharness.bench.job and pyharness.bench.trained have those before
_LOGIC = {
    "system_top.u_array": 1,
    "system_top.irq_o": 0,
    "system_top.log_valid_o": 0,
    "system_top.log_device_o": 0,
    "system_top.log_after_o": 0,
    "system_top.u_accelerator.u_write_verify.state_q": 0,
    "system_top.u_accelerator.u_inference.state_q": 0,
}


def hdl_sources(array: str = "analog_array.v") -> list[Path]:
    """Return the files of the simulation: controller, top, and the array: the shell or the behavioural view."""
    folder = hdl_dir()
    return [*controller_sources(), folder / "system_top.v", folder / "analog" / array]


def read_record(folder: Path) -> Record:
    """Return the record of a run.

    Raises:
        SimulationError: there is none, or it is not one of this schema.
    """
    path = folder / "results.json"
    try:
        return Record.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        latest = folder / "latest"
        hint = f": did you mean '{latest}'?" if (latest / "results.json").is_file() else ""
        reason = getattr(cause, "strerror", None) or cause
        raise SimulationError(f"no readable results.json in '{folder}': {reason}{hint}") from None


_ENGINES = {"ngspice": "ngspice in vvp", "behavioural": "behavioural view in vvp", "numpy": "NumPy and Numba"}


def _tool_versions(engine: str) -> dict[str, str]:
    python = {"code": code_version(), "python": platform.python_version()}
    if engine == "numpy":
        return python | {name: version(name) for name in ("pyharness", "numba", "numpy", "scipy")}
    icarus = subprocess.run(["iverilog", "-V"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    packages = {name: version(name) for name in ("pyharness", "cocotb", "numpy", "scipy")}
    return {"icarus": icarus.strip(), **python, **packages}


def _new_folder(out: Path) -> Path:
    """Create a folder that no other run has.

    Raises:
        ConfigError: it cannot be made there.
    """
    latest = out / "latest"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if latest.exists() and not latest.is_symlink():
            raise ConfigError(f"--out {out}: 'latest' there is no link to a run: rename it, or name another folder")
        return _unused(out)
    except OSError as cause:
        raise ConfigError(
            f"--out {out}: cannot make a folder for the run: {cause.strerror}: name a place that can be written"
        ) from None


def _unused(out: Path) -> Path:
    stem = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    for attempt in range(1000):
        folder = out / (stem if attempt == 0 else f"{stem}-{attempt}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            continue
    raise SimulationError(f"cannot create a new run folder in '{out}'")


def _point_latest(out: Path, folder: Path) -> None:
    """Let ``latest`` name the folder, in one step."""
    temporary = out / f".latest.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name)
    os.replace(temporary, out / "latest")


def _variation(job: Job) -> VariationResult | None:
    v, spread = job.config.variation, job.device.card.spread
    kinds = {"device_to_device": v.device, "cycle_to_cycle": v.cycle}
    if not any(kinds.values()):
        return None
    return VariationResult(
        scale=v.scale,
        spread={
            kind: {name: s.model_dump() for name, s in getattr(spread, kind).items()}
            for kind, on in kinds.items()
            if on
        },
        devices=job.parameters,
    )


def _software(job: Job) -> SoftwareAccuracy | None:
    if not (isinstance(job.images, DataSet) and job.config.test.count):
        return None
    seed = np.random.SeedSequence(job.config.seed, spawn_key=(_REFERENCE_STREAM,))
    noise, rng = job.config.training.pixel_noise, np.random.default_rng(seed)
    found = (
        job.network.predict(job.test_images).label,
        logistic_regression(job.images, noise, rng, job.test_images),
    )
    network, logistic = (float((labels == job.test_labels).mean()) for labels in found)
    return SoftwareAccuracy(network=network, logistic_regression=logistic)


def _waveforms(job: Job, folder: Path) -> tuple[list[Path], dict[str, str]]:
    nodes = [f"{layer.name}_col{c}_out" for layer in job.layers for c in range(layer.cols)]
    nodes += [f"{layer.name}_row{r}" for layer in job.layers for r in range(layer.rows)]
    state = job.device.module.internal_nodes[0]
    states = [job.subcircuit.inner_node(f"x{cell.instance}", state) for cell in job.array.cells]
    source, probes = write_probe_module(folder, [*nodes, *states], _LOGIC)
    shown = ["system_top.u_array.phase[2:0]", "system_top.u_array.l1_word[8:0]", "system_top.u_array.l1_cmp[2:0]"]
    write_gtkwave_view(folder / "waves.gtkw", "waves.vcd", shown, [*nodes[:7], *states[:6]])
    return [source], probes


def run_sim(
    config: SimConfig,
    out: Path,
    command: str,
    *,
    log_edges: bool = False,
    progress: bool = False,
    limit_s: float | None = None,
    where: str = "",
) -> Path:
    """Run the main job and return its folder ``out/<time>``, which ``out/latest`` then names.

    With ``progress`` it is shown on standard error; ``limit_s`` ends a simulation that takes longer; ``where`` leads what is told of the configuration.  A run that fails or is interrupted keeps its folder and what it measured; ``latest`` stays with the last good run.

    Raises:
        ConfigError, VerilogAError: the job cannot be built; nothing was created.
        ToolNotFoundError: a simulator is missing; nothing was created.
        RunTimeoutError: it took longer than ``limit_s``; the message names the folder.
        SimulationError: the simulation failed; the message names the folder.
        RunInterrupted: the user ended it; the message names the folder.
    """
    clocks = _Clocks()
    with led_by(where), show_told() if progress else nullcontext():
        # what the testbench, the report and whoever repeats the run read later is what is read now
        config = _with_target(pinned(config))
        compiled = config.device.target == "osdi"
        job = build_job(config, Path(MODEL_LIBRARY) if compiled else None)
    with tempfile.TemporaryDirectory(prefix="pyharness-") as temporary:
        model = Path(temporary, MODEL_LIBRARY)
        if compiled:
            # OpenVAF lets no parameter vary from device to device but those that the source marks
            own = bool(config.variation.device)
            compile_osdi(
                job.device.module,
                model,
                instance_parameters=tuple(job.subcircuit.parameters),
                openvaf=None if own else osdi_compiler(),
            )
        folder = _new_folder(out)
        if compiled:
            shutil.copyfile(model, folder / MODEL_LIBRARY)
    record = Record(
        seed=config.seed,
        engine=_ENGINES[config.engine],
        tools=_tool_versions(config.engine),
        command=command,
        config=config.model_dump(mode="json"),
        network={
            "bias": list(job.network.bias),
            "table": list(job.network.table),
            "shift": job.network.shift,
            "threshold": job.network.threshold,
            "pixel_noise": job.training.pixel_noise,
            "conductance_error": job.training.conductance_error,
            "layers": [[layer.rows, layer.cols] for layer in job.layers],
            "targets_siemens": job.targets_siemens.tolist(),
            "readout": job.network.readout,
        },
        software=_software(job),
        variation=_variation(job),
    )
    write_record(record, folder)
    (folder / "job.json").write_text(config.model_dump_json(indent=1), encoding="utf-8")
    watch = show_told() if config.engine == "numpy" else show_progress(folder / "simulator.log")
    with _told(folder, clocks), watch if progress else nullcontext():
        if config.engine == "numpy":
            _run_without_simulator(job, record, folder, clocks, limit_s)
        else:
            _simulate(job, folder, log_edges, limit_s)
            _put(folder, **clocks.read())
    _point_latest(out, folder)
    return folder


def _with_target(config: SimConfig) -> SimConfig:
    """Return the configuration with the form of the model that its engine takes.

    Raises:
        ToolNotFoundError: there is no ngspice, or one that does not load the form that was asked for.
    """
    target = config.device.target
    if config.engine != "ngspice":
        target, config = "ngspice", config.model_copy(update={"waves": False})
    elif target == "auto":
        # a compiled model's parameters stand still: variation from pulse to pulse takes B sources
        compilable = library_has_osdi(find_libngspice()) and not config.variation.cycle
        # nor is a module found that is named as a model type of ngspice
        compilable = compilable and not is_model_type(load_device(config.device.card).module.name)
        target = "osdi" if compilable else "ngspice"
    elif target == "osdi" and not library_has_osdi(ngspice := find_libngspice()):
        raise ToolNotFoundError(
            f"device.target osdi: {ngspice} was built without OSDI and loads no compiled models: set it to auto or ngspice, or name "
            "another library by NGSPICE_LIBRARY_PATH"
        )
    return config.model_copy(update={"device": config.device.model_copy(update={"target": target})})


def _simulate(job: Job, folder: Path, log_edges: bool, limit_s: float | None) -> None:
    """Do the job in a simulator, whose testbench keeps the folder's record."""
    config, behavioural = job.config, job.config.engine == "behavioural"
    if behavioural:
        plusargs = prepare_behavioural(job, folder)
    else:
        plusargs = []
        (folder / "array.cir").write_text("\n".join(job.array.netlist) + "\n", encoding="utf-8")
    extra, probes = _waveforms(job, folder) if config.waves else ([], {})
    environment = {"PYHARNESS_PROBES": json.dumps(probes)}
    if log_edges:
        environment["PYHARNESS_LOG_EDGES"] = "1"
    simulate(
        [*hdl_sources("analog_array_model.v" if behavioural else "analog_array.v"), *extra],
        "system_top",
        "pyharness.bench.main_job",
        folder,
        parameters={
            f"{n}_{k}": getattr(x, k.lower())
            for n, x in zip(("L1", "L2"), job.layers, strict=True)
            for k in ("ROWS", "COLS")
        },
        extra_roots=[PROBE_MODULE] if extra else [],
        include_dirs=[
            folder,
            hdl_dir(),
            hdl_dir() / "analog",
        ],  # the folder's own device before the shipped one
        environment=environment,
        plusargs=plusargs,
        seed=config.seed % (1 << 31),
        waves="waves.vcd" if extra else "",
        timeout_s=limit_s,
    )


def _run_without_simulator(job: Job, record: Record, folder: Path, clocks: _Clocks, limit_s: float | None) -> None:
    """Do the job in this process."""
    from pyharness.bench.numpy_job import run_numpy  # brings Numba, a second that no other engine needs

    try:
        run_numpy(job, record, limit_s or math.inf)
    finally:
        write_record(record.model_copy(update=clocks.read()), folder)


@contextmanager
def _told(folder: Path, clocks: _Clocks) -> Iterator[None]:
    """Say with a failure where the run's folder is, and in its record what ended the run, and when."""
    kept = f"what was measured so far is in {folder}: pyharness report {shlex.quote(str(folder))} shows it"

    def keep(message: str | None) -> None:
        with suppress(SimulationError, OSError):  # what ended the run is told whether or not it can be written
            _put(folder, message=message, **clocks.read())

    try:
        yield
    except KeyboardInterrupt:
        keep("interrupted by the user")
        raise RunInterrupted(f"interrupted; {kept}") from None
    except SimulationError as cause:
        keep(str(cause))
        raise type(cause)(f"{cause}\n{kept}") from None
    except BaseException:
        keep(None)
        raise


def _put(folder: Path, **fields: Any) -> None:
    """Write fields of a run's record."""
    write_record(read_record(folder).model_copy(update=fields), folder)


class _Clocks:
    """What a run has taken since it began, in the names of the record."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.monotonic(), _cpu_s()

    def read(self) -> dict[str, float]:
        return {"wall_s": time.monotonic() - self._wall_s, "cpu_s": _cpu_s() - self._cpu_s}


def _cpu_s() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)
