"""A feedback matrix learned from what noise at every unit does to the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import number, whole
from ...errors import choose
from ..broadcast import REAL
from ..per_soma import random_feedback
from .base import Perturbing, in_blocks, perturbed_activity, to_credit
from .subspace import PARTICIPATION, Subspace, of_samples

if TYPE_CHECKING:
    from ...networks.network import Network
    from ..lesson import Lesson

Floats = NDArray[Any]

INITIAL = ("zero", "random")


class Correlation(Perturbing):
    """Feedback from the outputs by a matrix that follows the correlation of noise with output changes.

    With dy the changes of the outputs and xi the noise, J = mean(dy xi^T) / sigma^2 estimates dy/dV_n (or by what is
    perturbed), and the feedback matrix follows it: B <- (1 - eta) B + eta J. Credits are the scores times B. Where the
    true derivative varies with the input, B is its mean over inputs. Unbiased where the way from n to the outputs is
    affine; otherwise the bias is of the order of sigma^2.
    """

    _matrix: Floats

    def __init__(
        self,
        perturbations: int,
        sigma: float,
        noise: str,
        eta: float,
        interval: int,
        inject: str,
        antithetic: bool,
        baseline: str,
        layers: str,
        init: str,
    ) -> None:
        super().__init__(perturbations, sigma, noise, inject, antithetic, baseline, layers)
        self.eta = number("eta", eta, above=0.0, most=1.0)
        self.interval = whole("interval", interval)
        self.init = choose("init", init, INITIAL)

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        super().prepare(network, rng)
        size = network.layout.size
        self._matrix = np.zeros((size, network.n_outputs), network.dtype)
        if self.init == "random":
            self._matrix = random_feedback(size, network, 1.0, rng)

    def n_quantities(self, network: Network) -> int:
        return network.n_outputs

    def quantities(self, lesson: Lesson, logits: Floats) -> Floats:
        return logits

    @property
    def feedback(self) -> Floats:
        """The feedback matrix, a copy of shape (n_outputs, N)."""
        return self._matrix.T.copy()

    def estimate(self, lesson: Lesson, noise: Floats) -> Floats:
        """Derivatives of the outputs by what is perturbed, (N, n_outputs), from noise (K, n_blocks, N, width)."""
        changes = in_blocks(lesson, self.changes(lesson, noise))
        total: Floats = np.matmul(noise, changes.transpose(0, 1, 3, 2)).sum(axis=(0, 1))
        total /= (len(noise) * lesson.activity.n_samples * self.scale**2)[:, None]
        return total

    def observe(self, lesson: Lesson) -> None:
        if self.steps % self.interval == 0:
            parts = self.noises(lesson)
            found = np.sum([len(part) / self.draws * self.estimate(lesson, part) for part in parts], axis=0)
            moved = self._layer == self.turn if self.layers == "in_turn" else slice(None)
            self._matrix[moved] += self.eta * (found[moved] - self._matrix[moved])
            self.counted(lesson)
        self.steps += 1

    def credit(self, lesson: Lesson) -> None:
        np.matmul(self._matrix, lesson.activity.blocks(lesson.output_error), out=lesson.credit)
        to_credit(lesson, self.inject)

    def bits_per_sample(self, network: Network) -> float:
        """The scores, and the changes of the outputs under every draw of noise."""
        return REAL * network.n_outputs * (1.0 + self.draws / self.interval)

    def subspaces(self, lesson: Lesson) -> list[Subspace]:
        """The subspace that each layer's activity keeps to: of the minibatch, as many as its participation ratio."""
        values = perturbed_activity(lesson, self.inject)
        return [of_samples(values[:, self._layer == k], PARTICIPATION) for k in range(len(self._names))]

    def metrics(self, lesson: Lesson) -> dict[str, float]:
        """Per layer: norm of the feedback matrix; rank of the subspace that activity keeps to, the share of the
        activity's variance that it captures, and the share `alpha` of the feedback's energy that lies within."""
        found = {"passes": float(self.passes)}
        for k, (name, space) in enumerate(zip(self._names, self.subspaces(lesson), strict=True)):
            here = self._matrix[self._layer == k].T.astype(np.float64)
            told = {"norm": float(np.linalg.norm(here)), "rank": float(space.basis.shape[1])}
            told |= {"captured": space.captured, "alpha": space.holds(here)}
            found |= {f"{what}/{name}": value for what, value in told.items()}
        return found

    def state(self) -> dict[str, Floats]:
        return {**super().state(), "feedback": self._matrix.copy()}

    def restore(self, state: dict[str, Floats]) -> None:
        super().restore(state)
        self._matrix[...] = state["feedback"]
