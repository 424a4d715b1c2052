# SPDX-License-Identifier: BSD-3-Clause
"""The QA report: every row once, each fault in its own row, the same bytes for the same answers."""

import hashlib
import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from pyharness.handoff.checklist import PACKAGE, Report, Row, checklist, write_checklist
from pyharness.handoff.criteria import MODEL_CRITERIA
from pyharness.handoff.manual import write_manual
from pyharness.handoff.tree import PACKAGE_CRITERIA
from pyharness.qa import Check
from pyharness.qa.assess import Assessment, assess, assess_all
from pyharness.qa.suite import HANDOFF
from pyharness.resources import hdl_dir, model_dir

MODELS = sorted(p.stem for p in model_dir().glob("*/*.va"))
BY_NAME = {f.__name__: f for f in HANDOFF}
SOUND = """// SPDX-License-Identifier: BSD-3-Clause
// dut 1.0.0: a model without faults.
// Date: 2026-01-31
// Authors: somebody
// Cite: nobody, doi 10.0/0
// Port order: p sets.
`include "constants.vams"
`include "disciplines.vams"
module dut(p, n);
    inout p, n;
    electrical p, n;
    electrical n_x;
    (* desc="Start", units="", type="instance" *) parameter real x0 = 0.0 from [0:1];
    (* desc="Conductance, off", units="S" *) parameter real g_off = 1e-5 from (0:inf);
    (* desc="State", units="", multiplicity="none" *) real x;
    (* desc="Conductance", units="S", multiplicity="multiply" *) real g;
    (* desc="Power", units="W", multiplicity="multiply" *) real power;
    real v, rate, i;
    analog begin
        v = V(p, n);
        x = x0 + V(n_x);
        rate = 100.0 * (0.5 * (1.0 + tanh(40.0 * (v - 0.3))) * (1.0 - x) - 0.5 * (1.0 - tanh(40.0 * (v + 0.3))) * x);
        g = g_off + 1e-3 * x;
        i = v * g;
        power = v * i;
        if (analysis("static"))
            I(n_x) <+ 1e-6 * V(n_x);
        else
            I(n_x) <+ -1e-8 * rate;
        I(n_x) <+ 1e-8 * ddt(V(n_x));
        I(p, n) <+ i;
        I(p, n) <+ white_noise(4.0 * `P_K * $temperature * g, "thermal");
    end
endmodule
"""
DESCRIPTION = """# dut

## Validity

Not fitted. Up to 1 V. No parameter depends on temperature.

## Changes

- 1.0.0: first.
"""


def written(folder: Path, source: str = SOUND, description: str = DESCRIPTION) -> Path:
    """The model in a folder, with its description."""
    (folder / "dut.md").write_text(description, encoding="utf-8")
    (folder / "dut.va").write_text(source, encoding="utf-8")
    return folder / "dut.va"


