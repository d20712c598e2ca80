"""Groups of cells side by side: the unit of work of a thread is a group and a few blocks of stimuli."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels import parallel
from .engine import Engine, Piece, last_activity
from .partition import Partition, groups
from .recorder import Recorder, piece_for
from .setup import Setup
from .trace import Snapshot

Array = NDArray[Any]
Ints = NDArray[np.int64]

SHARES = 4
"""Jobs per thread: the last ones to end then end at about the same time."""


def recorder_for(setup: Setup) -> Recorder:
    """All cells as one where that is little work, else in groups.

    Raises
    ------
    ParameterError
        If what only laying out brings to light is impossible.
    """
    cells = setup.compartments
    window = int(setup.lag.min()) if setup.lag.size else None
    sizes = np.diff(np.append(cells.roots, cells.size))
    found = groups(sizes, setup.n_rows, window)
    return setup.engine() if len(found) == 1 else Population(setup, found)


class Population(Recorder):
    """Cells in groups.

    Without connections groups go their own way for a whole piece. With them they exchange spikes every so many steps:
    as many as pass, at least, between the step of a spike and the one at whose beginning it arrives.

    Parameters
    ----------
    setup : Setup
    cells : list of pairs of int
        First and last cell (exclusive) of every group.
    """

    def __init__(self, setup: Setup, cells: list[tuple[int, int]]) -> None:
        self.setup, self._partition = setup, Partition(setup)
        self.parts = [self._partition.part(*pair) for pair in cells]
        self.engines: list[Engine] = [part.setup.engine() for part in self.parts]
        self.dt, self.dtype, self.method, self.n_rows = setup.dt, setup.dtype, setup.method, setup.n_rows
        self.n_steps, self.every, self.probes, self.synapses = setup.n_steps, setup.every, setup.probes, setup.traced
        self.threads = setup.n_threads
        one = self.engines[0]
        for engine in self.engines[1:]:
            engine.memory = engine.memory._replace(ring=one.memory.ring, active=one.memory.active)
        lanes = one.problem.width * one.problem.n_blocks
        self.piece = piece_for(setup.compartments.size * self.n_rows, self.n_firing * lanes)
        self._window = int(setup.lag.min()) if setup.lag.size else 0
        self._scratch = max(engine.problem.scratch for engine in self.engines)

    @property
    def n_firing(self) -> int:
        return sum(engine.n_firing for engine in self.engines)

    def states(self) -> list[Array]:
        memories = [engine.memory for engine in self.engines]
        each = [array for m in memories for array in (m.voltage, m.p, m.q, m.mechanism)]
        return [*each, memories[0].ring, memories[0].active]

    def identity(self) -> Iterable[Any]:
        for engine in self.engines:
            yield from engine.identity()

    def first(self) -> tuple[Array, Array]:
        return self._merged([engine.first() for engine in self.engines])

    def advance(self, start: int, count: int) -> tuple[Array, Array, Ints]:
        pieces = [engine.begin(start, count) for engine in self.engines]
        window = self._window or count
        seen = [np.zeros(engine.problem.n_blocks, np.int64) for engine in self.engines]
        for done in range(0, count, window):
            self._take(pieces, done, min(done + window, count))
            if self._window:
                self._exchange(pieces, start + done, start + min(done + window, count), seen)
        taken = [engine.finish(piece) for engine, piece in zip(self.engines, pieces, strict=True)]
        found = [np.add(rows, (0, part.rows.start, 0)) for part, (_, _, rows) in zip(self.parts, taken, strict=True)]
        spikes = np.concatenate(found)
        order = np.lexsort((spikes[:, 1], spikes[:, 2], spikes[:, 0]))
        return *self._merged([(voltage, conductance) for voltage, conductance, _ in taken]), spikes[order]

    def _take(self, pieces: list[Piece], done: int, last: int) -> None:
        """Steps `done` to `last` of the pieces."""
        from ...kernels.memory import aligned
        from ...kernels.transient import run

        each = -(-SHARES * self.threads // len(pieces)) if self.threads > 1 else 1
        jobs = [
            job
            for engine, piece in zip(self.engines, pieces, strict=True)
            for job in engine.problem.jobs(piece.arrays, piece.start, done, last, each)
        ]
        parallel.drain(run, jobs, self.threads, partial(aligned, self._scratch, self.dtype))

    def _exchange(self, pieces: list[Piece], first: int, last: int, seen: list[Ints]) -> None:
        """Put the spikes of steps `first` to `last` where all groups find them."""
        from ...kernels.spiking import exchange, make_room

        for i, (engine, piece) in enumerate(zip(self.engines, pieces, strict=True)):
            memory, links = piece.arrays[-1], engine.recurrence.links
            if i == 0:
                make_room(links, memory.ring, memory.active, first, last)
            if (memory.n_fired == seen[i]).all():
                continue
            here = (memory.ring, memory.active, memory.fired, memory.n_fired)
            exchange(links, *here, seen[i], engine.problem.lanes)

    def _merged(self, records: list[tuple[Array, Array]]) -> tuple[Array, Array]:
        times = len(records[0][0])
        voltage = np.empty((times, self.n_rows, self.probes.size), self.dtype)
        conductance = np.empty((times, self.n_rows, self.synapses.size), self.dtype)
        for part, (own, opened) in zip(self.parts, records, strict=True):
            voltage[:, :, part.probes] = own
            conductance[:, :, part.traced] = opened
        return voltage, conductance

    def final(self) -> Snapshot:
        setup, one, whole, b = self.setup, self.engines[0], self._partition, self.n_rows
        start = setup.initial
        before = start.activity if isinstance(start, Snapshot) else np.zeros((b, setup.inputs.size))
        made = Snapshot(
            np.zeros((b, setup.compartments.size), self.dtype),
            np.zeros((b, whole.n_drives), self.dtype),
            np.zeros((b, whole.n_drives), self.dtype),
            np.zeros((b, whole.n_states), self.dtype),
            last_activity(setup.given, before, self.n_steps, self.dt),
            one.recurrence.under_way(one.memory.ring, self.n_steps),
        )
        for part, engine in zip(self.parts, self.engines, strict=True):
            own = engine.final()
            made.voltage[:, part.rows] = own.voltage
            made.p[:, part.drives], made.q[:, part.drives] = own.p, own.q
            made.mechanism[:, part.states] = own.mechanism
        return made
