"""What is asked of activities besides to teach: power, entropy and sparsity (Erdogan et al. 2025, arXiv 2504.11558).

Each is an objective of the activities h of a minibatch, and adds its derivative by h, times f'(V), to the credit:
gradients of the mean loss and of the objective are descended together. Without them correlations with the score can be
made small by silence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import number, short
from ..construct import call_of
from ..errors import ParameterError

Floats = NDArray[Any]
PerLayer = float | Sequence[float]


class Regulariser(ABC):
    """An objective of the activities of a minibatch.

    Activities are in blocks, [n_blocks, N, width]; lanes past the last sample have no part in anything.
    """

    name: ClassVar[str]

    def prepare(self, layout: Any) -> None:  # noqa: B027
        """Get ready for the units of a model."""

    def observe(self, h: Floats, n_samples: int) -> None:  # noqa: B027
        """Take notice of a minibatch, before its credits."""

    @abstractmethod
    def derivative(self, h: Floats, n_samples: int) -> Iterator[tuple[int, int, Floats]]:
        """Block, number of samples in it, and B times the derivative by their activities, (N, samples)."""

    def add(self, h: Floats, slope: Floats | None, n_samples: int, credit: Floats) -> None:
        """Add the derivatives by voltages to the credit; `slope` is f'(V), or None if h is the voltage."""
        for k, w, term in self.derivative(h, n_samples):
            if slope is not None:
                term *= slope[k, :, :w]
            term /= n_samples
            credit[k, :, :w] += term

    def state(self) -> dict[str, Floats]:
        """What was learned, as copies."""
        return {}

    def restore(self, state: dict[str, Floats]) -> None:  # noqa: B027
        """Go back to what `state` returned."""

    def __repr__(self) -> str:
        return call_of(self)


class Power(Regulariser):
    """The mean square of every unit at a target: strength * sum_n (mean_b h_n^2 - target)^2.

    Parameters
    ----------
    strength, target : float or one per layer
        Not negative.
    """

    name: ClassVar[str] = "power"

    def __init__(self, strength: PerLayer, target: PerLayer) -> None:
        self.strength, self.target = not_negative("power strength", strength), not_negative("power target", target)

    def prepare(self, layout: Any) -> None:
        self._strength = of_units("power strength", self.strength, layout)
        self._target = of_units("power target", self.target, layout)

    def derivative(self, h: Floats, n_samples: int) -> Iterator[tuple[int, int, Floats]]:
        mean = sum(np.einsum("nw,nw->n", part, part) for _, _, part in samples_of(h, n_samples)) / n_samples
        factor = (4.0 * self._strength * (mean - self._target)).astype(h.dtype)[:, None]
        for k, w, part in samples_of(h, n_samples):
            yield k, w, factor * part


class Entropy(Regulariser):
    """More entropy in every layer: -strength / 2 * logdet A, A the running second moment of the layer.

    A <- decay A + (1 - decay) / B sum_b h h^T, from ridge times the identity on. The derivative counts the present
    minibatch only, so that it has the factor 1 - decay. The inverse of A is followed instead of A, by Woodbury's
    identity where a minibatch has fewer samples than the layer has units. (In the paper the ridge is added to a moment
    that starts without one, at every step; here it fades as decay^steps.)

    Parameters
    ----------
    strength : float or one per layer
        Layers of strength 0 cost nothing.
    ridge : float, default 1e-2
    decay : float, default 0.99999
        The published one.
    """

    name: ClassVar[str] = "entropy"

    def __init__(self, strength: PerLayer, ridge: float = 1e-2, decay: float = 0.99999) -> None:
        self.strength = not_negative("entropy strength", strength)
        self.ridge = number("entropy ridge", ridge, above=0.0)
        self.decay = number("entropy decay", decay, above=0.0, most=1.0)
        if self.decay == 1.0:
            raise ParameterError("entropy decay=1 never takes in a minibatch; use a decay below 1, such as 0.99999")

    def prepare(self, layout: Any) -> None:
        strength = of_units("entropy strength", self.strength, layout)
        self._layers: list[tuple[NDArray[np.int64], float]] = []
        self._inverse: list[Floats] = []
        for i in range(layout.n_layers):
            units = np.flatnonzero(layout.layer == i)
            if strength[units[0]] > 0.0:
                self._layers.append((units, float(strength[units[0]])))
                self._inverse.append(np.eye(units.size) / self.ridge)

    def observe(self, h: Floats, n_samples: int) -> None:
        for i, (units, _) in enumerate(self._layers):
            columns = np.concatenate([part[units] for _, _, part in samples_of(h, n_samples)], axis=1)
            self._inverse[i] = updated_inverse(self._inverse[i], columns.astype(np.float64), self.decay)

    def derivative(self, h: Floats, n_samples: int) -> Iterator[tuple[int, int, Floats]]:
        scaled = [
            (units, (-strength * (1.0 - self.decay) * inverse).astype(h.dtype))
            for (units, strength), inverse in zip(self._layers, self._inverse, strict=True)
        ]
        for k, w, part in samples_of(h, n_samples):
            term = np.zeros(part.shape, h.dtype)
            for units, matrix in scaled:
                term[units] = matrix @ part[units]
            yield k, w, term

    def state(self) -> dict[str, Floats]:
        return {str(i): inverse.copy() for i, inverse in enumerate(self._inverse)}

    def restore(self, state: dict[str, Floats]) -> None:
        self._inverse = [state[str(i)].copy() for i in range(len(self._layers))]


