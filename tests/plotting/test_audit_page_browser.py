"""The audit's page in a real browser: at widths of desktops and phones, in the dark, on paper, without scripts."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dendrosim.plotting.audit_page import write_page
from dendrosim.plotting.embedded import Illustration

from . import chromium
from .audits import HOSTILE, LONG, SVG, audited, figures
from .parsed import number

BROWSER = chromium.found()
pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"no browser: none of {', '.join(chromium.NAMES)} is on PATH")

DESKTOP: dict[str, Any] = {"width": 1280, "height": 900}
PHONE: dict[str, Any] = {"width": 390, "height": 844, "mobile": True}
LOOKS = {
    "desktop": DESKTOP,
    "desktop-dark": {**DESKTOP, "dark": True},
    "phone": PHONE,
    "phone-dark": {**PHONE, "dark": True},
    "phone-small": {**PHONE, "width": 320},
}
COMPLAINTS = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")

OPEN = "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
TEXTS = """Object.fromEntries([...document.querySelectorAll('table')].map((table) => [table.id,
    [...table.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))]))"""
VISIBLE = "[...document.querySelectorAll('details table')].map((one) => one.checkVisibility())"
CONTRASTS = """(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (color !== 'rgba(0, 0, 0, 0)') return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  for (const one of document.body.querySelectorAll('*')) {
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) || !one.offsetParent) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.tagName, one.className]);
  }
  return found.sort((x, y) => x[0] - y[0]);
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Chromium]:
    assert BROWSER is not None
    with chromium.Chromium(BROWSER, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "square.svg").write_text(SVG)
    shown = [*figures(), Illustration(folder / "square.svg", "A square.", "A black square.")]
    return write_page(audited(), shown, folder / "audit.html")


@pytest.fixture
def opened(browser: chromium.Chromium, path: Path) -> Iterator[Any]:
    pages = []

    def show(**look: Any) -> chromium.Page:
        pages.append(chromium.Page(browser, path, **look))
        return pages[-1]

    yield show
    for page in pages:
        page.close()


@pytest.mark.parametrize("look", LOOKS)
def test_it_fits_and_says_nothing_to_the_console(opened, look, tmp_path):
    page = opened(**LOOKS[look])
    assert page.value("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [
        LOOKS[look]["width"], LOOKS[look].get("dark", False)
    ]  # fmt: skip
    for _ in ("closed", "open"):
        assert page.value("document.documentElement.scrollWidth") <= LOOKS[look]["width"]
        page.value(OPEN)
    assert page.shot(tmp_path / f"{look}.png").stat().st_size > 20_000
    assert page.said(*COMPLAINTS) == []
    assert page.value("document.title") == "Audit of student: 7 runs"  # what an arm is called did not run
    assert page.value("document.scripts.length") == 2


def test_nothing_but_the_file_is_asked_for(opened, path):
    page = opened(**DESKTOP)
    page.value(OPEN)
    asked = [event["request"]["url"] for event in page.said("Network.requestWillBeSent")]
    assert asked.count(path.as_uri()) == 1
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert len([url for url in asked if url.startswith("file:")]) == 1


def test_the_policy_is_in_force(opened):
    page = opened(**DESKTOP)
    refused = """new Promise((done) => {
      addEventListener('securitypolicyviolation', (event) => done(event.blockedURI));
      document.body.append(Object.assign(document.createElement('img'), { src: 'https://dendrosim.invalid/x.png' }));
    })"""
    assert page.value(refused) == "https://dendrosim.invalid/x.png"


@pytest.mark.parametrize("look", ["desktop", "phone"])
def test_figures_are_drawn(opened, look):
    page = opened(**LOOKS[look])
    ready = "Promise.all([...document.images].map((one) => one.decode()))"
    sizes = page.value(
        f"{ready}.then(() => [...document.images].map((one) => [one.naturalWidth, one.clientHeight, one.alt]))"
    )
    assert len(sizes) == 2
    assert all(width > 100 and height > 40 and alt for width, height, alt in sizes)


def test_wide_tables_scroll_in_their_boxes_and_heads_of_rows_stay(opened):
    page = opened(**PHONE)
    page.value("document.querySelector('#table-runs').scrollIntoView()")
    box = "document.querySelector('#table-runs').parentElement"
    assert page.value(f"{box}.scrollWidth > {box}.clientWidth + 200")
    head = "document.querySelector('#table-runs tbody th').getBoundingClientRect().left"
    before = page.value(head)
    assert page.value(f"{box}.scrollLeft = 250, {box}.scrollLeft") == 250
    assert page.value(head) == pytest.approx(before, abs=1)
    assert page.value("scrollX") == 0


