# SPDX-License-Identifier: BSD-3-Clause
"""A module as a device: its current and the rates of its states, known from the voltage between two ports and the states."""

from __future__ import annotations

from pyharness.errors import VerilogAError
from pyharness.veriloga import graph
from pyharness.veriloga.graph import ONE, STEPS, ZERO, Expr, apply, derivative, leaf, voltage
from pyharness.veriloga.module import START, Branch, Module

__all__ = ("check_terminals", "moving", "state_form")


def check_terminals(module: Module) -> None:
    """Refuse a module that is no device of an array, whatever its equations.

    Raises:
        VerilogAError: it has not two ports, or no parameter ``x0``.
    """
    _check_ports(module)
    if START not in module.parameters or module.parameters[START].local:
        raise VerilogAError(
            f"{module.file}:1:1: module '{module.name}' has no parameter '{START}', by which the array sets a device's state: write "
            f"'parameter real {START} = 0.0 from [0:1];' and 'x = {START} + V(n);', so that the state's node holds what was added since"
        )


def _check_ports(module: Module) -> None:
    if len(module.ports) != 2:
        ports = f"{len(module.ports)} ports ({', '.join(module.ports) or 'none'})"
        raise VerilogAError(f"{module.file}:1:1: module '{module.name}' has {ports}: a device has two")


def moving(module: Module) -> Module:
    """Return the module as a transient sees it, one device."""
    return module.replaced({leaf("static"): ZERO, leaf("ac"): ZERO, leaf("noise_run"): ZERO, leaf("mfactor"): ONE})


def _named(access: str, b: Branch) -> str:
    """Return how a source reads or contributes to a branch."""
    return f"{access}({b.plus}, {b.minus})" if b.minus != "0" else f"{access}({b.plus})"


def _current(b: Branch) -> Expr:
    """Return the current of a branch whose current is read, or whose voltage is contributed: V = V0 + R I is I = (V - V0) / R."""
    if b.is_potential is ZERO:
        return b.current
    i, v = _named("I", b), _named("V", b)
    if b.is_potential is not ONE:
        raise VerilogAError(f"{b.place}: {i} and {v} are contributed in turns: contribute {i} in both arms of the if")
    own = leaf("flow", b.flow)
    resistance = derivative(b.potential, own)
    if resistance is ZERO:
        raise VerilogAError(
            f"{b.place}: the current must be contributed: {v} <+ ... here sets a voltage that {i} has no part in: write {i} <+ ..."
        )
    behind_steps = graph.nodes_of([x for x in graph.nodes_of([b.potential]) if x.op in STEPS])
    if own in behind_steps or own in graph.nodes_of([resistance]):
        raise VerilogAError(
            f"{b.place}: the current must be contributed as {i} <+ ...: {v} <+ ... is turned round only where it is linear in {i}, as in "
            f"{v} <+ {i} * resistance"
        )
    across = apply("sub", voltage(b.plus), voltage(b.minus))
    return apply("div", apply("sub", across, graph.replace(b.potential, {own: ZERO})), resistance)


def _flows(module: Module) -> dict[Expr, Expr]:
    """Return each current that is an unknown as an expression of voltages."""
    known = {leaf("flow", b.flow): _current(b) for b in module.branches if b.flow}
    for _ in known:  # one may be given by another
        known = {own: graph.replace(e, known) for own, e in known.items()}
    for b in module.branches:
        if b.flow and graph.uses(known[leaf("flow", b.flow)], "flow"):
            raise VerilogAError(f"{b.place}: {_named('I', b)} depends on itself: write it as a function of voltages")
    return known


def _check_branches(module: Module) -> None:
    """Refuse branches that are neither between the ports nor from a state's node to ground."""
    ports = set(module.ports)
    for b in module.branches:
        if {b.plus, b.minus} == ports:
            if b.charge is not ZERO or b.flux is not ZERO:
                raise VerilogAError(
                    f"{b.place}: a device's current must follow from its voltage and its states: leave ddt() out of the branch between "
                    f"'{b.plus}' and '{b.minus}', and put a capacitor or coil beside the device"
                )
        elif b.plus in module.internal_nodes and b.minus == "0":
            if b.is_potential is not ZERO:
                n = b.plus
                raise VerilogAError(
                    f"{b.place}: V({n}) <+ ... holds the node of a state: write I({n}) <+ ddt(V({n})) - rate"
                )
        else:
            ends = f"'{b.plus}' and {'ground' if b.minus == '0' else repr(b.minus)}"
            raise VerilogAError(
                f"{b.place}: a device has branches between its two ports, and from each state's node to ground, I(n) <+ ...; this one "
                f"lies between {ends}: write the current as a function of V({', '.join(module.ports)}) and the states"
            )


def state_form(module: Module) -> tuple[Expr, list[Expr]]:
    """Return (current, rates) of a module of two ports whose other nodes are states, as a transient sees it (:func:`moving`).

    Raises:
        VerilogAError: another form; the message begins with the place and says what to write.
    """
    _check_ports(module)
    nodes = module.internal_nodes
    if not nodes:
        raise VerilogAError(
            f"{module.file}:1:1: module '{module.name}' has no state: declare a node 'electrical n_x;' and contribute "
            "I(n_x) <+ ddt(V(n_x)) - rate"
        )
    _check_branches(module)
    known = _flows(module)
    current, flows, charges = ZERO, dict.fromkeys(nodes, ZERO), dict.fromkeys(nodes, ZERO)
    for b in module.branches:
        carried = known[leaf("flow", b.flow)] if b.flow else b.current
        if b.plus in flows:
            flows[b.plus] = apply("add", flows[b.plus], carried)
            charges[b.plus] = apply("add", charges[b.plus], b.charge)
        else:
            current = apply("add" if b.plus == module.ports[0] else "sub", current, carried)
    rates = []
    for n in nodes:
        place = next((b.place for b in module.branches if b.plus == n), f"{module.file}:1:1")
        charge = graph.replace(charges[n], known)
        capacitance = derivative(charge, voltage(n))
        if (
            capacitance is ZERO
            or graph.uses(capacitance, "volt", "abstime")
            or any(derivative(charge, voltage(other)) is not ZERO for other in module.nodes if other != n)
        ):
            raise VerilogAError(
                f"{place}: the node '{n}' must be a state, I({n}) <+ ddt(c*V({n})) - ..., c the same at all times, with no other ddt() in it "
                "or beside it"
            )
        rates.append(apply("neg", apply("div", flows[n], capacitance)))
    at_port = {**known, voltage(module.ports[1]): ZERO}
    return _put(current, at_port), [_put(r, at_port) for r in rates]


def _put(e: Expr, leaves: dict[Expr, Expr]) -> Expr:
    """Return ``e`` with currents put in, and then the voltages that these depend on."""
    return graph.replace(graph.replace(e, leaves), leaves)
