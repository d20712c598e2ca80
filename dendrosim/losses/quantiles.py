"""Quantiles and expectiles of the targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .base import Floats
from .elementwise import ElementwiseLoss
from .options import as_row, per_output


class Pinball(ElementwiseLoss):
    """Quantile loss: sum_c (o_c - y_c) (1[y_c < o_c] - tau), with the score 1[y < o] - tau.

    Parameters
    ----------
    tau : float or sequence of float, default 0.5
        Level of the quantile, for all outputs or for every one; 0.5 is the median, and the loss half the distance.

    Raises
    ------
    ParameterError
        If `tau` is not between 0 and 1.

    Examples
    --------
    >>> Pinball(tau=0.9).score([[0.0, 0.0]], [[-1.0, 1.0]])
    array([[ 0.1, -0.9]])
    """

    name = "pinball"
    why = "At the quantile P(y < o | x) = tau, if the distribution of y is continuous there."
    per_output = ("tau",)

    def __init__(self, tau: float | Sequence[float] = 0.5) -> None:
        self.tau = per_output("tau", tau, above=0.0, below=1.0)

    def terms(self, o: Floats, y: Floats) -> tuple[Floats, Floats]:
        """(o - y) (1[y < o] - tau), and 1[y < o] - tau."""
        score = (y < o).astype(o.dtype) - as_row(self.tau, o.dtype)
        return (o - y) * score, score

    def slope(self, o: Floats, y: Floats) -> Floats:
        """Zero almost everywhere."""
        return np.zeros_like(o)


class Expectile(ElementwiseLoss):
    """Asymmetric squared error: ``sum_c |tau - 1[y_c < o_c]| (o_c - y_c)^2`` (Newey & Powell 1987).

    The score is ``2 |tau - 1[y < o]| (o - y)``; tau = 0.5 gives o - y, that of "mse".

    Parameters
    ----------
    tau : float or sequence of float, default 0.5
        Level of the expectile, for all outputs or for every one.

    Raises
    ------
    ParameterError
        If `tau` is not between 0 and 1.

    Examples
    --------
    >>> Expectile(tau=0.75).score([[0.0, 0.0]], [[-1.0, 1.0]])
    array([[ 0.5, -1.5]])
    """

    name = "expectile"
    why = "The loss is smooth and strictly convex, so that E[s | x] = 0 at its minimiser, which outputs reach."
    per_output = ("tau",)

    def __init__(self, tau: float | Sequence[float] = 0.5) -> None:
        self.tau = per_output("tau", tau, above=0.0, below=1.0)

    def terms(self, o: Floats, y: Floats) -> tuple[Floats, Floats]:
        """``|tau - 1[y < o]| (o - y)^2``, and its derivative."""
        score = self.slope(o, y) * (o - y)
        return 0.5 * score * (o - y), score

    def slope(self, o: Floats, y: Floats) -> Floats:
        """``2 |tau - 1[y < o]|``."""
        slope: Floats = 2 * abs(as_row(self.tau, o.dtype) - (y < o).astype(o.dtype))
        return slope
