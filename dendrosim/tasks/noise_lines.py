"""A row, a column or nothing, in Gaussian noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..arguments import whole
from ..errors import ParameterError, choose
from .encoding import on_off
from .seeds import stream
from .sources import sizes
from .task import Task

ENCODINGS = ("on_off", "offset")
LIMIT = 4.0  # GB
DEVIATIONS = 5.0  # of the noise that the encoding "offset" has room for


def noise_lines(
    seed: int,
    *,
    side: int = 28,
    noise: float = 0.2,
    encoding: str = "on_off",
    n_train: int = 8_000,
    n_validation: int = 1_000,
    n_test: int = 1_000,
) -> Task:
    """A blank image, a bright row or a bright column, in Gaussian noise: 3 classes, 1,568 inputs by default.

    Every class is as likely, and so is every row and column; the line has value 1, and every pixel gets independent
    noise. At the default noise an ideal observer makes no mistake. The first of the two published tasks that were
    called noise_resilience.

    Differences from the published generator: its images have a side of 784 (614,656 inputs) unless told otherwise, and
    signed pixels go straight into conductance synapses. Here they are encoded.

    Parameters
    ----------
    seed : int
        Of labels, lines and noise.
    side : int, default 28
        Rows, and columns, of an image.
    noise : float, default 0.2
        Standard deviation of the noise.
    encoding : {"on_off", "offset"}, default "on_off"
        ``"on_off"``: two lines for every pixel, ``2 * side**2`` inputs. ``"offset"``: one line, shifted and scaled so
        that [-5 noise, 1 + 5 noise] becomes [0, 1], and clipped there.
    n_train, n_validation, n_test : int
        8,000, 1,000 and 1,000 as published. `x_train` holds the samples for validation too.
    """
    whole("side", side, 2)
    deviation = arguments.number("noise", noise, least=0.0)
    choose("encoding", encoding, ENCODINGS)
    learn, test = sizes(n_train, n_validation, n_test)
    n_inputs = side * side * (2 if encoding == "on_off" else 1)
    gigabytes = 4e-9 * (learn + test) * n_inputs
    if gigabytes > LIMIT:
        raise ParameterError(
            f"side={side} makes {n_inputs} inputs, and {learn + test} samples of them take {gigabytes:.3g} GB; give a "
            f"smaller side, fewer samples or encoding='offset', so that it is at most {LIMIT:g} GB"
        )
    x_train, y_train = _encoded(learn, side, deviation, encoding, stream(seed, "noise_lines/train"))
    x_test, y_test = _encoded(test, side, deviation, encoding, stream(seed, "noise_lines/test"))
    return Task(
        name="noise_lines",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        n_classes=3,
        description=f"Nothing, a row or a column in noise of {deviation:g}: {learn} to learn from, {test} to test on.",
        image_shape=(2, side, side) if encoding == "on_off" else (side, side),
        class_names=("blank", "row", "column"),
        n_validation=n_validation,
        seed=seed,
    )


def _encoded(
    size: int, side: int, noise: float, encoding: str, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    x, y = lines(size, side, noise, rng)
    if encoding == "on_off":
        return on_off(x), y
    room = DEVIATIONS * noise
    return np.clip((x + np.float32(room)) / np.float32(1 + 2 * room), 0, 1, dtype=np.float32), y


def lines(
    size: int, side: int, noise: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Signed images in noise, as published, and their labels: 0 blank, 1 row, 2 column.

    Parameters
    ----------
    size : int
        How many.
    side : int
        Rows, and columns, of an image.
    noise : float
        Standard deviation of the noise.
    rng : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    x, y : float32 array of shape (size, side**2), int64 array of shape (size,)
    """
    y = rng.integers(0, 3, size=size)
    where = rng.integers(0, side, size=size)
    x = rng.standard_normal((size, side, side), dtype=np.float32)
    x *= np.float32(noise)
    rows, columns = np.flatnonzero(y == 1), np.flatnonzero(y == 2)
    x[rows, where[rows], :] += 1
    x[columns, :, where[columns]] += 1
    return x.reshape(size, -1), y
