"""Spike trains for tasks: frozen patterns, and presentations of them with jitter, deletions and noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..biophysics.time.inputs import Spikes
from ..errors import ParameterError

Ints = NDArray[np.int64]


MOST_HZ, MOST_MS = 1e5, 1e9
"""Limits of rates and times of a task; far beyond what makes sense, and what still can be drawn."""


def frozen(
    n_inputs: int, rate: float, begin: float, length: float, rng: np.random.Generator, equal_counts: bool
) -> Spikes:
    """One pattern: Poisson trains of all inputs, or as many spikes of each at uniform times.

    Parameters
    ----------
    n_inputs : int
    rate : float
        Hz.
    begin, length : float
        The pattern lasts from `begin` to ``begin + length``, ms.
    rng : numpy.random.Generator
    equal_counts : bool
        Whether every input fires exactly ``rate * length`` spikes, so that only times tell patterns apart.

    Raises
    ------
    ParameterError
        If counts are to be equal, and are no whole numbers.
    """
    mean = 1e-3 * rate * length
    if arguments.flag("equal_counts", equal_counts):
        if mean < 1 or abs(mean - round(mean)) > 1e-9:
            raise ParameterError(
                f"equal_counts=True asks for {mean:g} spikes of each input in {length:g} ms at {rate:g} Hz; choose "
                "rate and length whose product is a whole number of spikes, such as 10 Hz for 100 ms"
            )
        count = np.full(n_inputs, round(mean))
    else:
        count = rng.poisson(mean, n_inputs)
    source = np.repeat(np.arange(n_inputs), count)
    time = begin + length * rng.random(source.size)
    order = np.lexsort((source, time))
    return Spikes(time[order], source[order], n_inputs=n_inputs)


def presented(
    shown: Sequence[tuple[Ints, Sequence[Spikes], Ints, NDArray[np.float64]]],
    n_inputs: int,
    n_trials: int,
    duration: float,
    rng: np.random.Generator,
    *,
    jitter: float,
    deletion: float,
    noise: float,
) -> Spikes:
    """Trials: patterns with jitter and deletions, and Poisson noise on every input throughout.

    Parameters
    ----------
    shown : sequence of (trial, patterns, which, shift)
        Pattern ``patterns[which[i]]`` is shown in trial ``trial[i]``, later by ``shift[i]`` ms.
    n_inputs, n_trials : int
    duration : float
        ms; what jitter moves out of the trial is lost.
    rng : numpy.random.Generator
    jitter : float
        Standard deviation of Gaussian shifts of every spike, ms.
    deletion : float
        Probability that a spike of a pattern is missing.
    noise : float
        Rate of the noise, Hz per input.
    """
    number = rng.poisson(1e-3 * noise * duration, (n_trials, n_inputs)).ravel()
    at = np.repeat(np.arange(number.size), number)
    times, sources, trials = [rng.random(at.size) * duration], [at % n_inputs], [at // n_inputs]
    for trial, patterns, which, shift in shown:
        for k, pattern in enumerate(patterns):
            rows = np.flatnonzero(which == k)
            shape = (rows.size, len(pattern))
            moved = pattern.time + shift[rows, None] + jitter * rng.standard_normal(shape)
            kept = (rng.random(shape) >= deletion) & (moved >= 0) & (moved < duration)
            times.append(moved[kept])
            sources.append(np.broadcast_to(pattern.source, shape)[kept])
            trials.append(np.broadcast_to(trial[rows, None], shape)[kept])
    return Spikes(
        np.concatenate(times),
        np.concatenate(sources),
        np.concatenate(trials),
        n_inputs=n_inputs,
        n_stimuli=n_trials,
    )


def together(one: Spikes, other: Spikes) -> Spikes:
    """Spikes of both, of the same inputs and trials."""
    both = [np.concatenate([getattr(s, name) for s in (one, other)]) for name in ("time", "source", "stimulus")]
    return Spikes(*both, n_inputs=one.n_inputs, n_stimuli=one.n_stimuli)
