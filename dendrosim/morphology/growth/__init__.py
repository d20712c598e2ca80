"""Grow morphologies: ball and stick, Rall trees, random branching, minimum spanning trees, and their diameters.

Every function returns a `dendrosim.Morphology`. Randomness comes from an explicit seed only: same seed, same bits.
"""

from __future__ import annotations

from .graft import graft
from .mst import minimum_spanning_tree
from .rall import rall_tree
from .random import random_branching
from .regions import Box, Cone, Ellipsoid, Region, scatter
from .shape import jitter, resample, smooth
from .stick import ball_and_stick, unbranched
from .taper import power_taper, quadratic_taper

__all__ = [
    "Box",
    "Cone",
    "Ellipsoid",
    "Region",
    "ball_and_stick",
    "graft",
    "jitter",
    "minimum_spanning_tree",
    "power_taper",
    "quadratic_taper",
    "rall_tree",
    "random_branching",
    "resample",
    "scatter",
    "smooth",
    "unbranched",
]
