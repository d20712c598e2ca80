"""Pictures of the page on notebooks: ``python docs/notebook_figures.py``, with Chromium on the path.

Writes ``docs/figures/notebook_*.png``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import dendrosim as ds

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS / "_extensions"), str(DOCS.parent / "tests" / "plotting")]

from chromium import Chromium, Page, found  # noqa: E402
from embedded import figure  # noqa: E402

PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 8px 12px; width: 760px; background: {paper}; color: {ink}; font-family: sans-serif; }}
</style>{cards}"""


def cards() -> list[str]:
    """A cell, its state, a network, and a run."""
    cell = ds.Morphology.load("pyramidal_l5")
    compartments = cell.compartments(ds.Passive(E_leak=-70.0), max_length=20.0)
    synapses = ds.Synapses.scatter(compartments, excitatory=200, inhibitory=50, seed=0)
    x = np.random.default_rng(0).random((64, synapses.n_inputs))
    task = ds.tasks.load("digits")
    network = ds.Network.dendritic(64, 10, cells=[40, 20], branching=[3, 3], excitatory=16, inhibitory=8)
    run = ds.train(network, task, epochs=12, batch_size=32, rates=1e-2, progress=False)
    shown = (cell, ds.steady_state(compartments, synapses, x), network, run)
    return [one._repr_html_() for one in shown]


def small(path: Path) -> None:
    """Few bytes."""
    from PIL import Image

    Image.open(path).convert("RGB").save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Write pages, look at them, keep the pictures."""
    browser = found()
    if browser is None:
        raise SystemExit("no browser on the path; install chromium")
    made = cards()
    target = DOCS / "figures"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Chromium(browser, folder, "--enable-unsafe-swiftshader") as running:
            for theme, paper, ink, chosen in (("light", "#fff", "#111", made[:2]), ("dark", "#111", "#ddd", made[2:])):
                file = folder / f"{theme}.html"
                file.write_text(PAGE.format(paper=paper, ink=ink, cards="".join(chosen)), encoding="utf-8")
                page = Page(running, file, 784, 400, dark=theme == "dark")
                page.shot(target / f"notebook_cards_{theme}.png")
                page.close()
                small(target / f"notebook_cards_{theme}.png")
            file = ds.plotting.write_interactive(figure(), folder / "cell.html")
            page = Page(running, file, 900, 620)
            ready = "['.gl-container canvas', '.slider-rail-touch-rect'].every(one => document.querySelector(one))"
            until = time.monotonic() + 60
            while not page.value(ready) and time.monotonic() < until:
                time.sleep(0.5)
            time.sleep(3)
            rail = page.value(
                "(() => {const r = document.querySelector('.slider-rail-touch-rect').getBoundingClientRect();"
                "return [r.x + 0.34 * r.width, r.y + r.height / 2]})()"
            )
            for kind in ("mousePressed", "mouseReleased"):
                page.call("Input.dispatchMouseEvent", type=kind, x=rail[0], y=rail[1], button="left", clickCount=1)
            time.sleep(2)
            page.call("Input.dispatchMouseEvent", type="mouseMoved", x=405, y=250)
            time.sleep(2)
            page.shot(target / "notebook_interactive.png")
            small(target / "notebook_interactive.png")


if __name__ == "__main__":
    main()
