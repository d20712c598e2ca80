"""HSIC losses and their gradients against the definition, finite differences and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.plasticity.hsic import KERNELS, RBF, centred, kernel, one_hot

SHAPES = [(7, 3), (4, 9)]  # more samples than compartments, and fewer


def by_definition(name, sigma, z, y):
    """Equations 29 and 30, entry by entry."""
    size = len(z)

    def k(a, b):
        return a @ b if name == "linear" else np.exp(-np.sum((a - b) ** 2) / (2 * sigma**2))

    kz = np.array([[k(a, b) for b in z] for a in z])
    ky = np.array([[k(a, b) for b in y] for a in y])
    h = np.eye(size) - 1 / size
    return np.trace(kz @ h @ kz @ h) / size**2, -np.trace(kz @ h @ ky @ h) / size**2


@pytest.mark.parametrize("name", ["linear", "rbf"])
@pytest.mark.parametrize("shape", SHAPES)
def test_losses_are_equations_29_and_30(name, shape):
    rng = np.random.default_rng(0)
    z, y = rng.random(shape), one_hot(rng.integers(0, 3, shape[0]), 3, np.float64)
    np.testing.assert_allclose(kernel(name, 0.7).losses(z, y), by_definition(name, 0.7, z, y), rtol=1e-12)


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0), (0.3, 0.8)])
@pytest.mark.parametrize("name", ["linear", "rbf"])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_by_finite_differences(name, shape, weights):
    rng = np.random.default_rng(1)
    z, y = rng.random(shape), one_hot(rng.integers(0, 3, shape[0]), 3, np.float64)

    def loss(z):
        return np.dot(weights, by_definition(name, 0.7, z, y))

    expected = np.empty_like(z)
    for index in np.ndindex(*z.shape):
        step = np.zeros_like(z)
        step[index] = 1e-6
        expected[index] = (loss(z + step) - loss(z - step)) / 2e-6
    got = kernel(name, 0.7).gradient(z, y, *weights)
    np.testing.assert_allclose(got, expected, atol=1e-9)
    np.testing.assert_allclose(kernel(name, 0.7).gradient(np.asfortranarray(z), y, *weights), got, rtol=1e-12)


def test_linear_gradients_in_closed_form():
    rng = np.random.default_rng(2)
    z, y = rng.normal(size=(6, 4)), one_hot(rng.integers(0, 3, 6), 3, np.float64)
    h = np.eye(6) - 1 / 6
    np.testing.assert_allclose(kernel("linear").gradient(z, y, 1, 0), 4 / 36 * h @ z @ z.T @ h @ z, rtol=1e-12)
    np.testing.assert_allclose(kernel("linear").gradient(z, y, 0, 1), -2 / 36 * h @ y @ y.T @ h @ z, rtol=1e-12)


@pytest.mark.parametrize("name", list(KERNELS))
def test_descent_decorrelates_and_finds_the_targets(name):
    rng = np.random.default_rng(3)
    z, y = rng.normal(size=(12, 5)), one_hot(np.arange(12) % 3, 3, np.float64)
    k = kernel(name, 2.0)
    before = k.losses(z, y)
    assert k.losses(z - 0.1 * k.gradient(z, y, 1, 0), y)[0] < before[0]
    assert k.losses(z - 0.1 * k.gradient(z, y, 0, 1), y)[1] < before[1]


@pytest.mark.parametrize("name", list(KERNELS))
def test_one_sample_has_nothing_to_tell(name):
    z, y = np.ones((1, 3)), np.ones((1, 2))
    assert not kernel(name).gradient(z, y, 1.0, 1.0).any()


@pytest.mark.parametrize("name", list(KERNELS))
def test_float32_stays_float32(name):
    rng = np.random.default_rng(4)
    z, y = rng.random((8, 3)), one_hot(rng.integers(0, 2, 8), 2, np.float64)
    single = kernel(name).gradient(z.astype(np.float32), y, 0.3, 0.3)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, kernel(name).gradient(z, y, 0.3, 0.3), rtol=1e-3, atol=1e-6)


def test_centring():
    k = np.random.default_rng(5).random((4, 4))
    k = k + k.T
    h = np.eye(4) - 0.25
    np.testing.assert_allclose(centred(k), h @ k @ h, atol=1e-14)


def test_refusals():
    with pytest.raises(ParameterError, match=r"kernel='gauss' is not known; valid: 'linear', 'rbf'"):
        kernel("gauss")
    with pytest.raises(ParameterError, match="sigma=0"):
        RBF(0)
