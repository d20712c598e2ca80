"""Tasks to learn: digits, images, and generators of synthetic ones, by name or from one's own arrays.

Inputs are presynaptic activity and so never negative; signed quantities come as ON and OFF lines.
"""

from __future__ import annotations

from .encoding import on_off
from .registry import load, names
from .student import standardisation
from .task import Task

__all__ = ["Task", "load", "names", "on_off", "standardisation"]
