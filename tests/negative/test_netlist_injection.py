# SPDX-License-Identifier: BSD-3-Clause
"""Nothing from a configuration, a card or a file name brings a line or a command into the netlist that ngspice gets."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pyharness.bench.array import ArrayElectrics, Layer, build_array
from pyharness.bench.job import build_job
from pyharness.config import SimConfig, load_config
from pyharness.errors import ConfigError, NetlistError, PyharnessError
from pyharness.spice import Netlist, run_batch
from pyharness.veriloga import emit_ngspice, load_device

ROOT = Path(__file__).parents[2]
CARD = ROOT / "veriloga/msdc/cards/chromium.yaml"
PIECES = [
    "\n",
    "\r",
    "\x0b",
    "\u2028",
    " ",
    ";",
    "$",
    "{",
    "}",
    "+",
    "*#",
    ".control",
    ".include /etc/passwd",
    "shell ls",
    "a",
    "1",
    "é",
]
PAYLOAD = "x\n.control\nshell touch {canary}\n.endc\n*"
hostile = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)

# all that a line of an array may be: a comment, the subcircuit's frame, the switch model, or an element
LINE = re.compile(r"\* [ -~]*|\.subckt [a-z_0-9 .=]+|\.ends \w+|\.model closing sw\([ -~]*\)|[rcvesbx]\w* [ -~]+")


def canary_deck(canary: Path) -> list[str]:
    return ["v1 a 0 1", "r1 a 0 1", ".control", f"shell touch {canary}", ".endc"]


def test_ngspice_would_run_it(tmp_path: Path) -> None:
    """The danger is real: a ``.control`` block in a netlist runs a shell command.  Else the tests here prove nothing."""
    deck = tmp_path / "deck.cir"
    deck.write_text("\n".join(["title", *canary_deck(tmp_path / "canary"), ".end", ""]))
    subprocess.run(["ngspice", "-n", "-b", str(deck)], cwd=tmp_path, capture_output=True, check=False)
    assert (tmp_path / "canary").exists()


@given(name=hostile)
def test_no_name_makes_a_line(name: str) -> None:
    """Whatever is put in as a name or comment, each line is one line and no command."""
    net = Netlist()
    net.comment(name)
    for attempt in (
        lambda: net.resistor(name, "a", "0", 1.0),
        lambda: net.resistor("one", name, "0", 1.0),
        lambda: net.subcircuit(name, ("a",), "sub", {}),
        lambda: net.subcircuit("two", ("a", name), "sub", {}),
        lambda: net.subcircuit("three", ("a",), name, {name: 1.0}),
        lambda: net.ammeter("four", "a", name),
        lambda: net.block(f".model {name} sw(vt=0.5)"),
        lambda: net.block(f"* of {name}"),
    ):
        try:
            attempt()
        except NetlistError:
            continue
    for line in net.lines:
        assert line.isascii()
        assert line.isprintable()
        assert not re.match(r"\s*\.(?!model )|\*#", line)


@given(name=hostile)
def test_no_layer_name_makes_a_line(name: str) -> None:
    """A layer's name is the stem of hundreds of names."""
    device = load_device("chromium")
    values, free = device.card.parameters, ("x0",)
    text = emit_ngspice(device.module, name="dut", parameters=values, instance_parameters=free, soa=False)
    try:
        array = build_array(ArrayElectrics(), [Layer(name, 1, 1)], text)
    except PyharnessError:
        return
    assert name.isidentifier()
    assert all(LINE.fullmatch(line) for line in array.netlist)


def test_the_array_has_known_lines_only() -> None:
    """The default job's netlist, line by line."""
    netlist = build_job(SimConfig()).array.netlist
    assert len(netlist) > 100
    assert [line for line in netlist if not LINE.fullmatch(line)] == []


@settings(max_examples=30)
@given(text=hostile)
def test_no_configuration_text_reaches_the_netlist(text: str) -> None:
    """In every field of the configuration, as YAML would deliver it: refused, or read as a number."""
    for change in (
        {"device": {"card": text}},
        {"device": {"start_fraction": text}},
        {"array": {"compliance_ohm": text}},
        {"array": {text: 1.0}},
        {"solver": {"reltol": text}},
        {"images": [[[text]], [["#"]]]},
        {text: {}},
    ):
        try:
            netlist = build_job(SimConfig.model_validate(change)).array.netlist
        except ValueError:  # ConfigError, or pydantic's own
            continue
        float(text)  # else it should have been refused
        assert all(LINE.fullmatch(line) for line in netlist)


@pytest.mark.parametrize("place", ["folder", "file", "dopant", "source", "parameter", "model", "value"])
def test_a_hostile_card_runs_nothing(tmp_path: Path, place: str) -> None:
    """A card whose folder, name or contents hold a command is refused, or leaves nothing of it in the netlist."""
    canary = tmp_path / "canary"
    payload = PAYLOAD.format(canary="canary")  # a file name holds no '/'
    folder = tmp_path / (payload if place == "folder" else "cards")
    folder.mkdir()
    path = folder / (f"{payload}.yaml" if place == "file" else "mine.yaml")
    card = yaml.safe_load(CARD.read_text())
    if place in ("dopant", "source", "model"):
        card[place] = payload
    elif place == "parameter":
        card["parameters"][payload] = card["parameters"].pop("tau_on")
    elif place == "value":
        card["parameters"]["tau_on"] = payload
    path.write_text(yaml.safe_dump(card))
    job_file = tmp_path / "job.yaml"
    job_file.write_text(f"device: {{card: {str(path)!r}}}\n" if "\n" not in str(path) else "{}\n")
    try:
        config = load_config(job_file)
        if "\n" in str(path):
            config = SimConfig.model_validate({"device": {"card": str(path)}})
        netlist = build_job(config).array.netlist
    except ConfigError:
        assert place not in ("folder", "dopant", "source"), "these are only text and were refused"
        return
    assert place in ("folder", "dopant", "source")
    assert all(LINE.fullmatch(line) for line in netlist)
    assert not any("shell" in line for line in netlist)
    array = build_job(config).array
    run_batch([*netlist, *array.batch_sources({})], ".tran 1u 2u")
    assert not canary.exists()
    assert not list(tmp_path.rglob("canary"))


def test_a_checkout_in_a_hostile_folder_runs_nothing(tmp_path: Path) -> None:
    """The path of the model's file is not part of the netlist, its name is checked."""
    folder = tmp_path / PAYLOAD.format(canary="canary")
    shutil.copytree(ROOT / "veriloga" / "msdc", folder)
    from pyharness.veriloga import load_module

    module = load_module(folder / "msdc.va")
    net = Netlist()
    net.block(emit_ngspice(module, name="dut", parameters={}).text)
    assert not any("shell" in line for line in net.lines)
    evil = folder / (PAYLOAD.format(canary="canary") + ".va")
    shutil.copy(folder / "msdc.va", evil)
    with pytest.raises(PyharnessError):
        Netlist().block(emit_ngspice(load_module(evil), name="dut", parameters={}).text)
