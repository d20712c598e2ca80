"""Losses and their scores: what learning is told about the outputs."""

from __future__ import annotations

from .base import Loss
from .bregman import Bregman
from .continuous import Gamma, Gaussian
from .counts import NegativeBinomial, Poisson
from .cross_entropy import CrossEntropy
from .exponential_family import ExponentialFamily
from .families import Family
from .links import Link
from .logistic import Hinge, Logistic
from .potentials import Potential
from .quantiles import Expectile, Pinball
from .registry import LOSSES, loss
from .scoring import Brier, LogScore, ScoringRule, Spherical
from .squared import SquaredError

__all__ = [
    "LOSSES",
    "Bregman",
    "Brier",
    "CrossEntropy",
    "Expectile",
    "ExponentialFamily",
    "Family",
    "Gamma",
    "Gaussian",
    "Hinge",
    "Link",
    "LogScore",
    "Logistic",
    "Loss",
    "NegativeBinomial",
    "Pinball",
    "Poisson",
    "Potential",
    "ScoringRule",
    "Spherical",
    "SquaredError",
    "loss",
]
