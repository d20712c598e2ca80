"""Rall's 3/2 law."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.morphology.growth import rall_tree


def branches(samples):
    """Of each branch: row of its first and its last sample; it ends at a branch point or tip."""
    children = np.bincount(samples.parent[samples.parent >= 0], minlength=len(samples))
    out = []
    for last in np.flatnonzero(children != 1):
        first = int(last)
        while samples.parent[first] >= 0 and children[samples.parent[first]] == 1:
            first = int(samples.parent[first])
        out.append((first, int(last)))
    return out


@pytest.mark.parametrize("split", [0.5, 0.3, 0.85])
def test_diameters_obey_the_law_and_electrotonic_lengths_are_equal(split):
    levels, radius, length = 5, 2.5, 120.0
    samples = rall_tree(levels, radius=radius, length=length, split=split).samples
    found = branches(samples)
    assert len(found) == 2**levels - 1
    step = samples.xyz - samples.xyz[np.maximum(samples.parent, 0)]
    edge = np.sqrt((step**2).sum(axis=1))
    for first, last in found:
        own = samples.radius[last]
        assert (samples.radius[first : last + 1] == own).all()
        # l / lambda with lambda proportional to sqrt(d): the same for every branch
        np.testing.assert_allclose(edge[first : last + 1].sum() / np.sqrt(own), length / np.sqrt(radius), rtol=1e-12)
        daughters = np.flatnonzero(samples.parent == last)
        if daughters.size:
            assert daughters.size == 2
            np.testing.assert_allclose((samples.radius[daughters] ** 1.5).sum(), own**1.5, rtol=1e-13)
            np.testing.assert_allclose(samples.radius[daughters[0]] ** 1.5 / own**1.5, split, rtol=1e-12)
            np.testing.assert_array_equal(samples.xyz[daughters], samples.xyz[[last, last]])


def test_area_equals_that_of_the_equivalent_cylinder():
    # sum over a level of d l with l ~ sqrt(d) is the sum of d^(3/2) / sqrt(d0): every level has the area of the first
    samples = rall_tree(6, radius=1.5, length=80.0).samples
    step = samples.xyz - samples.xyz[np.maximum(samples.parent, 0)]
    area = (2 * np.pi * samples.radius * np.sqrt((step**2).sum(axis=1))).sum()
    np.testing.assert_allclose(area, 6 * 2 * np.pi * 1.5 * 80.0, rtol=1e-12)


def test_one_level_is_a_cylinder_and_lengths_may_be_given_per_level():
    one = rall_tree(1, length=50.0, spacing=20.0).samples
    assert len(one) == 4
    three = rall_tree(3, length=[50.0, 30.0, 10.0], spacing=100.0, soma_radius=7.0).samples
    assert three.type[0] == 1
    assert three.radius[0] == 7.0
    edge = np.linalg.norm(three.xyz - three.xyz[np.maximum(three.parent, 0)], axis=1)
    np.testing.assert_allclose(np.sort(edge[edge > 0]), [7, 10, 10, 10, 10, 30, 30, 50], rtol=1e-12)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"levels": 0}, "levels=0 must be a whole number of at least 1"),
        ({"levels": 17}, r"levels=17 would make 2\*\*17 - 1 branches; 16 is the most"),
        ({"radius": -2.0}, "radius=-2.0 is impossible; it must be > 0"),
        ({"length": -2.0}, "length=-2.0 is impossible; it must be > 0"),
        ({"length": [1.0, 2.0]}, "length has 2 entries; it must have one per level: 4"),
        ({"length": "long"}, "length='long' has dtype .*; expected real numbers"),
        ({"levels": 2, "length": [1.0, np.nan]}, r"length\[1\]=nan is impossible"),
        ({"split": 0.0}, "split=0.0 is impossible"),
        ({"split": 1.0}, "split=1.0 leaves nothing for the second daughter"),
        ({"angle": 200.0}, "angle=200.0 is impossible; it must be >= 0 and <= 180"),
    ],
)
def test_impossible_trees_are_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        rall_tree(**given)
