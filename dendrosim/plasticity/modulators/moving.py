"""Moving averages of means, variances and covariances, from minibatches or from single samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class MovingMoments:
    """Exponential moving moments of pairs (x, y), one pair per entry of `shape`.

    Parameters
    ----------
    shape : tuple of int
    alpha : float
        Rate; the first batch or sample counts fully, so that nothing is drawn towards 0.

    Attributes
    ----------
    values : float64 array of shape (5, *shape)
        Mean and variance of x, mean and variance of y, covariance.
    """

    def __init__(self, shape: tuple[int, ...], alpha: float) -> None:
        self.alpha = alpha
        self.values: Array = np.zeros((5, *shape))
        self.count = 0

    def batch(self, moments: Array) -> None:
        """Average in the moments (5, *shape) of a batch about its own means (local-credit paper, eq. 17)."""
        rate = self.alpha if self.count else 1.0
        self.values += rate * (moments - self.values)
        self.count += 1

    def sample(self, x: Array, y: Array) -> None:
        """Welford's recursion with a rate (eq. 20): deviations are taken from the means *before* this sample."""
        if self.count == 0:
            self.values[0], self.values[2] = x, y
        else:
            dx, dy = x - self.values[0], y - self.values[2]
            self.values += self.alpha * (np.stack([dx, dx * dx - self.values[1], dy, dy * dy - self.values[3],
                                                   dx * dy - self.values[4]]))  # fmt: skip
        self.count += 1

    def state(self) -> dict[str, Array]:
        """The moments and how many batches or samples went into them; copies."""
        return {"moments": self.values.copy(), "count": np.array(self.count)}

    def restore(self, state: dict[str, Array]) -> None:
        """Take over what `state` returned."""
        self.values[:] = state["moments"]
        self.count = int(state["count"].item())
