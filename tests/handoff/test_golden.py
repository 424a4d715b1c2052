# SPDX-License-Identifier: BSD-3-Clause
"""The golden data that are kept still follow from the models and the engines."""

import pytest

from pyharness.bench.job import build_job
from pyharness.config import SimConfig
from pyharness.handoff.decks import cell_expected, device_expected, golden_csv, read_golden
from pyharness.handoff.digital import expected_text
from pyharness.handoff.golden import CONFIG, golden_record, golden_text, golden_values, run_golden
from pyharness.handoff.subjects import EXAMPLE, Subject, subjects


def of(name: str) -> Subject:
    return next(s for s in subjects() if s.name == name)


@pytest.mark.parametrize("name", ["msdc", "vteam", "yakopcic"])
def test_currents_of_each_model(name: str) -> None:
    """Integrated anew, less tightly: to 1e-3 of each value, a fifth of what a receiver's result may be off by.

    The cards are held by the ngspice bench of the archive, which runs them all.
    """
    for found, kept in zip(device_expected(of(name), rtol=1e-5), golden_values(name), strict=True):
        assert (found.measure, found.time_s) == (kept.measure, kept.time_s)
        assert found.value_a == pytest.approx(kept.value_a, rel=1e-3)


def test_a_changed_model_is_noticed() -> None:
    """The comparison can fail: 1 % of the on resistance."""
    subject = of("yakopcic")
    changed = Subject("yakopcic", subject.module, {"a1": 0.17 * 1.01}, subject.series_ohm)
    found = {r.measure: r.value_a for r in device_expected(changed, rtol=1e-5)}
    assert any(abs(found[r.measure] / r.value_a - 1) > 2e-3 for r in golden_values("yakopcic"))


def test_currents_of_the_cell() -> None:
    """With the word line down nothing reaches the device: the reads before and after are the same; a RESET does."""
    kept = {r.measure: r.value_a for r in golden_values(f"{EXAMPLE}_1t1r")}
    assert abs(kept["word_off"]) < 1e-9
    assert kept["read_after_word_off"] == pytest.approx(kept["read_set"], rel=1e-3)
    assert kept["read_reset"] < 0.1 * kept["read_set"]
    found = {r.measure: r.value_a for r in cell_expected(of(EXAMPLE), rtol=1e-4)}
    assert found == pytest.approx(kept, rel=2e-3)


@pytest.mark.parametrize("name", sorted(s.name for s in subjects()))
def test_the_stimulus_moves_every_device(name: str) -> None:
    """A bench in which nothing happens would pass for any device: SET raises the read current, RESET lowers it."""
    kept = {r.measure: r.value_a for r in golden_values(name)}
    assert kept["read_set"] > 1.05 * kept["read_reset"] > 0
    assert kept["set_end"] > 0 > kept["reset_end"]


def test_the_table_reads_as_it_was_written() -> None:
    """Seven digits, line feeds, the same again."""
    text = golden_text("chromium")
    assert golden_csv(read_golden(text)) == text


def test_the_run_again() -> None:
    """The engine without simulator: the same pulses and verdicts; conductances to what another machine's rounding leaves."""
    found, kept = run_golden(), golden_record()
    job = build_job(SimConfig.model_validate(CONFIG))
    assert expected_text(found, job) == expected_text(kept, job)
    assert [d.status for d in kept.devices] == ["reached"] * 6
    assert len({d.pulses for d in kept.devices}) > 3
    for a, b in zip(found.devices, kept.devices, strict=True):
        assert a.final_siemens == pytest.approx(b.final_siemens, rel=1e-9)
        assert a.energy_j == pytest.approx(b.energy_j, rel=1e-6)
