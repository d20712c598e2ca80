"""What all growth shares: drafts (samples, parents before children), their order and lengths, argument checks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import instance, numbers, short, whole
from ...errors import ParameterError
from ...kernels import trees
from ..samples import SOMA, Samples, region_name

if TYPE_CHECKING:
    from ..tree import Morphology

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST = 10_000_000
"""Samples of one unbranched stretch."""
_GREATEST_TYPE = 2**31 - 1
_FARTHEST = 1e12


def draft(xyz: ArrayLike, radius: ArrayLike, parent: ArrayLike, structure: ArrayLike) -> Samples:
    """Samples numbered from 1; `radius` and `structure` may be one value for all."""
    rows = np.asarray(parent, dtype=np.int64)
    n = rows.size
    return Samples(
        id=np.arange(1, n + 1),
        type=np.broadcast_to(np.asarray(structure, dtype=np.int64), n),
        xyz=np.asarray(xyz, dtype=np.float64).reshape(n, 3),
        radius=np.broadcast_to(np.asarray(radius, dtype=np.float64), n),
        parent=rows,
    )


def morphology(samples: Samples, name: str) -> Morphology:
    """The tree of `samples`."""
    from ..tree import Morphology

    return Morphology(samples, name=name)


def samples_of(name: str, tree: object) -> Samples:
    """The samples of a tree to work on, in depth-first order."""
    from ..tree import Morphology

    return in_order(instance(name, tree, Morphology, "grown or loaded").samples)


def depth_first(parent: Ints) -> Ints:
    """Rows in depth-first order, children in the order of their rows."""
    order: Ints = trees.preorder(parent)
    return order


def in_order(samples: Samples) -> Samples:
    """The same tree with its rows in depth-first order, numbered from 1."""
    order = depth_first(samples.parent)
    row_of = np.empty(order.size, dtype=np.int64)
    row_of[order] = np.arange(order.size)
    above = samples.parent[order]
    parent = np.where(above < 0, -1, row_of[above])
    return draft(samples.xyz[order], samples.radius[order], parent, samples.type[order])


def edge_length(samples: Samples) -> Floats:
    """Distance of each sample from its parent in um, 0 at roots; shape (n,)."""
    above = np.where(samples.parent < 0, np.arange(len(samples)), samples.parent)
    return distance(samples.xyz, samples.xyz[above])


def path_length(samples: Samples) -> Floats:
    """Length along the tree from the root to each sample of a draft in um; shape (n,)."""
    length = edge_length(samples).tolist()
    for row, above in enumerate(samples.parent.tolist()):
        if above >= 0:
            length[row] += length[above]
    return np.array(length)


def child_count(parent: Ints) -> Ints:
    """Number of children of each row; shape (n,)."""
    return np.bincount(parent[parent >= 0], minlength=parent.size)


def has_point_soma(samples: Samples) -> bool:
    """Whether the draft's root is a soma of one point; any other soma of samples is refused."""
    rows = np.flatnonzero(samples.type == SOMA)
    if rows.size > 1 or (rows.size == 1 and samples.parent[rows[0]] >= 0):
        raise ParameterError(
            f"growth works on trees whose soma is one point at the root; this one has {rows.size} soma samples "
            f"(the first has id {samples.id[rows[0]]}); load it with repair='collapse_soma'"
        )
    return rows.size == 1


def stem_rows(samples: Samples) -> NDArray[np.bool_]:
    """Which rows of a draft are the first samples of neurites that leave a one-point soma; shape (n,)."""
    if not has_point_soma(samples):
        return np.zeros(len(samples), dtype=bool)
    stems: NDArray[np.bool_] = (samples.parent >= 0) & (samples.type[samples.parent] == SOMA)
    return stems


def distance(a: Floats, b: Floats) -> Floats:
    """Euclidean distance over the last axis, summed in a fixed order (the same bits everywhere)."""
    d = a - b
    out: Floats = np.sqrt(d[..., 0] * d[..., 0] + d[..., 1] * d[..., 1] + d[..., 2] * d[..., 2])
    return out


def unit(vectors: Floats) -> Floats:
    """Vectors of shape (..., 3) scaled to length 1."""
    return vectors / distance(vectors, np.zeros(3))[..., None]


def on_surface(soma: Floats, radius: float, towards: Floats) -> Floats:
    """Points of the sphere around `soma` in the direction of each of `towards`."""
    return soma + radius * unit(towards - soma)


def pieces(length: float, spacing: float) -> int:
    """Number of equal steps of at most `spacing` that make up `length`; at least one."""
    wanted = length / spacing
    if wanted > _MOST:
        raise ParameterError(
            f"spacing={spacing!r} um would put {wanted:.3g} samples on {length:g} um; {_MOST:.0e} is the most"
        )
    return max(1, math.ceil(wanted - 1e-9))


def neurite(name: str, value: int) -> int:
    """An SWC structure identifier other than the soma's."""
    structure = whole(name, value, 0)
    if structure > _GREATEST_TYPE:
        raise ParameterError(f"{name}={short(value)} is no SWC structure identifier; {_GREATEST_TYPE} is the greatest")
    if structure == SOMA:
        raise ParameterError(
            f"{name}=1 is the soma; a neurite is {', '.join(f'{k} ({region_name(k)})' for k in (2, 3, 4))}"
        )
    return structure


def positions(name: str, value: ArrayLike, *, least: int = 1) -> Floats:
    """Finite positions of shape (n, 3), at least `least` of them."""
    array = np.array(numbers(name, value), dtype=np.float64, ndmin=2)
    if array.size == 0 and least > 0:
        raise ParameterError(f"{name} is empty; at least {least} position(s) (x, y, z) in um are needed")
    if array.ndim != 2 or array.shape[1] != 3:
        raise ParameterError(f"{name} has shape {np.shape(value)}; it must be (n, 3): x, y, z in um")
    bad = np.flatnonzero(~(np.abs(array) <= _FARTHEST).all(axis=1))
    if bad.size:
        raise ParameterError(
            f"{name}[{bad[0]}] = {array[bad[0]].tolist()} is not finite, or farther than {_FARTHEST:.0e} um "
            f"({bad.size} such row(s)); drop them"
        )
    if len(array) < least:
        raise ParameterError(f"{name} holds {len(array)} position(s); at least {least} are needed")
    return array


def position(name: str, value: ArrayLike) -> Floats:
    """One finite position of shape (3,)."""
    array = positions(name, value)
    if np.shape(value) != (3,):
        raise ParameterError(f"{name} has shape {np.shape(value)}; it must be one position (x, y, z) in um")
    row: Floats = array[0]
    return row
