"""Exact gradients of any loss on a steady state, by the adjoint."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, numbers
from ..errors import ParameterError
from ..shown import Shown
from .magnitude import limits
from .steady import State
from .system import checked_out
from .time.adjoint import TrajectoryGradient, trajectory_gradient
from .time.surrogates import Surrogate
from .time.trace import Trace

Array = NDArray[Any]


class Gradient(Shown):
    """Exact gradient of a loss; made by `exact_gradient`.

    Attributes
    ----------
    state : State
        What it is the gradient at.
    current : float array of shape (B, N)
        q_n = dL/dI_n, per pA.
    conductance : float array of shape (n_synapses,)
        dL/dg of every synapse, per nS, summed over the batch.
    coupling, leak : float arrays of shape (N,)
        dL/dg of every coupling (0 at roots) and leak, per nS, summed over the batch.
    inputs : float array of shape (B, P)
        dL/dx.
    """

    def __init__(
        self, state: State, current: Array, conductance: Array, coupling: Array, leak: Array, inputs: Array
    ) -> None:
        self.state = state
        self.current, self.conductance, self.coupling, self.leak, self.inputs = (
            current,
            conductance,
            coupling,
            leak,
            inputs,
        )
        self._credit: Array | None = None

    @property
    def credit(self) -> Array:
        """e_n = dL/dV_n, shape (B, N), per mV: the total effect of imposing a small voltage change at n.

        With the input resistance R_n, q_n = R_n e_n in both directions.
        """
        if self._credit is None:
            self._credit = self.current / self.state.input_resistance
        return self._credit

    def plot(self, values: ArrayLike | None = None, **options: Any) -> Any:
        """Draw a map of the gradient, by default the mean of dL/dI; see `dendrosim.plotting.plot_gradient_map`."""
        from ..plotting import plot_gradient_map

        if values is None:
            values = self.current.mean(axis=0)
            options = {"label": "dL/dI", "unit": "1/pA"} | options
        return plot_gradient_map(self.state.compartments, values, **options)

    def __repr__(self) -> str:
        b, n = self.current.shape
        return f"<Gradient: {b} stimuli x {n} compartments, {self.conductance.size} synapses>"


@overload
def exact_gradient(state: State, loss_gradient: ArrayLike, *, out: Array | None = None) -> Gradient: ...


@overload
def exact_gradient(
    state: Trace,
    loss_gradient: ArrayLike,
    *,
    record: str | ArrayLike = "none",
    surrogate: str | Surrogate | None = None,
    spike_gradient: ArrayLike | None = None,
) -> TrajectoryGradient: ...


def exact_gradient(
    state: State | Trace,
    loss_gradient: ArrayLike,
    *,
    out: Array | None = None,
    record: str | ArrayLike | None = None,
    surrogate: str | Surrogate | None = None,
    spike_gradient: ArrayLike | None = None,
) -> Gradient | TrajectoryGradient:
    """Gradient of a loss with respect to every parameter and input of a steady state or of a trajectory.

    Parameters
    ----------
    state : State or Trace
        From `steady_state`, or from ``simulate(..., checkpoints=True)``.
    loss_gradient : array of shape (B, N) or (B, n_cells), of a trajectory (B, T, n)
        Partial derivatives dL/dV of the loss itself, per mV: at every compartment or at the somas only; of a trajectory
        with the shape of ``trace.voltage``.
    out : float array of shape (B, N), optional
        Of a steady state: where to put `Gradient.current`.
    record : {"none", "soma", "all"} or sequence of int, default "none"
        Of a trajectory: compartments to record dL/dI of.
    surrogate : Surrogate or name, optional
        Of a trajectory with spikes: what stands for the derivative of a spike by the voltage. By default spikes are
        constants, see the notes.
    spike_gradient : array of shape (n_spikes,) or (B, n_steps, n_sites), optional
        Of a trajectory: partial derivatives of the loss by every spike of the trace, or by spikes at every step and
        site of a mechanism, whether there was one or not. Without a surrogate they have no effect but through spikes
        themselves.

    Returns
    -------
    Gradient or TrajectoryGradient

    Raises
    ------
    ParameterError
        If the shape does not fit or a value is not finite; if the trace was made without checkpoints.

    Notes
    -----
    The adjoint ``G^T q = dL/dV``, by the same elimination as the voltages. Then, for a synapse j on compartment n,
    ``dL/dg_j = x_j (E_j - V_n) q_n`` (shunting), ``x_j d_j q_n`` (additive, reciprocal; d the driving force) or
    ``sign_j x_j q_n`` (additive, directed); for the coupling of child c to parent p ``(V_c - V_p)(q_p - q_c)``
    (reciprocal), ``(a_c - V_p) q_p`` (directed, shunting) or ``a_c q_p`` (directed, additive); for a leak
    ``(E_leak - V_n) q_n``.
    In the directed tree q_n = R_n dL/dV_n unrolls to the path product of the paper's eq. 10; in the reciprocal cable
    q_n = Z_nn A_(n->0) dL/dV_0 holds exactly, with the true input resistance and the attenuation along the path.

    Of a trajectory the same sums run over all steps, with the voltages V' that a step solves for and its own q: with
    h = dt, backward Euler has ``G_t^T q_t = dL/dV_t`` and hands ``C / h q_t`` to the voltages before; Crank-Nicolson,
    h = dt / 2, has ``G_t^T q_t = 2 dL/dV_t`` and hands on ``C / h q_t - dL/dV_t``. The gradient is that of the steps
    as they are taken, not of the equation that they approximate, and exact to rounding, through synaptic states, the
    block of NMDA receptors and gates of channels. Steps are taken twice: states are kept at T^(1/2) moments of T, and
    what lies between is computed anew.

    Spikes without a surrogate are constants: which steps fire, when a soma is reset and how long it is held. That is
    the derivative of the simulation almost everywhere, since spikes keep to whole steps and small changes move none
    of them.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> tree = ds.Compartments.branching([2])
    >>> synapses = ds.Synapses(tree, [1, 2], sign=[1, -1], conductance=1.0)
    >>> state = ds.steady_state(tree, synapses, np.ones((1, 2)))
    >>> gradient = ds.exact_gradient(state, np.ones((1, 1)))  # of the soma voltage
    >>> bool(np.allclose(gradient.current, state.input_resistance * state.attenuation_to_soma))
    True
    """
    if isinstance(state, Trace):
        if out is not None:
            raise ParameterError("out= belongs to steady states; leave it out for a trace")
        return trajectory_gradient(
            state, loss_gradient, "none" if record is None else record, surrogate, spike_gradient
        )
    instance("state", state, State, "from ds.steady_state(...), or Trace, from ds.simulate(..., checkpoints=True)")
    options = {"record": record, "surrogate": surrogate, "spike_gradient": spike_gradient}
    wrong = [f"{name}=" for name, value in options.items() if value is not None]
    if wrong:
        raise ParameterError(f"{' and '.join(wrong)} belong to traces of ds.simulate; leave out for a steady state")
    system = state._system
    loss = numbers("loss_gradient", loss_gradient)
    if loss.dtype.kind == "f" and loss.dtype != system.dtype:
        raise ParameterError(
            f"loss_gradient is {loss.dtype} and the state {system.dtype}; convert it with .astype('{system.dtype}')"
        )
    shapes = ((system.n_rows, system.size), (system.n_rows, system.roots.size))
    if loss.shape not in shapes:
        raise ParameterError(
            f"loss_gradient has shape {loss.shape}; expected {shapes[0]}, dL/dV at every compartment, or {shapes[1]}, "
            "at the somas"
        )
    most = limits(system.dtype)[1]
    if loss.size and not (loss.min() >= -most and loss.max() <= most):
        row, column = np.argwhere(~((loss >= -most) & (loss <= most)))[0]
        raise ParameterError(
            f"loss_gradient[{row}, {column}] = {loss[row, column]} must be finite (in {system.dtype} at most "
            f"{most:.2g})"
        )
    loss = np.ascontiguousarray(loss, dtype=system.dtype)
    out = checked_out(out, shapes[0], system.dtype, voltage=state.voltage, x=state.x, loss_gradient=loss)
    return Gradient(state, **system.adjoint(state.solved, loss, out))
