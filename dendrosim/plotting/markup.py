"""HTML from Python, with every text escaped unless it was made here."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

VOID = frozenset({"br", "col", "hr", "img", "link", "meta"})
"""Elements that have no content and no end tag."""


class Markup(str):
    """Text that is HTML already. What is put together with ``+`` or an f-string is plain text again, and escaped."""

    __slots__ = ()


_PROSE = 24
"""Letters from which on a text in a table needs room."""

Content = str | Iterable["Content"] | None
"""Text (escaped), Markup (as it is), several of them, or nothing."""


def fragment(*content: Content) -> Markup:
    """Contents one after another.

    Parameters
    ----------
    *content : str, Markup, iterable of such, or None

    Examples
    --------
    >>> fragment("a < b", Markup("<br>"))
    'a &lt; b<br>'
    """
    return Markup("".join(_written(one) for one in content))


def tag(name: str, /, *content: Content, **attributes: str | int | bool | None) -> Markup:
    """An element.

    Parameters
    ----------
    name : str
    *content : str, Markup, iterable of such, or None
    **attributes : str, int, bool or None
        ``class_`` is ``class``, ``data_arm`` is ``data-arm``; True stands alone, False and None are left out.

    Examples
    --------
    >>> tag("p", "1 < 2", class_="note", hidden=True)
    '<p class="note" hidden>1 &lt; 2</p>'
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        called = key.rstrip("_").replace("_", "-")
        parts.append(called if value is True else f'{called}="{html.escape(str(value))}"')
    begin = f"<{' '.join(parts)}>"
    return Markup(begin if name in VOID else f"{begin}{fragment(*content)}</{name}>")


def _written(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content if isinstance(content, Markup) else html.escape(content)
    return fragment(*content)


def plain(values: Any) -> Any:
    """Values as JSON can hold them: a number that is not finite becomes the text "nan", "inf" or "-inf".

    Parameters
    ----------
    values : nested mappings and sequences of numbers, text, truth values and None
        Scalars of numpy are taken for those of Python.
    """
    if isinstance(values, Mapping):
        return {str(key): plain(value) for key, value in values.items()}
    if isinstance(values, str) or values is None:
        return values
    if hasattr(values, "tolist"):
        return plain(values.tolist())
    if isinstance(values, Sequence):
        return [plain(value) for value in values]
    if isinstance(values, float) and not math.isfinite(values):
        return str(values)
    return values


def json_script(values: Any, name: str) -> Markup:
    """Values as JSON in a script element that is data and not run; no text in it can end the element.

    Parameters
    ----------
    values : anything for `plain`
    name : str
        Id of the element.
    """
    text = json.dumps(plain(values), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return tag("script", Markup(text), type="application/json", id=name)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    head : str or Markup
    group : str, default ""
        Head above this one and its neighbours with the same group.
    numeric : bool, default True
        Set to the right, in figures of one width.
    """

    head: Content
    group: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Band:
    """Head of the rows that follow it in a table.

    Attributes
    ----------
    text : str
    """

    text: str


@dataclass
class Table:
    """An accessible table in a box of its own, in which it scrolls where it is too wide.

    Attributes
    ----------
    caption : str
    columns : sequence of Column
        The first is the head of its row.
    rows : list of sequences of contents, and of Band
    note : str or Markup, optional
        Below the table.
    name : str, optional
        Id of the table.
    """

    caption: str
    columns: Sequence[Column]
    rows: list[Sequence[Content] | Band] = field(default_factory=list)
    note: Content = None
    name: str | None = None

    def html(self) -> Markup:
        """The table."""
        bodies: list[list[Markup]] = [[]]
        for row in self.rows:
            if isinstance(row, Band):
                head = tag("th", tag("span", row.text), scope="rowgroup", colspan=len(self.columns), class_="band")
                bodies.append([tag("tr", head)])
            else:
                bodies[-1].append(tag("tr", [self._cell(i, cell) for i, cell in enumerate(row)]))
        body = [tag("tbody", rows) for rows in bodies if rows]
        table = tag("table", tag("caption", tag("span", self.caption)), self._head(), body, id=self.name)
        box = tag("div", table, class_="scroll", role="region", tabindex=0, aria_label=self.caption)
        return fragment(box, tag("p", self.note, class_="note") if self.note else None)

    def _cell(self, i: int, cell: Content) -> Markup:
        kind = (
            "number" if self.columns[i].numeric else "prose" if isinstance(cell, str) and len(cell) > _PROSE else None
        )
        return tag("td", cell, class_=kind) if i else tag("th", cell, scope="row", class_=kind)

    def _head(self) -> Markup:
        heads = [tag("th", c.head, scope="col", class_="number" if c.numeric else None) for c in self.columns]
        if not any(column.group for column in self.columns):
            return tag("thead", tag("tr", heads))
        above: list[list[Any]] = []
        for column in self.columns:
            if above and above[-1][0] == column.group:
                above[-1][1] += 1
            else:
                above.append([column.group, 1])
        groups = [
            tag("th", text, scope="colgroup", colspan=n, class_="group") if text else tag("td", colspan=n)
            for text, n in above
        ]
        return tag("thead", tag("tr", groups), tag("tr", heads))
