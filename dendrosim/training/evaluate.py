"""Loss and accuracy of a network on labelled samples."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Predictor(Protocol):
    """What gives logits."""

    def predict(self, x: ArrayLike, *, threads: int | None = None) -> NDArray[Any]:
        """Logits (B, n_outputs) of inputs (B, n_inputs)."""


class Score(NamedTuple):
    """Mean cross-entropy (nats) and share of right answers."""

    loss: float
    accuracy: float


def evaluate(network: Predictor, x: NDArray[Any], y: NDArray[np.int64], threads: int | None = None) -> Score:
    """Mean cross-entropy of the softmax, and accuracy.

    Parameters
    ----------
    network : Network or PointMLP
    x : array of shape (n, n_inputs)
    y : int array of shape (n,)
    threads : int, optional
    """
    logits = network.predict(x, threads=threads).astype(np.float64)
    right = float((logits.argmax(axis=1) == y).mean())
    with np.errstate(invalid="ignore", over="ignore"):
        logits -= logits.max(axis=1, keepdims=True)
        loss = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]
    return Score(float(loss.mean()), right)
