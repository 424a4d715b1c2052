# SPDX-License-Identifier: BSD-3-Clause
"""Nothing wrong passes the bridge in silence: each fault fails its test with one telling message."""

import re
from pathlib import Path

import pytest

from pyharness.cosim import simulate
from pyharness.errors import SimulationError

HERE = Path(__file__).parent
PINS_V = HERE.parent / "cosim" / "pins.v"

pytestmark = pytest.mark.xdist_group("faults")  # one simulation serves all

MESSAGES = {
    "unknown_level_at_start": r"pin pins_top\.u_pins\.go\[0:0\] .* is x at [0-9.e-]+ s",
    "unknown_level_later": r"pin pins_top\.u_pins\.dac\[3:0\] .* is zz10 at [0-9.e-]+ s",
    "netlist_syntax": r"r9 cmp0 0 1k bogus=3\n.*unknown parameter \(bogus\)",
    "missing_subcircuit": r"unknown subckt: x9 cmp0 0 not_there",
    "missing_port": r"pins without a port on pins_top\.u_pins: enable; its ports are cmp, dac, go, phase",
    "unbound_port": r"ports of pins_top\.u_pins without a pin: go; give each an L2E or E2L",
    "wrong_width": r"port 'dac' is 8 bits wide in the HDL, not a multiple of the 3 bits per element",
    "unknown_node": r"no node or branch 'nowhere' in the circuit, which has: .*cmp0",
    "unknown_sensor_node": r"no node or branch 'out0' in the circuit",
    "unknown_meter_branch": r"no node or branch 'vnone#branch' in the circuit",
    "no_operating_point": r"singular matrix:\s+check node v[89]#branch",
    "no_convergence_in_transient": r"the analog simulation ended by itself at 1\.\d+e-05 s[\s\S]*Timestep too small",
    "two_blocks_at_once": r"pins_top\.u_pins runs already, and a process holds one ngspice: start the blocks together",
    "a_signal_for_a_shell": r"the shell of an analog block is an HDL instance, got .*pins_top\.dac",
    "an_instance_that_is_no_shell": r"pins_top is no shell of an analog block: declare 'reg bridge_event",
    "an_instance_that_is_not_there": r"u_pns",
    "the_analog_side_ends_by_itself": r"the analog simulation ended by itself at \d\.\d+e-07 s, before the digital side stopped it",
    "an_exception_in_another_task": r"the other task went wrong",
    "fails_right_after_the_start": r"at once",
    "a_phase_that_is_too_wide": r"the phase port 'dac' of pins_top\.u_pins has 8 bits, of which 3 count: make it 3 wide",
    "a_real_pin_on_a_vector": r"port 'dac' of pins_top\.u_pins is a vector of 8 bits: R2E reads a real, L2E a vector",
    "a_shell_for_two": r"two blocks share a shell, .*: got pins_top\.u_pins, pins_top\.u_pins",
    "a_state_of_another_circuit": r"no node or branch 'nowhere' in the circuit, which has: .*cmp0",
    "stopped_while_awaited": r"the block was stopped before 'cmp0' passed 100 V",
    "a_level_that_is_no_number": r"no voltage of 'cmp0' passes a level of nan V: give a finite number",
    "a_source_that_starts_nowhere": r"source 'cmp0' cannot start at nan V: give a finite number",
    "a_source_that_is_no_node": r"a node must be a lower-case identifier .*, got 'go 0 5\\nr77 go'",
    "external_source_without_a_pin": r"source 'vx' is external but no pin drives it",
}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run all faults in one process and return test name -> message of the failed ones."""
    with pytest.raises(SimulationError) as caught:
        simulate([PINS_V], "pins_top", "bridge_tests", tmp_path_factory.mktemp("bridge"), python_path=[HERE])
    parts = re.split(r"(?m)^(\w+): ", str(caught.value))[1:]
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    assert found.pop("log").endswith("simulator.log")
    found.pop("ngspice", None)  # a warning of the log
    return found


@pytest.mark.parametrize("fault", MESSAGES)
def test_fault_is_told(failures: dict[str, str], fault: str) -> None:
    """The message names the cause and the place."""
    assert fault in failures, "the faulty test passed"
    assert re.search(MESSAGES[fault], failures[fault]), failures[fault]


def test_a_sound_block_passes_after_the_faults(failures: dict[str, str]) -> None:
    """No fault leaves anything behind, and nothing but the faults failed."""
    assert set(failures) == set(MESSAGES)
