"""Moments over batches and layers against numpy, whatever the batch does not fill."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.kernels.moments import add_rows, centred_rows, layer_means, pair_moments, scale_layers


def blocks(array, width):
    """(B, N) as flat blocks; what the batch does not fill holds nonsense that must not count."""
    n_samples, n_rows = array.shape
    n_blocks = -(-n_samples // width)
    out = np.full((n_blocks * width, n_rows), 1e3, array.dtype)
    out[:n_samples] = array
    return np.ascontiguousarray(out.reshape(n_blocks, width, n_rows).transpose(0, 2, 1)).reshape(-1)


CASES = [(np.float64, 4, 4), (np.float64, 11, 4), (np.float32, 64, 64), (np.float32, 150, 64), (np.float32, 3, 8)]


@pytest.mark.parametrize(("dtype", "n_samples", "width"), CASES)
def test_pair_moments(dtype, n_samples, width):
    rng = np.random.default_rng(0)
    v = (0.4 + 0.01 * rng.normal(size=(n_samples, 6))).astype(dtype)
    p = (0.2 + 0.03 * rng.normal(size=(n_samples, 6)) + 0.5 * v).astype(dtype)
    partner = np.array([3, -1, 2, 0, 5, 5])
    moments = np.full((5, 6), np.nan)
    pair_moments(blocks(v, width), blocks(p, width), partner, n_samples, moments, np.empty(5), (0.0,) * width)
    rtol = 1e-11 if dtype == np.float64 else 1e-5
    for n, m in enumerate(partner):
        if m < 0:
            assert not moments[:, n].any()
            continue
        a, b = v[:, n].astype(float), p[:, m].astype(float)
        expected = [a.mean(), a.var(), b.mean(), b.var()]
        np.testing.assert_allclose(moments[:4, n], expected, rtol=rtol)
        np.testing.assert_allclose(moments[4, n], np.mean((a - a.mean()) * (b - b.mean())), rtol=rtol, atol=1e-9)


@pytest.mark.parametrize(("dtype", "n_samples", "width"), CASES)
def test_layers(dtype, n_samples, width):
    rng = np.random.default_rng(1)
    v = rng.random((n_samples, 5)).astype(dtype)
    layer = np.array([1, 0, -1, 1, 2])
    means = np.full((3, n_samples), np.nan)
    layer_means(blocks(v, width), layer, 3, n_samples, means, (0.0,) * width)
    expected = [v[:, 1], v[:, [0, 3]].mean(1, dtype=float), v[:, 4]]
    np.testing.assert_allclose(means, expected, rtol=1e-12 if dtype == np.float64 else 1e-6)

    n_blocks = -(-n_samples // width)
    factor = np.zeros((3, n_blocks * width), dtype)
    factor[:, :n_samples] = rng.random((3, n_samples))
    scaled, layer = blocks(v, width), np.array([1, 0, 2, 1, 2])
    scale_layers(scaled, layer, factor.reshape(-1), n_blocks, (0.0,) * width)
    back = scaled.reshape(n_blocks, 5, width).transpose(0, 2, 1).reshape(-1, 5)[:n_samples]
    np.testing.assert_allclose(back, v * factor[:, :n_samples].T[:, layer], rtol=1e-6)


@pytest.mark.parametrize(("dtype", "n_samples", "width"), CASES)
@pytest.mark.parametrize("limit", [0.1, np.inf])
def test_rows_out_and_back(dtype, n_samples, width, limit):
    rng = np.random.default_rng(2)
    v, slant = rng.random((2, n_samples, 5)).astype(dtype)
    rows = np.array([3, 0])
    out = np.empty((2, n_samples), dtype)
    centred_rows(blocks(v, width), rows, 5, width, n_samples, out)
    np.testing.assert_allclose(out, (v - v.mean(0)).T[rows], atol=1e-6 if dtype == np.float32 else 1e-14)
    target = blocks(v, width)
    add_rows(target, rows, 5, width, out, 3.0, limit, blocks(slant, width))
    expected = v.copy()
    expected[:, rows] += 3.0 * np.clip(out.T, -limit, limit) * slant[:, rows]
    np.testing.assert_allclose(target, blocks(expected, width), rtol=1e-5 if dtype == np.float32 else 1e-12)
