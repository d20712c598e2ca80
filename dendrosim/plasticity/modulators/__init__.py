"""Modulators: the factors that a rule is composed of, one small class each, registered under one name."""

from __future__ import annotations

from .apical_basal import ApicalBasal
from .base import Modulator
from .depth import Depth
from .hsic import HSIC
from .normalisation import DendriticNormalisation
from .path import PathGain
from .phi import Phi
from .rho import Rho

MODULATORS: dict[str, type[Modulator]] = {
    kind.name: kind for kind in (Rho, Phi, PathGain, Depth, DendriticNormalisation, ApicalBasal, HSIC)
}

__all__ = [
    "HSIC",
    "MODULATORS",
    "ApicalBasal",
    "DendriticNormalisation",
    "Depth",
    "Modulator",
    "PathGain",
    "Phi",
    "Rho",
]
