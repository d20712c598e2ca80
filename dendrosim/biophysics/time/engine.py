"""Steps in pieces: inputs are laid out and records collected piece by piece."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from .connections import Recurrence
from .events import Events, Rows, of_levels, of_spikes, steps_of, unit_of
from .inputs import Clamp, Spikes, Waveform
from .problem import Problem
from .recorder import Recorder, fill, piece_for
from .trace import Snapshot

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALL_TAPE = 2**22
"""Bytes of a tape that is not worth being made smaller."""
STATES = 6
"""The first so many arrays of `Memory` are what a simulation goes on from."""


class Piece(NamedTuple):
    """Steps that are being taken.

    Attributes
    ----------
    start, n_steps, records : int
        First step, steps, records in them.
    arrays : tuple
        Drives, inputs, probes, tape and memory, as kernels take them.
    """

    start: int
    n_steps: int
    records: int
    arrays: tuple[Any, ...]


class Engine(Recorder):
    """One simulation as a whole; parameters as in `simulate`, checked, and ``start``, the state it begins with."""

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
        self.recurrence, self.dt, self.dtype, self.n_rows = recurrence, problem.dt, problem.dtype, problem.n_rows
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
        self.piece = piece_for(problem.size * problem.n_rows, self.n_firing * problem.width * problem.n_blocks)
        inverse = np.empty(problem.order.size, np.int64)
        inverse[problem.order] = np.arange(problem.order.size)
        self.probe_rows = problem.slot[probes]
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
    def n_firing(self) -> int:
        return self.problem.n_sites if self.problem.fires else 0

    def states(self) -> list[Array]:
        return list(self.memory[:STATES])

    def identity(self) -> Iterable[Any]:
        start, events = self.start, self.events
        yield from (self.problem.wiring.current, events.step, events.slot, events.p, events.q)
        yield from (start.voltage, start.p, start.q, start.mechanism)

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

    def begin(self, start: int, count: int) -> Piece:
        """Lay out inputs and memory for steps ``start`` to ``start + count``."""
        from ...kernels.transient import Probes

        problem = self.problem
        w, nb = problem.width, problem.n_blocks
        records = (start + count) // self.every - start // self.every
        voltages = np.empty(nb * records * self.probes.size * w, problem.dtype)
        fractions = np.empty(nb * records * self.synapses.size * w, problem.dtype)
        probes = Probes(self.probe_rows, self._probe_synapses, self.every, records, voltages, fractions)
        arrays = (self.drives, self._inputs(start, count), probes, self.tape(0), self._with_room(self.memory, count))
        return Piece(start, count, records, arrays)

    def _with_room(self, memory: Any, count: int) -> Any:
        """Memory with room for the spikes of so many steps."""
        width = self.problem.width * self.problem.n_blocks
        return memory._replace(fired=np.empty(2 * count * self.n_firing * width, np.int64))

    def tape(self, count: int) -> Any:
        """Room for what `count` steps are taken with; steps may be fewer."""
        from ...kernels.transient import Tape

        problem, states = self.problem, self.memory
        blocked = problem.wiring.reversal.size
        rows = [problem.wiring.row[problem.wiring.row.size - blocked :], *(m.row for m in problem.mechanisms)]
        row = np.unique(np.concatenate(rows)) if count else np.empty(0, np.int64)
        sizes = (row.size * problem.n_blocks * problem.width, states.voltage.size, states.q.size, states.mechanism.size)
        return Tape(row, *(np.empty(count * size, problem.dtype) for size in sizes))

    @property
    def between_checkpoints(self) -> int:
        """Steps between states that are kept: the root of their number, or more where a tape of them is small."""
        return max(1, math.isqrt(self.n_steps), SMALL_TAPE // max(1, self.checkpoint_size))

    def replay(self, data: bytes, start: int, count: int, tape: Any) -> Any:
        """Steps once more from a checkpoint, what they are taken with to the tape; returns what arrived meanwhile."""
        from ...kernels.transient import Probes

        none, nothing = np.empty(0, np.int64), np.empty(0, self.dtype)
        inputs, memory = self._inputs(start, count), self._with_room(self._memory(), count)
        fill(memory[:STATES], data)
        probes = Probes(none, none, self.every, 0, nothing, nothing)
        self.problem.run((self.drives, inputs, probes, tape, memory), start, count, self.threads)
        return inputs

    def advance(self, start: int, count: int) -> tuple[Array, Array, Ints]:
        piece = self.begin(start, count)
        self.problem.run(piece.arrays, start, count, self.threads)
        return self.finish(piece)

    def finish(self, piece: Piece) -> tuple[Array, Array, Ints]:
        """What was recorded; see `advance`."""
        problem, (start, count, records, (_, _, probes, _, memory)) = self.problem, piece
        if not np.isfinite(memory.voltage).all():
            raise ParameterError(
                f"voltages ceased to be numbers from {start * problem.dt:g} to {(start + count) * problem.dt:g} ms; "
                "take a smaller dt, and check conductances and currents"
            )
        w, capacity = problem.width, count * self.n_firing * problem.width
        spikes = []
        for block in range(problem.n_blocks):
            found = memory.fired[2 * capacity * block :][: 2 * memory.n_fired[block]].reshape(-1, 2)
            stimulus = block * w + found[:, 1] % w
            rows = np.stack([found[:, 0], problem.site_compartment[found[:, 1] // w], stimulus], 1)
            spikes.append(rows[stimulus < problem.n_rows])
        all_spikes = np.concatenate(spikes) if spikes else np.empty((0, 3), np.int64)
        order = np.lexsort((all_spikes[:, 1], all_spikes[:, 2], all_spikes[:, 0]))
        return (
            self._rows(probes.voltages, records, self.probes.size, problem.offset),
            self._conductances(probes.fractions, records),
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

    def first(self) -> tuple[Array, Array]:
        problem, start = self.problem, self.start
        voltage = start.voltage[None, :, self.probes] + problem.dtype.type(problem.offset)
        drive = problem.wiring.drive[self._probe_synapses]
        return voltage, start.q[None][:, :, drive] * problem.wiring.conductance[self._probe_synapses]

    def voltage(self) -> Array:
        """Of every compartment now, (B, N), mV."""
        now: Array = self.problem.voltages(self.memory.voltage) + self.problem.dtype.type(self.problem.offset)
        return now

    def final(self) -> Snapshot:
        problem, memory = self.problem, self.memory
        p, q = memory.p.copy(), memory.q.copy()
        _, slot, more_p, more_q, begin = self.events.between(self.n_steps, self.n_steps + 1)
        if self.n_steps > 0:
            block = np.repeat(np.arange(problem.n_blocks), np.diff(begin)) * (problem.n_drives * problem.width)
            np.add.at(p, block + slot, more_p.astype(problem.dtype))
            np.add.at(q, block + slot, more_q.astype(problem.dtype))
        return Snapshot(
            problem.voltages(memory.voltage),
            problem.batch(p),
            problem.batch(q),
            problem.batch(memory.mechanism),
            last_activity(self.given, self.start.activity, self.n_steps, self.dt),
            self.recurrence.under_way(memory.ring, self.n_steps),
        )


def last_activity(given: Spikes | Waveform | None, before: Floats, n_steps: int, dt: float) -> Floats:
    """Continuous activity at the end, (B, P); `before` is that of the beginning."""
    if not isinstance(given, Waveform):
        return np.array(before)
    return np.array(given.values[min(n_steps // steps_of(given.interval, dt), len(given.values) - 1)])
