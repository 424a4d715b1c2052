# SPDX-License-Identifier: BSD-3-Clause
"""The report of a run: what it says, the figures' files, partial and hostile records, size, the same bytes every time."""

import csv
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyharness.bench.runner import read_record, run_sim
from pyharness.code import code_version
from pyharness.config import SimConfig
from pyharness.errors import RunTimeoutError
from pyharness.record import DeviceResult, Pulse, Record
from pyharness.report import write_report
from pyharness.report.figures import FIGURES
from pyharness.report.page import render
from pyharness.report.source import Source
from pyharness.report.verdict import answers, verdict

pytestmark = pytest.mark.xdist_group("report")

Reported = Any  # of conftest.py, which is no module to import

VOID = {"meta", "img", "br", "hr", "input", "link", "rect", "path", "polyline", "circle"}
MOST_BYTES = 3_500_000  # of a page of 650 devices and 6500 pulses


class Checked(HTMLParser):
    """A page whose elements are closed in order, with the elements of interest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "figures" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(found: list[dict[str, str]], name: str) -> list[float | None]:
    return [float(row[name]) if row[name] else None for row in found]


def test_the_first_screen_answers(reported: Reported) -> None:
    """Verdict, four answers, published figures, the limit."""
    record, words = reported.record, Checked(reported.page).words.replace("\N{NO-BREAK SPACE}", " ")
    assert record.accuracy is not None
    assert record.accuracy.bayes_limit is not None
    assert "30 of 30 devices trained" in words
    assert f"{record.accuracy.value * 100:.2f} % of the images right" in words
    assert f"best possible (Bayes) {record.accuracy.bayes_limit * 100:.2f} %" in words
    for published in ("up to 97 % with < 15 % training noise", "2.4 s (chromium, 30 devices)", "18.9 mJ"):
        assert published in words
    assert reported.page.index('id="verdict"') < reported.page.index("<figure")


def test_the_page_is_well_formed_and_accessible(reported: Reported) -> None:
    """Elements closed in order, no identifier twice, every internal link leads somewhere, every drawing has a text."""
    page = Checked(reported.page)
    names = [a["id"] for _, a in page.elements if "id" in a]
    assert len(names) == len(set(names))
    links = [str(a["href"]) for a in page.all("a")]
    assert {link[1:] for link in links if link.startswith("#")} <= set(names)
    assert {"#device-0", "#device-29"} <= set(links)
    assert page.all("html") == [{"lang": "en"}]
    assert all(len(a["alt"] or "") > 40 for a in page.all("img"))
    assert all("aria-label" in a or "aria-hidden" in a for a in page.all("svg"))


def test_the_page_needs_nothing_else(reported: Reported) -> None:
    """No address of the network, no script but its own; files that it links to are there, relative."""
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", reported.page)
    policy = Checked(reported.page).all("meta")[2]["content"]
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:")
    linked = {str(a["href"]) for a in Checked(reported.page).all("a") if not str(a["href"]).startswith("#")}
    assert len(linked) == 3 * len(set(FIGURES) - {"rounds"})
    assert all((reported.folder / link).is_file() for link in linked)


def test_a_page_that_is_not_well_formed_is_noticed(reported: Reported) -> None:
    """The check of the tests above can fail."""
    with pytest.raises(AssertionError):
        Checked(reported.page.replace("</main>", ""))


def test_every_figure_is_written(reported: Reported) -> None:
    """PNG, SVG and CSV of each; columns of quantities end in their unit; the same picture is in the page."""
    folder = reported.folder / "figures"
    drawn = set(FIGURES) - {"rounds"}  # nothing was trained on the chip
    assert {p.name for p in folder.iterdir()} == {f"{n}.{kind}" for n in drawn for kind in ("png", "svg", "csv")}
    for name in drawn:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        assert ElementTree.parse(folder / f"{name}.svg").getroot().tag.endswith("svg")
        assert rows(reported.folder, name), name
    units = {"time": "_s", "energy": "_j", "conductance": "_siemens", "current": "_a", "voltage": "_v", "width": "_s"}
    for name in drawn:
        for header in rows(reported.folder, name)[0]:
            for start, unit in units.items():
                assert not re.search(rf"(^|_){start}(_|$)", header) or header.endswith(unit), header
    assert len(Checked(reported.page).all("img")) == len(drawn)


def test_the_data_are_those_of_the_record(reported: Reported) -> None:
    """To the last bit."""
    folder, record = reported.folder, reported.record
    log = rows(folder, "trajectories")
    assert len(log) == len(record.pulses)
    ordered = sorted(record.pulses, key=lambda p: p.device)  # stable: each device's in their order
    assert column(log, "conductance_after_siemens") == [p.g_after_siemens for p in ordered]
    assert column(log, "conductance_before_siemens") == [p.g_before_siemens for p in ordered]
    assert column(log, "time_s") == [p.time_s for p in ordered]
    maps = rows(folder, "maps")
    assert column(maps, "target_siemens") == [d.target_siemens for d in record.devices]
    assert column(maps, "final_siemens") == [d.final_siemens for d in record.devices]
    assert column(maps, "error_relative") == pytest.approx([d.error_rel for d in record.devices], abs=1e-15)
    counts = rows(folder, "pulses")
    spent = [d.pulses for d in record.devices]
    assert [int(r["devices_reached"]) + int(r["devices_not_reached"]) for r in counts] == np.bincount(spent).tolist()
    assert column(rows(folder, "energy_devices"), "energy_j") == [d.energy_j for d in record.devices]
    assert record.energy_j is not None
    energy = dict(
        zip([r["part"] for r in rows(folder, "energy")], column(rows(folder, "energy"), "energy_j"), strict=True)
    )
    assert energy["drivers: write"] == record.energy_j.write
    assert energy["drivers: total"] == record.energy_j.total
    assert sum(t or 0 for t in column(rows(folder, "time"), "time_s")) == pytest.approx(record.training_time_s)
    cells = rows(folder, "confusion")
    assert sum(int(r["images"]) for r in cells) == len(record.answers)
    right = sum(int(r["images"]) for r in cells if r["true_class"] == r["answer"])
    accuracy = rows(folder, "accuracy")[-1]
    assert record.accuracy is not None
    assert right == record.accuracy.correct
    assert float(accuracy["measured_accuracy"]) == record.accuracy.value
    assert float(accuracy["measured_ci95_low"]) == record.accuracy.ci95_low
    assert record.variation is not None
    drawn = [r for r in rows(folder, "variation") if (r["parameter"], r["drawn_for"]) == ("r_on", "device")]
    assert column(drawn, "value_in_the_parameters_unit") == [d["r_on"] for d in record.variation.devices]
    assert {r["kind"] for r in rows(folder, "loops")} == {"card", "measured"}


def test_every_pulse_is_in_the_page_without_script(reported: Reported) -> None:
    """A row each, in the section of its device."""
    sections = reported.page.split('<details class="device"')[1:]
    assert len(sections) == 30
    for i, section in enumerate(sections):
        body = section.split("</details>")[0]
        own = [p for p in reported.record.pulses if p.device == i]
        assert body.count("<tr><td>") == len(own)
        assert all(f"{p.g_after_siemens * 1e6:.2f}" in body for p in own)


def test_the_same_record_gives_the_same_bytes(reported: Reported, tmp_path: Path) -> None:
    """Page and figures, written anew elsewhere."""
    again = write_report(reported.record, tmp_path)
    assert again.read_text(encoding="utf-8") == reported.page
    files = sorted((reported.folder / "figures").iterdir())
    assert [p.name for p in files] == sorted(p.name for p in (tmp_path / "figures").iterdir())
    for file in files:
        assert file.read_bytes() == (tmp_path / "figures" / file.name).read_bytes(), file.name


HOSTILE = "</style></script><script>alert('x')</script><img src=x onerror=alert(1)> $\\frac{1}{0}$ & \"'"


def hostile(value: Any) -> Any:
    """Put hostile words in place of every word."""
    if isinstance(value, dict):
        return {k: hostile(v) for k, v in value.items()} | {HOSTILE: HOSTILE}
    return HOSTILE if isinstance(value, str) else value


def test_hostile_words_stay_words(reported: Reported) -> None:
    """In command, message, tools, engine, configuration, status, sources of spreads, reasons of missing figures."""
    record = reported.record
    assert record.variation is not None
    spread = {k: {n: {**s, "source": HOSTILE} for n, s in of.items()} for k, of in record.variation.spread.items()}
    devices = [record.devices[0].model_copy(update={"status": HOSTILE}), *record.devices[1:]]
    words = {"command": HOSTILE, "engine": HOSTILE, "message": HOSTILE, "status": "interrupted", "devices": devices}
    changed = record.model_copy(
        update=words
        | {"tools": hostile(record.tools), "config": hostile(record.config), "bridge": {HOSTILE: 1.0}}
        | {"variation": record.variation.model_copy(update={"spread": spread})}
    )
    text = render(Source(changed), {}, dict.fromkeys(FIGURES, HOSTILE))
    page = Checked(text)
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert not [a for _, a in page.elements if "onerror" in a]
    assert page.words.count("<script>alert('x')") > 25


def partial(record: Record, pulses: int, **changes: Any) -> Record:
    """Return what a run has that ends early: nothing is read back before training is over."""
    return record.model_copy(
        update={
            "status": "interrupted", "pulses": record.pulses[:pulses], "devices": [], "answers": [], "accuracy": None,
            "training_time_s": None, "energy_j": None,
        }
        | changes
    )  # fmt: skip


def test_a_partial_record_gives_an_honest_report(reported: Reported, tmp_path: Path) -> None:
    """What was measured is shown, what is missing is said, and the verdict is neither."""
    record = partial(reported.record, 40, message="interrupted by the user")
    text = write_report(record, tmp_path).read_text(encoding="utf-8")
    words = Checked(text).words
    assert "Incomplete" in words
    assert "The run ended early: interrupted by the user" in words
    last = record.pulses[-1].device
    assert "30 of 30 devices did not end in tolerance" in words
    assert "the devices were not read back" in words
    assert "no energy was recorded before the run ended" in words
    drawn = {p.stem for p in (tmp_path / "figures").iterdir()}
    assert drawn == {"trajectories", "maps", "pulses", "loops", "variation"}
    maps = rows(tmp_path, "maps")
    assert float(maps[last]["final_siemens"]) == record.pulses[-1].g_after_siemens
    assert maps[29]["final_siemens"] == ""
    assert float(maps[29]["target_siemens"]) == reported.record.devices[29].target_siemens


def test_a_run_that_fails_says_why_in_its_record(reported: Reported, tmp_path: Path) -> None:
    """Here by its limit of time; the message of the failure names the command that shows what was measured."""
    config = SimConfig.model_validate(reported.record.config)
    with pytest.raises(RunTimeoutError, match=r"what was measured so far is in .*: pyharness report .* shows it"):
        run_sim(config, tmp_path / "out", "c", limit_s=1e-6)
    record = read_record(next((tmp_path / "out").iterdir()))
    assert record.status == "interrupted"
    assert record.message == "the run took longer than 1e-06 s: raise its limit"
    page = render(Source(record), {}, {})
    assert "The run ended early: the run took longer than 1e-06 s" in Checked(page).words


def test_the_record_knows_targets_and_code(reported: Reported) -> None:
    """From the start on: a run that ends early has them."""
    assert reported.record.network["targets_siemens"] == [d.target_siemens for d in reported.record.devices]
    assert reported.record.tools["code"] == code_version()
    assert code_version() in reported.page
    assert reported.record.message is None


def test_nothing_but_a_configuration_gives_a_report(reported: Reported) -> None:
    """A run that fails before its first pulse; a record without anything."""
    for record in (
        partial(reported.record, 0, message="ngspice: no convergence"),
        Record(seed=1, engine="e", tools={}, command="c", config={}),
    ):
        source = Source(record)
        assert verdict(source, answers(source)).level == "incomplete"
        assert "Incomplete" in Checked(render(source, {}, {})).words


def test_a_card_that_is_gone_is_told(reported: Reported, tmp_path: Path) -> None:
    """The record is still reported; what needs the card says that it does."""
    config = reported.record.config | {
        "device": {**reported.record.config["device"], "card": str(tmp_path / "mine.yaml")}
    }
    source = Source(reported.record.model_copy(update={"config": config}))
    for name in ("accuracy", "loops"):
        with pytest.raises(Exception, match="cannot read card"):
            FIGURES[name](source)
    plot = FIGURES["maps"](source)
    assert plot is not None and len(plot.rows) == 30


def test_a_users_own_card_has_no_measured_loops(reported: Reported, tmp_path: Path) -> None:
    """Said so; the card's own loops are there."""
    shipped = Path(__file__).parents[2] / "veriloga/msdc/cards/chromium.yaml"
    (tmp_path / "mine.yaml").write_text(shipped.read_text(encoding="utf-8").replace("dopant: chromium", "dopant: $x{"))
    config = reported.record.config | {
        "device": {**reported.record.config["device"], "card": str(tmp_path / "mine.yaml")}
    }
    plot = FIGURES["loops"](Source(reported.record.model_copy(update={"config": config})))
    assert plot is not None
    assert {row[0] for row in plot.rows} == {"card"}
    assert "a user's own, mine, and the report knows no data of it" in plot.text


