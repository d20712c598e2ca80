"""Accuracy of a trained network when its input is disturbed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, short, whole
from ..errors import ParameterError

Floats = NDArray[np.float64]

_MOST_DRAWS = 1_000_000


class Predicts(Protocol):
    """Anything with logits: a Network or a PointMLP."""

    def predict(self, x: Any) -> Any: ...


class NoiseRobustness:
    """Accuracy against the level of input noise; made by `noise_robustness`.

    Attributes
    ----------
    levels : float array of shape (n_levels,)
        Standard deviation of the noise, in units of the input.
    accuracy : float array of shape (n_levels, draws)
        Share of right answers.
    """

    def __init__(self, levels: Floats, accuracy: Floats) -> None:
        self.levels, self.accuracy = levels, accuracy

    @property
    def mean(self) -> Floats:
        """Mean over draws, shape (n_levels,)."""
        found: Floats = self.accuracy.mean(axis=1)
        return found

    def __str__(self) -> str:
        lines = ["Accuracy under input noise", "", f"{'noise sd':>8}  {'mean':>6}  {'least':>6}  {'most':>6}"]
        for level, row in zip(self.levels, self.accuracy, strict=True):
            lines.append(f"{level:8g}  {row.mean():6.4f}  {row.min():6.4f}  {row.max():6.4f}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<NoiseRobustness: {self.levels.size} levels, {self.accuracy.shape[1]} draws>"


def noise_robustness(
    network: Predicts,
    x: ArrayLike,
    y: ArrayLike,
    *,
    levels: Sequence[float] = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0),
    draws: int = 3,
    seed: int = 0,
) -> NoiseRobustness:
    """Accuracy when Gaussian noise is added to the input.

    What falls below zero is set to zero, as presynaptic activity cannot be negative; nothing is cut off above.

    Parameters
    ----------
    network : Network or PointMLP
        Trained.
    x : float array of shape (B, n_inputs)
    y : int array of shape (B,)
        Classes.
    levels : sequence of float
        Standard deviations of the noise, in units of the input.
    draws : int, default 3
        Independent draws at each level. The same draw, scaled, serves all levels, so that levels are compared on the
        same noise.
    seed : int, default 0

    Returns
    -------
    NoiseRobustness

    Raises
    ------
    ParameterError
        If a level is negative, `draws` is no positive whole number, or the shapes do not fit.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> rng = np.random.default_rng(0)
    >>> network = ds.Network.dendritic(20, 3, [4], [2], 5, 5)
    >>> ds.diagnostics.noise_robustness(network, rng.random((50, 20)), rng.integers(0, 3, 50), levels=(0.0, 0.1))
    <NoiseRobustness: 2 levels, 3 draws>
    """
    if not callable(getattr(network, "predict", None)):
        raise ParameterError(f"network={short(network)} must have predict(x), as networks have")
    sizes = numbers("levels", levels).astype(np.float64)
    if sizes.ndim != 1 or not sizes.size or not np.isfinite(sizes).all() or (sizes < 0).any():
        raise ParameterError(f"levels={short(levels)} must be finite standard deviations of at least 0")
    draws, seed = whole("draws", draws, most=_MOST_DRAWS), whole("seed", seed, 0)
    clean, labels = numbers("x", x), numbers("y", y)
    if clean.ndim != 2 or labels.shape != clean.shape[:1]:
        raise ParameterError(f"x has shape {clean.shape} and y {labels.shape}; expected (B, n_inputs) and (B,)")
    accuracy = np.zeros((sizes.size, draws))
    for draw in range(draws):
        noise = np.random.default_rng([seed, draw]).standard_normal(clean.shape)
        for i, size in enumerate(sizes):
            disturbed = np.maximum(clean + size * noise, 0.0)
            accuracy[i, draw] = np.mean(np.asarray(network.predict(disturbed)).argmax(axis=1) == labels)
    return NoiseRobustness(sizes, accuracy)
