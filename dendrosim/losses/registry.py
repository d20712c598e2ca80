"""Losses by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..construct import named
from .base import Loss
from .bregman import Bregman
from .continuous import Gamma, Gaussian
from .counts import NegativeBinomial, Poisson
from .cross_entropy import CrossEntropy
from .exponential_family import ExponentialFamily
from .logistic import Hinge, Logistic
from .quantiles import Expectile, Pinball
from .scoring import Brier, LogScore, ScoringRule, Spherical
from .squared import SquaredError

LOSSES: dict[str, type[Loss]] = {
    kind.name: kind
    for kind in (
        SquaredError,
        CrossEntropy,
        Logistic,
        Poisson,
        NegativeBinomial,
        Gamma,
        Gaussian,
        ExponentialFamily,
        Bregman,
        ScoringRule,
        Brier,
        LogScore,
        Spherical,
        Pinball,
        Expectile,
        Hinge,
    )
}


def loss(given: str | Loss | Mapping[str, Any], **options: Any) -> Loss:
    """A loss, from a name, an object or the table of an experiment file.

    Parameters
    ----------
    given : str, Loss or mapping
        A registered name; a Loss, which is copied; or a mapping with "name" and options:
        ``{"name": "cross_entropy", "label_smoothing": 0.1}``.
    **options
        Of the one that is named.

    Returns
    -------
    Loss

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.

    Examples
    --------
    >>> loss("cross_entropy", label_smoothing=0.1).label_smoothing
    0.1
    """
    return named("loss", "loss", Loss, LOSSES, given, options)