def hundreds() -> Record:
    """Return a record of 650 devices with ten pulses each, of which one is given up."""
    rng, layers = np.random.default_rng(1), [[64, 10], [10, 1]]
    places = [(i, r, c) for i, (rs, cs) in enumerate(layers) for r in range(rs) for c in range(cs)]
    targets = rng.uniform(1e-4, 3e-4, len(places))
    config = SimConfig.model_validate({"training": {"targets_siemens": targets.tolist()}}).model_dump(mode="json")
    devices, pulses = [], []
    for i, ((layer, row, col), target) in enumerate(zip(places, targets.tolist(), strict=True)):
        path = target * np.linspace(0.01, 1, 11) * rng.normal(1, 0.003, 11)
        for n in range(10):
            pulses.append(
                Pulse(
                    time_s=1e-3 * len(pulses), device=i, polarity="set", amplitude_v=1.0 + n / 100, width_s=1.5e-4,
                    g_before_siemens=path[n], g_after_siemens=path[n + 1], verdict="below" if n < 9 else "reached",
                )
            )  # fmt: skip
        devices.append(
            DeviceResult(
                layer=layer, row=row, col=col, target_siemens=target, final_siemens=path[10], error_rel=path[10] / target - 1,
                pulses=10, status="given_up" if i == 123 else "reached", energy_j=1e-8,
            )
        )  # fmt: skip
    return Record(
        status="complete", seed=1, engine="numpy", tools={}, command="c", config=config, devices=devices, pulses=pulses,
        training_time_s=7.0, network={"layers": layers, "targets_siemens": targets.tolist()},
    )  # fmt: skip


