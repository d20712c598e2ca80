"""Diameters."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.morphology.growth import (
    ball_and_stick,
    minimum_spanning_tree,
    power_taper,
    quadratic_taper,
    resample,
    unbranched,
)


@pytest.fixture(scope="module")
def bushy():
    carriers = np.random.default_rng(1).uniform(-80, 80, (150, 3))
    carriers = carriers[np.linalg.norm(carriers, axis=1) > 12]
    return resample(minimum_spanning_tree(carriers, balance=0.5, soma_radius=8.0), 6.0)


def tip_walks(samples):
    children = np.bincount(samples.parent[1:], minlength=len(samples))
    for tip in np.flatnonzero(children == 0):
        walk = [int(tip)]
        while samples.parent[walk[-1]] > 0:
            walk.append(int(samples.parent[walk[-1]]))
        yield walk[::-1]


def test_a_cable_gets_the_parabola():
    cable = unbranched(np.stack([np.linspace(0, 90, 31), np.zeros(31), np.zeros(31)], axis=1), 1.0)
    s = np.linspace(0, 1, 31)
    np.testing.assert_allclose(
        2 * quadratic_taper(cable, 3.0, 0.5).samples.radius, 0.5 + 2.5 * (1 - s) ** 2, rtol=1e-12
    )


def test_a_sample_has_the_mean_of_its_paths_but_no_more_than_its_parent(bushy):
    samples = quadratic_taper(bushy, 2.0, 0.6).samples
    total, number = np.zeros(len(samples)), np.zeros(len(samples))
    for walk in tip_walks(samples):  # the definition, tip by tip
        edge = np.linalg.norm(np.diff(samples.xyz[walk], axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(edge)])
        total[walk] += 0.6 + 1.4 * (1 - along / along[-1]) ** 2
        number[walk] += 1
    expected = total / np.maximum(number, 1)
    for row in range(1, len(samples)):
        if samples.parent[row] > 0:
            expected[row] = min(expected[row], expected[samples.parent[row]])
    np.testing.assert_allclose(2 * samples.radius[1:], expected[1:], rtol=1e-10)
    assert samples.radius[0] == 8.0


def test_taper_is_monotone_from_base_to_tips(bushy):
    samples = quadratic_taper(bushy, 2.0, 0.6).samples
    inner = samples.parent > 0
    assert (samples.radius[inner] <= samples.radius[samples.parent[inner]]).all()
    assert (2 * samples.radius[samples.parent == 0] == 2.0).all()
    children = np.bincount(samples.parent[1:], minlength=len(samples))
    np.testing.assert_allclose(2 * samples.radius[children == 0], 0.6, rtol=1e-9)


def test_taper_may_touch_some_structures_only(bushy):
    carriers = np.random.default_rng(2).uniform(100, 150, (20, 3))
    both = minimum_spanning_tree(carriers, start=bushy, structure=4, radius=0.3)
    samples = quadratic_taper(both, 1.5, 0.4, structure=4).samples
    np.testing.assert_array_equal(samples.radius[samples.type == 3], both.samples.radius[samples.type == 3])
    new = samples.type == 4
    assert (samples.radius[new] <= 0.75).all()
    assert samples.radius[new].min() == pytest.approx(0.2)


def test_power_law_holds_at_every_branch_point(bushy):
    samples = power_taper(bushy, 0.8, exponent=2.2).samples
    children = np.bincount(samples.parent[1:], minlength=len(samples))
    for row in range(1, len(samples)):
        if children[row]:
            below = (2 * samples.radius[samples.parent == row]) ** 2.2
            np.testing.assert_allclose(below.sum(), (2 * samples.radius[row]) ** 2.2, rtol=1e-12)
        else:
            assert 2 * samples.radius[row] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: quadratic_taper(t, -1.0, 0.5), "base=-1.0 is impossible; it must be > 0"),
        (lambda t: quadratic_taper(t, 1.0, 2.0), "tip=2.0 is impossible; it must be > 0 and <= 1"),
        (
            lambda t: quadratic_taper(t, 1.0, 0.5, structure=4),
            r"structure=4 is not in this tree; its neurites have: \[3\]",
        ),
        (lambda t: power_taper(t, 0.0), "tip=0.0 is impossible"),
        (lambda t: power_taper(t, 1.0, exponent=np.nan), "exponent=nan is impossible"),
    ],
)
def test_impossible_diameters_are_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call(ball_and_stick())
