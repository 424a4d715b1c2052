# SPDX-License-Identifier: BSD-3-Clause
"""The controller against its model: constrained-random jobs, every output on every clock, and what they covered."""

import re
import time
from dataclasses import replace
from pathlib import Path

import functional
import mutation
import pytest
from controller_model import Controller
from layout import Row, Shape, pack, read_trace, unpack
from line_coverage import exclusions, measure
from mutants import all_mutants
from regression import RUNS, compare, run_one
from replaying import replay

from pyharness.resources import controller_sources, hdl_dir

TOGGLED = 0.80
COVERAGE = Path(__file__).parents[2] / "build" / "coverage"


@pytest.mark.parametrize("number", range(len(RUNS)), ids=[run.name for run in RUNS])
def test_every_clock_equals_the_model(regression, number: int) -> None:
    """Ports to the array, pulse log, bus and interrupt of one simulation."""
    result = regression[number]
    assert result.difference == ""
    assert result.clocks >= result.run.clocks


def test_the_speed_is_shown(regression) -> None:
    """Of simulation and comparison; no limit, machines differ."""
    clocks = sum(r.clocks for r in regression)
    simulated, compared = (sum(getattr(r, name) for r in regression) for name in ("simulated_s", "compared_s"))
    print(
        f"\n{clocks} clocks; a second of one processor: {clocks / simulated:.0f} simulated, {clocks / compared:.0f} compared"
    )
    assert clocks > 300_000


def test_every_declared_bin_is_reached(regression) -> None:
    """All of them; the list is in build/coverage/functional.yml and .txt."""
    for result in regression:
        functional.sample(result.seen)
    print("\n" + functional.write_reports(COVERAGE))
    assert functional.missing() == []
    assert "controller" in (COVERAGE / "functional.yml").read_text()


def test_a_bin_that_is_not_reached_is_told() -> None:
    """The check of the bins can fail."""
    item = functional.coverage_db["controller.confirm.reads"]
    saved = item.detailed_coverage[15]
    item.detailed_coverage[15] = 0
    try:
        assert "controller.confirm.reads: 15" in functional.missing()
    finally:
        item.detailed_coverage[15] = saved


def test_a_wrong_model_is_noticed(regression) -> None:
    """A model that rounds the tolerance up differs, and the message says where."""

    class Wrong(Controller):
        def take(self, address, word, strobe, busy):
            return super().take(address, word + (address == 0x54), strobe, busy)

    trace = list(read_trace(regression[2].folder / "trace.txt"))
    clocks, difference = compare(trace, Wrong(regression[2].run.shape))
    assert clocks > 0
    assert re.match(r"clock \d+: .* is 0x[0-9a-f]+ instead of 0x", difference)


def test_a_single_wrong_bit_is_noticed(regression) -> None:
    """In the last clock of a trace, in any output."""
    shape: Shape = regression[-2].run.shape
    rows = list(read_trace(regression[-2].folder / "trace.txt"))
    wrong = unpack(rows[-1].outputs, shape.outputs)
    wrong["phase"] ^= 4
    rows[-1] = rows[-1]._replace(outputs=pack(wrong, shape.outputs))
    clocks, difference = compare(rows, Controller(shape))
    assert clocks == rows[-1].clock - rows[0].clock
    assert difference.startswith(f"clock {rows[-1].clock}: phase is 0x")


def test_unknown_bits_are_noticed(tmp_path: Path) -> None:
    """A trace with an X is refused with its line."""
    path = tmp_path / "trace.txt"
    path.write_text("0 0 0 0\n1 0 x3 0\n")
    with pytest.raises(ValueError, match=r"unknown bits in trace.txt, line 2: 1 0 x3 0"):
        list(read_trace(path))


def test_fields_are_packed_as_declared() -> None:
    """Both ways, for a shape other than the default."""
    shape = Shape((5, 1), (1, 3))
    for fields in (shape.inputs, shape.outputs):
        values = {name: i * 37 & ((1 << width) - 1) for i, (name, width) in enumerate(fields)}
        assert unpack(pack(values, fields), fields) == values
    assert Row(0, 1, 2, 3, 4).states == 4


