"""Proper scoring rules of the probabilities softmax(o)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .base import Floats, Loss
from .cross_entropy import CrossEntropy
from .functions import softmax, softmax_product
from .parts import part
from .potentials import POTENTIALS, Potential
from .targets import check_distribution, classes_or_vectors, vectors


class ScoringRule(Loss):
    """The proper scoring rule of a strictly convex G, as a loss (Savage 1971; Gneiting & Raftery 2007).

    With p = softmax(o) the loss is -G(p) - grad G(p) . (y - p), which truthful probabilities minimise on average. Its
    score is J Hess G(p) (p - y), with J = diag(p) - p p^T: by logits, which are not constrained. A constant in G is one
    in the loss; "brier", "spherical" and "log_score" are those of the literature.

    Parameters
    ----------
    potential : str, Potential or mapping
        G: "squared" (half of Brier's), "kl" (the log score), "spherical", "power" (alpha=1.5; Tsallis), "logistic",
        "itakura_saito", or a `Potential` of your own; with options as a mapping, ``{"name": "power", "alpha": 1.2}``.

    Raises
    ------
    ParameterError
        If the potential is not known.

    Examples
    --------
    >>> ScoringRule("kl").score([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """

    name = "scoring_rule"
    why = (
        "softmax(o) reaches E[y | x] (where a class is certain only at infinity), the best prediction for every "
        "strictly proper rule, and the score is linear in p - y."
    )
    scale: ClassVar[float] = 1.0
    offset: ClassVar[float] = 0.0

    def __init__(self, potential: str | Potential | Mapping[str, Any]) -> None:
        self.potential: Potential = part("potential", potential, Potential, POTENTIALS)  # type: ignore[type-abstract]

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Classes (B,), or probabilities (B, n_outputs) of which every row sums to one."""
        targets = classes_or_vectors(y, n_samples, n_outputs, "probabilities")
        check_distribution(self.name, targets)
        return targets

    def evaluate(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Loss and score."""
        p, error = self._parts(o, y)
        potential = self.potential
        value = self.scale * ((potential.gradient(p) * error).sum(axis=1) - potential.value(p)) + self.offset
        return value, self.scale * softmax_product(p, potential.hessian(p, error))

    def curvature_product(self, o: Floats, y: NDArray[Any], v: Floats) -> Floats:
        """dJ u + J du for u = Hess G(p) (p - y), along dp = J v; symmetric, as the score is a gradient."""
        p, error = self._parts(o, y)
        dp = softmax_product(p, v)
        u = self.potential.hessian(p, error)
        du = self.potential.third(p, error, dp) + self.potential.hessian(p, dp)
        moved = dp * (u - (p * u).sum(axis=1, keepdims=True)) - p * (dp * u).sum(axis=1, keepdims=True)
        product: Floats = self.scale * (moved + softmax_product(p, du))
        return product

    def _parts(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """p, never rounded to 0 or 1, where derivatives of G may be infinite, and p - y."""
        info = np.finfo(o.dtype)
        p = np.clip(softmax(o), info.tiny, 1 - info.epsneg)
        return p, p - vectors(y, o.shape[1], o.dtype)


class Brier(ScoringRule):
    """The Brier score ``|p - y|^2`` of p = softmax(o), from 0 to 2; its score is 2 J (p - y) (Brier 1950).

    For probabilities y it is the expectation over classes drawn from y, which is ``|p - y|^2 + 1 - |y|^2``.

    Examples
    --------
    >>> Brier().value([[0.0, 0.0]], [1])
    array([0.5])
    """

    name = "brier"
    scale = 2.0
    offset = 1.0

    def __init__(self) -> None:
        super().__init__("squared")


class Spherical(ScoringRule):
    """The spherical score as a loss: one minus the class's probability over the length of p = softmax(o); from 0 to 1.

    Examples
    --------
    >>> Spherical().value([[0.0, 0.0]], [1]).round(4)
    array([0.2929])
    """

    name = "spherical"
    offset = 1.0

    def __init__(self) -> None:
        super().__init__("spherical")


class LogScore(CrossEntropy):
    """The log score -sum_c y_c log p_c of p = softmax(o): cross-entropy under its name among scoring rules.

    Examples
    --------
    >>> LogScore().score([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """

    name = "log_score"

    def __init__(self) -> None:
        super().__init__()
