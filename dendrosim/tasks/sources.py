"""Labelled images that other tasks are composed of, and how many samples to compose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arguments import whole
from ..errors import choose
from .digits import digits
from .images import fashion_mnist, mnist
from .task import Task

SOURCES: dict[str, Callable[[int], Task]] = {"digits": digits, "mnist": mnist, "fashion_mnist": fashion_mnist}


@dataclass(frozen=True)
class Pictures:
    """Images with their labels.

    Attributes
    ----------
    x : float32 array of shape (n, rows, columns)
        In [0, 1].
    y : int64 array of shape (n,)
        Labels, 0 to 9.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]

    def draw(self, size: int, rng: np.random.Generator) -> Pictures:
        """`size` of them, drawn with replacement."""
        which = rng.integers(0, len(self.y), size=size)
        return Pictures(self.x[which], self.y[which])


def pictures(source: str, seed: int) -> tuple[Pictures, Pictures]:
    """The training and the test images of a data set.

    Parameters
    ----------
    source : {"digits", "mnist", "fashion_mnist"}
        Which data set.
    seed : int
        Of its split, where it has none.

    Raises
    ------
    ParameterError
        If there is no such source.
    """
    task = SOURCES[choose("source", source, SOURCES)](seed)
    shape = task.image_shape or ()
    return Pictures(task.x_train.reshape(-1, *shape), task.y_train), Pictures(
        task.x_test.reshape(-1, *shape), task.y_test
    )


def sizes(n_train: int, n_validation: int, n_test: int) -> tuple[int, int]:
    """How many samples to learn from, those for validation among them, and how many to test on.

    Raises
    ------
    ParameterError
        If one is no whole number, or there are none to learn from or to test on.
    """
    learn = whole("n_train", n_train, 1) + whole("n_validation", n_validation, 0)
    return learn, whole("n_test", n_test, 1)