def row_of(number: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> Row:
    """Row ``number`` of the model at ``path``, with no other check made than the row needs."""
    criterion = next(c for c in MODEL_CRITERIA if c.id == number)
    monkeypatch.setattr("pyharness.qa.assess.HANDOFF", tuple(BY_NAME[f] for f in criterion.measured))
    rows = checklist(path.parent, [assess(str(path))])
    return next(r for r in rows if r.id == number)


FAULTS = [
    ("C1", "// dut 1.0.0: a", "// dut 1.0.0: \N{OHM SIGN} a", "not ASCII"),
    ("C1", "    real v,", "\treal v,", "tab"),
    ("C1", "    real v,", "   real v,", "odd indent"),
    ("C2", "// dut 1.0.0: a", "// dut: a", "no version"),
    ("C2", "// dut 1.0.0: a", "// dut 1.1.0: a", "version 1.1.0 is 1.0.0 in the changes"),
    ("C2", "// Cite: nobody, doi 10.0/0\n", "", "no citation"),
    ("C2", "// Date: 2026-01-31", "// Date: lately", "no date"),
    ("C2", "// SPDX-License-Identifier: BSD-3-Clause\n", "", "no licence"),
    ("C3", ', units="S" *) parameter', " *) parameter", "g_off: no units"),
    ("C3", " from (0:inf)", "", "g_off: no range"),
    ("C4", ', type="instance"', "", 'no parameter is marked type="instance"'),
    ("C5", 'units="W", multiplicity="multiply"', 'units="W"', "power: no multiplicity"),
    ("C5", '(* desc="Conductance", units="S", multiplicity="multiply" *) real g;', "real g;", "no conductance"),
    ("C6", "// Port order: p sets.\n", "", "no comment on the port order"),
    ("C6", "<+ -1e-8 * rate", "<+ 1e-8 * rate", ""),
    ("C7", "real v, rate, i;", "real v, rate, i, old;|i = v * g;|i = v * g + old; old = v;", "hidden state"),
    ("C7", "i = v * g;", 'i = v * g; $strobe("%g", i);', "$strobe"),
    ("C7", "i = v * g;", "i = v * g * (1.0 + 0.0 * $abstime);", "$abstime"),
    ("C8", "0.5 * (1.0 + tanh(40.0", "(1/2) * (1.0 + tanh(40.0", "integer division 1/2"),
    ("C8", "g = g_off + 1e-3 * x;", "g = g_off + 1e-3 * x + 0.0 * log(2.0);", "decimal logarithm"),
    ("C8", "g = g_off + 1e-3 * x;", "g = g_off + 1e-3 * x * sqrt(5e-5 - g_off) / sqrt(4e-5);", "drawn parameter sets"),
    ("C9", "white_noise(4.0", "white_noise(6.0", "1.5 times the conductance's thermal noise"),
    ("C9", "white_noise(4.0", "white_noise(1.0", "only 0.25 of the conductance's thermal noise"),
    ("C9", ', "thermal")', ")", "without a name"),
    ("C11", "i = v * g;", "i = max(v, 1.5 * v - 0.2) * g;", "smooth"),
    ("C12", "* (1.0 - x) - 0.5", "* (1.1 - x) - 0.5", "rate inward at the bounds"),
    ("C14", "i = v * g;", "i = v * g + 1n;", "zero current"),
    ("C15", "i = v * g;", "i = v * g - 1m * tanh(v);", "passivity"),
    ("C16", "i = v * g;", "i = v * g + 1e-3 * V(p) * V(p);", "flipped"),
    ("C17", "tanh(40.0 * (v + 0.3))", "tanh(4.0 * (v + 0.3))", "hold"),
    ("C18", "i = v * g;", "i = sqrt($temperature - 220) * v * g;", "finite from -55 to 175 C"),
    ("C29", "i = v * g;", "i = v * g * $temperature / 300.15;", "stated as isothermal, measured otherwise"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that the faults are put into."""
    return written(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("number", sorted({f[0] for f in FAULTS}, key=lambda c: int(c[1:])))
def test_a_sound_model_passes(sound: Path, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Each row that a fault is looked for in."""
    row = row_of(number, sound, monkeypatch)
    assert row.verdict == "pass", row


@pytest.mark.parametrize(("number", "old", "new", "words"), FAULTS)
def test_each_fault_fails_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, old: str, new: str, words: str
) -> None:
    """A fault in the source, or |another with it|, is told in the row that asks for it."""
    new, *second = new.split("|")
    assert SOUND.count(old) == 1 and (not second or SOUND.count(second[0]) == 1)
    source = SOUND.replace(old, new)
    row = row_of(number, written(tmp_path, source.replace(*second) if second else source), monkeypatch)
    assert row.verdict == "fail" and words in row.reason, row


@pytest.mark.parametrize(
    ("number", "old", "new", "words"),
    [
        ("C29", "No parameter depends on temperature.", "", "says nothing of temperature"),
        ("C30", "Up to 1 V.", "", "no word on voltages"),
        ("C30", "## Validity", "## Remarks", "no word on temperature"),
    ],
)
def test_a_lacking_description_fails_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, old: str, new: str, words: str
) -> None:
    """What the description must say."""
    assert words not in row_of(number, written(tmp_path), monkeypatch).reason
    row = row_of(number, written(tmp_path, description=DESCRIPTION.replace(old, new)), monkeypatch)
    assert row.verdict == "fail" and words in row.reason


def test_compilers_that_refuse_are_told(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ADMS knows no start values of variables; without any other compiler the row fails as well."""
    assert row_of("C10", sound, monkeypatch).verdict == "pass"
    row = row_of("C10", written(tmp_path, SOUND.replace("real v, rate", "real v = 0.0, rate")), monkeypatch)
    assert row.verdict == "fail" and "ADMS" in row.reason
    monkeypatch.setattr("pyharness.qa.source.shutil.which", lambda _: None)
    monkeypatch.setattr("pyharness.qa.source.importlib.util.find_spec", lambda _: None)
    row = row_of("C10", sound, monkeypatch)
    assert row.verdict == "fail" and "no second compiler" in row.reason


def test_shipped_models(tmp_path: Path) -> None:
    """A shipped model in full."""
    rows = [r for r in checklist(tmp_path, assess_all(["vteam"])) if r.scope == "vteam"]
    assert [r.id for r in rows if r.verdict == "not applicable"] == ["C26", "C27", "C28"]
    assert [(r.id, r.reason) for r in rows if r.verdict == "fail"] == []


@pytest.mark.parametrize("card", ["tin", "chromium"])
@pytest.mark.parametrize("number", ["C1", "C2", "C3", "C5", "C7", "C8", "C9", "C10", "C26", "C27", "C28", "C29"])
def test_shipped_cards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: str, card: str) -> None:
    """Form and statistics of a card and its model."""
    criterion = next(c for c in MODEL_CRITERIA if c.id == number)
    monkeypatch.setattr("pyharness.qa.assess.HANDOFF", tuple(BY_NAME[f] for f in criterion.measured))
    row = next(r for r in checklist(tmp_path, [assess(card)]) if r.id == number)
    assert row.verdict == "pass" and row.scope == "msdc", row


def test_a_card_that_does_not_fit_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters off the measurement, outside the plan, a scatter that draws otherwise than stated."""
    text = (model_dir() / "msdc" / "cards" / "tin.yaml").read_text()
    assert "  r_on: 253.0\n" in text and "sigma: 0.64" in text
    path = tmp_path / "mine.yaml"
    # so wide that many off resistances would lie below the on resistance: those are drawn again, and the rest are cut off
    path.write_text(text.replace("  r_on: 253.0\n", "  r_on: 90.0\n").replace("sigma: 0.64", "sigma: 6.4"))
    for number, words in (("C26", "deviation"), ("C27", "r_on = 90 is outside"), ("C28", "scatter")):
        criterion = next(c for c in MODEL_CRITERIA if c.id == number)
        monkeypatch.setattr("pyharness.qa.assess.HANDOFF", tuple(BY_NAME[f] for f in criterion.measured))
        row = next(r for r in checklist(tmp_path, [assess(str(path))]) if r.id == number)
        assert row.verdict == "fail" and words in row.reason, row


def test_a_warning_beyond_the_validity_is_heard(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulator that warns at ten times the rated voltage and not at a tenth meets the row; one that always does, not."""
    monkeypatch.setattr(
        "pyharness.qa.benches.output_of", lambda deck, _: "soa: v1 beyond" if "sin(0 10.0" in deck[1] else ""
    )
    row = row_of("C30", sound, monkeypatch)
    assert row.verdict == "pass"
    assert row.value.endswith("; warning beyond the validity: in order (ngspice warns at ten times the rated voltage)")
    monkeypatch.setattr("pyharness.qa.benches.output_of", lambda deck, _: "warning")
    row = row_of("C30", sound, monkeypatch)
    assert row.verdict == "fail"
    assert row.reason == (
        "warning beyond the validity: ngspice warns at ten times the rated voltage: warnings: 1 there, 1 at a tenth of the rated voltage"
    )


def test_a_refused_source_fails_every_row(tmp_path: Path) -> None:
    """Nothing can be measured on a source that the compiler refuses."""
    path = written(tmp_path, SOUND.replace("endmodule", ""))
    rows = [r for r in checklist(tmp_path, [assess(str(path))]) if r.scope == "dut"]
    assert len(rows) == 30 and {r.verdict for r in rows} == {"fail"}
    assert all("the compiler refuses the source: dut.va" in r.reason for r in rows)


def answered(model: str, subject: str = "default", **given: list[Check]) -> Assessment:
    """Answers that all pass, but for those given."""
    good = {name: [Check(name, 0.1, 1.0, "", "made up")] for name in BY_NAME}
    return Assessment(model=model, subject=subject, source_sha256="0", answers={**good, **given})


def test_every_row_is_there_once(tmp_path: Path) -> None:
    """C1 to C30 for each model, C31 to C40 for the package, in their order."""
    rows = checklist(tmp_path, [answered("a", "first"), answered("a", "second"), answered("b")])
    by_scope = {s: [r.id for r in rows if r.scope == s] for s in ("a", "b", PACKAGE)}
    assert by_scope["a"] == by_scope["b"] == [f"C{n}" for n in range(1, 31)]
    assert by_scope[PACKAGE] == [f"C{n}" for n in range(31, 41)]
    assert len(rows) == 70 and [int(r.id[1:]) for r in rows] == sorted(int(r.id[1:]) for r in rows)
    assert all(r.criterion and r.check and (r.value or r.reason) for r in rows)
    assert {f for c in MODEL_CRITERIA for f in c.measured} == set(BY_NAME)  # no check is made for nothing


def test_the_worst_card_decides(tmp_path: Path) -> None:
    """One figure of one card beyond the limit, one that is none, one check that was not made: the row fails, and says whose."""
    bad = answered("a", "second", hold=[Check("hold", 0.02, 0.01, "", "change in an hour")])
    row = next(r for r in checklist(tmp_path, [answered("a", "first"), bad]) if r.id == "C17")
    assert (
        row.verdict == "fail" and "second: hold: change in an hour" in row.reason and "hold 0.02 of 0.01" in row.value
    )
    none = answered("a", hold=[Check("hold", float("nan"), 0.0, "", "no convergence")])
    row = next(r for r in checklist(tmp_path, [none]) if r.id == "C17")
    assert row.verdict == "fail" and "hold: no value" in row.value
    partial = Assessment(model="a", subject="default", source_sha256="0", answers={})
    row = next(r for r in checklist(tmp_path, [partial]) if r.id == "C17")
    assert row.verdict == "fail" and "'hold' was not made" in row.reason
    tight = answered("a", tolerances=[Check("tolerance ladder", 0.007, 0.01, "", "of the suite's limit")])
    row = next(r for r in checklist(tmp_path, [tight]) if r.id == "C19")
    assert row.verdict == "fail" and "0.007 of 0.005" in row.value


def test_without_a_card_its_rows_do_not_apply(tmp_path: Path) -> None:
    """Fit, extraction and scatter are a card's; a reason is given."""
    own = answered("a", fit_to_measurement=[], extraction=[], scatter=[], solvers=[])
    rows = {r.id: r for r in checklist(tmp_path, [own])}
    for number in ("C26", "C27", "C28"):
        assert rows[number].verdict == "not applicable" and "no card" in rows[number].reason
    assert rows["C24"].verdict == "pass" and "no KLU" in rows["C24"].reason


def test_the_report_is_the_same_for_the_same_answers(tmp_path: Path) -> None:
    """What rounding and the clock change does not change a byte; a figure that matters does."""

    def made(folder: str, noise: float, ratio: float, figure: float) -> dict[str, bytes]:
        own = answered(
            "a", smooth=[Check("smooth", noise, 1e-6, "", "jump")], cost=[Check("time per point", ratio, 300, "", "CPU")],
            hold=[Check("hold", figure, 0.01, "", "hour")],
        )  # fmt: skip
        return {p.name: p.read_bytes() for p in write_checklist(checklist(tmp_path, [own]), tmp_path / folder)}

    first = made("1", 3e-16, 41.2, 0.0048)
    assert made("2", 7e-13, 73.0, 0.00481) == first
    assert made("3", 3e-16, 41.2, 0.0049) != first
    report = Report.model_validate_json(first["qa.json"])
    assert report.summary == {v: sum(r.verdict == v for r in report.rows) for v in report.summary}
    page = first["qa.html"].decode()
    document = ElementTree.fromstring(page.removeprefix("<!doctype html>\n"))
    assert len(document.findall(".//tbody/tr")) == len(report.rows) == 40
    assert "http" not in page and f"{report.summary['fail']} fail" in "".join(document.itertext())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A package's folder in which every row on the package passes."""
    folder = tmp_path / "package"
    for model in MODELS:
        (folder / "veriloga" / model).mkdir(parents=True)
        shutil.copy(model_dir() / model / f"{model}.va", folder / "veriloga" / model)
        (folder / "loaders" / model).mkdir(parents=True)
        for name in ("ngspice_subcircuit.cir", "ngspice_osdi.cir", "xyce.cir", "gnucap.gc", "spectre.scs", "hspice.sp"):
            (folder / "loaders" / model / name).write_text("* deck\n")
    (folder / "manual").mkdir()
    for model in ("vteam", "yakopcic"):
        write_manual(model, folder / "manual" / f"{model}.html")
    shutil.rmtree(folder / "veriloga" / "msdc")  # its figures take long, and no row is about them
    shutil.copytree(hdl_dir(), folder / "hdl")
    files = {
        "xschem/memristor.sym": "v", "generated/ngspice/vteam_1t1r.sub": "*", "benches/run.py": "",
        "benches/ngspice/a.csv": "1\n", "benches/icarus/expected.txt": "1\n",
        "state/state.json": '{"devices": [{"g": 1}, {"g": 2}]}',
        "state/state.schema.json": '{"type": "object", "required": ["devices"], "properties": {"devices": {"items": {"required": ["g"]}}}}',
        "sbom.cdx.json": "{}", "LICENSE": "BSD", "index.json": "{}", "CHANGELOG.md": "-",
        "SUPPORT.md": "Open an issue. A version is version.subversion.revision.",
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    seal(folder)
    return folder


def seal(folder: Path) -> None:
    """Write the manifest."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    lines = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names if n != "MANIFEST.sha256"]
    (folder / "MANIFEST.sha256").write_text("".join(lines))


def package_rows(folder: Path) -> dict[str, Row]:
    """Rows C31 to C40 with the two models of the folder measured."""
    own = []
    for model in ("vteam", "yakopcic"):
        digest = hashlib.sha256((model_dir() / model / f"{model}.va").read_bytes()).hexdigest()
        own.append(answered(model).model_copy(update={"source_sha256": digest}))
    return {r.id: r for r in checklist(folder, own) if r.scope == PACKAGE}


def test_a_complete_package_passes(tree: Path) -> None:
    """Also once the report lies in it, before and after the manifest is made anew."""
    assert [(r.id, r.reason) for r in package_rows(tree).values() if r.verdict != "pass"] == []
    before = package_rows(tree)
    write_checklist(list(before.values()), tree / "qa")
    assert package_rows(tree) == before
    seal(tree)
    assert package_rows(tree) == before


@pytest.mark.parametrize(
    ("number", "name", "content", "words"),
    [
        ("C31", "manual/vteam.html", None, "no manual of vteam"),
        ("C31", "manual/vteam.html", "<code>r_on</code>", "the manual of vteam lacks parameter r_off"),
        ("C32", "loaders/vteam/xyce.cir", None, "no loader of vteam for xyce"),
        ("C33", "xschem/memristor.sym", None, "no symbols"),
        ("C34", "hdl/registers.yaml", "", ""),
        ("C34", "hdl/README.md", "Timing: clocks.", "tells no proofs"),
        ("C35", "hdl/analog/analog_array_model.v", None, "no behavioural"),
        ("C35", "hdl/README.md", "The behavioural view is good.", "not stated"),
        ("C36", "benches/run.py", None, "no runner"),
        ("C36", "benches/icarus/expected.txt", None, "no outcomes"),
        ("C37", "state/state.json", '{"devices": [{}]}', "$.devices[0]: 'g' is a required property"),
        ("C37", "state/state.json", "{", "no JSON"),
        ("C38", "sbom.cdx.json", None, "no sbom"),
        ("C38", "MANIFEST.sha256", None, "no manifest"),
        ("C38", "LICENSE", "mine", "changed: 'LICENSE'"),
        ("C38", "extra.txt", "new", "not in the manifest: 'extra.txt'"),
        ("C38", "MANIFEST.sha256", "no line", "lines are sorted by name and each ends with a line feed"),
        ("C38", "MANIFEST.sha256", "0  LICENSE\n", "MANIFEST.sha256:1: a line is a hash, two spaces and a name"),
        ("C39", "veriloga/vteam/vteam.va", SOUND, "vteam in the package is not the source that was measured"),
        ("C39", "veriloga/dut/dut.va", SOUND, "dut is in the package, but was not measured"),
        ("C40", "SUPPORT.md", "Nothing.", "does not say where to report"),
    ],
)
def test_a_lack_in_the_package_fails_its_row(
    tree: Path, number: str, name: str, content: str | None, words: str
) -> None:
    """A file that is missing, changed or wrong."""
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    row = package_rows(tree)[number]
    if words:
        assert row.verdict == "fail" and words in row.reason, row
    else:
        assert row.verdict == "pass"


def test_rows_of_the_package_are_c31_to_c40() -> None:
    """The table, and the row on the report itself."""
    assert sorted([c[0] for c in PACKAGE_CRITERIA] + ["C39"]) == [f"C{n}" for n in range(31, 41)]


def test_answers_are_kept_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured is not measured again, until the source, or a tool, is another one."""
    calls = []

    def layout(subject: object) -> Check:
        calls.append(subject)
        return Check("layout", float("nan"), 0.0, "faults", "made up")

    monkeypatch.setattr("pyharness.qa.assess.HANDOFF", (layout,))
    path, cache = written(tmp_path), tmp_path / "cache"
    first = assess_all([str(path)], cache)
    again = assess_all([str(path)], cache)
    assert len(calls) == 1 and json.dumps(first[0].model_dump()) == json.dumps(again[0].model_dump())
    path.write_text(SOUND + "\n")
    assert assess_all([str(path)], cache)[0].source_sha256 != first[0].source_sha256 and len(calls) == 2
    monkeypatch.setattr("pyharness.qa.assess.version", lambda name: "0")
    assess_all([str(path)], cache)
    assert len(calls) == 3
    assess_all([str(path)])
    assert len(calls) == 4
