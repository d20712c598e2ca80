"""What happens to the training rows each time they are looked at: noise drawn anew, moves, mirror images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class Transform(ABC):
    """A random change of a batch of rows. Subclasses are frozen dataclasses: a task's hash takes their text in."""

    @abstractmethod
    def __call__(self, x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Change rows.

        Parameters
        ----------
        x : float32 array of shape (B, P)
            Rows of the training set, a copy that may be written to.
        rng : numpy.random.Generator
            The source of randomness.

        Returns
        -------
        float32 array of shape (B, P)
            `x` itself, or a new array.
        """


@dataclass(frozen=True)
class NoisyColumns(Transform):
    """Replace the left columns of every image by uniform noise.

    Parameters
    ----------
    image_shape : (rows, columns)
        Of one image.
    columns : int
        How many, from the left.
    level : float
        The noise is uniform in [0, level).
    """

    image_shape: tuple[int, int]
    columns: int
    level: float

    def __call__(self, x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        images = x.reshape(-1, *self.image_shape)
        noise = rng.random((len(images), self.image_shape[0], self.columns), dtype=np.float32)
        np.multiply(noise, np.float32(self.level), out=images[:, :, : self.columns])
        return x


@dataclass(frozen=True)
class Moves(Transform):
    """Move every image by a random number of whole pixels, and mirror half of them from left to right if asked.

    Parameters
    ----------
    image_shape : (channels, rows, columns)
        Of one image.
    shift : int
        The greatest move; along either axis every move from -shift to shift is as likely. What comes in is 0.
    flip : bool
        Whether to mirror.
    """

    image_shape: tuple[int, int, int]
    shift: int
    flip: bool

    def __call__(self, x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        from ..kernels.images import moved  # numba takes a while to import

        down, right = rng.integers(-self.shift, self.shift + 1, size=(2, len(x)))
        mirrored = rng.integers(0, 2, size=len(x)) > 0 if self.flip else np.zeros(len(x), np.bool_)
        return moved(x.reshape(-1, *self.image_shape), down, right, mirrored).reshape(x.shape)
