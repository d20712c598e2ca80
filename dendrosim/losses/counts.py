"""Counts whose logarithmic mean is the output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .base import Floats
from .elementwise import ElementwiseLoss
from .functions import sigmoid
from .options import as_row, per_output
from .targets import Domain


class Poisson(ElementwiseLoss):
    """Negative log-likelihood of Poisson counts with logarithmic rates o: tau exp(o) - y o, without terms of y alone.

    The score is tau exp(o) - y.

    Parameters
    ----------
    exposure : float or sequence of float, default 1.0
        tau, for how long is counted: in all, or for every output.

    Raises
    ------
    ParameterError
        If `exposure` is not positive.

    Examples
    --------
    >>> Poisson(exposure=2.0).score([[0.0]], [[3]])
    array([[-1.]])
    """

    name = "poisson"
    why = "tau exp(o) reaches every mean count, and there E[tau exp(o) - y | x] = 0."
    domain = Domain(0.0, whole=True)
    per_output = ("exposure",)

    def __init__(self, exposure: float | Sequence[float] = 1.0) -> None:
        self.exposure = per_output("exposure", exposure, above=0.0)

    def terms(self, o: Floats, y: Floats) -> tuple[Floats, Floats]:
        """tau exp(o) - y o, and tau exp(o) - y."""
        mean = self._mean(o)
        return mean - y * o, mean - y

    def slope(self, o: Floats, y: Floats) -> Floats:
        """tau exp(o)."""
        return self._mean(o)

    def _mean(self, o: Floats) -> Floats:
        mean: Floats = as_row(self.exposure, o.dtype) * np.exp(o)
        return mean


class NegativeBinomial(ElementwiseLoss):
    """Negative log-likelihood of overdispersed counts with mean mu = exp(o) and variance mu + mu^2 / r.

    The loss is (r + y) log(r + mu) - y o, without terms of y alone; the score r (mu - y) / (r + mu).

    Parameters
    ----------
    size : float or sequence of float, default 1.0
        r, for all outputs or for every one; the larger, the closer to Poisson.

    Raises
    ------
    ParameterError
        If `size` is not positive.

    Examples
    --------
    >>> NegativeBinomial(size=2.0).score([[0.0]], [[4]])
    array([[-2.]])
    """

    name = "negative_binomial"
    why = "exp(o) reaches every mean count, and the score is exp(o) - y times a function of o."
    domain = Domain(0.0, whole=True)
    per_output = ("size",)

    def __init__(self, size: float | Sequence[float] = 1.0) -> None:
        self.size = per_output("size", size, above=0.0)

    def terms(self, o: Floats, y: Floats) -> tuple[Floats, Floats]:
        """(r + y) log(r + mu) - y o, and r (mu - y) / (r + mu) without forming mu, which could overflow."""
        r = as_row(self.size, o.dtype)
        z = o - np.log(r)
        return (r + y) * np.logaddexp(np.log(r), o) - y * o, r * sigmoid(z) - y * sigmoid(-z)

    def slope(self, o: Floats, y: Floats) -> Floats:
        """(r + y) r mu / (r + mu)^2."""
        r = as_row(self.size, o.dtype)
        z = o - np.log(r)
        slope: Floats = (r + y) * sigmoid(z) * sigmoid(-z)
        return slope
