"""HTML as a tree of elements, by Python's own parser, and strict about how elements nest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "link", "meta"}


@dataclass
class Element:
    """An element with its attributes, and what is in it."""

    name: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    content: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(part if isinstance(part, str) else part.text for part in self.content)

    def every(self, name: str | None = None, **attributes: str) -> Iterator[Element]:
        """Elements in it of that name (any by default), with these attributes."""
        for part in self.content:
            if isinstance(part, Element):
                wanted = {key.replace("_", "-").rstrip("-"): value for key, value in attributes.items()}
                if name in (None, part.name) and all(part.attributes.get(k) == v for k, v in wanted.items()):
                    yield part
                yield from part.every(name, **attributes)

    def one(self, name: str | None = None, **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.every(name, **attributes)
        return found

    def classes(self) -> list[str]:
        """Its classes."""
        return (self.attributes.get("class") or "").split()


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        made = Element(tag, dict(attrs))
        self.open[-1].content.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> ends {[one.name for one in self.open]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)

    def error(self, message: str) -> None:
        raise AssertionError(message)


def parse(text: str) -> Element:
    """The root of a document.

    Raises
    ------
    AssertionError
        If an element is not ended, or ends where it was not begun.
    """
    tree = _Tree()
    tree.feed(text)
    tree.close()
    assert len(tree.open) == 1, f"not ended: {[one.name for one in tree.open]}"
    return tree.root


def cells(table: Element) -> list[list[Element]]:
    """Cells of the rows of a table's bodies, without heads of groups of rows."""
    rows = [row for body in table.every("tbody") for row in body.every("tr")]
    found = [[cell for cell in row.content if isinstance(cell, Element)] for row in rows]
    return [row for row in found if row[0].attributes.get("scope") != "rowgroup"]


def number(text: str) -> float:
    """A number as the page shows it."""
    digits = text.split(" ±")[0].removesuffix(" ⚑ flagged")
    return float(digits.replace("−", "-").replace("n/a", "nan").replace("∞", "inf"))
