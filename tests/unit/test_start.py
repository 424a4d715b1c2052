# SPDX-License-Identifier: BSD-3-Clause
"""Start states: one for all devices, or one for each, as every engine gets them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pyharness.bench.job import Job, build_job
from pyharness.bench.numpy_array import NumpyArray
from pyharness.bench.numpy_job import run_numpy
from pyharness.bench.runner import read_record, run_sim
from pyharness.bench.view import prepare_behavioural
from pyharness.config import SimConfig
from pyharness.errors import ConfigError
from pyharness.record import Record

CORNERS = [[["##", ".."], ["..", "##"]], [["#.", "#."], [".#", ".#"]]]  # 2 x 2 pixels: ten devices


def config_from(start: Any, **sections: Any) -> SimConfig:
    data: dict[str, Any] = {"engine": "numpy", "images": CORNERS, "training": {"hidden": 2}, "test": {"count": 20}}
    return SimConfig.model_validate(data | {"device": {"start_fraction": start}} | sections)


def job_from(start: Any, **sections: Any) -> Job:
    return build_job(config_from(start, **sections))


def programmed(job: Job) -> NDArray[np.float64]:
    """Return the states at which the devices read as their targets, by bisection."""
    low, high = np.zeros(10), np.ones(10)
    for _ in range(20):
        middle = (low + high) / 2
        array = NumpyArray(job.device, job.electrics, job.layers, job.parameters, middle)
        below = np.array([array.read(i, job.read_v, 0.0, 2e-5) < code for i, code in enumerate(job.target_codes)])
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def played(job: Job) -> Record:
    record = Record(seed=1, engine="", tools={}, command="", config={})
    run_numpy(job, record)
    return record


def test_a_programmed_array_is_verified_and_not_pulsed() -> None:
    """Every device at its own target at once; in another order hardly any is."""
    scatter = {"device": True}
    states = programmed(job_from(0.0, variation=scatter))
    assert len(np.unique(states)) > 5
    record = played(job_from(states.tolist(), variation=scatter))
    assert record.pulses == []
    assert [d.status for d in record.devices] == ["reached"] * 10
    assert max(abs(d.error_rel) for d in record.devices) < 0.01
    assert record.accuracy is not None
    assert record.accuracy.agree_with_software == 20
    assert len(played(job_from(states[::-1].tolist(), variation=scatter)).pulses) > 10


def test_each_device_gets_its_own_in_every_engine(tmp_path: Path) -> None:
    """In the array's order: instance lines of the netlist, rows of the behavioural view, states in NumPy."""
    starts = [0.01 * (i + 1) for i in range(10)]
    job = job_from(starts, variation={"device": True})
    for cell, x0 in zip(job.array.cells, starts, strict=True):
        (line,) = [text for text in job.array.netlist if text.startswith(f"x{cell.instance} ")]
        assert f"x0={x0!r}" in line.split()
    prepare_behavioural(job, tmp_path)
    head, *rows = (line.split() for line in (tmp_path / "devices.txt").read_text().splitlines())
    assert [float(row[head.index("x0")]) for row in rows] == starts
    array = NumpyArray(job.device, job.electrics, job.layers, job.parameters, job.start_fractions)
    assert array.x.tolist() == starts
    array.x[0] = 0.5  # its own copy
    assert job.start_fractions[0] == starts[0]


def test_one_number_is_for_all() -> None:
    """As before."""
    assert job_from(0.25).start_fractions.tolist() == [0.25] * 10


@pytest.mark.parametrize("count", [9, 11, 0])
def test_a_list_of_another_length_is_told(count: int) -> None:
    """With both lengths."""
    with pytest.raises(ConfigError, match=rf"device\.start_fraction must be .* a list of 10, .*got a list of {count}"):
        job_from([0.1] * count)


@pytest.mark.parametrize("engine", ["behavioural", "ngspice"])
def test_a_simulation_begins_from_a_programmed_array(tmp_path: Path, engine: str) -> None:
    """Through the RTL: no pulse, every device at its target, images answered."""
    states = programmed(job_from(0.0)).tolist()
    config = config_from(states, engine=engine, waves=False)
    record = read_record(run_sim(config, tmp_path, "test"))
    assert record.pulses == []
    assert [d.status for d in record.devices] == ["reached"] * 10
    assert record.accuracy is not None
    assert record.accuracy.agree_with_software == 20


@pytest.mark.parametrize("start", [-0.1, [0.5, 1.1], "high", [[0.5]]])
def test_what_is_no_fraction_is_refused(start: Any) -> None:
    """Alone and in a list."""
    with pytest.raises(ValueError, match=r"device\.start_fraction"):
        config_from(start)
