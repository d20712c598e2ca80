"""Gates: the nonlinearity a = f(V) between the compartments of a directed tree and at its soma."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError


@dataclass(frozen=True)
class Gate:
    """f(V) = (tanh(slope (V - midpoint)) + 1) / 2, per compartment: what parents and the decoder receive instead of V.

    Parameters
    ----------
    slope : float or float array of shape (N,)
        Positive, 1/mV (or 1 over the unit of V).
    midpoint : float or float array of shape (N,)
        Where f = 1/2, mV.
    """

    slope: ArrayLike
    midpoint: ArrayLike

    def arrays(self, n: int, dtype: np.dtype[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Slope and midpoint of each of `n` compartments, arrays of shape (N,) and type `dtype`.

        Raises
        ------
        ParameterError
            If a shape does not fit, a value is not finite, or a slope is not positive.
        """
        made = []
        for name, value in (("slope", self.slope), ("midpoint", self.midpoint)):
            array = numbers(f"gate {name}", value).astype(np.float64)
            if array.shape not in ((), (n,)):
                raise ParameterError(f"gate {name} has shape {array.shape}; expected ({n},) or one number")
            array = np.full(n, array) if array.ndim == 0 else array
            wrong = np.flatnonzero(~np.isfinite(array) | ((array <= 0) if name == "slope" else False))
            if wrong.size:
                need = "finite and positive" if name == "slope" else "finite"
                raise ParameterError(f"gate {name} at compartment {wrong[0]} is {array[wrong[0]]}; it must be {need}")
            made.append(np.ascontiguousarray(array, dtype=dtype))
        return made[0], made[1]

    def activity(self, voltage: NDArray[np.floating]) -> NDArray[np.floating]:
        """f(V) of `voltage`, both of shape (..., N)."""
        slope, midpoint = self.arrays(voltage.shape[-1], voltage.dtype)
        out: NDArray[np.floating] = 0.5 * (np.tanh(slope * (voltage - midpoint)) + 1.0)
        return out

    def derivative(self, voltage: NDArray[np.floating]) -> NDArray[np.floating]:
        """f'(V) of `voltage`, both of shape (..., N)."""
        slope, midpoint = self.arrays(voltage.shape[-1], voltage.dtype)
        out: NDArray[np.floating] = 0.5 * slope / np.cosh(slope * (voltage - midpoint)) ** 2
        return out
