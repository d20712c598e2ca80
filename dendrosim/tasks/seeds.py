"""Streams of random numbers: one for every seed and purpose, so that no draw depends on another."""

from __future__ import annotations

import zlib

import numpy as np

from ..arguments import whole


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
    return np.random.default_rng(np.random.SeedSequence(whole("seed", seed, 0), spawn_key=(key,)))
