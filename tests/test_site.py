"""The built site in a real browser: it fits desktops and phones, shows its formulas, and finds things.

``DENDROSIM_SITE=docs/_build/html pytest tests/test_site.py``; skipped without a built site or a browser.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .plotting import chromium

BROWSER = chromium.found()
SITE = Path(os.environ.get("DENDROSIM_SITE", "")).resolve()
pytestmark = [
    pytest.mark.skipif(not os.environ.get("DENDROSIM_SITE"), reason="DENDROSIM_SITE does not name a built site"),
    pytest.mark.skipif(BROWSER is None, reason=f"no browser: none of {', '.join(chromium.NAMES)} is on PATH"),
]

DESKTOP: dict[str, Any] = {"width": 1280, "height": 900}
PHONE: dict[str, Any] = {"width": 390, "height": 844, "mobile": True}
LOOKS = {"desktop": DESKTOP, "phone": PHONE, "phone-dark": {**PHONE, "dark": True}}
PAGES = [
    "index.html", "install.html", "generated/gallery/index.html", "generated/gallery/voltage_map.html",
    "generated/tutorials/index.html", "guide/steady_states.html", "guide/time.html", "theory/path_products.html",
    "nouns/synapse.html", "api.html", "generated/dendrosim.steady_state.html", "generated/dendrosim.Synapses.html",
    "reproduction.html", "replications.html", "benchmarks.html", "changelog.html",
]  # fmt: skip
WITH_FORMULAS = ["guide/steady_states.html", "guide/time.html", "theory/path_products.html"]

WIDEST = """[...document.querySelectorAll('article *')].filter((one) => {
  const right = one.getBoundingClientRect().right;
  for (let box = one.parentElement; box && box.tagName !== 'ARTICLE'; box = box.parentElement)
    if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(box).overflowX)) return false;
  return right > innerWidth + 1 && one.checkVisibility();
}).slice(0, 3).map((one) => one.tagName + '.' + one.className + ': ' + one.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Chromium]:
    assert BROWSER is not None
    with chromium.Chromium(BROWSER, tmp_path_factory.mktemp("browser")) as running:
        yield running


def wait_until(page: chromium.Page, expression: str) -> None:
    until = time.monotonic() + chromium.PATIENCE
    while not page.value(expression):
        assert time.monotonic() < until, f"never true: {expression}"
        time.sleep(0.1)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_fit_and_show_all_they_hold(browser: chromium.Chromium, look: str) -> None:
    faults = []
    for name in PAGES:
        page = chromium.Page(browser, SITE / name, **LOOKS[look])
        if name in WITH_FORMULAS:
            wait_until(page, "document.querySelectorAll('mjx-container').length > 2")
            assert page.value("document.querySelectorAll('mjx-merror').length") == 0, name
            fonts = page.value("document.fonts.ready.then((all) => [...all].filter((f) => f.status == 'error').length)")
            assert fonts == 0, name
        if page.value("document.documentElement.scrollWidth") > LOOKS[look]["width"]:
            faults.append(f"{name} is too wide: {page.value(WIDEST)}")
        page.value("document.querySelectorAll('img').forEach((one) => { one.loading = 'eager'; })")
        wait_until(page, "[...document.images].every((one) => one.complete)")
        if page.value("[...document.images].some((one) => !one.naturalWidth)"):
            faults.append(f"{name}: a picture is missing")
        faults += [f"{name}: {event}" for event in page.said("Runtime.exceptionThrown")]
        page.close()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("words", ["steady_state", "swc", "shunting inhibition", "NEURON"])
def test_search_finds(browser: chromium.Chromium, words: str) -> None:
    page = chromium.Page(browser, SITE / "search.html", **DESKTOP)
    page.call("Page.navigate", url=f"{(SITE / 'search.html').as_uri()}?q={words.replace(' ', '+')}")
    wait_until(page, "document.querySelectorAll('#search-results li a').length > 3")
    titles = page.value("[...document.querySelectorAll('#search-results li a')].map((one) => one.textContent)")
    assert any(word.lower() in " ".join(titles).lower() for word in words.split())
    page.close()
