"""Binary trees that obey Rall's 3/2 law at every branch point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...arguments import number, numbers, whole
from ...errors import ParameterError
from ..samples import BASAL, SOMA, Samples
from .draft import Floats, draft, morphology, neurite, pieces

if TYPE_CHECKING:
    from ..tree import Morphology


def rall_tree(
    levels: int = 4,
    *,
    radius: float = 2.0,
    length: float | Sequence[float] = 100.0,
    split: float = 0.5,
    spacing: float = 10.0,
    angle: float = 80.0,
    soma_radius: float | None = None,
    structure: int = BASAL,
) -> Morphology:
    r"""A binary tree whose diameters obey Rall's 3/2 law, and which is therefore one equivalent cylinder.

    At every branch point :math:`d_p^{3/2} = d_1^{3/2} + d_2^{3/2}` with :math:`d_1^{3/2} = s\, d_p^{3/2}` (`split` s),
    so that input conductances of the daughters sum to that of a continued parent. A cable's space constant is
    :math:`\lambda = \sqrt{d R_m / 4 R_a}`; with one number for `length` the branches of level k have
    :math:`l = l_0 \sqrt{d / d_0}`, hence the same electrotonic length :math:`l/\lambda` whatever the membrane, and all
    tips are at the same electrotonic distance: the conditions of Rall's reduction. The equivalent cylinder has the
    diameter of the first branch and the length `levels` times `length`.

    Every branch is a cylinder: it begins with a sample of its own radius in the place of the branch point. Compartments
    leave out that step in radius, as Rall's theory does (no ring of membrane, no resistance), so that the tree is its
    equivalent cylinder exactly.

    Parameters
    ----------
    levels : int, default 4
        Number of levels of branches: 1 is one cylinder, 4 has eight tips.
    radius : float, default 2.0
        Radius of the first branch in um.
    length : float or sequence of float, default 100.0
        One number: length of the first branch in um; those above have the same electrotonic length. A sequence: the
        length of all branches of each level in um (Rall's reduction then needs daughters alike: ``split=0.5``).
    split : float, default 0.5
        Share of the parent's :math:`d^{3/2}` that the first daughter takes, between 0 and 1.
    spacing : float, default 10.0
        Largest distance between neighbouring samples in um.
    angle : float, default 80.0
        Angle between the two daughters of the first branch point in degrees; it shrinks by 0.6 per level. Drawn in the
        plane z = 0; without effect on the physics.
    soma_radius : float, optional
        Radius of a soma of one point at the origin, on whose surface the tree begins.
    structure : int, default 3
        SWC structure identifier of the branches.

    Returns
    -------
    Morphology

    Raises
    ------
    ParameterError
        If a length or radius is not positive, `split` not within (0, 1), `levels` < 1 or above 16.

    References
    ----------
    .. [1] W. Rall, "Branching dendritic trees and motoneuron membrane resistivity", Exp. Neurol. 1, 1959, 491-527.
    .. [2] W. Rall, "Theory of physiological properties of dendrites", Ann. N. Y. Acad. Sci. 96, 1962, 1071-1092.

    Examples
    --------
    >>> from dendrosim.morphology.growth import rall_tree
    >>> len(rall_tree(2, length=10.0, spacing=5.0).samples)
    9
    """
    levels = whole("levels", levels, 1)
    if levels > 16:
        raise ParameterError(f"levels={levels} would make 2**{levels} - 1 branches; 16 is the most")
    radius = number("radius", radius, above=0)
    share = number("split", split, above=0, most=1)
    if share == 1.0:
        raise ParameterError("split=1.0 leaves nothing for the second daughter; it must be > 0 and < 1")
    given = numbers("length", length)
    if given.ndim:
        if given.shape != (levels,):
            raise ParameterError(f"length has {given.size} entries; it must have one per level: {levels}")
        lengths = [number(f"length[{k}]", value, above=0) for k, value in enumerate(given.tolist())]
    else:
        lengths = [number("length", length, above=0)] * levels
    grown = _branches(
        radius=radius,
        lengths=lengths,
        electrotonic=not given.ndim,
        share=share,
        spacing=number("spacing", spacing, above=0),
        angle=np.deg2rad(number("angle", angle, least=0, most=180)),
        soma_radius=None if soma_radius is None else number("soma_radius", soma_radius, above=0),
        structure=neurite("structure", structure),
    )
    return morphology(grown, "rall_tree")


def _branches(
    *,
    radius: float,
    lengths: list[float],
    electrotonic: bool,
    share: float,
    spacing: float,
    angle: float,
    soma_radius: float | None,
    structure: int,
) -> Samples:
    xyz: list[Floats] = []
    radii: list[Floats] = []
    parents: list[Floats] = []
    n = 0
    start = np.zeros(3)
    if soma_radius is not None:
        xyz, radii, parents, n = [np.zeros((1, 3))], [np.array([soma_radius])], [np.array([-1])], 1
        start = np.array([0.0, soma_radius, 0.0])
    queue = [(n - 1, 0, radius, start, np.pi / 2)]  # parent row, level, radius, first point, heading
    for parent, level, own, first, heading in queue:
        long = lengths[level] * (np.sqrt(own / radius) if electrotonic else 1.0)
        steps = pieces(long, spacing)
        way = np.array([np.cos(heading), np.sin(heading), 0.0])
        xyz.append(first + long * (np.arange(steps + 1) / steps)[:, None] * way)
        radii.append(np.full(steps + 1, own))
        parents.append(np.concatenate([[parent], np.arange(n, n + steps)]))
        n += steps + 1
        if level + 1 < len(lengths):
            turn = 0.5 * angle * 0.6**level
            for part, side in ((share, turn), (1.0 - share, -turn)):
                queue.append((n - 1, level + 1, own * part ** (2.0 / 3.0), xyz[-1][-1], heading + side))
    types = np.full(n, structure)
    if soma_radius is not None:
        types[0] = SOMA
    return draft(np.vstack(xyz), np.concatenate(radii), np.concatenate(parents), types)
