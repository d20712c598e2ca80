"""What networks share whose layers are products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, whole
from ..errors import ParameterError


def batch_given(x: ArrayLike, n_inputs: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """`x` as a C-ordered array (B, n_inputs) of `dtype`.

    Raises
    ------
    ParameterError
        If the shape is another, or a value is not finite.
    """
    array = numbers("x", x)
    if array.ndim != 2 or array.shape[1] != n_inputs or array.shape[0] < 1:
        raise ParameterError(f"x has shape {array.shape}; expected (B, {n_inputs}), one row per sample")
    if not np.isfinite(array.min()) or not np.isfinite(array.max()):
        raise ParameterError("x has values that are NaN or infinite; inputs must be finite")
    return np.ascontiguousarray(array, dtype)


def one_thread(threads: int | None) -> int:
    """1: products of matrices are numpy's, whose threads OPENBLAS_NUM_THREADS, or the like, sets.

    Raises
    ------
    ParameterError
        If `threads` is no number of threads.
    """
    if threads is not None:
        whole("threads", threads, 1)
    return 1
