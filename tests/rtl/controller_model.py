# SPDX-License-Identifier: BSD-3-Clause
"""The controller as hdl/README.md and registers.yaml tell it, clock by clock.

Written as a story instead of states: each job is a generator that runs until it has to wait for the next clock edge
(``yield``).  What it sets at an edge the ports show from the following clock on.  Registers are looked at when the text
says so, so that a write in the middle of a job counts exactly where it should.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from itertools import product

from layout import Shape, pack, unpack
from write_verify_model import ABORTED, STATUS_OF, clip, verify

from pyharness.bench.registers import registers

__all__ = ("Controller",)

Steps = Generator[None, None, None]
OKAY, SLVERR, DECERR = 0, 2, 3
IDLE, RESET_PHASE, WRITE_PHASE, VERIFY_PHASE, INFERENCE_PHASE = range(5)


class Controller:
    """Answers of the controller of a given shape: ``outputs`` before each edge, then ``clock``."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.fields = shape.outputs
        self.input_fields = shape.inputs
        self.map = registers()
        limits = {"TARGET": shape.devices, "OUTCOME": shape.devices, "BIAS": shape.columns}
        self.places = {
            r.address(i): (r, i) for r in self.map.values() for i in range(min(r.count, limits.get(r.name, r.count)))
        }
        self.cells = [
            (layer, row, col)
            for layer in (0, 1)
            for row, col in product(range(shape.rows[layer]), range(shape.cols[layer]))
        ]
        self.on_sums: Callable[[int, list[int]], None] = lambda layer, sums: None  # for whoever wants to watch
        self.reset()

    def reset(self) -> None:
        """Everything as after rst_ni."""
        self.setting = {r.name: r.reset for r in self.map.values() if r.is_setting}
        self.arrays = {n: [0] * self.map[n].count for n in ("TARGET", "BIAS", "ACTIVATION", "OUTCOME")}
        self.hidden = [0] * self.shape.cols[0]
        self.read_result = self.winner = self.accumulator = 0
        self.job: Steps | None = None
        self.programs = self.aborting = self.done = False
        self.index = self.pulses = self.last_code = self.cmp = 0
        self.later: list[tuple[int, Callable[[], None]]] = []
        self.answer: int | None = None
        self.word: tuple[int, int] | None = None
        self.log: dict[str, int] = {}
        self.release()

    # -- what the ports show ------------------------------------------------------------------------------------------
    def release(self) -> None:
        """Let go of the array."""
        self.cell: tuple[int, int, int] | None = None
        self.phase = IDLE
        self.drive = 0
        self.driven: int | None = None
        self.trials: dict[int, int] = {}
        self.fresh = False

    def array_ports(self) -> dict[str, int]:
        """The ports to the array."""
        ports: dict[str, int] = {"phase": self.phase}
        if self.cell is not None:
            layer, row, col = self.cell
            name = f"l{layer + 1}"
            ports[f"{name}_word"] = 1 << row
            ports[f"{name}_row_code"] = (self.drive & 0xFFF) << 12 * row
            ports[f"{name}_col_{'read' if self.phase == VERIFY_PHASE else 'write'}"] = 1 << col
        elif self.phase == INFERENCE_PHASE:
            for layer, name in enumerate(("l1", "l2")):
                ports[f"{name}_word"] = (1 << self.shape.rows[layer]) - 1
                ports[f"{name}_col_read"] = (1 << self.shape.cols[layer]) - 1
                ports[f"{name}_range"] = 1
            if self.driven is not None:
                codes = self.inference_codes(self.driven)
                name = f"l{self.driven + 1}"
                ports[f"{name}_row_code"] = sum(code << 12 * row for row, code in enumerate(codes))
                ports[f"{name}_ref_code"] = -min(sum(codes), 2047) & 0xFFF
        for column, trial in self.trials.items():
            layer, local = self.column_place(column)
            key = f"l{layer + 1}_adc_code"
            ports[key] = ports.get(key, 0) | (trial & 0xFFF) << 12 * local
        return ports

    def column_place(self, column: int) -> tuple[int, int]:
        first = self.shape.cols[0]
        return (0, column) if column < first else (1, column - first)

    def inference_codes(self, layer: int) -> list[int]:
        """Row codes of inference; the image and READ_CODE count at every clock."""
        if layer:
            return self.hidden
        image = self.setting["IMAGE_HIGH"] << 32 | self.setting["IMAGE"]
        return [self.setting["READ_CODE"] * (image >> row & 1) for row in range(self.shape.rows[0])]

    def outputs(self, inputs: int) -> int:
        """Return all outputs during the present clock; ``inputs`` matter for the ready signals only."""
        i = unpack(inputs, self.input_fields)
        if not i["rst_ni"]:
            self.reset()
        if not self.fresh:
            self.packed = pack({**self.array_ports(), **self.log}, self.fields)
            self.fresh = True
        writable, readable = self.accepts(i)
        bus = {"awready": writable, "wready": writable, "arready": readable, "irq": int(self.done)}
        if self.answer is not None:
            bus |= {"bvalid": 1, "bresp": self.answer}
        if self.word is not None:
            bus |= {"rvalid": 1, "rresp": self.word[0], "rdata": self.word[1]}
        return self.packed | pack(bus, self.fields)

    # -- one clock edge -----------------------------------------------------------------------------------------------
    def accepts(self, i: dict[str, int]) -> tuple[int, int]:
        write = i["awvalid"] and i["wvalid"] and (self.answer is None or i["bready"])
        read = i["arvalid"] and (self.word is None or i["rready"])
        return int(write), int(read)

    def clock(self, inputs: int) -> None:
        """Take the edge at the end of the present clock."""
        i = unpack(inputs, self.input_fields)
        if not i["rst_ni"]:
            return self.reset()
        self.cmp = i["cmp"]
        write, read = self.accepts(i)
        busy = self.job is not None
        if i["rready"]:
            self.word = None
        if read:
            self.word = self.look_up(i["araddr"], busy)
        if self.log:
            self.log, self.fresh = {}, False
        due, self.later = self.later, []
        for edges, action in due:
            if edges == 1:
                action()
            else:
                self.later.append((edges - 1, action))
        if self.aborting:
            self.aborting = False
            if self.job is not None and self.programs:
                self.store(ABORTED)
            self.job = None
            self.log = {}
            self.release()
        elif self.job is not None:
            try:
                next(self.job)
            except StopIteration:
                self.job = None
        if i["bready"]:
            self.answer = None
        if write:
            self.answer = self.take(i["awaddr"], i["wdata"], i["wstrb"], busy)
        return None

    def after(self, edges: int, action: Callable[[], None]) -> None:
        """Have something done at a later edge, whatever becomes of the job."""
        self.later.append((edges, action))

    # -- registers ----------------------------------------------------------------------------------------------------
    def look_up(self, address: int, busy: bool) -> tuple[int, int]:
        register, index = self.places.get(address & ~3, (None, 0))
        if register is None:
            return DECERR, 0
        hidden = sum(value << 8 * (n % 4) for n, value in enumerate(self.hidden) if n // 4 == index)
        fixed = {
            "ID": self.map["ID"].reset,
            "CONTROL": 0,
            "STATUS": 2 * self.done + busy,
            "READ_RESULT": self.read_result,
            "CLASS": self.winner,
            "ACCUMULATOR": self.accumulator,
            "HIDDEN": hidden,
        }
        name = register.name
        value = (
            fixed[name] if name in fixed else self.setting[name] if register.is_setting else self.arrays[name][index]
        )
        return OKAY, value & ((1 << register.width) - 1)

    def take(self, address: int, word: int, strobe: int, busy: bool) -> int:
        register, index = self.places.get(address & ~3, (None, 0))
        if register is None:
            return DECERR
        if register.access == "ro" or strobe != 15:
            return SLVERR
        if register.name == "CONTROL":
            self.command(word, busy)
        elif register.is_setting:
            self.setting[register.name] = register.decode(word)
        else:
            self.arrays[register.name][index] = register.decode(word)
        self.fresh = False
        return OKAY

    def command(self, word: int, busy: bool) -> None:
        """Abort comes first and always; the others are for the idle controller, program before classify before read."""
        self.done = False
        if word & 4:
            self.aborting = True
        elif not busy and word & 0b1011:
            self.programs = bool(word & 1)
            self.job = self.program() if word & 1 else self.infer() if word & 2 else self.read()

    def finish(self) -> None:
        def set_done() -> None:
            self.done = True

        self.after(1, set_done)

    # -- access to one cell -------------------------------------------------------------------------------------------
    def wait(self, edges: int) -> Steps:
        for _ in range(edges):
            yield

    def guard(self) -> Steps:
        """As many clocks as GUARD says now."""
        return self.wait(max(1, self.setting["GUARD"]))

    def settle(self) -> Steps:
        return self.wait(max(1, self.setting["SETTLE"]))

    def show(self, **what: object) -> None:
        for name, value in what.items():
            setattr(self, name, value)
        self.fresh = False

    def pulse(self, place: int, is_reset: bool, amplitude: int, cycles: int) -> Steps:
        """From the edge that takes the request to the one that opens the switches."""
        self.show(cell=self.cells[place], phase=RESET_PHASE if is_reset else WRITE_PHASE, drive=0)
        yield from self.guard()
        self.show(drive=-amplitude if is_reset else amplitude)
        yield from self.wait(clip(cycles, 1, self.shape.longest))
        self.show(drive=0)
        yield
        yield from self.guard()
        self.release()

    def convert(self, columns: list[int]) -> Generator[None, None, dict[int, int]]:
        """Successive approximation in step; from the edge that starts it to the one that keeps the last bit."""
        codes = dict.fromkeys(columns, -2048)
        for bit in reversed(range(12)):
            trials = {c: code + (1 << bit) for c, code in codes.items()}
            self.show(trials=trials)
            yield from self.wait(max(1, self.setting["BIT_CYCLES"]))
            codes = {c: trials[c] if self.cmp >> c & 1 else code for c, code in codes.items()}
        self.show(trials={})
        return codes

    def sense(self, place: int) -> Generator[None, None, int]:
        layer, _, col = self.cells[place]
        column = col + layer * self.shape.cols[0]
        amplitude = self.setting["READ_CODE"]
        self.show(cell=self.cells[place], phase=VERIFY_PHASE, drive=0)
        yield from self.guard()
        self.show(drive=amplitude)
        yield from self.settle()
        yield
        codes = yield from self.convert([column])
        yield
        self.show(drive=0)
        yield from self.guard()
        self.release()
        return codes[column]

    # -- jobs ---------------------------------------------------------------------------------------------------------
    def program(self) -> Steps:
        self.arrays["OUTCOME"] = [0] * len(self.arrays["OUTCOME"])
        for index in range(self.shape.devices):
            self.index = index
            self.pulses = self.last_code = 0
            yield
            yield
            verdict = yield from verify(self, index)
            yield
            self.store(STATUS_OF[verdict])
        self.finish()

    def store(self, status: int) -> None:
        index, word = self.index, status << 22 | self.pulses << 12 | self.last_code & 0xFFF

        def write() -> None:
            self.arrays["OUTCOME"][index] = word

        self.after(1, write)

    def read(self) -> Steps:
        yield
        place = 0
        while place not in (self.setting["DEVICE"], self.shape.devices - 1):
            place += 1
            yield
        yield
        code = yield from self.sense(place)

        def keep() -> None:
            self.read_result = code

        self.after(1, keep)
        yield
        self.finish()

    def infer(self) -> Steps:
        self.show(phase=INFERENCE_PHASE)
        yield from self.guard()
        first = self.shape.cols[0]
        for layer, columns in enumerate((range(first), range(first, self.shape.columns))):
            self.show(driven=layer)
            yield from self.settle()
            yield
            codes = yield from self.convert(list(columns))
            yield
            self.show(driven=None)
            self.after(1, lambda layer=layer, codes=codes: self.keep(layer, codes))
            if layer == 0:
                yield
        yield from self.guard()
        self.release()
        self.finish()

    def keep(self, layer: int, codes: dict[int, int]) -> None:
        """Neurons: code plus bias, saturated; activation by table, or the comparison with the threshold."""
        sums = {c: clip(code + self.arrays["BIAS"][c], -32768, 32767) for c, code in codes.items()}
        self.on_sums(layer, list(sums.values()))
        if layer == 0:
            shift = self.setting["SHIFT"]
            self.hidden = [self.arrays["ACTIVATION"][clip((s >> shift) + 32, 0, 63)] for s in sums.values()]
        else:
            self.accumulator = sums[self.shape.cols[0]]
            self.winner = int(self.accumulator > self.setting["THRESHOLD"])
        self.fresh = False
