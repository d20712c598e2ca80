"""One entry of the bibliography."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .shown import one_line

NOTE = "# NeuroMorpho.Org "
"""How the comment begins that says where a reconstruction is from; JSON follows."""


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


def origin_of(cell: Any) -> dict[str, Any] | None:
    """What the comments of a morphology tell of the reconstruction that it is; None if they do not.

    Parameters
    ----------
    cell : Morphology
        Its comments are those of its file, and may have been written by anybody.
    """
    for _, text in cell.samples.comments:
        if text.startswith(NOTE):
            try:
                found = json.loads(text[len(NOTE) :])
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and all(isinstance(found.get(k), str) for k in ("neuron_name", "archive")):
                return found
    return None


def reconstructions(cell: Any) -> dict[str, Reference]:
    """The archive that a morphology is from, and the papers that describe it, as far as its comments tell.

    Parameters
    ----------
    cell : Morphology
        See `origin_of`.
    """
    found = origin_of(cell)
    if found is None:
        return {}
    name, archive = _tame(found["neuron_name"]), _tame(found["archive"])
    number = found.get("neuron_id")
    known = f"{name} (NMO_{number:05d})" if isinstance(number, int) else name
    author = f"{{NeuroMorpho.Org archive {archive}}}"
    entries = {_key(f"neuromorpho_{archive}_{name}"): Reference("misc", author, f"Reconstruction {known}", "")}
    dois, pmids = (_listed(found.get(f"reference_{kind}")) for kind in ("doi", "pmid"))
    paired = [*zip(dois, pmids, strict=True)] if len(dois) == len(pmids) else [(d, "") for d in dois]
    paired += [] if len(dois) == len(pmids) else [("", pmid) for pmid in pmids]  # who knows which belong together
    for doi, pmid in paired:
        fields = [("note", f"PMID {pmid}")] if pmid else []
        fields += [("doi", re.sub(r"^https?://(dx\.)?doi\.org/", "", doi))] if doi else []
        if not fields:
            continue
        key = _key(f"neuromorpho_{archive}_{fields[-1][1]}")
        entries[key] = Reference("misc", author, "Paper on its reconstructions", "", tuple(fields))
    return entries


def _key(text: str) -> str:
    return re.sub(r"\W+", "_", text, flags=re.ASCII)


def _listed(value: object) -> list[str]:
    several = value if isinstance(value, list) else [] if value is None else [value]
    return [_tame(item) for item in several[:20]]


def _tame(value: object) -> str:
    """Text in one line that means nothing to BibTeX."""
    return one_line(re.sub(r"[{}\\%]", " ", str(value)[:200])).strip(".")
