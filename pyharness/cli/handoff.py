# SPDX-License-Identifier: BSD-3-Clause
"""The archive for chip designers: ``handoff build``, ``handoff verify``, ``handoff state``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from pyharness.cli.common import commands, console, make_folder, note, write_text, writing
from pyharness.progress import progress

__all__ = ("build", "state", "verify_archive")

handoff = typer.Typer(no_args_is_help=True, help="The archive for chip designers: build it, verify it.")
commands.add_typer(handoff, name="handoff")


@handoff.command()
def build(
    out: Annotated[Path, typer.Option("--out", help="Folder for the archive.")] = Path("build/handoff"),
    force: Annotated[bool, typer.Option(help="Replace another archive of this version.")] = False,
) -> None:
    """Build the archive: models, cards, RTL, benches, expected data, manifest; the same sources give the same bytes.

    The models are measured for its QA report: that takes minutes, once.
    """
    from pyharness.files import replace_file, sha256
    from pyharness.handoff.archive import write_new
    from pyharness.handoff.contents import NAME, build_archive
    from pyharness.handoff.verify import beside, verify
    from pyharness.qa.assess import assess_all

    with writing("--out", out):
        make_folder(out)
    with progress(tenths=False) as show:
        measured = assess_all(
            cache=out / "measured", progress=lambda name, done, of: show(f"checking {name}", done, of)
        )
    data, rows = build_archive(measured)
    path = out / f"{NAME}.tar"
    digest = sha256(data)
    with writing("--out", out):
        fresh = write_new(path, data, force)
        # also beside an archive that was there: a build may have been ended between the two
        replace_file(beside(path), f"{digest}  {path.name}\n")
    found = verify(path)
    console.print(f"archive   {path}, {len(found.files)} files{'' if fresh else ', as it was'}", soft_wrap=True)
    console.print(f"SHA-256   {digest} (archive)", soft_wrap=True)
    console.print(f"          {found.manifest_sha256} (manifest)", soft_wrap=True)
    counts = Counter(row.verdict for row in rows)
    console.print(f"QA report {', '.join(f'{count} {verdict}' for verdict, count in sorted(counts.items()))}")
    for row in rows:
        if row.verdict == "fail":
            note(f"{row.id} fails for {row.scope}: {row.value}; {row.reason}")


@handoff.command("verify")
def verify_archive(
    archive: Annotated[Path, typer.Argument(help="Archive, or the folder that it was unpacked to.")],
    sha256: Annotated[
        str | None,
        typer.Option("--sha256", help="Hash of the archive or of its manifest, from a place that you trust."),
    ] = None,
    run: Annotated[
        bool, typer.Option("--run", help="Run the archive's benches, too: its code, with your rights.")
    ] = False,
) -> None:
    """Verify an archive: each file of the manifest with its hash, and no other.  Ends with status 1 if not."""
    from pyharness.handoff.verify import run_benches, verify

    found = verify(archive, sha256)
    console.print(f"verified  pyharness-handoff {found.version}, {len(found.files)} files", soft_wrap=True)
    if found.archive_sha256:
        console.print(f"SHA-256   {found.archive_sha256} (archive)", soft_wrap=True)
    console.print(f"SHA-256   {found.manifest_sha256} (manifest)", soft_wrap=True)
    if not found.told:
        console.print(
            "It agrees with itself; compare a hash with the one you were told, or give it by --sha256.", soft_wrap=True
        )
    if run:
        console.print(run_benches(found.files).rstrip(), soft_wrap=True)


@handoff.command()
def state(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")] = Path("build/sim/latest"),
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File; standard output by default.")] = None,
    force: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Write the programmed state of a run's array: targets, conductances, pulses and verdicts."""
    from pyharness.bench.runner import read_record
    from pyharness.handoff.state import programmed_state

    write_text(output, programmed_state(read_record(run)).model_dump_json(indent=1) + "\n", force)
