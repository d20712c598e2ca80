"""Minibatches in an order that seed and epoch alone decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tasks.seeds import stream
from ..tasks.task import Task

Floats = NDArray[Any]


class Batches:
    """Minibatches of the training rows of a task.

    Every epoch draws its own order, so that training can go on from any batch of any epoch.

    Parameters
    ----------
    task : Task
    x : array of shape (n, n_inputs)
        ``task.x_train`` in the dtype of the network.
    rows : int array
        Those to learn from.
    size : int
        Samples per batch; the last of an epoch has what is left.
    seed : int
    """

    def __init__(self, task: Task, x: Floats, rows: NDArray[np.int64], size: int, seed: int) -> None:
        self.task, self.x, self.rows, self.size, self.seed = task, x, rows, min(size, rows.size), seed
        self._buffer = np.empty((self.size, x.shape[1]), x.dtype)

    def __len__(self) -> int:
        """Batches per epoch."""
        return -(-self.rows.size // self.size)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
        """Inputs and classes of the batches of an epoch, from batch `first` on.

        The inputs are overwritten by those of the next batch.
        """
        order = self.rows[stream(self.seed, f"order {epoch}").permutation(self.rows.size)]
        y = self.task.y_train[order]
        for i in range(first, len(self)):
            part = slice(i * self.size, (i + 1) * self.size)
            chosen = order[part]
            if self.task.transforms:
                rng = stream(self.seed, f"transforms {epoch} {i}")
                x = self.task.batch(chosen, rng).astype(self.x.dtype, copy=False)
            else:
                x = self._buffer[: chosen.size]
                self.x.take(chosen, axis=0, out=x, mode="clip")  # any other mode copies once more
            yield x, y[part]
