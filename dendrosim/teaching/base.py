"""What a teaching signal is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..networks.network import Network
    from .lesson import Lesson

Floats = NDArray[Any]


class Teaching(ABC):
    """Turns output errors into credits: what each compartment is told about the loss.

    Attributes
    ----------
    frozen_core : bool
        Whether only the decoder learns; no credit is asked for then.
    """

    name: ClassVar[str]
    frozen_core: ClassVar[bool] = False

    def prepare(self, network: Network, rng: np.random.Generator) -> None:  # noqa: B027
        """Draw what is fixed for a whole training, and see that the network suits.

        Raises
        ------
        ParameterError
            If the combination is impossible; it names one that works.
        """

    @abstractmethod
    def credit(self, lesson: Lesson) -> None:
        """Fill ``lesson.credit`` with estimates of dL/dV_n."""

    @abstractmethod
    def bits_per_sample(self, network: Network) -> float:
        """Bandwidth: bits that must reach the dendrites per sample, 32 per real number."""

    def state(self) -> dict[str, Floats]:
        """What changes or was drawn, for an exact resume."""
        return {}

    def restore(self, state: dict[str, Floats]) -> None:  # noqa: B027
        """Go back to what `state` returned."""
