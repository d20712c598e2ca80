"""Random branching: growing tips that wander, branch and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...arguments import generator, number, whole
from ...errors import ParameterError
from ..samples import BASAL, SOMA, Samples
from .draft import Floats, distance, draft, in_order, morphology, neurite, pieces, unit

if TYPE_CHECKING:
    from ..tree import Morphology


def random_branching(
    seed: int | np.random.Generator,
    *,
    stems: int = 5,
    branching_rate: float = 0.012,
    order_decay: float = 0.3,
    termination_rate: float = 0.004,
    max_path: float = 200.0,
    persistence: float = 150.0,
    outward: float = 0.0,
    angle: float = 50.0,
    spacing: float = 2.0,
    radius: float = 0.5,
    soma_radius: float = 8.0,
    structure: int = BASAL,
    max_samples: int = 100_000,
) -> Morphology:
    r"""Grow neurites from a soma by independent random steps of their tips.

    In each step of length h every growing tip stops with probability :math:`1 - e^{-\mu h}`; if it does not, it divides
    in two with probability :math:`1 - e^{-\beta h}`, where :math:`\beta = \beta_0 2^{-S\gamma}` falls with the branch
    order :math:`\gamma` (number of divisions below it), as in the growth model of van Pelt et al. [1]_. With S = 0 the
    number of branches is a Galton-Watson process in path length: without terminations its mean is
    :math:`e^{\beta_0 s}` per stem at distance s. The heading of a tip diffuses, so that the mean cosine between
    headings s apart is :math:`e^{-s/p}` with the persistence length p (a worm-like chain); daughters leave at plus and
    minus half the branching angle from their parent's heading, in a random plane. Stems leave in directions spread
    evenly over the sphere in a random orientation.

    Parameters
    ----------
    seed : int or numpy.random.Generator
        Same seed, same tree.
    stems : int, default 5
        Neurites that leave the soma.
    branching_rate : float, default 0.012
        :math:`\beta_0` in 1/um.
    order_decay : float, default 0.3
        S; 0 makes branching independent of order.
    termination_rate : float, default 0.004
        :math:`\mu` in 1/um.
    max_path : float, default 200.0
        Path length from the soma's surface in um at which every tip stops.
    persistence : float, default 150.0
        Persistence length p in um.
    outward : float, default 0.0
        Pull of the heading towards the direction away from the soma, in 1/um.
    angle : float, default 50.0
        Angle between daughters in degrees.
    spacing : float, default 2.0
        Step h, and distance between samples, in um.
    radius : float, default 0.5
        Radius of all neurites in um. See `quadratic_taper`.
    soma_radius : float, default 8.0
        Radius of the soma in um.
    structure : int, default 3
        SWC structure identifier of the neurites.
    max_samples : int, default 100,000
        Growth beyond this is an error rather than an endless run.

    Returns
    -------
    Morphology
        Rows in depth-first order, with a soma of one point at the origin.

    Raises
    ------
    ParameterError
        If a length is not positive, a rate negative, or the tree outgrows `max_samples`.

    References
    ----------
    .. [1] J. van Pelt, A. E. Dityatev and H. B. M. Uylings, "Natural variability in the number of dendritic segments:
       model-based inferences about branching during neurite outgrowth", J. Comp. Neurol. 387, 1997, 325-340.
    """
    rng = generator("seed", seed)
    n_stems = whole("stems", stems, 1)
    step = number("spacing", spacing, above=0)
    divide = number("branching_rate", branching_rate, least=0)
    decay = number("order_decay", order_decay, least=0)
    stop = -np.expm1(-step * number("termination_rate", termination_rate, least=0))
    pull = step * number("outward", outward, least=0)
    wander = np.sqrt(step / number("persistence", persistence, above=0))
    half = 0.5 * np.deg2rad(number("angle", angle, least=0, most=180))
    soma_radius = number("soma_radius", soma_radius, above=0)
    radius = number("radius", radius, above=0)
    steps = pieces(number("max_path", max_path, above=0), step)
    limit = whole("max_samples", max_samples, n_stems + 1)

    heading = _spread(n_stems, rng)
    place = soma_radius * heading
    row = np.arange(1, n_stems + 1)
    order = np.zeros(n_stems)
    xyz, parent = [np.zeros((1, 3)), place], [np.array([-1]), np.zeros(n_stems, dtype=np.int64)]
    n = n_stems + 1
    for at in range(steps):
        if at:
            alive = rng.random(row.size) >= stop
            place, heading, row, order = place[alive], heading[alive], row[alive], order[alive]
            twin = rng.random(row.size) < -np.expm1(-step * divide * 2.0 ** (-decay * order))
            turn = half * _across(heading[twin], rng)
            order[twin] += 1
            left = unit(np.cos(half) * heading[twin] + np.sinc(half / np.pi) * turn)
            right = unit(np.cos(half) * heading[twin] - np.sinc(half / np.pi) * turn)
            heading[twin] = left
            place, heading = np.vstack([place, place[twin]]), np.vstack([heading, right])
            row, order = np.concatenate([row, row[twin]]), np.concatenate([order, order[twin]])
        if row.size == 0:
            break
        if n + row.size > limit:
            raise ParameterError(
                f"the tree outgrew max_samples={max_samples} after {at * step:g} um of path; lower branching_rate="
                f"{branching_rate:g} or max_path, or raise termination_rate, order_decay, spacing or max_samples"
            )
        heading = unit(heading + wander * rng.standard_normal((row.size, 3)) + pull * unit(place))
        place = place + step * heading
        xyz.append(place)
        parent.append(row)
        row = np.arange(n, n + row.size)
        n += row.size
    grown: Samples = draft(np.vstack(xyz), radius, np.concatenate(parent), neurite("structure", structure))
    types, radii = grown.type.copy(), grown.radius.copy()
    types[0], radii[0] = SOMA, soma_radius
    return morphology(in_order(draft(grown.xyz, radii, grown.parent, types)), "random_branching")


def _spread(n: int, rng: np.random.Generator) -> Floats:
    """Directions spread evenly over the sphere (a golden spiral), turned at random."""
    k = np.arange(n) + 0.5
    height = 1.0 - 2.0 * k / n
    around = np.pi * (1.0 + np.sqrt(5.0)) * k
    flat = np.sqrt(1.0 - height * height)
    spiral = np.stack([flat * np.cos(around), flat * np.sin(around), height], axis=1)
    first = unit(rng.standard_normal((1, 3)))
    second = _across(first, rng)
    third = np.cross(first, second)
    turned: Floats = spiral @ np.vstack([first, second, third])
    return unit(turned)


def _across(heading: Floats, rng: np.random.Generator) -> Floats:
    """A random unit vector at right angles to each heading."""
    free = rng.standard_normal(heading.shape)
    off = free - (free * heading).sum(axis=-1, keepdims=True) * heading
    across: Floats = off / np.maximum(distance(off, np.zeros(3)), 1e-300)[..., None]
    return across
