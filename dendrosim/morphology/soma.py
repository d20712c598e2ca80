"""The soma: which samples make it, by which convention, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .links import climb, depths
from .samples import SOMA, Samples

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Soma:
    """The soma of one cell, a single isopotential body.

    Parameters
    ----------
    convention : {"point", "three_point", "contour", "cylinders"}
        How the file gives it.
    rows : int array of shape (k,)
        All samples that make it, the one nearest to the root of the tree first (below: the first).
    center : float array of shape (3,)
        In um.
    radius : float
        Radius in um of the sphere of the same area.
    area : float
        Membrane in um2.
    """

    convention: str
    rows: Rows
    center: Floats
    radius: float
    area: float


def soma_rows(samples: Samples) -> Rows:
    """Rows of the connected samples of type 1 that are nearest to the root, the nearest of all first; may be empty."""
    somatic = samples.type == SOMA
    if not somatic.any():
        return np.empty(0, dtype=np.int64)
    inner = somatic & (samples.parent >= 0)
    inner[inner] = somatic[samples.parent[inner]]
    top = climb(np.where(inner, samples.parent, np.arange(len(samples))))
    tops = np.flatnonzero(somatic & ~inner)
    first = tops[np.argmin(depths(samples.parent)[tops])] if tops.size > 1 else tops[0]
    found = np.flatnonzero(top == first)
    return np.concatenate([[first], found[found != first]])


def find_soma(samples: Samples) -> Soma | None:
    """Find the soma: the connected samples of type 1 at the root, or nearest to it.

    One sample is a sphere (``point``). Three samples, the second and third both children of the first and all of one
    radius, are the sphere of the first (``three_point``, the convention of NeuroMorpho.Org). A chain of four samples or
    more that returns to where it began is an outline (``contour``). All else is a stack of frusta (``cylinders``).

    Parameters
    ----------
    samples : Samples
        One cell: one root.

    Returns
    -------
    Soma or None
        None if no sample is of type 1.

    Notes
    -----
    Areas: ``point`` and ``three_point`` 4 pi r^2 of the first sample; ``contour`` the sphere of the mean distance of
    the outline from its centroid (as NeuroM's SomaSimpleContour); ``cylinders`` the lateral area of all frusta along
    soma edges, without end caps.
    """
    rows = soma_rows(samples)
    if rows.size == 0:
        return None
    xyz, radius = samples.xyz[rows], samples.radius[rows]
    convention = _convention(samples, rows)
    if convention in ("point", "three_point"):
        return _sphere(convention, rows, xyz[0], float(radius[0]))
    if convention == "contour":
        apart = np.linalg.norm(xyz - xyz[0], axis=1)
        closing = (rows == _tip(samples, rows)) & (apart <= 1e-6 * apart.max())  # the first sample once more
        outline = xyz[~closing]
        center = outline.mean(axis=0)
        return _sphere(convention, rows, center, float(np.linalg.norm(outline - center, axis=1).mean()))
    start, stop = samples.parent[rows[1:]], rows[1:]
    length = np.linalg.norm(samples.xyz[stop] - samples.xyz[start], axis=1)
    r0, r1 = samples.radius[start], samples.radius[stop]
    areas = np.pi * (r0 + r1) * np.hypot(length, r0 - r1)
    area = float(areas.sum())
    weight = areas / area if area > 0.0 else np.full(areas.size, 1.0 / areas.size)
    center = weight @ ((samples.xyz[start] + samples.xyz[stop]) / 2.0)
    return Soma("cylinders", rows, center, float(np.sqrt(area / (4.0 * np.pi))), area)


def attachment_points(samples: Samples, soma: Soma, rows: Rows) -> Floats:
    """Points where neurites that have no extent of their own begin.

    Parameters
    ----------
    samples : Samples
    soma : Soma
    rows : int array of shape (k,)
        First samples of neurites, children of soma samples.

    Returns
    -------
    float array of shape (k, 3)
        For ``point`` and ``three_point``: the point of the soma's surface on the line from its centre to the sample, or
        the sample itself if it lies within the soma (or on its surface but for rounding), so that nothing is between;
        else the soma sample that is the neurite's parent.
    """
    if soma.convention not in ("point", "three_point"):
        return samples.xyz[samples.parent[rows]].copy()
    first = samples.xyz[rows]
    offset = first - soma.center
    distance = np.linalg.norm(offset, axis=1)
    outside = distance - soma.radius > 1e-9 * (distance + np.abs(first).max(axis=1, initial=0.0))
    scale = np.divide(soma.radius, distance, out=np.ones_like(distance), where=outside)
    return np.where(outside[:, None], soma.center + offset * scale[:, None], first)


def soma_branch_rows(samples: Samples, rows: Rows) -> Rows:
    """Soma samples other than the first at which the soma itself branches."""
    inner = rows[1:]
    children = np.bincount(samples.parent[inner], minlength=len(samples))
    return inner[children[inner] > 1]


def _sphere(convention: str, rows: Rows, center: Floats, radius: float) -> Soma:
    return Soma(convention, rows, np.array(center), radius, 4.0 * np.pi * radius * radius)


def _convention(samples: Samples, rows: Rows) -> str:
    """Name of the convention that the soma's samples follow."""
    xyz, radius = samples.xyz[rows], samples.radius[rows]
    if rows.size == 1:
        return "point"
    parents = samples.parent[rows[1:]]
    star = rows.size == 3 and bool(np.all(parents == rows[0]))
    if star and np.allclose(radius, radius[0], rtol=0.01, atol=0.0):
        return "three_point"
    if np.all(xyz == xyz[0]):
        return "point"
    unbranched = np.unique(parents).size == parents.size
    if rows.size >= 4 and unbranched:
        steps = np.linalg.norm(samples.xyz[rows[1:]] - samples.xyz[parents], axis=1)
        gap = float(np.linalg.norm(samples.xyz[_tip(samples, rows)] - xyz[0]))
        if gap <= steps.sum() / 3.0 * 1.001:  # a square of four samples just passes, in single precision too
            return "contour"
    return "cylinders"


def _tip(samples: Samples, rows: Rows) -> int:
    """Last sample of a soma that is an unbranched chain."""
    return int(np.setdiff1d(rows, samples.parent[rows[1:]])[0])
