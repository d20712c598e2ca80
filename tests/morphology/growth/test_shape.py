"""Resampling, smoothing, jitter."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.morphology.growth import jitter, minimum_spanning_tree, rall_tree, resample, smooth, unbranched

SOMA_AND_FORK = """
1 1 0 0 0 5 -1
2 3 5 0 0 1 1
3 3 15 0 0 1 2
4 3 15 7 0 0.5 3
5 4 15 0 9 0.5 3
"""


def edges(samples):
    return np.linalg.norm(samples.xyz - samples.xyz[np.maximum(samples.parent, 0)], axis=1)


@pytest.fixture(scope="module")
def bushy():
    carriers = np.random.default_rng(0).uniform(-80, 80, (150, 3))
    carriers = carriers[np.linalg.norm(carriers, axis=1) > 12]
    return minimum_spanning_tree(carriers, balance=0.5, soma_radius=8.0)


def test_resampling_keeps_course_length_and_ends():
    samples = resample(ds.Morphology.from_swc(SOMA_AND_FORK), 4.0).samples
    np.testing.assert_allclose(edges(samples)[1:], [5.0] + [10 / 3] * 3 + [3.5] * 2 + [3.0] * 3)
    assert samples.type.tolist() == [1, 3, 3, 3, 3, 3, 3, 4, 4, 4]
    assert samples.parent.tolist() == [-1, 0, 1, 2, 3, 4, 5, 4, 7, 8]
    np.testing.assert_allclose(samples.radius[4:7], [1.0, 0.75, 0.5])


def test_resampling_leaves_topology_and_never_lengthens(bushy):
    before, after = bushy.samples, resample(bushy, 5.0).samples
    counts = [np.bincount(s.parent[1:], minlength=len(s)) for s in (before, after)]
    assert (counts[0][1:] == 2).sum() == (counts[1][1:] == 2).sum()
    assert (counts[0] == 0).sum() == (counts[1] == 0).sum()
    assert edges(after)[after.parent > 0].max() <= 5.0 + 1e-9
    assert edges(after).sum() <= edges(before).sum() + 1e-9


def test_smoothing_shortens_and_keeps_ends(bushy):
    before, after = resample(bushy, 4.0).samples, smooth(resample(bushy, 4.0), 8).samples
    children = np.bincount(before.parent[1:], minlength=len(before))
    ends = (children == 0) | (before.parent <= 0)
    np.testing.assert_array_equal(before.xyz[ends], after.xyz[ends])
    assert edges(after).sum() < edges(before).sum()
    np.testing.assert_array_equal(before.parent, after.parent)


def test_smoothing_leaves_an_even_straight_line_alone():
    line = unbranched(np.stack([np.arange(20.0), np.zeros(20), np.zeros(20)], axis=1), 1.0)
    np.testing.assert_allclose(smooth(line, 10).samples.xyz, line.samples.xyz, atol=1e-12)


def test_jitter_has_the_stated_amplitude_and_correlation():
    n, amplitude, correlation = 40_000, 2.0, 10.0
    line = unbranched(np.stack([np.arange(float(n)), np.zeros(n), np.zeros(n)], axis=1), 1.0)
    shift = jitter(line, amplitude, seed=3, correlation=correlation).samples.xyz - line.samples.xyz
    assert shift[0].tolist() == [0.0, 0.0, 0.0]
    for axis in range(3):
        u = shift[200:, axis]
        # n / (2 c) independent pieces: 5 % is about three standard errors of a variance
        np.testing.assert_allclose(u.var(), amplitude**2, rtol=0.1)
        np.testing.assert_allclose((u[:-10] * u[10:]).mean() / u.var(), np.exp(-1.0), atol=0.05)


def test_jitter_needs_a_seed_and_repeats_it(bushy):
    first, second = (jitter(bushy, 1.0, seed=5).samples for _ in range(2))
    assert first.xyz.tobytes() == second.xyz.tobytes()
    fixed = bushy.samples.parent <= 0
    np.testing.assert_array_equal(first.xyz[fixed], bushy.samples.xyz[fixed])
    with pytest.raises(ParameterError, match="seed=None is impossible"):
        jitter(bushy, 1.0, None)


def test_children_before_parents_are_put_in_order():
    tree = ds.Morphology.from_swc("3 3 10 0 0 1 2\n2 1 0 0 0 9 -1\n1 3 20 0 0 1 3")
    samples = resample(tree, 10.0).samples
    assert samples.xyz[:, 0].tolist() == [0.0, 10.0, 20.0]
    assert samples.parent.tolist() == [-1, 0, 1]
    assert samples.id.tolist() == [1, 2, 3]


def test_coincident_samples_survive_resampling():
    tree = rall_tree(2, length=10.0, spacing=5.0)
    again = resample(tree, 5.0).samples
    np.testing.assert_allclose(edges(again).sum(), edges(tree.samples).sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: resample(t, 0.0), "spacing=0.0 is impossible; it must be > 0"),
        (lambda t: smooth(t, -1), "passes=-1 must be a whole number of at least 0"),
        (lambda t: smooth(t, 3, weight=1.5), "weight=1.5 is impossible; it must be >= 0 and <= 1"),
        (lambda t: jitter(t, -1.0, 0), "amplitude=-1.0 is impossible"),
        (lambda t: jitter(t, 1.0, 0, correlation=0.0), "correlation=0.0 is impossible; it must be > 0"),
    ],
)
def test_impossible_shapes_are_refused(bushy, call, message):
    with pytest.raises(ParameterError, match=message):
        call(bushy)
