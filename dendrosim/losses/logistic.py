"""Independent yes-or-no targets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Floats
from .elementwise import ElementwiseLoss
from .functions import sigmoid, softplus
from .targets import Domain


class Logistic(ElementwiseLoss):
    """Negative log-likelihood of independent Bernoulli targets, one per output, whose logits are the outputs.

    The loss is sum_c log(1 + exp(o_c)) - y_c o_c, the score sigmoid(o) - y: several labels at once, or one-hot classes
    told apart one against the rest. Targets from 0 to 1 are probabilities; those of -1 and 1 are (y + 1) / 2 here.

    Examples
    --------
    >>> Logistic().score([[0.0, 0.0]], [[1, 1]])
    array([[-0.5, -0.5]])
    """

    name = "logistic"
    why = "sigmoid(o) reaches every E[y | x] in (0, 1), and there E[sigmoid(o) - y | x] = 0."
    domain = Domain(0.0, 1.0)

    def terms(self, o: Floats, y: Floats) -> tuple[Floats, Floats]:
        """log(1 + exp(o)) - y o, and sigmoid(o) - y."""
        return softplus(o) - y * o, sigmoid(o) - y

    def correct(self, o: Floats, y: NDArray[Any]) -> int:
        """With a single output, its sign decides."""
        return int(((o > 0) == (y > 0.5)).sum()) if o.shape[1] == 1 else super().correct(o, y)

    def slope(self, o: Floats, y: Floats) -> Floats:
        """sigmoid(o) sigmoid(-o)."""
        slope: Floats = sigmoid(o) * sigmoid(-o)
        return slope


class Hinge(ElementwiseLoss):
    """Margin loss of yes-or-no targets: sum_c max(0, 1 - t_c o_c) with t = 2 y - 1 in {-1, 1}. Not admissible.

    A negative control: where y is uncertain its optimum lies at a kink, and the score is not zero on average.

    Examples
    --------
    >>> Hinge().score([[0.5, -2.0]], [[1, 0]])
    array([[-1.,  0.]])
    """

    name = "hinge"
    admissible = False
    why = "The optimum lies at a kink, o = 1 or -1, where the score jumps over zero."
    domain = Domain(0.0, 1.0, whole=True)

    def terms(self, o: Floats, y: Floats) -> tuple[Floats, Floats]:
        """max(0, 1 - t o), and -t where that is positive."""
        sign = 2 * y - 1
        margin = 1 - sign * o
        positive = margin > 0
        return margin * positive, -sign * positive

    def slope(self, o: Floats, y: Floats) -> Floats:
        """Zero but at the kink."""
        return np.zeros_like(o)
