"""Which of its candidates each bank of synapses uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, choose
from .layout import Banks

Floats = NDArray[Any]

KINDS = ("topk", "fixed")


class Connectivity:
    """Active synapses of all banks, and the raw weights of the candidates that are not active.

    Parameters
    ----------
    banks : Banks
    drawn : list of arrays or None
        Raw weights of all candidates of each bank; the largest are active at first. None where `restore` follows.
    kind : {"topk", "fixed"}
        Whether the choice follows the weights: TopK by value, as published. Inactive weights do not move.
    dtype : numpy dtype

    Attributes
    ----------
    raw : array of shape (S,)
        Raw weights of active synapses; the network's parameter.
    heap, heap_source : arrays
        Raw weights and sources of inactive candidates.
    source, sign : int arrays of shape (S,)
    """

    def __init__(self, banks: Banks, drawn: list[Floats] | None, kind: str, dtype: np.dtype[Any]) -> None:
        self.kind = choose("connectivity", kind, KINDS)
        self.banks = banks
        count = banks.last - banks.first
        self.sign: NDArray[np.int64] = np.repeat(banks.sign, count)
        size = banks.width - count if kind == "topk" else np.zeros_like(count)
        self._last: NDArray[np.int64] = np.cumsum(size)
        self._first: NDArray[np.int64] = self._last - size
        self.source: NDArray[np.int64] = np.repeat(banks.row, count)
        self.heap_source = np.repeat(banks.row, size).astype(np.int32)
        self.raw, self.heap = np.zeros(int(count.sum()), dtype), np.zeros(int(size.sum()), dtype)
        if drawn is not None:
            order = [np.argsort(-raw) for raw in drawn]  # descending: the inactive ones are a heap
            active = [np.sort(chosen[:k]) for chosen, k in zip(order, count, strict=True)]
            left = [chosen[k : k + n] for chosen, k, n in zip(order, count, size, strict=True)]
            self.source += np.concatenate(active)
            self.heap_source += np.concatenate(left).astype(np.int32)
            self.raw[:] = np.concatenate([raw[chosen] for raw, chosen in zip(drawn, active, strict=True)])
            self.heap[:] = np.concatenate([raw[chosen] for raw, chosen in zip(drawn, left, strict=True)])
        self.best = self._best()

    def _best(self) -> Floats:
        """Largest inactive raw weight of each bank."""
        best = np.full(self._first.size, -np.inf, self.raw.dtype)
        some = self._last > self._first
        best[some] = self.heap[self._first[some]]
        return best

    def reselect(self, mean: Floats, square: Floats, first: int = 0, last: int | None = None) -> int:
        """Exchange active synapses of some banks that fell below inactive candidates; returns how many.

        Parameters
        ----------
        mean, square : arrays of shape (S,) or (0,)
            The optimiser's moments, cleared for newcomers.
        first, last : int, optional
            Range of banks; all by default. Threads may work on different ranges at once.
        """
        if self.kind == "fixed":
            return 0
        from ..kernels import optimise

        b = self.banks
        last = b.first.size if last is None else last
        fixed = (b.first, b.last, self._first, self._last, self.best)
        mine = (self.raw, self.source, self.heap, self.heap_source, mean, square)
        return int(optimise.reselect(*fixed, *mine, first, last))

    def state(self) -> dict[str, Floats]:
        """What changes besides the raw weights."""
        return {"source": self.source.copy(), "heap": self.heap.copy(), "heap_source": self.heap_source.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned.

        Raises
        ------
        ParameterError
            If an array is missing, has another shape, or names sources that a bank does not have.
        """
        for name in ("source", "heap", "heap_source"):
            value = getattr(self, name)
            if name not in state or state[name].shape != value.shape:
                raise ParameterError(f"the state does not fit this network: {name} is missing or has another shape")
            if name != "heap":
                self._among(name, state[name])
            value[...] = state[name]
        self.best = self._best()

    def _among(self, name: str, source: Floats) -> None:
        """See that sources are among the candidates of their banks: kernels take them as they are."""
        b = self.banks
        count = b.last - b.first if name == "source" else self._last - self._first
        row, width = np.repeat(b.row, count), np.repeat(b.width, count)
        if source.dtype.kind not in "iu" or ((source < row) | (source >= row + width)).any():
            raise ParameterError(f"the state does not fit this network: {name} has values that are no candidates")
