"""Exact gradients of any loss on a trajectory, by the adjoint through time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import numbers
from ...errors import ParameterError
from ...kernels import parallel
from ...shown import Shown
from ..magnitude import limits
from .adjoint_inputs import by_spike, by_waveform
from .arguments import recorded
from .events import steps_of
from .inputs import Spikes, Waveform
from .start import consistent_back
from .surrogates import Surrogate, surrogate_given
from .trace import Checkpoints, Snapshot, Trace

if TYPE_CHECKING:
    from .engine import Engine
    from .problem import Problem

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrajectoryGradient(Shown):
    """Exact gradient of a loss on a trajectory; made by `exact_gradient`.

    Attributes
    ----------
    trace : Trace
        What it is the gradient at.
    conductance : float array of shape (n_synapses,)
        dL/dg of every synapse, per nS, summed over batch and time.
    coupling, leak : float arrays of shape (N,)
        dL/dg of every coupling (0 at roots) and leak, per nS, summed over batch and time.
    initial : float array of shape (B, N)
        dL/dV at time 0, per mV; gates that begin where that voltage keeps them follow it.
    current : float array of shape (B, T, n)
        dL/dI, per pA, by a current during the step that ends at ``trace.time``; 0 at time 0.
    compartment : int array of shape (n,)
        Where `current` is.
    inputs : float array of shape (K, B, P) or None
        dL/dx of a `Waveform`, of constant activity with K = 1; None if spikes or nothing came in.
    spikes : float array of shape (n_spikes,) or None
        dL/dw, w being the weight of a spike of `Spikes`; None if there were none.
    """

    trace: Trace
    conductance: Array
    coupling: Array
    leak: Array
    initial: Array
    current: Array
    compartment: Ints
    inputs: Array | None
    spikes: Array | None

    def __repr__(self) -> str:
        b, n = self.initial.shape
        t = self.trace.n_steps
        return f"<TrajectoryGradient: {b} stimuli x {n} compartments, {t} steps, {self.conductance.size} synapses>"


def trajectory_gradient(
    trace: Trace,
    loss_gradient: ArrayLike,
    record: str | ArrayLike,
    surrogate: str | Surrogate | None,
    spike_gradient: ArrayLike | None,
) -> TrajectoryGradient:
    """See `dendrosim.exact_gradient`.

    Raises
    ------
    ParameterError
        If the trace was made without checkpoints, a shape does not fit, or a mechanism has no adjoint.
    """
    kept = trace.checkpoints
    if kept is None:
        raise ParameterError("the trace keeps nothing to go back on: use ds.simulate(..., checkpoints=True)")
    engine = kept.engine
    loss = _checked("loss_gradient", loss_gradient, (trace.voltage.shape,), engine.problem.dtype)
    known = surrogate_given(surrogate)
    probes = recorded("record", record, engine.problem.size, {"soma": engine.problem.compartments.roots})
    spikes = _spikes(trace, engine, spike_gradient)
    return _Backward(trace, kept, loss, probes, known, spikes).result()


def _checked(name: str, value: ArrayLike, shapes: tuple[tuple[int, ...], ...], dtype: np.dtype[Any]) -> Array:
    table = numbers(name, value)
    if table.dtype.kind == "f" and table.dtype != dtype:
        raise ParameterError(f"{name} is {table.dtype} and the trace {dtype}; convert it with .astype('{dtype}')")
    if table.shape not in shapes:
        raise ParameterError(f"{name} has shape {table.shape}; expected {' or '.join(map(str, shapes))}")
    most = limits(dtype)[1]
    if table.size and not (table.min() >= -most and table.max() <= most):
        raise ParameterError(f"{name} must be finite (in {dtype} at most {most:.2g})")
    return table.astype(dtype)


def _spikes(trace: Trace, engine: Engine, given: ArrayLike | None) -> Array | None:
    """dL/d(spike) by step: (n_steps, B, n_sites)."""
    problem = engine.problem
    if given is None:
        return None
    whole = (problem.n_rows, trace.n_steps, problem.n_sites)
    table = _checked("spike_gradient", given, ((trace.spike_time.size,), whole), problem.dtype)
    if table.ndim == 3:
        return np.ascontiguousarray(table.swapaxes(0, 1))
    out = np.zeros((trace.n_steps, problem.n_rows, problem.n_sites), problem.dtype)
    step = np.rint(trace.spike_time / trace.dt).astype(np.int64) - 1
    site = np.full(problem.size, -1)
    fires = np.flatnonzero(problem.site_fires)
    places = problem.site_compartment[fires]
    if np.unique(places).size < places.size:
        raise ParameterError(
            f"spike_gradient of shape {table.shape} is ambiguous where two mechanisms of a compartment fire; give one "
            f"of shape {whole}, by step and site"
        )
    site[places] = fires
    np.add.at(out, (step, trace.spike_stimulus, site[trace.spike_compartment]), table)
    return out


def _refuse_early_resets(problem: Problem) -> None:
    """Going back, every mechanism reads the voltage as solved, before any reset."""
    reset = np.full(problem.size, -1)
    for i, (arrays, (kind, rows)) in enumerate(zip(problem.mechanisms, problem.active, strict=True)):
        early = reset[rows]
        if kind.n_states and (early >= 0).any():
            first, at = int(early[early >= 0][0]), int(rows[early >= 0][0])
            raise ParameterError(
                f"no gradient goes through mechanisms[{i}] ({kind.name!r}), which follows mechanisms[{first}] "
                f"({problem.active[first][0].name!r}) at compartment {at} and reads the voltage after its reset: "
                f"put mechanisms[{first}] after it"
            )
        if hasattr(arrays, "reset"):
            reset[rows] = i


class _Backward:
    """One way back through all steps, from one checkpoint to the one before."""

    def __init__(
        self,
        trace: Trace,
        kept: Checkpoints,
        loss: Array,
        probes: Ints,
        surrogate: Surrogate | None,
        spikes: Array | None,
    ) -> None:
        from ...kernels.mechanisms_adjoint import has_adjoint
        from ...kernels.transient_adjoint import Credits

        self.trace, self.kept, self.loss, self.probes = trace, kept, loss, probes
        self.surrogate, self.spikes = surrogate, spikes
        self.engine, self.problem = kept.engine, kept.engine.problem
        problem = self.problem
        for arrays, (kind, _) in zip(problem.mechanisms, problem.active, strict=True):
            if not has_adjoint(type(arrays)):
                raise ParameterError(
                    f"no gradient goes through {kind.name!r} ({type(kind).__name__}): tell dendrosim.kernels."
                    f"mechanisms_adjoint.register_adjoint how to go back through {type(arrays).__name__}, or simulate "
                    "without it"
                )
        _refuse_early_resets(problem)
        places = problem.n_blocks * problem.width
        links = self.engine.recurrence.links
        ring = links.length * links.n_sources
        sizes = (problem.n_slots, problem.n_drives, problem.n_drives, problem.n_states, ring)
        self.credits = Credits(*(np.zeros(places * size, problem.dtype) for size in sizes))
        compartments = problem.compartments
        parent = np.where(compartments.parent < 0, problem.tree.n_dense, problem.slot[compartments.parent])
        self.node, self.parent = problem.slot, parent
        inertia = np.asarray(problem.tree.inertia, np.float64)[self.engine.probe_rows]
        gone = self.engine.probe_rows >= problem.tree.n_dense
        self.scale = np.where(gone, 1.0 / np.where(gone, inertia, 1.0), 1.0).astype(problem.dtype)
        self.tape = self.engine.tape(min(kept.every, self.engine.n_steps))
        self.conductance = np.zeros(problem.wiring.row.size)
        self.leak, self.coupling = np.zeros(problem.size), np.zeros(problem.size)
        self.event_p, self.event_q = (np.zeros(self.engine.events.step.size) for _ in range(2))
        given = self.engine.given
        self.level_steps = steps_of(given.interval, problem.dt) if isinstance(given, Waveform) else 0
        waved = isinstance(given, Waveform)
        self.levels = np.zeros(given.values.shape) if isinstance(given, Waveform) else np.zeros((0, 0, 0))
        self.mark_p, self.mark_q = (
            np.zeros((len(self.levels), problem.n_rows, problem.n_drives) if waved else 0) for _ in range(2)
        )
        b, t, _ = trace.voltage.shape
        self.current = np.zeros((b, t, probes.size), problem.dtype)

    def result(self) -> TrajectoryGradient:
        every, n_steps = self.kept.every, self.engine.n_steps
        for k in range(-(-n_steps // every) - 1, -1, -1):
            self._segment(k * every, min(every, n_steps - k * every), self.kept.states[k])
        problem, engine = self.problem, self.engine
        kind = problem.dtype
        order = np.empty(problem.order.size, np.int64)
        order[problem.order] = np.arange(problem.order.size)
        self.coupling[problem.compartments.parent < 0] = 0.0
        given = engine.given
        initial = self._initial()
        p, q = problem.batch(self.credits.p), problem.batch(self.credits.q)
        inputs = spikes = None
        if isinstance(given, Spikes):
            spikes = by_spike(given, engine, self.kept.setup.arrival, self.event_p, self.event_q).astype(kind)
        elif given is not None:
            self.mark_p[0], self.mark_q[0] = p, q
            inputs = by_waveform(given, engine, self.levels, self.mark_p, self.mark_q).astype(kind)
        return TrajectoryGradient(
            trace=self.trace,
            conductance=self.conductance[order].astype(kind),
            coupling=self.coupling.astype(kind),
            leak=self.leak.astype(kind),
            initial=initial,
            current=self.current,
            compartment=self.probes,
            inputs=inputs,
            spikes=spikes,
        )

    def _initial(self) -> Array:
        """By voltages at time 0; leaks and couplings gain what they do to branch points then."""
        problem = self.problem
        credit = np.asarray(problem.voltages(self.credits.voltage), np.float64)
        gone = problem.slot >= problem.tree.n_dense
        credit[:, gone] *= np.asarray(problem.tree.inertia, np.float64)[problem.slot[gone]]
        np.add.at(credit.T, self.engine.probes, self.loss[:, 0].T.astype(np.float64))
        if not isinstance(self.kept.setup.initial, Snapshot):
            start = self.engine.start.voltage + problem.offset
            credit += problem.mechanism_credits(start, problem.batch(self.credits.mechanism))
            credit, q = consistent_back(problem.compartments, credit)
            child = np.flatnonzero(problem.compartments.parent >= 0)
            parent, v = problem.compartments.parent[child], self.engine.start.voltage
            self.leak -= (v * q).sum(axis=0)
            self.coupling[child] += ((v[:, child] - v[:, parent]) * (q[:, parent] - q[:, child])).sum(axis=0)
        return credit.astype(problem.dtype)

    def _segment(self, start: int, count: int, state: bytes) -> None:
        from ...kernels.transient_adjoint import Arrivals, Losses, Sums, reverse

        problem, engine = self.problem, self.engine
        kind, width, blocks = problem.dtype, problem.width, problem.n_blocks
        tape = self.tape
        inputs = engine.replay(state, start, count, tape)
        first = start // engine.every + 1
        records = (start + count) // engine.every + 1 - first
        value = self._blocks(self.loss[:, first : first + records].swapaxes(0, 1))
        spike, slant = self._spike_terms(tape, start, count)
        losses = Losses(
            engine.probe_rows, self.scale, engine.every, records, value, spike,
            slant,
        )  # fmt: skip
        marks, marked = self._marks(start, count)
        arrivals = Arrivals(
            problem.n_inputs,
            inputs.level_step,
            inputs.event_step,
            inputs.event_slot,
            inputs.event_begin,
            marks,
            engine.recurrence.links,
        )
        n_levels = inputs.level_step.size - 1
        places = blocks * width

        def room(size: int) -> Array:
            return np.zeros(places * size, kind)

        n_events = inputs.event_step.size
        sums = Sums(
            self.node, self.parent, problem.force[problem.order].astype(kind), room(problem.size),
            room(problem.size), room(problem.wiring.row.size),
            room(n_levels * problem.n_inputs if inputs.level.size else 0), np.zeros(n_events, kind),
            np.zeros(n_events, kind), room(marks.size * problem.n_drives), room(marks.size * problem.n_drives),
            problem.slot[self.probes], room(records * self.probes.size),
        )  # fmt: skip
        head = (
            problem.tree, engine.drives, problem.wiring, tape, problem.mechanisms, arrivals, losses, self.credits, sums,
            float(problem.offset), problem.middle, start, count,
        )  # fmt: skip
        jobs = [(*head, *part, problem.lanes) for part in parallel.ranges(blocks, engine.threads)]
        parallel.run(reverse, jobs, engine.threads, lambda: np.zeros(6 * (problem.n_slots + 1) * width, kind))
        for total, part in (
            (self.conductance, sums.conductance),
            (self.leak, sums.leak),
            (self.coupling, sums.coupling),
        ):
            total += problem.batch(part).sum(axis=0, dtype=np.float64)
        chosen, _ = engine.events.which(start, start + count)
        self.event_p[chosen], self.event_q[chosen] = sums.event_p, sums.event_q
        if inputs.level.size:
            length = len(self.levels)
            low = min(start // self.level_steps, length - 1)
            self.levels[low : low + n_levels] += self._rows(sums.level, n_levels, problem.n_inputs)
            if marks.size:
                self.mark_p[marked], self.mark_q[marked] = (
                    self._rows(sums.mark_p, marks.size, problem.n_drives),
                    self._rows(sums.mark_q, marks.size, problem.n_drives),
                )
        self.current[:, first : first + records] = self._rows(sums.current, records, self.probes.size).swapaxes(0, 1)

    def _blocks(self, values: Array) -> Array:
        """The reverse of `_rows`, flat."""
        problem = self.problem
        count, _, columns = values.shape
        out = np.zeros((count, problem.n_blocks * problem.width, columns), problem.dtype)
        out[:, : problem.n_rows] = values
        table = out.reshape(count, problem.n_blocks, problem.width, columns).transpose(1, 0, 3, 2)
        return np.ascontiguousarray(table).reshape(-1)

    def _rows(self, values: Array, count: int, columns: int) -> Array:
        """Blocks (n_blocks, count, columns, width) as (count, B, columns)."""
        problem = self.problem
        table = values.reshape(problem.n_blocks, count, columns, problem.width).transpose(1, 0, 3, 2)
        rows: Array = table.reshape(count, problem.n_blocks * problem.width, columns)[:, : problem.n_rows]
        return rows

    def _marks(self, start: int, count: int) -> tuple[Ints, Ints]:
        """Steps of a segment at which continuous activity changes, and to which interval; the first is left out."""
        if not len(self.levels):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        level = np.arange(1, len(self.levels))
        step = level * self.level_steps - start
        inside = (step >= 0) & (step < count)
        return step[inside], level[inside]

    def _spike_terms(self, tape: Any, start: int, count: int) -> tuple[Array, Array]:
        """Gradient by spikes, and their derivatives by voltages, as blocks (n_blocks, count, n_sites, width), flat."""
        problem = self.problem
        if not problem.n_sites:
            return np.empty(0, problem.dtype), np.empty(0, problem.dtype)
        shape = (problem.n_blocks, count, problem.n_sites, problem.width)
        spike, slant = np.zeros(shape, problem.dtype), np.zeros(shape, problem.dtype)
        if self.spikes is not None:
            spike[...] = self._blocks(self.spikes[start : start + count]).reshape(shape)
        if self.surrogate is not None:
            steps, width = problem.n_blocks * count, problem.width
            solved, before = (
                values[: steps * rows * width].reshape(problem.n_blocks, count, rows, width)
                for values, rows in ((tape.solved, problem.n_slots), (tape.before, tape.row.size))
            )
            for arrays, (kind, _) in zip(problem.mechanisms, problem.active, strict=True):
                if kind.fires:
                    voltage = solved[:, :, arrays.row]
                    if problem.middle:
                        voltage = 2.0 * voltage - before[:, :, np.searchsorted(tape.row, arrays.row)]
                    sites = slice(arrays.site, arrays.site + arrays.row.size)
                    slant[:, :, sites] = self.surrogate.derivative(voltage - arrays.threshold)
        return spike.reshape(-1), slant.reshape(-1)
