"""Effect sizes, p values and their adjustment against published numbers, R, closed forms and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from dendrosim.diagnostics.comparisons import (
    compare_pairs,
    effect_of_groups,
    effect_of_pairs,
    holm,
    small_sample_correction,
)
from dendrosim.errors import ParameterError

# Student (1908), The probable error of a mean: hours of sleep gained with two drugs; R's data set `sleep`
DRUG_1 = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
DRUG_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
# R's data set `mtcars`: weights (1000 lb) of cars with automatic and with manual transmission
AUTOMATIC = [3.215, 3.44, 3.46, 3.57, 3.19, 3.15, 3.44, 3.44, 4.07, 3.73, 3.78, 5.25, 5.424, 5.345, 2.465, 3.52, 3.435]
AUTOMATIC += [3.84, 3.845]
MANUAL = [2.62, 2.875, 2.32, 2.2, 1.615, 1.835, 1.935, 2.14, 1.513, 3.17, 2.77, 3.57, 2.78]


def with_moments(mean, sd, n):
    """n numbers that have exactly this mean and standard deviation."""
    z = np.random.default_rng(n).normal(size=n)
    return mean + sd * (z - z.mean()) / z.std(ddof=1)


def test_paired_drugs_as_r_has_them():
    # t.test(extra ~ group, data = sleep, paired = TRUE): t = -4.0621, df = 9, p-value = 0.002833, interval -2.4598858
    # to -0.7001142; effectsize::cohens_d(..., paired = TRUE): -1.28 [-2.12, -0.41]
    found = compare_pairs(DRUG_1, DRUG_2)
    assert found.p == pytest.approx(0.002833, abs=5e-7)
    assert (found.difference.low, found.difference.high) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)
    assert found.effect.value == pytest.approx(-4.0621 / np.sqrt(10), abs=1e-5)
    assert (found.effect.low, found.effect.high) == pytest.approx((-2.12, -0.41), abs=0.005)
    # by hand: 9 differences are negative and one is 0, so 2 x 2 of 1024 sign patterns are as far out
    assert found.p_permutation == pytest.approx(4 / 1024)


def test_groups_as_r_has_them():
    # tests of R's effectsize: cohens_d(wt ~ am, data = mtcars) is 1.892 [1.030, 2.732], hedges_g 1.844; the interval of
    # d is that of the population, and of g too
    found = effect_of_groups(AUTOMATIC, MANUAL)
    assert found.value == pytest.approx(1.844, rel=1e-3)
    assert found.value / small_sample_correction(30) == pytest.approx(1.892, rel=1e-3)
    assert (found.low, found.high) == pytest.approx((1.030, 2.732), rel=1e-3)
    # hedges_g has limits of 1.004 and 2.664: these times the correction
    assert small_sample_correction(30) * found.low == pytest.approx(1.004, rel=1e-3)
    assert small_sample_correction(30) * found.high == pytest.approx(2.664, rel=1e-3)


def test_the_textbook_example_of_hedges_g():
    # Borenstein, Hedges, Higgins and Rothstein (2009), Introduction to meta-analysis, chapter 4: means 103 and 100,
    # standard deviations 5.5 and 4.5, 50 each: d = 0.5970, J = 0.9923, g = 0.5924
    found = effect_of_groups(with_moments(103, 5.5, 50), with_moments(100, 4.5, 50))
    assert small_sample_correction(98) == pytest.approx(0.9923, abs=5e-5)
    assert found.value == pytest.approx(0.5924, abs=5e-5)


def test_the_correction_takes_the_bias_of_small_samples():
    # E[d] = delta / J, so J = 1 / E[1 / S] with S the root of a chi-squared over its degrees of freedom
    for m in (2, 4, 9, 40):
        mean, _ = integrate.quad(lambda u, m=m: 2 * u * np.sqrt(m) / u * stats.chi2.pdf(u * u, m), 0, np.inf)
        assert small_sample_correction(m) == pytest.approx(1 / mean, rel=1e-7)
    assert np.isnan(small_sample_correction(1))


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("value", [-300.0, -1.3, 0.0, 0.4, 25.0, 5000.0])
def test_limits_of_effects_leave_their_tails(n, value):
    found = effect_of_pairs(with_moments(value, 1.0, n), level=0.9)

    def share_below(noncentrality):
        """P(T <= t), as an average over the normal in T's numerator: no noncentral t of any library."""
        t = abs(value) * np.sqrt(n)
        nc = noncentrality * np.sign(value or 1)

        def above(z):
            return stats.norm.pdf(z) * stats.chi2.sf((n - 1) * ((z + nc) / max(t, 1e-12)) ** 2, n - 1)

        inside, _ = integrate.quad(above, max(-nc, -9.0), 9.0, epsabs=1e-10, limit=400) if nc > -9 else (0.0, 0.0)
        return stats.norm.cdf(-nc) + inside

    shares = sorted([share_below(found.low * np.sqrt(n)), share_below(found.high * np.sqrt(n))])
    assert shares == pytest.approx([0.05, 0.95], abs=2e-4)


