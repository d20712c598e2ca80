"""Order and depth of trees given by arrays of parents."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def preorder(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows in depth-first order, parents before children, siblings in the order of their rows.

    Parameters
    ----------
    parent : int array of shape (n,)
        Row of the parent, -1 at roots; rows may stand in any order.

    Returns
    -------
    int array of shape (m,)
        Rows that a root reaches: ``m < n`` exactly where `parent` has a cycle.
    """
    n = parent.size
    first = np.full(n, -1, np.int64)
    sibling = np.full(n, -1, np.int64)
    order = np.empty(n, np.int64)
    for row in range(n - 1, -1, -1):  # backwards, so that lists of children are in the order of rows
        p = parent[row]
        if p >= 0:
            sibling[row] = first[p]
            first[p] = row
    count = 0
    for root in range(n):
        if parent[root] >= 0:
            continue
        row = root
        while True:
            order[count] = row
            count += 1
            if first[row] >= 0:
                row = first[row]
                continue
            while row != root and sibling[row] < 0:
                row = parent[row]
            if row == root:
                break
            row = sibling[row]
    return order[:count]


@njit(cache=True)
def depth(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of edges to the root, for parents that precede their children; shape (n,)."""
    out = np.zeros(parent.size, np.int64)
    for n in range(parent.size):
        if parent[n] >= 0:
            out[n] = out[parent[n]] + 1
    return out


@njit(cache=True)
def accumulate(
    parent: NDArray[np.int64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum along the path from the root: ``out[n] = out[p] + after[p] + before[n]``; shape (n,).

    Parents must precede their children.
    """
    out = np.empty(parent.size)
    for n in range(parent.size):
        p = parent[n]
        out[n] = before[n] if p < 0 else out[p] + after[p] + before[n]
    return out
