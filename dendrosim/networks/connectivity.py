"""Which of its candidates each bank of synapses uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, choose
from ..kernels import parallel
from .layout import Banks

Floats = NDArray[Any]

KINDS = ("topk", "fixed")


class Connectivity:
    """Active synapses of all banks, and the raw weights of the candidates that are not active.

    Parameters
    ----------
    banks : Banks
    drawn : list of arrays
        Raw weights of all candidates of each bank; the largest are active at first.
    kind : {"topk", "fixed"}
        Whether the choice follows the weights: TopK by value, as published. Inactive weights do not move.
    dtype : numpy dtype

    Attributes
    ----------
    raw : array of shape (S,)
        Raw weights of active synapses; the network's parameter.
    source, sign : int arrays of shape (S,)
    """

    def __init__(self, banks: Banks, drawn: list[Floats], kind: str, dtype: np.dtype[Any]) -> None:
        self.kind = choose("connectivity", kind, KINDS)
        self.banks = banks
        active = [
            np.sort(np.argsort(-raw, kind="stable")[: b - a])
            for raw, a, b in zip(drawn, banks.first, banks.last, strict=True)
        ]
        count = banks.last - banks.first
        self.source: NDArray[np.int64] = np.concatenate(active) + np.repeat(banks.row, count)
        self.sign: NDArray[np.int64] = np.repeat(banks.sign, count)
        self.raw = np.concatenate([raw[chosen] for raw, chosen in zip(drawn, active, strict=True)]).astype(dtype)
        self._start: NDArray[np.int64] = np.cumsum(banks.width) - banks.width
        if kind == "topk":
            self.reserve = np.concatenate(drawn).astype(dtype)
            self.reserve[np.repeat(self._start, count) + np.concatenate(active)] = -np.inf
        else:
            self.reserve = np.zeros(0, dtype)
        self.best = self._best()

    def _best(self) -> Floats:
        return np.maximum.reduceat(self.reserve, self._start) if self.reserve.size else self.reserve

    def reselect(self, mean: Floats, square: Floats, threads: int) -> int:
        """Exchange active synapses that fell below inactive candidates; returns how many.

        Parameters
        ----------
        mean, square : arrays of shape (S,) or (0,)
            The optimiser's moments, cleared for newcomers.
        threads : int
        """
        if self.kind == "fixed":
            return 0
        from ..kernels import optimise

        b = self.banks
        swaps = []

        def work(_: None, first: int, last: int) -> None:
            swaps.append(
                optimise.reselect(
                    b.first, b.last, b.row, self._start, b.width, self.best, self.raw, self.source, self.reserve, mean,
                    square, first, last,
                )
            )  # fmt: skip

        parallel.run(work, parallel.ranges(b.first.size, threads), threads, lambda: None)
        return sum(swaps)

    def state(self) -> dict[str, Floats]:
        """What changes besides the raw weights."""
        return {"source": self.source.copy(), "reserve": self.reserve.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""
        for name, value in (("source", self.source), ("reserve", self.reserve)):
            if name not in state or state[name].shape != value.shape:
                raise ParameterError(f"the state does not fit this network: {name} is missing or has another shape")
            value[...] = state[name]
        self.best = self._best()
