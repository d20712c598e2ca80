"""Parent links between samples: from identifiers to rows, without recursion and at any depth."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from .report import Fault

Rows = NDArray[np.int64]

_LISTED = 12  # members of a cycle that a message spells out


def climb(up: Rows) -> Rows:
    """Follow `up` from every row until it stays where it is, by doubling the stride.

    Parameters
    ----------
    up : int array of shape (n,)
        The next row on the way; a row that points to itself is an end.

    Returns
    -------
    int array of shape (n,)
        The end that each row reaches. A row that runs into a cycle gets some row of that cycle, and every row of a
        cycle is the result of another.
    """
    for _ in range(int(up.size).bit_length() + 1):
        further = up[up]
        if np.array_equal(further, up):
            break
        up = further
    return up


def depths(parent: Rows) -> Rows:
    """Number of edges between each sample and its root (parents as rows, -1 at roots, no cycles)."""
    rows = np.arange(parent.size)
    up = np.where(parent >= 0, parent, rows)
    depth = (parent >= 0).astype(np.int64)
    while True:
        further = up[up]
        if np.array_equal(further, up):
            return depth
        depth = depth + depth[up]
        up = further


def link(
    ids: Rows,
    parent_ids: Rows,
    lines: Rows,
    unreadable: AbstractSet[int] = frozenset(),
) -> tuple[Rows, list[Fault]]:
    """Find the row of every sample's parent, and all that is wrong with the links.

    Parameters
    ----------
    ids, parent_ids : int array of shape (n,)
        Identifiers as in the file.
    lines : int array of shape (n,)
        Line of each sample.
    unreadable : set of int
        Identifiers of lines that could not be read: not reported again as missing parents.

    Returns
    -------
    parent : int array of shape (n,)
        Row of the parent, -1 at a root, -2 where there is none to be found and where a ring of samples is cut.
    faults : list of Fault
    """
    faults: list[Fault] = []
    n = ids.size
    rows = np.arange(n)
    ordered = bool(np.all(ids[1:] > ids[:-1]))
    order = rows if ordered else np.argsort(ids, kind="stable")
    in_order = ids if ordered else ids[order]
    if not ordered:
        faults += _duplicates(in_order, order, lines)
    at = np.searchsorted(in_order, parent_ids)
    at[at == n] = 0
    found = in_order[at] == parent_ids
    parent = np.where(found, order[at], -2)

    marked = parent_ids == -1
    if not marked.any() and not found[parent_ids == 0].any() and 0 not in unreadable:
        marked = parent_ids == 0
        for row in np.flatnonzero(marked):
            message = "the root has parent 0, which no sample has: read as -1, the mark of a root"
            faults.append(Fault("root-parent-zero", "warning", int(lines[row]), int(ids[row]), message))
    parent[marked] = -1

    for row in np.flatnonzero(parent == rows):
        message = f"sample {ids[row]} is its own parent; a root has parent -1"
        faults.append(Fault("self-parent", "error", int(lines[row]), int(ids[row]), message))
    parent[parent == rows] = -2
    for row in np.flatnonzero(~found & ~marked):
        wanted = int(parent_ids[row])
        if wanted in unreadable:
            continue
        hint = "; a root has parent -1" if wanted <= 0 else ""
        message = f"parent {wanted} of sample {ids[row]} is not in the file{hint}"
        faults.append(Fault("missing-parent", "error", int(lines[row]), int(ids[row]), message))

    top = climb(np.where(parent >= 0, parent, rows))
    faults += _cycles(top, parent, ids, lines)
    roots = np.flatnonzero(parent == -1)
    if roots.size > 1:
        sizes = np.bincount(top, minlength=n)
        for number, row in enumerate(roots, start=1):
            message = (
                f"sample {ids[row]} is root {number} of {roots.size} (its tree: {sizes[row]} of {n} samples); a cell"
                " has one root: connect the trees, or put each into a file of its own"
            )
            faults.append(Fault("several-roots", "error", int(lines[row]), int(ids[row]), message))
    return parent, faults


def _duplicates(in_order: Rows, order: Rows, lines: Rows) -> list[Fault]:
    """Identifiers that were given more than once: a fault for each repetition."""
    faults = []
    first = 0
    for at in np.flatnonzero(in_order[1:] == in_order[:-1]) + 1:
        if first == 0 or in_order[first] != in_order[at]:
            first = int(np.searchsorted(in_order, in_order[at]))
        message = f"id {in_order[at]} was given in line {lines[order[first]]} already; every sample needs its own"
        faults.append(Fault("duplicate-id", "error", int(lines[order[at]]), int(in_order[at]), message))
    return faults


def _cycles(top: Rows, parent: Rows, ids: Rows, lines: Rows) -> list[Fault]:
    """Rings of samples, one fault each, from the member that comes first in the file; cuts them there in `parent`."""
    lost = parent[top] >= 0
    if not lost.any():
        return []
    faults = []
    members = np.unique(top[lost])
    left = set(members.tolist())
    for row in members.tolist():
        if row not in left:
            continue
        ring = []
        while row in left:
            left.remove(row)
            ring.append(row)
            row = int(parent[row])
        parent[ring[0]] = -2
        names = " -> ".join(str(ids[r]) for r in [*ring, ring[0]][: _LISTED + 1])
        more = f" ... ({len(ring):,} samples in all)" if len(ring) > _LISTED else ""
        message = f"samples are each other's parents in a ring: {names}{more}"
        faults.append(Fault("cycle", "error", int(lines[ring[0]]), int(ids[ring[0]]), message))
    return faults
