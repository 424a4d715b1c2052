# SPDX-License-Identifier: BSD-3-Clause
"""Training on the chip: what it gains, what it costs, and that it is the array's answers that it learns from."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pyharness.bench import in_the_loop
from pyharness.bench.job import build_job
from pyharness.bench.numpy_array import NumpyArray
from pyharness.bench.numpy_job import run_numpy
from pyharness.bench.on_chip import Observation, _training_images, observe, training_rng
from pyharness.config import SimConfig
from pyharness.errors import ConfigError
from pyharness.record import Record

NOISE = 0.1
CORNERS = [[["##", ".."], ["..", "##"]], [["#.", "#."], [".#", ".#"]]]  # 2 x 2 pixels: ten devices


def run(seed: int, training: dict[str, Any], **sections: Any) -> tuple[float, Record]:
    """Return the exact accuracy of a main job's array at 10 % pixel noise, and the record."""
    data: dict[str, Any] = {
        "engine": "numpy",
        "seed": seed,
        "training": {"window_siemens": [1e-4, 3e-4], "restarts": 2} | training,
        "write_verify": {"tolerance": 0.02, "max_pulses": 60, "set_pulse_s": 1.5e-4},
        "test": {"count": 20, "pixel_noise": NOISE},
        "variation": {"device": True, "cycle": True},
    }
    job = build_job(SimConfig.model_validate(data | sections))
    network = {"bias": list(job.network.bias), "table": list(job.network.table), "shift": job.network.shift}
    record = Record(seed=seed, engine="", tools={}, command="", config={}, network=network)
    return job.images.accuracy(run_numpy(job, record), NOISE), record


def spent(record: Record) -> int:
    return sum(d.pulses for d in record.devices)


ERROR = {"programming_error": 0.2}
LOOP = {"method": "in_the_loop"} | ERROR
SIGNS = {"method": "manhattan", "start": "random", "rounds": 25, "samples": 150}


def test_in_the_loop_makes_up_for_errors_that_no_verify_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of 20 % cost points; the loop wins most of them back, and does not where the array's answers are not looked at."""
    seeds = (1, 3)
    software = np.mean([run(s, ERROR)[0] for s in seeds])
    loop = np.mean([run(s, LOOP)[0] for s in seeds])
    assert loop > 0.98
    assert loop - software > 0.03

    async def blind(*args: Any) -> Observation:
        seen = await observe(*args)
        return replace(seen, offsets=(np.zeros_like(seen.offsets[0]), np.zeros_like(seen.offsets[1])))

    monkeypatch.setattr(in_the_loop, "observe", blind)
    assert loop - np.mean([run(s, LOOP)[0] for s in seeds]) > 0.03


def test_in_the_loop_works_around_dead_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pulse moves the four devices with the highest targets: stuck low once, never pulsed again, made up for by the others."""
    data = {"engine": "numpy", "seed": 2, "training": {"window_siemens": [1e-4, 3e-4], "restarts": 2}}
    dead = np.argsort(build_job(SimConfig.model_validate(data)).targets_siemens[:27])[-4:]
    alive = NumpyArray.pulse

    def pulse(self: NumpyArray, cell: int, *args: Any) -> None:
        if cell not in dead:
            alive(self, cell, *args)

    monkeypatch.setattr(NumpyArray, "pulse", pulse)
    (without, first), (with_loop, record) = run(2, {}), run(2, {"method": "in_the_loop", "rounds": 2})
    assert [first.devices[i].status for i in dead] == ["stuck_low"] * 4
    assert [record.devices[i].pulses for i in dead] == [first.devices[i].pulses for i in dead]
    assert with_loop > 0.98
    assert without < 0.8


def test_a_device_that_cannot_follow_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """All die when the array first answers: each round's program command pulses other devices than those before it."""
    pulse, inference, died = NumpyArray.pulse, NumpyArray.inference, []

    def pulse_alive(self: NumpyArray, *args: Any) -> None:
        if not died:
            pulse(self, *args)

    def answer(self: NumpyArray, *args: Any) -> Any:
        died.append(True)
        return inference(self, *args)

    monkeypatch.setattr(NumpyArray, "pulse", pulse_alive)
    monkeypatch.setattr(NumpyArray, "inference", answer)
    _, record = run(1, LOOP | {"rounds": 3})
    ends = [r.pulses for r in record.rounds]
    asked = [{p.device for p in record.pulses[a:b]} for a, b in pairwise(ends)]
    assert len(asked[0]) > 0
    assert sum(map(len, asked)) == len(set[int]().union(*asked))


