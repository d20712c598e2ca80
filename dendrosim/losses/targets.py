"""Targets as arrays, or one clear error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError

Floats = NDArray[Any]

SUM_TOLERANCE = 1e-5
"""How far probabilities may sum from one: rounding of float32 over many classes, but no forgotten normalisation."""


@dataclass(frozen=True)
class Domain:
    """Which numbers a target may be.

    Parameters
    ----------
    low, high : float
        Bounds.
    open : bool
        Whether finite bounds are excluded.
    whole : bool
        Whether targets are whole numbers.
    """

    low: float = -math.inf
    high: float = math.inf
    open: bool = False
    whole: bool = False

    def __str__(self) -> str:
        what = "whole numbers" if self.whole else "numbers"
        if math.isinf(self.low) and math.isinf(self.high):
            return f"finite {what}"
        if math.isinf(self.high):
            return f"{what} {'>' if self.open else '>='} {self.low:g}"
        return f"{what} from {self.low:g} to {self.high:g}" + (", ends excluded" if self.open else "")

    def check(self, loss: str, y: NDArray[Any]) -> None:
        """Raise ParameterError if a target is outside, and name the first one; classes are one-hot, zeros and ones."""
        if y.ndim == 1:
            if self.open and self.low >= 0.0:
                raise ParameterError(f"classes stand for one-hot vectors, with zeros; {loss} takes {self}")
            return
        bad = ~np.isfinite(y)
        bad |= (y <= self.low) | (y >= self.high) if self.open else (y < self.low) | (y > self.high)
        if self.whole:
            bad |= y != np.floor(y)
        if bad.any():
            row, column = np.unravel_index(int(bad.argmax()), bad.shape)
            raise ParameterError(f"y[{row}, {column}]={y[row, column]:g} is impossible for {loss}; it takes {self}")


def classes_or_vectors(y: ArrayLike, n_samples: int, n_columns: int, what: str = "values") -> NDArray[Any]:
    """Classes as int64 (B,), or vectors as floats (B, n_columns), whichever was given.

    Parameters
    ----------
    y : array-like
    n_samples, n_columns : int
    what : str, default "values"
        What the vectors hold, for the message.

    Raises
    ------
    ParameterError
        If it is neither.
    """
    array = numbers("y", y)
    if array.shape == (n_samples, n_columns):
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    if array.shape != (n_samples,) or array.dtype.kind not in "iu":
        raise ParameterError(
            f"y has shape {array.shape} and dtype {array.dtype}; expected {n_samples} whole numbers (classes), or "
            f"{what} of shape ({n_samples}, {n_columns})"
        )
    if n_samples and (array.min() < 0 or array.max() >= n_columns):
        hint = f"; {what} have the shape ({n_samples}, 1)" if n_columns == 1 else ""
        raise ParameterError(
            f"y has classes from {array.min()} to {array.max()}; the network has outputs 0 to {n_columns - 1}{hint}"
        )
    return array.astype(np.int64, copy=False)


def vectors(y: NDArray[Any], n_columns: int, dtype: Any) -> Floats:
    """Targets as floats (B, n_columns) of type `dtype`: one-hot vectors for classes, vectors as they are."""
    if y.ndim == 2:
        return y.astype(dtype, copy=False)
    rows = np.zeros((len(y), n_columns), dtype)
    rows[np.arange(len(y)), y] = 1.0
    return rows


def check_distribution(loss: str, y: NDArray[Any]) -> None:
    """Raise ParameterError if a row is no probability distribution; classes are."""
    if y.ndim == 1:
        return
    Domain(0.0, 1.0).check(loss, y)
    sums = y.sum(axis=1)
    bad = np.abs(sums - 1.0) > SUM_TOLERANCE
    if bad.any():
        row = int(bad.argmax())
        raise ParameterError(
            f"y[{row}] sums to {sums[row]:g}; {loss} takes classes, or rows of probabilities that sum to one"
        )
