"""Backpropagation through the point-neuron baseline, with the interface of a `Learner`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import number, short
from ..errors import ParameterError, choose
from ..losses import loss as loss_named
from ..networks.mlp import PointMLP
from .optimisers import Optimiser, bound_norm, rates_given
from .optimisers import optimiser as optimiser_named

Floats = NDArray[Any]

GROUPS = ("hidden", "decoder")
RATE = 1e-3
"""Of both layers, as in the published runs of backpropagation."""


def _name(given: object) -> object:
    """Name of an object, of the table of an experiment file without further options, or the name itself."""
    if isinstance(given, Mapping) and set(given) == {"name"}:
        return given["name"]
    return getattr(given, "name", given)


class Backprop:
    """Gradient descent on a `PointMLP`; changes it in place.

    Parameters
    ----------
    network : PointMLP
    teaching : {"exact", "decoder_only"}, default "exact"
        Backpropagation, or a readout of random hidden units.
    rule : {"3F"}, default "3F"
        Input, derivative, error: what backpropagation is.
    optimiser : str or Optimiser, default "adam"
    rates : dict or float, optional
        Learning rates of ``hidden`` and ``decoder``, 1e-3 by default.
    decoder : {"local", "exact", "frozen"}, default "local"
        The decoder is linear: its local update is its exact gradient.
    clip_value : float or None, default 5.0
        Bound on every value of a gradient.
    clip_norm : float or None, default None
        Bound on the Euclidean norm of all gradients together.
    seed : int or numpy SeedSequence, default 0
        Nothing is drawn.
    threads : int, optional
        As `Learner` takes it, and without effect: products of matrices are numpy's, whose threads OPENBLAS_NUM_THREADS,
        or the like, sets.

    Raises
    ------
    ParameterError
        If dendritic teaching signals or rules are asked for; names what works.
    """

    def __init__(
        self,
        network: PointMLP,
        teaching: object = "exact",
        rule: object = "3F",
        *,
        optimiser: str | Optimiser = "adam",
        rates: Mapping[str, float] | float | None = None,
        loss: Any = "cross_entropy",
        decay: float = 0.0,
        decoder: str = "local",
        clip_value: float | None = 5.0,
        clip_norm: float | None = None,
        seed: int | np.random.SeedSequence = 0,
        threads: int | None = None,
    ) -> None:
        self.network, self.loss, self.decay = network, loss_named(loss), decay
        name = _name(teaching)
        if name not in ("exact", "decoder_only"):
            raise ParameterError(
                f"teaching={short(name)} needs dendrites; a point MLP learns with teaching='exact' (backpropagation), "
                "or 'decoder_only'"
            )
        if _name(rule) != "3F":
            raise ParameterError(f"rule={short(rule)} needs dendrites; a point MLP learns with rule='3F'")
        self.teaching, self.rule = str(name), "3F"
        self.frozen = {
            "hidden": name == "decoder_only",
            "decoder": choose("decoder", decoder, ("local", "exact", "frozen")) == "frozen",
        }
        self.rates = rates_given(rates, dict.fromkeys(GROUPS, RATE))
        self.rate_factor = 1.0
        self.optimiser = optimiser_named(optimiser, clip_value)
        self.clip_norm = None if clip_norm is None else number("clip_norm", clip_norm, above=0.0)
        self.threads = 1 if threads is None else int(number("threads", threads, least=1))

    def gradients(self, x: Floats, y: NDArray[np.int64]) -> tuple[dict[str, Floats], float, int]:
        """Gradients of the mean cross-entropy, named as ``network.parameters``, the loss, and the number right.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        y : int array of shape (B,)
        """
        h, logits = self.network.run(x)
        losses, error = self.loss.evaluate(logits, y)
        error /= len(x)
        correct = int((logits.argmax(axis=1) == y).sum())
        back = error @ self.network.parameters["decoder_weight"]
        back *= h > 0
        values = {
            "hidden_weight": back.T @ x,
            "hidden_bias": back.sum(axis=0),
            "decoder_weight": error.T @ h,
            "decoder_bias": error.sum(axis=0),
        }
        return {name: v for name, v in values.items() if not self.frozen[_group(name)]}, float(losses.mean()), correct

    def step(self, x: Floats, y: NDArray[np.int64]) -> tuple[float, int]:
        """Learn from a minibatch; returns its mean loss and the number of right answers, both before the step."""
        values, loss, correct = self.gradients(x, y)
        if self.clip_norm is not None:
            bound_norm(values, self.clip_norm)
        self.optimiser.advance()
        for name, v in values.items():
            rate = self.rates[_group(name)] * self.rate_factor
            self.optimiser.update(name, self.network.parameters[name], v, rate)
        return loss, correct

    def state(self) -> dict[str, Floats]:
        """The optimiser's state, as copies."""
        return self.optimiser.state()

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""
        self.optimiser.restore(state)


def _group(parameter: str) -> str:
    return parameter.partition("_")[0]
