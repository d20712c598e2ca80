"""Teaching signals by name."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ..arguments import short
from ..construct import construct
from ..errors import ParameterError
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

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.

    Examples
    --------
    >>> teaching("per_soma", scope="soma").scope
    'soma'
    """
    if isinstance(given, Teaching):
        if options:
            raise ParameterError(
                f"options {', '.join(options)} do not go with the finished {given!r}; give them to its constructor"
            )
        return copy.deepcopy(given)
    if isinstance(given, Mapping):
        table = {**given, **options}
        if "name" not in table:
            raise ParameterError(
                f"the table of a teaching signal needs 'name', one of {', '.join(map(repr, TEACHING))}"
            )
        return construct("teaching", TEACHING, table.pop("name"), table)
    if not isinstance(given, str):
        valid = ", ".join(map(repr, TEACHING))
        raise ParameterError(f"teaching={short(given)} must be a name ({valid}), a Teaching or a table")
    return construct("teaching", TEACHING, given, options)
