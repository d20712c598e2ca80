"""Decoders: from the outputs of the read cells to the logits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import several, short, whole
from ..errors import ParameterError

Floats = NDArray[Any]
Parameters = dict[str, Floats]


class Decoder(ABC):
    """A map from h, shape (B, n_readout), to logits of shape (B, n_outputs).

    Attributes
    ----------
    local : bool
        Whether its exact gradient needs nothing but what its own two ends carry.
    """

    name: ClassVar[str]
    local: ClassVar[bool]

    @abstractmethod
    def initial(self, n_in: int, n_out: int, rng: np.random.Generator) -> Parameters:
        """Initial parameters, under names that begin with ``decoder``."""

    @abstractmethod
    def forward(self, parameters: Parameters, h: Floats) -> Floats:
        """Logits."""

    @abstractmethod
    def backward(self, parameters: Parameters, h: Floats, error: Floats) -> tuple[Parameters, Floats]:
        """Gradients of the parameters, and dL/dh, from dL/dlogits of shape (B, n_outputs)."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Arguments that make an equal decoder."""


def _uniform(n_in: int, n_out: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Weights of shape (n_out, n_in) and biases, uniform within 1 / sqrt(n_in) (He et al. 2015 as PyTorch does it)."""
    bound = 1.0 / np.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)


class Linear(Decoder):
    """``h W^T + b``; its local update, error times activity, is its exact gradient."""

    name = "linear"
    local = True

    def initial(self, n_in: int, n_out: int, rng: np.random.Generator) -> Parameters:
        weight, bias = _uniform(n_in, n_out, rng)
        return {"decoder_weight": weight, "decoder_bias": bias}

    def forward(self, parameters: Parameters, h: Floats) -> Floats:
        logits: Floats = h @ parameters["decoder_weight"].T + parameters["decoder_bias"]
        return logits

    def backward(self, parameters: Parameters, h: Floats, error: Floats) -> tuple[Parameters, Floats]:
        gradients = {"decoder_weight": error.T @ h, "decoder_bias": error.sum(axis=0)}
        return gradients, error @ parameters["decoder_weight"]

    def options(self) -> dict[str, Any]:
        return {}


class MLP(Decoder):
    """Rectified linear hidden layers, then a linear one.

    Parameters
    ----------
    hidden : sequence of int
        Widths of the hidden layers.
    """

    name = "mlp"
    local = False

    def __init__(self, hidden: Sequence[int] = (32, 16)) -> None:
        hint = "positive widths such as [32, 16]; for none use 'linear'"
        self.hidden = tuple(whole("a width of hidden", width) for width in several("hidden", hidden, hint))
        if not self.hidden:
            raise ParameterError(f"hidden={short(hidden)} must be {hint}")

    def initial(self, n_in: int, n_out: int, rng: np.random.Generator) -> Parameters:
        widths = [n_in, *self.hidden, n_out]
        made = {}
        for i, (a, b) in enumerate(pairwise(widths)):
            made[f"decoder_weight_{i}"], made[f"decoder_bias_{i}"] = _uniform(a, b, rng)
        return made

    def _layers(self, parameters: Parameters, h: Floats) -> list[Floats]:
        """Input of every layer, and the logits."""
        values = [h]
        for i in range(len(self.hidden) + 1):
            out = values[-1] @ parameters[f"decoder_weight_{i}"].T + parameters[f"decoder_bias_{i}"]
            values.append(np.maximum(out, 0) if i < len(self.hidden) else out)
        return values

    def forward(self, parameters: Parameters, h: Floats) -> Floats:
        return self._layers(parameters, h)[-1]

    def backward(self, parameters: Parameters, h: Floats, error: Floats) -> tuple[Parameters, Floats]:
        values = self._layers(parameters, h)
        gradients = {}
        for i in range(len(self.hidden), -1, -1):
            gradients[f"decoder_weight_{i}"] = error.T @ values[i]
            gradients[f"decoder_bias_{i}"] = error.sum(axis=0)
            error = error @ parameters[f"decoder_weight_{i}"]
            if i > 0:
                error = error * (values[i] > 0)
        return gradients, error

    def options(self) -> dict[str, Any]:
        return {"hidden": list(self.hidden)}


DECODERS: dict[str, type[Decoder]] = {kind.name: kind for kind in (Linear, MLP)}
