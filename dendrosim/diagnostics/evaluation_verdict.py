"""The three checks of the evaluation protocol, its verdict, and what poorer reporting would have said."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from fractions import Fraction

from ..arguments import number, whole
from ..errors import ParameterError
from .evaluation import COSINE_EPSILON

STRATEGIES = ("S0", "S1", "S2", "S3")
NOTICED = {True: "fail", False: "pass", None: "open"}
"""Words for what a way of reporting says."""


@dataclass(frozen=True)
class Thresholds:
    """Where the checks flag. The values are the paper's, calibrated on image classification in float32.

    Attributes
    ----------
    growth : float, default 50
        First check: flagged where rho is above.
    cosine_epsilon : float, default 1e-8
        Floor of the cosine's denominators.
    reference : float, default 10
        Second check: flagged where ``|g_L|`` is below this many times `cosine_epsilon`.
    depth : float, default 0.02
        Third check: flagged where accuracy is less than this above the frozen baseline.
    dominance : float, default 0.8
        Not part of the verdict, and our own: above this share of one layer the aggregate cosine is called lopsided.

    Examples
    --------
    >>> Thresholds(depth=0.01).depth
    0.01
    """

    growth: float = 50.0
    cosine_epsilon: float = COSINE_EPSILON
    reference: float = 10.0
    depth: float = 0.02
    dominance: float = 0.8

    def __post_init__(self) -> None:
        for one in fields(self):
            number(one.name, getattr(self, one.name), least=0.0)

    @property
    def least_gradient(self) -> float:
        """Length of g_L below which the second check flags."""
        return float(f"{self.reference * self.cosine_epsilon:.15g}")


@dataclass(frozen=True)
class Accuracy:
    """Right answers among so many: an exact number, so that a gap at the threshold is not decided by rounding.

    Attributes
    ----------
    right, n : int
    """

    right: int
    n: int

    def __post_init__(self) -> None:
        whole("right", self.right, 0)
        whole("n", self.n)
        if self.n < 1 or not 0 <= self.right <= self.n:
            raise ParameterError(f"right={self.right} of n={self.n} is impossible; 0 <= right <= n, and n >= 1")

    @classmethod
    def of(cls, given: float | Accuracy) -> Accuracy:
        """From an accuracy `given` between 0 and 1 as printed, or itself."""
        if isinstance(given, Accuracy):
            return given
        share = Fraction(number("accuracy", given, least=0.0, most=1.0)).limit_denominator(10**6)
        return cls(share.numerator, share.denominator)

    @property
    def exact(self) -> Fraction:
        """As a fraction."""
        return Fraction(self.right, self.n)

    def __float__(self) -> float:
        return self.right / self.n


def unstable(rho: float, thresholds: Thresholds) -> bool:
    """First check, scale stability: rho above the threshold, or not a number."""
    return not rho <= thresholds.growth


def invalid(norm: float, thresholds: Thresholds) -> bool:
    """Second check, reference validity: the deepest gradient below the threshold, or not a number."""
    return not norm >= thresholds.least_gradient


def useless(accuracy: Accuracy, frozen: Accuracy, thresholds: Thresholds) -> bool:
    """Third check, depth utility: less above the frozen baseline than the threshold asks for."""
    return accuracy.exact - frozen.exact < Fraction(thresholds.depth).limit_denominator(10**9)


@dataclass(frozen=True)
class Verdict:
    """Which checks flagged, and what follows (evaluation paper, section 5.1).

    Attributes
    ----------
    scale, reference : bool
        First and second check.
    depth : bool or None
        Third check; None where no frozen baseline was given.
    """

    scale: bool
    reference: bool
    depth: bool | None

    @property
    def degenerate(self) -> bool:
        """Mode 1: scale *and* reference flag. Growth alone leaves the cosine measurable and is no failure."""
        return self.scale and self.reference

    @property
    def failed(self) -> bool | None:
        """Mode 1, or depth utility; None where neither failed but the third check could not be made."""
        if self.degenerate or self.depth:
            return True
        return None if self.depth is None else False

    @property
    def flags(self) -> tuple[str, ...]:
        """Names of the checks that flagged: D1, D2, D3."""
        found = {"D1": self.scale, "D2": self.reference, "D3": bool(self.depth)}
        return tuple(name for name, flagged in found.items() if flagged)

    @property
    def word(self) -> str:
        """Whether it failed, in a word."""
        return {True: "fail", False: "pass", None: "incomplete"}[self.failed]

    @property
    def short(self) -> str:
        """The word, and the checks that flagged."""
        return self._with_flags(self.word)

    def __str__(self) -> str:
        return self._with_flags(
            f"{self.word}: no frozen baseline to compare with" if self.failed is None else self.word
        )

    def _with_flags(self, said: str) -> str:
        return f"{said} ({'+'.join(self.flags)})" if self.flags else said


def strategies(
    accuracy: float, gamma: float, verdict: Verdict, n_classes: int, thresholds: Thresholds
) -> dict[str, bool | None]:
    """Whether each way of reporting would have noticed a failure (evaluation paper, section 5.2).

    S0 looks at accuracy alone, S1 at the aggregate cosine too, S2 adds mode 1, S3 depth utility. The paper gives no
    number for the first two, which it has pass throughout; we let S0 notice accuracy that is not above chance by the
    depth threshold, and S1 an aggregate cosine that is not positive.

    Returns
    -------
    dict of str to bool or None
        True where a failure is noticed; None where S3 lacks the frozen baseline and nothing else is noticed.
    """
    noticed = not accuracy - 1.0 / n_classes >= thresholds.depth
    found: dict[str, bool | None] = {"S0": noticed}
    found["S1"] = noticed = noticed or not (gamma > 0 or math.isnan(gamma))
    found["S2"] = noticed = noticed or verdict.degenerate
    found["S3"] = noticed or verdict.depth
    return found
