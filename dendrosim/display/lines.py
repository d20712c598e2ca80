"""A card as lines of text, for terminals."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .card import ROWS, Card, Detail, clean

_BARS = "▁▂▃▄▅▆▇█"
_PLAIN = str.maketrans(
    {"µ": "u", "Ω": "Ohm", "±": "+/-", "×": "x", "…": "...", "→": "->", "²": "2", "³": "3", "−": "-", "·": "-"}
    | dict(zip(_BARS, "_.,-~+*#", strict=True))
)


def text(card: Card) -> str:
    """The card as aligned lines, in ASCII where standard output cannot show more."""
    told = {clean(key): clean(value) for key, value in {**card.facts, **card.printed}.items()}
    wide = max(map(len, told), default=0)
    facts = [f"{key.ljust(wide)}  {value}".rstrip() for key, value in told.items()]
    parts = ["\n".join([f"{card.kind} {clean(card.name, 80)}".rstrip(), *facts])]
    parts += [_table(detail) for detail in card.details if detail.printed and detail.rows]
    parts += [card.drawing()] if card.drawing else []
    return shown("\n\n".join(parts))


def shown(written: str) -> str:
    """The same text in signs that standard output has."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        written.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return written.translate(_PLAIN).encode("ascii", "replace").decode("ascii")
    return written


def spark(values: NDArray[Any] | Sequence[float], width: int = 40) -> str:
    """Numbers as a row of bars, the least the lowest; empty if there are none."""
    array = np.asarray(values, np.float64)
    array = array[np.isfinite(array)]
    if not array.size:
        return ""
    if array.size > width:
        array = array[np.linspace(0, array.size - 1, width).round().astype(int)]
    low, high = array.min(), array.max()
    with np.errstate(all="ignore"):
        level = np.nan_to_num((array - low) / (high - low)) if high > low else np.full(array.size, 0.5)
    return "".join(_BARS[i] for i in (level * (len(_BARS) - 1)).round().astype(int))


def _table(detail: Detail) -> str:
    rows = [[clean(cell, 60) for cell in row] for row in (detail.head, *detail.rows[:ROWS])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    made = [
        "  ".join(
            cell.ljust(w) if i < detail.texts else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    more = len(detail.rows) - ROWS
    return "\n".join(made + ([f"... {more:,} more"] if more > 0 else []))
