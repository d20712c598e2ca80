"""Spikes of cells that open synapses, of other cells or their own, after a delay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import instance, numbers
from ...errors import ParameterError
from .mechanisms import Mechanism
from .steps import off_grid

if TYPE_CHECKING:
    from ...morphology.compartments import Compartments
    from ..synapses import Synapses
    from .problem import Problem

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Connections:
    """Which cells drive which inputs; immutable.

    A spike that a soma fires at the time t, the end of a step, arrives at the input at ``t + delay`` and opens its
    synapses as an external spike of that time and weight does.

    Parameters
    ----------
    cell : int or int array of shape (n,)
        Number of the cell among those of the compartments; its soma must have a mechanism that fires.
    input : int or int array of shape (n,)
        Input of the synapses. It may receive spikes of several cells, and others from outside.
    delay : float or float array of shape (n,), default 1.0
        ms; a whole number of steps, one or more.
    weight : float or float array of shape (n,), default 1.0
        What a spike opens, in units of the synapse's conductance; not negative.

    Raises
    ------
    ParameterError
        Names the first impossible value.

    Examples
    --------
    >>> import dendrosim as ds
    >>> ds.Connections([0, 1], [3, 2], delay=1.5)
    <Connections: 2 of 2 cells to 2 inputs, delays 1.5 to 1.5 ms>
    """

    cell: Ints
    input: Ints
    delay: Floats
    weight: Floats

    def __init__(self, cell: ArrayLike, input: ArrayLike, delay: ArrayLike = 1.0, weight: ArrayLike = 1.0) -> None:
        given = {"cell": cell, "input": input, "delay": delay, "weight": weight}
        arrays = {name: numbers(name, value) for name, value in given.items()}
        sizes = [array.size for array in arrays.values() if array.ndim]
        n = sizes[0] if sizes else 1
        for name, array in arrays.items():
            if array.shape not in ((), (n,)):
                raise ParameterError(f"{name} has shape {array.shape}; expected ({n},), one value per connection")
            whole = name in ("cell", "input")
            array = np.broadcast_to(array, (n,)).astype(np.float64)
            bad = ~(np.isfinite(array) & ((array > 0) if name == "delay" else (array >= 0)))
            bad |= (array != np.trunc(array)) if whole else False
            if bad.any():
                first = int(np.argmax(bad))
                unit = {"delay": " ms"}.get(name, "")
                need = "a whole number, 0 or more" if whole else "finite and not negative"
                need = "finite and positive" if name == "delay" else need
                raise ParameterError(f"{name}[{first}] = {array[first]:g}{unit} must be {need}")
            array = np.array(array, np.int64 if whole else np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def size(self) -> int:
        """Number of connections."""
        return int(self.cell.size)

    def __repr__(self) -> str:
        if not self.size:
            return "<Connections: none>"
        cells, inputs = np.unique(self.cell).size, np.unique(self.input).size
        return (
            f"<Connections: {self.size} of {cells} cells to {inputs} inputs, delays {self.delay.min():g} to "
            f"{self.delay.max():g} ms>"
        )


def connections_given(
    connections: object, compartments: Compartments, synapses: Synapses | None, mechanisms: Sequence[Mechanism]
) -> Connections:
    """Connections that fit the cells, what fires there, and the synapses.

    Raises
    ------
    ParameterError
        If they do not.
    """
    given = instance("connections", connections, Connections, "such as ds.Connections(cell=[0], input=[3])")
    if synapses is None:
        raise ParameterError("connections= lead to synapses, and there are none: pass synapses=")
    for name, values, most, of in (
        ("cell", given.cell, compartments.n_cells, "cells"),
        ("input", given.input, synapses.n_inputs, "inputs of the synapses"),
    ):
        outside = values >= most
        if outside.any():
            first = int(np.argmax(outside))
            raise ParameterError(
                f"connections.{name}[{first}] = {values[first]} does not exist; valid: 0 to {most - 1}, the {of}"
            )
    firing = np.zeros(compartments.size, np.int64)
    for mechanism in mechanisms:
        if mechanism.fires:
            firing[mechanism.places(compartments)] += 1
    of_cell = firing[compartments.roots][given.cell]
    if (of_cell != 1).any():
        first = int(np.argmax(of_cell != 1))
        several = of_cell[first] > 1
        raise ParameterError(
            f"connections.cell[{first}] = {given.cell[first]}: the soma of that cell has "
            + ("several mechanisms that fire; leave one" if several else "no mechanism that fires")
            + ("" if several else "; give it one, such as mechanisms=ds.IntegrateAndFire()")
        )
    return given


def lags_of(delay: Floats, dt: float) -> Ints:
    """Steps from the one that fires to the one that a spike arrives at the beginning of, shape (n,); at least 2.

    Raises
    ------
    ParameterError
        If a delay is not a whole number of steps, one or more.
    """
    steps = delay / dt
    wrong = off_grid(steps) | (np.round(steps) < 1)
    if wrong.any():
        first = int(np.argmax(wrong))
        near = max(1, round(float(steps[first])))
        raise ParameterError(
            f"connections.delay[{first}] = {delay[first]:g} ms must be a whole number of steps of dt={dt:g} ms, "
            f"one or more; the nearest is {near * dt:g} ms"
        )
    return np.round(steps).astype(np.int64) + 1


class Recurrence:
    """Connections in the form that kernels take, and what is under way along them.

    Parameters
    ----------
    connections : Connections or None
    lag : int array of shape (n,)
        See `lags_of`.
    problem : Problem
    cells : int array of shape (n_cells,)
        Numbers of its cells.
    roots : int array of shape (n_cells,)
        Their somas, among the compartments of the problem.
    inputs : int array of shape (P,)
        Numbers of its inputs, in rising order.
    own : bool
        See `Links`.
    """

    def __init__(
        self,
        connections: Connections | None,
        lag: Ints,
        problem: Problem,
        cells: Ints,
        roots: Ints,
        inputs: Ints,
        own: bool,
    ) -> None:
        from ...kernels.spiking import Links

        if connections is None or not connections.size:
            connections, lag, own = Connections([], []), np.empty(0, np.int64), False
        self.sources = np.unique(connections.cell)
        site = np.full(problem.n_sites, -1)
        soma = dict(zip(roots.tolist(), cells.tolist(), strict=True))
        number = {cell: i for i, cell in enumerate(self.sources.tolist())}
        for s in np.flatnonzero(problem.site_fires):
            site[s] = number.get(soma.get(int(problem.site_compartment[s]), -1), -1)
        here = np.flatnonzero(np.isin(connections.input, inputs))
        by_input = np.argsort(problem.drive_source, kind="stable")
        place = np.searchsorted(inputs, connections.input[here])
        begin, end = (np.searchsorted(problem.drive_source[by_input], place, side) for side in ("left", "right"))
        counts = end - begin
        which = np.repeat(here, counts)
        nth = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)  # of the drives of its input
        drive = by_input[np.repeat(begin, counts) + nth]
        order = np.lexsort((which, connections.cell[which], lag[which]))
        which, drive = which[order], drive[order]
        late, source = lag[which], np.searchsorted(self.sources, connections.cell[which])
        pair = np.flatnonzero(np.diff(late, prepend=-1) | np.diff(source, prepend=-1))
        lags = np.unique(late)
        course = problem.drive_course[drive]
        p, q = np.zeros((2, len(problem.courses)))
        for k in np.unique(course):
            p[k], q[k] = (float(state[0]) for state in problem.courses[k].states(np.zeros(1)))
        weight = connections.weight[which]
        self.links = Links(
            int(lag.max(initial=-1)) + 1,
            self.sources.size,
            own,
            lags,
            np.append(np.searchsorted(late[pair], lags), pair.size),
            source[pair],
            np.append(pair, drive.size),
            drive,
            (weight * p[course]).astype(problem.dtype),
            (weight * q[course]).astype(problem.dtype),
            site,
        )
        self._problem = problem

    def ring(self, spikes: Floats) -> tuple[Array, Ints]:
        """Ring and `active` of all blocks before the first step; `spikes` as in `Snapshot`."""
        links, problem = self.links, self._problem
        ring = np.zeros((problem.n_blocks, links.length, links.n_sources), np.uint16)
        active = np.zeros((problem.n_blocks, links.length), np.int64)
        stimulus, cell = (spikes[:, i].astype(np.int64) for i in (0, 1))
        age = np.round(-spikes[:, 2] / problem.dt).astype(np.int64)
        seen = np.isin(cell, self.sources) & (age < links.length - 1)
        stimulus, cell, slot = stimulus[seen], cell[seen], (-1 - age[seen]) % max(1, links.length)
        block, lane = stimulus // problem.width, stimulus % problem.width
        bits = np.left_shift(1, lane).astype(np.uint16)
        np.bitwise_or.at(ring, (block, slot, np.searchsorted(self.sources, cell)), bits)
        active[block, slot] = 1
        return ring.reshape(-1), active.reshape(-1)

    def under_way(self, ring: Array, n_steps: int) -> Floats:
        """Spikes in the ring after so many steps, as in `Snapshot`."""
        links, problem = self.links, self._problem
        if not links.length:
            return np.empty((0, 3))
        age = np.arange(links.length - 1)
        bits = ring.reshape(problem.n_blocks, links.length, links.n_sources)[:, (n_steps - 1 - age) % links.length]
        lanes = (bits[..., None] >> np.arange(problem.width).astype(np.uint16)) & 1
        block, when, source, lane = np.nonzero(lanes)
        rows = np.stack([block * problem.width + lane, self.sources[source], -when * problem.dt], 1)
        kept = rows[rows[:, 0] < problem.n_rows]
        return kept[np.lexsort((kept[:, 1], kept[:, 2], kept[:, 0]))]
