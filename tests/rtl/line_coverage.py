# SPDX-License-Identifier: BSD-3-Clause
"""Line and toggle coverage of the controller, by Verilator from the traces of the random regression."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from layout import Shape

from pyharness.resources import controller_sources, hdl_dir

__all__ = ("Coverage", "exclusions", "measure", "read_coverage")

HERE = Path(__file__).parent
FIELD = re.compile(r"\x01([^\x01\x02]+)\x02([^\x01\x02]*)")


@dataclass
class Coverage:
    """Hits: of lines by file and number, of toggling bits by file, module and name (all instances together)."""

    lines: dict[tuple[str, int], int] = field(default_factory=dict)
    bits: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def toggled(self) -> float:
        """Share of the bits that changed."""
        return sum(hits > 0 for hits in self.bits.values()) / len(self.bits)

    def missed(self, excluded: dict[str, str]) -> list[str]:
        """Return the lines without a hit, as ``file: text``, but the excluded ones."""
        texts = {file: (hdl_dir() / file).read_text(encoding="utf-8").split("\n") for file, _ in self.lines}
        names = [f"{file}: {texts[file][line - 1].strip()}" for (file, line), hits in self.lines.items() if not hits]
        return [name for name in names if name not in excluded]


def exclusions() -> dict[str, str]:
    """Return ``file: text`` -> reason of the lines that need not be reached."""
    entries = yaml.safe_load((HERE / "line_exclusions.yaml").read_text(encoding="utf-8"))
    return {entry["line"]: entry["reason"] for entry in entries}


def read_coverage(path: Path) -> Coverage:
    """Read Verilator's coverage.dat, controller's files only.

    Raises:
        ValueError: it holds none of them.
    """
    found = Coverage()
    own = {path.name for path in controller_sources()}
    for entry in path.read_text(encoding="latin-1").split("\n"):
        if not entry.startswith("C "):
            continue
        point = dict(FIELD.findall(entry.rpartition("'")[0]))
        file, hits = Path(point["f"]).name, int(entry.rpartition(" ")[2])
        if file not in own:
            continue
        if point["page"].startswith("v_toggle"):
            bit = (file, point["o"])
            found.bits[bit] = found.bits.get(bit, 0) + hits
        else:
            for part in point.get("S", point["l"]).split(","):
                first, _, last = part.partition("-")
                for line in range(int(first), int(last or first) + 1):
                    found.lines[file, line] = found.lines.get((file, line), 0) + hits
    if not found.lines or not found.bits:
        raise ValueError(f"{path} holds no coverage of the controller")
    return found


def measure(sources: Sequence[Path], shape: Shape, stimulus: Path, folder: Path, reports: Path) -> Coverage:
    """Build with counters, play the stimulus, write the annotated sources and the figures to ``reports``.

    Raises:
        subprocess.CalledProcessError: a tool fails.
        ValueError: the replay differs from the recording.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        "verilator",
        "--cc",
        "--exe",
        "--build",
        "--timing",
        "--coverage-line",
        "--coverage-toggle",
        "-Wno-fatal",
        "-j",
        "2",
    ]
    command += ["--top-module", "replay", f"-I{hdl_dir()}", f"-I{HERE}", "--Mdir", "build", "-o", "replay"]
    command += ["-MAKEFLAGS", "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]
    command += [f"-G{name}={value}" for name, value in shape.parameters.items()]
    subprocess.run(
        [*command, *map(str, sources), *(str(HERE / name) for name in ("replay.v", "replay_main.cpp"))],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    shutil.copyfile(stimulus, folder / "replay.txt")
    ran = subprocess.run(["build/replay"], cwd=folder, check=True, capture_output=True, text=True)
    if "AGREES" not in ran.stdout.split("\n"):
        raise ValueError(f"Verilator's replay differs from the recording of Icarus: {ran.stdout.strip()[-400:]}")
    found = read_coverage(folder / "coverage.dat")
    reports.mkdir(parents=True, exist_ok=True)
    for arguments in (["--annotate", str(reports / "annotated")], ["--write-info", str(reports / "lines.info")]):
        subprocess.run(["verilator_coverage", *arguments, "coverage.dat"], cwd=folder, check=True, capture_output=True)
    lines = {"lines": len(found.lines), "reached": sum(hits > 0 for hits in found.lines.values())}
    figures = {**lines, "excluded": exclusions(), "bits": len(found.bits), "toggled": round(found.toggled, 4)}
    (reports / "lines.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return found
