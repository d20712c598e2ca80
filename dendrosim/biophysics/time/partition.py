"""A forest in groups of whole cells, each a simulation of its own, and where its columns are in that of all cells."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...morphology.compartments import Compartments
from ..gates import Gate
from .arguments import snapshot_given
from .inputs import Clamp, Spikes, Waveform
from .problem import drive_table
from .setup import Setup
from .start import voltages_given
from .trace import Snapshot

Ints = NDArray[np.int64]

LEAST, MOST = 4000, 32
"""Compartments of a group, about: fewer make for chains of unlike lengths side by side, and a third more work has been
measured at 1000. Groups that there are at most."""
BETWEEN = 120_000
"""Compartment-steps that a group must have between two exchanges of spikes, a third of a millisecond of work."""


def groups(sizes: Ints, n_rows: int, window: int | None) -> list[tuple[int, int]]:
    """First and last cell (exclusive) of groups of about the same size; they depend on nothing but the arguments.

    Parameters
    ----------
    sizes : int array of shape (n_cells,)
        Compartments of every cell.
    n_rows : int
        Stimuli.
    window : int or None
        Steps between two exchanges of spikes; None where there are none.
    """
    total = int(sizes.sum())
    least = max(LEAST, 0 if window is None else -(-BETWEEN // (window * n_rows)))
    number = total // least
    number = max(1, min(number + (number % 2 if number > 1 else 0), sizes.size, MOST))  # processors are even in number
    ends = np.cumsum(sizes)
    cuts = [int(np.argmin(np.abs(ends - total * i / number))) + 1 for i in range(1, number)]
    return list(pairwise(sorted({0, *cuts, sizes.size})))


@dataclass(frozen=True)
class Part:
    """A group of cells.

    Attributes
    ----------
    setup : Setup
        Of these cells alone.
    rows : slice
        Its compartments.
    drives, states, probes, traced : int arrays
        Columns that are its drives, states of mechanisms, recorded compartments and synapses.
    """

    setup: Setup
    rows: slice
    drives: Ints
    states: Ints
    probes: Ints
    traced: Ints


class Partition:
    """Cuts a simulation into parts.

    Parameters
    ----------
    whole : Setup

    Attributes
    ----------
    n_drives, n_states : int
        Of the whole.

    Raises
    ------
    ParameterError
        If `initial` does not fit.
    """

    def __init__(self, whole: Setup) -> None:
        self.whole = whole
        cells, synapses = whole.compartments, whole.synapses
        self._source = np.empty(0, np.int64) if synapses is None else synapses.source
        self._drives = drive_table(whole.courses, whole.course, self._source)[0]
        self.n_drives = len(self._drives)
        counts = [m.n_states * rows.size for m, rows in zip(whole.mechanisms, whole.places, strict=True)]
        self.n_states = sum(counts)
        self._first_state = np.cumsum([0, *counts])
        self._bounds = np.append(cells.roots, cells.size)
        self._initial = whole.initial
        b, n, d = whole.n_rows, cells.size, self.n_drives
        if isinstance(whole.initial, Snapshot):
            shapes = {"voltage": (b, n), "p": (b, d), "q": (b, d), "mechanism": (b, self.n_states)}
            snapshot_given(whole.initial, {**shapes, "activity": (b, whole.inputs.size)})
        elif not isinstance(whole.initial, str):
            self._initial = voltages_given(whole.initial, b, n)
        if whole.gate is not None:
            whole.gate.arrays(n, whole.dtype)

    def part(self, first: int, last: int) -> Part:
        """Cells `first` to `last` (exclusive)."""
        whole, cells = self.whole, self.whole.compartments
        low, high = int(self._bounds[first]), int(self._bounds[last])
        rows = slice(low, high)
        parent = cells.parent[rows]
        trees = Compartments(
            np.where(parent < 0, -1, parent - low),
            leak_reversal=cells.leak_reversal,
            physical=cells.physical,
            **{name: getattr(cells, name)[rows] for name in ("leak", "coupling", "capacitance", "region", "area")},
        )
        synapses, inputs, here = None, np.empty(0, np.int64), np.empty(0, np.int64)
        if whole.synapses is not None:
            place = whole.synapses.compartment
            here = np.flatnonzero((place >= low) & (place < high))
        if whole.synapses is not None and here.size:
            inputs, source = np.unique(self._source[here], return_inverse=True)
            synapses = whole.synapses[here].moved(trees, place[here] - low, source.reshape(-1), inputs.size)
        pairs = drive_table(whole.courses, whole.course[here], self._source[here])[0]
        which = [np.flatnonzero((p >= low) & (p < high)) for p in whole.places]
        states = [
            self._first_state[i] + k * whole.places[i].size + sites
            for i, sites in enumerate(which)
            for k in range(whole.mechanisms[i].n_states)
        ]
        probes = np.flatnonzero((whole.probes >= low) & (whole.probes < high))
        traced = np.flatnonzero(np.isin(whole.traced, here))
        drives = _rows(pairs, self._drives)
        state_columns = np.concatenate([np.empty(0, np.int64), *states]).astype(np.int64)
        setup = replace(
            whole,
            compartments=trees,
            synapses=synapses,
            given=None if synapses is None else _given(whole.given, inputs),
            course=whole.course[here],
            places=[p[sites] - low for p, sites in zip(whole.places, which, strict=True)],
            gate=None if whole.gate is None else _gate(whole.gate, rows),
            constant=whole.constant[:, rows],
            clamps=tuple(_moved(clamp, low) for clamp in whole.clamps if low <= clamp.compartment < high),
            initial=self._begin(rows, drives, state_columns, inputs),
            probes=whole.probes[probes] - low,
            traced=np.searchsorted(here, whole.traced[traced]),
            cells=np.arange(first, last),
            inputs=inputs,
            row=low,
            own=False,
        )
        return Part(setup, rows, drives, state_columns, probes, traced)

    def _begin(self, rows: slice, drives: Ints, states: Ints, inputs: Ints) -> Any:
        start = self._initial
        if isinstance(start, str):
            return start
        if not isinstance(start, Snapshot):
            return start[:, rows]
        return Snapshot(
            start.voltage[:, rows],
            start.p[:, drives],
            start.q[:, drives],
            start.mechanism[:, states],
            start.activity[:, inputs],
            start.spikes,
        )


def _rows(some: Ints, table: Ints) -> Ints:
    """Where rows are in a table that has them all, sorted and each once."""
    return np.unique(np.concatenate([table, some]), axis=0, return_inverse=True)[1].reshape(-1)[len(table) :]


def _given(given: Spikes | Waveform | None, inputs: Ints) -> Spikes | Waveform | None:
    if given is None:
        return None
    if isinstance(given, Waveform):
        made = copy.copy(given)
        object.__setattr__(made, "values", given.values[:, :, inputs])
        return made
    number = np.full(max(given.n_inputs, int(inputs.max(initial=-1)) + 1), -1)
    number[inputs] = np.arange(inputs.size)
    source = number[given.source]
    ours = source >= 0
    columns = (given.time[ours], source[ours], given.stimulus[ours], given.weight[ours])
    return Spikes(*columns, n_inputs=inputs.size, n_stimuli=given.n_stimuli)


def _gate(gate: Gate, rows: slice) -> Gate:
    def part(values: Any) -> Any:
        return values if np.ndim(values) == 0 else np.asarray(values)[rows]

    return Gate(part(gate.slope), part(gate.midpoint))


def _moved(clamp: Clamp, by: int) -> Clamp:
    made = copy.copy(clamp)
    object.__setattr__(made, "compartment", clamp.compartment - by)
    return made