def test_tables_show_the_numbers_of_the_audit(opened):
    texts = opened(**DESKTOP).value(TEXTS)
    runs = {(row[0], int(row[1])): row for row in texts["table-runs"] if len(row) > 1}
    assert {arm for arm, _ in runs} == {HOSTILE, LONG, "bp", "frozen", "bridge"}
    for one in audited():
        row = runs[one.arm, one.seed]
        assert number(row[2]) == pytest.approx(one.run.test_accuracy, abs=5e-5)
        if one.audit is not None:
            assert number(row[4]) == pytest.approx(100 * (one.run.test_accuracy - float(one.frozen)), abs=5e-3)
            shown = [number(row[i]) for i in (5, 6, 8, 9)]
            held = [*(one.audit.rho["paper"], one.audit.reference["paper"])]
            held += [one.audit.rho["corrected"], one.audit.reference["corrected"]]
            assert shown == pytest.approx(held, rel=1e-3)
    for i, arm in enumerate(audited().arms):
        for j, one in enumerate(arm.members):
            if one.audit is not None:
                rows = texts[f"layers-{i}-{j}"]
                assert [number(row[2]) for row in rows] == pytest.approx(one.audit.table["activity"], rel=1e-3)
                cosines = [number(row[10]) for row in rows[:-1]]
                assert cosines == pytest.approx(one.audit.table["cosine_output"][:-1], abs=6e-5)
            if one.history is not None:
                times = texts[f"times-{i}-{j}"]
                assert [number(row[1]) for row in times] == pytest.approx(one.history.accuracy, abs=5e-5)
                assert [number(row[6]) for row in times] == pytest.approx(one.history.gamma(), abs=6e-4)


def test_numbers_are_set_in_columns(opened):
    styles = opened(**DESKTOP).value(
        "[...document.querySelectorAll('td.number')].map((one) => getComputedStyle(one)).map("
        "(style) => `${style.textAlign} ${style.fontVariantNumeric}`)"
    )
    assert len(styles) > 100
    assert set(styles) == {"right lining-nums tabular-nums"}


@pytest.mark.parametrize("look", ["desktop", "desktop-dark", "phone-dark"])
def test_every_text_stands_out_from_what_is_behind_it(opened, look):
    page = opened(**LOOKS[look])
    page.value(OPEN)
    found = page.value(CONTRASTS)
    assert len(found) > 300
    assert [one for one in found if one[0] < 4.5] == []


def test_buttons_save_the_numbers(opened, browser, tmp_path):
    page = opened(**DESKTOP)
    browser.call(
        "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path), eventsEnabled=True,
        browserContextId=page.context,
    )  # fmt: skip
    files = {"json": "audit.json", "runs": "audit.csv", "layers": "audit_layers.csv", "history": "audit_history.csv"}
    for what in files:
        page.value(f"document.querySelector('[data-save={what}]').click()")
        browser.wait_for("Browser.downloadProgress", state="completed")
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(files.values())
    assert json.loads((tmp_path / "audit.json").read_text()) == json.loads(
        page.value("document.getElementById('numbers').textContent")
    )
    for what, table in (("runs", audited().table), ("layers", audited().layers), ("history", audited().history)):
        head, *rows = csv.reader(io.StringIO((tmp_path / files[what]).read_text("utf-8"), newline=""))
        assert tuple(head) == table.dtype.names
        assert len(rows) == len(table)
        for row, wanted in zip(rows, table.tolist(), strict=True):
            for text, value in zip(row, wanted, strict=True):
                if isinstance(value, float):
                    assert float(text) == value or (math.isnan(value) and text == "nan")
                else:
                    assert text == str(value)


def test_a_button_opens_and_closes_all_sections(opened):
    page = opened(**PHONE)
    count = "[document.querySelectorAll('details[open]').length, document.querySelectorAll('details').length]"
    press = "document.querySelector('[data-fold]').click()"
    assert page.value(count)[0] == 0
    page.value(press)
    assert len(set(page.value(count))) == 1
    page.value(press)
    assert page.value(count)[0] == 0
    page.value("dispatchEvent(new Event('beforeprint'))")  # for browsers whose style sheets cannot open sections
    assert len(set(page.value(count))) == 1
    page.value("dispatchEvent(new Event('afterprint'))")
    assert page.value(count)[0] == 0


def test_without_scripts_everything_is_there_but_the_buttons(opened, tmp_path):
    page = opened(**DESKTOP, scripts=False)
    texts = page.value(TEXTS)
    assert np.mean([number(row[2]) for row in texts["table-runs"] if len(row) > 1]) == pytest.approx(
        np.mean([one.run.test_accuracy for one in audited()]), abs=5e-5
    )
    assert set(page.value(VISIBLE)) == {False}
    assert set(page.value("[...document.querySelectorAll('button')].map((one) => one.offsetHeight)")) == {0}
    assert "need scripts" in page.value("document.body.innerText")
    # a reader opens a section by hand
    spot = page.value("(({x, y}) => [x + 8, y + 8])(document.querySelector('summary').getBoundingClientRect())")
    page.value(f"scrollTo(0, {spot[1]} - 400)")
    spot = page.value("(({x, y}) => [x + 8, y + 16])(document.querySelector('summary').getBoundingClientRect())")
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)
    assert page.value("document.querySelector('#layers-0-0').offsetHeight") > 100
    page.shot(tmp_path / "no-scripts.png")


@pytest.mark.parametrize("scripts", [True, False])
def test_on_paper_every_section_is_open(opened, scripts, tmp_path):
    page = opened(width=680, height=960, media="print", scripts=scripts)  # A4 without its margins
    assert page.value("document.documentElement.scrollWidth") <= 680
    assert set(page.value(VISIBLE)) == {True}
    assert page.value("[...document.querySelectorAll('nav, button')].every((one) => !one.offsetHeight)")
    assert len(page.call("Page.printToPDF", printBackground=False)["data"]) > 20_000
