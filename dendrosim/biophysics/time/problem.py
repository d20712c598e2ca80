"""A simulation in the form that kernels take: slots, drives, blocks of stimuli."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...kernels import parallel
from ..direction import Direction
from ..gates import Gate
from ..integration import Integration
from ..magnitude import within
from .kinetics import Kinetics
from .mechanisms import Mechanism, Sites

if TYPE_CHECKING:
    from ...morphology.compartments import Compartments
    from ..synapses import Synapses

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WIDTH = {np.dtype(np.float64): 8, np.dtype(np.float32): 16}
"""Stimuli per block: two vector registers of 256 bits, which hide the time that a multiply-add takes."""


class Problem:
    """Everything that stays the same from step to step.

    Parameters
    ----------
    compartments, synapses, integration, direction, gate
        As in `simulate`.
    courses, course : list of Kinetics, int array of shape (n_synapses,)
    mechanisms : tuple of Mechanism
    places : list of int arrays
        Compartments of every mechanism.
    clamped : int array
        Compartments with injected currents.
    kept : int array
        Compartments that must not be eliminated for another reason.
    dt : float
    middle : bool
        Crank-Nicolson.
    n_rows : int
        B.
    dtype : numpy.dtype
    row : int, default 0
        Number of the first compartment, where these are part of a greater simulation: mechanisms are told the numbers
        there.
    """

    def __init__(
        self,
        compartments: Compartments,
        synapses: Synapses | None,
        courses: list[Kinetics],
        course: Ints,
        mechanisms: tuple[Mechanism, ...],
        places: list[Ints],
        integration: Integration,
        direction: Direction,
        gate: Gate | None,
        clamped: Ints,
        kept: Ints,
        dt: float,
        middle: bool,
        n_rows: int,
        dtype: np.dtype[Any],
        row: int = 0,
    ) -> None:
        self.row = row
        self.dt, self.dtype, self.n_rows, self.middle = dt, dtype, n_rows, middle
        self.width = 1 if n_rows <= 2 else WIDTH[dtype]
        self.lanes = (0.0,) * self.width
        self.n_blocks = -(-n_rows // self.width)
        self.size = compartments.size
        within("leak and coupling of the compartments", *compartments.conductance_range, dtype)
        within("leak_reversal", 1.0, abs(compartments.leak_reversal), dtype)
        if synapses is not None:
            within("conductance, reversal or driving_force of the synapses", 1.0, synapses.largest, dtype)
        base, self.offset = direction.base(compartments, integration)
        inertia = compartments.capacitance * ((2.0 if middle else 1.0) / dt)
        within("capacitance over the step", 1.0, float(inertia.max(initial=1.0)), dtype)
        at = np.empty(0, np.int64) if synapses is None else synapses.compartment
        active = np.zeros(self.size, bool)
        for rows in (at, clamped, kept, *places):
            active[rows] = True
        self._options = integration, direction, gate, inertia, active
        self.tree, self.slot, self.n_slots = self._tree(compartments, base)
        self.clamp_row = self.slot[clamped]
        self._synapses(compartments, synapses, courses, course, integration, direction.gated)
        self._mechanisms(compartments, mechanisms, places, inertia)

    def change(self, compartments: Compartments, synapses: Synapses) -> None:
        """Other conductances of the same synapses and couplings, from the next step on."""
        integration, direction = self._options[:2]
        force = integration.force(synapses, compartments, directed=direction.gated)
        self.wiring.conductance[...] = synapses.conductance[self.order]
        self.wiring.current[...] = (synapses.conductance * force)[self.order]
        if compartments is not self.compartments:
            self.tree = self._tree(compartments, direction.base(compartments, integration)[0])[0]

    def _tree(self, compartments: Compartments, base: Floats) -> tuple[Any, Ints, int]:
        _, direction, gate, inertia, active = self._options
        self.compartments = compartments
        if direction.gated:
            return self._directed(compartments, base, inertia, gate)
        return self._cable(compartments, base, inertia, active)

    def _cast(self, values: Any) -> Array:
        """In the type that is computed in, aligned."""
        from ...kernels.memory import aligned

        out = aligned(np.shape(values), self.dtype)
        out[...] = values
        return out

    def _cable(self, compartments: Compartments, base: Floats, inertia: Floats, active: Any) -> tuple[Any, Ints, int]:
        from ...kernels.condense import condense
        from ...kernels.transient_solve import PACK, PackedTree, Tree

        packed = self.width == 1
        made = condense(compartments.parent, base + inertia, compartments.coupling, active, PACK if packed else 1)
        by_slot = np.zeros(made.n_slots)
        by_slot[made.slot] = inertia
        coefficients = (made.ground, made.coupling, by_slot, made.up, made.across, made.inverse)
        values = [
            made.n_dense,
            made.parent,
            *(self._cast(values) for values in coefficients),
            made.span,
            made.top,
            made.below,
            made.entry,
            made.n_leaf,
            made.entry[made.entry != made.n_dense],
        ]
        tree = PackedTree._make(values) if packed else Tree._make(values)
        return tree, made.slot, made.n_slots

    def _directed(
        self, compartments: Compartments, base: Floats, inertia: Floats, gate: Gate | None
    ) -> tuple[Any, Ints, int]:
        from ...kernels.transient_solve import DirectedTree

        n = self.size
        none = np.empty(0, self.dtype)
        slope, midpoint = (none, none) if gate is None else gate.arrays(n, self.dtype)
        tree = DirectedTree(
            n,
            np.where(compartments.parent < 0, n, compartments.parent),
            self._cast(base + inertia),
            self._cast(compartments.coupling),
            self._cast(np.append(inertia, 0.0)),
            slope,
            midpoint,
            float(self.offset),
            np.empty(0, np.int64),
        )
        return tree, np.arange(n), n + 1

    def _synapses(
        self,
        compartments: Compartments,
        synapses: Synapses | None,
        courses: list[Kinetics],
        course: Ints,
        integration: Integration,
        directed: bool,
    ) -> None:
        from ...kernels.transient import Wiring

        self.courses = courses
        none = np.empty(0, self.dtype)
        if synapses is None:
            empty = np.empty(0, np.int64)
            self.drive_source, self.drive_course, self.order = empty, empty, empty
            self.n_double, self.n_inputs = 0, 0
            self.force = np.empty(0)
            self.wiring = Wiring(empty, empty, none, none, float(integration.shunt), none, none, none)
            return
        blocked = np.array([kind.blocked is not None for kind in courses], bool)[course]
        if blocked.any() and integration.shunt == 0.0:
            raise ParameterError(
                "NMDA synapses need integration='shunting': additive ones do not see the voltage that unblocks them"
            )
        pairs, drive = drive_table(courses, course, synapses.source)
        self.n_double = int((pairs[:, 0] == 0).sum())
        self.drive_course, self.drive_source = pairs[:, 1].copy(), pairs[:, 2].copy()
        self.n_inputs = synapses.n_inputs
        self.order = order = np.argsort(blocked, kind="stable")
        self.force = force = integration.force(synapses, compartments, directed=directed)
        late = order[synapses.size - int(blocked.sum()) :]
        marks = [courses[k].blocked or (0.0, 0.0) for k in course[late]]
        scale = np.array([s * np.exp(-k * self.offset) for s, k in marks])
        self.wiring = Wiring(
            self.slot[synapses.compartment[order]],
            drive[order],
            self._cast(synapses.conductance[order]),
            self._cast((synapses.conductance * force)[order]),
            float(integration.shunt),
            self._cast(force[late]),
            self._cast(scale),
            self._cast([k for _, k in marks]),
        )

    @property
    def n_drives(self) -> int:
        """Number of drives."""
        return int(self.drive_source.size)

    def drives(self, factor: Floats) -> Any:
        """Coefficients of the drives; `factor` (n_drives,) is activity per unit of the levels."""
        from ...kernels.transient import Drives

        courses = self.drive_course
        decays = np.array([kind.decay(self.dt) for kind in self.courses]).reshape(-1, 3)[courses]
        added = np.array([kind.continuous(self.dt)[0] for kind in self.courses]).reshape(-1, 2)[courses]
        columns = [*(self._cast(decays[:, i]) for i in range(3)), *(self._cast(added[:, i] * factor) for i in range(2))]
        return Drives._make([self.n_double, *columns, self.drive_source])

    def _mechanisms(
        self, compartments: Compartments, mechanisms: tuple[Mechanism, ...], places: list[Ints], inertia: Floats
    ) -> None:
        self.active = list(zip(mechanisms, places, strict=True))
        arrays, site = [], 0
        for mechanism, rows in zip(mechanisms, places, strict=True):
            sites = Sites(
                self.row + rows, self.slot[rows], site, compartments.area[rows], compartments.capacitance[rows],
                inertia[rows], self.offset, self.dt, self.dtype,
            )  # fmt: skip
            arrays.append(mechanism.arrays(sites))
            site += rows.size
        self.mechanisms = tuple(arrays)
        self.n_sites = site
        self.site_compartment = np.concatenate([np.empty(0, np.int64), *places]).astype(np.int64)
        fires = [np.full(rows.size, mechanism.fires) for mechanism, rows in zip(mechanisms, places, strict=True)]
        self.site_fires = np.concatenate([np.empty(0, bool), *fires])
        self.n_states = sum(m.n_states * rows.size for m, rows in zip(mechanisms, places, strict=True))
        self.fires = any(mechanism.fires for mechanism in mechanisms)

    def blocks(self, values: Array) -> Array:
        """Batch-first (B, columns) as blocks (n_blocks, columns, width), zero where there is no stimulus."""
        from ...kernels.memory import aligned

        padded = np.zeros((self.n_blocks * self.width, values.shape[1]), self.dtype)
        padded[: self.n_rows] = values
        out = aligned((self.n_blocks, values.shape[1], self.width), self.dtype)
        out[:] = padded.reshape(self.n_blocks, self.width, values.shape[1]).transpose(0, 2, 1)
        return out

    def batch(self, blocks: Array) -> Array:
        """The reverse of `blocks`."""
        columns = blocks.size // max(1, self.n_blocks * self.width)
        rows = blocks.reshape(self.n_blocks, columns, self.width).transpose(0, 2, 1)
        return rows.reshape(self.n_blocks * self.width, columns)[: self.n_rows].copy()

    def voltage_blocks(self, relative: Array) -> Array:
        """Relative voltages (B, N) by slot, flat."""
        out = np.zeros((self.n_rows, self.n_slots), self.dtype)
        out[:, self.slot] = relative
        return self.blocks(out).reshape(-1)

    def voltages(self, blocks: Array) -> Array:
        """The reverse of `voltage_blocks`."""
        by_slot: Array = self.batch(blocks)[:, self.slot]
        return by_slot

    def mechanism_states(self, voltage: Floats, steady: bool) -> Floats:
        """States of all mechanisms for voltages (B, N) in mV, shape (B, n_states); `steady`: those that stay."""
        parts = [np.empty((len(voltage), 0))]
        for kind, rows in self.active:
            there = voltage[:, rows]
            states = kind.steady(there, self.offset) if steady else kind.initial(there)
            parts.append(np.moveaxis(np.asarray(states, np.float64), 1, 0).reshape(len(voltage), -1))
        return np.concatenate(parts, axis=1)

    def mechanism_credits(self, voltage: Floats, credits: Array) -> Floats:
        """Gradient by voltages (B, N), mV, from `credits` (B, n_states), that by states as of `mechanism_states`."""
        out = np.zeros(voltage.shape)
        at = 0
        for m, rows in self.active:
            count = m.n_states * rows.size
            own = credits[:, at : at + count].reshape(len(voltage), m.n_states, rows.size)
            out[:, rows] += (np.moveaxis(m.initial_slope(voltage[:, rows]), 0, 1) * own).sum(axis=1)
            at += count
        return out

    def jobs(self, arrays: tuple[Any, ...], start: int, done: int, n_steps: int, parts: int) -> list[tuple[Any, ...]]:
        """Arguments of the kernel but for its scratch memory, for at most so many ranges of blocks.

        Parameters
        ----------
        arrays : tuple
            Drives, inputs, probes, tape and memory, for a piece that begins at `start`.
        start, done, n_steps : int
            Of the piece's steps, those from `done` to `n_steps` are to be taken.
        """
        drives, inputs, probes, tape, memory = arrays
        head = (self.tree, drives, self.wiring, inputs, probes, tape, self.mechanisms, memory, float(self.offset))
        ranges = parallel.ranges(self.n_blocks, parts)
        return [(*head, self.middle, start, done, n_steps, *part, self.lanes) for part in ranges]

    @property
    def scratch(self) -> int:
        """Numbers that the kernel needs room for."""
        return 3 * self.n_slots * self.width

    def run(self, arrays: tuple[Any, ...], start: int, n_steps: int, threads: int) -> None:
        """Steps ``start`` to ``start + n_steps``; `arrays` are drives, inputs, probes, tape and memory."""
        from ...kernels.memory import aligned
        from ...kernels.transient import run

        jobs = self.jobs(arrays, start, 0, n_steps, threads)
        parallel.run(run, jobs, threads, partial(aligned, self.scratch, self.dtype))


def drive_table(courses: list[Kinetics], course: Ints, source: Ints) -> tuple[Ints, Ints]:
    """Drives (n_drives, 3), as whether p is unused, time course and input, in that order; drive of every synapse."""
    single = np.array([not kind.double for kind in courses], bool)[course]
    pairs, drive = np.unique(np.stack([single, course, source], 1), axis=0, return_inverse=True)
    return pairs, drive.reshape(-1)
