"""Tubes and spheres of triangles, of bounded number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .outline import end_points
from .pieces import Floats, Ints, Pieces

_SHARPEST = -0.3  # cosine of the bend up to which two tubes share the plane where they meet
FINENESS = ((8, 1), (6, 1), (6, 2), (6, 4), (4, 4), (4, 16), (3, 64))
"""Sides of a tube, and pieces that are drawn as one, from fine to coarse."""
_ACROSS, _AROUND = 12, 24


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles, and whose they are.

    Attributes
    ----------
    vertex : float32 array of shape (V, 3)
        um.
    face : int32 array of shape (F, 3)
        Vertices of each triangle.
    owner : int array of shape (V,)
        Compartment, or sample, of each vertex.
    """

    vertex: NDArray[np.float32]
    face: NDArray[np.int32]
    owner: Ints


def joined(pieces: Pieces, key: Ints, most: int) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """Pieces that follow each other and have the same key as one, up to so many; branch points stay where they are.

    Parameters
    ----------
    pieces : Pieces
    key : int array of shape (k,)
    most : int

    Returns
    -------
    start, stop, radius_start, radius_stop, owner : arrays of shape (m, 3), (m, 3), (m,), (m,), (m,)
    """
    n = len(pieces.start)
    if most == 1 or n == 0:
        return pieces.start, pieces.stop, pieces.radius_start, pieces.radius_stop, pieces.owner
    first, last, n_points = end_points(pieces)
    degree = np.bincount(first, minlength=n_points) + np.bincount(last, minlength=n_points)
    on = np.zeros(n, dtype=bool)
    on[1:] = (last[:-1] == first[1:]) & (key[:-1] == key[1:]) & (degree[first[1:]] == 2)
    begin = np.maximum.accumulate(np.where(on, 0, np.arange(n)))
    head = np.flatnonzero((np.arange(n) - begin) % most == 0)
    tail = np.append(head[1:], n) - 1
    return (
        pieces.start[head],
        pieces.stop[tail],
        pieces.radius_start[head],
        pieces.radius_stop[tail],
        pieces.owner[head],
    )


def mesh(pieces: Pieces, key: Ints, fineness: tuple[int, int], least_radius: float = 0.0) -> Mesh:
    """Tubes with round cross sections, closed at the tips, and spheres.

    Parameters
    ----------
    pieces : Pieces
    key : int array of shape (k,)
        What must not be drawn as one piece: what has its own colour.
    fineness : (int, int)
        Of `FINENESS`.
    least_radius : float
        Thinner tubes get this radius, um.
    """
    sides, together = fineness
    start, stop, radius_start, radius_stop, owner = joined(pieces, key, together)
    ends = Pieces(
        start, stop, radius_start, radius_stop, owner, pieces.center, pieces.radius, pieces.sphere_owner, pieces.region,
        pieces.noun,
    )  # fmt: skip
    n = len(start)
    parts = []
    if n:
        along, tip = _directions(ends)
        angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
        least = np.abs(stop - start).argmin(axis=1)
        rings = []
        for center, radius, way in ((start, radius_start, along[0]), (stop, radius_stop, along[1])):
            side = np.eye(3)[least] - way * way[np.arange(n), least][:, None]
            side /= np.linalg.norm(side, axis=1)[:, None]
            other = np.cross(way, side)
            thick = np.maximum(radius, least_radius)[:, None, None]
            round_ = np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * other[:, None]
            rings.append(center[:, None] + thick * round_)
        j = np.arange(sides)
        k = (j + 1) % sides
        quad = np.concatenate([np.stack([j, j + sides, k], 1), np.stack([k, j + sides, k + sides], 1)])
        faces = (quad[None] + 2 * sides * np.arange(n)[:, None, None]).reshape(-1, 3)
        parts.append(
            Mesh(_single(np.concatenate(rings, axis=1).reshape(-1, 3)), _index(faces), owner.repeat(2 * sides))
        )
        last = np.flatnonzero(tip)
        fan = np.stack([j + sides, k + sides], 1)[None] + 2 * sides * last[:, None, None]
        caps = np.concatenate(
            [fan, np.broadcast_to(n * 2 * sides + np.arange(last.size)[:, None, None], (last.size, sides, 1))], 2
        )
        tubes = parts.pop()
        parts.append(
            Mesh(
                np.concatenate([tubes.vertex, _single(stop[last])]),
                np.concatenate([tubes.face, _index(caps.reshape(-1, 3))]),
                np.concatenate([tubes.owner, owner[last]]),
            )
        )
    parts += [
        _ball(c, float(r), int(o)) for c, r, o in zip(pieces.center, pieces.radius, pieces.sphere_owner, strict=True)
    ]
    before = np.cumsum([0, *(len(part.vertex) for part in parts)])
    return Mesh(
        np.concatenate([np.zeros((0, 3), np.float32), *(part.vertex for part in parts)]),
        np.concatenate(
            [np.zeros((0, 3), np.int32), *(_index(part.face + b) for part, b in zip(parts, before[:-1], strict=True))]
        ),
        np.concatenate([np.zeros(0, np.int64), *(part.owner for part in parts)]),
    )


def _directions(pieces: Pieces) -> tuple[tuple[Floats, Floats], NDArray[np.bool_]]:
    """Unit vectors across which tubes begin and end, halfway between two that follow each other; which end in a tip."""
    along = pieces.stop - pieces.start
    along = along / np.linalg.norm(along, axis=1)[:, None]
    first, last, n_points = end_points(pieces)
    begins, ends = np.bincount(first, minlength=n_points), np.bincount(last, minlength=n_points)
    total = np.stack([np.bincount(p, along[:, i], n_points) for p in (first, last) for i in range(3)], axis=1)
    total = total[:, :3] + total[:, 3:]
    size = np.linalg.norm(total, axis=1)
    shared = (begins == 1) & (ends == 1) & (size**2 / 2 - 1 > _SHARPEST)
    mean = np.divide(total, size[:, None], out=np.zeros_like(total), where=shared[:, None])
    made = [np.where(shared[point, None], mean[point], along) for point in (first, last)]
    return (made[0], made[1]), (begins + ends)[last] == 1


def _ball(center: Floats, radius: float, owner: int) -> Mesh:
    """A sphere."""
    down, around = np.linspace(0, np.pi, _ACROSS + 1), np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    rim = np.sin(down)[:, None]
    points = np.stack([rim * np.cos(around), rim * np.sin(around), np.cos(down)[:, None] + 0 * around], axis=2)
    i, j = (a.ravel() for a in np.meshgrid(np.arange(_ACROSS), np.arange(_AROUND), indexing="ij"))
    a, b = i * _AROUND + j, i * _AROUND + (j + 1) % _AROUND
    faces = np.concatenate([np.stack([a, a + _AROUND, b], 1), np.stack([b, a + _AROUND, b + _AROUND], 1)])
    vertex = center + radius * points.reshape(-1, 3)
    return Mesh(_single(vertex), _index(faces), np.full(len(vertex), owner))


def _single(array: Floats) -> NDArray[np.float32]:
    return array.astype(np.float32)


def _index(array: NDArray[np.integer]) -> NDArray[np.int32]:
    return array.astype(np.int32)
