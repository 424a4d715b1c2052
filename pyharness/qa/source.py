# SPDX-License-Identifier: BSD-3-Clause
"""Checks of a hand-off on the source and its description: what a receiver looks for before anything is simulated.

The rules ask for more than a model needs to be used here; see :data:`pyharness.qa.suite.HANDOFF`.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

from pyharness.errors import ConfigError
from pyharness.qa.form import count_of
from pyharness.qa.subject import Check, Subject
from pyharness.veriloga import Module, Parameter, compile_numpy
from pyharness.veriloga.graph import ZERO, Expr, constant, leaf, nodes_of, parameter
from pyharness.veriloga.graph import replace as put_leaves
from pyharness.veriloga.header import read_header
from pyharness.veriloga.preprocess import preprocess

__all__ = ("arithmetic", "compilers", "constructs", "header", "layout", "noise", "outputs", "thermal", "validity")

_DENIED = re.compile(
    r"\$(?:abstime|realtime|random|r?dist_\w+|f\w+|strobe|display|write|monitor|debug)\b"
    r"|@\s*\(|\b(?:absdelay|idt|idtmod|last_crossing|transition|slew|laplace_\w+|zi_\w+)\b"
)
_INTEGER_DIVISION = re.compile(r"(?<![\w.])\d+\s*/\s*\d+(?![\w.])")
_BOLTZMANN = 1.3806503e-23  # that of constants.vams
_KELVIN = (218.15, 300.15, 448.15)
_DRAWS = 200


def _description(module: Module) -> str:
    """Return the description beside the source; empty where there is none."""
    path = module.source.with_suffix(".md")
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _section(text: str, heading: str) -> str:
    found = re.search(rf"^## {heading}\s*\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1].strip() if found else ""


def layout(subject: Subject) -> Check:
    """ASCII alone, no tabs, no odd indentation."""
    faults = []
    for number, line in enumerate(subject.module.source.read_bytes().decode("latin-1").split("\n"), 1):
        if not line.isascii():
            faults.append(f"line {number}: not ASCII")
        if "\t" in line:
            faults.append(f"line {number}: tab")
        if (len(line) - len(line.lstrip(" "))) % 2:
            faults.append(f"line {number}: odd indent")
    return count_of("layout", faults, "ASCII, no tabs, even indents")


def header(subject: Subject) -> Check:
    """Version, date, authors, licence and citation in the head; the version is the newest of the description's changes."""
    module = subject.module
    found = read_header(module.source, module.name)
    faults = [
        f"no {name}" for name in ("version", "date", "authors", "licence", "citation") if not getattr(found, name)
    ]
    newest = re.search(r"\d+\.\d+\.\d+", _section(_description(module), "Changes"))
    if newest is None or newest[0] != found.version:
        told = f"is {newest[0]} in the changes" if newest else "has no list of changes"
        faults.append(f"version {found.version or 'unknown'} {told}")
    return count_of("header", faults, "version as in the changes, date, authors, licence, citation")


def outputs(subject: Subject) -> Check:
    """State, conductance and power can be read after a run, each with text, unit and multiplicity."""
    variables = subject.module.operating_point
    units = [o.units for o in variables]
    wanted = (("state", ""), ("conductance", "S"), ("power", "W"))
    faults = [f"no {name} (unit '{unit}')" for name, unit in wanted if unit not in units]
    faults += [f"{o.name}: no desc" for o in variables if not o.desc]
    faults += [f"{o.name}: no multiplicity" for o in variables if o.multiplicity not in ("multiply", "divide", "none")]
    return count_of("outputs", faults, f"operating-point variables {', '.join(o.name for o in variables)}")


def constructs(subject: Subject) -> Check:
    """Nothing that hides a state, prints, draws or waits; hidden state itself the compiler refuses."""
    module = subject.module
    text = preprocess(module.source).text
    faults = list(dict.fromkeys(m[0].replace(" ", "") for m in _DENIED.finditer(text)))
    return count_of(
        "constructs", [*faults, *module.unheeded], "no hidden state, time, files, prints, draws, events, delays"
    )


