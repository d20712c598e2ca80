"""Positive transforms, optimiser updates and vector functions against numpy in extended precision."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from dendrosim.kernels import optimise
from dendrosim.kernels.memory import aligned
from dendrosim.kernels.simd import absolute, add_products, clamp, exponential, load, square_root, store

DTYPES = [np.float32, np.float64]


def lanes(dtype):
    return (0.0,) * (64 // np.dtype(dtype).itemsize)


@njit
def _each(x, out, which, lanes):
    for i in range(0, x.size, len(lanes)):
        v = load(x, i, lanes)
        if which == 0:
            v = exponential(v)
        elif which == 1:
            v = square_root(absolute(v))
        else:
            v = clamp(v, -1.0, 2.0)
        store(out, i, v)


@pytest.mark.parametrize("dtype", DTYPES)
class TestVectors:
    def test_exponential(self, dtype):
        reach = 87 if dtype == np.float32 else 708
        x = np.linspace(-reach, reach, 64 * 500).astype(dtype)
        out = np.empty_like(x)
        _each(x, out, 0, lanes(dtype))
        exact = np.exp(x.astype(np.longdouble))
        assert np.abs(out / exact - 1).max() < 1.5 * np.finfo(dtype).eps

    def test_root_and_absolute_value(self, dtype):
        x = np.linspace(-3, 3, 64).astype(dtype)
        out = np.empty_like(x)
        _each(x, out, 1, lanes(dtype))
        assert np.array_equal(out, np.sqrt(np.abs(x)))

    def test_clamp_keeps_nan(self, dtype):
        x = np.linspace(-3, 3, 64).astype(dtype)
        x[5] = np.nan
        out = np.empty_like(x)
        _each(x, out, 2, lanes(dtype))
        np.testing.assert_array_equal(out, np.clip(x, -1, 2))


@njit
def _four(target, source, vector, less, lanes):
    add_products(target, 2, source, 0, 64, 192, 128, load(vector, 0, lanes), less)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [4, 8, 16, 32, 64])
def test_four_dot_products(dtype, width):
    rng = np.random.default_rng(0)
    source, vector = rng.standard_normal(256).astype(dtype), rng.standard_normal(width).astype(dtype)
    target = np.arange(8).astype(dtype)
    _four(target, source, vector, 0.5, (0.0,) * width)
    expected = np.arange(8.0)
    for k, at in enumerate((0, 64, 192, 128)):
        expected[2 + k] += source[at : at + width].astype(float) @ vector - 0.5
    np.testing.assert_allclose(target, expected, rtol=0, atol=40 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 7, 8, 100, 1003])
def test_softplus_and_its_derivative(dtype, n):
    raw = np.linspace(-30, 30, n).astype(dtype)
    value, factor = np.empty_like(raw), np.empty_like(raw)
    optimise.positive(raw, optimise.SOFTPLUS, value, factor, 0, n, lanes(dtype))
    wide = raw.astype(np.longdouble)
    np.testing.assert_allclose(value, np.logaddexp(0, wide).astype(float), rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(factor, (1 / (1 + np.exp(-wide))).astype(float), rtol=4 * np.finfo(dtype).eps)


def test_exponential_parameters():
    raw = np.linspace(-5, 5, 33)
    value, factor = np.empty_like(raw), np.empty_like(raw)
    optimise.positive(raw, optimise.EXP, value, factor, 0, 33, lanes(float))
    np.testing.assert_allclose(value, np.exp(raw), rtol=1e-15)
    assert np.array_equal(value, factor)


def test_only_the_range_given_changes():
    raw, gradient = np.zeros(50), np.ones(50)
    optimise.sgd(raw, gradient, 0.1, np.inf, 3, 29, lanes(float))
    assert list(np.flatnonzero(raw)) == list(range(3, 29))


def test_memory_begins_at_a_cache_line():
    for shape in (1, 7, (3, 5), (2, 3, 64)):
        array = aligned(shape, np.float32)
        assert array.ctypes.data % 64 == 0
        assert not array.any()
        assert array.shape == ((shape,) if isinstance(shape, int) else shape)
