"""Regions of space, and carrier points scattered in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...arguments import function, generator, number, numbers, short, whole
from ...errors import ParameterError
from .draft import Floats, distance, position

_MOST_POINTS = 1_000_000
Point = tuple[float, float, float]
Mask = NDArray[np.bool_]


class Region(Protocol):
    """What `scatter` needs of a region; any object with these two methods will do."""

    def bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper corner of a box around the region in um; shape (3,) each."""
        ...

    def contains(self, points: Floats) -> Mask:
        """Which of `points`, shape (n, 3), lie in the region; shape (n,)."""
        ...


@dataclass(frozen=True)
class Box:
    """A box along the axes, for example a layer of cortex.

    Parameters
    ----------
    low, high : tuple of three float
        Opposite corners in um.
    """

    low: Point
    high: Point

    def __post_init__(self) -> None:
        if not (position("high", self.high) > position("low", self.low)).all():
            raise ParameterError(f"high={self.high!r} must exceed low={self.low!r} in x, y and z")

    def bounds(self) -> tuple[Floats, Floats]:
        """Least and greatest corner, two arrays of shape (3,), um."""
        return np.array(self.low, dtype=np.float64), np.array(self.high, dtype=np.float64)

    def contains(self, points: Floats) -> Mask:
        """Which `points`, (n, 3) in um, lie inside."""
        return np.asarray(((points >= np.array(self.low)) & (points <= np.array(self.high))).all(axis=1))


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid along the axes; with a small third semi-axis a disc.

    Parameters
    ----------
    centre : tuple of three float
        In um.
    semi_axes : tuple of three float
        In um.
    hollow : float, default 0.0
        Inner part that is left out, as a fraction of the semi-axes; 0 is a full ellipsoid.
    """

    centre: Point
    semi_axes: Point
    hollow: float = 0.0

    def __post_init__(self) -> None:
        position("centre", self.centre)
        for k, axis in enumerate(position("semi_axes", self.semi_axes).tolist()):
            number(f"semi_axes[{k}]", axis, above=0)
        if number("hollow", self.hollow, least=0, most=1) == 1.0:
            raise ParameterError("hollow=1.0 leaves nothing of the ellipsoid; it must be >= 0 and < 1")

    def bounds(self) -> tuple[Floats, Floats]:
        """Least and greatest corner, two arrays of shape (3,), um."""
        centre, axes = np.array(self.centre, dtype=np.float64), np.array(self.semi_axes, dtype=np.float64)
        return centre - axes, centre + axes

    def contains(self, points: Floats) -> Mask:
        """Which `points`, (n, 3) in um, lie inside."""
        reach = distance((points - np.array(self.centre)) / np.array(self.semi_axes), np.zeros(3))
        inside: Mask = (reach <= 1.0) & (reach >= self.hollow)
        return inside


@dataclass(frozen=True)
class Cone:
    """A truncated cone around the line from `start` to `stop`; with equal radii a cylinder.

    Parameters
    ----------
    start, stop : tuple of three float
        Ends of the axis in um.
    start_radius, stop_radius : float
        Radii at the two ends in um; 0 makes a tip.
    """

    start: Point
    stop: Point
    start_radius: float
    stop_radius: float

    def __post_init__(self) -> None:
        if float(distance(position("start", self.start), position("stop", self.stop))) == 0.0:
            raise ParameterError(f"start and stop are both {self.start!r}; a cone needs a length")
        if max(number(f"{n}_radius", getattr(self, f"{n}_radius"), least=0) for n in ("start", "stop")) == 0.0:
            raise ParameterError("start_radius and stop_radius are both 0; at least one must be > 0")

    def bounds(self) -> tuple[Floats, Floats]:
        """Least and greatest corner, two arrays of shape (3,), um."""
        start, stop = np.array(self.start, dtype=np.float64), np.array(self.stop, dtype=np.float64)
        axis = (stop - start) / distance(stop, start)
        across = np.sqrt(np.maximum(1.0 - axis * axis, 0.0))
        ends = np.array([start - across * self.start_radius, start + across * self.start_radius,
                         stop - across * self.stop_radius, stop + across * self.stop_radius])  # fmt: skip
        return ends.min(axis=0), ends.max(axis=0)

    def contains(self, points: Floats) -> Mask:
        """Which `points`, (n, 3) in um, lie inside."""
        start = np.array(self.start, dtype=np.float64)
        axis = np.array(self.stop) - start
        along = ((points - start) * axis).sum(axis=1) / float((axis * axis).sum())
        off = distance(points, start + along[:, None] * axis)
        inside: Mask = (
            (along >= 0) & (along <= 1) & (off <= self.start_radius + along * (self.stop_radius - self.start_radius))
        )
        return inside


def scatter(
    region: Region,
    n: int,
    seed: int | np.random.Generator,
    *,
    apart: float = 0.0,
    density: Callable[[Floats], Floats] | None = None,
) -> Floats:
    """Carrier points drawn at random from a region.

    Parameters
    ----------
    region : Region
        Where; `Box`, `Ellipsoid`, `Cone` or any object with ``bounds()`` and ``contains(points)``.
    n : int
        How many.
    seed : int or numpy.random.Generator
        Same seed, same points.
    apart : float, default 0.0
        Least distance between any two points in um; makes the points more even than chance.
    density : callable, optional
        Takes points of shape (m, 3) and returns, for each, the probability from 0 to 1 that it is kept; uniform if left
        out.

    Returns
    -------
    float array of shape (n, 3)

    Raises
    ------
    ParameterError
        If the region, with `density` and `apart`, does not yield `n` points in 1,000 draws per point.

    Examples
    --------
    >>> from dendrosim.morphology.growth import Ellipsoid, scatter
    >>> scatter(Ellipsoid((0, 0, 0), (50, 100, 20)), 5, seed=1).shape
    (5, 3)
    """
    if not (hasattr(region, "bounds") and hasattr(region, "contains")):
        raise ParameterError(f"region={short(region)} must be a Box, Cone, Ellipsoid or have bounds() and contains()")
    n = whole("n", n, 1, most=_MOST_POINTS)
    apart = number("apart", apart, least=0)
    if density is not None:
        function("density", density, "of points of shape (k, 3), that returns a probability for each")
    rng = generator("seed", seed)
    low, high = region.bounds()
    kept = np.empty((n, 3))
    found, drawn = 0, 0
    while found < n:
        if drawn >= 1_000 * n:
            raise ParameterError(
                f"only {found} of n={n} points found in {drawn} draws from {region!r}; lower n or apart={apart:g} um, "
                "raise density, or check the region"
            )
        points = low + rng.random((4 * n, 3)) * (high - low)
        drawn += len(points)
        keep = region.contains(points)
        if density is not None:
            chance = numbers("what density returns", density(points))
            if chance.shape != keep.shape or not ((chance >= 0) & (chance <= 1)).all():
                raise ParameterError("density must return one probability from 0 to 1 for each point")
            keep &= rng.random(len(points)) < chance
        for point in points[keep]:
            if found < n and (apart == 0.0 or found == 0 or bool((distance(kept[:found], point) >= apart).all())):
                kept[found] = point
                found += 1
    return kept
