"""Exponential families: log-partition functions, and what of the targets they look at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number
from ..construct import call_of
from ..errors import ParameterError
from .base import Floats
from .functions import sigmoid, softmax, softmax_product, softplus
from .links import NEGATIVE, REAL, Interval
from .targets import Domain, check_distribution, classes_or_vectors, vectors


class Family(ABC):
    """Densities h(y) exp(theta . T(y) - A(theta)) with natural parameters theta, of shape (B, n_outputs).

    Attributes
    ----------
    natural : (float, float)
        Open interval of every natural parameter; a link must reach all of it and no more.
    link : str
        The link by default.
    domain : Domain
        Which targets are possible.
    """

    name: ClassVar[str]
    natural: Interval = REAL
    link: str = "identity"
    domain: Domain = Domain()

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Targets `y` as `statistic` takes them: classes (B,) or numbers (B, C); B = `n_samples`, C = `n_outputs`.

        Raises
        ------
        ParameterError
            If the shape is wrong or a target is impossible.
        """
        targets = classes_or_vectors(y, n_samples, n_outputs)
        self.domain.check(f"family {self.name!r}", targets)
        return targets

    def statistic(self, y: NDArray[Any], n_outputs: int, dtype: Any) -> Floats:
        """T(y) of `y` as floats (B, C) of type `dtype`, C = `n_outputs`; here y itself, one-hot for classes."""
        return vectors(y, n_outputs, dtype)

    @abstractmethod
    def log_partition(self, theta: Floats) -> Floats:
        """A at natural parameters `theta` (B, C), of shape (B,)."""

    @abstractmethod
    def mean(self, theta: Floats) -> Floats:
        """grad A at `theta` (B, C), the mean of T(y), of the same shape."""

    @abstractmethod
    def covariance(self, theta: Floats, v: Floats) -> Floats:
        """Hess A at `theta`, the covariance of T(y), times `v`; all of shape (B, C)."""

    def __repr__(self) -> str:
        return call_of(self)


class Normal(Family):
    """Normal targets of known variance, which is the dispersion; theta is the mean."""

    name = "normal"

    def log_partition(self, theta: Floats) -> Floats:
        """1/2 sum theta^2."""
        value: Floats = 0.5 * (theta * theta).sum(axis=1)
        return value

    def mean(self, theta: Floats) -> Floats:
        """theta."""
        return theta

    def covariance(self, theta: Floats, v: Floats) -> Floats:
        """v."""
        return v


class Bernoulli(Family):
    """Targets 0 or 1, or probabilities; theta is the logit."""

    name = "bernoulli"
    domain = Domain(0.0, 1.0)

    def log_partition(self, theta: Floats) -> Floats:
        """sum log(1 + exp(theta))."""
        value: Floats = softplus(theta).sum(axis=1)
        return value

    def mean(self, theta: Floats) -> Floats:
        """sigmoid(theta)."""
        return sigmoid(theta)

    def covariance(self, theta: Floats, v: Floats) -> Floats:
        """sigmoid(theta) sigmoid(-theta) v."""
        product: Floats = sigmoid(theta) * sigmoid(-theta) * v
        return product


class Binomial(Bernoulli):
    """Numbers of successes in `trials`; theta is the logit of one.

    Parameters
    ----------
    trials : int

    Raises
    ------
    ParameterError
        If `trials` is no whole number of at least 1.
    """

    name = "binomial"

    def __init__(self, trials: int) -> None:
        if number("trials", trials, least=1) % 1:
            raise ParameterError(f"trials={trials:g} must be a whole number")
        self.trials = int(trials)
        self.domain = Domain(0.0, float(trials), whole=True)

    def log_partition(self, theta: Floats) -> Floats:
        """n sum log(1 + exp(theta))."""
        return self.trials * super().log_partition(theta)

    def mean(self, theta: Floats) -> Floats:
        """n sigmoid(theta)."""
        return self.trials * super().mean(theta)

    def covariance(self, theta: Floats, v: Floats) -> Floats:
        """n sigmoid(theta) sigmoid(-theta) v."""
        return self.trials * super().covariance(theta, v)


class PoissonFamily(Family):
    """Counts; theta is the logarithmic rate."""

    name = "poisson"
    domain = Domain(0.0, whole=True)

    def log_partition(self, theta: Floats) -> Floats:
        """sum exp(theta)."""
        value: Floats = np.exp(theta).sum(axis=1)
        return value

    def mean(self, theta: Floats) -> Floats:
        """exp(theta)."""
        mean: Floats = np.exp(theta)
        return mean

    def covariance(self, theta: Floats, v: Floats) -> Floats:
        """exp(theta) v."""
        product: Floats = np.exp(theta) * v
        return product


