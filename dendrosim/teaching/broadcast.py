"""Teaching by broadcast: a few numbers per sample that reach many compartments."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..construct import call_of
from .base import Teaching

if TYPE_CHECKING:
    from ..networks.network import Network
    from .lesson import Lesson

Floats = NDArray[Any]
Signal = tuple[Floats, ...]
"""What is sent: arrays of shape (B, K), estimates of derivatives of the loss, with the batch's 1/B in them."""

REAL = 32.0
"""Bits of one real number."""


class Broadcast(Teaching):
    """A signal, and its delivery to the compartments.

    The two are apart so that `Degraded` can come between them. Delivery multiplies every estimate of dL/da by the
    compartment's own f'(V_n), once.
    """

    @abstractmethod
    def signal(self, lesson: Lesson) -> Signal:
        """What is sent for the minibatch of `lesson`."""

    @abstractmethod
    def deliver(self, lesson: Lesson, signal: Signal) -> None:
        """Fill ``lesson.credit`` with what compartments of `lesson` make of a `signal`."""

    @abstractmethod
    def sizes(self, network: Network) -> tuple[int, ...]:
        """Numbers per sample in each part of the signal, for a `network`."""

    def credit(self, lesson: Lesson) -> None:
        self.deliver(lesson, self.signal(lesson))

    def bits_per_sample(self, network: Network) -> float:
        return REAL * sum(self.sizes(network))

    def __repr__(self) -> str:
        return call_of(self)


def tell(lesson: Lesson, soma: Floats, below: Floats) -> None:
    """Tell every cell one number at its soma and one at its other compartments, times f'(V_n).

    Parameters
    ----------
    soma, below : arrays of shape (B, C) or (B, 1)
    """
    n_cells = lesson.network.layout.n_cells

    def blocks(values: Floats) -> Floats:
        found: Floats = lesson.activity.blocks(values)
        return found if values.shape[1] == n_cells else np.repeat(found, n_cells, axis=1)

    told = blocks(soma)
    lesson.broadcast(told, told if below is soma else blocks(below))


def mean_error(lesson: Lesson) -> Floats:
    """Mean over the cells that the decoder reads of dL/da, shape (B, 1)."""
    mean: Floats = lesson.soma_error.mean(axis=1, keepdims=True)
    return mean
