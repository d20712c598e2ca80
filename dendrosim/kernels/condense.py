"""Elimination, once and for all, of the compartments whose own equation never changes while time goes on.

With a fixed step only compartments with synapses or channels have a conductance that changes. Every other compartment
with at most two neighbours left is eliminated beforehand (star-mesh: a compartment with conductances g_a, g_b to its
neighbours and g_0 to ground becomes one conductance ``g_a g_b r`` between them and ``g_a g_0 r``, ``g_b g_0 r`` to
ground, ``r = 1 / (g_0 + g_a + g_b)``; nothing is subtracted). A step then costs two multiply-adds for each of them in
either direction and no division; what remains, the compartments with synapses or channels and the branch points between
them, is a small tree. The solution is that of the whole system, to rounding. Derived here.

Compartments get new places, *slots*: first what remains, parents before children and by depth, then chains of
eliminated compartments, each from its far end towards the soma.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from . import trees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DENSE, LEAF, MIDDLE = 0, 1, 2


class Condensed(NamedTuple):
    """What is left of a tree, and how the rest follows from it.

    Attributes
    ----------
    slot : int array of shape (N,)
        Place of every compartment; those before `n_dense` remain.
    n_slots, n_dense : int
        Slot `n_dense` is no compartment; it stands for what is missing.
    parent : int array of shape (n_dense,)
        Slot of the next remaining compartment towards the root, `n_dense` at roots.
    ground, coupling : float arrays of shape (n_dense,)
        Conductance to ground and to that parent, what was eliminated included.
    up, across, inverse : float arrays of shape (n_slots,)
        Of eliminated compartments: voltage per voltage of the neighbour towards the root and of the remaining
        compartment below, and voltage per current.
    span : int array of shape (n_groups, 2)
        First slot of a group of chains, and the slot after its last. A group holds `pack` chains side by side, member
        by member; shorter ones begin with slots that are no compartments and hand on what they get. Groups stand in an
        order in which what they receive is there when it is their turn.
    top, below, entry : int arrays of shape (n_groups * pack,)
        Of every chain: slot of the neighbour towards the root, of the remaining compartment below, and the slot that
        holds what other chains have handed to its first compartment; `n_dense` where there is none.
    n_leaf : int
        The first so many groups have nothing below.
    """

    slot: Ints
    n_slots: int
    n_dense: int
    parent: Ints
    ground: Floats
    coupling: Floats
    up: Floats
    across: Floats
    inverse: Floats
    span: Ints
    top: Ints
    below: Ints
    entry: Ints
    n_leaf: int


@njit(cache=True)
def _kinds(parent: Ints, active: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Kind of every compartment, and the last of its children that remain once leaves are gone."""
    n_nodes = parent.size
    kind = np.zeros(n_nodes, np.int64)
    left = np.zeros(n_nodes, np.int64)
    child = np.full(n_nodes, -1, np.int64)
    for n in range(n_nodes - 1, -1, -1):
        up = parent[n]
        if not active[n] and left[n] == 0:
            kind[n] = LEAF
        elif up >= 0:
            if not active[n] and left[n] == 1:
                kind[n] = MIDDLE
            left[up] += 1
            child[up] = n
    return kind, child


@njit(cache=True)
def _eliminate(
    parent: Ints, kind: Ints, child: Ints, ground: Floats, coupling: Floats
) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """Eliminate all that can be; changes `ground` and `coupling` of what remains.

    Returns, by compartment: the remaining compartment below (-1: none), the next remaining one above (-1: none), and
    the three coefficients.
    """
    n_nodes = parent.size
    below = np.full(n_nodes, -1, np.int64)
    above = parent.copy()
    up, across, inverse = np.zeros(n_nodes), np.zeros(n_nodes), np.zeros(n_nodes)
    for n in range(n_nodes - 1, -1, -1):
        if kind[n] == LEAF:
            r = 1.0 / (ground[n] + coupling[n])
            inverse[n], up[n] = r, r * coupling[n]
            if parent[n] >= 0:
                ground[parent[n]] += up[n] * ground[n]
    for n in range(n_nodes - 1, -1, -1):
        if kind[n] == MIDDLE:
            far = child[n]
            if kind[far] == MIDDLE:
                far = below[far]
            below[n] = far
            r = 1.0 / (ground[n] + coupling[n] + coupling[far])
            inverse[n], up[n], across[n] = r, r * coupling[n], r * coupling[far]
            ground[parent[n]] += up[n] * ground[n]
            ground[far] += across[n] * ground[n]
            coupling[far] = across[n] * coupling[n]
            above[far] = parent[n]
    return below, above, up, across, inverse