class GammaFamily(Family):
    """Positive targets with mean -1 / theta; the dispersion is the squared coefficient of variation, 1 exponential."""

    name = "gamma"
    natural = NEGATIVE
    link = "negative_exp"
    domain = Domain(0.0, open=True)

    def log_partition(self, theta: Floats) -> Floats:
        """-sum log(-theta)."""
        value: Floats = -np.log(-theta).sum(axis=1)
        return value

    def mean(self, theta: Floats) -> Floats:
        """-1 / theta."""
        return -1 / theta

    def covariance(self, theta: Floats, v: Floats) -> Floats:
        """v / theta^2."""
        return v / theta / theta


class Categorical(Family):
    """Classes, or probabilities over them; theta are logits, and the loss is cross-entropy."""

    name = "categorical"

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Classes (B,), or probabilities (B, n_outputs)."""
        targets = classes_or_vectors(y, n_samples, n_outputs, "probabilities")
        check_distribution(f"family {self.name!r}", targets)
        return targets

    def log_partition(self, theta: Floats) -> Floats:
        """log sum exp(theta)."""
        largest = theta.max(axis=1)
        value: Floats = largest + np.log(np.exp(theta - largest[:, None]).sum(axis=1))
        return value

    def mean(self, theta: Floats) -> Floats:
        """softmax(theta)."""
        return softmax(theta)

    def covariance(self, theta: Floats, v: Floats) -> Floats:
        """(diag(p) - p p^T) v for p = softmax(theta)."""
        return softmax_product(softmax(theta), v)


class VonMises(Family):
    """Angles, in radians: 2 K outputs for K of them, all cosine components of theta, then all sine components.

    T(y) = (cos y, sin y), and A = log I0(kappa), where theta = kappa (cos mu, sin mu): direction mu, concentration
    kappa.
    """

    name = "von_mises"

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Angles (B, n_outputs / 2)."""
        if n_outputs % 2:
            raise ParameterError(
                f"{n_outputs} outputs are no pairs; family {self.name!r} takes a cosine and a sine component per angle"
            )
        angles = classes_or_vectors(y, n_samples, n_outputs // 2, "angles")
        if angles.ndim == 1:
            raise ParameterError(
                f"y has shape {angles.shape}; family {self.name!r} takes angles of shape {(n_samples, n_outputs // 2)}"
            )
        self.domain.check(f"family {self.name!r}", angles)
        return angles

    def statistic(self, y: NDArray[Any], n_outputs: int, dtype: Any) -> Floats:
        """cos y and sin y."""
        return np.concatenate([np.cos(y), np.sin(y)], axis=1).astype(dtype, copy=False)

    def log_partition(self, theta: Floats) -> Floats:
        """sum log I0(kappa)."""
        from scipy.special import i0e

        kappa, _ = self._polar(theta)
        value: Floats = (np.log(i0e(kappa)) + kappa).sum(axis=1)
        return value

    def mean(self, theta: Floats) -> Floats:
        """I1(kappa) / I0(kappa) in the direction mu."""
        kappa, unit = self._polar(theta)
        mean: Floats = unit * np.tile(self._length(kappa), 2)
        return mean

    def covariance(self, theta: Floats, v: Floats) -> Floats:
        """A'' along mu, A' / kappa across it."""
        kappa, unit = self._polar(theta)
        length = self._length(kappa)
        small = kappa < 1e-4  # there A' / kappa is 1/2 to rounding of squares
        across = np.where(small, 0.5, length / np.where(small, 1, kappa)).astype(theta.dtype)
        along = 1 - across - length**2
        part = sum(np.split(unit * v, 2, axis=1))
        product: Floats = np.tile(across, 2) * v + unit * np.tile((along - across) * part, 2)
        return product

    def _polar(self, theta: Floats) -> tuple[Floats, Floats]:
        """kappa (B, K), and the unit vectors (B, 2 K) in the directions mu; any direction where kappa is 0."""
        cosine, sine = np.split(theta, 2, axis=1)
        kappa: Floats = np.hypot(cosine, sine)
        safe = np.where(kappa > 0, kappa, 1)
        return kappa, np.concatenate([cosine / safe, sine / safe], axis=1)

    def _length(self, kappa: Floats) -> Floats:
        """A' = I1 / I0."""
        from scipy.special import i0e, i1e

        length: Floats = i1e(kappa) / i0e(kappa)
        return length


FAMILIES: dict[str, type[Family]] = {
    kind.name: kind for kind in (Normal, Bernoulli, Binomial, PoissonFamily, GammaFamily, Categorical, VonMises)
}
