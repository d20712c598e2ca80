"""Noise correlation on the manifold of activity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import whole
from ...errors import choose
from ..running import inner, outer
from .base import perturbed_activity
from .correlation import Correlation
from .draws import NOISES
from .subspace import RECENT, Rank, Subspace, of_samples, rank_given

if TYPE_CHECKING:
    from ...networks.network import Network
    from ..lesson import Lesson

Floats = NDArray[Any]

SPECTRA = ("flat", "activity")


class NMNC(Correlation):
    """Noise only along the directions in which activity of each layer varies (arXiv 2601.02636).

    With U the principal components of a layer's recent activity and z noise, xi = sigma U z: the estimate has mean
    J U U^T, relative squared error alpha (r + 1) / K + 1 - alpha for normal noise in r dimensions, with
    ``alpha = |J U|^2 / |J|^2`` (derived here), and units get no credit outside span(U). In all directions it is `VNC`.

    Parameters
    ----------
    rank : int, float or "participation", default 0.9
        Dimensions r; or the share of the variance that they capture; or the participation ratio, rounded up.
    refresh : int, default 20
        Steps from one computation of U to the next.
    memory : int, default 512
        Recent samples that U comes from.
    manifold : {"buffer", "running"}, default "buffer"
        Whether these are kept, or their covariance as an exponential running mean.
    spectrum : {"flat", "activity"}, default "flat"
        Whether noise is as large in all r directions, or has the spectrum of activity (and the same energy); then the
        estimate is J times the covariance of the activity within U, over its mean variance: a natural credit.
    perturbations, sigma, noise, eta, interval, inject, antithetic, baseline, layers, init
        As for `VNC`.
    """

    name: ClassVar[str] = "nmnc"

    def __init__(
        self,
        rank: Rank = 0.9,
        refresh: int = 20,
        memory: int = 512,
        manifold: str = "buffer",
        spectrum: str = "flat",
        perturbations: int = 1,
        sigma: float = 0.05,
        noise: str = "rademacher",
        eta: float = 0.05,
        interval: int = 1,
        inject: str = "output",
        antithetic: bool = False,
        baseline: str = "clean",
        layers: str = "together",
        init: str = "zero",
    ) -> None:
        super().__init__(perturbations, sigma, noise, eta, interval, inject, antithetic, baseline, layers, init)
        self.rank = rank_given(rank)
        self.refresh = whole("refresh", refresh)
        self.memory = whole("memory", memory)
        self.manifold = choose("manifold", manifold, RECENT)
        self.spectrum = choose("spectrum", spectrum, SPECTRA)

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        super().prepare(network, rng)
        self._recent = RECENT[self.manifold](self._layer, self.memory)
        self._spaces: list[Subspace] = []

    def observe(self, lesson: Lesson) -> None:
        later = -self.steps % self.refresh
        if self._recent.wants(later, lesson.activity.n_samples):
            self._recent.take(perturbed_activity(lesson, self.inject))
        if later == 0:
            self._spaces = self._recent.subspaces(self.rank)
        super().observe(lesson)

    def directions(self, lesson: Lesson, draws: int) -> Floats:
        a, bases = lesson.activity, self.bases(lesson)
        ends = np.cumsum([basis.shape[1] for basis in bases])
        shape = (draws, a.n_blocks, int(ends[-1]), a.width)
        drawn = NOISES[self.noise].draw(shape, a.n_samples, a.dtype, lesson.rng)
        noise: Floats = np.empty((draws, *lesson.credit.shape), a.dtype)
        for units, basis, end in zip(self._recent.units, bases, ends, strict=True):
            noise[:, :, units] = np.matmul(basis, drawn[:, :, end - basis.shape[1] : end])
        return noise

    def bases(self, lesson: Lesson) -> list[Floats]:
        """What independent noise of each layer of `lesson` is multiplied by, (units, rank)."""
        found = []
        for space in self.subspaces(lesson):
            basis = space.basis
            if self.spectrum == "activity" and space.variances.size:
                basis = basis * np.sqrt(space.variances / space.variances.mean())
            found.append(basis.astype(lesson.activity.dtype))
        return found

    def spread(self, lesson: Lesson) -> Floats:
        """The same for all units of `lesson` at once, (N, sum of ranks)."""
        bases = self.bases(lesson)
        ends = np.cumsum([basis.shape[1] for basis in bases])
        spread = np.zeros((self._layer.size, int(ends[-1])), lesson.activity.dtype)
        for units, basis, end in zip(self._recent.units, bases, ends, strict=True):
            spread[units, end - basis.shape[1] : end] = basis
        return spread

    def subspaces(self, lesson: Lesson) -> list[Subspace]:
        """The subspace of each layer, of the last refresh; before the first, that of the minibatch."""
        if self._spaces:
            return self._spaces
        values = perturbed_activity(lesson, self.inject)
        return [of_samples(values[:, units], self.rank) for units in self._recent.units]

    def state(self) -> dict[str, Floats]:
        bases = {
            f"space{k}/{what}": np.asarray(getattr(space, what))
            for k, space in enumerate(self._spaces)
            for what in ("basis", "variances", "total")
        }
        return {**super().state(), **outer(self._recent.state(), "recent"), **bases}

    def restore(self, state: dict[str, Floats]) -> None:
        super().restore(state)
        self._recent.restore(inner(state, "recent"))
        parts = [inner(state, f"space{k}") for k in range(len(self._names))]
        self._spaces = [Subspace(p["basis"], p["variances"], float(p["total"])) for p in parts if p]
