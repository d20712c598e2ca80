"""What a simulation leaves: recorded voltages and conductances, spikes, and the state at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...shown import Shown

if TYPE_CHECKING:
    from .engine import Engine
    from .setup import Setup

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a simulation at one moment; ``ds.simulate(..., initial=snapshot)`` goes on from it.

    Attributes
    ----------
    voltage : float array of shape (B, N)
        mV, relative to the leak's reversal potential.
    p, q : float arrays of shape (B, n_drives)
        States of the time courses, by input and time course.
    mechanism : float array of shape (B, n_states)
    activity : float array of shape (B, P)
        Continuous activity that the states know of.
    spikes : float array of shape (n_spikes, 3)
        Stimulus, cell, and time (ms, 0 or before) of spikes that are still under way, see `Connections`; those that
        arrive at this very moment are among them.
    """

    voltage: Array
    p: Array
    q: Array
    mechanism: Array
    activity: Floats
    spikes: Floats = field(default_factory=lambda: np.empty((0, 3)))


@dataclass(frozen=True, eq=False)
class Checkpoints:
    """What `exact_gradient` needs to go back through a simulation: states at some moments, and how to go on from them.

    Memory grows with the root of the number of steps: there are at most about as many states as steps between two of
    them, and what a few megabytes hold is not divided.

    Attributes
    ----------
    setup : Setup
        The simulation as it was asked for.
    engine : Engine
        The same laid out.
    every : int
        Steps between states.
    states : list of bytes
    """

    setup: Setup = field(repr=False)
    engine: Engine = field(repr=False)
    every: int
    states: list[bytes] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Trace(Shown):
    """What was recorded.

    Attributes
    ----------
    time : float array of shape (T,)
        ms; the first is 0.
    voltage : float array of shape (B, T, n)
        As solved, never interpolated, mV.
    compartment : int array of shape (n,)
        Where it was recorded.
    conductance : float array of shape (B, T, m)
        Of recorded synapses, before any block by magnesium, nS: what the step that ended at that time was taken with.
    synapse : int array of shape (m,)
        Which they are.
    spike_time, spike_compartment, spike_stimulus : arrays of shape (n_spikes,)
        In order of time; times in ms are ends of steps.
    dt : float
        ms.
    method : str
    n_steps : int
        Steps that were taken; ``time[-1]`` is the last multiple of `every` among them.
    final : Snapshot or None
        State at the end; None where a trace was loaded from a file.
    checkpoints : Checkpoints or None
        For `exact_gradient`, with ``simulate(..., checkpoints=True)``.
    topics : tuple of str
        What `ds.cite` cites for it.
    """

    time: Floats
    voltage: Array
    compartment: Ints
    conductance: Array
    synapse: Ints
    spike_time: Floats
    spike_compartment: Ints
    spike_stimulus: Ints
    dt: float
    method: str
    n_steps: int
    final: Snapshot | None
    checkpoints: Checkpoints | None = None
    topics: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Any) -> Trace:
        """Read a recording from `path`, of a finished run or of one that was interrupted or killed.

        Raises
        ------
        OSError
            If there is no such file.
        FileFormatError
            If it is no recording.
        """
        from .store import load

        return load(path)

    def plot(self, **options: Any) -> Any:
        """Draw voltages against time, with spikes; see `dendrosim.plotting.plot_trace`."""
        from ...plotting import plot_trace

        return plot_trace(self, **options)

    def __repr__(self) -> str:
        b, t, n = self.voltage.shape
        return (
            f"<Trace: {b} stimuli, {t} times to {self.time[-1] if t else 0:g} ms, {n} compartments, "
            f"{self.synapse.size} synapses, "
            f"{self.spike_time.size} spikes, dt={self.dt:g} ms, {self.method}>"
        )
