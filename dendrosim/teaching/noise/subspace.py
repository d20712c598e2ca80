"""The subspace that activity keeps to: principal components of recent samples."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number, whole
from ...errors import ParameterError
from ..running import RunningMean, inner

Floats = NDArray[Any]
Integers = NDArray[np.int64]
Rank = int | float | str

PARTICIPATION = "participation"
ZERO = 1e-10
"""Variances below this share of the largest are taken to be rounding."""


@dataclass(frozen=True)
class Subspace:
    """Directions of largest variance.

    Attributes
    ----------
    basis : float64 array of shape (d, r)
        Orthonormal columns.
    variances : float64 array of shape (r,)
        Of the activity along them, largest first.
    total : float
        Variance over all d directions.
    """

    basis: Floats
    variances: Floats
    total: float

    @property
    def captured(self) -> float:
        """Share of the variance that lies within."""
        return float(self.variances.sum() / self.total) if self.total else 0.0

    def holds(self, rows: Floats) -> float:
        """Share ``|J U|^2 / |J|^2`` of the energy of rows, (n, d), that lies within."""
        energy = float((rows**2).sum())
        return float(((rows @ self.basis) ** 2).sum()) / energy if energy else 0.0


def rank_given(rank: object) -> Rank:
    """A number of dimensions, a share of the variance above 0 and up to 1, or "participation".

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if isinstance(rank, str) and rank == PARTICIPATION:
        return PARTICIPATION
    if isinstance(rank, float):
        return number("rank (a share of the variance)", rank, above=0.0, most=1.0)
    if isinstance(rank, str):
        raise ParameterError(
            f"rank={rank!r} must be a whole number, a share of the variance such as 0.9, or 'participation'"
        )
    return whole("rank", rank)


def of_samples(samples: Floats, rank: Rank) -> Subspace:
    """Principal subspace of samples of shape (n, d), centred here.

    Parameters
    ----------
    rank : int, float or "participation"
        Dimensions; or as many as hold this share of the variance; or as many as the participation ratio
        (sum of variances)^2 / sum of their squares, rounded up. There are at most as many as have variance.
    """
    x = np.asarray(samples, np.float64)
    x = x - x.mean(axis=0)
    n, d = x.shape
    if n >= d:
        return of_covariance(x.T @ x / n, rank)
    small = of_covariance(x @ x.T / n, rank)
    basis, _ = np.linalg.qr(x.T @ small.basis)
    return Subspace(basis, small.variances, small.total)


def of_covariance(covariance: Floats, rank: Rank) -> Subspace:
    """Principal subspace of a covariance matrix (d, d)."""
    from scipy.linalg import eigh

    size, total = len(covariance), float(np.trace(covariance))
    if total <= 0.0:
        return Subspace(np.zeros((size, 0)), np.zeros(0), 0.0)
    if rank == PARTICIPATION:
        rank = math.ceil(total**2 / float((covariance**2).sum()) - 1e-9)
    least = size - min(rank, size) if isinstance(rank, int) else 0
    values, vectors = eigh(covariance, subset_by_index=[least, size - 1])
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > ZERO * values[0]
    if isinstance(rank, float):
        kept &= np.cumsum(values) - values < (rank - 1e-12) * total
    return Subspace(vectors[:, kept], values[kept], total)


class Recent(ABC):
    """Statistics of recent activity, of which subspaces are taken.

    Parameters
    ----------
    layer : int array of shape (N,)
        Layer of every unit; each layer has a subspace of its own.
    memory : int
        About how many samples count.
    """

    name: ClassVar[str]

    def __init__(self, layer: Integers, memory: int) -> None:
        self.units = [np.flatnonzero(layer == k) for k in range(layer.max() + 1)]
        self.memory = memory

    @abstractmethod
    def wants(self, later: int, n_samples: int) -> bool:
        """Whether a minibatch `later` steps before the next refresh still counts then."""

    @abstractmethod
    def take(self, values: Floats) -> None:
        """Take in the activity (B, N) of a minibatch."""

    @abstractmethod
    def subspaces(self, rank: Rank) -> list[Subspace]:
        """The subspace of every layer."""

    @abstractmethod
    def state(self) -> dict[str, Floats]:
        """Copies."""

    @abstractmethod
    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""


class Buffer(Recent):
    """The last samples themselves."""

    name = "buffer"

    def __init__(self, layer: Integers, memory: int) -> None:
        super().__init__(layer, memory)
        self._kept: Floats = np.zeros((0, layer.size), np.float32)

    def wants(self, later: int, n_samples: int) -> bool:
        return later * n_samples < self.memory

    def take(self, values: Floats) -> None:
        self._kept = np.concatenate([self._kept.astype(values.dtype, copy=False), values])[-self.memory :]

    def subspaces(self, rank: Rank) -> list[Subspace]:
        return [of_samples(self._kept[:, units], rank) for units in self.units]

    def state(self) -> dict[str, Floats]:
        return {"kept": self._kept.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        self._kept = state["kept"].copy()


class Running(Recent):
    """Exponential running means of activity and of its products, d^2 numbers per layer."""

    name = "running"

    def __init__(self, layer: Integers, memory: int) -> None:
        super().__init__(layer, memory)
        sizes = [units.size for units in self.units]
        self._means = [RunningMean((size,)) for size in sizes]
        self._products = [RunningMean((size, size)) for size in sizes]

    def wants(self, later: int, n_samples: int) -> bool:
        return True

    def take(self, values: Floats) -> None:
        decay = max(0.0, 1.0 - len(values) / self.memory)
        for units, mean, product in zip(self.units, self._means, self._products, strict=True):
            here = values[:, units].astype(np.float64)
            mean.decay = product.decay = decay
            mean.update(here.mean(axis=0))
            product.update(here.T @ here / len(here))

    def subspaces(self, rank: Rank) -> list[Subspace]:
        both = zip(self._means, self._products, strict=True)
        return [of_covariance(p.value - np.outer(m.value, m.value), rank) for m, p in both]

    def state(self) -> dict[str, Floats]:
        named = {"mean": self._means, "product": self._products}
        return {
            f"{what}{k}/{key}": value
            for what, kept in named.items()
            for k, it in enumerate(kept)
            for key, value in it.state().items()
        }

    def restore(self, state: dict[str, Floats]) -> None:
        for what, kept in (("mean", self._means), ("product", self._products)):
            for k, it in enumerate(kept):
                it.restore(inner(state, f"{what}{k}"))


RECENT: dict[str, type[Recent]] = {kind.name: kind for kind in (Buffer, Running)}
