# SPDX-License-Identifier: BSD-3-Clause
"""Checks on the source: the language, and what a chip designer expects of a model before its numbers are looked at.

Rules after McAndrew et al., IEEE J. Electron Devices Soc. 3(5), 383 (2015), doi 10.1109/JEDS.2015.2455342.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from pyharness.errors import ConfigError
from pyharness.qa.subject import Check, Subject
from pyharness.veriloga import Module, Parameter
from pyharness.veriloga.graph import ZERO, constant, nodes_of, parameter

__all__ = ("FORM", "count_of", "documented", "language", "ranges", "source_form")


_EXAMPLE = 'as in (* desc="Start state", units="", type="instance" *) parameter real x0 = 0.1 from [0:1];'


def count_of(name: str, faults: list[str], meaning: str, *, form: bool = False, example: str = "") -> Check:
    """Return a check whose figure is the number of faults; they are told behind what it looks for, and an ``example`` of what is right."""
    told = f": {'; '.join([*faults, example] if example else faults)}" if faults else ""
    return Check(name, len(faults), 0, "faults", f"{meaning}{told}", form)


def language(subject: Subject) -> Check:
    """Nothing that this compiler reads and the language does not have: other compilers refuse it."""
    return count_of("language", list(subject.module.illegal), "what other compilers refuse")


def source_form(subject: Subject) -> Check:
    """File and module of one name, a version, a licence, no tabs; ports and current direction stated."""
    module, name, ports = subject.module, subject.module.name, subject.module.ports
    text = module.source.read_text(encoding="utf-8", errors="replace")
    order = (
        f"// Port order: {ports[0]} is the SET terminal, {ports[-1]} the other." if ports else "// Port order: none."
    )
    faults = [
        fault
        for fault, found in (
            (f"the file is not {name}.va", module.file == f"{name}.va"),
            (f"no version: write '// {name} 1.0.0: what it models'", re.search(rf"^// {name} \d+\.\d+\.\d+\b", text, re.M)),
            ("no licence: write '// SPDX-License-Identifier: BSD-3-Clause', or yours", "SPDX-License-Identifier:" in text),
            ("tabs: write spaces", "\t" not in text),
            (f"no comment on the port order: write '{order}'", re.search(r"//.*port order", text, re.I)),
        )
        if not found
    ]  # fmt: skip
    return count_of("source form", faults, "name, version, licence, tabs, port order", form=True)


def _divides(module: Module, p: Parameter) -> bool:
    """Return whether the equations lose their value where the parameter is 0, all others at their defaults."""
    try:
        special = module.specialised({p.name: 0})
    except ConfigError:
        return True
    roots = [e for b in special.branches for e in (b.current, b.charge, b.potential, b.flux)]
    return any(x.op == "div" and x.args[1] is ZERO for x in nodes_of(roots))


def ranges(subject: Subject) -> Check:
    """Every parameter has a range, none closed at infinity, none that lets a divisor be 0."""
    faults = []
    module = subject.module
    values = module.check_parameters({})
    leaves = {parameter(name): constant(value) for name, value in values.items()}
    for p in module.parameters.values():
        if p.local:
            continue
        if not p.intervals:
            faults.append(f"{p.name}: no range")
        for i in (i.at(leaves) for i in p.intervals):
            assert i is not None, "the defaults were checked"
            if (math.isinf(i.low) and not i.low_open) or (math.isinf(i.high) and not i.high_open):
                faults.append(f"{p.name}: {i} is closed at infinity")
            if 0 in i and not any(0 in (x.at(leaves) or ()) for x in p.excluded) and _divides(module, p):
                faults.append(f"{p.name}: may be 0, which something is divided by")
    return count_of("parameter ranges", faults, "each has a range that its uses allow", form=True, example=_EXAMPLE)


def documented(subject: Subject) -> Check:
    """Every parameter and operating-point variable says what it is, and its unit (empty where it has none)."""
    module = subject.module
    stated = [p for p in module.parameters.values() if not p.local]
    described = [(p.name, p.desc) for p in stated] + [(o.name, o.desc) for o in module.operating_point]
    faults = [f"{name}: no desc" for name, desc in described if not desc]
    faults += [f"{p.name}: no units" for p in stated if p.units is None]
    faults += [f"{p.name}: not lower case" for p in stated if p.name != p.name.lower()]
    if not any(p.instance for p in stated):
        faults.append('no parameter is marked type="instance"')
    return count_of("documented", faults, "desc, units, names, instance parameters", form=True, example=_EXAMPLE)


FORM: tuple[Callable[[Subject], Check], ...] = (language, source_form, documented, ranges)
"""The checks that only look at the source: a second for each model."""