def _draw(p: Parameter, default: float, values: dict[Expr, Expr], rng: np.random.Generator) -> float:
    """Return a value of ``p`` within its range and within a decade, or a unit, of its default."""
    spans = [i.at(values) for i in p.intervals]
    span = next((s for s in spans if s is not None and default in s), None)
    low, high = (span.low, span.high) if span else (-math.inf, math.inf)
    if default > 0 and low >= 0:
        low, high = max(low, default / 10), min(high, default * 10)
        return float(np.exp(rng.uniform(math.log(low), math.log(high))))
    return float(rng.uniform(max(low, default - 1), min(high, default + 1)))


def arithmetic(subject: Subject) -> Check:
    """No division of integers, no decimal logarithm, and finite values for parameters drawn within their ranges."""
    module = subject.module
    text = preprocess(module.source).text
    faults = [f"integer division {m[0]}" for m in _INTEGER_DIVISION.finditer(text)]
    faults += ["log() is the decimal logarithm: write ln()"] * len(re.findall(r"\blog\s*\(", text))
    rng = np.random.default_rng(11)
    defaults = module.check_parameters(subject.parameters)
    leaves = {parameter(n): constant(v) for n, v in defaults.items()}
    drawn_names = [p.name for p in module.parameters.values() if not p.local and p.name != "x0" and p.kind == "real"]
    drawn = [{n: _draw(module.parameters[n], defaults[n], leaves, rng) for n in drawn_names} for _ in range(_DRAWS)]
    sets = {n: np.array([d[n] for d in drawn])[:, None, None] for n in drawn_names}
    model = compile_numpy(module, {}, (*drawn_names, "x0"))
    v = np.linspace(-5, 5, 41)[:, None] * subject.rated_v
    x = np.linspace(0, 1, 11)
    with np.errstate(all="ignore"):
        both = [f(v, x, **sets, x0=0.0) for f in (model.current, model.rate)]
    bad = ~np.isfinite(both[0]) | ~np.isfinite(both[1])
    broken = int(np.any(np.broadcast_to(bad, (_DRAWS, 41, 11)), axis=(1, 2)).sum())
    faults += [f"{broken} of {_DRAWS} drawn parameter sets give no finite value"] if broken else []
    return count_of("arithmetic", faults, f"integer division, log() for ln(), finite for {_DRAWS} drawn parameter sets")


def _density(subject: Subject, state: float, kelvin: float) -> float:
    """Return the sum of the white noise densities at 0 V, in A^2/Hz."""
    module = subject.module.specialised({**subject.parameters, "x0": state})
    total = 0.0
    for source in (n for n in module.noises if n.exponent is ZERO):
        leaves = {e: constant(0.0) for e in nodes_of([source.psd]) if e.op in ("volt", "flow")}
        leaves[leaf("temperature")] = constant(kelvin)
        total += put_leaves(source.psd, leaves).value
    return total


def noise(subject: Subject) -> Check:
    """Every source has a name; at 0 V they are the conductance's 4kT, and what lacks is stated."""
    module, kelvin = subject.module, 300.15
    text = preprocess(module.source).text  # the compiler names a source that has none
    faults = [f"{n.place}: a noise source without a name" for n in module.noises if f'"{n.name}"' not in text]
    stated = bool(re.search(r"\bnoise\b", _description(module), re.I))
    shares = []
    for state in map(subject.start, (0.1, 0.5, 0.9)):
        conductance = float(np.asarray(subject.model.jacobian(0.0, state))[0, 0])
        shares.append(_density(subject, state, kelvin) / (4 * _BOLTZMANN * kelvin * conductance))
    if max(shares) > 1 + 1e-6:
        faults.append(f"{max(shares):.3g} times the conductance's thermal noise")
    if min(shares) < 0.99 and not stated:
        faults.append(f"only {min(shares):.2g} of the conductance's thermal noise, which no description states")
    names = ", ".join(n.name for n in module.noises) or "none"
    return count_of(
        "noise", faults, f"sources: {names}; {min(shares):.2g} to {max(shares):.2g} of 4kT times the conductance at 0 V"
    )