def test_broken_rtl_is_noticed_by_the_regression(tmp_path: Path) -> None:
    """A simulation of its own: a controller whose in-tolerance test is off by one fails against the model."""
    broken = tmp_path / "write_verify.v"
    text = (hdl_dir() / "write_verify.v").read_text()
    assert "size <= tolerance" in text
    broken.write_text(text.replace("size <= tolerance", "size < tolerance"))
    sources = [broken if s.name == broken.name else s for s in controller_sources()]
    result = run_one(replace(RUNS[0], clocks=6000), tmp_path / "run", sources)
    assert result.difference.startswith("clock ")


@pytest.fixture(scope="session")
def stimuli(regression, once):
    """The regression's traces, ready to be played again."""
    return once("stimuli", lambda folder: mutation.record(regression, folder))


def test_the_replay_agrees_with_the_recording(stimuli, tmp_path: Path) -> None:
    """On the unchanged controller; so what a mutant shows is its own."""
    shape, stimulus = stimuli[-1]
    assert replay(controller_sources(), shape, stimulus, tmp_path) == ""


@pytest.fixture(scope="session")
def line_coverage(stimuli, once):
    """Of the shape with the most clocks, by Verilator."""
    shape, stimulus = stimuli[0]
    return once("verilator", lambda folder: measure(controller_sources(), shape, stimulus, folder, COVERAGE))


def test_every_line_is_reached(line_coverage) -> None:
    """But those of line_exclusions.yaml; and Verilator agrees with Icarus and with the model on every clock."""
    assert line_coverage.missed(exclusions()) == []
    assert len(line_coverage.lines) > 500


def test_an_excluded_line_is_not_reached(line_coverage) -> None:
    """An exclusion that is reached, or whose line is gone, has no reason to be there."""
    assert set(line_coverage.missed({})) == set(exclusions())


def test_bits_toggle(line_coverage) -> None:
    """At least as many as were measured: the rest are high bits of small arrays and of long waits."""
    print(f"\n{100 * line_coverage.toggled:.1f} % of {len(line_coverage.bits)} bits change")
    assert line_coverage.toggled >= TOGGLED


def test_a_sample_of_mutants_is_killed(stimuli, tmp_path: Path) -> None:
    """Eight; make mutation runs them all."""
    names = ("write_verify.v", "write_verify.v", "cell_access.v", "sar_adc.v", "program_sequencer.v", "registers.v")
    sample = [
        m for n, f in enumerate((*names, "neuron.v", "accelerator.v")) for m in mutation.select({f: 1}, seed=100 + n)
    ]
    begin = time.perf_counter()
    judged = mutation.judge_all(sample, stimuli, tmp_path)
    print(f"\n{len(judged)} mutants in {time.perf_counter() - begin:.0f} s")
    assert [j.mutant.name for j in judged if j.verdict in ("survived", "refused")] == []
    assert sum(j.verdict == "killed" for j in judged) >= 6


def test_what_does_not_compile_is_not_killed(stimuli, tmp_path: Path) -> None:
    """Else a slip of the mutator would pass for a good result."""
    (mutant, *_) = all_mutants("neuron.v", (hdl_dir() / "neuron.v").read_text())
    nonsense = replace(mutant, after="this is no Verilog")
    assert mutation.judge(nonsense, stimuli[-1:], tmp_path / "mutant", {}).verdict == "refused"


def test_equivalents_are_still_mutants() -> None:
    """An entry of the table of equivalents whose line is gone would hide nothing, and has to go."""
    texts = {file: (hdl_dir() / file).read_text() for file in mutation.COUNTS}
    names = {m.name for file, text in texts.items() for m in all_mutants(file, text)}
    assert set(mutation.equivalents()) <= names
    assert all(len(reason) > 20 for reason in mutation.equivalents().values())