@njit(cache=True)
def _chains(parent: Ints, kind: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Chain of every eliminated compartment (-1: none); first compartment, level and `receives` of every chain.

    A chain goes on from a compartment to its parent where that is of the same kind and receives nothing else. Its level
    is the number of chains of its kind, one into the next, that come before it.
    """
    n_nodes = parent.size
    chain = np.full(n_nodes, -1, np.int64)
    arriving = np.zeros(n_nodes, np.int64)
    for n in range(n_nodes):
        if kind[n] != DENSE and parent[n] >= 0:
            arriving[parent[n]] += 1
    first = np.empty(n_nodes, np.int64)
    level = np.zeros(n_nodes, np.int64)
    receives = np.zeros(n_nodes, np.int64)
    count = 0
    for n in range(n_nodes):
        if kind[n] != DENSE:  # a chain of its own, to begin with
            chain[n] = count
            first[count] = n
            receives[count] = 1 if arriving[n] > 0 else 0
            count += 1
    for n in range(n_nodes - 1, -1, -1):
        up = parent[n]
        if kind[n] != DENSE and up >= 0 and kind[up] == kind[n]:
            if arriving[up] == 1:
                chain[up] = chain[n]
            else:
                level[chain[up]] = max(level[chain[up]], level[chain[n]] + 1)
    return chain, first[:count], level[:count], receives[:count]


def condense(parent: Ints, ground: Floats, coupling: Floats, active: NDArray[np.bool_], pack: int = 1) -> Condensed:
    """Eliminate what never changes.

    Parameters
    ----------
    parent : int array of shape (N,)
        Parents before children; -1 at roots.
    ground : float array of shape (N,)
        Conductance to ground of every compartment: its leak, and its capacitance over the step.
    coupling : float array of shape (N,)
        Conductance to the parent, 0 at roots.
    active : bool array of shape (N,)
        What must remain: compartments whose conductance or current changes.
    pack : int
        Chains per group.

    Returns
    -------
    Condensed
    """
    n = parent.size
    kind, child = _kinds(parent, active)
    ground, coupling = ground.copy(), coupling.copy()
    below, above, up, across, inverse = _eliminate(parent, kind, child, ground, coupling)
    chain, first, level, receives = _chains(parent, kind)
    dense = np.flatnonzero(kind == DENSE)
    number = np.full(n + 1, -1, np.int64)  # the last entry serves those without a parent
    number[dense] = np.arange(dense.size)
    dense = dense[np.argsort(trees.depth(number[above[dense]]), kind="stable")]
    gone = np.flatnonzero(kind != DENSE)[::-1]
    gone = gone[np.argsort(chain[gone], kind="stable")]  # chain by chain, each from its far end
    used, starts, lengths = np.unique(chain[gone], return_index=True, return_counts=True)
    order = np.lexsort((lengths, level[used], kind[first[used]]))  # equal lengths together: branches are predictable
    used, starts, lengths = used[order], starts[order], lengths[order]
    section = np.zeros(used.size, np.int64)  # of the same kind and level; groups hold chains of one
    section[1:] = np.cumsum((np.diff(kind[first[used]]) | np.diff(level[used])) != 0)
    nth = np.arange(used.size) - np.searchsorted(section, section)
    lane, begins = nth % pack, np.flatnonzero(nth % pack == 0)
    group = np.cumsum(nth % pack == 0) - 1
    longest = np.maximum.reduceat(lengths, begins) if begins.size else begins
    ends = dense.size + 1 + np.cumsum(longest * pack)
    span = np.stack([ends - longest * pack, ends], 1)
    place = int(ends[-1]) if ends.size else dense.size + 1
    slot = np.empty(n + 1, np.int64)
    slot[dense] = np.arange(dense.size)
    slot[n] = dense.size  # found by index -1, too
    chain_of = np.repeat(np.arange(used.size), lengths)
    member = np.arange(chain_of.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    row = (longest[group] - lengths)[chain_of] + member
    slot[gone[starts[chain_of] + member]] = span[group, 0][chain_of] + row * pack + lane[chain_of]
    far, near = gone[starts], gone[starts + lengths - 1]
    neighbours = np.full((3, begins.size, pack), dense.size, np.int64)
    neighbours[0, group, lane] = slot[parent[near]]
    neighbours[1, group, lane] = slot[below[far]]
    neighbours[2, group, lane] = np.where(receives[used] > 0, slot[far], dense.size)
    coefficients = np.zeros((3, place))
    coefficients[0] = 1.0
    coefficients[:, slot[:n]] = up, across, inverse
    return Condensed(
        slot=slot[:n],
        n_slots=place,
        n_dense=dense.size,
        parent=slot[above[dense]],
        ground=ground[dense],
        coupling=coupling[dense],
        up=coefficients[0],
        across=coefficients[1],
        inverse=coefficients[2],
        span=span,
        top=neighbours[0].ravel(),
        below=neighbours[1].ravel(),
        entry=neighbours[2].ravel(),
        n_leaf=int((kind[first[used[begins]]] == LEAF).sum()),
    )
