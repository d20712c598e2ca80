"""One entry of the bibliography."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One entry of the bibliography.

    Parameters
    ----------
    kind : str
        BibTeX entry type.
    author : str
        Authors as BibTeX takes them, ``Family, Given and Family, Given``.
    title, year : str
        As printed; the year is empty where none is known.
    fields : tuple of (str, str)
        The other BibTeX fields, in order.
    """

    kind: str
    author: str
    title: str
    year: str
    fields: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """One line for a reading person."""
        given = dict(self.fields)
        names = [_short(name) for name in self.author.split(" and ")]
        parts = [", ".join(names) + (f" ({self.year})" if self.year else ""), self.title]
        place = given.get("journal") or given.get("booktitle") or given.get("publisher") or given.get("note") or ""
        if "booktitle" in given:
            place = f"In: {place}, {given['publisher']}"
        if "volume" in given:
            place += f" {given['volume']}" + (f"({given['number']})" if "number" in given else "")
        if "pages" in given:
            place += (":" if "volume" in given else ", pp. ") + given["pages"].replace("--", "-")
        parts += [place] if place else []
        parts += [f"https://doi.org/{given['doi']}"] if "doi" in given else []
        return ". ".join(parts)

    def bibtex(self, key: str) -> str:
        """The entry as BibTeX, under `key`."""
        rows = [("author", self.author), ("title", "{" + self.title + "}"), ("year", self.year), *self.fields]
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in rows if value)
        return f"@{self.kind}{{{key},\n{body}\n}}"


def _short(name: str) -> str:
    """``Family, Given Names`` as ``Family GN``; a name in braces (a group) without them."""
    if name.startswith("{"):
        return name.strip("{}")
    family, _, given = name.partition(", ")
    return f"{family} {''.join(part[0] for part in given.replace('-', ' ').split())}".strip()


def article(
    author: str, title: str, year: str, journal: str, volume: str, pages: str, doi: str = "", number: str = ""
) -> Reference:
    fields = [("journal", journal), ("volume", volume), ("number", number), ("pages", pages), ("doi", doi)]
    return Reference("article", author, title, year, tuple(field for field in fields if field[1]))
