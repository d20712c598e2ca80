"""Gaussian against uniform samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arguments import whole
from .encoding import on_off
from .seeds import stream
from .sources import sizes
from .task import Task


def info_shunting(
    seed: int, *, dimensions: int = 10, n_train: int = 8_000, n_validation: int = 1_000, n_test: int = 1_000
) -> Task:
    """Samples of a standard normal against samples of a uniform distribution on [-1, 1]: 2 classes, 20 inputs.

    Both have mean 0, so that no linear classifier of the signed values does better than chance; as ON and OFF lines
    their mean activities differ. The likelihood ratio says "uniform" exactly where all values lie within [-1, 1], which
    is right in 1 - 0.5 * 0.6827**dimensions of the samples: 0.989 for 10.

    Class 0 is the Gaussian. Here classes are equally frequent up to one sample in `x_train` and in `x_test`, as in the
    published data before they are divided; and signed values, which went straight into conductance synapses there, are
    encoded ON/OFF.

    Parameters
    ----------
    seed : int
        Of all samples.
    dimensions : int, default 10
        Signed values of a sample; there are twice as many inputs.
    n_train, n_validation, n_test : int
        8,000, 1,000 and 1,000 as published. `x_train` holds the samples for validation too.
    """
    whole("dimensions", dimensions, 1)
    learn, test = sizes(n_train, n_validation, n_test)
    x_train, y_train = gaussian_or_uniform(learn, dimensions, stream(seed, "info_shunting/train"))
    x_test, y_test = gaussian_or_uniform(test, dimensions, stream(seed, "info_shunting/test"))
    return Task(
        name="info_shunting",
        x_train=on_off(x_train),
        y_train=y_train,
        x_test=on_off(x_test),
        y_test=y_test,
        n_classes=2,
        description=f"Gaussian or uniform values, {dimensions} of them: {learn} to learn from, {test} to test on.",
        class_names=("gaussian", "uniform"),
        n_validation=n_validation,
        seed=seed,
    )


def gaussian_or_uniform(
    size: int, dimensions: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Signed samples (size, dimensions), half of them Gaussian, and their labels, in random order."""
    half = size // 2
    gaussian = rng.standard_normal((half, dimensions))
    uniform = rng.uniform(-1.0, 1.0, (size - half, dimensions))
    order = rng.permutation(size)
    x = np.concatenate([gaussian, uniform]).astype(np.float32)[order]
    return x, (order >= half).astype(np.int64)
