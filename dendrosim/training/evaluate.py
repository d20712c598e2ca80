"""Loss and accuracy of a network on labelled samples."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..losses import Loss
from ..losses import loss as loss_named


class Predictor(Protocol):
    """What gives logits."""

    def predict(self, x: ArrayLike, *, threads: int | None = None) -> NDArray[Any]:
        """Logits (B, n_outputs) of inputs (B, n_inputs)."""


class Score(NamedTuple):
    """Mean loss (nats, for cross-entropy) and share of right answers."""

    loss: float
    accuracy: float


def evaluate(
    network: Predictor, x: NDArray[Any], y: NDArray[Any], loss: Loss | None = None, threads: int | None = None
) -> Score:
    """Mean loss and accuracy.

    Parameters
    ----------
    network : Network or PointMLP
    x : array of shape (n, n_inputs)
    y : array
        Classes (n,), or what else the loss takes.
    loss : Loss, optional
        Cross-entropy of the softmax by default.
    threads : int, optional
    """
    loss = loss_named("cross_entropy") if loss is None else loss
    logits = network.predict(x, threads=threads).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        values, _ = loss.evaluate(logits, y)
    return Score(float(values.mean()), loss.correct(logits, y) / len(y))
