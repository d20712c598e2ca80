"""Tasks to learn: digits, images, and generators of synthetic ones, by name or from one's own arrays.

Inputs are presynaptic activity and so never negative; signed quantities come as ON and OFF lines. Tasks in time are
made of spike trains: `spike_patterns`, `delayed_cue`.
"""

from __future__ import annotations

from .delayed_cue import delayed_cue
from .encoding import on_off
from .registry import load, names
from .spike_patterns import spike_patterns
from .student import standardisation
from .task import Task
from .temporal import TemporalTask, Trials

__all__ = [
    "Task",
    "TemporalTask",
    "Trials",
    "delayed_cue",
    "load",
    "names",
    "on_off",
    "spike_patterns",
    "standardisation",
]
