"""Losses and their scores: what learning is told about the outputs."""

from __future__ import annotations

from .base import Loss
from .cross_entropy import CrossEntropy
from .registry import LOSSES, loss
from .squared import SquaredError

__all__ = ["LOSSES", "CrossEntropy", "Loss", "SquaredError", "loss"]
