# SPDX-License-Identifier: BSD-3-Clause
"""The register map, from ``hdl/registers.yaml``; run as a module to write ``registers.vh`` and README's table anew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from pyharness.errors import ConfigError
from pyharness.resources import hdl_dir

__all__ = ("Register", "header_text", "markdown_table", "registers")


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
    """Return ``registers.vh``."""
    lines = [
        "// SPDX-License-Identifier: BSD-3-Clause",
        "// Generated from registers.yaml by pyharness.bench.registers.",
    ]
    for r in registers().values():
        lines.append(f"localparam [11:0] ADDR_{r.name} = 12'h{r.offset:03x};  // {r.access}, {r.text}")
    return "\n".join([*lines, ""])


def markdown_table() -> str:
    """Return the table of ``hdl/README.md``."""
    lines = ["| offset | name | access | bits | reset | meaning |", "|---|---|---|---|---|---|"]
    for r in registers().values():
        span = f"0x{r.offset:03x}" + (f" + 4i, i < {r.count}" if r.count > 1 else "")
        bits = f"{r.width}{' signed' if r.signed else ''}"
        lines.append(f"| {span} | {r.name} | {r.access} | {bits} | {r.reset} | {r.text} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Write the generated files."""
    (hdl_dir() / "registers.vh").write_text(header_text(), encoding="utf-8")
    readme: Path = hdl_dir() / "README.md"
    head, _, rest = readme.read_text(encoding="utf-8").partition("<!-- registers -->\n")
    _, _, tail = rest.partition("<!-- end of registers -->")
    text = f"{head}<!-- registers -->\n{markdown_table()}<!-- end of registers -->{tail}"
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
