"""The loss that networks learn from: cross-entropy of the softmax over their logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]


def cross_entropy(logits: Floats, y: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Cross-entropy of every sample, and the derivative of their mean by the logits.

    Parameters
    ----------
    logits : float array of shape (B, n_outputs)
    y : int array of shape (B,)
        Classes.

    Returns
    -------
    loss : float array of shape (B,)
    error : float array of shape (B, n_outputs)
        dL/dlogits of the mean loss: (softmax - onehot) / B.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    error = np.exp(shifted)
    total = error.sum(axis=1, keepdims=True)
    every = np.arange(len(y))
    loss: Floats = np.log(total[:, 0]) - shifted[every, y]
    error /= total
    error[every, y] -= 1.0
    error /= len(y)
    return loss, error
