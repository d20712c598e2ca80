"""Cells in time: `simulate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ...about import of_simulation
from ...arguments import flag, instance, number, path, short, whole
from ...errors import ParameterError, choose
from ...morphology.compartments import Compartments, compartments_given
from ..direction import direction as direction_named
from ..gates import Gate
from ..integration import integration as integration_named
from ..synapses import Synapses
from ..system import float_type
from .arguments import activity_given, currents_given, recorded, rows_of, under_way_given
from .connections import Connections, connections_given, lags_of
from .engine import Engine
from .events import ARRIVALS
from .inputs import Clamp, Spikes, Waveform, clamps_given
from .kinetics import Kinetics, per_synapse
from .mechanisms import Mechanism
from .population import recorder_for
from .registry import mechanisms_given
from .setup import Setup
from .steps import off_grid
from .store import Layout, Store
from .trace import Checkpoints, Snapshot, Trace

Array = NDArray[Any]

METHODS = ("backward_euler", "crank_nicolson")


def simulate(
    compartments: Compartments,
    synapses: Synapses | None = None,
    inputs: Spikes | Waveform | ArrayLike | None = None,
    *,
    dt: float = 0.025,
    duration: float = 200.0,
    record: str | ArrayLike = "soma",
    record_synapses: ArrayLike = (),
    every: int = 1,
    method: str = "backward_euler",
    arrival: str = "nearest",
    kinetics: str | Kinetics | Sequence[str | Kinetics] | None = None,
    mechanisms: str | Mechanism | Sequence[str | Mechanism] = (),
    integration: str = "shunting",
    direction: str = "reciprocal",
    gate: Gate | None = None,
    current: ArrayLike | None = None,
    clamps: Clamp | Sequence[Clamp] = (),
    connections: Connections | None = None,
    initial: str | ArrayLike | Snapshot = "rest",
    n_stimuli: int | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
    store: str | Path | None = None,
    block: float = 100.0,
    resume: bool = False,
    checkpoints: bool = False,
) -> Trace:
    """Voltages in time, for a batch of stimuli, with a fixed step and an exact solve of the tree in each.

    Parameters
    ----------
    compartments : Compartments
        One cell or a forest, N compartments.
    synapses : Synapses, optional
        None: no synapses.
    inputs : Spikes, Waveform or array of shape (B, P), optional
        What drives the synapses; an array is constant activity as in `steady_state`, which opens them to it with their
        own kinetics. P is ``synapses.n_inputs``.
    dt : float, default 0.025
        Step, ms.
    duration : float, default 200.0
        ms, a whole number of steps.
    record : {"soma", "all", "none"} or sequence of int, default "soma"
        Compartments whose voltage is recorded.
    record_synapses : "all" or sequence of int, default ()
        Synapses whose conductance is recorded.
    every : int, default 1
        Record every so many steps; what lies between is not averaged.
    method : {"backward_euler", "crank_nicolson"}
        Of first and of second order; the latter as NEURON's ``secondorder = 2``, channels staggered by half a step.
    arrival : {"nearest", "middle", "exact"}, default "nearest"
        How spikes meet steps: at the nearest multiple of `dt` (NEURON), evaluated in the middle of steps, or averaged
        over each step at their own time. See the guide.
    kinetics : time course or name, tuple of two, or list of n_synapses, optional
        Of all synapses, of (excitation, inhibition), or of each. By default exponentials of 2 and 5 ms.
    mechanisms : Mechanism, name or sequence of them, optional
        Channels and spiking somas.
    integration : {"shunting", "additive"}
    direction : {"reciprocal", "directed"}
    gate : Gate, optional
        Directed trees only.
    current : array of shape (N,) or (B, N), optional
        Constant currents, pA.
    clamps : Clamp or sequence of Clamp, optional
        Currents that change.
    connections : Connections, optional
        Spikes of cells that drive inputs after a delay, a whole number of steps; `inputs` may then be left out. Cells
        need somas that fire, see `mechanisms`.
    initial : {"rest", "steady"}, array of shape (N,) or (B, N), or Snapshot, default "rest"
        Everything at the leak's reversal potential and synapses closed; the steady state under the activity and
        currents of the beginning; voltages in mV; or ``trace.final`` of another call, which goes on bit for bit where
        the cell and all options are the same.
    n_stimuli : int, optional
        B, where nothing else says it.
    dtype : {"float64", "float32"}, optional
        What to compute in.
    threads : int, optional
        By default every processor, or one where the work is small. Results do not depend on it.
    store : str or Path, optional
        Record to this HDF5 file instead of memory, block by block; `Trace` then reads from the file.
    block : float, default 100.0
        With `store`: how much is written at a time, ms. A process that is killed loses what it had not yet written.
    resume : bool, default False
        Go on with the file of `store` where it ends, bit for bit, or begin one.
    checkpoints : bool, default False
        Keep what `exact_gradient` needs: the state after every so many steps, the root of their number, or more where a
        state is small. Not with `store`.

    Returns
    -------
    Trace

    Raises
    ------
    ParameterError
        If a shape, value, option or combination is impossible; the message says what would work.

    Notes
    -----
    ``C dV/dt`` equals the currents whose steady state `steady_state` solves, for every integration and direction,
    in steps of the whole tree (Hines, Int J Bio-Med Comput 15:69, 1984). Synaptic states advance exactly. Voltages of a
    step see the synaptic states of its beginning (or middle, see `arrival`) and the gates of channels as they were left
    by the step before. Forests of some thousand compartments are taken in groups of cells, which `threads` share with
    blocks of stimuli; groups that are connected exchange spikes every smallest delay.

    Examples
    --------
    >>> import dendrosim as ds
    >>> cell = ds.Compartments([-1, 0], leak=5.0, coupling=20.0, capacitance=100.0, leak_reversal=-70.0)
    >>> synapse = ds.Synapses(cell, [1], sign=1, conductance=2.0)
    >>> trace = ds.simulate(cell, synapse, ds.Spikes([1.0], [0]), duration=20.0)
    >>> trace.voltage.shape
    (1, 801, 1)
    >>> bool(trace.voltage.max() > -70.0)
    True
    """
    setup = checked(
        compartments, synapses, inputs, dt=dt, duration=duration, record=record, record_synapses=record_synapses,
        every=every, method=method, arrival=arrival, kinetics=kinetics, mechanisms=mechanisms, integration=integration,
        direction=direction, gate=gate, current=current, clamps=clamps, connections=connections, initial=initial,
        n_stimuli=n_stimuli, dtype=dtype, threads=threads, checkpoints=flag("checkpoints", checkpoints),
    )  # fmt: skip
    if checkpoints:
        if store is not None or resume:
            raise ParameterError(
                "checkpoints=True keeps states in memory, and store= and resume= are for what does not fit: drop either"
            )
        engine = setup.engine()
        trace = engine.to_memory(Checkpoints(setup, engine, engine.between_checkpoints, []))
        return replace(trace, topics=of_simulation(setup))
    recorder = recorder_for(setup)
    if store is None:
        if resume:
            raise ParameterError(
                "resume=True goes on with a file: give store=, or initial=trace.final to go on in memory"
            )
        return replace(recorder.to_memory(), topics=of_simulation(setup))
    file = Path(path("store", store))
    layout = Layout(
        records=setup.n_steps // setup.every + 1,
        rows=setup.n_rows,
        compartment=setup.probes,
        synapse=setup.traced,
        most_spikes=recorder.most_spikes,
        memory=recorder.checkpoint_size,
        dtype=setup.dtype,
        attributes={
            "fingerprint": setup.signature(recorder), "dt": setup.dt, "every": setup.every, "method": method,
            "duration": setup.n_steps * setup.dt, "topics": ",".join(of_simulation(setup)),
        },
    )  # fmt: skip
    per_block = _steps("block", block, setup.dt)
    return recorder.to_file(Store(file, layout, flag("resume", resume)), max(1, per_block))


def prepare(
    compartments: Compartments, synapses: Synapses | None, inputs: Any, **options: Any
) -> tuple[Engine, Callable[[], str]]:
    """All cells as one, to be taken step by step; arguments as for `simulate`, those of its file left out.

    Returns
    -------
    engine : Engine
    signature : callable
        Returns a digest of everything that the recording depends on.

    Raises
    ------
    ParameterError
        As `simulate`.
    """
    setup = checked(compartments, synapses, inputs, **options)
    engine = setup.engine()
    return engine, lambda: setup.signature(engine)


def checked(
    compartments: Compartments,
    synapses: Synapses | None,
    inputs: Spikes | Waveform | ArrayLike | None,
    *,
    dt: float,
    duration: float,
    record: str | ArrayLike = "soma",
    record_synapses: str | ArrayLike = (),
    every: int = 1,
    method: str = "backward_euler",
    arrival: str = "nearest",
    kinetics: str | Kinetics | Sequence[str | Kinetics] | None = None,
    mechanisms: str | Mechanism | Sequence[str | Mechanism] = (),
    integration: str = "shunting",
    direction: str = "reciprocal",
    gate: Gate | None = None,
    current: ArrayLike | None = None,
    clamps: Clamp | Sequence[Clamp] = (),
    connections: Connections | None = None,
    initial: str | ArrayLike | Snapshot = "rest",
    n_stimuli: int | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
    checkpoints: bool = False,
) -> Setup:
    """Check the arguments of `simulate`.

    Raises
    ------
    ParameterError
        As `simulate`.
    """
    compartments_given("compartments", compartments)
    if synapses is not None:
        instance("synapses", synapses, Synapses, "such as ds.Synapses.scatter(compartments)")
        if not synapses.made_for(compartments):
            raise ParameterError("the synapses were made for another tree: make them for these compartments")
    integration_named(integration)
    way = direction_named(direction)
    choose("method", method, METHODS)
    choose("arrival", arrival, ARRIVALS)
    step = number("dt", dt, above=0, unit="ms")
    n_steps = _steps("duration", duration, step)
    every = whole("every", every, 1)
    if gate is not None:
        instance("gate", gate, Gate, "ds.Gate(slope, midpoint)")
        if not way.gated:
            raise ParameterError("gate= works in directed trees only: drop the gate or use direction='directed'")
    active = mechanisms_given(mechanisms)
    if active and way.gated:
        raise ParameterError("mechanisms= need the reciprocal cable: directed trees have no voltage to act back on")
    lag = np.empty(0, np.int64)
    if connections is not None:
        lag = lags_of(connections_given(connections, compartments, synapses, active).delay, step)
    given = activity_given(synapses, inputs, connections is not None)
    arrays = (inputs, current, initial)
    kind = float_type(dtype, *(a for a in arrays if isinstance(a, np.ndarray)))
    clamped = clamps_given(clamps, compartments.size)
    n_rows = rows_of(given, current, clamped, initial, n_stimuli, compartments.size)
    if isinstance(initial, Snapshot):
        under_way_given(initial, connections is not None, n_rows, compartments.n_cells)
    constant = currents_given(current, n_rows, compartments.size)
    courses, course = per_synapse(kinetics, np.empty(0, np.int64) if synapses is None else synapses.sign)
    probes = recorded("record", record, compartments.size, {"soma": compartments.roots})
    traced = recorded("record_synapses", record_synapses, 0 if synapses is None else synapses.size, {})
    return Setup(
        compartments=compartments,
        synapses=synapses,
        given=given,
        courses=courses,
        course=course,
        mechanisms=active,
        places=[mechanism.places(compartments) for mechanism in active],
        integration=integration,
        direction=direction,
        gate=gate,
        constant=constant,
        clamps=clamped,
        connections=connections,
        lag=lag,
        initial=initial,
        dt=step,
        method=method,
        arrival=arrival,
        n_rows=n_rows,
        dtype=kind,
        n_steps=n_steps,
        every=every,
        probes=probes,
        traced=traced,
        threads=threads,
        cells=np.arange(compartments.n_cells),
        inputs=np.arange(0 if synapses is None else synapses.n_inputs),
        checkpoints=checkpoints,
    )


def _steps(name: str, value: Any, dt: float) -> int:
    length = number(name, value, least=0, unit="ms")
    steps = length / dt
    if steps >= 2**53:
        raise ParameterError(f"{name}={short(value)} ms is too many steps of dt={dt:g} ms; take a greater dt")
    if off_grid(steps):
        raise ParameterError(
            f"{name}={short(value)} ms is no whole number of steps of dt={dt:g} ms; {round(steps) * dt:g} ms would be"
        )
    return round(steps)
