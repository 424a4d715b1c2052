# SPDX-License-Identifier: BSD-3-Clause
"""What is in the archive: decks, symbols, cells, bill of materials, versions."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pyharness.bench.array import ArrayElectrics, Layer, build_array
from pyharness.errors import ConfigError
from pyharness.files import sha256
from pyharness.handoff.decks import SAMPLES, cell_text
from pyharness.handoff.loaders import LOADERS
from pyharness.handoff.manifest import INDEX
from pyharness.handoff.models import model_versions
from pyharness.handoff.subjects import example_of, subjects
from pyharness.handoff.symbols import symbols
from pyharness.resources import controller_sources, hdl_dir, model_dir, shipped_models

OPEN = {"ngspice_subcircuit.cir", "ngspice_osdi.cir"}


def test_every_source_is_in_it(files: dict[str, bytes]) -> None:
    """Models, descriptions, cards, measured data, RTL: byte for byte."""
    for root in (model_dir(), hdl_dir()):
        for path in root.rglob("*"):
            if path.suffix in {".va", ".md", ".csv", ".yaml", ".v", ".vh", ".f"}:
                assert files[f"{root.name}/{path.relative_to(root).as_posix()}"] == path.read_bytes()
    for name in ("LICENSE", "CHANGELOG.md"):
        assert files[name] == (Path(__file__).parents[2] / name).read_bytes()


def test_every_card_and_model_has_its_forms(files: dict[str, bytes]) -> None:
    """Subcircuit, cell, Verilog functions, deck, expected values; each model its C source and all loader decks."""
    names = [s.name for s in subjects()]
    assert {"carbon", "chromium", "tin", "tungsten", "msdc", "vteam", "yakopcic"} <= set(names)
    for name in names:
        for file in (
            f"generated/ngspice/{name}.sub",
            f"generated/ngspice/{name}_1t1r.sub",
            f"generated/verilog/{name}.vh",
        ):
            assert file in files
        assert f".subckt {name} p n x0=" in files[f"generated/ngspice/{name}.sub"].decode()
        assert {f"benches/ngspice/{name}.cir", f"benches/ngspice/{name}.csv"} <= set(files)
    for model in shipped_models():
        assert f"generated/osdi/{model}.c" in files
        assert {f"loaders/{model}/{deck}" for deck in LOADERS} <= set(files)


def test_loader_decks_say_who_ran_them(files: dict[str, bytes]) -> None:
    """Two are run by the benches; the others say that they are not.  All hold the card's parameters and name a file of the archive."""
    for model in shipped_models():
        for deck in LOADERS:
            text = files[f"loaders/{model}/{deck}"].decode("ascii")
            assert ("Not run by us" in text) == (deck not in OPEN)
            assert ("run by ../../benches/run.py" in text) == (deck in OPEN)
            loaded = re.findall(r'^(?:\.include|\.hdl|ahdl_include) "\.\./\.\./([^"]+)"$', text, re.M)
            assert len(loaded) == (deck in {"ngspice_subcircuit.cir", "spectre.scs", "hspice.sp"})
            assert set(loaded) <= set(files)
    example = example_of("msdc")
    assert example.name == "chromium"
    for deck in set(LOADERS) - {"ngspice_subcircuit.cir"}:
        text = files[f"loaders/msdc/{deck}"].decode()
        for name, value in example.parameters.items():
            assert re.search(rf"\b{name}[=(]{re.escape(repr(float(value)))}[ ,)\n]", text), (deck, name)
        assert "x0" in text


def test_expected_currents_of_the_decks_that_are_not_run(files: dict[str, bytes]) -> None:
    """They stand in the deck, all of them, as in the table of the bench."""
    table = files["benches/ngspice/vteam.csv"].decode().splitlines()[1:]
    for deck in set(LOADERS) - OPEN:
        text = files[f"loaders/vteam/{deck}"].decode()
        for row in table:
            name, time_s, value, *_ = row.split(",")
            assert f"expected {name}: {value} A into p at {time_s} s" in text
        assert text.count(" expected ") == len(SAMPLES)


@pytest.mark.parametrize("suffix", ["", "_1t1r"])
def test_symbols_fit_their_subcircuits(files: dict[str, bytes], suffix: str) -> None:
    """Pins in the order of the ports, on the grid, each at the end of a line; the default model is one of the archive."""
    text = symbols()[f"memristor{suffix}.sym"]
    assert files[f"xschem/memristor{suffix}.sym"].decode() == text
    pins = re.findall(r"^B 5 (\S+) (\S+) (\S+) (\S+) \{name=(\w+) dir=inout\}$", text, re.M)
    model = re.search(r'template="name=x1 model=(\w+) x0=0"', text)
    assert model is not None
    head = next(
        line for line in files[f"generated/ngspice/{model[1]}.sub"].decode().splitlines() if line.startswith(".subckt")
    )
    assert head.split()[2 : 2 + len(pins)] == [pin[4] for pin in pins]
    assert all("=" in word for word in head.split()[2 + len(pins) :])
    ends = [
        tuple(map(int, pair))
        for line in re.findall(r"^L 4 (.*) \{\}$", text, re.M)
        for pair in (line.split()[:2], line.split()[2:])
    ]
    for left, top, right, bottom, _ in pins:
        centre = ((float(left) + float(right)) / 2, (float(top) + float(bottom)) / 2)
        assert centre in ends
        assert all(value % 10 == 0 for value in centre)


