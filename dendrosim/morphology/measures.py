"""Geometry of frusta and orders of trees, as plain functions on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def distance(start: Floats, stop: Floats) -> Floats:
    """Euclidean distance between points of shape (..., 3), in their unit."""
    step: Floats = stop - start
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", step, step)))


def frustum_area(length: Floats, r0: Floats, r1: Floats) -> Floats:
    """Lateral area of frusta, ``pi (r0 + r1) sqrt(length^2 + (r0 - r1)^2)``, in um2 for um."""
    return np.asarray(np.pi * (r0 + r1) * np.hypot(length, r0 - r1))


def frustum_volume(length: Floats, r0: Floats, r1: Floats) -> Floats:
    """Volume of frusta, ``pi length (r0^2 + r0 r1 + r1^2) / 3``, in um3 for um."""
    return np.asarray(np.pi * length * (r0 * r0 + r0 * r1 + r1 * r1) / 3.0)


def tortuosity(length: Floats, end_to_end: Floats) -> Floats:
    """Path length over the distance between the ends: 1 for straight stretches and for those without length.

    A closed loop has infinite tortuosity.
    """
    straight = np.where(length > 0, np.inf, 1.0)
    return np.divide(length, end_to_end, out=straight, where=end_to_end > 0)


def strahler_order(parent: Ints) -> Ints:
    """Strahler order of every node of a tree whose parents stand before their children.

    Tips have order 1; a node has the highest order among its children, plus 1 if two or more of them have it
    (Strahler 1957, Trans. Am. Geophys. Union 38:913).

    Parameters
    ----------
    parent : int array of shape (n,)
        Parent of each node, smaller than the node's own index; -1 at roots.

    Returns
    -------
    int array of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> strahler_order(np.array([-1, 0, 0, 1, 1])).tolist()
    [2, 2, 1, 1, 1]
    """
    order = [0] * parent.size
    often = [0] * parent.size  # how many children have the highest order found so far
    for node, above in zip(range(parent.size - 1, -1, -1), parent[::-1].tolist(), strict=True):
        own = order[node] + (often[node] > 1) if order[node] else 1
        order[node] = own
        if above >= 0:
            if own > order[above]:
                order[above], often[above] = own, 1
            elif own == order[above]:
                often[above] += 1
    return np.array(order, dtype=np.int64)
