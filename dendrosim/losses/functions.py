"""Functions of logits that neither overflow nor lose digits, in the floating-point type of their argument."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]


def softmax(o: Floats) -> Floats:
    """Probabilities (B, C) from logits (B, C)."""
    p: Floats = np.exp(o - o.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def softmax_product(p: Floats, v: Floats) -> Floats:
    """Derivative of the softmax, diag(p) - p p^T, times `v`, sample by sample; the matrix is symmetric."""
    product: Floats = p * (v - (p * v).sum(axis=1, keepdims=True))
    return product


def softplus(o: Floats) -> Floats:
    """log(1 + exp(o))."""
    result: Floats = np.logaddexp(o.dtype.type(0.0), o)
    return result


def sigmoid(o: Floats) -> Floats:
    """1 / (1 + exp(-o)); its relative error is that of the arithmetic at both ends."""
    result: Floats = np.exp(-softplus(-o))
    return result
