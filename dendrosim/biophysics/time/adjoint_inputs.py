"""From gradients by states of drives to gradients by what was given: spikes, continuous activity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .events import of_spikes_each, unit_of
from .inputs import Spikes, Waveform

if TYPE_CHECKING:
    from .engine import Engine

Floats = NDArray[np.float64]


def by_spike(spikes: Spikes, engine: Engine, arrival: str, event_p: Floats, event_q: Floats) -> Floats:
    """By the weight of every spike, (n_spikes,).

    Parameters
    ----------
    event_p, event_q : float arrays of shape (n_events,)
        By what events add, in the order of ``engine.events``.
    """
    by_p, by_q = np.empty_like(event_p), np.empty_like(event_q)
    by_p[engine.events.order], by_q[engine.events.order] = event_p, event_q
    out = np.zeros(spikes.time.size)
    at = 0
    problem = engine.problem
    head = (problem.drive_source, problem.drive_course, problem.courses, problem.dt)
    for which, _, _, p, q in of_spikes_each(spikes, *head, arrival, engine.n_steps):
        here = slice(at, at + which.size)
        np.add.at(out, which, p * by_p[here] + q * by_q[here])
        at += which.size
    return out


def by_waveform(waveform: Waveform, engine: Engine, levels: Floats, mark_p: Floats, mark_q: Floats) -> Floats:
    """By activity, (K, B, P).

    Parameters
    ----------
    levels : float array of shape (K, B, P)
        By what activity adds in every step.
    mark_p, mark_q : float arrays of shape (K, B, n_drives)
        By the states of drives where an interval begins.
    """
    problem: Any = engine.problem
    out = np.array(levels)
    for d, (source, course) in enumerate(zip(problem.drive_source, problem.drive_course, strict=True)):
        kind = problem.courses[course]
        whole, first = kind.continuous(problem.dt)
        factor = unit_of(waveform, kind)
        out[0, :, source] += factor * (first[0] * mark_p[0, :, d] + first[1] * mark_q[0, :, d])
        more = factor * ((first[0] - whole[0]) * mark_p[1:, :, d] + (first[1] - whole[1]) * mark_q[1:, :, d])
        out[1:, :, source] += more
        out[:-1, :, source] -= more
    return out
