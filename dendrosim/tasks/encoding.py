"""Signed quantities as nonnegative activity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import arguments
from ..errors import ParameterError


def on_off(x: ArrayLike) -> NDArray[Any]:
    """Split signed values into an ON and an OFF part, both nonnegative.

    Presynaptic activity opens conductances, so it cannot be negative. Here every signed line becomes two: one that is
    active above zero and one that is active below, as ON and OFF cells of the retina are.

    Parameters
    ----------
    x : array-like of shape (n, P) or (P,)
        Finite, of either sign.

    Returns
    -------
    array of shape (n, 2 P) or (2 P,)
        ``max(x, 0)``, then ``max(-x, 0)``, so that ``x`` is the first half minus the second. float32 if `x` is, else
        float64.

    Raises
    ------
    ParameterError
        If `x` holds no real numbers, something not finite, or has another number of axes.

    Examples
    --------
    >>> from dendrosim.tasks import on_off
    >>> on_off([[0.5, -2.0, 0.0]])
    array([[0.5, 0. , 0. , 0. , 2. , 0. ]])
    """
    values = arguments.numbers("x", x)
    if values.ndim not in (1, 2):
        raise ParameterError(f"x has shape {values.shape}; expected (n, P) or (P,)")
    values = values.astype(np.float32 if values.dtype == np.float32 else np.float64, copy=False)
    if not np.isfinite(values).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ParameterError(f"x[{', '.join(map(str, at))}] = {values[at]} is not finite")
    n = values.shape[-1]
    out = np.empty((*values.shape[:-1], 2 * n), values.dtype)
    np.maximum(values, 0, out=out[..., :n])
    np.maximum(-values, 0, out=out[..., n:])
    return out
