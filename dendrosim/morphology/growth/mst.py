"""Minimum spanning trees that balance total length against path length (Cuntz et al. 2010)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import flag, instance, number, numbers, whole
from ...errors import ParameterError
from ..samples import BASAL, SOMA, Samples
from .draft import (
    Floats,
    Ints,
    child_count,
    depth_first,
    distance,
    draft,
    has_point_soma,
    in_order,
    morphology,
    neurite,
    on_surface,
    path_length,
    position,
    positions,
)

if TYPE_CHECKING:
    from ..tree import Morphology

_UNLIMITED = 2**62


def minimum_spanning_tree(
    points: ArrayLike,
    *,
    balance: float = 0.5,
    root: ArrayLike = (0.0, 0.0, 0.0),
    soma_radius: float | None = None,
    start: Morphology | None = None,
    grow_from: ArrayLike | None = None,
    binary: bool = True,
    max_stems: int | None = None,
    radius: float = 0.5,
    structure: int = BASAL,
) -> Morphology:
    r"""Connect carrier points to a tree that is short in total and has short paths to its root.

    The greedy algorithm of Cuntz et al. [1]_: of all pairs of an unconnected carrier point i and a node j of the tree,
    the one of least cost

    .. math:: |x_i - x_j| + b\,P_j

    is connected next, where :math:`P_j` is the length of the path from the root to j and b the balancing factor. With
    b = 0 and ``binary=False`` this is Prim's algorithm, and the result the Euclidean minimum spanning tree; as b grows,
    total length is given up for shorter paths to the root. The cost takes the path up to the tree's node, as the
    authors' TREES toolbox does. Pyramidal cells are matched by b from 0.4 to 0.7, granule cells of the dentate gyrus by
    0.85 [1]_. For N points in a volume V the total length is roughly :math:`L \propto N^{2/3} V^{1/3}` [2]_.

    Parameters
    ----------
    points : array of shape (n, 3)
        Carrier points in um; each becomes a sample. See `scatter`.
    balance : float, default 0.5
        Balancing factor b, from 0 (least total length) to 1.
    root : array of shape (3,), default (0, 0, 0)
        Where the tree begins; not used with `start`.
    soma_radius : float, optional
        Makes the root a soma of one point; neurites then begin with a sample on its surface. Not used with `start`.
    start : Morphology, optional
        A tree to continue; its samples come first in the result, unchanged, with their identifiers renumbered.
    grow_from : bool array of shape (len(start.samples),), optional
        Samples of `start` that may be grown from; by default all.
    binary : bool, default True
        At most two children per sample. The root is exempt.
    max_stems : int, optional
        Most children of the root.
    radius : float, default 0.5
        Radius of the new samples in um. See `quadratic_taper`.
    structure : int, default 3
        SWC structure identifier of the new samples.

    Returns
    -------
    Morphology
        Rows in depth-first order.

    Raises
    ------
    ParameterError
        If `points` is empty, not finite, holds a place twice or lies inside the soma; if `balance` is outside 0 to 1;
        if no sample may be grown from.

    Notes
    -----
    Quadratic in the number of points: 4,000 points take about a second.

    References
    ----------
    .. [1] H. Cuntz, F. Forstner, A. Borst and M. Häusser, "One rule to grow them all: a general theory of neuronal
       branching and its practical application", PLoS Comput. Biol. 6(8), 2010, e1000877.
    .. [2] H. Cuntz, A. Mathy and M. Häusser, "A scaling law derived from optimal dendritic wiring", PNAS 109, 2012,
       11014-11018.

    Examples
    --------
    >>> import numpy as np
    >>> from dendrosim.morphology.growth import minimum_spanning_tree
    >>> tree = minimum_spanning_tree([[10, 0, 0], [20, 8, 0], [20, -8, 0]], balance=0.2)
    >>> tree.samples.parent.tolist()
    [-1, 0, 1, 1]
    """
    carriers = positions("points", points)
    balance = number("balance", balance, least=0, most=1)
    radius = number("radius", radius, above=0)
    structure = neurite("structure", structure)
    if start is None:
        centre = position("root", root)
        if soma_radius is None:
            base = draft(centre[None], radius, [-1], structure)
        else:
            base = draft(centre[None], number("soma_radius", soma_radius, above=0), [-1], SOMA)
    else:
        from ..tree import Morphology

        base = instance("start", start, Morphology, "grown or loaded").samples
    binary = flag("binary", binary)
    may_grow = _growth_mask(grow_from, base)
    _refuse_same_place(carriers, base)
    slots = np.full(len(base), 2 if binary else _UNLIMITED)
    slots -= child_count(base.parent)
    at_root = base.parent < 0
    limit = _UNLIMITED if max_stems is None else whole("max_stems", max_stems, 1)
    slots[at_root] = limit - child_count(base.parent)[at_root]
    slots = np.where(may_grow, np.maximum(slots, 0), 0)
    if not slots.any():
        raise ParameterError(
            "no sample may be grown from: all that grow_from allows already have two children (binary=True) or are "
            "roots with max_stems children; allow more samples or give binary=False"
        )
    length = np.empty(len(base))
    length[depth_first(base.parent)] = path_length(in_order(base))
    parent = span(carriers, base.xyz, length, slots, balance=balance, limit=2 if binary else _UNLIMITED)
    grown = Samples(
        id=np.arange(1, len(base) + len(carriers) + 1),
        type=np.concatenate([base.type, np.full(len(carriers), structure)]),
        xyz=np.vstack([base.xyz, carriers]),
        radius=np.concatenate([base.radius, np.full(len(carriers), radius)]),
        parent=np.concatenate([base.parent, parent]),
    )
    return morphology(in_order(_begin_on_surface(grown, len(base))), "minimum_spanning_tree")


def span(carriers: Floats, nodes: Floats, length: Floats, slots: Ints, *, balance: float, limit: int) -> Ints:
    """Parent of each carrier point, as an index into the nodes followed by the carriers.

    Parameters
    ----------
    carriers : float array of shape (n, 3)
    nodes : float array of shape (k, 3)
        The tree so far.
    length : float array of shape (k,)
        Path length of each node.
    slots : int array of shape (k,)
        Children that each node may still get.
    balance : float
        Balancing factor.
    limit : int
        Children that each carrier point may get.

    Returns
    -------
    int array of shape (n,)
    """
    k, n = len(nodes), len(carriers)
    place = np.ascontiguousarray(np.vstack([nodes, carriers]).T)  # (3, k + n): columns are what the loops run along
    path = np.concatenate([length, np.zeros(n)])
    free = np.concatenate([slots, np.full(n, limit)])
    parent = np.full(n, -1, dtype=np.int64)
    # nodes of the tree in the order in which they joined, and what each adds to the cost: infinite once it is full
    joined, where, handicap = np.empty(k + n, dtype=np.int64), np.empty((3, k + n)), np.empty(k + n)
    joined[:k], where[:, :k], handicap[:k] = np.arange(k), place[:, :k], np.where(slots > 0, balance * length, np.inf)
    position_of = np.arange(k + n)
    # waiting points, packed at the front: the last one takes the place of the one that joins
    waiting, spot = np.arange(k, k + n), place[:, k:].copy()
    cost, link = np.full(n, np.inf), np.full(n, -1, dtype=np.int64)
    for node in np.flatnonzero(slots > 0).tolist():
        _offer(node, place[:, node], float(handicap[node]), spot, cost, link)
    for size, last in zip(range(k, k + n), range(n - 1, -1, -1), strict=True):
        best = int(np.argmin(cost[: last + 1]))
        point, above = int(waiting[best]), int(link[best])
        parent[point - k] = above
        path[point] = path[above] + float(_gaps(place[:, [above]], place[:, point])[0])
        joined[size], where[:, size], handicap[size] = point, place[:, point], balance * path[point]
        position_of[point] = size
        waiting[best], spot[:, best], cost[best], link[best] = waiting[last], spot[:, last], cost[last], link[last]
        _offer(point, place[:, point], float(handicap[size]), spot[:, :last], cost[:last], link[:last])
        free[above] -= 1
        if free[above] == 0:
            handicap[position_of[above]] = np.inf
            for lost in np.flatnonzero(link[:last] == above).tolist():
                offers = _gaps(where[:, : size + 1], spot[:, lost]) + handicap[: size + 1]
                choice = int(np.argmin(offers))
                cost[lost], link[lost] = offers[choice], joined[choice]
    return parent


def _gaps(columns: Floats, point: Floats) -> Floats:
    """Distance of each of `columns`, shape (3, m), from `point`, shape (3,)."""
    x, y, z = columns[0] - point[0], columns[1] - point[1], columns[2] - point[2]
    gaps: Floats = np.sqrt(x * x + y * y + z * z)
    return gaps


def _offer(node: int, point: Floats, handicap: float, spot: Floats, cost: Floats, link: Ints) -> None:
    """Let every waiting point move to `node` if that is cheaper."""
    offer = _gaps(spot, point) + handicap
    better = np.flatnonzero(offer < cost)
    cost[better] = offer[better]
    link[better] = node


def _growth_mask(grow_from: ArrayLike | None, base: Samples) -> NDArray[np.bool_]:
    if grow_from is None:
        return np.ones(len(base), dtype=bool)
    mask = numbers("grow_from", grow_from)
    if mask.dtype != np.bool_ or mask.shape != (len(base),):
        raise ParameterError(
            f"grow_from has dtype {mask.dtype} and shape {mask.shape}; it must be a bool array with one entry for "
            f"each of the {len(base)} samples of start"
        )
    return mask


def _refuse_same_place(carriers: Floats, base: Samples) -> None:
    _, first, places = np.unique(carriers, axis=0, return_index=True, return_inverse=True)
    twice = np.flatnonzero(first[places.ravel()] != np.arange(len(carriers)))
    if twice.size:
        row = int(twice[0])
        raise ParameterError(
            f"points[{int(first[places.ravel()[row]])}] and points[{row}] are in the same place "
            f"({twice.size} such row(s)); drop one, for example with np.unique(points, axis=0)"
        )
    if has_point_soma(base):
        row = int(np.flatnonzero(base.type == SOMA)[0])
        inside = np.flatnonzero(distance(carriers, base.xyz[row]) <= base.radius[row])
        if inside.size:
            raise ParameterError(
                f"points[{inside[0]}] lies inside the soma of radius {base.radius[row]:g} um "
                f"({inside.size} such row(s)); drop them"
            )


def _begin_on_surface(grown: Samples, n_base: int) -> Samples:
    """Put a sample on the soma's surface at the beginning of each new stem."""
    if not has_point_soma(grown):
        return grown
    root = int(np.flatnonzero(grown.type == SOMA)[0])
    stems = np.flatnonzero(grown.parent == root)
    stems = stems[stems >= n_base]
    parent = grown.parent.copy()
    parent[stems] = len(grown) + np.arange(stems.size)
    return draft(
        np.vstack([grown.xyz, on_surface(grown.xyz[root], float(grown.radius[root]), grown.xyz[stems])]),
        np.concatenate([grown.radius, grown.radius[stems]]),
        np.concatenate([parent, np.full(stems.size, root)]),
        np.concatenate([grown.type, grown.type[stems]]),
    )