def test_coverage_of_the_limits_of_d_z():
    draws = np.random.default_rng(4).normal(1.5, 1.0, (400, 5))
    found = [effect_of_pairs(row) for row in draws]
    assert np.mean([one.low <= 1.5 <= one.high for one in found]) == pytest.approx(0.95, abs=0.033)
    # and d_z itself is too large, by 1 / J(4)
    assert np.mean([one.value for one in found]) == pytest.approx(1.5 / small_sample_correction(4), rel=0.1)


def test_coverage_of_the_limits_of_g():
    rng = np.random.default_rng(5)
    found = [effect_of_groups(rng.normal(1.5, 1.0, 3), rng.normal(0.0, 1.0, 4)) for _ in range(400)]
    assert np.mean([one.low <= 1.5 <= one.high for one in found]) == pytest.approx(0.95, abs=0.033)
    assert np.mean([one.value for one in found]) == pytest.approx(1.5, rel=0.1)


def test_p_values_are_those_of_scipy():
    rng = np.random.default_rng(6)
    a, b = rng.normal(0.5, 1, 8), rng.normal(0, 1, 8)
    found = compare_pairs(a, b, level=0.9)
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-12)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1)
    means = signs.T @ (a - b)
    assert found.p_permutation == pytest.approx((np.abs(means) >= abs((a - b).sum()) - 1e-12).mean())
    assert (found.effect.level, found.bootstrap.level, found.difference.level) == (0.9, 0.9, 0.9)


def test_few_pairs_cannot_be_surprising():
    five = compare_pairs([1.0, 1.1, 1.2, 1.3, 1.4], [0.0, 0.1, 0.3, 0.2, 0.1])
    assert five.p_permutation == five.least_p == 1 / 16
    assert five.p < 1e-3


def test_many_pairs_are_permuted_by_their_seed():
    rng = np.random.default_rng(7)
    a, b = rng.normal(0.3, 1, 20), rng.normal(0, 1, 20)
    first, again = compare_pairs(a, b, seed=3), compare_pairs(a, b, seed=3)
    assert first.p_permutation == again.p_permutation
    assert first.p_permutation == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.02)


@pytest.mark.parametrize(("other", "permuted"), [([0.1, 0.2, 0.3], 1.0), ([0.0, 0.1, 0.2], 0.25)])
def test_differences_without_spread_have_no_t_test(other, permuted):
    found = compare_pairs([0.1, 0.2, 0.3], other)
    assert np.isnan([found.p, found.effect.value, found.effect.low]).all()
    assert found.p_permutation == permuted
    assert "d_z is not defined" in str(found)


def test_one_pair_has_no_test():
    found = compare_pairs([0.3], [0.2])
    assert np.isnan([found.p, found.p_permutation, found.effect.value, found.bootstrap.low]).all()
    assert np.isnan(effect_of_groups([1.0], [2.0]).value)
    assert np.isnan(effect_of_groups([1.0, 1.0], [2.0, 2.0]).value)


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        # R 4.5: p.adjust(p, method = "holm")
        ([0.001, 0.01, 0.05, 0.1, 0.5, 0.9], [0.006, 0.05, 0.2, 0.3, 1.0, 1.0]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([], []),
        ([0.2], [0.2]),
        # what has no p value was compared all the same
        ([0.01, np.nan, 0.02], [0.03, np.nan, 0.04]),
    ],
)
def test_holm(p, adjusted):
    np.testing.assert_allclose(holm(p), adjusted, rtol=1e-12)


def test_holm_keeps_the_error_of_the_family():
    # eight comparisons without any difference: one or more below 0.05 in 34 % of the families, after Holm in 5 %
    p = np.random.default_rng(8).random((2000, 8))
    assert (p < 0.05).any(axis=1).mean() > 0.3
    assert np.mean([(holm(row) < 0.05).any() for row in p]) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: compare_pairs([1.0], [1.0, 2.0]), "in the same order"),
        (lambda: effect_of_pairs([]), "differences"),
        (lambda: effect_of_groups([1.0, np.nan], [1.0]), "first"),
        (lambda: effect_of_pairs([1.0, 2.0], level=2), "level"),
        (lambda: holm([0.1, 1.1]), "from 0 to 1"),
        (lambda: holm([[0.1]]), "one per comparison"),
    ],
)
def test_messages(call, says):
    with pytest.raises(ParameterError, match=says):
        call()
