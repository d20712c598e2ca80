"""Outlines of frusta and spheres in a plane, true to scale."""

from __future__ import annotations

import numpy as np

from .pieces import Floats, Ints, Pieces

_SHARPEST = -0.3  # cosine of the bend up to which two outlines are mitred; beyond it the mitre would be a spike
_CIRCLE = np.stack(
    [np.cos(np.linspace(0, 2 * np.pi, 64, endpoint=False)), np.sin(np.linspace(0, 2 * np.pi, 64, endpoint=False))], 1
)


def frustum_outlines(pieces: Pieces, axes: tuple[int, int]) -> Floats:
    """Return the outlines of all frusta seen along the third axis, shape (k, 6, 2), um.

    Where exactly two pieces meet their outlines share an edge (a mitre), so that a bent neurite has no notches; at
    branch points and sharp bends each piece gets a pointed cap instead.

    Parameters
    ----------
    pieces : Pieces
        Frusta in space.
    axes : tuple of two int
        Columns of the coordinates that become x and y of the picture.
    """
    start, stop = pieces.start[:, axes], pieces.stop[:, axes]
    if not len(start):
        return np.zeros((0, 6, 2))
    along = stop - start
    length = np.hypot(along[:, 0], along[:, 1])
    along = np.divide(along, length[:, None], out=np.zeros_like(along), where=length[:, None] > 0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    point_start, point_stop, n_points = end_points(pieces)
    begins = np.bincount(point_start, minlength=n_points)
    ends = np.bincount(point_stop, minlength=n_points)
    total = np.stack(
        [
            np.bincount(point_start, normal[:, i], n_points) + np.bincount(point_stop, normal[:, i], n_points)
            for i in (0, 1)
        ],
        axis=1,
    )
    size = np.hypot(total[:, 0], total[:, 1])
    # |n1 + n2|^2 = 2 + 2 cos(bend)
    mitred = (begins == 1) & (ends == 1) & (size**2 / 2 - 1 > _SHARPEST)
    mitre = np.divide(2 * total, size[:, None] ** 2, out=np.zeros_like(total), where=mitred[:, None])
    capped = ~mitred & (begins + ends > 1)

    def end(point: Ints, radius: Floats) -> tuple[Floats, Floats]:
        side = np.where(mitred[point, None], mitre[point], normal) * radius[:, None]
        return side, along * np.where(capped[point], radius, 0.0)[:, None]

    side_start, cap_start = end(point_start, pieces.radius_start)
    side_stop, cap_stop = end(point_stop, pieces.radius_stop)
    return np.stack(
        [
            start + side_start,
            stop + side_stop,
            stop + cap_stop,
            stop - side_stop,
            start - side_start,
            start - cap_start,
        ],
        axis=1,
    )


def sphere_outlines(pieces: Pieces, axes: tuple[int, int]) -> Floats:
    """Return the outlines of all spheres, shape (m, 64, 2), um."""
    outlines: Floats = pieces.center[:, None, axes] + pieces.radius[:, None, None] * _CIRCLE
    return outlines


def end_points(pieces: Pieces) -> tuple[Ints, Ints, int]:
    """Number the distinct end points: that of each start, that of each stop, how many."""
    points = np.concatenate([pieces.start, pieces.stop])
    order = np.lexsort(points.T)
    new = np.concatenate([[False], (np.diff(points[order], axis=0) != 0).any(axis=1)])
    number = np.empty(len(points), dtype=np.int64)
    number[order] = np.cumsum(new)
    return number[: len(pieces.start)], number[len(pieces.start) :], int(number.max()) + 1
