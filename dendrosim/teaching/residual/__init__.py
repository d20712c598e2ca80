"""Credits of the layers of residual networks, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...construct import named
from .base import Credits, LayerCredit, LayerLesson
from .bridges import CreditBridge, StateBridge
from .exact import BP, Frozen
from .feedback import DFA, FA

LAYER_CREDITS: dict[str, type[LayerCredit]] = {
    kind.name: kind for kind in (BP, FA, DFA, Frozen, StateBridge, CreditBridge)
}

__all__ = [
    "BP", "DFA", "FA", "LAYER_CREDITS", "CreditBridge", "Credits", "Frozen", "LayerCredit", "LayerLesson",
    "StateBridge", "layer_credit",
]  # fmt: skip


def layer_credit(given: str | LayerCredit | Mapping[str, Any], **options: Any) -> LayerCredit:
    """What tells layers of a residual network about the loss, from a name, an object or a table.

    Parameters
    ----------
    given : str, LayerCredit or mapping
        A registered name; a LayerCredit, which is copied; or a mapping with "name" and options:
        ``{"name": "dfa", "embedding": "own"}``.
    **options
        Of the one that is named.

    Returns
    -------
    LayerCredit

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.

    Examples
    --------
    >>> layer_credit("dfa", blocks="frozen")
    DFA(scale=1.0, embedding='local', blocks='frozen')
    """
    return named("teaching", "credit rule", LayerCredit, LAYER_CREDITS, given, options)