def test_a_pulse_of_a_later_round_has_a_draw_of_its_own() -> None:
    """Variation from pulse to pulse goes on where the round before ended."""
    _, record = run(2, SIGNS | {"rounds": 2})
    drawn = [(p.device, *p.parameters.values()) for p in record.pulses]
    assert len(drawn) > record.rounds[0].pulses + 40
    assert len(set(drawn)) == len(drawn)


def test_signs_alone_train_a_chip_and_wrong_signs_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """From random conductances to within two points of the limit; with every pulse the other way round it stays far away."""
    trained, record = run(2, SIGNS)
    assert record.accuracy is not None
    assert record.rounds[0].accuracy < 0.8
    assert trained > record.accuracy.bayes_limit - 0.02
    right = Observation.loss

    def wrong(self: Observation, *args: Any) -> Any:
        value, by_g, by_biases = right(self, *args)
        return value, -by_g, by_biases

    monkeypatch.setattr(Observation, "loss", wrong)
    assert run(2, SIGNS)[0] < trained - 0.2


def test_the_manhattan_rule_gives_one_fixed_pulse_a_round() -> None:
    """After the start: two kinds of pulses, at most one a device and round, the budget's last round cut off."""
    _, started = run(2, {"method": "manhattan", "start": "random", "rounds": 1, "pulse_budget": 1})
    assert spent(started) == 1
    _, record = run(2, SIGNS | {"rounds": 5})
    begun = record.rounds[0].pulses
    pulses = record.pulses[begun:]
    assert {(p.polarity, round(p.amplitude_v, 6), round(p.width_s, 9)) for p in pulses} == {
        ("set", 0.8, 4e-5),
        ("reset", -0.8, 8e-6),
    }
    per_round = [b.pulses - a.pulses for a, b in pairwise(record.rounds)]
    assert len(per_round) == 5
    assert all(20 < n <= 30 for n in per_round)


