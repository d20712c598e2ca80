"""Confidence intervals against scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dendrosim.diagnostics.intervals import mean_interval, paired_difference
from dendrosim.errors import ParameterError


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_against_scipy(level):
    values = np.random.default_rng(0).normal(0.97, 0.002, 5)
    ours = mean_interval(values, level=level)
    theirs = stats.t.interval(level, 4, loc=values.mean(), scale=stats.sem(values))
    assert (ours.low, ours.high) == pytest.approx(theirs, rel=1e-12)
    assert (ours.mean, ours.sd, ours.n) == pytest.approx((values.mean(), values.std(ddof=1), 5))


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


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mean_interval([]), "one per repetition"),
        (lambda: mean_interval([1.0, np.inf]), "finite"),
        (lambda: mean_interval([1.0, 2.0], level=1.0), "level"),
        (lambda: paired_difference([1.0], [1.0, 2.0]), "in the same order"),
    ],
)
def test_messages(call, says):
    with pytest.raises(ParameterError, match=says):
        call()
