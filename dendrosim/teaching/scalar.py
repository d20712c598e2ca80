"""One number per sample for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..arguments import flag
from .broadcast import Broadcast, Floats, Signal, mean_error, tell

if TYPE_CHECKING:
    from ..networks.network import Network
    from .lesson import Lesson

SILENT = 1e-6
"""Mean error of a sample, before the batch's 1/B, at which the published fallback takes over."""


class Scalar(Broadcast):
    """Every compartment of the network receives the mean over somas of dL/da (local-credit paper, eq. 12).

    The mean is over the cells that the decoder reads. Taken over the outputs of a softmax, as eq. 12 may be read, it
    would be zero for every sample.

    Parameters
    ----------
    replication : bool, default False
        As in the published runs: where the mean is at most 1e-6 in magnitude (of the error of one sample, not divided
        by B), the error of largest magnitude stands in for it.
    """

    name: ClassVar[str] = "scalar"

    def __init__(self, replication: bool = False) -> None:
        self.replication = flag("replication", replication)

    def signal(self, lesson: Lesson) -> Signal:
        return (with_fallback(lesson) if self.replication else mean_error(lesson),)

    def deliver(self, lesson: Lesson, signal: Signal) -> None:
        tell(lesson, signal[0], signal[0])

    def sizes(self, network: Network) -> tuple[int, ...]:
        return (1,)


def with_fallback(lesson: Lesson) -> Floats:
    """Mean error (B, 1); where it all but vanishes, the error of largest magnitude."""
    mean = mean_error(lesson)
    largest = np.abs(lesson.soma_error).argmax(axis=1)[:, None]
    stand_in = np.take_along_axis(lesson.soma_error, largest, axis=1)
    chosen: Floats = np.where(np.abs(mean) * len(mean) <= SILENT, stand_in, mean)
    return chosen