class Sparsity(Regulariser):
    """Small activities: strength * mean_b sum_n |h_n|.

    Parameters
    ----------
    strength : float or one per layer
    """

    name: ClassVar[str] = "sparsity"

    def __init__(self, strength: PerLayer) -> None:
        self.strength = not_negative("sparsity strength", strength)

    def prepare(self, layout: Any) -> None:
        self._strength = of_units("sparsity strength", self.strength, layout)

    def derivative(self, h: Floats, n_samples: int) -> Iterator[tuple[int, int, Floats]]:
        factor = self._strength.astype(h.dtype)[:, None]
        for k, w, part in samples_of(h, n_samples):
            yield k, w, factor * np.sign(part)


def samples_of(h: Floats, n_samples: int) -> Iterator[tuple[int, int, Floats]]:
    """Blocks: index, number of samples, and their columns."""
    width = h.shape[2]
    for k in range(h.shape[0]):
        w = min(width, n_samples - k * width)
        yield k, w, h[k, :, :w]


def updated_inverse(inverse: Floats, columns: Floats, decay: float) -> Floats:
    """Inverse of decay A + (1 - decay) H H^T / B from the inverse P of A and H (d, B), in O(d^2 B) or O(d^3).

    With fewer samples than units by Woodbury's identity, P H (B decay / (1 - decay) I + H^T P H)^-1 H^T P being taken
    from P; else as the solution X of (decay I + P K) X = P, K = (1 - decay) H H^T / B.
    """
    from scipy.linalg import solve

    d, n = columns.shape
    if n < d:
        wide = inverse @ columns
        small = columns.T @ wide
        small[np.diag_indices(n)] += n * decay / (1.0 - decay)
        new = (inverse - wide @ solve(small, wide.T, assume_a="pos")) / decay
    else:
        new = np.linalg.solve(decay * np.eye(d) + inverse @ (columns @ columns.T) * ((1.0 - decay) / n), inverse)
    symmetric: Floats = 0.5 * (new + new.T)
    return symmetric


def not_negative(name: str, value: Any) -> PerLayer:
    """A number, or a list of them, each at least 0."""
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [number(f"{name}[{i}]", v, least=0.0) for i, v in enumerate(value)]
    return number(name, value, least=0.0)


def of_units(name: str, value: PerLayer, layout: Any) -> Floats:
    """A number for every unit, shape (N,), from one for all or one per layer."""
    if not isinstance(value, Sequence):
        return np.full(layout.size, float(value))
    if len(value) != layout.n_layers:
        layers = ", ".join(layer_names(layout))
        raise ParameterError(
            f"{name}={short(list(value))} has {len(value)} values; the model has {layout.n_layers} layers: {layers}"
        )
    each: Floats = np.asarray(value, np.float64)[layout.layer]
    return each


def layer_names(layout: Any) -> list[str]:
    """``"population/stage k"`` of every layer."""
    return [f"{population}/stage {stage}" for population, stage in layout.layers]


REGULARISERS: dict[str, type[Regulariser]] = {kind.name: kind for kind in (Power, Entropy, Sparsity)}
