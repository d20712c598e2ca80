"""A cue, then a delay full of other things, then the outcome."""

from __future__ import annotations

import numpy as np

from .. import arguments
from ..arguments import whole
from .seeds import stream
from .temporal import TemporalTask, Trials
from .trains import MOST_HZ, MOST_MS, frozen, presented, together


def delayed_cue(
    seed: int = 0,
    *,
    n_classes: int = 2,
    per_class: int = 1,
    n_inputs: int = 100,
    rate: float = 20.0,
    length: float = 50.0,
    onset: float = 10.0,
    delay: float = 100.0,
    n_distractors: int = 0,
    distractor_kinds: int = 4,
    equal_counts: bool = False,
    jitter: float = 1.0,
    deletion: float = 0.0,
    noise: float = 2.0,
    n_train: int = 1000,
    n_test: int = 500,
) -> TemporalTask:
    """A cue that says what is right, and error or reward only after a delay in which other inputs arrive.

    Every trial shows one cue of `length` ms. Then background noise goes on for `delay` ms, and distractors appear:
    frozen patterns on the same inputs, as long and as lively as cues, that mean nothing. Whoever learns must know, when
    the outcome comes, which synapses were active at the cue.

    Parameters
    ----------
    seed : int, default 0
        Same seed, same bits. Cues, background and classes do not depend on the distractors.
    n_classes : int, default 2
    per_class : int, default 1
        Cues of each class; cue k is of class ``k % n_classes``.
    n_inputs : int, default 100
    rate : float, default 20.0
        Of each input within a cue, Hz.
    length, onset : float, default 50.0 and 10.0
        A cue lasts `length` ms, after `onset` ms of noise; `TemporalTask.answer` is its end.
    delay : float, default 100.0
        From the end of the cue to the outcome, ms.
    n_distractors : int, default 0
        In the delay of every trial, at random times; those that do not end before the outcome are cut there.
    distractor_kinds : int, default 4
        How many different distractors there are.
    equal_counts : bool, default False
        Whether all inputs fire as often in every cue, see `spike_patterns`.
    jitter, deletion, noise : float
        ms, probability and Hz, as in `spike_patterns`; of distractors as well.
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
    >>> task = ds.tasks.delayed_cue(delay=80.0, n_distractors=1)
    >>> task.answer, task.outcome, task.duration
    (60.0, 140.0, 140.0)
    """
    n_cues = whole("n_classes", n_classes, 2) * whole("per_class", per_class, 1)
    whole("n_inputs", n_inputs, 1)
    whole("n_distractors", n_distractors, 0)
    whole("distractor_kinds", distractor_kinds, 1)
    hertz = arguments.number("rate", rate, above=0.0, most=MOST_HZ, unit="Hz")
    background = arguments.number("noise", noise, least=0.0, most=MOST_HZ, unit="Hz")
    spread = arguments.number("jitter", jitter, least=0.0, most=MOST_MS, unit="ms")
    lost = arguments.number("deletion", deletion, least=0.0, most=1.0)
    begin = arguments.number("onset", onset, least=0.0, most=MOST_MS, unit="ms")
    lasting = arguments.number("length", length, above=0.0, most=MOST_MS, unit="ms")
    wait = arguments.number("delay", delay, least=0.0, most=MOST_MS, unit="ms")
    n_others = distractor_kinds if n_distractors else 0
    answer, outcome = begin + lasting, begin + lasting + wait
    draw = stream(seed, "delayed_cue/cues")
    cues = [frozen(n_inputs, hertz, begin, lasting, draw, equal_counts) for _ in range(n_cues)]
    draw = stream(seed, "delayed_cue/distractors")
    others = [frozen(n_inputs, hertz, answer, lasting, draw, equal_counts) for _ in range(distractor_kinds)]
    parts = []
    for part, size in (("train", whole("n_train", n_train, 1)), ("test", whole("n_test", n_test, 1))):
        rng = stream(seed, f"delayed_cue/{part}")
        trial, cue = np.arange(size), rng.integers(0, n_cues, size)
        before = presented(
            [(trial, cues, cue, np.zeros(size))], n_inputs, size, outcome, rng,
            jitter=spread, deletion=lost, noise=background,
        )  # fmt: skip
        rng = stream(seed, f"delayed_cue/{part}/distractors")
        n = size * n_distractors
        after = presented(
            [(np.repeat(trial, n_distractors), others, rng.integers(0, distractor_kinds, n), wait * rng.random(n))],
            n_inputs, size, outcome, rng, jitter=spread, deletion=lost, noise=0.0,
        )  # fmt: skip
        parts.append(Trials(together(before, after), cue % n_classes, {"pattern": cue}))
    return TemporalTask(
        name="delayed_cue",
        train=parts[0],
        test=parts[1],
        duration=outcome,
        n_classes=n_classes,
        answer=answer,
        outcome=outcome,
        patterns=(*cues, *others[:n_others]),
        pattern_class=np.concatenate([np.arange(n_cues) % n_classes, np.full(n_others, -1)]),
        description=(
            f"{n_cues} cues of {lasting:g} ms on {n_inputs} inputs, {n_classes} classes, and an outcome "
            f"{wait:g} ms later, after {n_distractors} distractors: {n_train} trials to learn from, {n_test} to test."
        ),
        seed=seed,
    )
