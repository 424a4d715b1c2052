# SPDX-License-Identifier: BSD-3-Clause
"""The checklist's rows on models: what each asks, and which checks of :mod:`pyharness.qa` answer it.

What a model handed to a chip designer is asked for follows McAndrew et al., IEEE J. Electron Devices Soc. 3(5), 383 (2015), doi
10.1109/JEDS.2015.2455342, Wang and Roychowdhury, arXiv 1605.04897, and the Compact Model Coalition's way of shipping models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ("MODEL_CRITERIA", "Criterion")


@dataclass(frozen=True)
class Criterion:
    """One row for each model.

    Attributes:
        id: ``C1`` ...
        check: what is looked at.
        criterion: what must hold.
        measured: functions of the suite whose answers decide.
        limits: name of an answer -> a limit that is tighter than the suite's own.
        remarks: function -> what is said where it has no answer, since it does not apply.
        note: what a reader must know of a verdict.
    """

    id: str
    check: str
    criterion: str
    measured: tuple[str, ...]
    limits: Mapping[str, float] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


_NO_CARD = "no card: the model is not fitted to a device here, its description says where the parameters are from"

MODEL_CRITERIA = (
    Criterion(
        "C1", "file", "one module a file, both of one name; ASCII, no tabs, even indents", ("source_form", "layout"),
    ),
    Criterion(
        "C2", "header", "version in three figures, as in the list of changes; date, authors, licence, citation", ("header",),
    ),
    Criterion(
        "C3", "parameters", "text, unit and range on each, the default inside, lower-case names", ("documented", "ranges"),
    ),
    Criterion(
        "C4", "instances", "instance parameters are marked; m=4 draws what four devices draw", ("documented", "parallel"),
    ),
    Criterion(
        "C5", "operating point", "state, conductance and power can be read, each with text, unit and multiplicity", ("outputs",),
        note="an isothermal model without modes has no temperature and no mode to show; OSDI gives the variables out, the subcircuit its nodes",
    ),
    Criterion(
        "C6", "polarity", "port order stated; a positive V(p,n) SETs, a negative one RESETs", ("source_form", "polarity"),
    ),
    Criterion(
        "C7", "constructs", "no hidden state; no time, files, prints, draws, events or delays in the equations", ("constructs",),
    ),
    Criterion(
        "C8", "arithmetic", "no integer division, no decimal logarithm, no divisor that a range lets be 0, finite for drawn parameters",
        ("ranges", "arithmetic"),
    ),
    Criterion(
        "C9", "noise", "sources named; thermal noise of the conductance, or its lack stated", ("noise",),
        note="from the equations: densities against 4kT times the conductance at 0 V",
    ),
    Criterion("C10", "compilers", "two compilers at least read the source without a warning", ("language", "compilers")),
    Criterion("C11", "smoothness", "current and rate continuous with their slopes in voltage and state", ("smooth",)),
    Criterion(
        "C12", "bounds", "the state turns back at 0 and 1 by its equations; stays there at five times the rated voltage, also for 1000 cycles",
        ("bounds", "bounds_in_circuit", "cycles"),
    ),
    Criterion(
        "C13", "DC", "an operating point from nothing; DC sweeps up and down give one curve, the state held", ("cold_start", "dc_sweeps"),
    ),
    Criterion(
        "C14", "pinched loop", "no current at 0 V for any state; the loop is pinched and shrinks with frequency", ("zero_current", "pinched_loop"),
    ),
    Criterion(
        "C15", "passivity", "no power from the device: all states, -55 to 175 C, random voltages in a circuit", ("passivity", "passive_in_circuit"),
    ),
    Criterion("C16", "turned round", "terminals and source turned round: the same current", ("flipped",)),
    Criterion("C17", "hold", "an hour at 0 V and 10 000 reads change the conductance less than promised", ("hold", "read_disturb")),
    Criterion("C18", "derivatives", "exact slopes equal differences; finite at ten times the rated voltage, -55 to 175 C", ("jacobian", "temperature")),
    Criterion(
        "C19", "tolerances", "state of the order of 1; reltol 1e-3 to 1e-6 move it by half a per cent at most", ("bounds", "tolerances"),
        limits={"tolerance ladder": 5e-3},
    ),
    Criterion(
        "C20", "step size", "largest step, a quarter and a sixteenth: the same state; as SciPy's Radau", ("step_ladder", "step_halving", "state_per_pulse"),
    ),
    Criterion(
        "C21", "circuits", "device, 1T1R, 2x2, 5x6, 5x6 with line resistances: op, dc, tran and ac have a solution", ("analyses", "array_converges"),
    ),
    Criterion("C22", "starts and faults", "100 arrays of drawn states, open, shorted and stuck: each has an operating point", ("random_arrays",)),
    Criterion(
        "C23", "cost", "at most 2000 time points a write pulse, 300 times a resistor array's CPU time for a point", ("cost",),
        note="times differ from run to run: told as within the limit or not; memory is not measured",
    ),
    Criterion(
        "C24", "solvers", "trapezoidal rule and Gear agree, and a second solver", ("methods", "state_per_pulse", "solvers"),
        remarks={"solvers": "this ngspice has Sparse alone, no KLU: the second solver is SciPy's Radau"},
    ),
    Criterion(
        "C25", "targets and reference", "NumPy, subcircuit and, where ngspice loads one, OSDI library agree; as SciPy's reference", ("targets", "state_per_pulse"),
        note="the benches of the package carry the reference values; other simulators were not run here",
    ),
    Criterion(
        "C26", "measured data", "at 1 V 10 Hz current, SET voltage, Ron and lobes within the fit's limits; whatever else is beyond one at 1 V is named in the card", ("fit_to_measurement",),
        remarks={"fit_to_measurement": _NO_CARD},
    ),
    Criterion(
        "C27", "extraction", "what was fitted, between which bounds: a plan that is shipped, the card inside it", ("extraction",),
        remarks={"extraction": _NO_CARD},
        note="a fit anew takes minutes (pyharness fit) and is not repeated for this report",
    ),
    Criterion(
        "C28", "scatter", "device to device apart from cycle to cycle; a thousand draws have the stated distributions", ("scatter",),
        remarks={"scatter": "no card: no scatter is known"},
        note="draws are independent: correlations were not measured; there are no corner sets, draws by a seed take their place",
    ),
    Criterion("C29", "temperature", "how it follows temperature is stated, and measured so", ("thermal",)),
    Criterion(
        "C30", "validity", "voltages and temperature stated; values beyond a parameter's range refused, runs beyond the validity warned of",
        ("validity", "warned"),
    ),
)  # fmt: skip
"""C1 to C30, one row each for every model."""
