"""The training loop: a task, a network, a teaching signal and a rule; minibatches, metrics, checkpoints."""

from __future__ import annotations

from .callbacks import Callback, Moment, Record
from .checkpoint import Checkpoint
from .credit import RecordCredit
from .evaluation import KeepTeaching, RecordEvaluation, auditable
from .fidelity import RecordFidelity
from .run import Run
from .schedules import SCHEDULES, Constant, Cosine, Schedule, Step

__all__ = [
    "SCHEDULES",
    "Callback",
    "Checkpoint",
    "Constant",
    "Cosine",
    "KeepTeaching",
    "Moment",
    "Record",
    "RecordCredit",
    "RecordEvaluation",
    "RecordFidelity",
    "Run",
    "Schedule",
    "Step",
    "auditable",
]
