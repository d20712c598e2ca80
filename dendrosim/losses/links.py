"""Links: from unconstrained outputs to parameters that live on a part of the real line."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from .base import Floats
from .functions import sigmoid, softplus

Interval = tuple[float, float]
REAL: Interval = (-math.inf, math.inf)
POSITIVE: Interval = (0.0, math.inf)
NEGATIVE: Interval = (-math.inf, 0.0)
UNIT: Interval = (0.0, 1.0)


class Link(ABC):
    """A smooth, strictly monotonic function of every output.

    Attributes
    ----------
    range : (float, float)
        The open interval that it maps the real line onto.
    """

    name: ClassVar[str]
    range: Interval = REAL

    @abstractmethod
    def value(self, o: Floats) -> Floats:
        """The function at outputs `o` of any shape."""

    @abstractmethod
    def slope(self, o: Floats) -> Floats:
        """Its first derivative at outputs `o`, of the same shape."""

    @abstractmethod
    def bend(self, o: Floats) -> Floats:
        """Its second derivative at outputs `o`, of the same shape."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Identity(Link):
    """The output itself."""

    name = "identity"

    def value(self, o: Floats) -> Floats:
        """o."""
        return o

    def slope(self, o: Floats) -> Floats:
        """1."""
        return np.ones_like(o)

    def bend(self, o: Floats) -> Floats:
        """0."""
        return np.zeros_like(o)


class Exp(Link):
    """exp(o)."""

    name = "exp"
    range = POSITIVE

    def value(self, o: Floats) -> Floats:
        """exp(o)."""
        value: Floats = np.exp(o)
        return value

    def slope(self, o: Floats) -> Floats:
        """exp(o)."""
        return self.value(o)

    def bend(self, o: Floats) -> Floats:
        """exp(o)."""
        return self.value(o)


class NegativeExp(Link):
    """-exp(-o): with o the logarithm of a mean mu, -1 / mu, as natural parameters of waiting times are."""

    name = "negative_exp"
    range = NEGATIVE

    def value(self, o: Floats) -> Floats:
        """-exp(-o)."""
        value: Floats = -np.exp(-o)
        return value

    def slope(self, o: Floats) -> Floats:
        """exp(-o)."""
        return -self.value(o)

    def bend(self, o: Floats) -> Floats:
        """-exp(-o)."""
        return self.value(o)


class Softplus(Link):
    """log(1 + exp(o))."""

    name = "softplus"
    range = POSITIVE

    def value(self, o: Floats) -> Floats:
        """log(1 + exp(o))."""
        return softplus(o)

    def slope(self, o: Floats) -> Floats:
        """sigmoid(o)."""
        return sigmoid(o)

    def bend(self, o: Floats) -> Floats:
        """sigmoid(o) sigmoid(-o)."""
        bend: Floats = sigmoid(o) * sigmoid(-o)
        return bend


class LogSoftplus(Link):
    """log(log(1 + exp(o))): as a logarithmic rate, a rate that grows linearly and not exponentially."""

    name = "log_softplus"

    def value(self, o: Floats) -> Floats:
        """log(softplus(o)), which is o where softplus(o) underflows."""
        tiny = np.finfo(o.dtype).tiny
        value: Floats = np.where(o < np.log(tiny), o, np.log(np.maximum(softplus(o), tiny)))
        return value

    def slope(self, o: Floats) -> Floats:
        """sigmoid(o) / softplus(o)."""
        return sigmoid(o) * np.exp(-self.value(o))

    def bend(self, o: Floats) -> Floats:
        """slope (sigmoid(-o) - slope)."""
        slope = self.slope(o)
        bend: Floats = slope * (sigmoid(-o) - slope)
        return bend


class Sigmoid(Link):
    """1 / (1 + exp(-o))."""

    name = "sigmoid"
    range = UNIT

    def value(self, o: Floats) -> Floats:
        """1 / (1 + exp(-o))."""
        return sigmoid(o)

    def slope(self, o: Floats) -> Floats:
        """sigmoid(o) sigmoid(-o)."""
        slope: Floats = sigmoid(o) * sigmoid(-o)
        return slope

    def bend(self, o: Floats) -> Floats:
        """slope (1 - 2 sigmoid(o))."""
        bend: Floats = -self.slope(o) * np.tanh(0.5 * o)
        return bend


LINKS: dict[str, type[Link]] = {
    kind.name: kind for kind in (Identity, Exp, NegativeExp, Softplus, LogSoftplus, Sigmoid)
}


def within(inner: Interval, outer: Interval) -> bool:
    """Whether an interval is part of another."""
    return inner[0] >= outer[0] and inner[1] <= outer[1]


def interval_text(interval: Interval) -> str:
    """How messages name an interval."""
    return "all real numbers" if interval == REAL else f"({interval[0]:g}, {interval[1]:g})"
