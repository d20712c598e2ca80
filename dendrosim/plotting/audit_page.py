"""The audit of runs as one HTML page that needs nothing else, not even a network."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from ..about import __version__
from ..arguments import instance, several
from ..arguments import path as checked_path
from ..hdf5 import folder_for, replacing
from ..runs.audited import AuditedRuns
from . import audit_page_method as method
from . import audit_page_raw as raw
from . import audit_page_verdicts as verdicts
from .audit_page_cells import plural
from .embedded import Illustration
from .markup import Content, Markup, fragment, json_script, tag

_SECTIONS = {
    "verdicts": "Verdicts",
    "arms": "By arm",
    "figures": "Figures",
    "probes": "Probes",
    "strategies": "Ways of reporting",
    "checks": "Checks and thresholds",
    "raw": "Raw values",
    "missing": "Not measured",
    "data": "Data",
}


def write_page(audited: AuditedRuns, figures: Sequence[Illustration], path: str | os.PathLike[str]) -> Path:
    """Write the audit of runs as one HTML page, whole or not at all.

    Style, script, figures and numbers are in the page: it is read without a network, and without scripts too. Its
    policy forbids the browser to fetch anything. What runs are called is text in it, whatever it looks like.

    Parameters
    ----------
    audited : AuditedRuns
        Of `dendrosim.runs.audit.audit_runs`.
    figures : sequence of Illustration
        With caption and alternative text; may be empty.
    path : str or Path
        Its folder is made where it does not exist.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    ParameterError
        If an argument is of the wrong kind, or a figure is neither SVG nor PNG.
    OSError
        If a figure cannot be read, or the page not be written.
    """
    instance("audited", audited, AuditedRuns, "of dendrosim.runs.audit.audit_runs")
    figures = several("figures", figures, "a list of illustrations")
    for figure in figures:
        instance("a figure", figure, Illustration, "of dendrosim.plotting.embedded: a drawing, a caption and a text")
    where = Path(checked_path("path", path))
    text = _document(audited, figures)
    folder_for(where)
    with replacing(where) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return where


def _document(audited: AuditedRuns, figures: Sequence[Illustration]) -> str:
    tasks = ", ".join(dict.fromkeys(str(one.run.config["task"]["name"]) for one in audited))
    style, script = _file("audit_page.css"), _file("audit_page.js")
    contents = _contents(audited, figures)
    shown = {name: content for name, content in contents.items() if content is not None}
    links = [tag("li", tag("a", _SECTIONS[name], href=f"#{name}")) for name in shown]
    policy = "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            f"style-src {_digest(style)}",
            f"script-src {_digest(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"dendrosim {__version__}"),
        tag("title", f"Audit of {tasks}: {plural(len(audited), 'run')}"),
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(style)),
    )
    header = tag(
        "header",
        tag("p", f"Audit of {tasks}", class_="eyebrow"),
        tag("h1", "Does the credit train the depth?"),
        tag("p", verdicts.headline(audited), class_="lead"),
        verdicts.facts(audited),
        tag("nav", tag("ul", links), aria_label="On this page"),
    )
    sections = [
        tag("section", tag("h2", _SECTIONS[name], id=f"{name}-head"), content, id=name, aria_labelledby=f"{name}-head")
        for name, content in shown.items()
    ]
    body = tag(
        "body",
        header,
        tag("main", sections),
        tag(
            "footer",
            tag("p", f"Written by dendrosim {__version__}. Definitions after the evaluation paper: {method.PAPER}."),
        ),
        json_script(raw.numbers(audited), "numbers"),
        tag("script", Markup(script)),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _contents(audited: AuditedRuns, figures: Sequence[Illustration]) -> dict[str, Content]:
    """What each section holds; None where there is nothing to say."""
    missing = method.unmeasured(audited)
    return {
        "verdicts": [verdicts.cards(audited), verdicts.run_table(audited).html()],
        "arms": [table.html() for table in verdicts.arm_tables(audited)],
        "figures": [_figure(figure) for figure in figures] or None,
        "probes": [tag("p", _PROBES), verdicts.probe_table(audited).html()],
        "strategies": method.strategies(audited).html() if any(one.audit for one in audited) else None,
        "checks": [method.checks(audited.thresholds), method.thresholds(audited.thresholds).html()],
        "raw": [_fold_button(), raw.folds(audited)],
        "missing": None if missing is None else missing.html(),
        "data": _data(audited),
    }


_PROBES = (
    "Functional tests that do not rest on a cosine (evaluation paper, section 4.3 and appendix C). A nudge moves a "
    "layer a little against its credit; credit that is of use lowers the loss. Fresh feedback is the deep cosine that "
    "is left when the random matrices are drawn anew: near 0 where alignment belongs to those of training. By the "
    "paper's definition a block that is given its gradient, as the deepest of feedback alignment is, counts all the "
    "same. The change of the training loss is its last value less its first."
)


def _figure(figure: Illustration) -> Markup:
    picture = tag("img", src=figure.uri(), alt=figure.alt)
    box = tag("div", picture, class_="picture", role="group", tabindex=0, aria_label="Figure, scrolls sideways")
    return tag("figure", box, tag("figcaption", figure.caption))


def _fold_button() -> Markup:
    button = tag("button", "Open all sections", type="button", data_fold="open")
    return tag("div", button, class_="tools", hidden=True)


def _data(audited: AuditedRuns) -> Markup:
    names = {"json": "Everything, JSON", "runs": "Runs, CSV", "layers": "Layers, CSV"}
    if audited.history.size:
        names["history"] = "Over training, CSV"
    buttons = [tag("button", text, type="button", data_save=name) for name, text in names.items()]
    return fragment(
        tag(
            "p",
            "All numbers at full precision are in this page as JSON, in the element with the id “numbers”. Numbers "
            "that are not finite are the texts “nan”, “inf” and “-inf” there.",
        ),
        tag("div", buttons, class_="tools", hidden=True),
        tag("noscript", tag("p", "The buttons that save them as files need scripts; nothing else on this page does.")),
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


def _digest(text: str) -> str:
    """How a policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
