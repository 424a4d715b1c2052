# SPDX-License-Identifier: BSD-3-Clause
"""The register map, from ``hdl/registers.yaml``.

Run as a module it writes what follows from it anew: ``registers.vh``, ``settings.v`` and the table in ``hdl/README.md``.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import lru_cache

import yaml

from pyharness.errors import ConfigError
from pyharness.resources import hdl_dir

__all__ = ("Register", "header_text", "markdown_table", "registers", "settings_text", "write_section")


@dataclass(frozen=True)
class Register:
    """One register, or an array of ``count`` with a stride of 4 bytes.

    Attributes:
        name, offset: as in the map; the offset in bytes.
        access: ``rw``, ``ro`` or ``w1s``.
        width: bits.
        reset: value after reset.
        signed: two's complement.
        count: elements.
        text: meaning, with units.
    """

    name: str
    offset: int
    access: str
    width: int
    text: str
    reset: int = 0
    signed: bool = False
    count: int = 1

    @property
    def is_setting(self) -> bool:
        """A single writable word, held by ``settings.v``."""
        return self.access == "rw" and self.count == 1

    def address(self, index: int = 0) -> int:
        """Return the byte address of element ``index``.

        Raises:
            ConfigError: no such element.
        """
        if not 0 <= index < self.count:
            raise ConfigError(f"register {self.name} has elements 0 .. {self.count - 1}, got {index}")
        return self.offset + 4 * index

    def encode(self, value: int) -> int:
        """Return the bits of ``value``.

        Raises:
            ConfigError: it does not fit.
        """
        low, high = (
            (-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1) if self.signed else (0, (1 << self.width) - 1)
        )
        if not isinstance(value, int) or not low <= value <= high:
            raise ConfigError(f"register {self.name} takes an integer of {low} .. {high} ({self.text}), got {value!r}")
        return value & ((1 << self.width) - 1)

    def decode(self, word: int) -> int:
        """Return the value of the register's bits in ``word``."""
        value = word & ((1 << self.width) - 1)
        return value - (1 << self.width) if self.signed and value >> (self.width - 1) else value


@lru_cache(maxsize=1)
def registers() -> dict[str, Register]:
    """Return the map by name."""
    entries = yaml.safe_load((hdl_dir() / "registers.yaml").read_text(encoding="utf-8"))
    return {entry["name"]: Register(**entry) for entry in entries}


def header_text() -> str:
    """Return ``registers.vh``: the addresses that ``registers.v`` deals with itself."""
    lines = [
        "// SPDX-License-Identifier: BSD-3-Clause",
        "// Generated from registers.yaml by pyharness.bench.registers.  Those of the settings are in settings.v.",
    ]
    for r in registers().values():
        if r.is_setting:
            continue
        lines.append(f"localparam [15:0] ADDR_{r.name} = 16'h{r.offset:04x};  // {r.access}, {r.text}")
        if r.access == "ro" and r.reset:
            lines.append(f"localparam [{r.width - 1}:0] RESET_{r.name} = {r.width}'h{r.reset:x};")
    return "\n".join([*lines, ""])


def settings_text() -> str:
    """Return ``settings.v``: storage, reset values and read-back of every single writable register."""
    held = [r for r in registers().values() if r.is_setting]

    def bits(r: Register) -> str:
        return f"[{r.width - 1}:0]" if r.width > 1 else ""

    def padded(r: Register) -> str:
        name = f"{r.name.lower()}_o"
        return name if r.width == 32 else f"{{{32 - r.width}'d0, {name}}}"

    outputs = [f"    output reg  {bits(r):6} {r.name.lower()}_o" for r in held]
    return "\n".join(
        [
            "// SPDX-License-Identifier: BSD-3-Clause",
            "// Generated from registers.yaml by pyharness.bench.registers.",
            "// Settings: every single writable register, with its reset value; meanings in registers.yaml.",
            "`timescale 1ns / 1ps",
            "`default_nettype none",
            "",
            "module settings (",
            "    input  wire        clk_i,",
            "    input  wire        rst_ni,",
            "    input  wire        write_i,    // one cycle: wdata_i to waddr_i",
            "    input  wire [15:0] waddr_i,",
            "    input  wire [31:0] wdata_i,",
            "    output reg         wknown_o,   // a setting lies at waddr_i",
            "    input  wire [15:0] raddr_i,",
            "    output reg  [31:0] rdata_o,",
            "    output reg         rknown_o,",
            ",\n".join(outputs),
            ");",
            *(f"    localparam [15:0] ADDR_{r.name} = 16'h{r.offset:04x};" for r in held),
            "",
            "    always @(*) begin",
            "        rknown_o = 1'b1;",
            "        case (raddr_i)",
            *(f"            ADDR_{r.name}: rdata_o = {padded(r)};" for r in held),
            "            default: begin",
            "                rdata_o  = 32'd0;",
            "                rknown_o = 1'b0;",
            "            end",
            "        endcase",
            "        case (waddr_i)",
            *textwrap.wrap(
                ", ".join(f"ADDR_{r.name}" for r in held) + ": wknown_o = 1'b1;",
                120,
                initial_indent=" " * 12,
                subsequent_indent=" " * 16,
            ),
            "            default: wknown_o = 1'b0;",
            "        endcase",
            "    end",
            "",
            "    always @(posedge clk_i or negedge rst_ni) begin",
            "        if (!rst_ni) begin",
            *(f"            {r.name.lower()}_o <= {r.width}'d{r.reset};" for r in held),
            "        end else if (write_i) begin",
            "            case (waddr_i)",
            *(
                f"                ADDR_{r.name}: {r.name.lower()}_o <= wdata_i{'[0]' if r.width == 1 else bits(r)};"
                for r in held
            ),
            "                default: ;",
            "            endcase",
            "        end",
            "    end",
            "endmodule",
            "`default_nettype wire",
            "",
        ]
    )


def markdown_table() -> str:
    """Return the table of ``hdl/README.md``."""
    lines = ["| offset | name | access | bits | reset | meaning |", "|---|---|---|---|---|---|"]
    for r in registers().values():
        span = f"0x{r.offset:04x}" + (f" + 4i, i < {r.count}" if r.count > 1 else "")
        bits = f"{r.width}{' signed' if r.signed else ''}"
        lines.append(f"| {span} | {r.name} | {r.access} | {bits} | {r.reset} | {r.text} |")
    return "\n".join([*lines, ""])


def write_section(name: str, text: str) -> None:
    """Put ``text`` between the marks ``<!-- name -->`` and ``<!-- end of name -->`` of ``hdl/README.md``."""
    readme = hdl_dir() / "README.md"
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, _, rest = readme.read_text(encoding="utf-8").partition(begin)
    readme.write_text(f"{head}{begin}{text}{end}{rest.partition(end)[2]}", encoding="utf-8")


def main() -> None:
    """Write the generated files."""
    (hdl_dir() / "registers.vh").write_text(header_text(), encoding="utf-8")
    (hdl_dir() / "settings.v").write_text(settings_text(), encoding="utf-8")
    write_section("registers", markdown_table())


if __name__ == "__main__":
    main()
