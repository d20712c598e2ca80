"""Where the compartments of a dendrogram go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, choose
from .palette import sort_regions
from .pieces import Floats, Ints
from .protocols import TreeLike

DISTANCES = {
    "path": "path distance (µm)",
    "electrotonic": "electrotonic distance (λ)",
    "stage": "stage (branchings to the soma)",
}


def check_tree(tree: object) -> None:
    """Check that `tree` is compartments, not a morphology or something else.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if not hasattr(tree, "parent"):
        raise ParameterError(
            f"cannot draw the tree of a {type(tree).__name__}: Compartments are needed, such as "
            "morphology.compartments(...)"
        )


def distances(tree: TreeLike, distance: str) -> Floats:
    """Return the distance of every compartment from the soma, shape (N,): ``path`` in um, ``electrotonic`` or
    ``stage``.

    Raises
    ------
    ParameterError
        If `distance` is not known, or the compartments have no lengths.
    """
    choose("distance", distance, DISTANCES)
    # cells of a network are normalised and keep the lengths of the tree they were made from
    lengths = tree.physical or (distance == "path" and bool(getattr(tree, "morphologies", ())))
    if distance != "stage" and not lengths:
        raise ParameterError(
            f"distance={distance!r} needs compartments with lengths; "
            "these have none (normalised units): distance='stage'"
        )
    array = {"path": "path_distance", "electrotonic": "electrotonic_distance", "stage": "stage"}[distance]
    return np.asarray(getattr(tree, array), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class TreeLayout:
    """Every compartment a horizontal line, every branching a vertical one.

    Attributes
    ----------
    begin, end : float arrays of shape (N,)
        Distance at which a compartment begins and ends.
    row : float array of shape (N,)
        Height of its line: tips at whole numbers, a branching midway between its first and its last child.
    branching : int array of shape (m,)
        Compartments with several children.
    lowest, highest : float arrays of shape (m,)
        Rows of their lowest and highest child.
    n_tips : int
        Number of tips.
    """

    begin: Floats
    end: Floats
    row: Floats
    branching: Ints
    lowest: Floats
    highest: Floats
    n_tips: int


def layout_tree(tree: TreeLike, distance: str) -> TreeLayout:
    """Lay out a forest, its cells one above the other.

    Children are ordered by region at the soma, and smaller subtrees come first elsewhere. Borders between compartments
    are placed between their centres in proportion to their lengths.

    Parameters
    ----------
    tree : Compartments
        Parents before children.
    distance : {"path", "electrotonic", "stage"}
        Horizontal axis.
    """
    x = distances(tree, distance)
    parent = np.asarray(tree.parent, dtype=np.int64)
    begin, end = _borders(
        x, parent, np.zeros(tree.size) if distance == "stage" else np.asarray(tree.length, dtype=np.float64)
    )
    row, n_tips = _rows(parent, np.asarray(tree.region))
    low, high = np.full(tree.size, np.inf), np.full(tree.size, -np.inf)
    child = np.flatnonzero(parent >= 0)
    np.minimum.at(low, parent[child], row[child])
    np.maximum.at(high, parent[child], row[child])
    branching = np.flatnonzero(high > low)
    return TreeLayout(begin, end, row, branching, low[branching], high[branching], n_tips)


def _borders(x: Floats, parent: Ints, length: Floats) -> tuple[Floats, Floats]:
    begin, end = x.copy(), x.copy()
    child = np.flatnonzero(parent >= 0)
    up = parent[child]
    own = np.maximum(length[child], 0.0)
    above = np.where(parent[up] >= 0, np.maximum(length[up], 0.0), 0.0)  # neurites begin where the soma's voltage is
    share = np.divide(above, above + own, out=np.zeros_like(own), where=above + own > 0)
    begin[child] = x[up] + share * (x[child] - x[up])
    has_child = np.zeros(x.size, dtype=bool)
    has_child[up] = True
    np.maximum.at(end, up, begin[child])
    tip = ~has_child & (parent >= 0) & (length > 0)
    end[tip] = 2 * x[tip] - begin[tip]
    return begin, end


def _rows(parent: Ints, region: NDArray[np.str_]) -> tuple[Floats, int]:
    size = parent.size
    parents = parent.tolist()
    tips = [0] * size
    children: list[list[int]] = [[] for _ in range(size)]
    for n in range(size - 1, -1, -1):
        tips[n] = tips[n] or 1
        if parents[n] >= 0:
            tips[parents[n]] += tips[n]
            children[parents[n]].append(n)
    rank = {name: i for i, name in enumerate(sort_regions(np.unique(region).astype(str).tolist()))}
    first = [0] * size
    row = np.zeros(size)
    top = 0
    for n in range(size):
        if parents[n] < 0:
            first[n], top = top, top + tips[n]
            ordered = sorted(children[n], key=lambda c: (rank[str(region[c])], tips[c], c))
        else:
            ordered = sorted(children[n], key=lambda c: (tips[c], c))
        offset = first[n]
        for c in ordered:
            first[c] = offset
            offset += tips[c]
        children[n] = ordered
    for n in range(size - 1, -1, -1):
        row[n] = 0.5 * (row[children[n][0]] + row[children[n][-1]]) if children[n] else first[n]
    return row, top
