"""Streams of random numbers: one for every seed and purpose, so that no draw depends on another."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from ..arguments import short
from ..errors import ParameterError


def natural(name: str, value: Any, least: int = 0) -> int:
    """A whole number, at least `least`.

    Raises
    ------
    ParameterError
        If it is something else; truth values are no numbers.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ParameterError(f"{name}={short(value)} is impossible; it must be an integer >= {least}")
    return int(value)


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The generator that belongs to a seed and a purpose.

    Parameters
    ----------
    seed : int
        At least 0.
    purpose : str
        What the numbers are for, such as ``"split"``; streams of different purposes are independent.

    Raises
    ------
    ParameterError
        If the seed is no integer >= 0.
    """
    key = zlib.crc32(purpose.encode())
    return np.random.default_rng(np.random.SeedSequence(natural("seed", seed), spawn_key=(key,)))
