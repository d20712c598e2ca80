"""Two digits side by side, both to be named."""

from __future__ import annotations

import numpy as np

from .seeds import stream
from .sources import pictures, sizes
from .task import Task


def hierarchical(
    seed: int, *, source: str = "mnist", n_train: int = 8_000, n_validation: int = 1_000, n_test: int = 1_000
) -> Task:
    """Two digits side by side: 1,568 inputs (MNIST) or 128 (digits), 100 classes, ten times the left plus the right.

    A class has 80 samples to learn from at the published size. Who knows one of the digits alone is right in 0.1. Pairs
    are drawn with replacement from the training images, and those to test on from the test images; the published
    generator draws all from the training set of MNIST, so that images to test on are among those to learn from. There
    it is called hierarchical_processing.

    Parameters
    ----------
    seed : int
        Which images are paired.
    source : {"mnist", "digits", "fashion_mnist"}, default "mnist"
        Where the images come from.
    n_train, n_validation, n_test : int
        8,000, 1,000 and 1,000 as published. `x_train` holds the samples for validation too.

    Notes
    -----
    `factors_train` and `factors_test` have ``"left"`` and ``"right"``.
    """
    learn, test = sizes(n_train, n_validation, n_test)
    parts = []
    shape: tuple[int, ...] = ()
    for part, images, size in zip(("train", "test"), pictures(source, seed), (learn, test), strict=True):
        rng = stream(seed, f"hierarchical/{part}")
        left, right = images.draw(size, rng), images.draw(size, rng)
        x = np.concatenate([left.x, right.x], axis=2)
        shape = x.shape[1:]
        parts.append((x.reshape(size, -1), 10 * left.y + right.y, {"left": left.y, "right": right.y}))
    (x_train, y_train, factors_train), (x_test, y_test, factors_test) = parts
    return Task(
        name="hierarchical",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        n_classes=100,
        description=f"Two images of {source} side by side, both to be named: {learn} to learn from, {test} to test on.",
        image_shape=shape,
        class_names=tuple(f"{label:02d}" for label in range(100)),
        factors_train=factors_train,
        factors_test=factors_test,
        n_validation=n_validation,
        seed=seed,
    )
