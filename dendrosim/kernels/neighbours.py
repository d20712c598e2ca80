"""Nearest neighbours within a class, and how many samples of any class are nearer."""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True, error_model="numpy")
def class_neighbours(
    points: Array, first: Array, k: int, distance: Array, nearest: Array, taken: Array, within: Array
) -> None:
    """Compare every sample with every other in the maximum norm.

    Parameters
    ----------
    points : float64 array of shape (d, n)
        Samples sorted by class.
    first : int array of shape (n_classes + 1,)
        Where each class begins; every class has two samples or more.
    k : int
        Neighbours; all others in a class of fewer than k + 1 samples.
    distance, nearest : float64 arrays of shape (n,) and (k + 1,)
        Scratch memory.
    taken, within : int arrays of shape (n,)
        Out: the number of neighbours taken, and the number of samples of any class, itself included, that are nearer
        than the last of them.
    """
    dimensions, n = points.shape
    for label in range(first.size - 1):
        begin, end = first[label], first[label + 1]
        last = min(k, end - begin - 1)  # place of the last neighbour; the nearest of all is the sample itself
        for i in range(begin, end):
            here = points[0, i]
            for j in range(n):
                distance[j] = abs(points[0, j] - here)
            for d in range(1, dimensions):
                here = points[d, i]
                for j in range(n):
                    further = abs(points[d, j] - here)
                    distance[j] = further if further > distance[j] else distance[j]
            for m in range(last + 1):
                nearest[m] = float("inf")
            for j in range(begin, end):
                if distance[j] < nearest[last]:
                    m = last
                    while m > 0 and nearest[m - 1] > distance[j]:
                        nearest[m] = nearest[m - 1]
                        m -= 1
                    nearest[m] = distance[j]
            radius = nearest[last]
            count = 0
            for j in range(n):
                count += 1 if distance[j] < radius else 0
            taken[i] = last
            within[i] = max(count, 1)
