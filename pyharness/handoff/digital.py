# SPDX-License-Identifier: BSD-3-Clause
"""The digital part of the archive: RTL, register map, behavioural view, and a bench in Verilog alone with what it must find."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyharness.bench.driver import STATUS
from pyharness.bench.job import Job, build_job, verify_codes
from pyharness.bench.registers import markdown_table, registers
from pyharness.config import SimConfig
from pyharness.handoff.golden import golden_record
from pyharness.handoff.models import copy_tree, put
from pyharness.record import Record
from pyharness.resources import controller_sources, hdl_dir
from pyharness.veriloga.verilog_target import free_parameters, write_devices

__all__ = ("expected_text", "write_digital")

_SOURCES = {".v", ".vh", ".f", ".yaml", ".md"}
SIMULATION = "simulation.f"
_TOP = """// SPDX-License-Identifier: BSD-3-Clause
// The array of the golden run: {count} devices.  See ../run.py.
module bench;
    program_bench #(
        .L1_ROWS({rows[0]}),
        .L1_COLS({cols[0]}),
        .L2_ROWS({rows[1]}),
        .L2_COLS({cols[1]})
    ) programming ();
endmodule
"""


def _writes(job: Job) -> str:
    """Return what the bench writes to the registers: address and word a line, hexadecimal."""
    known = registers()
    words = [(known[n].address(), known[n].encode(v)) for n, v in job.registers.items()]
    words += [(known["TARGET"].address(i), known["TARGET"].encode(int(c))) for i, c in enumerate(job.target_codes)]
    return "".join(f"{address:x} {word:x}\n" for address, word in words)


def expected_text(record: Record, job: Job) -> str:
    """Return what the bench must find: device, target code, code, pulses, status a line."""
    # the controller's last verify, not the reading back at the end, which finds the state a little later
    verified = {p.device: p.g_after_siemens for p in record.pulses}
    read_v = job.config.write_verify.read_v
    g_siemens = np.array([verified[i] for i in range(len(record.devices))])
    codes = verify_codes(job.electrics, g_siemens, read_v, job.path_ohm).tolist()
    return "".join(
        f"{i} {target} {code} {d.pulses} {STATUS.index(d.status)}\n"
        for i, (d, target, code) in enumerate(zip(record.devices, job.target_codes.tolist(), codes, strict=True))
    )


def write_digital(folder: Path) -> None:
    """Write ``hdl/`` and ``benches/icarus/``."""
    hdl, bench = folder / "hdl", folder / "benches" / "icarus"
    copy_tree(hdl_dir(), hdl, _SOURCES)
    put(hdl / "registers.md", f"# Registers\n\nGenerated from registers.yaml.\n\n{markdown_table()}")
    names = ["system_top.v", "analog/analog_array_model.v", *(p.name for p in controller_sources())]
    put(hdl / SIMULATION, "\n".join(["+incdir+.", "+incdir+analog", *names, ""]))
    record = golden_record()
    job = build_job(SimConfig.model_validate(record.config))
    put(
        bench / "bench.v",
        _TOP.format(count=len(job.cells), rows=[x.rows for x in job.layers], cols=[x.cols for x in job.layers]),
    )
    put(bench / "writes.txt", _writes(job))
    put(bench / "expected.txt", expected_text(record, job))
    scatter = [name for name in free_parameters(job.device) if name != "x0"]
    nominal = job.device.module.check_parameters(job.device.card.parameters)
    own = record.variation.devices if record.variation else [{}] * len(job.cells)
    rows = [
        {**{n: float(nominal[n]) for n in scatter}, **values, "x0": x0}
        for values, x0 in zip(own, job.start_fractions.tolist(), strict=True)
    ]
    write_devices(bench / "devices.txt", scatter, rows)
