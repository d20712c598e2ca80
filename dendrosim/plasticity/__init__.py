"""Plasticity: rules composed of modulators, the learner that follows them, and optimisers."""

from __future__ import annotations

from .learner import Gradients, Learner
from .modulators import (
    HSIC,
    MODULATORS,
    ApicalBasal,
    DendriticNormalisation,
    Depth,
    Modulator,
    PathGain,
    Phi,
    Rho,
)
from .optimisers import OPTIMISERS, SGD, Adam, AdamW, Momentum, Optimiser
from .point import PointLearner
from .residual import BlockRule, ResidualLearner
from .rules import RULES, Rule, rule

__all__ = [
    "HSIC",
    "MODULATORS",
    "OPTIMISERS",
    "RULES",
    "SGD",
    "Adam",
    "AdamW",
    "ApicalBasal",
    "BlockRule",
    "DendriticNormalisation",
    "Depth",
    "Gradients",
    "Learner",
    "Modulator",
    "Momentum",
    "Optimiser",
    "PathGain",
    "Phi",
    "PointLearner",
    "ResidualLearner",
    "Rho",
    "Rule",
    "rule",
]