@pytest.mark.parametrize("initial_reset", [False, True])
@pytest.mark.parametrize("training", [{}, LOOP, SIGNS | {"rounds": 3}], ids=["software", "in_the_loop", "manhattan"])
def test_the_budget_is_kept(training: dict[str, Any], initial_reset: bool) -> None:
    """To the pulse, wherever it ends: while devices are programmed first, or in a round; up to there nothing differs."""
    sections: dict[str, Any] = {
        "write_verify": {"initial_reset": initial_reset, "max_pulses": 60, "tolerance": 0.02},
        "images": CORNERS,
    }
    training = {"hidden": 2, **training}
    _, free = run(1, training, **sections)
    first = free.rounds[0].pulses if free.rounds else spent(free)
    for budget in (first // 2, (first + spent(free)) // 2):
        _, record = run(1, training | {"pulse_budget": budget}, **sections)
        assert spent(record) == len(record.pulses) == budget
        assert record.pulses[:-1] == free.pulses[: budget - 1]  # the last one's verdict is that the device is given up
    _, ample = run(1, training | {"pulse_budget": spent(free) + 1}, **sections)
    assert ample.pulses == free.pulses


def test_time_and_energy_hold_every_round() -> None:
    """Each round begins later and with more pulses; its images are reads, which take the array's energy and 66 us each."""
    _, software = run(1, ERROR)
    _, record = run(1, LOOP | {"rounds": 2, "samples": 100})
    times = [r.time_s for r in record.rounds]
    assert software.training_time_s is not None
    assert record.training_time_s is not None
    assert software.energy_j is not None
    assert record.energy_j is not None
    assert software.training_time_s <= times[0]
    assert times == sorted(times)
    assert times[-1] == record.training_time_s
    clock_s, read_clocks = 1e-6, 5 + 1 + 12 + 1
    image_s = (2 + 2 * (2 + read_clocks) + 1 + 1) * clock_s
    assert times[0] - software.training_time_s == pytest.approx(100 * image_s, rel=1e-9)
    assert record.energy_j.verify > software.energy_j.verify
    assert record.energy_j.inference == pytest.approx(software.energy_j.inference, rel=0.3)


def test_the_record_tells_the_last_biases() -> None:
    """They are not the start's, and software with them comes to the sums of the record, which the array agrees with."""
    settings = LOOP | {"programming_error": 0.0}
    _, record = run(1, settings)
    assert record.accuracy is not None
    _, start = run(1, {})
    assert record.network["bias"] != start.network["bias"]
    job = build_job(SimConfig.model_validate({"engine": "numpy"}))
    found = job.with_conductances(np.array([d.final_siemens for d in record.devices]))
    table, shift = start.network["table"], start.network["shift"]
    network = replace(found, bias=tuple(record.network["bias"]), table=tuple(table), shift=shift)
    images = np.array([[a["image"] >> i & 1 for i in range(9)] for a in record.answers])
    assert network.predict(images).accumulator.tolist() == [a["software_sum"] for a in record.answers]
    assert record.accuracy.agree_with_software == record.accuracy.total


def test_without_a_round_the_biases_alone_are_tuned() -> None:
    """The pulses are those of software training; what the biases make up for is part of the loop's gain, and not all of it."""
    (software, first), (biases, record), (loop, _) = run(3, ERROR), run(3, LOOP | {"rounds": 0}), run(3, LOOP)
    assert record.pulses == first.pulses
    assert software + 0.02 < biases < loop - 0.005


def test_a_method_that_cannot_be_done_is_refused() -> None:
    """Many pixels without a number of images, and pulses that would be cut; with the keys, and what to do."""
    images = [[["#" * 13]], [["." * 13]]]
    with pytest.raises(ConfigError, match=r"show all 2\^13 images .*set training.samples"):
        build_job(
            SimConfig.model_validate({"engine": "numpy", "images": images, "training": {"method": "in_the_loop"}})
        )
    long = {"engine": "numpy", "training": {"method": "manhattan", "manhattan": {"set_pulse_s": 0.1}}}
    with pytest.raises(ConfigError, match=r"manhattan\.set_pulse_s of 0\.1 s is 1000000 clock cycles"):
        build_job(SimConfig.model_validate(long | {"timing": {"clock_hz": 1e7}}))


def test_a_device_that_is_passed_by_stays_given_up() -> None:
    """Few pulses leave devices off their targets; the loop, which asks no more of them, does not call them reached."""
    few = {"write_verify": {"tolerance": 0.02, "max_pulses": 12, "set_pulse_s": 1.5e-4}}
    software, loop = (run(1, {"method": m, "rounds": 2}, **few)[1] for m in ("software", "in_the_loop"))
    lost = {i for i, d in enumerate(software.devices) if d.status != "reached"}
    assert lost
    assert lost <= {i for i, d in enumerate(loop.devices) if d.status != "reached"}


def test_rounds_are_drawn_with_the_noise_that_was_trained_with() -> None:
    """Also where it was chosen."""
    data = {"engine": "numpy", "images": CORNERS, "training": {"hidden": 2, "pixel_noise": 0.02}}
    job = build_job(SimConfig.model_validate(data))
    for noise in (0.02, 0.25):
        other = replace(job, training=replace(job.training, pixel_noise=noise))
        assert np.array_equal(_training_images(other, training_rng(other))[1], job.images.joint(noise))


def test_errors_end_where_the_converter_does() -> None:
    """The largest errors would ask for conductances below zero and beyond the last code; what is asked for is what a device can have."""
    data = {"engine": "numpy", "images": CORNERS, "training": {"hidden": 16, "restarts": 1, "programming_error": 0.5}}
    job = build_job(SimConfig.model_validate(data))
    full = job.electrics.full_code
    assert job.target_codes.min() >= 1
    assert job.target_codes.max() == full
    assert job.targets_siemens.max() == pytest.approx(job.conductance(0, full), rel=1e-12)
    exact = np.concatenate([job.network.g1_siemens.ravel(), job.network.g2_siemens.ravel()])
    assert np.allclose(exact * job.programming_factor, job.targets_siemens, rtol=1e-12)
    plain = build_job(SimConfig.model_validate(data | {"training": data["training"] | {"programming_error": 0.0}}))
    assert np.array_equal(plain.targets_siemens, exact)
    factor = 1 + 0.5 * np.random.default_rng(np.random.SeedSequence(1).spawn(5)[4]).standard_normal(len(exact))
    inside = (exact * factor < job.conductance(0, full)) & (exact * factor > job.conductance(0, 1))
    assert 0 < inside.sum() < len(exact)
    assert np.allclose(job.programming_factor[inside], factor[inside], rtol=1e-12)
