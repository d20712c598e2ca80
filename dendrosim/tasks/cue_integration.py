"""Two noisy cues, and a context that says which to believe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import whole
from ..errors import ParameterError
from .encoding import on_off
from .seeds import stream
from .sources import sizes
from .task import Task

CONTEXTS = ("first", "second", "both")


def cue_integration(
    seed: int,
    *,
    lines: int = 10,
    evidence: float = 0.2,
    noise: float = 0.3,
    contexts: int = 2,
    context_lines: int = 4,
    n_train: int = 8_000,
    n_validation: int = 1_000,
    n_test: int = 1_000,
) -> Task:
    """Two noisy cues and a context that says which of them to believe: 2 classes, 48 inputs.

    Each cue is negative or positive, class 0 or 1. It shows in `lines` signed values, ``-evidence`` or ``+evidence``
    plus independent Gaussian noise, encoded ON/OFF. In context "first" the class is that of the first cue, in "second"
    that of the second one, and the other cue is independent. With ``contexts=3`` there is "both": the cues agree, and
    their evidence adds up. An ideal observer is right with probability Phi(sqrt(lines) evidence / noise), 0.982 by
    default, and in "both" with Phi(sqrt(2 lines) evidence / noise); without noise, whoever ignores two contexts reaches
    0.75.

    The published task of that name is described in one line (two noisy cues, a one-hot context, 2 classes); sizes and
    noise are ours.

    Parameters
    ----------
    seed : int
        Of cues, contexts and noise.
    lines : int, default 10
        Signed values of a cue; it has twice as many inputs.
    evidence : float, default 0.2
        Their mean, up to the sign.
    noise : float, default 0.3
        Their standard deviation.
    contexts : {2, 3}, default 2
        Without or with "both"; each is as likely.
    context_lines : int, default 4
        Lines of each context; those of the context that holds are 1, the others 0. They come last.
    n_train, n_validation, n_test : int
        How many samples; `x_train` holds those for validation too.

    Notes ----- Inputs are the ON and OFF lines of the signed values of the first cue and of the second one (ON lines of
    both, then OFF lines of both), then the lines of the contexts. `factors_train` and `factors_test` have
    ``"context"``, and ``"first"`` and ``"second"``: the classes that the cues stand for.
    """
    whole("lines", lines, 1)
    whole("context_lines", context_lines, 1)
    mean = arguments.number("evidence", evidence, above=0.0)
    deviation = arguments.number("noise", noise, least=0.0)
    if whole("contexts", contexts, 2) > 3:
        raise ParameterError(f"contexts={contexts} is impossible; valid: 2 (first, second) and 3 (also both)")
    learn, test = sizes(n_train, n_validation, n_test)
    parts = []
    for part, size in (("train", learn), ("test", test)):
        rng = stream(seed, f"cue_integration/{part}")
        context = rng.integers(0, contexts, size=size)
        first, second = rng.integers(0, 2, size=(2, size))
        second = np.where(context == 2, first, second)
        x = on_off(_shown(first, second, lines, mean, deviation, rng))
        told = (context[:, None] == np.repeat(np.arange(contexts), context_lines)).astype(np.float32)
        factors = {"context": context, "first": first.copy(), "second": second}
        parts.append((np.concatenate([x, told], axis=1), np.where(context == 1, second, first), factors))
    (x_train, y_train, factors_train), (x_test, y_test, factors_test) = parts
    return Task(
        name="cue_integration",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        n_classes=2,
        description=(
            f"Two noisy cues and a context ({', '.join(CONTEXTS[:contexts])}): {learn} to learn from, {test} to test "
            "on."
        ),
        class_names=("negative", "positive"),
        factors_train=factors_train,
        factors_test=factors_test,
        n_validation=n_validation,
        seed=seed,
    )


def _shown(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    lines: int,
    mean: float,
    deviation: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Signed values of both cues, of shape (n, 2 * lines)."""
    signs = np.repeat(2.0 * np.stack([first, second], axis=1) - 1.0, lines, axis=1)
    return (mean * signs + deviation * rng.standard_normal(signs.shape)).astype(np.float32)