def test_hundreds_of_devices_keep_a_sane_size(tmp_path: Path) -> None:
    """All of them, with every pulse, in a page below the stated size; the one that was given up is named first."""
    text = write_report(hundreds(), tmp_path).read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    assert text.count('<details class="device"') == 650
    assert text.count("<td>150</td>") == 6500
    words = Checked(text).words
    assert "1 of 650 devices did not end in tolerance" in words
    assert "Fail" in words
    assert "its pulses were spent before it was in tolerance" in words
    assert re.search(r'data-lost="yes"><summary>device 123,', text)


def test_the_verdict_follows_from_the_answers(reported: Reported) -> None:
    """Pass, remarks, fail, by the rule that the page states."""

    def level(**changes: Any) -> str:
        source = Source(reported.record.model_copy(update=changes))
        return verdict(source, answers(source)).level

    a = reported.record.accuracy
    assert a is not None
    assert level() == "pass"
    given_up = [reported.record.devices[0].model_copy(update={"status": "given_up"}), *reported.record.devices[1:]]
    assert level(devices=given_up) == "remarks"
    assert level(training_time_s=2.5) == "remarks"
    assert level(accuracy=a.model_copy(update={"value": 0.9, "ci95_high": 0.93})) == "fail"
    assert level(accuracy=None) == "remarks"
    assert level(accuracy=None, devices=given_up) == "fail"
    assert level(status="interrupted") == "incomplete"


def test_figures_of_another_device_are_not_compared(reported: Reported) -> None:
    """The published time and energy are chromium's."""
    config = reported.record.config | {"device": {**reported.record.config["device"], "card": "carbon"}}
    found = answers(Source(reported.record.model_copy(update={"config": config})))
    assert [a.state for a in found] == ["good", "good", "open", "open"]
    assert "not comparable: another device or array" in found[2].judgement


def test_print_rules(reported: Reported) -> None:
    """Paper size, figures and cards whole, collapsed sections open, what only a screen can do left out."""
    style = reported.page.split("<style>")[1].split("</style>")[0]
    printed = style.split("@media print")[1]
    assert "@page { size: A4;" in style
    assert re.search(r"figure[^{]*\{ break-inside: avoid; \}", printed)
    assert "details::details-content { content-visibility: visible;" in printed
    assert re.search(r"nav, #chooser[^{]*\{ display: none !important; \}", printed)
