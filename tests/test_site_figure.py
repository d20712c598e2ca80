"""The interactive figure of the built site in a browser: it is there, its slider moves colours, nothing is fetched.

``DENDROSIM_SITE=docs/_build/html pytest tests/test_site_figure.py``; skipped without a built site, a browser or WebGL.
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
PLOT = "document.querySelector('.js-plotly-plot')"
RAIL = "document.querySelector('.slider-rail-touch-rect')"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Chromium]:
    assert BROWSER is not None
    with chromium.Chromium(BROWSER, tmp_path_factory.mktemp("browser"), "--enable-unsafe-swiftshader") as running:
        yield running


def wait_until(page: chromium.Page, expression: str) -> None:
    until = time.monotonic() + chromium.PATIENCE
    while not page.value(expression):
        assert time.monotonic() < until, f"never true: {expression}"
        time.sleep(0.2)


def opened(browser: chromium.Chromium, width: int, height: int, **look: Any) -> chromium.Page:
    page = chromium.Page(browser, SITE / "_static" / "interactive" / "cell.html", width, height, **look)
    if not page.value("!!document.createElement('canvas').getContext('webgl2')"):
        page.close()
        pytest.skip("this browser has no WebGL")
    wait_until(page, f"!!{RAIL} && !!{PLOT}._fullData && !!document.querySelector('.gl-container canvas')")
    return page


COLORS = f"Array.from({PLOT}._fullData.find((one) => one.name == 'apical').intensity)"
MEAN = f"{COLORS}.reduce((a, b) => a + b, 0) / {COLORS}.length"  # of the values that the apical dendrites show now


def test_the_slider_moves_the_colours(browser: chromium.Chromium) -> None:
    page = opened(browser, 1000, 700)
    assert page.value(f"{PLOT}._fullLayout.sliders[0].active") == 0
    before = float(page.value(MEAN))
    x, y, width, height = page.value(
        f"(() => {{const r = {RAIL}.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]}})()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        page.call(
            "Input.dispatchMouseEvent", type=kind, x=x + 0.98 * width, y=y + height / 2, button="left", clickCount=1
        )
    wait_until(page, f"{PLOT}._fullLayout.sliders[0].active == 9")
    wait_until(page, f"{MEAN} < {before} - 5.0")  # mV: inhibition went from none to full; drawn after the slider moved
    assert not page.said("Runtime.exceptionThrown")
    page.close()


def test_the_figure_fits_a_phone(browser: chromium.Chromium) -> None:
    page = opened(browser, 390, 844, mobile=True)
    assert page.value("document.documentElement.scrollWidth") <= 390
    assert not page.said("Runtime.exceptionThrown", "Network.loadingFailed")
    page.close()
