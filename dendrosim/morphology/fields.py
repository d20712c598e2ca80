"""One line of an SWC file: the seven columns, or all that is wrong with them."""

from __future__ import annotations

import re
from typing import NamedTuple

COLUMNS = ("id", "type", "x", "y", "z", "radius", "parent")
_INTEGERS = (0, 1, 6)
LARGEST = 1e12  # um, a million km: above this, squares and areas would leave the range of numbers that can be trusted
_LARGEST_INTEGER = 2**62

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_SEPARATORS = re.compile(r"[,;\s]+")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)


class Row(NamedTuple):
    """What a line holds; ``floating`` says that an integer was written as a float."""

    id: int
    type: int
    x: float
    y: float
    z: float
    radius: float
    parent: int
    trailing: str
    floating: bool


class Unreadable(NamedTuple):
    """A line that holds no sample: its identifier if that can be read, and (code, message) for each kind of fault."""

    id: int | None
    faults: tuple[tuple[str, str], ...]


def read_fields(text: str) -> Row | Unreadable:
    """Read one data line.

    Parameters
    ----------
    text : str
        The line, neither blank nor a comment as a whole.
    """
    body, mark, comment = text.partition("#")
    parts = body.split(None, 7)
    tokens = parts[:7]
    name = _identifier(tokens[0]) if tokens else None
    separator = _separator(body, tokens)
    if separator:
        return Unreadable(_identifier(_SEPARATORS.split(body.strip(), maxsplit=1)[0]), (separator,))
    if len(tokens) < 7:
        message = f"{len(tokens)} column{'s' * (len(tokens) != 1)} where 7 are needed: {' '.join(COLUMNS)}"
        return Unreadable(name, (("missing-columns", message),))
    values: list[float | int] = []
    wrong: dict[str, list[str]] = {}
    for position, (column, token) in enumerate(zip(COLUMNS, tokens, strict=True)):
        value = _integer(column, token) if position in _INTEGERS else _length(column, token)
        if isinstance(value, tuple):
            wrong.setdefault(value[0], []).append(value[1])
        else:
            values.append(value)
    if wrong:
        return Unreadable(name, tuple((code, "; ".join(messages)) for code, messages in wrong.items()))
    trailing = ((parts[7] if len(parts) > 7 else "") + mark + comment).strip()
    floating = any(not _INTEGER.fullmatch(tokens[i]) for i in _INTEGERS)
    i, t, x, y, z, r, p = values
    return Row(int(i), int(t), x, y, z, r, int(p), trailing, floating)


def _separator(body: str, tokens: list[str]) -> tuple[str, str] | None:
    """The fault of a line whose columns are parted by something other than blanks, if it is one."""
    if len(tokens) == 7 and not any("," in token or ";" in token for token in tokens):
        return None
    if len(tokens) == 7:
        commas = [c for c, token in zip(COLUMNS, tokens, strict=True) if _DECIMAL_COMMA.fullmatch(token)]
        if commas:
            message = f"decimal comma in {', '.join(commas)} (as in {_first_comma(tokens)!r}): write a decimal point"
            return "decimal-comma", message
    for sign, word in ((",", "commas"), (";", "semicolons")):
        if sign in body and len(body.replace(sign, " ").split()) >= 7:
            return "wrong-separator", f"{word} between the columns: SWC wants blanks or tabs"
    return None


def _first_comma(tokens: list[str]) -> str:
    return next(token for token in tokens if _DECIMAL_COMMA.fullmatch(token))


def _identifier(token: str) -> int | None:
    value = _integer("id", token)
    return None if isinstance(value, tuple) else int(value)


def _integer(column: str, token: str) -> int | tuple[str, str]:
    """Value of an integer column, or (code, message)."""
    if _INTEGER.fullmatch(token):
        value = int(token) if len(token) < 30 else _LARGEST_INTEGER + 1
    else:
        number = _number(column, token)
        if isinstance(number, tuple):
            return number
        if number != int(number):
            return f"fractional-{column}", f"{column} {token} is not a whole number"
        value = int(number)
    if abs(value) > _LARGEST_INTEGER:
        return "out-of-range", f"{column} {token[:40]} is too large"
    if value < 0 and column != "parent":
        return f"negative-{column}", f"{column} {token} is negative"
    return value


def _length(column: str, token: str) -> float | tuple[str, str]:
    """Value of a column in um, or (code, message)."""
    value = _number(column, token)
    if column == "radius" and not isinstance(value, tuple) and value < 0.0:
        return "negative-radius", f"radius {token} is negative"
    return value


def _number(column: str, token: str) -> float | tuple[str, str]:
    if not _NUMBER.fullmatch(token):
        shown = token if len(token) <= 40 else token[:37] + "..."
        if _NOT_FINITE.fullmatch(token):
            return "not-finite", f"{column} is {token}"
        if token.strip("\"'") != token:
            return "quoted-number", f"{column} {shown} is in quotes: write the number alone"
        return "not-a-number", f"{column} {shown!r} is not a number"
    value = float(token)
    if abs(value) > LARGEST:
        return "out-of-range", f"{column} {token[:40]} is beyond {LARGEST:g} um"
    return value
