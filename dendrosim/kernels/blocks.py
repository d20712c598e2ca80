"""Batch-first arrays in and out of blocks in which neighbouring stimuli are contiguous."""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from .simd import load_transposed, store_transposed

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def gather(
    source: Array, columns: int, row: int, n_rows: int, block: Array, shift: float, lanes: tuple[float, ...]
) -> None:
    """``block[i * width + w] = source[row + w, i] + shift``, zero for rows that are not there.

    Parameters
    ----------
    source : array of shape (n_rows * columns,)
        Flat view of a C-ordered array.
    block : array of shape (columns * width,) or longer
    lanes : tuple
        Of `width` numbers.
    """
    width = len(lanes)
    done = 0
    if row + width <= n_rows and width > 1:
        done = columns - columns % width
        for i in range(0, done, width):
            load_transposed(block, i * width, width, source, row * columns + i, columns, shift, lanes)
    for i in range(done, columns):
        for w in range(width):
            block[i * width + w] = source[(row + w) * columns + i] + shift if row + w < n_rows else 0.0


@njit(cache=True, nogil=True)
def scatter(
    target: Array, columns: int, row: int, n_rows: int, block: Array, shift: float, lanes: tuple[float, ...]
) -> None:
    """``target[row + w, i] = block[i * width + w] + shift`` for the rows that are there; the reverse of `gather`."""
    width = len(lanes)
    done = 0
    if row + width <= n_rows and width > 1:
        done = columns - columns % width
        for i in range(0, done, width):
            store_transposed(target, row * columns + i, columns, block, i * width, shift, lanes)
    for i in range(done, columns):
        for w in range(width):
            if row + w < n_rows:
                target[(row + w) * columns + i] = block[i * width + w] + shift
