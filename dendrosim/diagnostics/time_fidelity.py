"""Fidelity of learning in time: what traces and credits ask for, and the exact gradient of the same loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance
from ..errors import ParameterError
from .fidelity_report import ROW, row_of
from .measures import compare

if TYPE_CHECKING:
    from ..biophysics.time.trace import Snapshot, Trace
    from ..plasticity.online import OnlineLearner

Floats = NDArray[Any]


@dataclass(frozen=True, eq=False)
class TimeFidelity:
    """How close online learning is to the gradient; made by `time_fidelity`.

    Attributes
    ----------
    table : structured array
        Rows of ``group``, ``cosine``, ``scale_mismatch`` (``|log10(|local| / |exact|)|``), ``relative_l2`` and ``n``,
        as those of `fidelity`: ``excitatory``, ``inhibitory``, ``couplings`` if they learn, and ``all`` as one vector.
    local, exact : float arrays of shape (S,)
        By the conductance of every synapse, per nS.
    local_coupling, exact_coupling : float arrays of shape (N,)
        By couplings; zeros if they do not learn.
    loss : float
        ``L = sum_k w_k mean_b l``.
    """

    table: np.ndarray[Any, Any]
    local: Floats
    exact: Floats
    local_coupling: Floats
    exact_coupling: Floats
    loss: float

    def __getitem__(self, group: str) -> np.void:
        """The row of a group, such as ``report["all"]["cosine"]``.

        Raises
        ------
        ParameterError
            If there is no such row; the message lists those that there are.
        """
        return row_of(self.table, group)

    def __repr__(self) -> str:
        row = self["all"]
        return f"<TimeFidelity: cosine {row['cosine']:.3f}, scale mismatch {row['scale_mismatch']:.3f}>"


def time_fidelity(
    learner: OnlineLearner,
    inputs: Any,
    targets: ArrayLike,
    *,
    duration: float,
    initial: str | ArrayLike | Snapshot | None = None,
    n_stimuli: int | None = None,
) -> TimeFidelity:
    """Compare what an online learner would ask for with the exact gradient of the same loss.

    Parameters
    ----------
    learner : OnlineLearner
        Its parameters stay as they are.
    inputs, targets, duration, initial, n_stimuli
        As for `OnlineLearner.run`.

    Returns
    -------
    TimeFidelity

    Raises
    ------
    ParameterError
        As for `OnlineLearner.run`, or if `learner` is something else.

    Notes
    -----
    The loss is ``L = sum_k w_k mean_b l(output(t_k), y_k)`` over the ticks of the learner. Exact is the adjoint through
    all time steps (`exact_gradient` of a trace), local the sum over deliveries of trace times credit. Deliveries that
    would come after the end are lost, as in a run. Where spikes are read, "exact" has the learner's surrogate
    derivative in the place of each spike's, and follows what resets do to later voltages; traces do not.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> cell = ds.Compartments([-1], leak=5.0, capacitance=50.0, leak_reversal=-65.0)
    >>> neuron = ds.Neurons(cell, ds.Synapses(cell, [0, 0], sign=[1, -1], conductance=2.0), readout="soma")
    >>> learner = ds.OnlineLearner(neuron, "exact", tau_e="membrane")
    >>> report = ds.time_fidelity(learner, ds.Spikes.poisson([50.0, 50.0], 30.0), np.ones((1, 1)), duration=30.0)
    >>> round(float(report["all"]["relative_l2"]), 9)
    0.0
    """
    from ..plasticity.online import OnlineLearner

    instance("learner", learner, OnlineLearner, "such as ds.OnlineLearner(neurons)")
    if targets is None:
        raise ParameterError("targets are missing; the gradient is that of their loss")
    told = {"duration": duration, "initial": initial, "n_stimuli": n_stimuli}
    if learner.teaching.frozen_core:
        raise ParameterError(
            f"teaching={learner.teaching.name!r} changes no synapse; there is nothing to compare: use 'exact', "
            "'per_soma' or another"
        )
    kept = learner.state()
    run = learner.run(inputs, targets, learn=False, **told)  # type: ignore[arg-type]
    learner.restore(kept)
    network = learner.network
    local = run.gradient["synapses"] / network.conductance_factor
    n = network.layout.size
    exact, coupling = _exact(learner, inputs, targets, told)
    local_coupling, exact_coupling = np.zeros(n), np.zeros(n)
    sign, child = network.synapses.sign, network.layout.child
    pairs: dict[str, tuple[Floats, Floats]] = {
        "excitatory": (local[sign > 0], exact[sign > 0]),
        "inhibitory": (local[sign < 0], exact[sign < 0]),
    }
    if network.learn_couplings:
        local_coupling[child] = run.gradient["couplings"][child] / network.coupling_factor[child]
        exact_coupling[child] = coupling[child]
        pairs["couplings"] = (local_coupling[child], exact_coupling[child])
    both = [np.concatenate(column) for column in zip(*pairs.values(), strict=True)]
    pairs["all"] = (both[0], both[1])
    table = np.array([_row(name, *pair) for name, pair in pairs.items() if pair[0].size], dtype=ROW)
    loss = float(learner.deliveries.weight * run.loss.mean(axis=1).sum())
    return TimeFidelity(table, local, exact, local_coupling, exact_coupling, loss)


def _row(group: str, local: Floats, exact: Floats) -> tuple[Any, ...]:
    direction, scale, error = compare(local, exact)
    return group, direction, abs(scale), error, local.size


def _exact(learner: OnlineLearner, inputs: Any, targets: Any, told: dict[str, Any]) -> tuple[Floats, Floats]:
    """dL/dg of synapses and couplings by the adjoint."""
    from ..biophysics.gradient import exact_gradient
    from ..biophysics.time.simulate import simulate

    network = learner.network
    initial = "rest" if told["initial"] is None else told["initial"]
    trace = simulate(
        network.compartments, network.synapses, inputs, integration=network.integration, direction=network.direction,
        gate=network.gate, record="soma", checkpoints=True, threads=learner.threads,
        **{**learner.time_options, **told, "initial": initial},
    )  # fmt: skip
    session = learner.begin(inputs, targets, learn=False, **told)
    spiking = learner.read == "spikes"
    soma, slope = _low_passed(learner, trace) if spiking else _outputs(learner, trace)
    parameters, weight = network.parameters, learner.deliveries.weight
    read: Floats = np.zeros(soma.shape)
    for k, step in enumerate(session.ticks):
        now = np.ascontiguousarray(soma[:, step])
        answer = session.asking.asked(network.decoder.forward(parameters, now), k, learner.rng)
        read[:, step] = network.decoder.backward(parameters, now, weight * answer.error)[1] * slope[:, step]
    if spiking:
        sites = _of_spikes(learner, read, trace.dt, session.running.engine.problem)
        silent = np.zeros(read.shape)
        found: Any = exact_gradient(trace, silent, surrogate=learner.surrogate, spike_gradient=sites)
    else:
        found = exact_gradient(trace, read)
    return found.conductance, found.coupling


def _outputs(learner: OnlineLearner, trace: Trace) -> tuple[Floats, Floats]:
    """What is read of somatic voltages after every step, and its derivative by them, (B, T, n_cells)."""
    network, roots = learner.network, learner.network.layout.roots
    every: Floats = np.zeros((*trace.voltage.shape[:2], network.layout.size))
    every[..., roots] = trace.voltage
    passed, slope = every, np.ones_like(every)
    if network.gate is not None:
        passed, slope = network.gate.activity(every), network.gate.derivative(every)
    return (passed[..., roots] - network.reference) / network.scale, slope[..., roots] / network.scale


def _of_spikes(learner: OnlineLearner, read: Floats, dt: float, problem: Any) -> Floats:
    """dL/d(spike) of every site that fires, (B, n_steps, n_sites), from the derivatives by low-passed spikes."""
    decay, roots = float(np.exp(-dt / learner.tau_out)), learner.network.layout.roots
    b, steps, _ = read.shape
    by_spike: Floats = np.zeros_like(read)
    for step in range(steps - 1, 0, -1):
        by_spike[:, step] = read[:, step] + (decay * by_spike[:, step + 1] if step + 1 < steps else 0.0)
    sites: Floats = np.zeros((b, steps - 1, problem.n_sites))
    for c, root in enumerate(roots):
        fires = np.flatnonzero((problem.site_compartment == root) & problem.site_fires)
        sites[:, :, fires] = by_spike[:, 1:, [c]]
    return sites


def _low_passed(learner: OnlineLearner, trace: Trace) -> tuple[Floats, Floats]:
    """Low-passed spikes after every step, and ones, (B, T, n_cells)."""
    from ..kernels.eligibility import take_spikes

    layout = learner.network.layout
    b, t = trace.voltage.shape[:2]
    found: Floats = np.zeros((b, t, layout.n_cells))
    now: Floats = np.zeros((b, layout.n_cells))
    cells = layout.cell[trace.spike_compartment]
    somatic = layout.roots[cells] == trace.spike_compartment
    step = np.rint(trace.spike_time / trace.dt).astype(np.int64)
    fired: Floats = np.zeros((t, b, layout.n_cells))
    np.add.at(fired, (step[somatic], trace.spike_stimulus[somatic], cells[somatic]), 1.0)
    for i in range(1, t):
        take_spikes(fired[i].reshape(1, -1), float(np.exp(-trace.dt / learner.tau_out)), now.reshape(-1))
        found[:, i] = now
    return found, np.ones_like(found)
