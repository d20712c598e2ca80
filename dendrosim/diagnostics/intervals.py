"""Means over seeds with confidence intervals, and paired differences between two sets of runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number, numbers
from ..errors import ParameterError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Interval:
    """A mean over independent repetitions and its confidence interval (Student's t).

    Attributes
    ----------
    values : float array of shape (n,)
        One value per repetition, such as the test accuracy of each seed.
    mean, sd : float
        Their mean and standard deviation (n - 1 in the denominator; nan for one value).
    low, high : float
        Limits of the interval; nan for one value.
    level : float
        Its coverage, such as 0.95.
    """

    values: Floats
    mean: float
    sd: float
    low: float
    high: float
    level: float

    @property
    def n(self) -> int:
        """Number of repetitions."""
        return int(self.values.size)

    def __str__(self) -> str:
        if self.n < 2:
            return f"{self.mean:.4f} (n = 1, no interval)"
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}] ({100 * self.level:g} % CI, n = {self.n})"


def mean_interval(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Mean of independent repetitions with its confidence interval by Student's t.

    Parameters
    ----------
    values : float array of shape (n,)
        One number per repetition.
    level : float, default 0.95
        Coverage.

    Raises
    ------
    ParameterError
        If there are no values, one is not finite, or `level` is not between 0 and 1.

    Examples
    --------
    >>> print(mean_interval([0.969, 0.971, 0.970, 0.972, 0.968]))
    0.9700 [0.9680, 0.9720] (95 % CI, n = 5)
    """
    level = number("level", level, above=0, most=1 - 1e-9)
    v = numbers("values", values).astype(np.float64)
    if v.ndim != 1 or not v.size or not np.isfinite(v).all():
        raise ParameterError(f"values={v!r} must be finite numbers, one per repetition, shape (n,)")
    mean = float(v.mean())
    if v.size == 1:
        nan = float("nan")
        return Interval(v, mean, nan, nan, nan, level)
    from scipy.special import stdtrit

    sd = float(v.std(ddof=1))
    half = float(stdtrit(v.size - 1, 0.5 + 0.5 * level)) * sd / np.sqrt(v.size)
    return Interval(v, mean, sd, mean - half, mean + half, level)


def paired_difference(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> Interval:
    """Mean of first - second over pairs, with its confidence interval.

    Pairs are runs that share seed, data split and everything else but what is compared; what they share drops out of
    the difference, and the interval is narrower than that of two independent means.

    Parameters
    ----------
    first, second : float arrays of shape (n,)
        Entry i of both belongs to the same seed.
    level : float, default 0.95
        Coverage.

    Raises
    ------
    ParameterError
        If the lengths differ, or as for :func:`mean_interval`.

    Examples
    --------
    >>> print(paired_difference([0.90, 0.92, 0.94], [0.80, 0.83, 0.84]))
    0.0967 [0.0823, 0.1110] (95 % CI, n = 3)
    """
    a, b = numbers("first", first).astype(np.float64), numbers("second", second).astype(np.float64)
    if a.shape != b.shape:
        raise ParameterError(
            f"first has shape {a.shape} and second {b.shape}; pairs need one value of each per seed, in the same order"
        )
    return mean_interval(a - b, level=level)
