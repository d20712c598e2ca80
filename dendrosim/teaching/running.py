"""Running means that are right from the first minibatch on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]


class RunningMean:
    """Exponential running mean without the pull of a start at zero.

    After t updates the weights of what was seen are proportional to decay^(t - 1), ..., decay, 1 and sum to one.

    Parameters
    ----------
    shape : tuple of int
    decay : float, default 0.99
        A memory of about a hundred minibatches.

    Attributes
    ----------
    value : float64 array
        Zero before the first update.
    count : int
        Number of updates.
    """

    def __init__(self, shape: tuple[int, ...], decay: float = 0.99) -> None:
        self.decay = decay
        self.value: Floats = np.zeros(shape)
        self.count = 0

    def update(self, new: Floats | float) -> None:
        """Take in what a minibatch gave."""
        self.count += 1
        self.value += (1.0 - self.decay) / (1.0 - self.decay**self.count) * (new - self.value)

    def state(self) -> dict[str, Floats]:
        """Copies."""
        return {"value": self.value.copy(), "count": np.array(self.count)}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""
        self.value[...] = state["value"]
        self.count = int(state["count"].item())


def inner(state: dict[str, Floats], part: str) -> dict[str, Floats]:
    """The entries of a state whose names begin with ``part/``, without that."""
    return {key.split("/", 1)[1]: value for key, value in state.items() if key.startswith(f"{part}/")}


def outer(state: dict[str, Floats], part: str) -> dict[str, Floats]:
    """A state with ``part/`` before every name."""
    return {f"{part}/{key}": value for key, value in state.items()}
