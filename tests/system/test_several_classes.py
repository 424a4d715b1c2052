# SPDX-License-Identifier: BSD-3-Clause
"""A user's own images, and several classes: whole jobs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pyharness.bench.job import build_job
from pyharness.bench.numpy_job import run_numpy
from pyharness.bench.runner import read_record, run_sim
from pyharness.config import SimConfig, load_config
from pyharness.record import Record
from pyharness.study.run import run_point

LIMIT = 0.9504  # the row with most active pixels, by hand: 0.81 * 0.99003 + 0.18 * 0.8127 + 0.01 * 0.2187
ROWS = [[["##", "..", ".."]], [["..", "##", ".."]], [["..", "..", "##"]]]  # 3 x 2 pixels: 6 x 3 and 3 x 1 devices


def config(engine: str, **sections: Any) -> SimConfig:
    data: dict[str, Any] = {
        "engine": engine,
        "images": ROWS,
        "training": {"window_siemens": [1e-4, 3e-4], "pixel_noise": 0.1},
        "write_verify": {"tolerance": 0.02, "set_pulse_s": 1.5e-4},
        "array": {"g_ref_siemens": 2e-4},
        "test": {"count": 40, "pixel_noise": 0.1},
        "waves": False,
    }
    return SimConfig.model_validate(data | sections)


def test_three_classes_by_the_rtl(tmp_path: Path) -> None:
    """Behavioural view and NumPy engine program and answer alike; the classes are those of the integer model; few are wrong."""
    records = [read_record(run_sim(config(engine), tmp_path / engine, "test")) for engine in ("numpy", "behavioural")]
    fast, rtl = records
    assert [d.status for d in rtl.devices] == ["reached"] * 21
    assert fast.answers == rtl.answers
    assert {a["answer"] for a in rtl.answers} == {0, 1, 2}
    job = build_job(config("numpy"))
    network = job.with_conductances(np.array([d.final_siemens for d in rtl.devices]))
    assert [a["answer"] for a in rtl.answers] == network.predict(job.test_images).label.tolist()
    assert rtl.accuracy is not None
    assert rtl.accuracy.bayes_limit == pytest.approx(LIMIT, abs=1e-5)
    assert rtl.accuracy.value > 0.8
    assert rtl.software is None  # the limit is known


def test_digits_on_64_by_10_devices() -> None:
    """The shipped job: 650 devices, 539 images of other writers than it was trained with.

    88.5 % of the images with its seed, 87.8 .. 90.7 % with five.
    """
    job = build_job(load_config("digits"))
    record = Record(seed=job.config.seed, engine="", tools={}, command="", config={})
    assert len(run_numpy(job, record)) == 0
    assert [d.status for d in record.devices] == ["reached"] * 650
    assert record.accuracy is not None
    assert record.accuracy.total == 539
    assert record.accuracy.value > 0.85
    assert record.accuracy.bayes_limit is None
    assert record.accuracy.agree_with_software > 0.97 * 539
    images = [[a["image"] >> i & 1 for i in range(64)] for a in record.answers]
    assert np.array_equal(images, job.test_images)


def blobs(path: Path, classes: int) -> Path:
    """Write grey images of 2 x 3 pixels whose class says which of them are bright."""
    rng, lines = np.random.default_rng(1), []
    for k in range(classes):
        bright = np.arange(6) // 2 == k
        lines += [",".join(map(str, [k, *rng.normal(np.where(bright, 9, 3), 3).round(2)])) for _ in range(40)]
    path.write_text("\n".join(["label,a,b,c,d,e,f", *lines]))
    return path


def test_the_command_with_a_file(tmp_path: Path) -> None:
    """Record, summary and report without a limit, with what software reaches; relative to the configuration's folder."""
    blobs(tmp_path / "grey.csv", 3)
    data = config("numpy", images={"file": "grey.csv", "threshold": 6}).model_dump(mode="json")
    data["images"] = {"file": "grey.csv", "threshold": 6}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(data))
    command = [sys.executable, "-m", "pyharness"]
    done = subprocess.run(
        [*command, "sim", str(tmp_path / "job.yaml"), "--out", str(tmp_path / "out")],
        cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "out" / "latest")
    assert record.accuracy is not None
    assert record.software is not None
    assert record.accuracy.total == 36
    assert record.accuracy.bayes_limit is None
    assert record.software.network == pytest.approx(record.accuracy.value, abs=0.1)
    assert record.software.logistic_regression > 0.6
    told = " ".join(done.stdout.split())
    assert f"software network without errors {record.software.network:.2%}" in told
    assert f"logistic regression in floats {record.software.logistic_regression:.2%}" in told
    assert "Bayes" not in done.stdout
    report = (tmp_path / "out" / "latest" / "report.html").read_text()
    assert "by logistic regression in floats" in report
    assert "best possible" not in report
    shown = subprocess.run(
        [*command, "classify", str(tmp_path / "job.yaml")], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert "not known" in shown.stdout


def test_two_classes_from_a_file_are_fine_tuned_in_the_loop(tmp_path: Path) -> None:
    """The array answers training images, not those of the test; the output neuron tells the class."""
    file = str(blobs(tmp_path / "grey.csv", 2))
    training = {"window_siemens": [1e-4, 3e-4], "method": "in_the_loop", "rounds": 1, "samples": 50, "hidden": 2}
    job = build_job(config("numpy", images={"file": file, "threshold": 6}, training=training))
    assert job.network.readout == "output"
    assert [(layer.rows, layer.cols) for layer in job.layers] == [(6, 2), (2, 1)]
    record = Record(seed=1, engine="", tools={}, command="", config={})
    run_numpy(job, record)
    assert len(record.rounds) == 2
    assert record.accuracy is not None
    assert record.accuracy.value > 0.7


def test_given_conductances_of_several_classes(tmp_path: Path) -> None:
    """As many as the layers of the classes have, whatever ``hidden`` says."""
    given = [1.5e-4 + 5e-6 * i for i in range(21)]
    job = build_job(config("numpy", training={"targets_siemens": given, "hidden": 2}))
    assert job.network.g1_siemens.ravel().tolist() == given[:18]
    assert job.network.readout == "largest"


def test_a_study_takes_its_accuracy_from_the_test_images(tmp_path: Path) -> None:
    """Of a file; a pattern set of few pixels is still enumerated, of many it has the limit of its sample."""
    file = str(blobs(tmp_path / "grey.csv", 3))
    found = run_point(config("numpy", images={"file": file, "threshold": 6}).model_dump_json(), 60.0)
    assert found.status == "pass", found.message
    assert found.result["images"] == 36
    assert not {"accuracy", "bayes_limit"} & set(found.result)
    exact = run_point(config("numpy").model_dump_json(), 60.0).result
    assert exact["bayes_limit"] == pytest.approx(LIMIT, abs=1e-5)
    assert exact["bayes_limit"] - 0.05 < exact["accuracy"] <= exact["bayes_limit"]
    wide = [[["#" * 18]], [["." * 18]]]
    large = run_point(config("numpy", images=wide, training={"hidden": 1, "pixel_noise": 0.2}).model_dump_json(), 60.0)
    assert large.status == "pass", large.message
    assert "accuracy" not in large.result
    assert 0.9 < large.result["bayes_limit"] <= 1.0
