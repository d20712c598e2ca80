"""Confidence intervals against scipy.stats, enumeration, and what they promise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from dendrosim.diagnostics.intervals import bootstrap_interval, mean_interval, paired_difference
from dendrosim.errors import ParameterError


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_against_scipy(level):
    values = np.random.default_rng(0).normal(0.97, 0.002, 5)
    ours = mean_interval(values, level=level)
    theirs = stats.t.interval(level, 4, loc=values.mean(), scale=stats.sem(values))
    assert (ours.low, ours.high) == pytest.approx(theirs, rel=1e-12)
    assert (ours.mean, ours.sd, ours.n) == pytest.approx((values.mean(), values.std(ddof=1), 5))
    assert ours.method == "t"


def test_pairs_drop_what_they_share():
    rng = np.random.default_rng(1)
    shared = rng.normal(0.9, 0.05, 8)
    a, b = shared + 0.01 + rng.normal(0, 0.001, 8), shared
    ours = paired_difference(a, b)
    theirs = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    assert ours.low > 0


def test_one_value_has_no_interval():
    one = mean_interval([0.5])
    assert np.isnan([one.low, one.high, one.sd]).all()
    assert str(one) == "0.5000 (n = 1, no interval)"


def bca_by_hand(values, level):
    """Efron's limits from all n^n resamples, with the jackknife's acceleration."""
    v = np.asarray(values, dtype=float)
    means = np.sort([np.mean(one) for one in itertools.product(v, repeat=v.size)])
    below = 0.5 * ((means < v.mean() - 1e-12).mean() + (means <= v.mean() + 1e-12).mean())
    bias = stats.norm.ppf(below)
    left = np.array([np.delete(v, i).mean() for i in range(v.size)])
    away = left.mean() - left
    acceleration = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    z = bias + stats.norm.ppf([0.5 - 0.5 * level, 0.5 + 0.5 * level])
    return np.quantile(means, stats.norm.cdf(bias + z / (1 - acceleration * z)))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_bootstrap_is_that_of_all_resamples(level):
    values = [0.91, 0.93, 0.97, 0.92, 0.95, 0.935]
    ours = bootstrap_interval(values, level=level, n_resamples=50_000)
    assert (ours.low, ours.high) == pytest.approx(tuple(bca_by_hand(values, level)), abs=6e-4)
    assert (ours.mean, ours.sd, ours.level) == pytest.approx((np.mean(values), np.std(values, ddof=1), level))
    assert ours.method == "bootstrap"


def test_the_bootstrap_follows_its_seed_alone():
    values = np.random.default_rng(2).normal(size=7)
    first, again, other = (bootstrap_interval(values, seed=seed, n_resamples=200) for seed in (5, 5, 6))
    assert (first.low, first.high) == (again.low, again.high)
    assert (first.low, first.high) != (other.low, other.high)


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.7]])
def test_fewer_than_three_values_have_no_bootstrap_interval(values):
    found = bootstrap_interval(values)
    assert np.isnan([found.low, found.high]).all()
    assert found.mean == pytest.approx(np.mean(values))
    assert "no interval" in str(found)


def test_values_that_are_alike_have_an_interval_of_no_width():
    found = bootstrap_interval([0.25] * 4)
    assert (found.low, found.mean, found.high) == (0.25, 0.25, 0.25)


def test_coverage_of_normal_means():
    # t keeps its promise. The bootstrap of five values does not: 0.84 of 10,000, as the guide says.
    values = np.random.default_rng(3).normal(size=(400, 5))
    covers = {"t": [mean_interval(row) for row in values], "bootstrap": []}
    covers["bootstrap"] = [bootstrap_interval(row, n_resamples=499) for row in values]
    share = {name: np.mean([one.low <= 0 <= one.high for one in found]) for name, found in covers.items()}
    assert share["t"] == pytest.approx(0.95, abs=0.033)  # three standard errors of 400
    assert share["bootstrap"] == pytest.approx(0.84, abs=0.055)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mean_interval([]), "one per repetition"),
        (lambda: mean_interval([1.0, np.inf]), "finite"),
        (lambda: mean_interval([1.0, 2.0], level=1.0), "level"),
        (lambda: paired_difference([1.0], [1.0, 2.0]), "in the same order"),
        (lambda: bootstrap_interval([1.0, np.nan, 2.0]), "finite"),
        (lambda: bootstrap_interval([1.0, 2.0, 3.0], n_resamples=10), "n_resamples=10 must be"),
        (lambda: bootstrap_interval([1.0, 2.0, 3.0], seed=-1), "seed=-1 must be"),
    ],
)
def test_messages(call, says):
    with pytest.raises(ParameterError, match=says):
        call()
