# SPDX-License-Identifier: BSD-3-Clause
"""Both domains in one waveform file, on one time base."""

import json
import time
from math import exp
from pathlib import Path

import pytest
from vcd.reader import TokenKind, tokenize

from pyharness.cosim import simulate
from pyharness.cosim.waves import write_gtkwave_view, write_probe_module
from pyharness.errors import ConfigError, SimulationError

HERE = Path(__file__).parent


def changes(path: Path) -> dict[str, list[tuple[int, object]]]:
    """Return scope.variable -> [(time in ticks, value)] of a VCD file."""
    names: dict[str, list[str]] = {}
    scope: list[str] = []
    found: dict[str, list[tuple[int, object]]] = {}
    now = 0
    with path.open("rb") as file:
        for token in tokenize(file):
            if token.kind is TokenKind.SCOPE:
                scope.append(token.scope.ident)
            elif token.kind is TokenKind.UPSCOPE:
                scope.pop()
            elif token.kind is TokenKind.VAR:
                names.setdefault(token.var.id_code, []).append(".".join([*scope, token.var.reference]))
            elif token.kind is TokenKind.CHANGE_TIME:
                now = token.time_change
            elif token.kind in (TokenKind.CHANGE_REAL, TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_VECTOR):
                change = token.data
                for name in names[change.id_code]:
                    found.setdefault(name, []).append((now, change.value))
    return found


def test_logic_and_voltage_share_a_file_and_a_time_base(tmp_path: Path) -> None:
    """An RC charges in the file from the very tick at which the DAC code changes, along its exact curve."""
    source, probes = write_probe_module(tmp_path, ["cmp0", "dac0"], {"pins_top": 1})
    simulate(
        [HERE / "pins.v", source],
        "pins_top",
        "waves_tests",
        tmp_path,
        extra_roots=["analog"],
        environment={"PROBES": json.dumps(probes)},
        python_path=[HERE],
        waves="waves.vcd",
    )
    waves = changes(tmp_path / "waves.vcd")
    code_changes = [t for t, value in waves["pins_top.dac"] if value == 4]
    assert code_changes == [2_000_000]  # picoseconds
    curve = waves["analog.cmp0"]
    assert all(t <= 2_000_000 or v > 0 for t, v in curve)
    assert len(curve) > 30
    tau_ps = 1e6  # 1 kOhm, 1 nF
    for t, v in curve:
        if t > 2_001_000:  # after the 1 ns ramp, whose middle is the effective start of the step
            # 1 mV: the smallest change that is recorded
            assert v == pytest.approx(1 - exp(-(t - 2_000_500) / tau_ps), abs=1.5e-3)


def test_a_full_disk_ends_the_run(tmp_path: Path) -> None:
    """No silent gap: the run stops, with the reason, and no test of it counts as passed."""
    source, probes = write_probe_module(tmp_path, ["cmp0", "dac0"], {"pins_top": 1})
    (tmp_path / "waves.vcd.part").symlink_to("/dev/full")  # every write fails with "no space left on device"
    begun = time.monotonic()
    with pytest.raises(
        SimulationError, match=r"waves\.vcd cannot be written: No space left on device; the simulation was ended"
    ):
        simulate(
            [HERE / "pins.v", source], "pins_top", "waves_tests", tmp_path, extra_roots=["analog"],
            environment={"PROBES": json.dumps(probes), "FOR_EVER": "1"}, python_path=[HERE], waves="waves.vcd",
        )  # fmt: skip
    assert time.monotonic() - begun < 30


def test_a_failed_run_keeps_its_waves(tmp_path: Path) -> None:
    """Up to the failure, in both domains."""
    source, probes = write_probe_module(tmp_path, ["cmp0", "dac0"], {"pins_top": 1})
    with pytest.raises(SimulationError, match="is xxxx at 4e-06 s"):
        simulate(
            [HERE / "pins.v", source], "pins_top", "waves_tests", tmp_path, extra_roots=["analog"],
            environment={"PROBES": json.dumps(probes), "FAIL": "1"}, python_path=[HERE], waves="waves.vcd",
        )  # fmt: skip
    waves = changes(tmp_path / "waves.vcd")
    assert waves["analog.cmp0"][-1][0] > 3_900_000
    assert ("xxxx" in str(waves["pins_top.dac"][-1][1])) and waves["pins_top.dac"][-1][0] == 4_000_000


def test_a_run_that_dumps_nothing_leaves_no_file(tmp_path: Path) -> None:
    """Nor one that an earlier run left."""
    (tmp_path / "waves.vcd").write_text("old")
    simulate([HERE / "pins.v"], "pins_top", "pins_tests", tmp_path, testcase="signed_dac_drives_each_element", python_path=[HERE], waves="waves.vcd")  # fmt: skip
    assert not list(tmp_path.glob("waves.vcd*"))


def test_names_cannot_inject_verilog(tmp_path: Path) -> None:
    """Node and scope names are checked before they are written."""
    for node in ("a; initial $finish", "a\nb", "A", "", "a b"):
        with pytest.raises(ConfigError, match="recorded node"):
            write_probe_module(tmp_path, [node], {})
    with pytest.raises(ConfigError, match="recorded HDL scope"):
        write_probe_module(tmp_path, [], {"top); $finish(0": 1})


def test_gtkwave_view_names_every_signal(tmp_path: Path) -> None:
    """The saved layout refers to the names that are in the file."""
    write_gtkwave_view(tmp_path / "waves.gtkw", "waves.vcd", ["pins_top.dac[7:0]"], ["x1.cmp"])
    text = (tmp_path / "waves.gtkw").read_text()
    assert '[dumpfile] "waves.vcd"' in text
    assert "pins_top.dac[7:0]" in text
    assert "analog.x1_cmp" in text
