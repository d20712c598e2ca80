"""Dimension of activities and the place of a Jacobian's rows, against planted manifolds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from dendrosim.diagnostics.dimension import (
    components_for,
    participation_ratio,
    principal_angles,
    principal_axes,
    random_basis,
    subspace_alignment,
    two_nn,
)
from dendrosim.errors import ParameterError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def planted(rng, n, d, scales):
    """Gaussian activity with these standard deviations along orthonormal directions of R^d, off the origin."""
    basis = random_basis(d, len(scales), rng)
    z = rng.standard_normal((n, len(scales)))
    z = np.linalg.qr(z - z.mean(axis=0))[0] * np.sqrt(n)  # the sample's covariance is then exactly the identity
    return 3.0 + (z * scales) @ basis.T, basis


def test_principal_axes_find_a_planted_subspace(rng):
    scales = np.array([3.0, 2.0, 1.0])
    activity, basis = planted(rng, 500, 20, scales)
    variance, axes = principal_axes(activity)
    np.testing.assert_allclose(variance, scales**2, rtol=1e-10)
    np.testing.assert_allclose(np.abs(basis.T @ axes), np.eye(3), atol=1e-8)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)


def test_participation_ratio_of_planted_variances(rng):
    scales = np.array([3.0, 2.0, 1.0, 0.5])
    v = scales**2
    assert participation_ratio(planted(rng, 500, 20, scales)[0]) == pytest.approx(v.sum() ** 2 / (v**2).sum())
    assert participation_ratio(planted(rng, 500, 20, np.ones(7))[0]) == pytest.approx(7.0)
    assert np.isnan(participation_ratio(np.ones((5, 3))))


@pytest.mark.parametrize(("fraction", "expected"), [(0.5, 1), (0.6, 1), (0.61, 2), (0.9, 2), (0.91, 3), (1.0, 3)])
def test_components_for_a_share_of_the_variance(fraction, expected):
    assert components_for([6.0, 3.0, 1.0], fraction) == expected


def test_nothing_needs_no_components():
    assert components_for([], 0.9) == 0


@pytest.mark.parametrize("d", [2, 30])
def test_two_nn_of_a_circle_is_one(rng, d):
    angle = rng.uniform(0, 2 * np.pi, 3000)
    circle = np.column_stack([np.cos(angle), np.sin(angle)]) @ random_basis(d, 2, rng).T
    assert two_nn(circle) == pytest.approx(1.0, abs=0.06)


def test_two_nn_of_a_sphere_is_two(rng):
    points = rng.standard_normal((4000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert two_nn(points @ random_basis(25, 3, rng).T) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_two_nn_of_a_gaussian_is_its_rank(rng, rank):
    assert two_nn(rng.standard_normal((4000, rank)) @ random_basis(40, rank, rng).T) == pytest.approx(rank, rel=0.08)


def test_two_nn_against_distances_of_all_pairs(rng):
    points = rng.random((60, 4))
    sorted_distances = np.sort(cdist(points, points), axis=1)
    mu = np.sort(sorted_distances[:, 2] / sorted_distances[:, 1])
    kept = int(0.9 * 60)
    x, y = np.log(mu[:kept]), -np.log(1 - np.arange(1, kept + 1) / 60)
    slope = np.linalg.lstsq(x[:, None], y, rcond=None)[0][0]
    assert two_nn(points) == pytest.approx(slope, rel=1e-10)


def test_two_nn_ignores_repetitions_and_gives_up_on_too_few(rng):
    points = rng.random((100, 3))
    assert two_nn(np.vstack([points, points[:40]])) == pytest.approx(two_nn(points), rel=1e-12)
    assert np.isnan(two_nn(np.ones((50, 3))))
    assert np.isnan(two_nn([[0.0], [1.0], [1.0]]))


def test_alignment_of_random_subspaces_is_chance(rng):
    jacobian = rng.standard_normal((10, 40))
    found = [subspace_alignment(jacobian, random_basis(40, 8, rng)) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(8 / 40, abs=4 * np.std(found) / np.sqrt(2000))


def test_alignment_inside_across_and_between(rng):
    basis = random_basis(30, 6, rng)
    inside = rng.standard_normal((3, 6)) @ basis.T
    across = rng.standard_normal((3, 30))
    across -= across @ basis @ basis.T
    assert subspace_alignment(inside, basis) == pytest.approx(1.0)
    assert subspace_alignment(across, basis) == pytest.approx(0.0, abs=1e-20)
    mixed = subspace_alignment(inside + across, basis)
    assert mixed == pytest.approx((inside**2).sum() / ((inside**2).sum() + (across**2).sum()))
    np.testing.assert_allclose(principal_angles(inside, basis), 0.0, atol=1e-5)
    np.testing.assert_allclose(principal_angles(across, basis), 90.0, atol=1e-5)
    assert np.isnan(subspace_alignment(np.zeros((3, 30)), basis))
    assert principal_angles(np.zeros((3, 30)), basis).size == 0


def test_principal_angles_of_planes_at_known_angles():
    axes = np.eye(6)
    tilted = [np.cos(a) * axes[i] + np.sin(a) * axes[i + 3] for i, a in enumerate(np.deg2rad([10.0, 40.0]))]
    rows = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]]) @ np.array(tilted)  # three rows, two dimensions
    np.testing.assert_allclose(principal_angles(rows, axes[:, :2]), [10.0, 40.0], rtol=1e-8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_nn(np.zeros(4)), r"activity has shape \(4,\); expected \(B, d\)"),
        (lambda: two_nn(np.zeros((4, 2)), discard=1.0), "discard=1.0 is impossible"),
        (lambda: participation_ratio(np.zeros((1, 3))), "at least 2 samples"),
        (lambda: participation_ratio([[np.nan], [0.0]]), "NaN or infinite"),
        (lambda: components_for([1.0], 0.0), "fraction=0.0 is impossible; it must be > 0"),
        (lambda: subspace_alignment(np.ones((2, 3)), np.eye(4)), r"\(2, 3\) and basis \(4, 4\); expected"),
        (lambda: subspace_alignment(np.ones((2, 3)), np.ones((3, 2))), "not orthonormal"),
    ],
)
def test_what_does_not_fit_is_said(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
