# SPDX-License-Identifier: BSD-3-Clause
"""One run of a study, in the process that calls it."""

from __future__ import annotations

import json
import re
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from pyharness.bench.job import build_job
from pyharness.bench.numpy_job import run_numpy
from pyharness.bench.runner import read_record, run_sim
from pyharness.config import SimConfig
from pyharness.errors import PyharnessError, RunInterrupted, RunTimeoutError
from pyharness.record import Record
from pyharness.study.store import Outcome

__all__ = ("result_of", "run_point")

_NOT_CONVERGED = re.compile(r"converge|timestep too small|singular matrix|finds no voltage|are not found")


def result_of(record: Record) -> dict[str, Any]:
    """Return what a study keeps of a record: plain numbers, SI units, from which every table is made."""
    accuracy, energy = record.accuracy, record.energy_j
    errors = np.array([d.error_rel for d in record.devices])
    return {
        "training_time_s": record.training_time_s,
        "energy_j": energy.model_dump() if energy else {},
        "pulses": [d.pulses for d in record.devices],
        "final_siemens": [d.final_siemens for d in record.devices],
        "target_siemens": [d.target_siemens for d in record.devices],
        "given_up": sum(d.status != "reached" for d in record.devices),
        "error_rms": float(np.sqrt((errors**2).mean())),
        **(
            {
                "correct": accuracy.correct,
                "images": accuracy.total,
                "agree": accuracy.agree_with_software,
                **({} if accuracy.bayes_limit is None else {"bayes_limit": accuracy.bayes_limit}),
            }
            if accuracy
            else {}
        ),
    }


def _result(config: SimConfig, limit_s: float) -> dict[str, Any]:
    if config.engine == "numpy":
        record = Record(seed=config.seed, engine="NumPy and Numba", tools={}, command="", config={})
        job = build_job(config)
        labels = run_numpy(job, record, limit_s)
        noise = config.test.pixel_noise
        if job.shown is None:  # the test images alone tell the accuracy
            return result_of(record)
        exact = {"accuracy": job.shown.accuracy(labels, noise), "bayes_limit": job.shown.bayes_accuracy(noise)}
        return result_of(record) | exact
    with tempfile.TemporaryDirectory(prefix="pyharness-") as folder:
        return result_of(read_record(run_sim(config, Path(folder), "pyharness study", limit_s=limit_s)))


def run_point(config_json: str, limit_s: float) -> Outcome:
    """Do the job of a configuration; a failure is an outcome, not an error.

    Args:
        config_json: a whole :class:`SimConfig`.
        limit_s: of this machine's time; a run that takes longer is ended.

    Raises:
        RunInterrupted, KeyboardInterrupt: the user ended it.
    """
    begun = time.monotonic()
    status, message, result = "pass", "", dict[str, Any]()
    try:
        # through JSON, as the store keeps it: what is compared later is what was stored
        result = json.loads(json.dumps(_result(SimConfig.model_validate_json(config_json), limit_s)))
    except RunInterrupted:
        raise
    except RunTimeoutError as error:
        status, message = "timeout", str(error)
    except PyharnessError as error:
        status, message = "not converged" if _NOT_CONVERGED.search(str(error)) else "fail", str(error)
    return Outcome(status, message, result, time.monotonic() - begun, socket.gethostname())
