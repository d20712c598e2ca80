"""Spikes and continuous activity as what kernels take: additions to the states of drives at steps.

A drive is an input together with a time course. The fraction that a step uses is, by `arrival`,

``nearest``
    that of a spike at the nearest multiple of dt, as at the beginning of the step (what NEURON does with ``NetCon``);
``middle``
    that at the middle of the step, for a spike at its own time (NEURON's ``AlphaSynapse``);
``exact``
    the mean over the step, for a spike at its own time: no charge is lost or won, and Crank-Nicolson stays of second
    order. Derived here.

Continuous activity is always averaged over steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from .inputs import Spikes, Waveform
from .kinetics import Kinetics
from .steps import off_grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ARRIVALS = ("nearest", "middle", "exact")


class Events:
    """Additions to p and q of drives, in order of block and step.

    Parameters
    ----------
    step, stimulus, drive : int arrays of shape (n,)
    p, q : float arrays of shape (n,)
    width, n_blocks : int
    """

    def __init__(
        self, step: Ints, stimulus: Ints, drive: Ints, p: Floats, q: Floats, width: int, n_blocks: int
    ) -> None:
        block = stimulus // width
        order = np.lexsort((drive, step, block))
        self.order, self.step, self.p, self.q = order, step[order], p[order], q[order]
        self.slot = (drive * width + stimulus % width)[order]
        self.begin = np.searchsorted(block[order], np.arange(n_blocks + 1))

    def which(self, first: int, last: int) -> tuple[Ints, Ints]:
        """The events of steps `first` to `last`, and where blocks begin among them."""
        parts, begin = [], [0]
        for a, b in zip(self.begin[:-1], self.begin[1:], strict=True):
            low, high = np.searchsorted(self.step[a:b], (first, last))
            parts.append(np.arange(a + low, a + high))
            begin.append(begin[-1] + int(high - low))
        return np.concatenate(parts) if parts else np.empty(0, np.int64), np.array(begin)

    def between(self, first: int, last: int) -> tuple[Ints, Ints, Floats, Floats, Ints]:
        """Step (from `first` on), slot, p, q of the events of steps `first` to `last`, and where blocks begin."""
        chosen, begin = self.which(first, last)
        return self.step[chosen] - first, self.slot[chosen], self.p[chosen], self.q[chosen], begin


Rows = list[tuple[Ints, Ints, Ints, Floats, Floats]]


def of_spikes(
    spikes: Spikes, source: Ints, course: Ints, courses: list[Kinetics], dt: float, arrival: str, n_steps: int
) -> Rows:
    """Additions of spikes: step, stimulus, drive, p, q; parameters as in `of_spikes_each`."""
    rows: Rows = []
    for which, step, d, p, q in of_spikes_each(spikes, source, course, courses, dt, arrival, n_steps):
        weight = spikes.weight[which]
        rows.append((step, spikes.stimulus[which], d, weight * p, weight * q))
    return rows


def of_spikes_each(
    spikes: Spikes, source: Ints, course: Ints, courses: list[Kinetics], dt: float, arrival: str, n_steps: int
) -> Iterator[tuple[Ints, Ints, Ints, Floats, Floats]]:
    """Which spikes, at which steps, to which drive, add how much to p and q per weight.

    Parameters
    ----------
    source, course : int arrays of shape (n_drives,)
        Input and time course of every drive.
    """
    tick = spikes.time / dt
    nearest = np.maximum(np.ceil(tick - 0.5 - 1e-9), 0.0)
    begun = np.floor(tick + 1e-9)
    by_source = np.argsort(spikes.source, kind="stable")
    starts = np.searchsorted(spikes.source[by_source], np.arange(int(source.max(initial=-1)) + 2))
    added: list[list[tuple[Floats, Floats, Floats]]] = []  # by time course: step, p, q of every spike
    for kind in courses:
        if arrival == "exact":
            rest = np.maximum((begun + 1.0) * dt - spikes.time, 0.0)
            now, later = kind.integrals(rest), kind.integrals(rest + dt)
            p, q = now[0] / dt, now[1] / dt
            p_decay, q_decay, gain = kind.decay(dt)
            after = (later[0] - now[0]) / dt - p_decay * p, (later[1] - now[1]) / dt - q_decay * q - gain * p
            added.append([(begun, p, q), (begun + 1, *after)])
        else:
            middle = (nearest + 0.5) * dt - spikes.time
            since = np.maximum(middle, 0.0) if arrival == "middle" else np.zeros_like(middle)
            added.append([(nearest, *kind.states(since))])
    counts = starts[source + 1] - starts[source]
    own = np.repeat(np.arange(source.size), counts)  # drive of every pair of a drive and a spike
    which = by_source[starts[source][own] + np.arange(own.size) - np.repeat(np.cumsum(counts) - counts, counts)]
    for k, parts in enumerate(added):
        mine = course[own] == k
        spike, drive = which[mine], own[mine]
        for step, p, q in parts:
            kept = step[spike] <= n_steps
            here = spike[kept]
            yield here, step[here].astype(np.int64), drive[kept], p[here], q[here]


def of_levels(
    waveform: Waveform, before: Floats, source: Ints, course: Ints, courses: list[Kinetics], dt: float, n_steps: int
) -> Rows:
    """What continuous activity adds once, where it begins and where it changes.

    Parameters
    ----------
    before : float array of shape (B, P)
        Activity that the initial states know already.
    """
    rows: Rows = []
    every = steps_of(waveform.interval, dt)
    for d in range(source.size):
        kind = courses[course[d]]
        factor = unit_of(waveform, kind)
        whole, first = kind.continuous(dt)
        for k, values in enumerate(waveform.values):
            if k * every > n_steps:
                break
            now = values[:, source[d]]
            if k == 0:
                change, gain = now - before[:, source[d]], first
            else:
                change = now - waveform.values[k - 1][:, source[d]]
                gain = (first[0] - whole[0], first[1] - whole[1])
            here = np.flatnonzero(change)
            step, own = np.full(here.size, k * every), np.full(here.size, d)
            rows.append((step, here, own, factor * gain[0] * change[here], factor * gain[1] * change[here]))
    return rows


def unit_of(waveform: Waveform, kind: Kinetics) -> float:
    """Activity per unit of a waveform."""
    return 1.0 if waveform.unit == "activity" else 1e-3 * kind.area


def steps_of(interval: float, dt: float) -> int:
    """An interval in steps.

    Raises
    ------
    ParameterError
        If it is no whole number of them.
    """
    if interval == np.inf:
        return 2**62
    steps = interval / dt
    if steps < 0.5 or off_grid(steps):
        raise ParameterError(f"interval={interval:g} ms must be a whole number of steps of dt={dt:g} ms")
    return round(steps)
