# SPDX-License-Identifier: BSD-3-Clause
"""What a trace shows of the declared coverage; see functional.py.

Everything comes from the simulated controller's own wires; the model that runs beside it lends the registers' values.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from controller_model import Controller
from layout import STATES, Shape, unpack
from write_verify_model import signed

__all__ = ("Observer",)

WV = ("IDLE", "READ", "JUDGE", "PULSE", "INIT")
ACCESS = ("IDLE", "CLOSE", "PULSE", "SETTLE", "CONVERT", "OPEN")
PROGRAM = ("IDLE", "SEEK", "WRITE", "READ")
INFER = ("IDLE", "CLOSE", "SETTLE_1", "CONVERT_1", "KEEP", "SETTLE_2", "CONVERT_2", "OPEN")
VERDICT = ("below", "in_tolerance", "above", "given_up", "stuck", "stuck")
OUTCOME = {1: "reached", 3: "given_up", 4: "stuck_low", 5: "stuck_high"}
ALGORITHM = ("fixed", "incremental", "predictive", "predictive")


def pulses_bin(count: int) -> str:
    for name, most in (("0", 0), ("1", 1), ("2-5", 5), ("6-16", 16)):
        if count <= most:
            return name
    return "17-"


def target_bin(target: int) -> str:
    for name, most in (("lowest", 15), ("low", 511), ("middle", 1279), ("high", 2047)):
        if target <= most:
            return name
    return "negative"


class Observer:
    """Collects from one trace, row by row; ``seen`` holds what was found."""

    def __init__(self, shape: Shape, model: Controller) -> None:
        self.shape, self.model = shape, model
        self.seen: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
        self.states = self.before = dict.fromkeys((name for name, _ in STATES), 0)
        self.word = -1
        self.verdict, self.cause, self.initial, self.rst = "none", "no", "none", 0

    def row(self, inputs: int, outputs: int, states: int) -> None:
        """Take one clock whose wires differ from the clock before."""
        i = unpack(inputs, self.shape.inputs)
        if states != self.word:
            self.before, self.word = self.states, states
            self.states = unpack(states, STATES)
            if i["rst_ni"]:
                self.changed()
        if self.rst and not i["rst_ni"]:
            self.note("reset", self.places(self.before))
        self.rst = i["rst_ni"]
        if self.rst:
            if i["awvalid"] or i["wvalid"] or i["arvalid"]:
                self.channels(i, unpack(outputs, self.shape.outputs))
            if outputs & 1 << 72:  # log_valid
                self.logged(unpack(outputs, self.shape.outputs))

    def note(self, group: str, values: tuple[Any, ...]) -> None:
        self.seen[group].add(values)

    @staticmethod
    def places(s: dict[str, int]) -> tuple[str, ...]:
        return WV[s["state"]], ACCESS[s["access"]], PROGRAM[s["program"]], INFER[s["infer"]]

    def changed(self) -> None:
        """States have changed."""
        s, b = self.states, self.before
        if s["abort"]:
            self.note("abort", self.places(s))
        if s["state"] == b["state"]:
            return
        state = WV[s["state"]]
        if WV[b["state"]] == "IDLE":
            self.verdict, self.cause = "none", "no"
            self.initial = "initial_reset" if state == "INIT" else "none"
        if state == "JUDGE":
            self.verdict = VERDICT[s["verdict"]]
            self.cause = {4: "no_set", 5: "no_reset"}.get(s["verdict"], "no")
        if state == "IDLE":
            if WV[b["state"]] != "JUDGE" or b["abort"]:
                return
            algorithm = ALGORITHM[self.model.setting["ALGORITHM"]]
            self.note("outcome", (algorithm, self.initial, OUTCOME[b["verdict"]]))
            if self.verdict == "in_tolerance":
                self.note("confirm", (b["confirmed"] + 1,))
        pulses = b["pulses"] if state == "IDLE" else s["pulses"]
        self.note("verify", (state, self.verdict, pulses_bin(pulses), target_bin(s["target"]), self.cause))

    def logged(self, o: dict[str, int]) -> None:
        """A pulse is in the log."""
        s = self.model.setting
        reset = o["log_is_reset"]
        cycles, longest = o["log_cycles"], self.shape.longest
        kind = "initial" if o["log_initial"] else "RESET" if reset else "SET"
        size = "longest" if cycles == longest else "cut" if cycles > longest else str(cycles) if cycles < 2 else "more"
        self.note("width", (kind, size))
        if o["log_initial"]:
            return
        away = signed(self.states["target"], 12) - signed(o["log_after"], 12)
        effect = "in_tolerance" if o["log_verdict"] == 1 else "overshot" if (away < 0) != bool(reset) else "short"
        at_limit = o["log_amplitude"] == s["RESET_MAX" if reset else "SET_MAX"]
        algorithm = ALGORITHM[s["ALGORITHM"]]
        for doublings in range(8):
            if not reset and algorithm != "fixed" and cycles == s["SET_CYCLES"] << doublings and cycles:
                self.note("stretch", (doublings,))
        self.note("pulse", (algorithm, "RESET" if reset else "SET", effect, "at_limit" if at_limit else "below_limit"))

    def channels(self, i: dict[str, int], o: dict[str, int]) -> None:
        """Accesses; called before the model takes the edge."""
        m = self.model
        when = "busy" if m.job is not None else "idle"
        if i["awvalid"] != i["wvalid"]:
            self.note("stall", ("address_first" if i["awvalid"] else "data_first",))
        if i["awvalid"] and i["wvalid"] and not o["awready"]:
            self.note("stall", ("write_behind_answer",))
        if i["arvalid"] and not o["arready"]:
            self.note("stall", ("read_behind_answer",))
        if o["awready"] and o["bvalid"]:
            self.note("stall", ("back_to_back",))
        if o["arready"]:
            response = "OKAY" if i["araddr"] & ~3 in m.places else "DECERR"
            self.note("bus", ("read", response, when))
        if o["awready"]:
            register, _ = m.places.get(i["awaddr"] & ~3, (None, 0))
            why = "outside" if register is None else "read_only" if register.access == "ro" else ""
            why = why or ("partial" if i["wstrb"] != 15 else "")
            self.note("bus", ("write", {"": "OKAY", "outside": "DECERR"}.get(why, "SLVERR"), when))
            if why:
                self.note("refused", (why,))
            elif register is not None and register.name == "CONTROL":
                self.note("command", (i["wdata"] & 15, when))
            elif register is not None and register.is_setting:
                self.note("setting", (register.name, when))

    def neurons(self, layer: int, sums: list[int]) -> None:
        """An inference's sums; called by the model whose outputs were found equal."""
        for value in sums:
            if value in (-32768, 32767):
                self.note("neuron", ("saturated_low" if value < 0 else "saturated_high",))
            index = (value >> self.model.setting["SHIFT"]) + 32
            if layer == 0:
                self.note("neuron", ("first" if index < 0 else "last" if index > 63 else "inside",))
        if layer == 1:
            self.note("neuron", (f"class_{int(sums[0] > self.model.setting['THRESHOLD'])}",))
