# SPDX-License-Identifier: BSD-3-Clause
"""Mutation check: every seeded change to the controller must be noticed by the random regression.

The regression compares the controller's outputs with the model's on every clock.  A mutant that is played the same inputs
and shows the same outputs on every clock would pass it, so replaying the traces says what running the regression would say,
in a small part of the time.  ``python tests/rtl/mutation.py`` (``make mutation``) writes build/mutation.json; equivalents, which
no test can tell from the original, are in mutation_equivalents.yaml, each with its reason.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from layout import Shape
from mutants import Mutant, all_mutants, choose
from regression import RUNS, Result, play
from replaying import replay, write_replay

from pyharness.resources import controller_sources, hdl_dir

__all__ = ("COUNTS", "Judged", "equivalents", "judge", "record", "select")

HERE = Path(__file__).parent
SEED = 1
COUNTS = {
    "write_verify.v": 40,
    "cell_access.v": 12,
    "pulse_timer.v": 6,
    "sar_adc.v": 8,
    "program_sequencer.v": 10,
    "inference_sequencer.v": 8,
    "registers.v": 16,
    "neuron.v": 6,
    "accelerator.v": 14,
}
"""Mutants a file; all together 120."""

Stimuli = list[tuple[Shape, Path]]


@dataclass(frozen=True)
class Judged:
    """A mutant and what came of it: ``killed`` with the first difference, ``survived``, ``equivalent`` with its reason, or

    ``refused``: no Verilog any more, which proves nothing.
    """

    mutant: Mutant
    verdict: str
    how: str
    seconds: float


def equivalents() -> dict[str, str]:
    """Return name -> reason of the mutants that no test can tell from the original."""
    entries = yaml.safe_load((HERE / "mutation_equivalents.yaml").read_text(encoding="utf-8")) or []
    return {entry["mutant"]: entry["reason"] for entry in entries}


def record(results: Sequence[Result], folder: Path) -> Stimuli:
    """Join the traces of each shape, the shape with the most first.

    Raises:
        ValueError: a run differs from the model already without a mutant.
    """
    for result in results:
        if result.difference:
            raise ValueError(f"run {result.run.name} differs from the model without any mutant: {result.difference}")
    shapes = Counter(r.run.shape for r in results)
    stimuli = []
    for number, (shape, _) in enumerate(shapes.most_common()):
        path = folder / f"stimulus-{number}.txt"
        write_replay([r.folder / "trace.txt" for r in results if r.run.shape == shape], path)
        stimuli.append((shape, path))
    return stimuli


def select(per_file: dict[str, int], seed: int = SEED) -> list[Mutant]:
    """Draw the mutants."""
    return [
        mutant
        for file, count in per_file.items()
        for mutant in choose(all_mutants(file, (hdl_dir() / file).read_text(encoding="utf-8")), count, seed)
    ]


def judge(mutant: Mutant, stimuli: Stimuli, folder: Path, known: dict[str, str]) -> Judged:
    """Play the stimuli on the mutant until something differs."""
    begin = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    changed = folder / mutant.file
    changed.write_text(mutant.apply((hdl_dir() / mutant.file).read_text(encoding="utf-8")), encoding="utf-8")
    sources = [changed if source.name == mutant.file else source for source in controller_sources()]
    how = ""
    try:
        for shape, stimulus in stimuli:
            how = replay(sources, shape, stimulus, folder)
            if how:
                break
    except ValueError as cause:
        return Judged(mutant, "refused", str(cause), time.perf_counter() - begin)
    finally:
        shutil.rmtree(folder)
    verdict = "killed" if how else "equivalent" if mutant.name in known else "survived"
    return Judged(mutant, verdict, how or known.get(mutant.name, ""), time.perf_counter() - begin)


def judge_all(mutants: Sequence[Mutant], stimuli: Stimuli, folder: Path) -> list[Judged]:
    """Judge side by side, telling each verdict as it comes.

    Raises:
        ValueError: without a mutant the replay differs already.
    """
    known = equivalents()
    shape, stimulus = stimuli[-1]
    if difference := replay(controller_sources(), shape, stimulus, folder / "unchanged"):
        raise ValueError(f"the controller without a mutant differs from the recording: {difference}")

    def one(numbered: tuple[int, Mutant]) -> Judged:
        number, mutant = numbered
        judged = judge(mutant, stimuli, folder / f"mutant-{number}", known)
        print(f"{judged.verdict:10} {judged.seconds:5.1f} s  line {mutant.line}, {mutant.name}", flush=True)
        return judged

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, enumerate(mutants)))


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """Return the numbers."""
    verdicts = Counter(j.verdict for j in judged)
    files = {
        f: dict(Counter(j.verdict for j in judged if j.mutant.file == f)) for f in {j.mutant.file: 0 for j in judged}
    }
    killable = verdicts["killed"] + verdicts["survived"]
    return {
        "mutants": len(judged),
        **verdicts,
        "score": verdicts["killed"] / killable if killable else 1.0,
        "files": files,
    }


def main() -> int:
    """Run the check; the exit status is 1 when a mutant survives or is no Verilog."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build/mutation"), help="folder for simulations")
    parser.add_argument("--seed", type=int, default=SEED, help="of the choice of mutants")
    parser.add_argument("--all", action="store_true", help="every mutant there is (long)")
    args = parser.parse_args()
    print(f"{len(RUNS)} simulations", flush=True)
    stimuli = record(play(RUNS, args.build), args.build)
    judged = judge_all(select(dict.fromkeys(COUNTS, 9999) if args.all else COUNTS, args.seed), stimuli, args.build)
    numbers = summary(judged)
    rows = [{**asdict(j.mutant), "verdict": j.verdict, "how": j.how, "seconds": round(j.seconds, 1)} for j in judged]
    table = args.build.parent / "mutation.json"
    table.write_text(json.dumps({"seed": args.seed, **numbers, "table": rows}, indent=1) + "\n", encoding="utf-8")
    for file, counts in numbers["files"].items():
        print(f"{file:24} {', '.join(f'{n} {verdict}' for verdict, n in counts.items())}")
    print(
        f"{numbers['mutants']} mutants, {100 * numbers['score']:.1f} % of those that are not equivalent killed; {table}"
    )
    return int(numbers["score"] < 1 or any(j.verdict == "refused" for j in judged))


if __name__ == "__main__":
    sys.exit(main())
