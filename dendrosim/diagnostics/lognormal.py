"""How far a set of positive weights is from a log-normal distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LogNormalFit:
    """A log-normal distribution fitted by maximum likelihood.

    Attributes
    ----------
    n : int
        Weights fitted.
    n_zero : int
        Weights of exactly zero, which are left out: a log-normal has none.
    mu, sigma : float
        Mean and standard deviation of ln(weight).
    distance : float
        Kolmogorov-Smirnov distance: the largest difference between the distribution of the weights and the fit.
    mean, cv : float
        Mean of the weights and their coefficient of variation.
    """

    n: int
    n_zero: int
    mu: float
    sigma: float
    distance: float
    mean: float
    cv: float

    def density(self, weight: ArrayLike) -> Floats:
        """Probability density of the fit at each positive `weight`, any shape; zero if all weights are the same."""
        w = np.asarray(weight, dtype=np.float64)
        if not self.sigma > 0:
            return np.zeros_like(w)
        z = (np.log(w) - self.mu) / self.sigma
        out: Floats = np.exp(-0.5 * z * z) / (w * self.sigma * np.sqrt(2.0 * np.pi))
        return out

    def __str__(self) -> str:
        zeros = f", {self.n_zero} zeros left out" if self.n_zero else ""
        return (
            f"log-normal: mean of ln {self.mu:.3f}, sd of ln {self.sigma:.3f}, KS distance {self.distance:.3f} "
            f"(n = {self.n}{zeros})"
        )


def fit_lognormal(weights: ArrayLike) -> LogNormalFit:
    """Fit a log-normal distribution to weights by maximum likelihood.

    Parameters
    ----------
    weights : float array of any shape
        Conductances, not negative. Zeros are counted and left out.

    Returns
    -------
    LogNormalFit
        The fit. Its KS distance is no p-value: as mu and sigma come from the same weights, and there are many of them,
        almost any set would be rejected.

    Raises
    ------
    ParameterError
        If a weight is negative or not finite, or there are fewer than two positive ones.

    Examples
    --------
    >>> import numpy as np
    >>> fit = fit_lognormal(np.random.default_rng(0).lognormal(-1.0, 0.5, 100_000))
    >>> print(fit)
    log-normal: mean of ln -1.0..., sd of ln 0.5..., KS distance 0.00... (n = 100000)
    """
    w = numbers("weights", weights).astype(np.float64).ravel()
    wrong = np.flatnonzero(~np.isfinite(w) | (w < 0))
    if wrong.size:
        raise ParameterError(
            f"weights[{wrong[0]}] is {w[wrong[0]]} ({wrong.size} of {w.size} like it); conductances are finite and not "
            "negative"
        )
    positive = np.sort(w[w > 0])
    n = positive.size
    if n < 2:
        raise ParameterError(f"{n} of {w.size} weights are positive; a fit needs at least two")
    logs = np.log(positive)
    mu, sigma = float(logs.mean()), float(logs.std())
    mean = float(positive.mean())
    cv = float(positive.std()) / mean
    if sigma <= 1e-12 * max(1.0, abs(mu)):  # one value: the fit is a step at the same place
        return LogNormalFit(n, w.size - n, mu, 0.0, 0.0, mean, cv)
    from scipy.special import ndtr

    expected = ndtr((logs - mu) / sigma)
    steps = np.arange(n + 1) / n
    distance = float(max((steps[1:] - expected).max(), (expected - steps[:-1]).max()))
    return LogNormalFit(n, w.size - n, mu, sigma, distance, mean, cv)
