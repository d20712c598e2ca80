"""Cross-entropy of the softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number
from ..errors import ParameterError
from .base import Loss
from .functions import softmax, softmax_product
from .options import as_row, check_length, per_output
from .targets import check_distribution, classes_or_vectors, vectors

Floats = NDArray[Any]


class CrossEntropy(Loss):
    """Cross-entropy between targets and the softmax of the outputs, which are logits.

    With probabilities p = softmax(o) and targets t, one-hot or soft, the loss is -sum_c w_c t_c log p_c, and its score
    p sum_c w_c t_c - w t, without weights p - t. Scores then sum to zero over classes.

    Parameters
    ----------
    label_smoothing : float, default 0.0
        Part of every target that is spread over all classes: t <- (1 - e) t + e / C.
    class_weights : sequence of float, optional
        One positive number per class; not normalised.

    Raises
    ------
    ParameterError
        If an option is impossible.

    Examples
    --------
    >>> CrossEntropy().score([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """

    name = "cross_entropy"
    why = (
        "The score is p - t up to weights, and softmax(o) reaches E[t | x] (where a class is certain only at infinity, "
        "unless labels are smoothed)."
    )

    def __init__(self, label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None) -> None:
        self.label_smoothing = number("label_smoothing", label_smoothing, least=0.0, most=1.0)
        self.class_weights = None if class_weights is None else per_output("class_weights", class_weights, above=0.0)
        if isinstance(self.class_weights, float):
            raise ParameterError(f"class_weights={self.class_weights:g} must be a list of one number per class")

    def checked(self, y: ArrayLike, n_samples: int, n_outputs: int) -> NDArray[Any]:
        """Classes (B,), or probabilities (B, n_outputs) of which every row sums to one."""
        check_length("class_weights", self.class_weights, n_outputs)
        targets = classes_or_vectors(y, n_samples, n_outputs, "probabilities")
        check_distribution(self.name, targets)
        return targets

    def evaluate(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Loss and score; classes without options take the fast path."""
        shifted = o - o.max(axis=1, keepdims=True)
        score = np.exp(shifted)
        total = score.sum(axis=1, keepdims=True)
        if y.ndim == 1 and self._plain:
            every = np.arange(len(y))
            loss: Floats = np.log(total[:, 0]) - shifted[every, y]
            score /= total
            score[every, y] -= 1.0
            return loss, score
        targets, mass = self._targets(o, y)
        loss = np.log(total[:, 0]) * mass[:, 0] - (targets * shifted).sum(axis=1)
        score /= total
        score *= mass
        score -= targets
        return loss, score

    def curvature_product(self, o: Floats, y: NDArray[Any], v: Floats) -> Floats:
        """sum_c w_c t_c times (diag(p) - p p^T) v."""
        product = softmax_product(softmax(o), v)
        return product if y.ndim == 1 and self._plain else product * self._targets(o, y)[1]

    @property
    def _plain(self) -> bool:
        return self.label_smoothing == 0.0 and self.class_weights is None

    def _targets(self, o: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Smoothed and weighted targets (B, C), and their sums (B, 1)."""
        targets = vectors(y, o.shape[1], o.dtype)
        if self.label_smoothing:
            targets = targets * (1.0 - self.label_smoothing) + self.label_smoothing / o.shape[1]
        if self.class_weights is not None:
            targets = targets * as_row(self.class_weights, o.dtype)
        return targets, targets.sum(axis=1, keepdims=True)
