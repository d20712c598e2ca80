"""Kinds of noise: independent numbers of mean zero and variance one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Shape = tuple[int, int, int, int]
"""Draws, blocks, directions, samples per block."""


class Noise(ABC):
    """Numbers for every draw, direction and sample; different directions and draws are uncorrelated."""

    name: ClassVar[str]

    @abstractmethod
    def draw(self, shape: Shape, n_samples: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Floats:
        """Noise of a shape (K, n_blocks, directions, width), of which the first `n_samples` samples count."""


class Gauss(Noise):
    """Normal: K perturbations estimate a constant (., d) matrix with relative squared error (d + 1) / K."""

    name = "gauss"

    def draw(self, shape: Shape, n_samples: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Floats:
        drawn: Floats = rng.standard_normal(shape, dtype=dtype)
        return drawn


class Rademacher(Noise):
    """+1 or -1: relative squared error (d - 1) / K, and an eighth of the time that normal numbers take."""

    name = "rademacher"

    def draw(self, shape: Shape, n_samples: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Floats:
        size = int(np.prod(shape))
        words = rng.integers(0, 2**64 - 1, -(-size // 64), np.uint64, endpoint=True)
        octets = signs(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1), dtype)
        drawn: Floats = np.take(octets, words.view(np.uint8), axis=0).reshape(-1)[:size].reshape(shape)
        return drawn


class Orthogonal(Noise):
    """+1 or -1 along orthogonal directions: rows of a Hadamard matrix, without replacement, with random signs.

    Of m perturbations, m being the next power of two from the number of directions d, the directions together are
    orthogonal: they estimate a constant matrix without error, and K < m of them with relative squared error
    (d - 1) / K (m - K) / (m - 1) (derived here: off-diagonal elements of the mean of xi xi^T are sample means of a
    population of m that sums to zero). After m perturbations the signs and the order are drawn anew.
    """

    name = "orthogonal"

    def draw(self, shape: Shape, n_samples: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Floats:
        draws, blocks, directions, width = shape
        m = 1 << (directions - 1).bit_length()
        count = draws * n_samples
        cycles = -(-count // m)
        rows = np.concatenate([rng.permutation(m) for _ in range(cycles)])[:count].reshape(draws, n_samples)
        flips = rng.integers(0, 2, (cycles, directions))[np.arange(count).reshape(draws, n_samples) // m]
        parity = (rows[:, :, None] & np.arange(directions)).astype(np.uint32)
        for shift in (16, 8, 4, 2, 1):
            parity ^= parity >> np.uint32(shift)
        bits = np.zeros((draws, blocks * width, directions), np.uint8)
        bits[:, :n_samples] = (parity & 1) ^ flips
        placed = bits.reshape(draws, blocks, width, directions).transpose(0, 1, 3, 2)
        return signs(np.ascontiguousarray(placed), dtype)


def signs(bits: NDArray[np.uint8], dtype: np.dtype[Any]) -> Floats:
    """+1 where a bit is 0, -1 where it is 1."""
    values = bits.astype(dtype)
    values *= -2
    values += 1
    return values


NOISES: dict[str, Noise] = {kind.name: kind() for kind in (Gauss, Rademacher, Orthogonal)}
