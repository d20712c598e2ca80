"""Squared error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .base import Loss
from .targets import Domain, classes_or_vectors

Floats = NDArray[Any]


class SquaredError(Loss):
    """Half the squared distance between outputs and targets: 1/2 sum_c (o_c - y_c)^2, with the score o - y.

    EBD (Erdogan, Pehlevan & Erdogan 2025) takes the sum of squares, and with it twice this score.

    Examples
    --------
    >>> SquaredError().score([[0.5, 0.5]], [[1.0, 0.0]])
    array([[-0.5,  0.5]])
    """

    name = "mse"
    why = "Outputs reach E[y | x], and there E[o - y | x] = 0."

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Classes (B,), for one-hot vectors, or finite numbers (B, n_outputs)."""
        targets = classes_or_vectors(y, n_samples, n_outputs)
        Domain().check(self.name, targets)
        return targets

    def evaluate(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Loss and score."""
        if y.ndim == 1:
            score = o.copy()
            score[np.arange(len(y)), y] -= 1.0
        else:
            score = o - y.astype(o.dtype, copy=False)
        return 0.5 * (score * score).sum(axis=1), score

    def curvature_product(self, o: Floats, y: NDArray[Any], v: Floats) -> Floats:
        """The curvature is one: a copy of `v`."""
        return v.copy()
