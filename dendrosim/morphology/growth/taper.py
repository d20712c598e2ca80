"""Diameters of a grown tree: quadratic taper, and the power law of branching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import number, numbers, short
from ...errors import ParameterError
from ..samples import SOMA, Samples
from .draft import Floats, child_count, draft, edge_length, has_point_soma, morphology, samples_of, stem_rows

if TYPE_CHECKING:
    from ..tree import Morphology


def quadratic_taper(tree: Morphology, base: float, tip: float, *, structure: ArrayLike | None = None) -> Morphology:
    r"""Diameters that fall off quadratically along the paths from base to tips.

    The path to tip t of length :math:`L_t` has the diameter

    .. math:: d_t(s) = d_{tip} + (d_{base} - d_{tip})\,(1 - s/L_t)^2

    at the distance s from the base; a sample has the mean over all the tips above it, as in Cuntz, Borst and Segev [1]_
    and the TREES toolbox, but no more than its parent, so that no neurite widens towards its tips (where a short side
    branch leaves a long one the mean alone would). A base is where the structures to be tapered begin: a soma's
    surface, the root, or the branch point where they leave a neurite of another structure, which is not changed.

    Parameters
    ----------
    tree : Morphology
    base : float
        Diameter at the base in um.
    tip : float
        Diameter at the tips in um.
    structure : int or sequence of int, optional
        SWC structure identifiers of the samples to change; by default all but the soma.

    Returns
    -------
    Morphology

    Raises
    ------
    ParameterError
        If a diameter is not positive, `tip` exceeds `base` or the tree has none of the structures.

    References
    ----------
    .. [1] H. Cuntz, A. Borst and I. Segev, "Optimization principles of dendritic structure", Theor. Biol. Med.
       Model. 4, 2007, 21.
    """
    base = number("base", base, above=0)
    tip = number("tip", tip, above=0, most=base)
    samples = samples_of("tree", tree)
    rows = _rows(samples, structure)
    length = edge_length(samples)
    length[stem_rows(samples)] = 0.0
    parent = samples.parent.tolist()
    inside = rows.tolist()
    run = length.tolist()
    for row, above in enumerate(parent):  # distance from the base
        if above >= 0 and inside[row] and inside[above]:
            run[row] += run[above]
    along = np.array(run)
    tips = _sum_over_tips(samples, rows, np.ones(len(samples)))
    with np.errstate(divide="ignore"):
        inverse = np.where(along > 0, 1.0 / np.where(along > 0, along, 1.0), 0.0)
    # mean over tips of (1 - s/L)^2 = 1 - 2 s <1/L> + s^2 <1/L^2>: two sums over the subtree instead of a walk per tip
    first = _sum_over_tips(samples, rows, inverse) / np.maximum(tips, 1)
    second = _sum_over_tips(samples, rows, inverse * inverse) / np.maximum(tips, 1)
    share = np.clip(1.0 - 2.0 * along * first + along * along * second, 0.0, 1.0)
    diameter = (tip + (base - tip) * share).tolist()
    for row, above in enumerate(parent):
        if above >= 0 and inside[row] and inside[above]:
            diameter[row] = min(diameter[row], diameter[above])
    radius = np.where(rows, 0.5 * np.array(diameter), samples.radius)
    return morphology(draft(samples.xyz, radius, samples.parent, samples.type), tree.name)


def power_taper(
    tree: Morphology, tip: float, *, exponent: float = 1.5, structure: ArrayLike | None = None
) -> Morphology:
    r"""Diameters from the number of tips, so that a power law holds at every branch point.

    .. math:: d_p^{\,e} = \sum_c d_c^{\,e}, \qquad d = d_{tip}\, n_{tips}^{1/e}

    Rall's law is e = 3/2; large trees with many tips (Purkinje cells) are thinner at the base than that, with e
    between 2 and 3. Diameters are constant between branch points.

    Parameters
    ----------
    tree : Morphology
    tip : float
        Diameter at the tips in um.
    exponent : float, default 1.5
        The exponent e.
    structure : int or sequence of int, optional
        SWC structure identifiers of the samples to change; by default all but the soma.

    Returns
    -------
    Morphology

    Raises
    ------
    ParameterError
        If `tip` or `exponent` is not positive or the tree has none of the structures.

    Notes
    -----
    The radius of a branch point is the parent branch's; the daughters have theirs from their next samples on.
    """
    tip = number("tip", tip, above=0)
    exponent = number("exponent", exponent, above=0)
    samples = samples_of("tree", tree)
    rows = _rows(samples, structure)
    tips = np.maximum(_sum_over_tips(samples, rows, np.ones(len(samples))), 1.0)
    radius = np.where(rows, 0.5 * tip * tips ** (1.0 / exponent), samples.radius)
    return morphology(draft(samples.xyz, radius, samples.parent, samples.type), tree.name)


def _rows(samples: Samples, structure: ArrayLike | None) -> NDArray[np.bool_]:
    has_point_soma(samples)
    if structure is None:
        rows: NDArray[np.bool_] = samples.type != SOMA
    else:
        rows = np.isin(samples.type, numbers("structure", structure)) & (samples.type != SOMA)
    if not rows.any():
        present = sorted(set(samples.type.tolist()) - {SOMA})
        raise ParameterError(f"structure={short(structure)} is not in this tree; its neurites have: {present}")
    return rows


def _sum_over_tips(samples: Samples, rows: NDArray[np.bool_], value: Floats) -> Floats:
    """For each sample the sum of `value` over the tips above it, among `rows` only."""
    parent, inside = samples.parent.tolist(), rows.tolist()
    is_tip = rows & (child_count(np.where(rows, samples.parent, -1)) == 0)
    total = np.where(is_tip, value, 0.0).tolist()
    for row in range(len(parent) - 1, 0, -1):
        if inside[row] and parent[row] >= 0 and inside[parent[row]]:
            total[parent[row]] += total[row]
    return np.array(total)
