"""Transfer resistances between any two sets of compartments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError

if TYPE_CHECKING:
    from .steady import State


def transfer_resistance(state: State, sources: ArrayLike, targets: ArrayLike) -> NDArray[Any]:
    """Voltage change at targets per current injected at sources, in a given steady state.

    Parameters
    ----------
    state : State
        From `steady_state`; its synaptic conductances count. Without synapses: the passive cell.
    sources, targets : int or int arrays of shape (S,) and (T,)
        Compartments.

    Returns
    -------
    float array of shape (B, S, T)
        Z_ij in GOhm (mV / pA). Symmetric in the reciprocal cable; zero in a directed tree unless the target lies on the
        path from the source to the soma.

    Raises
    ------
    ParameterError
        If a compartment does not exist.

    Notes
    -----
    One adjoint solve per target: row i of the adjoint of a unit loss at j is dV_j / dI_i.
    """
    n = state.compartments.size
    sets = []
    for name, value in (("sources", sources), ("targets", targets)):
        index = np.atleast_1d(np.asarray(value))
        if index.ndim != 1 or index.dtype.kind not in "iu" or ((index < 0) | (index >= n)).any():
            raise ParameterError(f"{name}={value!r} must be compartment indices from 0 to {n - 1}")
        sets.append(index)
    start, end = sets
    out = np.empty((state.voltage.shape[0], start.size, end.size), state.voltage.dtype)
    loss = np.zeros_like(state.voltage)
    for k, j in enumerate(end):
        loss[:, j] = 1.0
        out[:, :, k] = state._system.adjoint(state.voltage, loss)["current"][:, start]
        loss[:, j] = 0.0
    return out
