"""Regions and carrier points."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from dendrosim.errors import ParameterError
from dendrosim.morphology.growth import Box, Cone, Ellipsoid, scatter

VOLUMES = [
    (Box((0, -5, 2), (10, 5, 4)), 10 * 10 * 2),
    (Ellipsoid((1, 2, 3), (5, 10, 2)), 4 / 3 * np.pi * 5 * 10 * 2),
    (Ellipsoid((1, 2, 3), (5, 10, 2), hollow=0.6), 4 / 3 * np.pi * 5 * 10 * 2 * (1 - 0.6**3)),
    (Cone((0, 0, 0), (0, 30, 0), 10, 10), np.pi * 100 * 30),
    (Cone((0, 0, 0), (10, 10, 10), 0, 6), np.pi * 36 * np.sqrt(300) / 3),
    (Cone((3, 0, -4), (3, 8, 2), 5, 2), np.pi * 10 / 3 * (25 + 10 + 4)),
]


@pytest.mark.parametrize(("region", "volume"), VOLUMES)
def test_regions_have_their_volume_within_their_bounds(region, volume):
    low, high = region.bounds()
    n = 40_000
    wide = (high - low) * 0.1
    points = np.random.default_rng(0).uniform(low - wide, high + wide, (n, 3))
    inside = region.contains(points)
    share = volume / np.prod((high - low) * 1.2)
    assert abs(inside.mean() - share) < 4 * np.sqrt(share * (1 - share) / n)
    assert (points[inside] >= low).all()
    assert (points[inside] <= high).all()


def test_scatter_is_reproducible_and_stays_inside():
    region = Ellipsoid((0, 0, 0), (50, 100, 20))
    first, second = (scatter(region, 300, seed=4) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.shape == (300, 3)
    assert region.contains(first).all()


def test_scatter_keeps_points_apart_and_follows_a_density():
    box = Box((0, 0, 0), (100, 100, 100))
    assert pdist(scatter(box, 200, seed=1, apart=9.0)).min() >= 9.0
    skewed = scatter(box, 2000, seed=2, density=lambda p: p[:, 1] / 100.0)
    assert abs(skewed[:, 1].mean() - 200 / 3) < 4 * np.sqrt(10_000 / 18 / 2000)  # mean and variance of a ramp


def test_impossible_scatter_is_refused():
    box = Box((0, 0, 0), (10, 10, 10))
    with pytest.raises(ParameterError, match=r"only \d+ of n=20 points found in \d+ draws .* lower n or apart=9 um"):
        scatter(box, 20, seed=0, apart=9.0)
    with pytest.raises(ParameterError, match="density must return one probability from 0 to 1"):
        scatter(box, 5, seed=0, density=lambda p: p[:, 0])
    with pytest.raises(ParameterError, match="n=0 must be a whole number of at least 1"):
        scatter(box, 0, seed=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Box((0, 0, 0), (1, 0, 1)), r"high=\(1, 0, 1\) must exceed low=\(0, 0, 0\) in x, y and z"),
        (lambda: Ellipsoid((0, 0, 0), (1, -1, 1)), r"semi_axes\[1\]=-1.0 is impossible; it must be > 0"),
        (lambda: Ellipsoid((0, 0, 0), (1, 1, 1), hollow=1.0), "hollow=1.0 leaves nothing"),
        (lambda: Ellipsoid((0, np.nan, 0), (1, 1, 1)), r"centre\[0\] = .* is not finite"),
        (lambda: Cone((0, 0, 0), (0, 0, 0), 1, 1), "a cone needs a length"),
        (lambda: Cone((0, 0, 0), (0, 1, 0), 0, 0), "start_radius and stop_radius are both 0"),
        (lambda: Cone((0, 0, 0), (0, 1, 0), -1, 1), "start_radius=-1 is impossible; it must be >= 0"),
    ],
)
def test_impossible_regions_are_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
