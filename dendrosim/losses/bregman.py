"""Bregman divergences: every loss whose best prediction is the conditional mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError
from .base import Floats, Loss
from .links import LINKS, Link, interval_text, within
from .parts import part
from .potentials import POTENTIALS, Potential
from .targets import Domain, classes_or_vectors, vectors


class Bregman(Loss):
    """The divergence of a potential F between targets and predictions f(o) (Bregman 1967; Banerjee et al. 2005).

    With prediction u = f(o) the loss is F(y) - F(u) - grad F(u) . (y - u) >= 0, and its score
    f'(o) Hess F(u) (u - y). The matched link, the inverse of grad F, gives the score u - y.

    Parameters
    ----------
    potential : str, Potential or mapping
        "squared", "kl" (generalised Kullback-Leibler), "itakura_saito", "logistic", "power" (alpha=1.5), or a
        `Potential` of your own; with options as a mapping, ``{"name": "power", "alpha": 1.2}``.
    link : str or Link, optional
        f: "identity", "exp", "softplus" or "sigmoid", or a `Link` of your own, which must stay where F is defined. By
        default the matched link, or "exp" where none has unconstrained outputs.

    Raises
    ------
    ParameterError
        If potential and link do not go together; the message names links that do.

    Examples
    --------
    >>> Bregman("kl").score([[0.0, 0.0]], [[3.0, 0.5]])
    array([[-2. ,  0.5]])
    """

    name = "bregman"
    why = "f(o) reaches E[y | x], the best prediction for every potential, and the score is linear in f(o) - y."

    def __init__(self, potential: str | Potential | Mapping[str, Any], link: str | Link | None = None) -> None:
        self.potential: Potential = part("potential", potential, Potential, POTENTIALS)  # type: ignore[type-abstract]
        shown, interior = self.potential.name, self.potential.interior
        if interior is None:
            raise ParameterError(
                f"potential={shown!r} is strictly convex on probabilities only, and makes no divergence; "
                f"use loss 'scoring_rule' with potential={shown!r}"
            )
        default = self.potential.matched or "exp"
        self.link: Link = part("link", default if link is None else link, Link, LINKS)  # type: ignore[type-abstract]
        if not within(self.link.range, interior):
            valid = ", ".join(repr(name) for name, kind in LINKS.items() if within(kind.range, interior))
            raise ParameterError(
                f"link={self.link.name!r} reaches {interval_text(self.link.range)}, and potential={shown!r} is defined "
                f"on {interval_text(interior)}; valid: {valid}"
            )
        targets, (low, high) = self.potential.targets, self.link.range
        self._domain = Domain(max(targets.low, low), min(targets.high, high), targets.open)

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Classes (B,), for one-hot vectors, or numbers (B, n_outputs)."""
        targets = classes_or_vectors(y, n_samples, n_outputs)
        self._domain.check(f"{self.name} with potential {self.potential.name!r}", targets)
        return targets

    def evaluate(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Loss and score; with the matched link grad F(f(o)) is o, at no loss of digits."""
        targets = vectors(y, o.shape[1], o.dtype)
        u = self._prediction(o)
        error = u - targets
        gradient = o if self._is_matched else self.potential.gradient(u)
        value = self.potential.value(targets) - self.potential.value(u) + (gradient * error).sum(axis=1)
        if self._is_matched:
            return value, error
        return value, self.link.slope(o) * self.potential.hessian(u, error)

    def curvature_product(self, o: Floats, y: NDArray[Any], v: Floats) -> Floats:
        """f'' Hess F(u) (u - y) v + f' (dHess F (u - y) + Hess F) f' v, which is f' v with the matched link."""
        slope = self.link.slope(o)
        if self._is_matched:
            return slope * v
        u = self._prediction(o)
        error, du = u - vectors(y, o.shape[1], o.dtype), slope * v
        bent = self.link.bend(o) * v * self.potential.hessian(u, error)
        product: Floats = bent + slope * (self.potential.third(u, error, du) + self.potential.hessian(u, du))
        return product

    @property
    def _is_matched(self) -> bool:
        return type(self.link) is LINKS.get(self.potential.matched or "")

    def _prediction(self, o: Floats) -> Floats:
        """f(o), never rounded to an end of the interval where F is defined: its derivatives may be infinite there."""
        u = self.link.value(o)
        if self._is_matched:
            return u
        info = np.finfo(u.dtype)
        low, high = self.potential.interior or (-np.inf, np.inf)
        return np.clip(u, info.tiny if low == 0.0 else None, 1 - info.epsneg if high == 1.0 else info.max)
