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
