"""Fixed random matrices between what is sent and what compartments make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..arguments import number, short
from ..errors import ParameterError, choose
from .broadcast import Broadcast, Floats, Signal, tell
from .per_soma import random_feedback

if TYPE_CHECKING:
    from ..networks.network import Network
    from .lesson import Lesson

PER = ("cell", "compartment")


class _FixedMatrix(Broadcast):
    """Compartment or cell n receives row n of a fixed matrix times what is sent."""

    per: str
    _matrix: Floats

    def rows(self, network: Network) -> int:
        """Rows of the matrix."""
        return network.layout.n_cells if self.per == "cell" else network.layout.size

    def deliver(self, lesson: Lesson, signal: Signal) -> None:
        layout = lesson.network.layout
        if self.per == "cell" and layout.n_cells < layout.size:
            told = signal[0] @ self._matrix.T
            tell(lesson, told, told)
        else:
            np.matmul(self._matrix, lesson.activity.blocks(signal[0]), out=lesson.credit)
            lesson.credit *= lesson.activity.derivative

    def state(self) -> dict[str, Floats]:
        return {"matrix": self._matrix.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        self._matrix[...] = state["matrix"]


class DFA(_FixedMatrix):
    """Direct feedback: the output errors through a fixed random matrix (local-credit paper, 3.1 (B), Theorem 2).

    Entries are normal with standard deviation scale / sqrt(n_outputs), drawn once (Nokland 2016).

    Parameters
    ----------
    scale : float, default 1.0
    per : {"cell", "compartment"}, default "cell"
        Whether all compartments of a cell receive the same, which learns better, or each its own.
    """

    name: ClassVar[str] = "dfa"

    def __init__(self, scale: float = 1.0, per: str = "cell") -> None:
        self.scale = number("scale", scale, above=0.0)
        self.per = choose("per", per, PER)

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        self._matrix = random_feedback(self.rows(network), network, self.scale, rng)

    def signal(self, lesson: Lesson) -> Signal:
        return (lesson.output_error,)

    def sizes(self, network: Network) -> tuple[int, ...]:
        return (network.n_outputs,)


class LowRank(_FixedMatrix):
    """Soma errors through `rank` random channels: delta A B^T scale / sqrt(rank), A and B fixed.

    A maps the errors of the somas that the decoder reads to channels and has unit columns; B maps channels to cells or
    compartments and has unit rows. (A later addition of the paper's authors, there with a B per stage.)

    Parameters
    ----------
    rank : int
        Number of channels, at most the number of cells that the decoder reads.
    scale : float, default 1.0
    per : {"cell", "compartment"}, default "cell"
    """

    name: ClassVar[str] = "low_rank"

    def __init__(self, rank: int, scale: float = 1.0, per: str = "cell") -> None:
        if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
            raise ParameterError(f"rank={short(rank)} must be a positive whole number")
        self.rank = rank
        self.scale = number("scale", scale, above=0.0)
        self.per = choose("per", per, PER)

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        n_readout = network.layout.readout.size
        if self.rank > n_readout:
            raise ParameterError(
                f"rank={self.rank} is more than the {n_readout} somas that the decoder reads; ask for at most "
                f"{n_readout}, or for all of them undistorted with teaching='per_soma'"
            )
        down = rng.standard_normal((n_readout, self.rank))
        up = rng.standard_normal((self.rows(network), self.rank))
        down /= np.linalg.norm(down, axis=0)
        up *= self.scale / (np.sqrt(self.rank) * np.linalg.norm(up, axis=1, keepdims=True))
        self._down, self._matrix = down.astype(network.dtype), up.astype(network.dtype)

    def signal(self, lesson: Lesson) -> Signal:
        return (lesson.soma_error @ self._down,)

    def sizes(self, network: Network) -> tuple[int, ...]:
        return (self.rank,)

    def state(self) -> dict[str, Floats]:
        return {**super().state(), "down": self._down.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        super().restore(state)
        self._down[...] = state["down"]
