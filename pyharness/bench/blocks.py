# SPDX-License-Identifier: BSD-3-Clause
"""Port and parameter tables of the controller's modules, from the sources themselves; run as a module, into ``hdl/README.md``.

The modules keep one declaration a line; a comment behind it, or the one above a group of ports, is its meaning.
"""

from __future__ import annotations

import re

from pyharness.bench.registers import registers, write_section
from pyharness.errors import ConfigError
from pyharness.resources import controller_sources

__all__ = ("block_tables",)

_PORT = re.compile(r"\s*(input|output)\s+(?:wire|reg)\s*(signed)?\s*(?:\[([^\]]+)\])?\s*(\w+),?\s*(?://\s*(.*))?$")
_COMMON = {"clk_i": "clock, rising edge", "rst_ni": "reset, asynchronous, active low"}
_PARAMETER = re.compile(r"\s*parameter\s+(\w+)\s*=\s*([^,\s]+),?\s*$")


def _tables(text: str, file: str) -> list[str]:
    """Return the description and the tables of the one module in ``text``."""
    found = re.search(r"^module (\w+)\s*(?:#\((.*?)^\)\s*)?\((.*?)^\);", text, re.M | re.S)
    if not found:
        raise ConfigError(f"{file}: no module whose header ends in a line ');': keep one declaration a line")
    name, parameters, ports = found[1], found[2] or "", found[3]
    about = [line.removeprefix("//").strip() for line in text.splitlines() if line.startswith("//")]
    lines = [f"### `{name}`", "", " ".join(line for line in about if not line.startswith("SPDX")), ""]
    rows, meaning = [], ""
    for line in parameters.splitlines():
        if line.strip().startswith("//"):
            meaning = line.strip().removeprefix("//").strip()
        elif one := _PARAMETER.match(line):
            rows.append(f"| {one[1]} | {one[2]} | {meaning} |")
    if rows:
        lines += ["| parameter | default | meaning |", "|---|---|---|", *rows, ""]
    lines += ["| port | direction | bits | meaning |", "|---|---|---|---|"]
    settings = {f"{r.name.lower()}_{end}": r.text for r in registers().values() for end in "io"}
    group = ""
    for line in ports.splitlines():
        if line.strip().startswith("//"):
            group = line.strip().removeprefix("//").strip()
        elif one := _PORT.match(line):
            meaning = one[5] or _COMMON.get(one[4]) or settings.get(one[4]) or group
            lines.append(f"| {one[4]} | {one[1]} | {one[3] or '1'} | {meaning} |")
        elif line.strip():
            raise ConfigError(f"{file}: no port declaration: '{line.strip()}': keep one a line")
    return [*lines, ""]


def block_tables() -> str:
    """Return the section of ``hdl/README.md`` with a port and a parameter table for every module of ``accelerator.f``.

    Raises:
        ConfigError: a module's header is not laid out as the others'.
    """
    parts = [line for path in controller_sources() for line in _tables(path.read_text(encoding="utf-8"), path.name)]
    return "\n".join(parts)


def main() -> None:
    """Write the section anew."""
    write_section("blocks", block_tables())


if __name__ == "__main__":
    main()