def thermal(subject: Subject) -> Check:
    """How the model follows the temperature is stated, and so it does."""
    text = _section(_description(subject.module), "Validity")
    v, x = np.linspace(-1, 1, 41)[:, None] * subject.rated_v, np.linspace(0, 1, 11)
    values = [np.array([f(v, x, temperature=t) for f in (subject.model.current, subject.model.rate)]) for t in _KELVIN]
    follows = any(not np.array_equal(values[0], other) for other in values[1:])
    isothermal = bool(re.search(r"no parameter\s+depends on\s+temperature", text, re.I))
    faults = []
    if not re.search("temperature", text, re.I):
        faults.append("the description's validity says nothing of temperature")
    elif isothermal == follows:
        faults.append(f"stated as {'isothermal' if isothermal else 'following temperature'}, measured otherwise")
    return count_of("temperature stated", faults, "follows temperature" if follows else "isothermal, 27 C")


def validity(subject: Subject) -> Check:
    """Voltages, temperature and what was fitted are stated; parameters beyond their ranges are refused."""
    module = subject.module
    text = _section(_description(module), "Validity") + (f" {subject.card.validity}" if subject.card else "")
    faults = [
        f"no word on {name}"
        for name, pattern in (
            ("voltages", r"\d V\b|voltage"),
            ("temperature", r"temperature"),
            ("a fitted device", r"fitted|Fit"),
        )
        if not re.search(pattern, text)
    ]
    values = module.check_parameters(subject.parameters)
    leaves = {parameter(n): constant(v) for n, v in values.items()}
    tried = 0
    for p in module.parameters.values():
        for span in () if p.local else [i.at(leaves) for i in p.intervals]:
            for edge, outward in ((span.low, -1.0), (span.high, 1.0)) if span else ():
                if not math.isfinite(edge):
                    continue
                tried += 1
                try:
                    module.check_parameters({**subject.parameters, p.name: edge + outward * max(1.0, abs(edge))})
                except ConfigError:
                    continue
                faults.append(f"{p.name} beyond {edge:g} is accepted")
    return count_of(
        "validity", faults, f"words on voltages and temperature; {tried} values beyond a parameter's range refused"
    )


def compilers(subject: Subject) -> Check:
    """Two compilers at least read the source without a word: this project's, ADMS, and OpenVAF's front end (verilogae)."""
    source, accepted, faults = subject.module.source.resolve(), ["pyharness"], []
    with tempfile.TemporaryDirectory(prefix="pyharness-") as folder:
        copy = shutil.copy(source, folder)
        others = {"ADMS": ["admsXml", copy]} if shutil.which("admsXml") else {}
        if importlib.util.find_spec("verilogae"):
            others["verilogae (OpenVAF's front end)"] = [
                sys.executable,
                "-c",
                "import sys, verilogae; verilogae.load(sys.argv[1])",
                copy,
            ]
        for name, command in others.items():
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, check=False, timeout=120,
                env={**os.environ, "XDG_CACHE_HOME": folder},
            )  # fmt: skip
            told = re.findall(r".*(?:error|warn|fatal).*", done.stdout + done.stderr, re.I)
            if told or done.returncode:
                faults.append(f"{name}: {told[-1].strip() if told else f'status {done.returncode}'}")
            accepted.append(name)
    if len(accepted) < 2:
        faults.append("no second compiler on this machine (admsXml, verilogae)")
    return count_of("compilers", faults, f"asked: {', '.join(accepted)}")
