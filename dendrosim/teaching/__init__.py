"""Teaching signals: from the output error to a credit for every compartment."""

from __future__ import annotations

from .base import Teaching
from .broadcast import Broadcast
from .decorrelation import EBD, SBD
from .degraded import Degraded
from .exact import DecoderOnly, Exact
from .expansions import EXPANSIONS, expansion
from .feedback_alignment import FA
from .kolen_pollack import KolenPollack
from .mismatch import LocalMismatch
from .noise import NMNC, VNC, Mirror, NodePerturbation
from .per_soma import PerSoma, Shuffled
from .random_feedback import DFA, LowRank
from .registry import TEACHING, teaching
from .scalar import Scalar

__all__ = [
    "DFA",
    "EBD",
    "EXPANSIONS",
    "FA",
    "NMNC",
    "SBD",
    "TEACHING",
    "VNC",
    "Broadcast",
    "DecoderOnly",
    "Degraded",
    "Exact",
    "KolenPollack",
    "LocalMismatch",
    "LowRank",
    "Mirror",
    "NodePerturbation",
    "PerSoma",
    "Scalar",
    "Shuffled",
    "Teaching",
    "expansion",
    "teaching",
]
