"""Noise at somas for the way to the outputs, noise at edges for the way along the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from .correlation import Correlation
from .draws import NOISES

if TYPE_CHECKING:
    from ...networks.network import Network
    from ..lesson import Lesson

Floats = NDArray[Any]


class Mirror(Correlation):
    """Feedback to somas from global noise correlation, and edge by edge gains from local noise (our construction).

    Noise at the outputs of somas is correlated with the network's outputs, as in `VNC`: a matrix of as many columns as
    there are cells, whose error does not grow with the size of the trees. Below, every compartment i makes noise of its
    own and its parent p correlates it with its own voltage: c_i = mean(xi_i dV_p) / sigma^2, which estimates
    R_p g_i with relative squared error (1 + sum_j c_j^2 / c_i^2) / K for normal noise, j over the children of p, in a
    tree of any size (after the weight mirrors of Akrout et al. 2019). Credits go down from the root,
    e_i = e_p c_i f'(V_i); c is one number per edge where R_p varies with the input. Local noise makes no forward pass.

    Parameters
    ----------
    perturbations : int, default 1
        Forward passes with perturbed somas per update, and rounds of local noise.
    sigma, noise, eta, interval, antithetic, baseline
        As for `VNC`; the outputs a = f(V) are perturbed.
    """

    name: ClassVar[str] = "mirror"

    def __init__(
        self,
        perturbations: int = 1,
        sigma: float = 0.05,
        noise: str = "rademacher",
        eta: float = 0.05,
        interval: int = 1,
        antithetic: bool = False,
        baseline: str = "clean",
    ) -> None:
        super().__init__(perturbations, sigma, noise, eta, interval, "output", antithetic, baseline, "together", "zero")

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        super().prepare(network, rng)
        layout = network.layout
        self._roots, self._parent = layout.roots, layout.parent
        child = np.flatnonzero(layout.parent >= 0)
        self._child = child[np.argsort(layout.parent[child], kind="stable")]  # siblings side by side
        if not hasattr(network, "slope"):
            raise ParameterError(
                "teaching='mirror' needs directed trees in a Network; for single neurons use 'vnc' or 'nmnc', or make "
                "a Network of them with Network.dendritic(..., trees=compartments)"
            )
        self._gain = np.zeros(layout.size, network.dtype)

    @property
    def gain(self) -> Floats:
        """c of every edge, a copy of shape (N,); 0 at roots."""
        return self._gain.copy()

    def directions(self, lesson: Lesson, draws: int) -> Floats:
        a = lesson.activity
        shape = (draws, a.n_blocks, self._roots.size, a.width)
        noise: Floats = np.zeros((draws, *lesson.credit.shape), a.dtype)
        noise[:, :, self._roots] = NOISES[self.noise].draw(shape, a.n_samples, a.dtype, lesson.rng)
        return noise

    def observe(self, lesson: Lesson) -> None:
        if self.steps % self.interval == 0:
            found = self.edges(lesson, self.local_noise(lesson))
            self._gain += self.eta * (found - self._gain)
        super().observe(lesson)

    def local_noise(self, lesson: Lesson) -> Floats:
        """Noise of every compartment of `lesson` for its parent to hear, (K, n_blocks, N, width)."""
        a = lesson.activity
        shape = (self.draws, a.n_blocks, self._parent.size, a.width)
        noise: Floats = NOISES[self.noise].draw(shape, a.n_samples, a.dtype, lesson.rng) * a.dtype.type(self.sigma)
        return noise

    def edges(self, lesson: Lesson, noise: Floats) -> Floats:
        """c of every edge of `lesson`, (N,), as parents find it from their voltage under their children's `noise`."""
        from scipy.sparse import csr_array

        a, child = lesson.activity, self._child
        up, siblings = np.unique(self._parent[child], return_counts=True)
        own = (lesson.network.coupling[child], np.arange(child.size), np.append(0, np.cumsum(siblings)))
        onto = csr_array(own, shape=(up.size, child.size))
        there = a.blocks(np.ones((a.n_samples, 1), a.dtype))
        found = np.zeros(self._parent.size)
        for draw in noise:
            for block in range(a.n_blocks):
                heard = draw[block, child]
                moved = (onto @ heard) * a.resistance[block, up] * there[block]
                found[child] += np.einsum("cw,cw->c", heard, np.repeat(moved, siblings, axis=0))
        found /= len(noise) * a.n_samples * self.sigma**2
        return found

    def credit(self, lesson: Lesson) -> None:
        from ...kernels import layers

        a, layout = lesson.activity, lesson.network.layout
        soma = np.matmul(self._matrix[self._roots], a.blocks(lesson.output_error))
        flat = (np.ones_like(a.derivative).reshape(-1), a.derivative.reshape(-1), soma.reshape(-1))
        tree = (layout.parent, layout.roots, self._gain, *flat, lesson.credit.reshape(-1))
        job: tuple[Any, ...] = (*tree, a.n_blocks, 0, layout.n_cells, a.lanes)
        layers.transport(*job)

    def metrics(self, lesson: Lesson) -> dict[str, float]:
        """Norm of the feedback to somas, and the mean gain of the edges above each layer."""
        found = {"passes": float(self.passes)}
        for k, name in enumerate(self._names):
            here = self._layer == k
            if (self._parent[here] < 0).all():
                found[f"norm/{name}"] = float(np.linalg.norm(self._matrix[here]))
            else:
                found[f"gain/{name}"] = float(self._gain[here].mean())
        return found

    def state(self) -> dict[str, Floats]:
        return {**super().state(), "gain": self._gain.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        super().restore(state)
        self._gain[...] = state["gain"]
