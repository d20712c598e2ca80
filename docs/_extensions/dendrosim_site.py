"""What the site needs of its own: the order of its galleries, strict examples, a short sidebar, mathematics at home."""

from __future__ import annotations

import html
import re
import shutil
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import embedded
import hero

# Pictures of the gallery in the order of its page; what is not named, as the tutorials, comes last, by name.
ORDER: tuple[str, ...] = (
    "shipped_cells",
    "growth",
    "voltage_map",
    "gradient_map",
    "dendrogram",
    "attenuation",
    "shunting_additive_curves",
    "postsynaptic_potentials",
    "nmda_spike",
    "spiking_soma",
    "learning_curves",
    "credit_over_training",
    "fidelity_by_stage",
    "fidelity_on_trees",
    "weights",
    "sweep_marginals",
)

_TITLE = re.compile(r'<div class="sphx-glr-thumbnail-title">(.*?)</div>', re.DOTALL)


def position(name: str) -> tuple[int, str]:
    """Place of an example within its gallery."""
    stem = Path(name).stem.removeprefix("slow_")
    return (ORDER.index(stem) if stem in ORDER else len(ORDER), stem)


class Strictly:
    """Warnings are errors while an example runs, and only then."""

    def __init__(self) -> None:
        self._filters: list[Any] | None = None

    def __call__(self, gallery: dict[str, Any], name: str, when: str) -> None:
        if when == "before":
            self._filters = warnings.filters[:]
            warnings.simplefilter("error")
        elif self._filters is not None:
            warnings.filters[:] = self._filters
            self._filters = None


strictly = Strictly()


def copy_mathjax(app: Any, error: Exception | None) -> None:
    """Copy MathJax and its fonts beside the pages: no formula waits for somebody else's server."""
    if error is not None or app.builder.format != "html":
        return
    package = find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError('mathematics needs sphinx-mathjax-offline: pip install -e ".[docs]"')
    source, target = Path(package.origin).parent / "static" / "mathjax", Path(app.outdir) / "_static" / "mathjax"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / "tex-chtml-full.js", target)
    fonts = Path("output", "chtml", "fonts", "woff-v2")
    shutil.copytree(source / fonts, target / fonts, dirs_exist_ok=True)


def keep_out_of_sidebar(app: Any, document: Any) -> None:
    """Take the pages of single names out of the tree of pages: three hundred of them in every sidebar help nobody.

    They are found in the tables of the reference, by links and by search, and cost each page half a second otherwise.
    """
    from sphinx.ext.autosummary import autosummary_toc

    for listed in list(document.findall(autosummary_toc)):
        listed.parent.remove(listed)


def describe_thumbnails(app: Any, document: Any) -> None:
    """Give the small pictures of galleries the titles below them as their descriptions."""
    from docutils import nodes

    last = None
    for node in document.findall(lambda one: isinstance(one, nodes.image | nodes.raw)):
        if isinstance(node, nodes.image):
            last = node if "/thumb/" in node["uri"] else None
        elif last is not None and (title := _TITLE.search(node.astext())):
            last["alt"] = html.unescape(title[1])


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", hero.draw_both)
    app.connect("doctree-read", keep_out_of_sidebar, priority=400)  # before Sphinx collects the tree
    app.connect("doctree-read", describe_thumbnails)
    app.connect("build-finished", copy_mathjax)
    app.connect("doctree-read", describe_thumbnails)
    app.connect("build-finished", embedded.write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
