"""Two images at once, and a context that says which of them counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import whole
from ..errors import choose
from .seeds import stream
from .sources import Pictures, pictures, sizes
from .task import Task

LAYOUTS = ("side_by_side", "summed")


def context_gating(
    seed: int,
    *,
    source: str = "digits",
    layout: str = "side_by_side",
    cue_lines: int = 16,
    cue_strength: float = 1.0,
    n_train: int = 8_000,
    n_validation: int = 1_000,
    n_test: int = 1_000,
) -> Task:
    """Two digits at once, and a context cue that says which one is to be named: 10 classes.

    Two independent streams, A and B, show a digit each. The context is A or B with equal probability, and comes as
    two groups of `cue_lines` lines, of which one group is active. The label is the digit of the stream that the
    context names; the other one is a distractor. Whoever ignores the context reaches 0.55 at best (with both digits
    known: one half, and the tenth of the other half where both digits agree). Not among the published tasks: what the
    paper calls context gating is ``figure_ground_mnist``.

    Parameters
    ----------
    seed : int
        Which images are paired, and the contexts.
    source : {"digits", "mnist", "fashion_mnist"}, default "digits"
        Where the images come from. Those to test on are never among those to learn from.
    layout : {"side_by_side", "summed"}, default "side_by_side"
        ``"side_by_side"``: each stream has lines of its own, pixels of A, then of B. ``"summed"``: both share their
        lines; activities add, up to 1. B is then transposed, since two streams that look alike could not be told apart.
    cue_lines : int, default 16
        Lines of each context; they come after the pixels.
    cue_strength : float, default 1.0
        Activity of the lines of the context that holds; the others are 0.
    n_train, n_validation, n_test : int
        How many samples; `x_train` holds those for validation too.

    Notes
    -----
    128 + 2 * 16 = 160 inputs by default; 64 + 32 if summed; 1,568 + 32 and 784 + 32 with MNIST. `factors_train` and
    `factors_test` have ``"context"`` (0: A, 1: B), ``"label_a"`` and ``"label_b"``.
    """
    choose("layout", layout, LAYOUTS)
    whole("cue_lines", cue_lines, 1)
    strength = arguments.number("cue_strength", cue_strength, least=0.0)
    learn, test = sizes(n_train, n_validation, n_test)
    parts = []
    for part, images, size in zip(("train", "test"), pictures(source, seed), (learn, test), strict=True):
        rng = stream(seed, f"context_gating/{part}")
        a, b = images.draw(size, rng), images.draw(size, rng)
        context = rng.integers(0, 2, size=size)
        lines = (context[:, None] == np.repeat([0, 1], cue_lines)) * np.float32(strength)
        x = np.concatenate([_shown(a, b, layout), lines.astype(np.float32)], axis=1)
        parts.append((x, np.where(context == 0, a.y, b.y), {"context": context, "label_a": a.y, "label_b": b.y}))
    (x_train, y_train, factors_train), (x_test, y_test, factors_test) = parts
    return Task(
        name="context_gating",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        n_classes=10,
        description=(
            f"Two images of {source} {layout.replace('_', ' ')}, and a cue which one to name: {learn} to learn "
            f"from, {test} to test on."
        ),
        factors_train=factors_train,
        factors_test=factors_test,
        n_validation=n_validation,
        seed=seed,
    )


def _shown(a: Pictures, b: Pictures, layout: str) -> NDArray[np.float32]:
    """Activity of the pixels; shape (n, pixels) or (n, 2 * pixels)."""
    n = len(a.y)
    if layout == "summed":
        both: NDArray[np.float32] = np.minimum(a.x + b.x.transpose(0, 2, 1), np.float32(1))
        return both.reshape(n, -1)
    return np.concatenate([a.x.reshape(n, -1), b.x.reshape(n, -1)], axis=1)
