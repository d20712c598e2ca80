"""A card as HTML, for notebooks."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from ..plotting.markup import Markup, fragment, tag
from .card import ROWS, Card, Detail, clean


def html(card: Card, line: str) -> str:
    """The card as HTML.

    Parameters
    ----------
    card : Card
    line : str
        What it is in one line: all that is left where a page drops styles, as it does with notebooks that it does not
        trust.
    """
    facts = [
        tag("tr", tag("th", clean(key), scope="row"), tag("td", clean(value))) for key, value in card.facts.items()
    ]
    name = tag("span", clean(card.name, 80), class_="dsc-name") if card.name else None
    label = clean(f"{card.kind} {card.name}".strip(), 120)
    content = tag(
        "div",
        tag("div", tag("span", card.kind, class_="dsc-kind"), " " if name else None, name, class_="dsc-head"),
        tag(
            "div",
            tag("div", [picture() for picture in card.pictures], class_="dsc-pictures") if card.pictures else None,
            tag("table", tag("tbody", facts), class_="dsc-facts"),
            class_="dsc-body",
        ),
        [_detail(detail) for detail in card.details if detail.rows],
        class_="dsc-card",
        style="display:none",
        role="group",
        aria_label=label,
    )
    fallback = tag("pre", clean(line, 400), class_="dsc-line")
    return str(tag("div", tag("style", _style()), fallback, content, class_="dendrosim-card"))


def _detail(detail: Detail) -> Markup:
    head = tag(
        "tr",
        [
            tag("th", text, scope="col", class_=None if i < detail.texts else "dsc-n")
            for i, text in enumerate(detail.head)
        ],
    )
    body = []
    for i, row in enumerate(detail.rows[:ROWS]):
        color = detail.colors[i] if detail.colors else ""
        swatch = tag("span", class_="dsc-swatch", style=f"background:{color}") if color else None
        first = tag("th", fragment(swatch, clean(row[0])), scope="row")
        rest = [
            tag("td", clean(cell), class_=None if j < detail.texts else "dsc-n") for j, cell in enumerate(row[1:], 1)
        ]
        body.append(tag("tr", first, rest))
    more = len(detail.rows) - ROWS
    table = tag("table", tag("thead", head), tag("tbody", body))
    return tag(
        "details",
        tag("summary", clean(detail.title)),
        tag("div", table, tag("p", f"{more:,} more") if more > 0 else None, class_="dsc-scroll"),
        open=detail.unfolded,
    )


@cache
def _style() -> Markup:
    text = files("dendrosim.display").joinpath("card.css").read_text(encoding="utf-8")
    return Markup(" ".join(text.split()))
