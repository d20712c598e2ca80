"""A task in time: spike trains that belong to a class, those to learn from and those to be tested on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, number, numbers, short
from ..biophysics.time.inputs import Spikes
from ..errors import ParameterError
from ..shown import Shown

Ints = NDArray[np.int64]


class Trials:
    """Spike trains of many trials, and the class of each; immutable.

    Parameters
    ----------
    spikes : Spikes
        All of them; ``spikes.stimulus`` is the trial.
    y : int array of shape (n,)
        Classes.
    factors : dict of str to array of shape (n,), optional
        What else is known of every trial.

    Attributes
    ----------
    spikes, y, factors
        As given; spikes are sorted by trial, then time, then input.

    Raises
    ------
    ParameterError
        If there are not as many classes as trials, or they are no whole numbers.
    """

    def __init__(self, spikes: Spikes, y: ArrayLike, factors: Mapping[str, Ints] | None = None) -> None:
        instance("spikes", spikes, Spikes, "such as ds.Spikes.poisson(rates, duration)")
        y = numbers("y", y)
        if y.shape != (spikes.n_stimuli,):
            raise ParameterError(f"y has shape {y.shape}; expected ({spikes.n_stimuli},), one class per trial")
        if y.dtype.kind not in "iub":
            raise ParameterError(f"y has dtype {y.dtype}; classes are whole numbers")
        order = np.lexsort((spikes.source, spikes.time, spikes.stimulus))
        self.spikes = Spikes(
            spikes.time[order],
            spikes.source[order],
            spikes.stimulus[order],
            spikes.weight[order],
            n_inputs=spikes.n_inputs,
            n_stimuli=spikes.n_stimuli,
        )
        self._start = np.searchsorted(self.spikes.stimulus, np.arange(len(y) + 1))
        self.y = np.array(y, np.int64)
        self.factors = {name: np.array(values) for name, values in (factors or {}).items()}
        for array in (self.y, *self.factors.values()):
            array.flags.writeable = False

    def batch(self, trials: ArrayLike) -> tuple[Spikes, Ints]:
        """Some of the trials, as `simulate` and learners take them.

        Parameters
        ----------
        trials : array-like of int, of shape (B,)
            Which ones, in any order, perhaps repeatedly.

        Returns
        -------
        spikes : Spikes
            Stimulus b is trial ``trials[b]``.
        y : int array of shape (B,)

        Raises
        ------
        ParameterError
            If there is no such trial.
        """
        rows = numbers("trials", trials)
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or not rows.size:
            raise ParameterError(f"trials={short(trials)} must be a list of whole numbers, one or more")
        if rows.min() < 0 or rows.max() >= len(self):
            raise ParameterError(f"trials={short(trials)}: valid are 0 to {len(self) - 1}")
        count = np.diff(self._start)[rows]
        stimulus = np.repeat(np.arange(rows.size), count)
        within = np.arange(stimulus.size) - np.repeat(np.cumsum(count) - count, count)
        index = self._start[:-1][rows][stimulus] + within
        all_of = self.spikes
        chosen = Spikes(
            all_of.time[index],
            all_of.source[index],
            stimulus,
            all_of.weight[index],
            n_inputs=all_of.n_inputs,
            n_stimuli=rows.size,
        )
        return chosen, self.y[rows]

    def stream(self, trials: ArrayLike, period: float) -> tuple[Spikes, Ints]:
        """Trials that follow each other without a break, for what learns while it runs.

        Parameters
        ----------
        trials : array-like of int, of shape (n, B)
            The k-th trial of stimulus b is ``trials[k, b]``.
        period : float
            From one beginning to the next, ms; trials that last longer overlap.

        Returns
        -------
        spikes : Spikes
            Of B stimuli; the spikes of trial k are later by ``k * period``.
        y : int array of shape (n, B)

        Raises
        ------
        ParameterError
            If there is no such trial, or the period is not positive.
        """
        rows = numbers("trials", trials)
        if rows.ndim != 2:
            raise ParameterError(f"trials has shape {rows.shape}; expected (n, B), n trials of B stimuli")
        step = number("period", period, above=0.0, unit="ms")
        each, y = self.batch(rows.reshape(-1))
        n_stimuli = rows.shape[1]
        late = each.time + step * (each.stimulus // n_stimuli)
        stimulus = each.stimulus % n_stimuli
        order = np.lexsort((each.source, late, stimulus))
        spikes = Spikes(
            late[order],
            each.source[order],
            stimulus[order],
            each.weight[order],
            n_inputs=each.n_inputs,
            n_stimuli=n_stimuli,
        )
        return spikes, y.reshape(rows.shape)

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        return f"<Trials: {len(self)} trials, {len(self.spikes)} spikes of {self.spikes.n_inputs} inputs>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class TemporalTask(Shown):
    """Trials of spike trains with classes, those to learn from and those to be tested on.

    Attributes
    ----------
    name : str
    train, test : Trials
        Drawn independently of each other.
    duration : float
        Of a trial, ms.
    n_classes : int
        Classes are 0 to ``n_classes - 1``.
    answer : float
        When the class can be told, at the latest, ms: the end of the pattern.
    outcome : float
        When error or reward may arrive, ms; `answer` where nothing is late.
    patterns : tuple of Spikes
        What is presented, without jitter, deletions and noise; times from the beginning of the trial.
    pattern_class : int array of shape (n_patterns,)
        Class of each pattern; -1 of those that mean nothing.
    description : str
        One sentence.
    seed : int
    """

    name: str
    train: Trials
    test: Trials
    duration: float
    n_classes: int
    answer: float
    outcome: float
    patterns: tuple[Spikes, ...]
    pattern_class: Ints
    description: str = ""
    seed: int = 0

    @property
    def n_inputs(self) -> int:
        """Number of afferents."""
        return self.train.spikes.n_inputs

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hexadecimal, of all spikes and classes."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            for array in (part.spikes.time, part.spikes.source, part.spikes.stimulus, part.y):
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def __repr__(self) -> str:
        return (
            f"TemporalTask({self.name!r}: {len(self.train)} + {len(self.test)} trials of {self.duration:g} ms, "
            f"{self.n_inputs} inputs, {self.n_classes} classes)"
        )
