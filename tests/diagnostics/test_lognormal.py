"""The log-normal fit against scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dendrosim.diagnostics.lognormal import fit_lognormal
from dendrosim.errors import ParameterError


@pytest.mark.parametrize("weights", [np.random.default_rng(0).lognormal(-2, 0.7, 400), np.linspace(0.1, 5, 200)])
def test_against_scipy(weights):
    fit = fit_lognormal(weights)
    shape, _, scale = stats.lognorm.fit(weights, floc=0)
    assert (fit.sigma, np.exp(fit.mu)) == pytest.approx((shape, scale), rel=1e-4)
    reference = stats.lognorm(fit.sigma, scale=np.exp(fit.mu))
    assert fit.distance == pytest.approx(stats.kstest(weights, reference.cdf).statistic, rel=1e-12)
    grid = np.geomspace(0.01, 10, 30)
    np.testing.assert_allclose(fit.density(grid), reference.pdf(grid), rtol=1e-12)
    assert (fit.n, fit.n_zero) == (weights.size, 0)
    assert (fit.mean, fit.cv) == pytest.approx((weights.mean(), stats.variation(weights)))


def test_a_uniform_set_is_farther_than_a_lognormal_one():
    rng = np.random.default_rng(1)
    assert fit_lognormal(rng.lognormal(0, 1, 5000)).distance < 0.02 < fit_lognormal(rng.random(5000)).distance


def test_zeros_are_counted_and_said():
    fit = fit_lognormal([0.0, 1.0, np.e, 0.0])
    assert (fit.n, fit.n_zero, fit.mu, fit.sigma) == pytest.approx((2, 2, 0.5, 0.5))
    assert "2 zeros left out" in str(fit)


def test_equal_weights_have_no_width():
    fit = fit_lognormal(np.full(10, 0.3))
    assert (fit.sigma, fit.distance) == (0.0, 0.0)
    assert not fit.density([0.2, 0.3]).any()


@pytest.mark.parametrize(
    ("weights", "says"),
    [([1.0, -1.0, 2.0], r"weights\[1\] is -1"), ([0.0, 1.0], "1 of 2 weights are positive"), ([1.0, np.nan], "nan")],
)
def test_messages(weights, says):
    with pytest.raises(ParameterError, match=says):
        fit_lognormal(weights)
