"""Explicit vectors do what numpy does."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from dendrosim.kernels.blocks import gather, scatter
from dendrosim.kernels.simd import fill, load, store, total


@njit
def mixed(a, b, c, out, lanes):
    width = len(lanes)
    sums = 0.0
    for i in range(0, a.size, width):
        x, y = load(a, i, lanes), load(b, i, lanes)
        value = (x + y) * c - x / (fill(a.dtype.type(2.0), lanes) + y)
        store(out, i, value)
        sums += total(value)
    return sums


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("width", [1, 4, 8, 16])
def test_arithmetic(dtype, width):
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 64)).astype(dtype)
    out = np.zeros_like(a)
    sums = mixed(a, b, 3.0, out, (0.0,) * width)
    expected = (a + b) * dtype(3.0) - a / (dtype(2.0) + b)
    # multiply and add may be fused: one rounding less
    np.testing.assert_allclose(out, expected, rtol=8 * np.finfo(dtype).eps)
    assert sums == pytest.approx(expected.sum(), rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("rows", "columns", "width"), [(8, 8, 8), (16, 24, 8), (5, 11, 8), (19, 37, 16), (3, 2, 1), (1, 0, 8)]
)
def test_blocks_transpose_any_shape(dtype, rows, columns, width):
    source = np.random.default_rng(1).random((rows, columns)).astype(dtype)
    target = np.full_like(source, np.nan)
    block = np.empty(columns * width, dtype)
    lanes = (0.0,) * width
    for row in range(0, rows, width):
        gather(source.reshape(-1), columns, row, rows, block, 2.0, lanes)
        there = min(width, rows - row)
        blocked = block.reshape(columns, width)
        np.testing.assert_array_equal(blocked[:, :there], source[row : row + there].T + dtype(2.0))
        assert not blocked[:, there:].any()
        scatter(target.reshape(-1), columns, row, rows, block, -2.0, lanes)
    np.testing.assert_array_equal(target, source + dtype(2.0) - dtype(2.0))
