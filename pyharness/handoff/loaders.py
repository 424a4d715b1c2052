# SPDX-License-Identifier: BSD-3-Clause
"""How each simulator loads a model: complete small decks, a card's parameters in them, the stimulus of the benches.

The two for ngspice are run by ``benches/run.py``; the others say that they are not run here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyharness.handoff.decks import measures, sources, waveform
from pyharness.handoff.golden import golden_values
from pyharness.handoff.subjects import START, Subject
from pyharness.spice import number

__all__ = ("LOADERS", "loader_decks")

_NOT_RUN = "Not run by us: no such simulator was at hand.  Tell us what had to be changed (SUPPORT.md)."
_NATURES = "The standard constants.vams and disciplines.vams come with the simulator."


def _values(subject: Subject, separator: str = " ") -> str:
    """Return the card's parameters as assignments; the model's defaults where there is no card."""
    return separator.join(f"{name}={number(value)}" for name, value in subject.parameters.items())


def _expected(subject: Subject, comment: str) -> list[str]:
    rows = golden_values(subject.name)
    return [f"{comment} expected {r.measure}: {r.value_a:.6e} A into p at {r.time_s:g} s" for r in rows]


def _head(subject: Subject, comment: str, what: str, *notes: str) -> list[str]:
    origin = f"card {subject.name}" if subject.card else "default parameters"
    return [f"{comment} {subject.module.name} in {what}, {origin}", *(f"{comment} {note}" for note in notes)]


def _ngspice_subcircuit(s: Subject) -> list[str]:
    return [
        *_head(
            s,
            "*",
            "ngspice as a subcircuit of B sources",
            "Any ngspice from 39 on; run by ../../benches/run.py ngspice.",
        ),
        f"* expected: {s.name}.csv",
        f'.include "../../generated/ngspice/{s.name}.sub"',
        *sources(s.series_ohm),
        f"x1 p 0 {s.name} {START}={s.start!r}",
        ".options reltol=1e-5",
        *measures(),
        ".end",
    ]


def _ngspice_osdi(s: Subject) -> list[str]:
    name = s.module.name
    return [
        *_head(
            s, "*", "ngspice as an OSDI library", "An ngspice with OSDI; run by ../../benches/run.py osdi, which compiles first.",
            f"Compile beside this deck, by OpenVAF:  openvaf -o {name}.osdi ../../veriloga/{name}/{name}.va",
            f"or by a C compiler:  cc -O2 -ffp-contract=off -fPIC -shared -o {name}.osdi ../../generated/osdi/{name}.c -lm",
        ),
        f"* expected: {s.name}.csv",
        ".control",
        f"pre_osdi {name}.osdi",
        ".endc",
        *sources(s.series_ohm),
        f"n1 p 0 m_{s.name} {START}={s.start!r}",
        f".model m_{s.name} {name} {_values(s)}".rstrip(),
        ".options reltol=1e-5",
        *measures(),
        ".end",
    ]  # fmt: skip


def _xyce(s: Subject) -> list[str]:
    name = s.module.name
    return [
        *_head(
            s, "*", "Xyce as a plugin", _NOT_RUN,
            f"buildxyceplugin -o {name} ../../veriloga/{name}/{name}.va .   then   Xyce -plugin {name}.so xyce.cir",
        ),
        *sources(s.series_ohm),
        f"y{name} 1 p 0 m_{s.name} {START}={s.start!r}",
        f".model m_{s.name} {name} {_values(s)}".rstrip(),
        ".options timeint reltol=1e-5",
        *measures(),
        *_expected(s, "*"),
        ".end",
    ]  # fmt: skip


def _gnucap(s: Subject) -> list[str]:
    name = s.module.name
    given = ", ".join(f".{k}({number(v)})" for k, v in {**s.parameters, START: s.start}.items())
    wave, *rest = sources(s.series_ohm)
    return [
        *_head(
            s, "*", "gnucap as a plugin", _NOT_RUN,
            f"gnucap-modelgen-verilog --cc ../../veriloga/{name}/{name}.va > {name}.cc, compile it to {name}.so, then:  gnucap gnucap.gc",
        ),
        f"load ./{name}.so",
        "spice",
        wave,
        *rest[:2],
        "verilog",
        f"{name} #({given}) x1 (.p(p), .n(0));",
        "spice",
        ".print tran i(vi)",
        ".tran 0 0.13 1e-4",
        *_expected(s, "*"),
        ".end",
    ]  # fmt: skip


def _spectre(s: Subject) -> list[str]:
    name = s.module.name
    wave = " ".join(f"{t:.9g} {v:g}" for t, v in waveform())
    return [
        *_head(s, "//", "Spectre by ahdl_include", _NOT_RUN, _NATURES),
        "simulator lang=spectre",
        f'ahdl_include "../../veriloga/{name}/{name}.va"',
        f"vs (in 0) vsource type=pwl wave=[{wave}]",
        f"rs (in a) resistor r={number(s.series_ohm)}",
        "vi (a p) vsource dc=0",
        f"x1 (p 0) {name} {_values(s)} {START}={s.start!r}".replace("  ", " "),
        "options1 options reltol=1e-5",
        "tran1 tran stop=0.13 maxstep=1e-4",
        "save vi:p x1",
        *_expected(s, "//"),
    ]


def _hspice(s: Subject) -> list[str]:
    name = s.module.name
    return [
        *_head(s, "*", "HSPICE by .hdl", _NOT_RUN, _NATURES),
        f'.hdl "../../veriloga/{name}/{name}.va"',
        *sources(s.series_ohm),
        f"x1 p 0 {name} {_values(s)} {START}={s.start!r}".replace("  ", " "),
        ".option runlvl=6",
        *measures(),
        *_expected(s, "*"),
        ".end",
    ]


LOADERS: Mapping[str, Callable[[Subject], list[str]]] = {
    "ngspice_subcircuit.cir": _ngspice_subcircuit,
    "ngspice_osdi.cir": _ngspice_osdi,
    "xyce.cir": _xyce,
    "gnucap.gc": _gnucap,
    "spectre.scs": _spectre,
    "hspice.sp": _hspice,
}
"""File name -> deck for a subject."""


def loader_decks(subject: Subject) -> dict[str, str]:
    """Return the text of each loader deck by its file name."""
    return {name: "\n".join([*make(subject), ""]) for name, make in LOADERS.items()}
