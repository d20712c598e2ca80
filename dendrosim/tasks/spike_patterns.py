"""Frozen spatiotemporal spike patterns to be told apart."""

from __future__ import annotations

import numpy as np

from .. import arguments
from ..arguments import whole
from ..errors import ParameterError
from .seeds import stream
from .temporal import TemporalTask, Trials
from .trains import MOST_HZ, MOST_MS, frozen, presented


def spike_patterns(
    seed: int = 0,
    *,
    n_classes: int = 2,
    per_class: int = 1,
    n_inputs: int = 100,
    rate: float = 10.0,
    length: float = 100.0,
    onset: float = 10.0,
    equal_counts: bool = True,
    detect: bool = False,
    jitter: float = 1.0,
    deletion: float = 0.0,
    noise: float = 1.0,
    n_train: int = 1000,
    n_test: int = 500,
) -> TemporalTask:
    """Spatiotemporal spike patterns, frozen once, each with a class (Guetig & Sompolinsky 2006, the tempotron).

    Every trial shows one pattern, all as likely, with fresh jitter, deletions and noise spikes.

    Parameters
    ----------
    seed : int, default 0
        Same seed, same bits. Patterns do not depend on how many trials there are.
    n_classes : int, default 2
    per_class : int, default 1
        Patterns of each class; pattern k is of class ``k % n_classes``. Their number over that of the synapses is the
        load of the tempotron.
    n_inputs : int, default 100
    rate : float, default 10.0
        Of each input within a pattern, Hz.
    length, onset : float, default 100.0 and 10.0
        A pattern lasts `length` ms, after `onset` ms with nothing but noise; with it the trial ends.
    equal_counts : bool, default True
        Every input fires ``rate * length`` times in every pattern: only times tell, and whoever counts spikes stays at
        chance. Otherwise patterns are Poisson.
    detect : bool, default False
        Class 0 has no frozen pattern, but a fresh one in every trial: respond to class 1 or not.
    jitter : float, default 1.0
        Standard deviation of Gaussian shifts of every spike, ms.
    deletion : float, default 0.0
        Probability that a spike is missing.
    noise : float, default 1.0
        Rate of noise spikes on every input throughout, Hz.
    n_train, n_test : int

    Returns
    -------
    TemporalTask

    Raises
    ------
    ParameterError
        If a value is impossible.

    Examples
    --------
    >>> import dendrosim as ds
    >>> task = ds.tasks.spike_patterns(per_class=3)
    >>> task
    TemporalTask('spike_patterns': 1000 + 500 trials of 110 ms, 100 inputs, 2 classes)
    >>> spikes, y = task.train.batch([0, 1, 2])
    >>> spikes.n_stimuli, y.shape
    (3, (3,))
    """
    whole("n_classes", n_classes, 2)
    whole("per_class", per_class, 1)
    whole("n_inputs", n_inputs, 1)
    rates = {"rate": arguments.number("rate", rate, above=0.0, most=MOST_HZ, unit="Hz")}
    rates["noise"] = arguments.number("noise", noise, least=0.0, most=MOST_HZ, unit="Hz")
    spread = arguments.number("jitter", jitter, least=0.0, most=MOST_MS, unit="ms")
    lost = arguments.number("deletion", deletion, least=0.0, most=1.0)
    begin = arguments.number("onset", onset, least=0.0, most=MOST_MS, unit="ms")
    lasting = arguments.number("length", length, above=0.0, most=MOST_MS, unit="ms")
    if arguments.flag("detect", detect) and n_classes != 2:
        raise ParameterError(f"detect=True tells one class from everything else; n_classes={n_classes} must be 2")
    duration = begin + lasting
    draw = stream(seed, "spike_patterns/patterns")
    n_patterns = per_class if detect else n_classes * per_class
    classes = np.ones(n_patterns, np.int64) if detect else np.arange(n_patterns) % n_classes
    patterns = [frozen(n_inputs, rates["rate"], begin, lasting, draw, equal_counts) for _ in range(n_patterns)]
    parts = []
    for part, size in (("train", whole("n_train", n_train, 1)), ("test", whole("n_test", n_test, 1))):
        rng = stream(seed, f"spike_patterns/{part}")
        trial = np.arange(size)
        which = rng.integers(0, n_patterns, size)
        known = rng.random(size) < 0.5 if detect else np.ones(size, bool)
        fresh = [frozen(n_inputs, rates["rate"], begin, lasting, rng, equal_counts) for _ in trial[~known]]
        spikes = presented(
            [
                (trial, patterns, np.where(known, which, -1), np.zeros(size)),
                (trial[~known], fresh, np.arange(len(fresh)), np.zeros(len(fresh))),
            ],
            n_inputs,
            size,
            duration,
            rng,
            jitter=spread,
            deletion=lost,
            noise=rates["noise"],
        )
        which = np.where(known, which, -1)
        parts.append(Trials(spikes, np.where(known, classes[which], 0), {"pattern": which}))
    return TemporalTask(
        name="spike_patterns",
        train=parts[0],
        test=parts[1],
        duration=duration,
        n_classes=n_classes,
        answer=duration,
        outcome=duration,
        patterns=tuple(patterns),
        pattern_class=classes,
        description=(
            f"{n_patterns} frozen patterns of {n_inputs} spike trains, {lasting:g} ms at {rates['rate']:g} Hz, of "
            f"{n_classes} classes: {n_train} trials to learn from, {n_test} to test on."
        ),
        seed=seed,
    )
