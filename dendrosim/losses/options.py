"""Options that are one number for all outputs, or one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import number, numbers
from ..errors import ParameterError

Floats = NDArray[Any]
PerOutput = float | tuple[float, ...]


def per_output(
    name: str,
    value: float | Sequence[float],
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
) -> PerOutput:
    """A number, or a tuple of one number per output, each within limits.

    Raises
    ------
    ParameterError
        If one is outside the limits; names its place.
    """
    array = numbers(name, value)
    if array.ndim > 1 or array.size == 0:
        raise ParameterError(f"{name} has shape {array.shape}; expected a number, or one number per output")
    named = [(name, value)] if array.ndim == 0 else [(f"{name}[{i}]", v) for i, v in enumerate(array.tolist())]
    result = [number(label, v, above=above, least=least) for label, v in named]
    for (label, _), v in zip(named, result, strict=True):
        if below is not None and v >= below:
            raise ParameterError(f"{label}={v:g} is impossible; it must be < {below:g}")
    return result[0] if array.ndim == 0 else tuple(result)


def as_row(value: PerOutput, dtype: Any) -> Any:
    """The option as what multiplies arrays of shape (B, n_outputs) and keeps their type."""
    return np.asarray(value, dtype) if isinstance(value, tuple) else dtype.type(value)


def check_length(name: str, value: PerOutput | None, n_outputs: int) -> None:
    """Raise ParameterError if there is one number per output, and the outputs are fewer or more."""
    if isinstance(value, tuple) and len(value) != n_outputs:
        raise ParameterError(f"{name} has {len(value)} values; expected one for each of {n_outputs} outputs")
