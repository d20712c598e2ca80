"""Change the course of a grown tree: even spacing of samples, smooth bends, wander."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...arguments import generator, number, whole
from ..samples import Samples
from .draft import Floats, child_count, draft, edge_length, has_point_soma, morphology, pieces, samples_of, stem_rows

if TYPE_CHECKING:
    from ..tree import Morphology

_MOST_PASSES = 100_000


def resample(tree: Morphology, spacing: float) -> Morphology:
    """Place samples evenly along every section.

    Soma, beginnings of stems, branch points, tips and points where the structure identifier changes keep their places;
    between them samples stand at equal distances along the old course, of `spacing` or a little less, with radii
    interpolated linearly.

    Parameters
    ----------
    tree : Morphology
    spacing : float
        Largest distance between neighbours in um.

    Returns
    -------
    Morphology
        Rows in depth-first order.

    Raises
    ------
    ParameterError
        If `spacing` is not positive or the soma is not one point.
    """
    return morphology(resampled(samples_of("tree", tree), number("spacing", spacing, above=0)), tree.name)


def smooth(tree: Morphology, passes: int = 5, *, weight: float = 0.5) -> Morphology:
    """Round the bends: each pass moves every sample towards the middle of its neighbours.

    Root, beginnings of stems and tips stay. A branch point moves towards the mean of its parent and the mean of its
    children. Resample first: what is rounded is about ``sqrt(passes)`` samples long.

    Parameters
    ----------
    tree : Morphology
    passes : int, default 5
        How often.
    weight : float, default 0.5
        How far towards the middle, 0 to 1.

    Returns
    -------
    Morphology

    Raises
    ------
    ParameterError
        If `passes` is negative, `weight` outside 0 to 1 or the soma not one point.
    """
    samples = samples_of("tree", tree)
    passes = whole("passes", passes, 0, most=_MOST_PASSES)
    weight = number("weight", weight, least=0, most=1)
    parent, children = samples.parent, child_count(samples.parent)
    free = (parent >= 0) & (children > 0) & ~stem_rows(samples)
    below = np.flatnonzero(parent >= 0)
    xyz = samples.xyz.copy()
    for _ in range(passes):
        middle = np.empty_like(xyz)
        for axis in range(3):
            summed = np.bincount(parent[below], weights=xyz[below, axis], minlength=len(samples))
            middle[:, axis] = 0.5 * (xyz[parent, axis] + summed / np.maximum(children, 1))
        xyz[free] += weight * (middle[free] - xyz[free])
    return morphology(draft(xyz, samples.radius, parent, samples.type), tree.name)


def jitter(
    tree: Morphology, amplitude: float, seed: int | np.random.Generator, *, correlation: float = 20.0
) -> Morphology:
    r"""Let the neurites wander: add a smooth random displacement that lives on the tree.

    The displacement u is an Ornstein-Uhlenbeck process along each path, zero at the root and continuous at branch
    points: :math:`u_n = a\,u_{p} + A\sqrt{1 - a^2}\,\xi_n`, :math:`a = e^{-h_n/c}`, with the edge's length
    :math:`h_n`, amplitude A, correlation length c and independent standard normal :math:`\xi_n` for x, y and z.

    Parameters
    ----------
    tree : Morphology
    amplitude : float
        Standard deviation far from the root in um, for each coordinate.
    seed : int or numpy.random.Generator
        Same seed, same displacement.
    correlation : float, default 20.0
        Correlation length in um.

    Returns
    -------
    Morphology

    Raises
    ------
    ParameterError
        If `amplitude` is negative, `correlation` not positive or the soma not one point.
    """
    samples = samples_of("tree", tree)
    amplitude = number("amplitude", amplitude, least=0)
    keep = np.exp(-edge_length(samples) / number("correlation", correlation, above=0))
    noise = amplitude * np.sqrt(1.0 - keep * keep)[:, None] * generator("seed", seed).standard_normal((len(samples), 3))
    fixed = stem_rows(samples) | (samples.parent < 0)
    shift = np.zeros((len(samples), 3))
    for row in np.flatnonzero(~fixed).tolist():
        shift[row] = keep[row] * shift[samples.parent[row]] + noise[row]
    return morphology(draft(samples.xyz + shift, samples.radius, samples.parent, samples.type), tree.name)


def resampled(samples: Samples, spacing: float) -> Samples:
    """What `resample` does, on a draft in depth-first order."""
    parent, children = samples.parent, child_count(samples.parent)
    changes = np.zeros(len(samples), dtype=bool)
    below = np.flatnonzero(parent >= 0)
    changes[parent[below[samples.type[below] != samples.type[parent[below]]]]] = True
    kept = (parent < 0) | (children != 1) | stem_rows(samples) | changes
    soma = has_point_soma(samples)
    xyz: list[Floats] = []
    radius: list[Floats] = []
    above: list[int] = []
    structure: list[int] = []
    new_row = np.full(len(samples), -1, dtype=np.int64)
    for stop in np.flatnonzero(kept).tolist():
        chain = [stop]
        while parent[chain[-1]] >= 0 and (len(chain) == 1 or not kept[chain[-1]]):
            chain.append(int(parent[chain[-1]]))
        chain.reverse()
        gap = soma and len(chain) == 2 and parent[chain[0]] < 0
        if len(chain) == 1 or gap:
            place, thick = samples.xyz[[stop]], samples.radius[[stop]]
        else:
            steps = samples.xyz[chain[1:]] - samples.xyz[chain[:-1]]
            along = np.concatenate([[0.0], np.cumsum(np.sqrt((steps * steps).sum(axis=1)))])
            steps_of_length = pieces(float(along[-1]), spacing)
            at = along[-1] * np.arange(1, steps_of_length + 1) / steps_of_length
            place = np.stack([np.interp(at, along, samples.xyz[chain, axis]) for axis in range(3)], axis=1)
            thick = np.interp(at, along, samples.radius[chain])
            place[-1], thick[-1] = samples.xyz[stop], samples.radius[stop]
        before = int(new_row[chain[0]]) if len(chain) > 1 else -1
        for _ in range(len(place)):
            above.append(before)
            before = len(above) - 1
            structure.append(int(samples.type[stop]))
        xyz.append(place)
        radius.append(thick)
        new_row[stop] = before
    return draft(np.vstack(xyz), np.concatenate(radius), above, structure)
