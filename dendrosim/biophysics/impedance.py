"""Transfer resistances between any two sets of compartments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, numbers, short
from ..errors import ParameterError
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
    Row i of the adjoint of a unit loss at j is dV_j / dI_i: one adjoint solve per target. The reciprocal cable is
    symmetric (Koch, Poggio & Torre, Phil Trans R Soc B 298:227, 1982), so there it is one per member of the smaller
    set: all compartments against a few cost a few solves, whichever way round.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> cable = ds.Compartments([-1, 0, 1], leak=[2.0, 1.0, 1.0], coupling=5.0)
    >>> z = ds.transfer_resistance(ds.steady_state(cable), [0, 2], [0, 2])[0]
    >>> bool(np.isclose(z[0, 1], z[1, 0]))
    True
    """
    instance("state", state, State, "from ds.steady_state(...)")
    start = _indices("sources", sources, state.compartments.size)
    end = _indices("targets", targets, state.compartments.size)
    swap = state.direction == "reciprocal" and start.size < end.size
    near, far = (start, end) if swap else (end, start)
    out = np.empty((state.voltage.shape[0], far.size, near.size), state.voltage.dtype)
    loss = np.zeros_like(state.voltage)
    for k, j in enumerate(near):
        loss[:, j] = 1.0
        out[:, :, k] = state._system.adjoint(state.solved, loss)["current"][:, far]
        loss[:, j] = 0.0
    return out.transpose(0, 2, 1) if swap else out


def _indices(name: str, value: ArrayLike, n: int) -> NDArray[np.int64]:
    array = np.atleast_1d(numbers(name, value))
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ParameterError(
            f"{name}={short(value)} must be one compartment or a list of compartments, integers from 0 to {n - 1}"
        )
    outside = np.flatnonzero((array < 0) | (array >= n))
    if outside.size:
        raise ParameterError(f"{name}[{outside[0]}] = {array[outside[0]]} does not exist; valid: 0 to {n - 1}")
    return array.astype(np.int64)
