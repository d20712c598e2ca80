"""Two sets of runs beside each other: differences, effect sizes with intervals, p values, and many of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import numbers, whole
from ..errors import ParameterError
from .intervals import (
    RESAMPLES,
    Floats,
    Interval,
    bootstrap_interval,
    level_checked,
    paired_difference,
    repetitions,
)

EXACT_PAIRS = 13
"""Most pairs of which all 2^n signs are gone through; of more, `RESAMPLES` are drawn."""
_HUGE = 1000.0
_NAN = float("nan")


@dataclass(frozen=True)
class Effect:
    """A standardised difference with its confidence interval.

    Attributes
    ----------
    value : float
        How many standard deviations; nan where the values have no spread.
    low, high : float
        Limits for the difference in the population, from the noncentral t distribution.
    level : float
        Coverage, such as 0.95.
    name : str
        ``"d_z"`` or ``"g"``.
    """

    value: float
    low: float
    high: float
    level: float
    name: str

    def __str__(self) -> str:
        if np.isnan(self.value):
            return f"{self.name} is not defined"
        return f"{self.name} = {self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Comparison:
    """A difference of means, and all that is told of it; what takes resampling is computed when it is asked for.

    Attributes
    ----------
    difference : Interval
        With its t interval; ``values`` are the differences of all pairs.
    seed : int
        Of the bootstrap, and of permutations where there are too many to go through all.
    """

    difference: Interval
    seed: int = 0

    @cached_property
    def bootstrap(self) -> Interval:
        """The difference with its bootstrap interval."""
        return bootstrap_interval(self.difference.values, level=self.difference.level, seed=self.seed)

    @cached_property
    def effect(self) -> Effect:
        """Cohen's d_z."""
        return effect_of_pairs(self.difference.values, level=self.difference.level)

    @cached_property
    def p(self) -> float:
        """Two-sided p of the paired t test; nan of one pair, and where all differences are alike."""
        return _t_test(self.difference)

    @cached_property
    def p_permutation(self) -> float:
        """Two-sided p of the permutation test: exact for up to 13 pairs, never below `least_p`; nan of one pair."""
        return _permutation(self.difference.values, self.seed)

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.difference.n

    @property
    def least_p(self) -> float:
        """The smallest p value that a permutation test of so many pairs can give."""
        return 2.0 ** (1 - self.n)

    def __str__(self) -> str:
        return f"{self.difference}, {self.effect}, p = {self.p:.3g} (t), {self.p_permutation:.3g} (permutation)"


def compare_pairs(first: ArrayLike, second: ArrayLike, *, level: float = 0.95, seed: int = 0) -> Comparison:
    """Compare two sets of runs that are paired, such as two arms with the same seeds.

    Parameters
    ----------
    first, second : float arrays of shape (n,)
        Entry i of both belongs to the same seed.
    level : float, default 0.95
        Coverage of all intervals.
    seed : int, default 0
        Of the bootstrap, and of permutations where there are too many to go through all.

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError
        If the lengths differ, there are no values, or one is not finite.

    Examples
    --------
    >>> print(compare_pairs([0.90, 0.92, 0.94, 0.93, 0.91], [0.89, 0.90, 0.91, 0.93, 0.89]))
    0.0160 [0.0018, 0.0302] (95 % CI, n = 5), d_z = 1.40 [0.09, 2.65], p = 0.0349 (t), 0.125 (permutation)
    """
    return Comparison(paired_difference(first, second, level=level), whole("seed", seed, 0))


def effect_of_pairs(differences: ArrayLike, *, level: float = 0.95) -> Effect:
    """Cohen's d_z: the mean of paired differences over their standard deviation.

    It says how regular a difference is from seed to seed, and how many seeds it takes to see it; not how large it is.
    d_z of few pairs is too large on the average: by a factor of 1.77 with 3 pairs, 1.25 with 5, 1.09 with 10.

    Parameters
    ----------
    differences : float array of shape (n,)
        One per pair.
    level : float, default 0.95
        Coverage. Limits are exact for normal differences: those noncentralities with which a t as extreme as the
        observed one has the probability (1 - level) / 2, over the root of n.

    Returns
    -------
    Effect

    Raises
    ------
    ParameterError
        If there are no values, or one is not finite.

    References
    ----------
    Cohen (1988), Statistical power analysis for the behavioral sciences, 2nd ed., section 2.3.5. Goulet-Pelletier and
    Cousineau (2018), A review of effect sizes and their confidence intervals, The Quantitative Methods for Psychology
    14, 242-265.

    Examples
    --------
    >>> print(effect_of_pairs([0.010, 0.020, 0.030, 0.000, 0.020]))
    d_z = 1.40 [0.09, 2.65]
    """
    level = level_checked(level)
    d = repetitions("differences", differences)
    if _alike(d):
        return Effect(_NAN, _NAN, _NAN, level, "d_z")
    value = float(d.mean() / d.std(ddof=1))
    root = float(np.sqrt(d.size))
    low, high = _noncentralities(value * root, d.size - 1, level)
    return Effect(value, low / root, high / root, level, "d_z")


