"""What a teaching signal is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..losses import Loss
    from ..networks.network import Network
    from .lesson import Lesson

Floats = NDArray[Any]


class Teaching(ABC):
    """Turns output errors, scores or rewards into credits: what each unit is told about the loss.

    Every training step calls `observe` once, for what the signal itself learns from the minibatch, and then `credit`.

    Attributes
    ----------
    frozen_core : bool
        Whether only the decoder learns; no credit is asked for then.
    estimates : bool
        Whether credits may differ from the exact ones, so that training keeps a record of how close they are.
    needs_decoder : bool
        Whether it asks for something that only a decoder that learns can give.
    passes : int
        Forward passes of a whole minibatch made since `prepare`, besides the one that every step makes.
    """

    name: ClassVar[str]
    frozen_core: ClassVar[bool] = False
    estimates: ClassVar[bool] = True
    needs_decoder: bool = False
    passes: int = 0

    def prepare(self, network: Network, rng: np.random.Generator) -> None:  # noqa: B027
        """Draw what is fixed for a whole training by `rng`, and see that the `network` suits.

        Raises
        ------
        ParameterError
            If the combination is impossible; it names one that works.
        """

    def suits(self, loss: Loss) -> None:  # noqa: B027
        """See that the signal can do with a `loss`.

        Raises
        ------
        ParameterError
            If it cannot; it names what works.
        """

    def observe(self, lesson: Lesson) -> None:  # noqa: B027
        """Learn from the minibatch of `lesson` what the signal itself has to learn, before its credits are told."""

    @abstractmethod
    def credit(self, lesson: Lesson) -> None:
        """Fill ``lesson.credit`` with estimates of dL/dV_n; changes nothing else."""

    @property
    def weights(self) -> dict[str, Floats]:
        """Feedback weights that learn by `weight_gradients`, as the decoder does: its optimiser, rate and decay."""
        return {}

    def weight_gradients(self, lesson: Lesson) -> dict[str, Floats]:
        """What the minibatch of `lesson` asks of `weights`."""
        return {}

    def amend(self, lesson: Lesson, gradients: dict[str, Floats]) -> None:  # noqa: B027
        """Add to the `gradients` by raw parameters what the signal asks of them in `lesson` besides its credits."""

    def metrics(self, lesson: Lesson) -> dict[str, float]:
        """Numbers for the record about the signal's own state, at the minibatch of `lesson`."""
        return {}

    @abstractmethod
    def bits_per_sample(self, network: Network) -> float:
        """Bandwidth: bits that must reach the dendrites of a `network` per sample, 32 per real number."""

    def state(self) -> dict[str, Floats]:
        """What changes or was drawn, for an exact resume."""
        return {}

    def restore(self, state: dict[str, Floats]) -> None:  # noqa: B027
        """Go back to what `state` returned."""
