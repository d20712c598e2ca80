"""MNIST in strong noise that lies in a fixed subspace."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import whole
from .images import MNIST, SIDE, read_images
from .seeds import stream
from .task import Task


def noise_subspace_mnist(seed: int, *, noise: float = 1.5, dimensions: int = 50) -> Task:
    """MNIST in noise from a fixed subspace: 60,000 + 10,000 samples, 784 inputs, 10 classes.

    ``clip(x + noise * P z)`` to [0, 1], where P has `dimensions` fixed random columns of unit length and z is standard
    normal, new for every sample. The noise is drawn once. The second of the two published tasks that were called
    noise_resilience.

    The published protocol takes seed 0 for P and 1, 2 and 3 for the noise of training, validation and test samples in
    every run; here all come from `seed`, and samples for validation are among those of `x_train`.

    Parameters
    ----------
    seed : int
        Of P and of the noise.
    noise : float, default 1.5
        Strength of the noise: its standard deviation along every column of P.
    dimensions : int, default 50
        Number of columns of P.
    """
    strength = arguments.number("noise", noise, least=0.0)
    projection = unit_columns(SIDE * SIDE, whole("dimensions", dimensions, 1), stream(seed, "noise_subspace/columns"))
    x_train, y_train, x_test, y_test = read_images(MNIST)
    for part, x in (("train", x_train), ("test", x_test)):
        z = stream(seed, f"noise_subspace/{part}").standard_normal((len(x), dimensions), dtype=np.float32)
        x += np.float32(strength) * (z @ projection.T)
        np.clip(x, 0, 1, out=x)
    return Task(
        name="noise_subspace_mnist",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        n_classes=10,
        description=(
            f"MNIST in noise of {strength:g} from {dimensions} dimensions: {len(y_train)} to learn from, "
            f"{len(y_test)} to test on."
        ),
        image_shape=(SIDE, SIDE),
        class_names=tuple("0123456789"),
        n_validation=12_000 if len(y_train) > 12_000 else None,
        seed=seed,
    )


def unit_columns(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Independent random columns of length 1, of shape (rows, columns)."""
    matrix: NDArray[np.float64] = rng.standard_normal((rows, columns))
    matrix /= np.sqrt((matrix * matrix).sum(axis=0))
    return matrix.astype(np.float32)