def test_the_cell_is_that_of_the_array() -> None:
    """The same elements in the same order, the same switch: from the array's own netlist of one cell."""
    subject = next(s for s in subjects() if s.name == "chromium")
    array = build_array(ArrayElectrics(), [Layer("l", 1, 1)], subject.subcircuit)
    lines = [line for line in array.netlist if re.match(r"vm_l_r0_c0 |sw_l_r0_c0 |xl_r0_c0 |\.model closing", line)]
    own = {"l_row0": "row", "l_r0_c0_p": "dev", "l_col0": "col", "l_word": "word", "sw_l_r0_c0": "s1", "xl_r0_c0": "x1"}
    told = [" ".join(own.get(w, w) for w in line.split()) for line in lines if not line.startswith("vm_")]
    ammeter = next(line for line in lines if line.startswith("vm_")).split()
    told = [line.replace(ammeter[2], "row") for line in told]  # a source of 0 V
    cell = [line for line in cell_text(subject).splitlines() if re.match(r"s1|x1|\.model", line)]
    assert sorted(line.removesuffix(" x0={x0}") for line in cell) == sorted(told)


def test_bill_of_materials(files: dict[str, bytes]) -> None:
    """CycloneDX 1.6 by its own schema; the models with the hashes of their sources; what made it; nothing random."""
    text = files["sbom.cdx.json"].decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    parts = {part["name"]: part for part in bom["components"]}
    for name, number in model_versions().items():
        assert parts[name]["version"] == number
        assert parts[name]["hashes"] == [{"alg": "SHA-256", "content": sha256(files[f"veriloga/{name}/{name}.va"])}]
    assert bom["metadata"]["timestamp"] == "1980-01-01T00:00:00+00:00"
    tools = {tool["name"]: tool["version"] for tool in bom["metadata"]["tools"]["components"]}
    # who writes manuals and figures as well, whose version the bytes depend on
    manuals = {"matplotlib", "latex2mathml", "markdown-it-py", "scipy", "numba"}
    assert {"pyharness", "numpy", "lark", "cyclonedx-python-lib"} | manuals <= set(tools)
    assert all(tools[name] == version(name) for name in tools)
    index = json.loads(files[INDEX])
    assert set(index["built_with"]) - {"python"} == set(tools) - {"pyharness"}


def test_a_wrong_bill_is_noticed(files: dict[str, bytes]) -> None:
    """The validation above can fail."""
    bom = json.loads(files["sbom.cdx.json"])
    bom["components"][0]["type"] = "memristor"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is not None


def test_index(files: dict[str, bytes]) -> None:
    """Versions of format, project, models, cards and tools."""
    index = json.loads(files[INDEX])
    assert (index["name"], index["format"], index["version"]) == ("pyharness-handoff", 1, version("pyharness"))
    assert index["models"] == model_versions()
    assert index["cards"]["carbon"] == "msdc"
    assert index["built_with"]["lark"] == version("lark")
    assert set(index["golden_data_made_with"]) == {"python", "pyharness", "numba", "numpy", "scipy"}


def test_a_model_without_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not handed off."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "own.va").write_text("// own: a model\nmodule own(p, n);\nendmodule\n")
    monkeypatch.setattr("pyharness.resources.model_dir", lambda: tmp_path)
    with pytest.raises(ConfigError, match=r"own\.va: a model to hand off states its version"):
        model_versions()


def test_the_papers(files: dict[str, bytes]) -> None:
    """What the README names is there; polarity and the rule of versions are told."""
    readme, support = files["README.md"].decode(), files["SUPPORT.md"].decode()
    for place in re.findall(r"^\| `([^`|]+)`", readme, re.M):
        assert any(name == place or name.startswith(place) or name.endswith(f"/{place}") for name in files), place
    assert "positive voltage from `p` to `n` raises the conductance (SET)" in readme
    assert "version.subversion.revision" in support
    simulation = files["hdl/simulation.f"].decode().split()
    assert simulation[2:4] == ["system_top.v", "analog/analog_array_model.v"]
    assert simulation[4:] == [p.name for p in controller_sources()]
