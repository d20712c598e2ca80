"""The audit's page as text: what it says is what the audits hold, and it asks for nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
import statistics
from pathlib import Path

import pytest

from dendrosim.diagnostics import Thresholds
from dendrosim.errors import ParameterError
from dendrosim.plotting.audit_page import write_page
from dendrosim.plotting.embedded import Illustration
from dendrosim.runs.audit import audit_runs
from dendrosim.runs.audited import AuditedRuns
from dendrosim.training.run import Run

from .audits import HOSTILE, LONG, SVG, audited, figures
from .parsed import Element, cells, number, parse


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(audited(), figures(), tmp_path_factory.mktemp("page") / "new" / "audit.html").read_text("utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Element:
    return parse(text)


def test_elements_nest_and_ids_and_references_within_the_page_fit(page):
    ids = [one.attributes["id"] for one in page.every() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    links = [one.attributes["href"] for one in page.every("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert {one.attributes["aria-labelledby"] for one in page.every("section")} <= set(ids)
    assert page.one("html").attributes["lang"] == "en"


def test_nothing_is_fetched(page, text):
    assert not re.search("https?:", text)
    assert not re.search(r"@import|url\(", text)
    for one in page.every():
        for name in ("src", "href", "srcset", "action", "data", "poster", "formaction"):
            given = one.attributes.get(name)
            assert given is None or given.startswith(("data:", "#")), (one.name, name, given)
        assert not [name for name in one.attributes if name.startswith("on") or name == "style"]


def test_the_policy_forbids_everything_but_what_is_in_the_page(page):
    policy = page.one("meta", http_equiv="Content-Security-Policy").attributes["content"].split("; ")
    assert policy[0] == "default-src 'none'"
    for name, element in (("style-src", page.one("style")), ("script-src", list(page.every("script"))[-1])):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy


def test_names_of_runs_are_text(page, text):
    assert [one.attributes.get("type") for one in page.every("script")] == ["application/json", None]
    assert text.count("</script>") == 2
    assert len(list(page.every("img"))) == 1
    assert HOSTILE in [one.text for one in page.every("h4")]
    assert HOSTILE in next(page.every("ul", class_="cards")).text


def test_embedded_numbers_are_those_of_the_audit(page):
    data = json.loads(page.one("script", id="numbers").text)
    for name, table in (("runs", audited().table), ("layers", audited().layers), ("history", audited().history)):
        assert data[name]["columns"] == list(table.dtype.names)
        assert len(data[name]["rows"]) == len(table)
        for row, wanted in zip(data[name]["rows"], table.tolist(), strict=True):
            assert [_same(a, b) for a, b in zip(row, wanted, strict=True)].count(False) == 0
    assert data["thresholds"]["growth"] == 50
    assert [one["arm"] for one in data["settings"]] == [one.arm for one in audited()]
    assert all("command" not in one for one in data["settings"])


def _same(written: object, value: object) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return written == str(value)
    return written == value and isinstance(written, bool) == isinstance(value, bool)


def test_tables_have_captions_and_heads_for_every_row_and_column(page):
    tables = list(page.every("table"))
    assert len(tables) > 12
    for table in tables:
        assert table.one("caption").text
        width = len(list(list(table.one("thead").every("tr"))[-1].every("th")))
        for row in table.every("tr"):
            inside = [cell for cell in row.content if isinstance(cell, Element)]
            assert sum(int(cell.attributes.get("colspan") or 1) for cell in inside) == width
        assert {head.attributes["scope"] for head in table.one("thead").every("th")} <= {"col", "colgroup"}
        for row in cells(table):
            assert row[0].attributes["scope"] == "row"
    assert [box.attributes["tabindex"] for box in page.every("div", role="region")] == ["0"] * len(tables)


def test_layers_show_what_the_audit_measured(page):
    shown = [table for table in page.every("table") if (table.attributes["id"] or "").startswith("layers-")]
    runs = [one for arm in audited().arms for one in arm.members if one.audit is not None]
    assert len(shown) == len(runs) == 4
    names = {2: "activity", 3: "credit", 4: "growth", 5: "gradient_mean", 6: "cosine_paper", 7: "cosine_input",
             9: "gradient_sample", 10: "cosine_output"}  # fmt: skip
    for table, one in zip(shown, runs, strict=True):
        rows = cells(table)
        assert len(rows) == one.audit.table.size
        for row, layer in zip(rows, one.audit.table, strict=True):
            assert int(row[1].text) == layer["width"]
            for i, name in names.items():
                assert number(row[i].text) == pytest.approx(float(layer[name]), rel=1e-3, abs=6e-5, nan_ok=True)
                if math.isfinite(layer[name]):
                    assert float(row[i].one("data").attributes["value"]) == layer[name]
            assert (row[11].text == "given") == layer["given"]
        grown = [number(row[8].text) for row in rows]
        assert max(grown[:-1]) == pytest.approx(one.audit.rho["corrected"], rel=1e-3)


def test_means_and_standard_deviations_by_arm(page):
    accuracies = {}
    for one in audited():
        accuracies.setdefault(one.arm, []).append(one.run.test_accuracy)
    rows = cells(page.one("table", id="table-accuracy"))
    assert {row[0].text for row in rows} == set(accuracies)
    for row in rows:
        values = accuracies[row[0].text]
        found = [float(one.attributes["value"]) for one in row[2].every("data")]
        assert int(row[1].text) == len(values)
        assert found[0] == pytest.approx(statistics.mean(values), abs=1e-12)
        assert len(found) == 1 if len(values) == 1 else found[1] == pytest.approx(statistics.stdev(values), abs=1e-12)


def test_every_run_has_its_verdict_in_words(page):
    rows = {(row[0].text, row[1].text): row for row in cells(page.one("table", id="table-runs"))}
    for one in audited():
        row = rows.pop((one.arm, str(one.seed)))
        if one.audit is None:
            assert row[7].text[1:] == ("baseline" if one.arm == "frozen" else "not audited")
            continue
        for place, column in ((7, "paper"), (10, "corrected")):
            verdict = one.audit.verdicts[column]
            word = {True: "fail", False: "pass", None: "incomplete"}[verdict.failed]
            assert row[place].text[1:].split()[0] == word
            assert "✓✗?"[["pass", "fail", "incomplete"].index(word)] == row[place].text[0]
            assert all(flag in row[place].text for flag in verdict.flags)
        assert ("flagged" in row[4].text) == bool(one.audit.verdict.depth)
    assert not rows


def test_a_reason_stands_where_something_could_not_be_measured(page):
    (bridge,) = [one for one in audited() if one.arm == "bridge"]
    said = {(row[0].text, row[2].text): row[3].text for row in cells(page.one("table", id="table-reasons"))}
    assert said["bridge", "the audit"] == bridge.reason
    assert "KeepTeaching" in next(page.every("ul", class_="cards")).text
    assert "fresh feedback" in [what for arm, what in said if arm == "bp"]


def test_baselines_and_thresholds_are_told(page):
    (first, *_) = [one for one in audited() if one.arm == LONG]
    assert first.frozen.source in page.one("section", id="raw").text
    rows = cells(page.one("table", id="table-thresholds"))
    assert [number(row[2].text) for row in rows] == [50, 10, 1e-8, 0.02, 0.8]
    assert {row[4].text for row in rows} == {"no"}


def test_changed_thresholds_are_marked_and_explained(tmp_path):
    changed = AuditedRuns(list(audited()), Thresholds(growth=7, depth=0.05))
    page = parse(write_page(changed, [], tmp_path / "x.html").read_text("utf-8"))
    rows = cells(page.one("table", id="table-thresholds"))
    assert [row[4].text for row in rows] == ["yes", "no", "no", "yes", "no"]
    explained = page.one("section", id="checks").text
    assert "flags above 7." in explained
    assert "flags below 5 points" in explained
    assert not list(page.every("section", id="figures"))


def test_without_a_baseline_a_verdict_is_incomplete_and_says_why(tmp_path):
    alone = audit_runs([audited()[0].run], samples=50, nudges=False, null=0)
    page = parse(write_page(alone, [], tmp_path / "x.html").read_text("utf-8"))
    ((*_, paper, _, _, corrected),) = cells(page.one("table", id="table-runs"))
    assert (paper.text, corrected.text) == ("?incomplete", "?incomplete")
    assert page.one("p", class_="lead").text.startswith("Of 1 audited run, 1 is incomplete by the paper's definitions")
    assert "depth utility (D3)" in [row[2].text for row in cells(page.one("table", id="table-reasons"))]
    assert "no baseline" in page.one("ul", class_="cards").text


def test_baselines_alone_have_a_page_too(tmp_path):
    frozen = AuditedRuns([one for one in audited() if one.arm == "frozen"], Thresholds())
    page = parse(write_page(frozen, [], tmp_path / "x.html").read_text("utf-8"))
    assert page.one("p", class_="lead").text.startswith("None of these runs could be audited")
    assert not list(page.every("section", id="strategies"))
    assert [row[1].text for row in cells(page.one("table", id="table-runs"))] == ["0", "1"]


def test_figures_have_alternative_texts_and_captions(page):
    image = page.one("img")
    assert image.attributes["alt"] == 'A line that falls from "1" to 0.'
    assert page.one("figcaption").text == "A line & <b>its</b> fall."
    drawn = base64.b64decode(image.attributes["src"].partition(";base64,")[2])
    assert b"<svg" in drawn


def test_files_of_figures_are_embedded_as_they_are(tmp_path):
    (tmp_path / "a.svg").write_text(SVG)
    (tmp_path / "b.png").write_bytes(b"\x89PNG...")
    for name, media in (("a.svg", "image/svg+xml"), ("b.png", "image/png")):
        head, _, body = Illustration(tmp_path / name, "caption", "text").uri().partition(";base64,")
        assert head == f"data:{media}"
        assert base64.b64decode(body) == (tmp_path / name).read_bytes()


def test_the_same_figure_is_the_same_text():
    first, second = (figures()[0].uri() for _ in range(2))
    assert first == second


def test_files_that_tell_little_of_themselves_have_a_page(tmp_path, monkeypatch):
    """Run.load asks for names and a seed; whatever else a file lacks, or has something else for, is left out."""
    for one in audited():
        config = one.run.config
        monkeypatch.delitem(config["task"], "hash")
        monkeypatch.delitem(config["training"], "batch_size")
        monkeypatch.delitem(config["network"], "kind")
        monkeypatch.delitem(config["network"], "architecture", raising=False)
        monkeypatch.setitem(config["training"], "optimiser", "adamw")
        monkeypatch.setitem(config, "versions", 3)
    told = write_page(audited(), [], tmp_path / "audit.html").read_text("utf-8")
    assert "batches of ?, no optimiser" in told
    assert "of no kind that is told" in told
    assert "120 test samples, 8 inputs, 3 classes</dd>" in told  # no data hash behind it


def test_the_day_of_the_files_is_told(tmp_path):
    page = parse(write_page(_dated(tmp_path), [], tmp_path / "audit.html").read_text("utf-8"))
    assert "Files of runs written" in page.text
    assert "9 February 2024 to 10 March 2024 (UTC)" in page.text


def _dated(folder: Path) -> AuditedRuns:
    runs = [one.run for one in audited() if one.arm == "frozen"]
    made = []
    for i, moment in enumerate((1707480000, 1710072000)):  # noon of both days
        path = runs[i].save(folder / f"{i}.h5")
        os.utime(path, (moment, moment))
        made.append(path)
    return audit_runs([Run.load(path) for path in made], samples=50, null=2)


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "audit.html"
    path.write_text("old")
    with pytest.raises(OSError, match=r"gone\.svg"):
        write_page(audited(), [Illustration(tmp_path / "gone.svg", "caption", "text")], path)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("audit.html", "old")]


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (lambda: Illustration("x.pdf", "caption", "text").uri(), r"ending of a figure='\.pdf'.*'\.png', '\.svg'"),
        (lambda: Illustration(3, "caption", "text").uri(), "a path or a figure of matplotlib; got int"),
        (lambda: Illustration("x.svg", "caption", " "), "alt of a figure is empty"),
        (lambda: Illustration("x.svg", "", "text"), "caption of a figure is empty"),
        (lambda: write_page(audited(), [Path("x.svg")], "x.html"), "Illustration"),
        (lambda: write_page(audited(), Path("x.svg"), "x.html"), "a list of illustrations"),
        (lambda: write_page([], [], "x.html"), "audit_runs"),
    ],
)
def test_impossible_arguments(figure, message):
    with pytest.raises(ParameterError, match=message):
        figure()
