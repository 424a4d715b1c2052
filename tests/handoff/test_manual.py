# SPDX-License-Identifier: BSD-3-Clause
"""Manuals: from the source, complete, well-formed, alone in the world, the same bytes each time."""

import base64
import html
import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from pyharness.errors import ConfigError
from pyharness.handoff.description import read_sections
from pyharness.handoff.manual import set_sign, write_manual
from pyharness.resources import model_dir
from pyharness.spice import run_batch
from pyharness.veriloga import emit_ngspice, load_card, load_module

MODELS = sorted(p.stem for p in model_dir().glob("*/*.va"))
XHTML = "{http://www.w3.org/1998/Math/MathML}"


@pytest.fixture(scope="module")
def manuals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every shipped model's manual."""
    folder = tmp_path_factory.mktemp("manual")
    for model in MODELS:
        write_manual(model, folder / f"{model}.html")
    return {model: (folder / f"{model}.html").read_text() for model in MODELS}


def tree(text: str) -> ElementTree.Element:
    """The document, parsed as XML: every element closed, every attribute in quotes."""
    assert text.startswith("<!doctype html>\n")
    return ElementTree.fromstring(text.removeprefix("<!doctype html>\n"))


def table(text: str, identity: str) -> list[list[str]]:
    """Cells of the table of that id."""
    found = tree(text).find(f".//table[@id='{identity}']/tbody")
    assert found is not None
    return [["".join(cell.itertext()) for cell in row] for row in found]


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_is_there(manuals: dict[str, str], model: str) -> None:
    """Name, default, unit, range, kind and meaning as the compiler reads them, and every operating-point variable."""
    module = load_module(model_dir() / model / f"{model}.va")
    rows = {r[0]: r for r in table(manuals[model], "parameter-table")}
    defaults = module.check_parameters({})
    assert list(rows) == list(module.parameters)
    for name, p in module.parameters.items():
        _, default, unit, span, kind, meaning = rows[name]
        assert float(default) == pytest.approx(defaults[name], rel=1e-5)
        assert (unit, meaning) == (p.units, p.desc) and span == str(p.intervals[0].at({}))
        assert kind == ("instance" if name == "x0" else "model")
    told = "".join(tree(manuals[model]).itertext())
    assert all(o.desc in told for o in module.operating_point)


@pytest.mark.parametrize("model", MODELS)
def test_no_reference_leads_outside(manuals: dict[str, str], model: str) -> None:
    """Every link and picture is inside the file, and every link inside has its end."""
    document = tree(manuals[model])
    targets = {e.get("id") for e in document.iter()}
    references = [e.get(k) for e in document.iter() for k in ("href", "src", "data", "action") if e.get(k)]
    assert len(references) >= 10
    for reference in references:
        assert reference.startswith("data:image/svg+xml;base64,") or reference[1:] in targets, reference[:80]
    assert not re.search(r"<(script|link|iframe|object)\b|@import|url\(", manuals[model])


@pytest.mark.parametrize("model", MODELS)
def test_mathematics_is_mathml(manuals: dict[str, str], model: str) -> None:
    """Equations are elements, not LaTeX, and no backslash is left."""
    document = tree(manuals[model])
    blocks = document.findall(f".//{XHTML}math")
    assert blocks and all(b.findall(f".//{XHTML}mtr") for b in blocks)
    assert "\\" not in "".join(document.itertext())


def test_cards_and_figures(manuals: dict[str, str]) -> None:
    """Each card's parameters, scatter, deviations and figure; the figure holds no reference outside either."""
    text = manuals["msdc"]
    told = "".join(tree(text).itertext())
    pictures = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", text)
    assert len(pictures) == 4 and len(set(pictures)) == 4
    for picture in pictures:
        svg = ElementTree.fromstring(base64.b64decode(picture))
        links = [v for e in svg.iter() for k, v in e.attrib.items() if k.endswith("href")]
        assert links and all(v.startswith("#") for v in links)
        assert len(svg.findall(".//{http://www.w3.org/2000/svg}path")) > 20
    for name in ("tungsten", "tin", "chromium", "carbon"):
        _, card = load_card(name)
        assert card.validity in told and card.fit is not None
        assert all(line in told for line in (*card.fit.beyond_limits, *card.fit.pulses))
        assert all(f"{value:.4g}" in told for value in card.parameters.values())
        assert all(
            s.source in told for s in (*card.spread.cycle_to_cycle.values(), *card.spread.device_to_device.values())
        )
    assert "data:image" not in manuals["vteam"] and ">Cards<" not in manuals["vteam"]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of vteam to be changed."""
    return Path(shutil.copytree(model_dir() / "vteam", tmp_path / "vteam"))


def edited(path: Path, old: str, new: str) -> None:
    """Replace a text that is there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_changed_source_changes_the_manual(own: Path, manuals: dict[str, str]) -> None:
    """The tables follow the source: a default, a unit, a polarity; without a change the bytes are the same."""
    out = own / "out.html"
    write_manual("vteam", out, own)
    assert out.read_text() == manuals["vteam"]
    edited(own / "vteam.va", "v_on = 0.25", "v_on = 0.375")
    edited(own / "vteam.va", 'desc="RESET exponent", units=""', 'desc="RESET <exponent>", units="furlong"')
    edited(own / "vteam.va", "I(n_x) <+ -`STATE_A * rate", "I(n_x) <+ `STATE_A * rate")
    write_manual("vteam", out, own)
    rows = {r[0]: r for r in table(out.read_text(), "parameter-table")}
    assert rows["v_on"][1] == "0.375" and rows["a_off"][2] == "furlong" and rows["a_off"][5] == "RESET <exponent>"
    told = "".join(tree(out.read_text()).itertext())
    assert "SET: negative V(p,n)." in told and "SET: positive" not in told
    assert set_sign(load_module(own / "vteam.va")) == -1


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("vteam.md", "## Validity", "## Remarks", r"vteam\.md has no section Validity: the manual needs it"),
        ("vteam.md", "## Known limits", "## Changes", r"two sections are named 'Changes'"),
        ("vteam.va", "// vteam 1.1.0:", "// vteam:", r"vteam\.va states no version: write '// vteam 1\.0\.0:"),
        ("vteam.va", "rate = rise * f_on - fall * f_off", "rate = rise * f_on + 0.0 * fall", r"\+1 V and -1 V move the state at rates of"),
    ],
)  # fmt: skip
def test_a_lack_is_told(own: Path, file: str, old: str, new: str, message: str) -> None:
    """Nothing is written where something is missing."""
    edited(own / file, old, new)
    with pytest.raises(ConfigError, match=message):
        write_manual("vteam", own / "out.html", own)
    assert not (own / "out.html").exists()


