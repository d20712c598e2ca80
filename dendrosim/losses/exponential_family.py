"""Negative log-likelihood of exponential families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike, NDArray

from ..arguments import number
from ..errors import ParameterError
from .base import Floats, Loss
from .families import FAMILIES, Family
from .links import LINKS, Link, interval_text
from .parts import part


class ExponentialFamily(Loss):
    """(A(theta) - theta . T(y)) / phi, without terms of y alone; theta = link(o).

    The score is link'(o) (grad A(theta) - T(y)) / phi, and with the identity as link mean - T(y) over the dispersion.

    Parameters
    ----------
    family : str, Family or mapping
        "normal", "bernoulli", "binomial" (trials), "poisson", "gamma", "categorical", "von_mises", or a `Family` of
        your own, which gives A, its first two derivatives and T; with options as a mapping,
        ``{"name": "binomial", "trials": 5}``.
    link : str or Link, optional
        From outputs to natural parameters, elementwise: "identity", "log_softplus", "negative_exp", ..., or a `Link` of
        your own; by default that of the family.
    dispersion : float, default 1.0
        phi: variance of "normal", squared coefficient of variation of "gamma".

    Raises
    ------
    ParameterError
        If the link does not reach exactly the natural parameters of the family; the message names those that do.

    Examples
    --------
    >>> ExponentialFamily("poisson", link="log_softplus").score([[0.0]], [[0]])
    array([[0.5]])
    """

    name = "exponential_family"
    why = "The mean grad A(theta) reaches every E[T(y) | x] inside its range, and the score is linear in mean - T(y)."

    def __init__(
        self,
        family: str | Family | Mapping[str, Any],
        link: str | Link | None = None,
        dispersion: float = 1.0,
    ) -> None:
        self.family: Family = part("family", family, Family, FAMILIES)  # type: ignore[type-abstract]
        self.link: Link = part("link", self.family.link if link is None else link, Link, LINKS)  # type: ignore[type-abstract]
        self.dispersion = number("dispersion", dispersion, above=0.0)
        natural = self.family.natural
        if self.link.range != natural:
            valid = ", ".join(repr(name) for name, kind in LINKS.items() if kind.range == natural)
            raise ParameterError(
                f"link={self.link.name!r} reaches {interval_text(self.link.range)}, and natural parameters of "
                f"family={self.family.name!r} are {interval_text(natural)}; valid: {valid}"
            )

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """What the family takes."""
        return self.family.checked(y, n_samples, n_outputs)

    def evaluate(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Loss and score."""
        theta, statistic = self.link.value(o), self.family.statistic(y, o.shape[1], o.dtype)
        value = (self.family.log_partition(theta) - (theta * statistic).sum(axis=1)) / self.dispersion
        return value, self.link.slope(o) * (self.family.mean(theta) - statistic) / self.dispersion

    def curvature_product(self, o: Floats, y: NDArray[Any], v: Floats) -> Floats:
        """link'' (mean - T(y)) v + link' Hess A link' v, over the dispersion."""
        theta, slope = self.link.value(o), self.link.slope(o)
        statistic = self.family.statistic(y, o.shape[1], o.dtype)
        bent = self.link.bend(o) * (self.family.mean(theta) - statistic) * v
        product: Floats = (bent + slope * self.family.covariance(theta, slope * v)) / self.dispersion
        return product
