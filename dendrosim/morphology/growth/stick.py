"""Unbranched shapes: one cable along given points, and the ball and stick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import number, numbers
from ...errors import ParameterError
from ..samples import BASAL, SOMA, Samples
from .draft import Floats, distance, draft, morphology, neurite, on_surface, pieces, positions

if TYPE_CHECKING:
    from ..tree import Morphology


def ball_and_stick(
    *,
    soma_radius: float = 10.0,
    length: float = 500.0,
    radius: float = 1.0,
    spacing: float = 10.0,
    structure: int = BASAL,
) -> Morphology:
    r"""A spherical soma and one cylindrical dendrite that leaves its surface along y.

    The model of Rall (1962): a lumped soma in parallel with one finite cable. The soma has area :math:`4\pi r_s^2`, the
    stick :math:`2\pi r l`; the stick's far end is sealed.

    Parameters
    ----------
    soma_radius : float, default 10.0
        Radius of the soma in um.
    length : float, default 500.0
        Length of the stick in um.
    radius : float, default 1.0
        Radius of the stick in um.
    spacing : float, default 10.0
        Largest distance between neighbouring samples in um.
    structure : int, default 3
        SWC structure identifier of the stick.

    Returns
    -------
    Morphology
        With a soma of one point at the origin.

    Raises
    ------
    ParameterError
        If a length or radius is not finite and positive, or the radius exceeds the soma's.

    References
    ----------
    .. [1] W. Rall, "Theory of physiological properties of dendrites", Ann. N. Y. Acad. Sci. 96, 1962, 1071-1092.

    Examples
    --------
    >>> from dendrosim.morphology.growth import ball_and_stick
    >>> len(ball_and_stick(length=100.0, spacing=25.0).samples)
    6
    """
    soma_radius = number("soma_radius", soma_radius, above=0)
    length = number("length", length, above=0)
    radius = number("radius", radius, above=0, most=soma_radius)
    steps = pieces(length, number("spacing", spacing, above=0))
    points = np.zeros((steps + 1, 3))
    points[:, 1] = soma_radius + length * np.arange(steps + 1) / steps
    return morphology(
        cable(points, radius, structure=structure, soma=np.zeros(3), soma_radius=soma_radius), "ball_and_stick"
    )


def unbranched(
    points: ArrayLike,
    radius: ArrayLike,
    *,
    structure: int = BASAL,
    soma: ArrayLike | None = None,
    soma_radius: float = 10.0,
) -> Morphology:
    """One cable through `points`, with or without a soma at its beginning.

    Parameters
    ----------
    points : array of shape (n, 3)
        Positions in um, from the beginning to the tip, at least two.
    radius : float or array of shape (n,)
        Radius at each point in um.
    structure : int, default 3
        SWC structure identifier of the cable.
    soma : array of shape (3,), optional
        Centre of a soma that the cable is attached to; without it the first point is the root.
    soma_radius : float, default 10.0
        Radius of that soma in um.

    Returns
    -------
    Morphology

    Raises
    ------
    ParameterError
        If points are missing, not finite, or follow each other in one place, or a radius is not positive.
    """
    path = positions("points", points, least=2)
    same = np.flatnonzero(distance(path[1:], path[:-1]) == 0.0)
    if same.size:
        raise ParameterError(f"points[{same[0]}] and points[{same[0] + 1}] are in the same place; drop one of them")
    radii = np.asarray(numbers("radius", radius), dtype=np.float64)
    if radii.shape not in ((), (len(path),)):
        raise ParameterError(f"radius has shape {radii.shape}; it must be one number or of shape ({len(path)},)")
    for k, value in enumerate(np.atleast_1d(radii).tolist()):
        number(f"radius[{k}]" if radii.ndim else "radius", value, above=0)
    centre = None if soma is None else positions("soma", soma)[0]
    return morphology(cable(path, radii, structure=structure, soma=centre, soma_radius=soma_radius), "unbranched")


def cable(points: Floats, radius: ArrayLike, *, structure: int, soma: Floats | None, soma_radius: float) -> Samples:
    """Samples along `points`; with a soma, one more that stands before them."""
    structure = neurite("structure", structure)
    n = len(points)
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), n)
    if soma is None:
        return draft(points, radii, np.arange(-1, n - 1), structure)
    soma_radius = number("soma_radius", soma_radius, above=0)
    first = points[:1]
    if distance(first[0], soma) < soma_radius * (1 - 1e-9):
        first = on_surface(soma, soma_radius, first)
        raise ParameterError(
            f"points[0] = {points[0].tolist()} lies inside the soma of radius {soma_radius:g} um; "
            f"begin on its surface, for example at {first[0].round(3).tolist()}"
        )
    return draft(
        np.vstack([soma, points]),
        np.concatenate([[soma_radius], radii]),
        np.arange(-1, n),
        np.concatenate([[SOMA], np.full(n, structure)]),
    )
