"""Teaching signals: from the output error to a credit for every compartment."""

from __future__ import annotations

from .base import Teaching
from .broadcast import Broadcast
from .degraded import Degraded
from .exact import DecoderOnly, Exact
from .mismatch import LocalMismatch
from .per_soma import PerSoma, Shuffled
from .random_feedback import DFA, LowRank
from .registry import TEACHING, teaching
from .scalar import Scalar

__all__ = [
    "DFA",
    "TEACHING",
    "Broadcast",
    "DecoderOnly",
    "Degraded",
    "Exact",
    "LocalMismatch",
    "LowRank",
    "PerSoma",
    "Scalar",
    "Shuffled",
    "Teaching",
    "teaching",
]
