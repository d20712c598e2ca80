"""What networks share whose layers are products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, short, whole
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
    return as_dtype(array, dtype)


def as_dtype(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A finite array, C-ordered and of another precision.

    Raises
    ------
    ParameterError
        If a value is too large for it.
    """
    if array.dtype.itemsize > dtype.itemsize and array.size and np.abs(array).max() > np.finfo(dtype).max:
        raise ParameterError(f"x has values of up to {np.abs(array).max():.3g}, which {dtype} cannot hold")
    return np.ascontiguousarray(array, dtype)


def dtype_of(dtype: str | type | np.dtype[Any]) -> np.dtype[Any]:
    """float32 or float64.

    Raises
    ------
    ParameterError
        If it is another.
    """
    try:
        made = np.dtype(dtype) if isinstance(dtype, str | type | np.dtype) else None
    except TypeError:
        made = None
    if made is None or made.name not in ("float32", "float64"):
        raise ParameterError(f"dtype={short(dtype)} is not known; valid: 'float32', 'float64'")
    return made


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
