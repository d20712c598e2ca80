"""What records a simulation to the end, in memory or in a file, whether it runs as a whole or in groups of cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .store import Store, load
from .trace import Checkpoints, Snapshot, Trace

Array = NDArray[Any]
Ints = NDArray[np.int64]

PIECE = 30_000_000
"""Compartment-steps between two looks at the outside (an interrupt, a finished block): some tens of milliseconds."""
SPIKES = 2_000_000
"""Spikes that there is room for in between."""


class Recorder(ABC):
    """Something that takes steps.

    Attributes
    ----------
    dt : float
    dtype : numpy.dtype
    method : str
    n_rows, n_steps, every : int
    probes, synapses : int arrays
        Compartments and synapses that are recorded.
    piece : int
        Steps to take at a time.
    """

    dt: float
    dtype: np.dtype[Any]
    method: str
    n_rows: int
    n_steps: int
    every: int
    probes: Ints
    synapses: Ints
    piece: int

    @property
    @abstractmethod
    def n_firing(self) -> int:
        """Sites whose spikes are recorded, for each stimulus."""

    @abstractmethod
    def states(self) -> list[Array]:
        """Everything that the simulation goes on from, as arrays that change with it."""

    @abstractmethod
    def first(self) -> tuple[Array, Array]:
        """The record of time 0, (1, B, n): voltages as they begin, conductances before any event."""

    @abstractmethod
    def advance(self, start: int, count: int) -> tuple[Array, Array, Ints]:
        """Take steps; voltages and conductances (T, B, n) recorded in them, spikes (n, 3) as step, site, stimulus.

        Raises
        ------
        ParameterError
            If a voltage is no number any more.
        """

    @abstractmethod
    def final(self) -> Snapshot:
        """The state at the end, what arrives from outside at that very moment included."""

    @abstractmethod
    def identity(self) -> Iterable[Any]:
        """What results depend on, as arrays: for a fingerprint."""

    @property
    def checkpoint_size(self) -> int:
        """Bytes of a checkpoint."""
        return sum(array.nbytes for array in self.states())

    @property
    def most_spikes(self) -> int:
        """Spikes that a file has room for: one per ms, site and stimulus, and a thousand for bursts."""
        return (int(self.n_steps * self.dt) + 1000) * self.n_firing * self.n_rows

    def checkpoint(self) -> bytes:
        """The state now, for `restore`."""
        return b"".join(array.tobytes() for array in self.states())

    def restore(self, data: bytes) -> None:
        """Go back to what `checkpoint` returned."""
        fill(self.states(), data)

    def to_memory(self, kept: Checkpoints | None = None) -> Trace:
        """Run to the end; everything is recorded in memory, and states in `kept` where there is one."""
        parts = [(*self.first(), np.empty((0, 3), np.int64))]
        start = 0
        while start < self.n_steps:
            count = min(self.piece, self.n_steps - start)
            if kept is not None:
                if start % kept.every == 0:
                    kept.states.append(self.checkpoint())
                count = min(count, kept.every - start % kept.every)
            parts.append(self.advance(start, count))
            start += count
        voltage, conductance, spikes = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Trace(
            time=np.arange(0, self.every * len(voltage), self.every) * np.float64(self.dt),
            voltage=np.ascontiguousarray(voltage.swapaxes(0, 1)),
            compartment=self.probes,
            conductance=np.ascontiguousarray(conductance.swapaxes(0, 1)),
            synapse=self.synapses,
            spike_time=(spikes[:, 0] + 1) * self.dt,
            spike_compartment=spikes[:, 1],
            spike_stimulus=spikes[:, 2],
            dt=self.dt,
            method=self.method,
            n_steps=self.n_steps,
            final=self.final(),
            checkpoints=kept,
        )

    def to_file(self, store: Store, per_block: int) -> Trace:
        """Run to the end from where the file ends; every block is written as it is done."""
        found = store.restore()
        if found is None:
            store.write(0, *self.first(), np.empty((0, 3), np.int64), 0, self.checkpoint())
            start = 0
        else:
            start = found[0]
            self.restore(found[1])
        while start < self.n_steps:
            record, end = start // self.every + 1, min(start + per_block, self.n_steps)
            parts = []
            while start < end:
                count = min(self.piece, end - start)
                parts.append(self.advance(start, count))
                start += count
            voltage, conductance, spikes = (np.concatenate(column) for column in zip(*parts, strict=True))
            store.write(record, voltage, conductance, spikes, start, self.checkpoint())
        trace = load(store.path)
        return Trace(**{**vars(trace), "final": self.final()})


def fill(states: Iterable[Array], data: bytes) -> None:
    """Put what `Recorder.checkpoint` returned into arrays."""
    at = 0
    for array in states:
        array[:] = np.frombuffer(data, array.dtype, array.size, at)
        at += array.nbytes


def piece_for(size: int, n_firing: int) -> int:
    """Steps to take at a time; `size` counts compartments, `n_firing` sites that fire, of all stimuli."""
    return max(32, min(8192, PIECE // max(1, size), SPIKES // max(1, n_firing)))
