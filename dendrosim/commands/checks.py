"""Arguments of commands, read and checked."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return integer(text, least=1)


def natural(text: str) -> int:
    """A whole number of at least 0."""
    return integer(text, least=0)


def integer(text: str, least: int) -> int:
    """A whole number, or an error that argparse shows."""
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return value


def several(text: str) -> list[int]:
    """Whole numbers from ``0-4``, ``3`` or ``0,2,5-7``."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        a = integer(first, least=0)
        b = integer(last, least=a) if dash else a
        found += range(a, b + 1)
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"{text!r} has a number twice")
    return found


def part(text: str) -> tuple[int, int]:
    """Number and count from ``3/16``: the third of sixteen parts."""
    first, slash, last = text.partition("/")
    if not slash:
        raise argparse.ArgumentTypeError(f"{text!r} is not a part such as 3/16, the third of sixteen")
    number, parts = positive(first), positive(last)
    if number > parts:
        raise argparse.ArgumentTypeError(f"there is no part {number} of {parts}")
    return number, parts
