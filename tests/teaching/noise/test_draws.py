"""Moments of the kinds of noise, and the designs that are exact."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.teaching.noise.draws import NOISES


def flat(drawn, n_samples):
    """Perturbations that count, (K * B, directions)."""
    draws, _, directions, _ = drawn.shape
    return drawn.transpose(0, 1, 3, 2).reshape(draws, -1, directions)[:, :n_samples].reshape(-1, directions)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NOISES)
def test_mean_zero_variance_one_and_no_correlation(name, dtype):
    drawn = NOISES[name].draw((50, 5, 11, 8), 37, np.dtype(dtype), np.random.default_rng(0))
    assert drawn.shape == (50, 5, 11, 8)
    assert drawn.dtype == dtype
    xi = flat(drawn, 37)
    bound = 5 / np.sqrt(len(xi))
    assert np.abs(xi.mean(axis=0)).max() < bound
    np.testing.assert_allclose(xi.T @ xi / len(xi), np.eye(11), atol=2 * bound)
    if name != "gauss":
        np.testing.assert_array_equal(np.abs(xi), 1.0)


@pytest.mark.parametrize("directions", [1, 2, 5, 8, 27])
def test_orthogonal_noise_is_exactly_white_after_a_power_of_two(directions):
    m = 1 << (directions - 1).bit_length()
    drawn = NOISES["orthogonal"].draw((3 * m, 2, directions, 4), 5, np.dtype(float), np.random.default_rng(1))
    xi = flat(drawn, 5)
    for i in range(0, len(xi), m):
        np.testing.assert_array_equal(xi[i : i + m].T @ xi[i : i + m], m * np.eye(directions))
    if directions > 2:
        assert len(np.unique(xi[:m], axis=0)) == m
        assert (xi[:m] != xi[m : 2 * m]).any()


def test_the_same_generator_gives_the_same_noise():
    for noise in NOISES.values():
        one, two = (noise.draw((2, 3, 5, 4), 10, np.dtype(float), np.random.default_rng(7)) for _ in range(2))
        np.testing.assert_array_equal(one, two)
