"""A card: what there is to say of one object, for every way of showing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..plotting.markup import Markup
from ..shown import one_line

ROWS = 24
"""Rows of a table that are shown; the others are counted."""


@dataclass(frozen=True)
class Detail:
    """A table of a card, folded away in notebooks.

    Attributes
    ----------
    title : str
    head : sequence of str
    rows : sequence of sequences of str
        As many as there are; those beyond `ROWS` are counted.
    texts : int
        So many of the first columns are text, set to the left; the others are numbers.
    colors : sequence of str
        One for each row, as the picture has them; empty for none.
    unfolded : bool
        Whether it is open at first.
    printed : bool
        Whether terminals show it too.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    colors: Sequence[str] = ()
    unfolded: bool = False
    printed: bool = True


@dataclass(frozen=True)
class Card:
    """What there is to say of one object.

    Attributes
    ----------
    kind : str
        Its class.
    name : str
        Its own name, if it has one.
    facts : mapping of str to str
    details : sequence of Detail
    pictures : sequence of functions
        Each makes one SVG element; called for notebooks only.
    printed : mapping of str to str
        Further facts that terminals show instead of the pictures.
    drawing : function, optional
        Gives lines that they show below.
    """

    kind: str
    name: str
    facts: Mapping[str, str]
    details: Sequence[Detail] = ()
    pictures: Sequence[Callable[[], Markup]] = field(default_factory=tuple)
    printed: Mapping[str, str] = field(default_factory=dict)
    drawing: Callable[[], str] | None = None


def clean(value: object, most: int = 200) -> str:
    """Text of one line: nothing that moves a cursor or breaks an encoding, and no longer than `most`."""
    text = one_line(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def count(n: int, noun: str, plural: str = "") -> str:
    """How many: ``1 cell``, ``1,664 compartments``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def figure(value: float) -> str:
    """A number in four digits."""
    return f"{value:.4g}"


def span(values: NDArray[Any], unit: str = "") -> str:
    """Least and greatest of some numbers, or the one that all of them are."""
    if not values.size:
        return "none"
    low, high = float(np.min(values)), float(np.max(values))
    ends = figure(low) if low == high else f"{figure(low)} to {figure(high)}"
    return f"{ends} {unit}".rstrip()


def size_of(*arrays: NDArray[Any]) -> str:
    """Memory that arrays take."""
    n = float(sum(array.nbytes for array in arrays))
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} GB"