def effect_of_groups(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> Effect:
    """Hedges' g: the difference of two independent means over the pooled standard deviation, without its bias.

    Parameters
    ----------
    first, second : float arrays of shape (n,) and (m,)
        Runs that share no seeds.
    level : float, default 0.95
        Coverage. The limits are those of the population's standardised difference, exact for normal values of equal
        variance; they carry no correction, for it is the estimate that is biased and not they. Some programs multiply
        limits by the correction as well, and are no longer exact.

    Returns
    -------
    Effect

    Raises
    ------
    ParameterError
        If one has no values, or one is not finite.

    References
    ----------
    Hedges (1981), Distribution theory for Glass's estimator of effect size and related estimators, Journal of
    Educational Statistics 6, 107-128. Cumming and Finch (2001), A primer on the understanding, use, and calculation of
    confidence intervals that are based on central and noncentral distributions, Educational and Psychological
    Measurement 61, 532-574.

    Examples
    --------
    >>> print(effect_of_groups([0.90, 0.92, 0.94], [0.88, 0.89, 0.90, 0.89]))
    g = 1.78 [0.10, 4.03]
    """
    level = level_checked(level)
    a, b = repetitions("first", first), repetitions("second", second)
    free = a.size + b.size - 2
    if free < 1 or (_alike(a) and _alike(b)):
        return Effect(_NAN, _NAN, _NAN, level, "g")
    pooled = np.sqrt((((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()) / free)
    value = float((a.mean() - b.mean()) / pooled)
    root = float(np.sqrt(a.size * b.size / (a.size + b.size)))
    low, high = _noncentralities(value * root, free, level)
    return Effect(value * small_sample_correction(free), low / root, high / root, level, "g")


def small_sample_correction(degrees_of_freedom: int) -> float:
    """Factor that takes the bias from a standardised difference; nan for one degree of freedom.

    Hedges (1981), eq. 6e: J(m) = Gamma(m / 2) / (sqrt(m / 2) Gamma((m - 1) / 2)).

    Examples
    --------
    >>> [round(small_sample_correction(m), 3) for m in (2, 4, 9, 98)]
    [0.564, 0.798, 0.914, 0.992]
    """
    m = degrees_of_freedom
    if m < 2:
        return _NAN
    from scipy.special import gammaln

    return float(np.exp(gammaln(0.5 * m) - gammaln(0.5 * (m - 1)) - 0.5 * np.log(0.5 * m)))


def holm(p_values: ArrayLike) -> Floats:
    """p values of a family, adjusted so that all of them together err with the probability that one is meant to have.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than one before it, nor
    larger than 1. Holds whatever the tests share.

    Parameters
    ----------
    p_values : float array of shape (m,)
        All comparisons that were made. nan, where there is no p value, stays nan and counts as one of the m.

    Returns
    -------
    float array of shape (m,)

    Raises
    ------
    ParameterError
        If one is not between 0 and 1.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, 0.005])
    array([0.03, 0.06, 0.06, 0.02])
    """
    p = numbers("p_values", p_values).astype(np.float64)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise ParameterError(f"p_values={p!r} must be numbers from 0 to 1, one per comparison, shape (m,)")
    order = np.argsort(p, kind="stable")
    raised = p[order] * (p.size - np.arange(p.size))
    out = np.empty_like(p)
    out[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return out


def _alike(values: Floats) -> bool:
    """Whether values have no spread beyond rounding."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def _t_test(difference: Interval) -> float:
    if difference.n < 2 or _alike(difference.values):
        return _NAN
    from scipy import stats

    return float(stats.ttest_1samp(difference.values, 0.0).pvalue)


def _permutation(differences: Floats, seed: int) -> float:
    """Share of all signs of the differences whose mean is as far from 0 as the observed one."""
    if differences.size < 2:
        return _NAN
    from scipy import stats

    n = np.inf if differences.size <= EXACT_PAIRS else RESAMPLES
    found = stats.permutation_test(
        (differences, np.zeros_like(differences)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=n,
        random_state=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def _noncentralities(t: float, free: int, level: float) -> tuple[float, float]:
    """Limits of the noncentrality of a t distribution with which `t` was observed."""
    tail = 0.5 * (1.0 - level)
    return _noncentrality(t, free, 1.0 - tail), _noncentrality(t, free, tail)


def _noncentrality(t: float, free: int, share: float) -> float:
    """The noncentrality with which the share of values up to `t` is this one."""
    from scipy import optimize, special, stats

    if t < 0:
        return -_noncentrality(-t, free, 1.0 - share)

    def scaled(upper: float) -> float:
        """t S, S the root of a chi-squared over its degrees of freedom, of which `upper` lies above."""
        return float(t * np.sqrt(special.chdtri(free, upper) / free))

    # T = (Z + nc) / S is below t where nc is below t S - Z: a quantile of a sum of two, which has these bounds. Of a
    # large t, Z is small beside both others.
    if t > _HUGE:
        return scaled(share)
    low = scaled(0.5 * (1.0 + share)) + float(special.ndtri(0.5 * (1.0 - share)))
    high = scaled(0.5 * share) - float(special.ndtri(0.5 * share))
    return float(optimize.brentq(lambda nc: stats.nct.cdf(t, free, nc) - share, low, high, xtol=1e-10, rtol=1e-10))
