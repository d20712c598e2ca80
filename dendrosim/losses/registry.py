"""Losses by name."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ..arguments import short
from ..construct import construct
from ..errors import ParameterError
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

    Raises
    ------
    ParameterError
        If the name or an option is not known; the message lists the valid ones.

    Examples
    --------
    >>> loss("cross_entropy", label_smoothing=0.1).label_smoothing
    0.1
    """
    if isinstance(given, Loss):
        if options:
            raise ParameterError(
                f"options {', '.join(options)} do not go with the finished {given!r}; give them to its constructor"
            )
        return copy.deepcopy(given)
    if isinstance(given, Mapping):
        table = {**given, **options}
        if "name" not in table:
            raise ParameterError(f"the table of a loss needs 'name', one of {', '.join(map(repr, LOSSES))}")
        return construct("loss", LOSSES, table.pop("name"), table)
    if not isinstance(given, str):
        raise ParameterError(f"loss={short(given)} must be a name ({', '.join(map(repr, LOSSES))}), a Loss or a table")
    return construct("loss", LOSSES, given, options)
