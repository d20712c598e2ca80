"""Feedback weights that learn to be the decoder's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from ..construct import call_of
from ..errors import choose
from .base import Teaching
from .broadcast import REAL

if TYPE_CHECKING:
    from .lesson import Lesson

Floats = NDArray[Any]

TIES = ("soma", "compartment")


class KolenPollack(Teaching):
    """Direct feedback through weights that change as the decoder's do (Kolen & Pollack 1994; Akrout et al. 2019).

    Feedback weights V (C of them per cell or compartment) receive the updates that a decoder reading f(V) of that unit
    would, their gradient being (1/B) sum_b f(V_b) s_b^T, and the same decay, by the same optimiser at the same rate. At
    cells that a linear decoder reads these are the decoder's own updates, so that the difference between the two
    shrinks as (1 - rate * decay)^steps and no weight is ever carried over. It stays what it was without decay, where
    scale=0 leaves the best start. Only at those somas does V become the decoder's transpose: elsewhere, at hidden
    cells, with ``tie="compartment"``, and where the decoder has hidden layers or there is none, it follows correlations
    (derived here: -M of `SBD`, accumulated and uncentred) and converges to no known derivative. The decoder has to
    learn: not with ``decoder="frozen"``.

    Parameters
    ----------
    scale : float, default 1.0
        V starts with normal entries of standard deviation scale / sqrt(n_outputs).
    tie : {"soma", "compartment"}, default "soma"
        "soma": cells have feedback weights, and all compartments of a cell are told the same. "compartment": each
        compartment has its own.
    """

    name: ClassVar[str] = "kp"
    needs_decoder = True

    def __init__(self, scale: float = 1.0, tie: str = "soma") -> None:
        self.scale = number("scale", scale, least=0.0)
        self.tie = choose("tie", tie, TIES)

    def prepare(self, network: Any, rng: np.random.Generator) -> None:
        self._rows = network.layout.n_cells if self.tie == "soma" else network.layout.size
        drawn = rng.standard_normal((self._rows, network.n_outputs)) * (self.scale / np.sqrt(network.n_outputs))
        self._weights: Floats = np.ascontiguousarray(drawn, network.dtype)

    @property
    def weights(self) -> dict[str, Floats]:
        return {"feedback": self._weights}

    def weight_gradients(self, lesson: Lesson) -> dict[str, Floats]:
        a = lesson.activity
        h = a.output[:, lesson.network.layout.roots] if self.tie == "soma" else a.output
        error = a.blocks(lesson.output_error)
        gradient = h[0] @ error[0].T
        for k in range(1, len(h)):
            gradient += h[k] @ error[k].T
        return {"feedback": gradient}

    def credit(self, lesson: Lesson) -> None:
        error = lesson.activity.blocks(lesson.output_error)
        if self.tie == "soma":
            told = self._weights @ error
            lesson.broadcast(told, told)
        else:
            np.matmul(self._weights, error, out=lesson.credit)
            lesson.credit *= lesson.activity.derivative

    def bits_per_sample(self, network: Any) -> float:
        return REAL * float(network.n_outputs)

    def state(self) -> dict[str, Floats]:
        return {"feedback": self._weights.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        self._weights[...] = state["feedback"]

    def __repr__(self) -> str:
        return call_of(self)
