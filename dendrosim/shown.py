"""What shows itself: a card in notebooks, some aligned lines on a terminal, one line as ``repr``; foreign text too."""

from __future__ import annotations

import unicodedata


class Shown:
    """Base of the classes that `dendrosim.display` has a card for.

    ``print`` and ``str`` give the card as text, notebooks show it as HTML. Nothing is solved and no
    file is read for it.
    """

    __slots__ = ()

    def __str__(self) -> str:
        from .display import text_of

        return text_of(self)

    def _repr_html_(self) -> str:
        from .display import html_of

        return html_of(self)


def printable(character: str) -> bool:
    """Whether a character is safe to print: no control character, no change of direction, nothing unassigned."""
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def one_line(text: object) -> str:
    """Text from elsewhere, in one line, without what a terminal could take for an order."""
    return " ".join("".join(c if printable(c) else " " for c in str(text)).split())


def clean(text: object, most: int = 500) -> str:
    """Such a line of no more than so many characters."""
    line = one_line(str(text)[: 2 * most])
    return line if len(line) <= most else f"{line[: most - 4]} ..."
