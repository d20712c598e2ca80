"""Steps in pieces: inputs are laid out and records collected piece by piece, in memory or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from .connections import Recurrence
from .events import Events, Rows, of_levels, of_spikes, steps_of, unit_of
from .inputs import Clamp, Spikes, Waveform
from .problem import Problem
from .store import Store, load
from .trace import Snapshot, Trace

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PIECE = 30_000_000
"""Compartment-steps between two looks at the outside (an interrupt, a finished block): some tens of milliseconds."""
STATES = 6
"""The first so many arrays of `Memory` are what a simulation goes on from."""
SPIKES = 2_000_000
"""Spikes that there is room for in between."""


class Engine:
    """One simulation; parameters as in `simulate`, checked, and ``start``, the state it begins with."""

    def __init__(
        self,
        problem: Problem,
        method: str,
        given: Spikes | Waveform | None,
        constant: Floats,
        clamps: Sequence[Clamp],
        injected: Ints,
        start: Snapshot,
        arrival: str,
        n_steps: int,
        every: int,
        probes: Ints,
        synapses: Ints,
        threads: int,
        recurrence: Recurrence,
    ) -> None:
        self.recurrence = recurrence
        self.problem, self.method, self.given, self.start = problem, method, given, start
        self.fractions = False  # whether open fractions are recorded in place of conductances
        self.constant, self.clamps, self.injected = constant, clamps, injected
        self.n_steps, self.every, self.probes, self.synapses, self.threads = n_steps, every, probes, synapses, threads
        rows: Rows = []
        factor = np.zeros(problem.n_drives)
        head = (problem.drive_source, problem.drive_course, problem.courses, problem.dt)
        if isinstance(given, Spikes):
            rows = of_spikes(given, *head, arrival, n_steps)
        elif given is not None:
            steps_of(given.interval, problem.dt)
            rows = of_levels(given, start.activity, *head, n_steps)
            factor = np.array([unit_of(given, problem.courses[c]) for c in problem.drive_course])
        columns = [np.concatenate([row[i] for row in rows]) if rows else np.empty(0) for i in range(5)]
        step, stimulus, drive = (column.astype(np.int64) for column in columns[:3])
        self.events = Events(step, stimulus, drive, columns[3], columns[4], problem.width, problem.n_blocks)
        self.drives = problem.drives(factor)
        self.memory = self._memory()
        sites = problem.n_sites * problem.width * problem.n_blocks if problem.fires else 1
        self.piece = max(32, min(8192, PIECE // max(1, problem.size * problem.n_rows), SPIKES // max(1, sites)))
        inverse = np.empty(problem.order.size, np.int64)
        inverse[problem.order] = np.arange(problem.order.size)
        self._probe_rows = problem.slot[probes]
        self._probe_synapses = inverse[synapses]

    def _memory(self) -> Any:
        from ...kernels.transient import Memory

        problem, start = self.problem, self.start
        return Memory(
            problem.voltage_blocks(start.voltage),
            problem.blocks(start.p).reshape(-1),
            problem.blocks(start.q).reshape(-1),
            problem.blocks(start.mechanism).reshape(-1),
            *self.recurrence.ring(start.spikes),
            np.empty(0, np.int64),
            np.zeros(problem.n_blocks, np.int64),
        )

    @property
    def checkpoint_size(self) -> int:
        """Bytes of a checkpoint."""
        return sum(array.nbytes for array in self.memory[:STATES])

    @property
    def most_spikes(self) -> int:
        """Spikes that a file has room for: one per ms, site and stimulus, and a thousand for bursts."""
        problem = self.problem
        return (int(self.n_steps * problem.dt) + 1000) * problem.n_sites * problem.n_rows if problem.fires else 0

    def checkpoint(self) -> bytes:
        """The state now, for `restore`."""
        return b"".join(array.tobytes() for array in self.memory[:STATES])

    def restore(self, data: bytes) -> None:
        """Go back to what `checkpoint` returned."""
        at = 0
        for array in self.memory[:STATES]:
            array[:] = np.frombuffer(data, array.dtype, array.size, at)
            at += array.nbytes

    def _inputs(self, start: int, count: int) -> Any:
        """What arrives in steps ``start`` to ``start + count``."""
        from ...kernels.transient import Inputs

        problem = self.problem
        step, slot, p, q, begin = self.events.between(start, start + count)
        level, level_step = np.empty(0, problem.dtype), np.array([0, count + 2])
        if isinstance(self.given, Waveform):
            length = steps_of(self.given.interval, problem.dt)
            first = min(start // length, len(self.given.values) - 1)
            last = min((start + count) // length, len(self.given.values) - 1)
            chosen = self.given.values[first : last + 1]
            level = np.stack([problem.blocks(values) for values in chosen], axis=1).reshape(-1)
            level_step = np.array([(first + k) * length - start for k in range(len(chosen))] + [count + 2])
        now = np.broadcast_to(self.constant, (1, *self.constant.shape))
        if self.clamps:
            middle = (np.arange(start, start + count, dtype=np.float64) + 0.5) * problem.dt
            for clamp in self.clamps:
                values = clamp.values(middle, problem.n_rows)
                if len(values) > len(now):
                    now = np.repeat(now, len(values), axis=0)
                column = np.searchsorted(self.injected, clamp.compartment)
                now = np.array(now)
                now[:, :, column] += values
        blocks = np.stack([problem.blocks(row) for row in now], axis=1)
        return Inputs(
            problem.n_inputs,
            np.ascontiguousarray(level, problem.dtype),
            level_step.astype(np.int64),
            step,
            slot,
            p.astype(problem.dtype),
            q.astype(problem.dtype),
            begin,
            problem.clamp_row,
            np.ascontiguousarray(blocks.reshape(-1), problem.dtype),
            len(now),
            self.recurrence.links,
        )

    def advance(self, start: int, count: int) -> tuple[Array, Array, Ints]:
        """Take steps; voltages and conductances (T, B, n) recorded in them, spikes (n, 3) as step, site, stimulus.

        Raises
        ------
        ParameterError
            If a voltage is no number any more.
        """
        from ...kernels.transient import Probes

        problem = self.problem
        w, nb = problem.width, problem.n_blocks
        records = (start + count) // self.every - start // self.every
        voltages = np.empty(nb * records * self.probes.size * w, problem.dtype)
        fractions = np.empty(nb * records * self.synapses.size * w, problem.dtype)
        probes = Probes(self._probe_rows, self._probe_synapses, self.every, records, voltages, fractions)
        capacity = count * problem.n_sites * w if problem.fires else 0
        memory = self.memory._replace(fired=np.empty(2 * capacity * nb, np.int64))
        problem.run((self.drives, self._inputs(start, count), probes, memory), start, count, self.threads)
        if not np.isfinite(memory.voltage).all():
            raise ParameterError(
                f"voltages ceased to be numbers from {start * problem.dt:g} to {(start + count) * problem.dt:g} ms; "
                "take a smaller dt, and check conductances and currents"
            )
        spikes = []
        for block in range(nb):
            found = memory.fired[2 * capacity * block :][: 2 * memory.n_fired[block]].reshape(-1, 2)
            stimulus = block * w + found[:, 1] % w
            rows = np.stack([found[:, 0], problem.site_compartment[found[:, 1] // w], stimulus], 1)
            spikes.append(rows[stimulus < problem.n_rows])
        all_spikes = np.concatenate(spikes) if spikes else np.empty((0, 3), np.int64)
        order = np.lexsort((all_spikes[:, 1], all_spikes[:, 2], all_spikes[:, 0]))
        return (
            self._rows(voltages, records, self.probes.size, problem.offset),
            self._conductances(fractions, records),
            all_spikes[order],
        )

    def _rows(self, values: Array, records: int, columns: int, shift: float) -> Array:
        """Recorded blocks as (T, B, n)."""
        problem = self.problem
        blocks = values.reshape(problem.n_blocks, records, columns, problem.width)
        rows = blocks.transpose(1, 0, 3, 2).reshape(records, problem.n_blocks * problem.width, columns)
        shifted: Array = rows[:, : problem.n_rows] + problem.dtype.type(shift)
        return shifted

    def _conductances(self, fractions: Array, records: int) -> Array:
        values = self._rows(fractions, records, self.synapses.size, 0.0)
        if not self.fractions:
            values = values * self.problem.wiring.conductance[self._probe_synapses]
        return values

    def _first(self) -> tuple[Array, Array]:
        """The record of time 0, (1, B, n): voltages as they begin, conductances before any event."""
        problem, start = self.problem, self.start
        voltage = start.voltage[None, :, self.probes] + problem.dtype.type(problem.offset)
        drive = problem.wiring.drive[self._probe_synapses]
        return voltage, start.q[None][:, :, drive] * problem.wiring.conductance[self._probe_synapses]

    def voltage(self) -> Array:
        """Of every compartment now, (B, N), mV."""
        now: Array = self.problem.voltages(self.memory.voltage) + self.problem.dtype.type(self.problem.offset)
        return now

    def final(self) -> Snapshot:
        """The state at the end, what arrives from outside at that very moment included."""
        problem, memory = self.problem, self.memory
        p, q = memory.p.copy(), memory.q.copy()
        _, slot, more_p, more_q, begin = self.events.between(self.n_steps, self.n_steps + 1)
        if self.n_steps > 0:
            block = np.repeat(np.arange(problem.n_blocks), np.diff(begin)) * (problem.n_drives * problem.width)
            np.add.at(p, block + slot, more_p.astype(problem.dtype))
            np.add.at(q, block + slot, more_q.astype(problem.dtype))
        activity = self.start.activity
        if isinstance(self.given, Waveform):
            length = steps_of(self.given.interval, problem.dt)
            activity = self.given.values[min(self.n_steps // length, len(self.given.values) - 1)]
        return Snapshot(
            problem.voltages(memory.voltage),
            problem.batch(p),
            problem.batch(q),
            problem.batch(memory.mechanism),
            np.array(activity),
            self.recurrence.under_way(memory.ring, self.n_steps),
        )

    def to_memory(self) -> Trace:
        """Run to the end; everything is recorded in memory."""
        parts = [(*self._first(), np.empty((0, 3), np.int64))]
        for start in range(0, self.n_steps, self.piece):
            parts.append(self.advance(start, min(self.piece, self.n_steps - start)))
        voltage, conductance, spikes = (np.concatenate(column) for column in zip(*parts, strict=True))
        dt = self.problem.dt
        return Trace(
            time=np.arange(0, self.every * len(voltage), self.every) * np.float64(dt),
            voltage=np.ascontiguousarray(voltage.swapaxes(0, 1)),
            compartment=self.probes,
            conductance=np.ascontiguousarray(conductance.swapaxes(0, 1)),
            synapse=self.synapses,
            spike_time=(spikes[:, 0] + 1) * dt,
            spike_compartment=spikes[:, 1],
            spike_stimulus=spikes[:, 2],
            dt=dt,
            method=self.method,
            n_steps=self.n_steps,
            final=self.final(),
        )

    def to_file(self, store: Store, per_block: int) -> Trace:
        """Run to the end from where the file ends; every block is written as it is done."""
        found = store.restore()
        if found is None:
            store.write(0, *self._first(), np.empty((0, 3), np.int64), 0, self.checkpoint())
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
