"""What a modulator is: one factor of a rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arguments import number, short
from ...construct import call_of
from ...errors import ParameterError

if TYPE_CHECKING:
    from ...networks.network import Network
    from ...teaching.lesson import TreeLesson

Array = NDArray[Any]


class Modulator(ABC):
    """Scales the updates of a lesson, or adds to its credit. State starts in `prepare`, and is its own.

    A new modulator is one subclass, registered in ``dendrosim.plasticity.modulators``: it keeps the arguments of its
    constructor under their own names, and whatever changes from lesson to lesson in what `state` returns.
    """

    name: ClassVar[str]
    shorthand: ClassVar[str]
    """The option that a bare value stands for in an experiment file, as in ``path = "compartment"``."""
    turn: ClassVar[int] = 1
    """Modulators act in this order: 0 on what is broadcast, 1 as factors, 2 on what is added."""

    def prepare(self, network: Network) -> None:  # noqa: B027
        """Get ready for a `network`: a new start, whatever was learned before.

        Raises
        ------
        ParameterError
            If this modulator cannot work with the network.
        """

    @abstractmethod
    def modulate(self, lesson: TreeLesson) -> None:
        """Multiply ``lesson.factor`` or ``lesson.coupling_factor``, or change ``lesson.credit``."""

    def amend(self, lesson: TreeLesson, gradients: dict[str, Array]) -> None:  # noqa: B027
        """Add to `gradients` by raw parameters at a `lesson`, after all factors: for what is not a credit."""

    def state(self) -> dict[str, Array]:
        """Everything that a resumed run needs to go on with the same bits; copies."""
        return {}

    def restore(self, state: dict[str, Array]) -> None:
        """Take over what `state` returned, after `prepare` with the same network.

        Raises
        ------
        ParameterError
            If the names or shapes are not those of this modulator.
        """
        own = self.state()
        if set(state) != set(own):
            raise ParameterError(f"state of {self.name} has {sorted(state)}; expected {sorted(own)}")
        for key, value in state.items():
            if np.shape(value) != own[key].shape:
                raise ParameterError(
                    f"state of {self.name}: {key} has shape {np.shape(value)}; expected {own[key].shape}: "
                    "it belongs to another network"
                )

    def __repr__(self) -> str:
        return call_of(self)


def limits(name: str, value: Any) -> tuple[float, float] | None:
    """Two ascending numbers between which a factor is kept, or None.

    Raises
    ------
    ParameterError
        If it is anything else.
    """
    if value is None:
        return None
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ParameterError(f"{name}={short(value)} must be None or two numbers, lowest and highest")
    low, high = number(f"{name}[0]", value[0]), number(f"{name}[1]", value[1])
    if low > high:
        raise ParameterError(f"{name}={short(value)} must be ascending")
    return low, high


def kept(factor: Array, clamp: tuple[float, float] | None) -> Array:
    """`factor` moved into the limits."""
    return factor if clamp is None else np.clip(factor, *clamp)