def test_words_stay_words(tmp_path: Path) -> None:
    """Elements in Markdown and within an equation's text are words of the page; a deeper heading keeps its own."""
    path = tmp_path / "own.md"
    path.write_text(
        "# own\n\n## Equations\n\n### Of <script>alert(1)</script>\n\nText.\n\n"
        "```math\n\\text{<script>alert(2)</script> &amp; <img src=x>} a<b\n```\n\n#### Deeper\n\nMore.\n"
    )
    section = read_sections(path)["Equations"]
    document = ElementTree.fromstring(f"<body>{section}</body>")
    assert not [e for e in document.iter() if e.tag.endswith(("script", "img"))]
    words = "".join(document.itertext()).replace("\N{NO-BREAK SPACE}", " ")
    assert "Of <script>alert(1)</script>" in words and "<script>alert(2)</script> & <img src=x>a<b" in words
    assert [e.text for e in document if e.tag in ("h3", "h4")] == ["Of <script>alert(1)</script>", "Deeper"]
    assert "More." in words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Text.\n\nSee ![a](https://example.org/a.png).", r"own\.md:5: the manual is one file .* 'https://example\.org/a\.png'"),
        ("![a](a.png)", r"own\.md:3: the manual is one file .* 'a\.png'"),
        ("```math\n\\href{javascript:alert(1)}{x}\n```", r"own\.md:3: .*takes no \\href and no \\style"),
        ("```math\n\\style{background:url(//a)}{x}\n```", r"takes no \\href and no \\style"),
        ("```math\na^b^c\n```", r"own\.md:3: this equation cannot be converted to MathML: DoubleSuperscriptsError: 'a\^b\^c"),
    ],
)  # fmt: skip
def test_what_a_page_must_not_hold(tmp_path: Path, text: str, message: str) -> None:
    """What a browser would fetch or run, and an equation that is none: told with its line."""
    path = tmp_path / "own.md"
    path.write_text(f"# own\n\n{text}\n")
    with pytest.raises(ConfigError, match=message):
        read_sections(path)


def test_unknown_models_are_told(tmp_path: Path) -> None:
    """A name without a source, a source without a description."""
    with pytest.raises(ConfigError, match=r"no model 'unobtainium' in .*unobtainium\.va"):
        write_manual("unobtainium", tmp_path / "out.html")
    with pytest.raises(ConfigError, match=r"cannot read the model's description"):
        read_sections(tmp_path / "nothing.md")


@pytest.mark.parametrize("model", MODELS)
def test_the_quick_start_runs(tmp_path: Path, manuals: dict[str, str], model: str) -> None:
    """The manual's deck draws a loop in ngspice, its SET in the half that the manual says."""
    deck = tree(manuals[model]).find(".//pre[@id='deck']")
    assert deck is not None and deck.text
    module = load_module(model_dir() / model / f"{model}.va")
    subcircuit = emit_ngspice(module, name=model, parameters={}, instance_parameters=("x0",))
    (tmp_path / f"{model}.sub").write_text(subcircuit.text + "\n")
    lines = html.unescape(deck.text).replace(f".include {model}", f".include {tmp_path}/{model}").splitlines()
    analysis = next(line for line in lines if line.startswith(".tran"))
    body = [line for line in lines[1:] if not line.startswith((".tran", ".save", ".end"))]
    run = run_batch(body, analysis)
    v, i = run.vectors["v(p)"], -run.vectors["i(v1)"]
    second = (run.vectors["time"] > 0.1) & (np.abs(v) > 0.05)
    g = i[second] / v[second]
    assert g.max() > 1.5 * g.min() > 0
    x = run.vectors[next(n for n in run.vectors if n.startswith("v(x1.") and "n_x" in n)]
    assert x[np.searchsorted(run.vectors["time"], 0.05)] > x[0]
