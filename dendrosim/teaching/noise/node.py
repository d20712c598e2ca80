"""Node perturbation: noise and a scalar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError, choose
from ..broadcast import REAL
from .base import Perturbing, in_blocks, to_credit

if TYPE_CHECKING:
    from ...networks.network import Network
    from ..lesson import Lesson

Floats = NDArray[Any]

REWARDS = ("loss", "correct")


class NodePerturbation(Perturbing):
    """Every sample's noise times what it did to that sample's loss (Werfel, Xie & Seung 2005), or to its reward.

    e = dl xi / sigma^2 has mean dL/dV_n, and for N units the variance (N + 1) |dL/dV|^2 of every single draw: no
    average over samples helps, as it does in a feedback matrix. One number per sample is told to all units.

    Parameters
    ----------
    perturbations : int, default 1
        Perturbed forward passes per step.
    reward : {"loss", "correct"}, default "loss"
        What is watched: the loss, or only whether the class is right (reward 1 or 0; credits then climb the expected
        reward under the noise, which has to be large enough to change an answer now and then).
    sigma : float, default 0.05
    baseline : {"clean", "running", "none"}, default "clean"
        "running" is the case of a reward that is known only with noise, compared with what is usual.
    noise, inject, antithetic, layers
        As for `VNC`.
    """

    name: ClassVar[str] = "node_perturbation"

    def __init__(
        self,
        perturbations: int = 1,
        reward: str = "loss",
        sigma: float = 0.05,
        baseline: str = "clean",
        noise: str = "rademacher",
        inject: str = "output",
        antithetic: bool = False,
        layers: str = "together",
    ) -> None:
        super().__init__(perturbations, sigma, noise, inject, antithetic, baseline, layers)
        self.reward = choose("reward", reward, REWARDS)

    def n_quantities(self, network: Network) -> int:
        return 1

    def quantities(self, lesson: Lesson, logits: Floats) -> Floats:
        y = lesson.targets
        if self.reward == "loss":
            losses: Floats = np.stack([lesson.loss.evaluate(each, y)[0] for each in logits])
            return losses[..., None]
        if y.ndim != 1 or y.dtype.kind not in "iu":
            raise ParameterError(
                f"reward='correct' needs class labels, whole numbers of shape (B,); the targets have shape {y.shape}; "
                "use reward='loss'"
            )
        wrong: Floats = (logits.argmax(axis=-1) != y).astype(logits.dtype)
        return wrong[..., None]

    def observe(self, lesson: Lesson) -> None:
        self.counted(lesson)
        self.steps += 1

    def credit(self, lesson: Lesson) -> None:
        lesson.credit[...] = 0.0
        for noise in self.noises(lesson):
            changes = in_blocks(lesson, self.changes(lesson, noise))
            lesson.credit += (noise * changes).sum(axis=0)
        weight = 1.0 / (self.draws * lesson.activity.n_samples * self.scale**2)
        lesson.credit *= weight.astype(lesson.credit.dtype)[:, None]
        to_credit(lesson, self.inject)

    def bits_per_sample(self, network: Network) -> float:
        """One change of the loss or reward for every draw of noise."""
        return REAL * self.draws
