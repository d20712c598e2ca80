"""Strictly convex functions, from which Bregman divergences and proper scoring rules are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ..arguments import number
from ..construct import call_of
from .base import Floats
from .links import POSITIVE, REAL, UNIT, Interval
from .targets import Domain


class Potential(ABC):
    """A convex function F of a vector, and what its derivatives do to vectors, row by row of (B, C).

    Attributes
    ----------
    interior : (float, float) or None
        Open interval in which every component must lie; None if F is strictly convex on probability vectors only, so
        that it makes scoring rules and no Bregman divergences.
    targets : Domain
        Where F is finite, for targets.
    matched : str or None
        Name of the link that is the inverse of grad F, if there is one with unconstrained outputs.
    """

    name: ClassVar[str]
    interior: Interval | None = REAL
    targets: Domain = Domain()
    matched: str | None = None

    @abstractmethod
    def value(self, p: Floats) -> Floats:
        """F at predictions `p` (B, C), of shape (B,)."""

    @abstractmethod
    def gradient(self, p: Floats) -> Floats:
        """grad F at predictions `p` (B, C), of the same shape."""

    @abstractmethod
    def hessian(self, p: Floats, a: Floats) -> Floats:
        """Hess F at `p` times `a`, all of shape (B, C)."""

    @abstractmethod
    def third(self, p: Floats, a: Floats, b: Floats) -> Floats:
        """Derivative of ``hessian(p, a)`` by `p` in the direction of `b`, with `a` held; all of shape (B, C)."""

    def __repr__(self) -> str:
        return call_of(self)


class Squared(Potential):
    """1/2 sum y^2: squared error; on probabilities half the Brier score."""

    name = "squared"
    matched = "identity"

    def value(self, p: Floats) -> Floats:
        """1/2 sum p^2."""
        value: Floats = 0.5 * (p * p).sum(axis=1)
        return value

    def gradient(self, p: Floats) -> Floats:
        """p."""
        return p

    def hessian(self, p: Floats, a: Floats) -> Floats:
        """a."""
        return a

    def third(self, p: Floats, a: Floats, b: Floats) -> Floats:
        """0."""
        return np.zeros_like(p)


class NegativeEntropy(Potential):
    """sum y log y - y: the generalised Kullback-Leibler divergence; on probabilities the log score."""

    name = "kl"
    interior = POSITIVE
    targets = Domain(0.0)
    matched = "exp"

    def value(self, p: Floats) -> Floats:
        """sum p log p - p, with 0 log 0 = 0."""
        value: Floats = (p * np.log(np.where(p > 0, p, 1)) - p).sum(axis=1)
        return value

    def gradient(self, p: Floats) -> Floats:
        """log p."""
        gradient: Floats = np.log(p)
        return gradient

    def hessian(self, p: Floats, a: Floats) -> Floats:
        """a / p."""
        return a / p

    def third(self, p: Floats, a: Floats, b: Floats) -> Floats:
        """-a b / p^2."""
        return -(a / p) * (b / p)


class NegativeLog(Potential):
    """-sum log y: the Itakura-Saito divergence, which compares ratios."""

    name = "itakura_saito"
    interior = POSITIVE
    targets = Domain(0.0, open=True)

    def value(self, p: Floats) -> Floats:
        """-sum log p."""
        value: Floats = -np.log(p).sum(axis=1)
        return value

    def gradient(self, p: Floats) -> Floats:
        """-1 / p."""
        return -1 / p

    def hessian(self, p: Floats, a: Floats) -> Floats:
        """a / p^2."""
        return a / p / p

    def third(self, p: Floats, a: Floats, b: Floats) -> Floats:
        """-2 a b / p^3."""
        return -2 * (a / p) * (b / p) / p


class BinaryEntropy(Potential):
    """sum y log y + (1 - y) log(1 - y): the logistic loss."""

    name = "logistic"
    interior = UNIT
    targets = Domain(0.0, 1.0)
    matched = "sigmoid"

    def value(self, p: Floats) -> Floats:
        """sum p log p + (1 - p) log(1 - p), with 0 log 0 = 0."""
        q = 1 - p
        terms = p * np.log(np.where(p > 0, p, 1)) + q * np.log(np.where(q > 0, q, 1))
        value: Floats = terms.sum(axis=1)
        return value

    def gradient(self, p: Floats) -> Floats:
        """log(p / (1 - p))."""
        gradient: Floats = np.log(p) - np.log1p(-p)
        return gradient

    def hessian(self, p: Floats, a: Floats) -> Floats:
        """a / (p (1 - p))."""
        product: Floats = a / p / (1 - p)
        return product

    def third(self, p: Floats, a: Floats, b: Floats) -> Floats:
        """-a b (1 - 2 p) / (p (1 - p))^2."""
        product: Floats = -(a / p) * (b / p) * (1 - 2 * p) / (1 - p) ** 2
        return product


class Power(Potential):
    """sum y^alpha / (alpha (alpha - 1)): between Kullback-Leibler (alpha to 1) and squared error (alpha = 2).

    The beta divergences; on probabilities the Tsallis scores.

    Parameters
    ----------
    alpha : float, default 1.5
        Above 1.

    Raises
    ------
    ParameterError
        If `alpha` is not above 1.
    """

    name = "power"
    interior = POSITIVE
    targets = Domain(0.0)

    def __init__(self, alpha: float = 1.5) -> None:
        self.alpha = number("alpha", alpha, above=1.0)

    def value(self, p: Floats) -> Floats:
        """sum p^alpha / (alpha (alpha - 1))."""
        value: Floats = (p**self.alpha).sum(axis=1) / (self.alpha * (self.alpha - 1))
        return value

    def gradient(self, p: Floats) -> Floats:
        """p^(alpha - 1) / (alpha - 1)."""
        return p ** (self.alpha - 1) / (self.alpha - 1)

    def hessian(self, p: Floats, a: Floats) -> Floats:
        """p^(alpha - 2) a."""
        return p ** (self.alpha - 1) * (a / p)

    def third(self, p: Floats, a: Floats, b: Floats) -> Floats:
        """(alpha - 2) p^(alpha - 3) a b."""
        return (self.alpha - 2) * p ** (self.alpha - 1) * (a / p) * (b / p)


class Norm(Potential):
    """The Euclidean norm of probabilities: the spherical score. Not strictly convex along rays, so no divergence."""

    name = "spherical"
    interior = None

    def value(self, p: Floats) -> Floats:
        """|p|."""
        value: Floats = np.sqrt((p * p).sum(axis=1))
        return value

    def gradient(self, p: Floats) -> Floats:
        """p / |p|."""
        gradient: Floats = p / self.value(p)[:, None]
        return gradient

    def hessian(self, p: Floats, a: Floats) -> Floats:
        """(a - u (u . a)) / |p|, where u = p / |p|."""
        norm = self.value(p)[:, None]
        unit = p / norm
        return (a - unit * _dot(unit, a)) / norm

    def third(self, p: Floats, a: Floats, b: Floats) -> Floats:
        """(3 u (u . a) (u . b) - a (u . b) - b (u . a) - u (a . b)) / |p|^2."""
        norm = self.value(p)[:, None]
        unit = p / norm
        along_a, along_b = _dot(unit, a), _dot(unit, b)
        result: Floats = 3 * unit * along_a * along_b - a * along_b - b * along_a - unit * _dot(a, b)
        result /= norm * norm
        return result


def _dot(a: Floats, b: Floats) -> Floats:
    dot: Floats = (a * b).sum(axis=1, keepdims=True)
    return dot


POTENTIALS: dict[str, type[Potential]] = {
    kind.name: kind for kind in (Squared, NegativeEntropy, NegativeLog, BinaryEntropy, Power, Norm)
}
