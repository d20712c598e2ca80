"""Direction and size of one gradient against another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine as cosine_distance

from dendrosim.diagnostics.measures import by_part, cosine, log_scale, relative_l2
from dendrosim.errors import ParameterError


def test_against_scipy_and_hand():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 7))
    assert cosine(a, b) == pytest.approx(1.0 - cosine_distance(a.ravel(), b.ravel()), rel=1e-13)
    assert log_scale(100.0 * b, b) == pytest.approx(2.0, abs=1e-14)
    assert log_scale(b, 100.0 * b) == pytest.approx(-2.0, abs=1e-14)
    assert relative_l2(np.zeros(3), [1.0, 2.0, 2.0]) == 1.0
    assert relative_l2([4.0, 2.0, 2.0], [1.0, 2.0, 2.0]) == 1.0
    assert relative_l2(b, b) == 0.0


def test_zero_gradients_leave_nothing_to_compare():
    zero, one = np.zeros(3), np.ones(3)
    assert np.isnan([cosine(zero, one), cosine(one, zero), log_scale(zero, one), log_scale(one, zero)]).all()
    assert np.isnan(relative_l2(one, zero))
    assert relative_l2(zero, one) == 1.0
    assert np.isnan(cosine([], []))


def test_tiny_gradients_do_not_underflow():
    a = np.full(4, 1e-200)
    assert cosine(a, a) == pytest.approx(1.0)
    assert log_scale(a, 10 * a) == pytest.approx(-1.0)
    directions, scales, errors = by_part(a, 10 * a, np.zeros(4, int), 1)
    assert (directions[0], scales[0], errors[0]) == pytest.approx((1.0, -1.0, 0.9))


def test_parts_are_what_each_would_be_alone():
    rng = np.random.default_rng(1)
    a, b, part = rng.normal(size=60), rng.normal(size=60), rng.integers(0, 5, 60)
    a[part == 2] = 0.0
    b[part == 3] = 0.0
    results = by_part(a, b, part, 7)  # parts 5 and 6 are empty
    for result, single in zip(results, (cosine, log_scale, relative_l2), strict=True):
        alone = [single(a[part == p], b[part == p]) for p in range(7)]
        np.testing.assert_allclose(result, alone, rtol=1e-12, atol=1e-14)


def test_shapes_must_agree():
    with pytest.raises(ParameterError, match=r"\(2,\) and exact \(3,\)"):
        cosine([1.0, 2.0], [1.0, 2.0, 3.0])
