"""Real-valued targets with a noise model: positive with a constant coefficient of variation, or of learned variance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError
from .base import Floats, Loss
from .elementwise import ElementwiseLoss
from .options import as_row, per_output
from .targets import Domain, classes_or_vectors, vectors


class Gamma(ElementwiseLoss):
    """Negative log-likelihood of gamma targets with mean exp(o): k (o + y exp(-o)), without terms of y alone.

    The score is k (1 - y exp(-o)).

    Parameters
    ----------
    shape : float or sequence of float, default 1.0
        k, for all outputs or for every one: the squared coefficient of variation is 1 / k; 1 is exponential.

    Raises
    ------
    ParameterError
        If `shape` is not positive.

    Examples
    --------
    >>> Gamma(shape=2.0).score([[0.0]], [[0.5]])
    array([[1.]])
    """

    name = "gamma"
    why = "exp(o) reaches every positive mean, and there E[1 - y exp(-o) | x] = 0."
    domain = Domain(0.0, open=True)
    per_output = ("shape",)

    def __init__(self, shape: float | Sequence[float] = 1.0) -> None:
        self.shape = per_output("shape", shape, above=0.0)

    def terms(self, o: Floats, y: Floats) -> tuple[Floats, Floats]:
        """k (o + y exp(-o)), and k (1 - y exp(-o))."""
        k, ratio = as_row(self.shape, o.dtype), y * np.exp(-o)
        return k * (o + ratio), k * (1 - ratio)

    def slope(self, o: Floats, y: Floats) -> Floats:
        """k y exp(-o)."""
        slope: Floats = as_row(self.shape, o.dtype) * y * np.exp(-o)
        return slope


class Gaussian(Loss):
    """Negative log-likelihood of normal targets with a mean and a variance that are both outputs.

    2 K outputs for K targets: the means m, then the logarithmic variances v. The loss is
    1/2 sum_k v_k + (y_k - m_k)^2 exp(-v_k), without the constant; the score (m - y) exp(-v) and
    1/2 (1 - (y - m)^2 exp(-v)).

    Examples
    --------
    >>> Gaussian().score([[1.0, 0.0]], [[3.0]])
    array([[-2. , -1.5]])
    """

    name = "gaussian"
    why = "Outputs reach E[y | x] and log Var[y | x], and there both parts of the score average to zero."

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Classes (B,), for one-hot vectors, or finite numbers (B, n_outputs / 2)."""
        if n_outputs % 2:
            raise ParameterError(
                f"{n_outputs} outputs are no pairs; {self.name} takes one mean and one logarithmic variance per target"
            )
        targets = classes_or_vectors(y, n_samples, n_outputs // 2)
        Domain().check(self.name, targets)
        return targets

    def evaluate(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Loss and score."""
        error, precision = self._parts(o, y)
        weighted = error * precision
        squared = error * weighted
        value = 0.5 * (o[:, error.shape[1] :] + squared).sum(axis=1)
        return value, np.concatenate([weighted, 0.5 * (1 - squared)], axis=1)

    def curvature_product(self, o: Floats, y: NDArray[Any], v: Floats) -> Floats:
        """A symmetric 2 x 2 matrix for every target."""
        error, precision = self._parts(o, y)
        mean, spread = v[:, : error.shape[1]], v[:, error.shape[1] :]
        weighted = error * precision
        return np.concatenate(
            [precision * mean - weighted * spread, -weighted * mean + 0.5 * error * weighted * spread], axis=1
        )

    def decided(self, o: Floats) -> NDArray[Any]:
        """The class of the largest mean."""
        return np.asarray(o[:, : o.shape[1] // 2].argmax(axis=1))

    def _parts(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """m - y and exp(-v)."""
        k = o.shape[1] // 2
        return o[:, :k] - vectors(y, k, o.dtype), np.exp(-o[:, k:])
