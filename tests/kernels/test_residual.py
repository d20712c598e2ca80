"""Elementwise parts of residual networks against scipy and closed forms; nothing denormal comes out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from scipy.special import log_ndtr

from dendrosim.kernels import optimise, residual
from dendrosim.networks.residual.parts import lanes

TOLERANCE = {"float32": 4e-7, "float64": 4e-15}


def gelu(x, bias, lanes):
    value, slope = np.empty_like(x), np.empty_like(x)
    residual.gelu(x.reshape(-1), bias, value.reshape(-1), slope.reshape(-1), *x.shape, (0.0,) * lanes)
    return value, slope


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lanes", [1, 8, 32])
def test_gelu_and_its_slope(dtype, lanes):
    x = np.linspace(-40, 40, 3 * 75).reshape(3, 75).astype(dtype)
    bias = np.linspace(-1, 1, 75).astype(dtype)
    value, slope = gelu(x, bias, lanes)
    u = (x + bias).astype(np.float64)
    phi = np.exp(log_ndtr(u))
    bell = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
    assert np.abs(value - u * phi).max() <= TOLERANCE[dtype] * 40
    assert np.abs(slope - (phi + u * bell)).max() <= TOLERANCE[dtype]
    for made in (value, slope):
        assert np.abs(made[made != 0]).min() > 1e-30
    assert (value[u < -13] == 0).all()


def test_not_a_number_stays_visible():
    x = np.full((1, 4), np.nan, np.float32)
    assert np.isnan(gelu(x, np.zeros(4, np.float32), 4)[0]).all()
    target = np.array([np.nan, 1e-20, 2.0, 1e-30], np.float32)
    residual.times(target, np.array([1.0, 1e-20, 3.0, 1.0], np.float32), (0.0,) * 2)
    np.testing.assert_array_equal(target, np.array([np.nan, 0.0, 6.0, 0.0], np.float32))


def test_backward_of_layer_normalisation_by_central_differences():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((5, 7)) * 3 + 1, rng.standard_normal((5, 7))
    gain, bias = rng.standard_normal(7), rng.standard_normal(7)

    def loss(x, gain, bias):
        unit, inverse, out = np.empty_like(x), np.empty(5), np.empty_like(x)
        residual.normalise(x, gain, bias, 1e-5, unit, inverse, out)
        reference = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * gain + bias
        np.testing.assert_allclose(out, reference, rtol=1e-12, atol=1e-13)
        return (out * weight).sum(), unit, inverse

    _, unit, inverse = loss(x, gain, bias)
    dx, dgain, dbias = np.empty_like(x), np.empty(7), np.empty(7)
    residual.normalise_gradients(weight, unit, dgain, dbias)
    residual.normalise_back(weight, gain, unit, inverse, dx)
    for array, found in ((x, dx), (gain, dgain), (bias, dbias)):
        for i in np.ndindex(array.shape):
            kept, h = array[i], 1e-6
            array[i] = kept + h
            above = loss(x, gain, bias)[0]
            array[i] = kept - h
            below = loss(x, gain, bias)[0]
            array[i] = kept
            assert (above - below) / (2 * h) == pytest.approx(found[i], rel=1e-6, abs=1e-8)


def adamw(raw, gradient, mean, square, step, rate=1e-2, decay=0.1, tiny=0.0):
    optimise.adamw(
        raw, gradient, mean, square, rate / (1 - 0.9**step), 1 - rate * decay, 0.9, 0.999,
        1 / np.sqrt(1 - 0.999**step), 1e-8, np.inf, tiny, 0, raw.size, (0.0,) * 4,
    )  # fmt: skip


def test_two_steps_of_adamw_by_hand():
    raw, mean, square = np.array([1.0, -2.0, 0.5, 3.0, 0.0]), np.zeros(5), np.zeros(5)
    expected, m, v = raw.copy(), np.zeros(5), np.zeros(5)
    for step, g in enumerate([np.array([0.1, -0.2, 0.0, 1.0, 5.0]), np.array([0.3, 0.1, -1.0, 0.0, 2.0])], 1):
        adamw(raw, g, mean, square, step)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        expected = expected * (1 - 1e-2 * 0.1)  # decoupled: the decay does not pass through the moments
        expected -= 1e-2 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    np.testing.assert_allclose(raw, expected, rtol=1e-14)


def test_moments_that_fade_end_at_zero_and_never_denormal():
    rng = np.random.default_rng(0)
    raw, mean, square = (np.zeros(64, np.float32) for _ in range(3))
    adamw(raw, (1e-3 * rng.standard_normal(64)).astype(np.float32), mean, square, 1, tiny=1e-17)
    nothing = np.zeros(64, np.float32)
    least = np.finfo(np.float32).tiny
    for step in range(2, 2002):
        adamw(raw, nothing, mean, square, step, tiny=1e-17)
        if step % 50 == 0:
            for array in (mean, square):
                assert np.abs(array[array != 0]).min(initial=1.0) >= least
    assert (mean == 0).all()
    adamw(raw, np.full(64, 1e-25, np.float32), mean, square, 2002, tiny=1e-17)
    assert (mean == 0).all()
    adamw(raw, np.full(64, np.nan, np.float32), mean, square, 2003, tiny=1e-17)
    assert np.isnan(raw).all()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 3e-6), ("float64", 1e-13)])
@pytest.mark.parametrize("width", [1, 5, 17, 65])
def test_softmax_and_its_derivative(dtype, tolerance, width):
    rng = np.random.default_rng(0)
    x = (20 * rng.standard_normal((30, width))).astype(dtype)
    expected = special.softmax(0.3 * x.astype("float64"), axis=1)
    y, vector = x.copy(), lanes(width)
    residual.softmax(y.reshape(-1), 0.3, 30, width, np.empty(len(vector), dtype), vector)
    np.testing.assert_allclose(y, expected, rtol=10 * tolerance, atol=tolerance)
    dy = rng.standard_normal((30, width)).astype(dtype)
    along = (dy.astype("float64") * expected).sum(axis=1, keepdims=True)
    back = dy.copy()
    residual.softmax_back(back, y, 0.3)
    np.testing.assert_allclose(back, 0.3 * expected * (dy - along), atol=10 * tolerance)


def test_softmax_drops_what_would_be_denormal_and_keeps_nan():
    x = np.zeros((3, 20), np.float32)
    x[0, 3], x[1, 4], x[2] = 80.0, np.nan, 1e6
    vector = lanes(20)
    residual.softmax(x.reshape(-1), 1.0, 3, 20, np.empty(len(vector), np.float32), vector)
    assert x[0, 3] == 1
    assert not np.delete(x[0], 3).any()  # 2e-35
    assert np.isnan(x[1]).all()
    np.testing.assert_allclose(x[2], 0.05)
