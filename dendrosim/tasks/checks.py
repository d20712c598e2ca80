"""What the arrays of a task must be, and what is said when they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import whole
from ..errors import ParameterError


def as_inputs(name: str, value: Any) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """Anybody's array as float32 rows: a copy, with the shape of one sample.

    Raises
    ------
    ParameterError
        If it holds no real numbers, has no axis of samples, or looks like pixels that nobody divided by 255.
    """
    array = arguments.numbers(name, value)
    if array.ndim < 2 or not array.size:
        raise ParameterError(f"{name} has shape {array.shape}; expected (n samples, n inputs), at least one of each")
    if array.dtype.kind in "iu" and array.max() > 1:
        raise ParameterError(
            f"{name} has dtype {array.dtype} and values up to {array.max()}; activity is expected to be of "
            f"order 1: divide pixels by 255, or give floats, {name}.astype(float), if the numbers are meant as they are"
        )
    with np.errstate(over="ignore"):  # what does not fit is found below, as inf
        rows = np.array(array.reshape(len(array), -1), dtype=np.float32, order="C")
    return rows, array.shape[1:]


def as_labels(name: str, value: Any) -> NDArray[np.int64]:
    """Anybody's labels as int64, a copy.

    Raises
    ------
    ParameterError
        If they are no vector of integers; one-hot rows are told how to become one.
    """
    array = arguments.numbers(name, value)
    if array.ndim != 1:
        hint = f"; one-hot rows become labels by {name}.argmax(axis=1)" if array.ndim == 2 else ""
        raise ParameterError(f"{name} has shape {array.shape}; expected (n samples,) class labels{hint}")
    if array.dtype.kind not in "iub":
        raise ParameterError(f"{name} has dtype {array.dtype}; class labels are integers 0, 1, ...: {name}.astype(int)")
    return np.array(array, dtype=np.int64)


def check_inputs(name: str, x: NDArray[np.float32]) -> None:
    """Raise unless `x` is a C-contiguous float32 array (n, P) of finite, nonnegative numbers."""
    good = isinstance(x, np.ndarray) and x.dtype == np.float32 and x.ndim == 2 and x.flags.c_contiguous and x.size > 0
    if not good:
        raise ParameterError(
            f"{name} must be a C-contiguous float32 array (n samples, n inputs); Task.from_arrays makes it one"
        )
    least, most = x.min(), x.max()  # nan if one is
    if not (np.isfinite(least) and np.isfinite(most)):
        row, column = (int(i) for i in np.argwhere(~np.isfinite(x))[0])
        count = int((~np.isfinite(x)).sum())
        raise ParameterError(
            f"{name}[{row}, {column}] = {x[row, column]} is not finite, and so are {count - 1} more; "
            "remove these samples or fill the gaps"
        )
    if least < 0:
        row, column = (int(i) for i in np.argwhere(x < 0)[0])
        raise ParameterError(
            f"{name}[{row}, {column}] = {x[row, column]:g} is negative, as are {int((x < 0).sum()) - 1} more (least "
            f"{least:g}), and presynaptic activity opens conductances, which cannot be; encode signed input "
            "as ON and OFF lines, ds.tasks.on_off(x), or shift it above 0"
        )


def check_labels(name: str, y: NDArray[np.int64], n_samples: int, n_classes: int) -> None:
    """Raise unless `y` is an int64 array (n_samples,) of labels 0 to ``n_classes - 1``."""
    if not (isinstance(y, np.ndarray) and y.dtype == np.int64 and y.ndim == 1):
        raise ParameterError(f"{name} must be an int64 array (n samples,); Task.from_arrays makes it one")
    if len(y) != n_samples:
        raise ParameterError(
            f"{name} has {len(y)} labels for the {n_samples} samples of x{name[1:]}; one each is needed"
        )
    wrong = np.flatnonzero((y < 0) | (y >= n_classes))
    if wrong.size:
        raise ParameterError(
            f"{name}[{wrong[0]}] = {y[wrong[0]]} is no class; valid: 0 to {n_classes - 1} (n_classes={n_classes})"
        )


def check_image_shape(shape: Any, n_inputs: int) -> tuple[int, ...]:
    """Rows and columns, or channels, rows and columns, that make up `n_inputs`.

    Raises
    ------
    ParameterError
        If they do not.
    """
    try:
        sizes = tuple(whole("image_shape", size, 1) for size in shape)
    except TypeError:
        sizes = ()
    if len(sizes) not in (2, 3) or np.prod(sizes) != n_inputs:
        raise ParameterError(
            f"image_shape={arguments.short(shape)} does not fit {n_inputs} inputs; "
            "expected (rows, columns) or (channels, rows, columns) of that product, or None"
        )
    return sizes
