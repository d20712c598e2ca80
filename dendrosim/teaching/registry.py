"""Teaching signals by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..construct import named
from .base import Teaching
from .decorrelation import EBD, SBD
from .degraded import Degraded
from .exact import DecoderOnly, Exact
from .feedback_alignment import FA
from .kolen_pollack import KolenPollack
from .mismatch import LocalMismatch
from .noise import NMNC, VNC, Mirror, NodePerturbation
from .per_soma import PerSoma, Shuffled
from .random_feedback import DFA, LowRank
from .scalar import Scalar

TEACHING: dict[str, type[Teaching]] = {
    kind.name: kind
    for kind in (
        Exact,
        Scalar,
        PerSoma,
        FA,
        DFA,
        LowRank,
        EBD,
        SBD,
        KolenPollack,
        VNC,
        NMNC,
        Mirror,
        NodePerturbation,
        LocalMismatch,
        Shuffled,
        DecoderOnly,
        Degraded,
    )
}


def teaching(given: str | Teaching | Mapping[str, Any], **options: Any) -> Teaching:
    """A teaching signal of its own, from a name, an object or the table of an experiment file.

    Parameters
    ----------
    given : str, Teaching or mapping
        A registered name; a Teaching, which is copied, so that what two learners draw is never shared; or a mapping
        with "name" and options: ``{"name": "degraded", "teaching": "per_soma", "bits": 4}``.
    **options
        Of the one that is named.

    Returns
    -------
    Teaching

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.

    Examples
    --------
    >>> teaching("per_soma", scope="soma").scope
    'soma'
    """
    return named("teaching", "teaching signal", Teaching, TEACHING, given, options)
