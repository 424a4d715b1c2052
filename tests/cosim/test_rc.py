# SPDX-License-Identifier: BSD-3-Clause
"""The coupling against the closed-form solution of an RC."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pyharness import cli
from pyharness.cosim import SolverOptions
from pyharness.cosim.selftest import RcErrors, RcJob, crossings, measure_rc
from pyharness.errors import SimulationError


def test_crossings_of_a_slow_ramp_match_the_hand_calculation() -> None:
    """A step much shorter than RC = 100 ns crosses half way at RC * ln 2 after the middle of its ramp."""
    t, rising = crossings([(0.0, 0.0), (1e-12, 1.0), (1e-6, 1.0)])[0]
    assert rising
    assert t == pytest.approx(0.5e-12 + 69.31471805599453e-9, rel=1e-9)


@pytest.mark.parametrize(
    ("reltol", "bound_s"),
    # twice what ngspice's own integration leaves at this tolerance on this circuit, plus the crossing tolerance
    [(1e-3, 2.5e-9), (1e-5, 0.3e-9), (1e-7, 0.1e-9)],
)
def test_every_edge_and_crossing_arrives_exactly(tmp_path: Path, reltol: float, bound_s: float) -> None:
    """Edges land at their own time; crossings are neither missed, invented nor early, and as exact as the solver."""
    options = SolverOptions(reltol=reltol, tmax_s=1e-6, crossing_tol_s=2e-11)
    errors = measure_rc(RcJob.random(400, options, seed=7), tmp_path)
    assert errors.edges == 400
    assert errors.events > 300
    assert errors.d2a_error_max_s < 1e-15  # a thousandth of a tick: rounding of the seconds only
    assert (errors.missed, errors.extra, errors.early) == (0, 0, 0)
    assert errors.a2d_error_max_s < bound_s
    assert errors.window_max_s < 2.2e-11  # the crossing tolerance and one tick


def test_a_coarse_crossing_tolerance_shows_in_the_errors(tmp_path: Path) -> None:
    """The measurement can fail: with a tolerance of 20 ns the same run is far outside the bounds above."""
    options = SolverOptions(reltol=1e-7, tmax_s=1e-6, crossing_tol_s=2e-8)
    errors = measure_rc(RcJob.random(50, options, seed=7), tmp_path)
    assert errors.window_max_s > 1e-9
    assert errors.a2d_error_max_s > 1e-9


def test_options_are_made_finer() -> None:
    """Tolerances a tenth, steps a quarter, as often as asked, never out of range; 0 times is no change."""
    options = SolverOptions(reltol=1e-3, tmax_s=1e-6, trtol=7.0)
    assert options.finer(0) is options
    finer = options.finer(2)
    assert (finer.reltol, finer.tmax_s, finer.trtol) == (pytest.approx(1e-5), pytest.approx(1e-6 / 16), 1.0)
    assert SolverOptions(reltol=2e-9, tmax_s=2e-12).finer(3).reltol == 1e-9


def test_selftest_prints_the_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row for each tolerance; an event out of place is a failure."""
    done = CliRunner().invoke(cli.commands, ["selftest", "--edges", "30"])
    assert done.exit_code == 0, done.output
    assert done.output.count("0.000 ps") == 3 and done.output.count("0, 0, 0") == 3
    wrong = RcErrors(30, 20, 0.0, 1e-10, 1, 0, 0, 1e-11)
    monkeypatch.setattr("pyharness.cosim.selftest.measure_rc", lambda *_, **__: wrong)
    failed = CliRunner().invoke(cli.commands, ["selftest"])
    assert isinstance(failed.exception, SimulationError) and "3 events are not where they belong" in str(
        failed.exception
    )
