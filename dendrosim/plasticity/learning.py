"""What learners of all kinds of model share: gradients of a minibatch from a teaching signal, and steps along them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import generator, number
from ..errors import ParameterError, choose
from ..losses import Loss
from ..losses import loss as loss_named
from ..teaching import Teaching
from ..teaching import teaching as teaching_named
from .optimisers import Optimiser, bound_norm, decay_given, rates_given
from .optimisers import optimiser as optimiser_named
from .rules import Rule
from .rules import rule as rule_named

Floats = NDArray[Any]

DECODER_UPDATES = ("local", "exact", "frozen")
FEEDBACK = "feedback"
"""Beginning of the names of the weights of a teaching signal, among those that the optimiser keeps moments of."""


@dataclass(frozen=True)
class Gradients:
    """What a minibatch asks of the raw parameters: an estimate of the gradient of its mean loss.

    Attributes
    ----------
    values : dict of arrays
        Under the names and in the shapes of ``network.parameters``; zero where nothing is to change.
    loss : float
        Mean over the minibatch.
    correct : int
        Number of samples that were classified rightly.
    """

    values: dict[str, Floats]
    loss: float
    correct: int


class BaseLearner(ABC):
    """Learning of one model; changes it in place.

    Parameters
    ----------
    network : Network, PointMLP or Neurons
    teaching : str, Teaching or mapping, default "per_soma"
        What units are told about the loss.
    rule : str, Rule or mapping, default "3F"
        What they make of it.
    loss : str, Loss or mapping, default "cross_entropy"
    optimiser : str or Optimiser, default "adam"
    rates : dict or float, optional
        Learning rates of the groups of parameters; by default those of the published runs, of local rules or (teaching
        "exact") of backpropagation.
    decay : dict or float, default 0.0
        Decoupled weight decay per group: a step shrinks raw parameters by rate * decay (Loshchilov & Hutter 2019).
    decoder : {"local", "exact", "frozen"}, default "local"
        How the decoder learns. The local update of a linear decoder is its exact gradient; one with hidden layers needs
        "exact".
    clip_value : float or None, default 5.0
        Bound on every value of a gradient.
    clip_norm : float or None, default None
        Bound on the Euclidean norm of all gradients together.
    seed : int or numpy SeedSequence, default 0
        For fixed feedback matrices and noise.
    threads : int, optional

    Attributes
    ----------
    passes : int
        Forward passes of whole minibatches so far, those of the teaching signal's perturbations included.

    Raises
    ------
    ParameterError
        If parts do not go together; the message names ones that do.
    """

    rate_groups: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        network: Any,
        teaching: str | Teaching | Mapping[str, Any] = "per_soma",
        rule: str | Rule | Mapping[str, Any] = "3F",
        *,
        loss: str | Loss | Mapping[str, Any] = "cross_entropy",
        optimiser: str | Optimiser = "adam",
        rates: Mapping[str, float] | float | None = None,
        decay: Mapping[str, float] | float = 0.0,
        decoder: str = "local",
        clip_value: float | None = 5.0,
        clip_norm: float | None = None,
        seed: int | np.random.SeedSequence = 0,
        threads: int | None = None,
    ) -> None:
        self.network = network
        self.teaching = teaching_named(teaching)
        self.rule = rule_named(rule)
        self.loss = loss_named(loss)
        self.decoder = choose("decoder", decoder, DECODER_UPDATES)
        if decoder == "local" and not network.decoder.local:
            raise ParameterError(
                f"a decoder of kind {network.decoder.name!r} has no local update; use decoder='exact' or 'frozen', or "
                "a network with decoder='linear'"
            )
        self.rates = rates_given(rates, self.default_rates(self.teaching.name == "exact"))
        self.decay = decay_given(decay, self.rates)
        self.rate_factor = 1.0
        self.optimiser = optimiser_named(optimiser, clip_value)
        self.clip_norm = None if clip_norm is None else number("clip_norm", clip_norm, above=0.0)
        self.threads = threads
        self.steps = 0
        self.rng = generator("seed", seed)
        if decoder == "frozen" and self.teaching.needs_decoder:
            raise ParameterError(
                f"{self.teaching!r} rests on a decoder that learns, and decoder='frozen' does not; use decoder='local' "
                "or 'exact', or teaching='dfa'"
            )
        self.rule.suits(self.teaching)
        self.rule.prepare(network)
        self.teaching.prepare(network, self.rng)
        self.teaching.suits(self.loss)
        self._values = {name: np.zeros_like(value) for name, value in network.parameters.items()}
        self._asked: dict[str, Floats] = {}

    @staticmethod
    @abstractmethod
    def default_rates(exact: bool) -> dict[str, float]:
        """Learning rate of every group, of backpropagation or of local rules."""

    @staticmethod
    @abstractmethod
    def group_of(parameter: str) -> str:
        """Group of the parameter array with this name."""

    @abstractmethod
    def lesson(self, x: Floats, y: NDArray[Any]) -> tuple[Any, Floats]:
        """Forward pass and output error of a minibatch, and the loss of each sample.

        Returns a `Lesson`, whose error at the somas is still to be filled in, and an array of shape (B,).
        """

    @abstractmethod
    def _contract(self, lesson: Any) -> None:
        """Gradients of all parameters but the decoder's from the credits, into ``self._values``."""

    @abstractmethod
    def _update(self, values: dict[str, Floats], n_samples: int) -> None:
        """One step of all parameters but the decoder's."""

    @property
    def passes(self) -> int:
        """Forward passes of whole minibatches so far."""
        return self.steps + self.teaching.passes

    def gradients(self, x: ArrayLike, y: ArrayLike) -> Gradients:
        """Estimate the gradient for a minibatch, without changing any parameter.

        Teaching signals and modulators that follow running averages take notice of the minibatch.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        y : array
            What the loss takes: classes (B,), or values (B, n_outputs).
        """
        checked = self.network.checked(x)
        targets = self.loss.checked(y, len(checked), self.network.n_outputs)
        gradients = self._gradients(checked, targets)
        return Gradients({k: v.copy() for k, v in gradients.values.items()}, gradients.loss, gradients.correct)

    def taught(self, x: Floats, y: NDArray[Any]) -> tuple[Any, Floats, dict[str, Floats]]:
        """Like `lesson`, with the exact error at the somas, and the decoder's gradients."""
        lesson, losses = self.lesson(x, y)
        gradients, lesson.soma_error = self.network.decoder.backward(
            self.network.parameters, lesson.activity.soma, lesson.output_error
        )
        return lesson, losses, gradients

    def _gradients(self, x: Floats, y: NDArray[Any]) -> Gradients:
        teaching = self.teaching
        lesson, losses, decoder = self.taught(x, y)
        if self.decoder != "frozen":
            self._values.update(decoder)
        if not teaching.frozen_core:
            teaching.observe(lesson)
            teaching.credit(lesson)
            self.rule.modulate(lesson)
            self._contract(lesson)
            self.rule.amend(lesson, self._values)
            teaching.amend(lesson, self._values)
            self._asked = teaching.weight_gradients(lesson)
        return Gradients(self._values, float(losses.mean()), self.loss.correct(lesson.activity.logits, y))

    def step(self, x: ArrayLike, y: ArrayLike) -> tuple[float, int]:
        """Learn from a minibatch.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        y : array
            What the loss takes: classes (B,), or values (B, n_outputs).

        Returns
        -------
        loss : float
            Mean, before the step.
        correct : int

        Raises
        ------
        ParameterError
            If `x` does not fit the network, or `y` the loss.
        """
        checked = self.network.checked(x)
        return self.advance(checked, self.loss.checked(y, len(checked), self.network.n_outputs))

    def advance(self, x: Floats, y: NDArray[Any]) -> tuple[float, int]:
        """`step`, with arrays that are known to be good: nothing is checked here.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
            C-ordered, of the network's dtype (`network.checked`).
        y : array
            As `loss.checked` returns it.

        Returns
        -------
        loss : float
            Mean, before the step.
        correct : int
        """
        gradients = self._gradients(x, y)
        self._take(gradients.values, len(x))
        return gradients.loss, gradients.correct

    def _take(self, values: dict[str, Floats], n_samples: int) -> None:
        """One step of all parameters along `values`, and of the teaching signal's weights."""
        if self.clip_norm is not None:
            factor = bound_norm(values, self.clip_norm)
            for value in self._asked.values():  # feedback weights go the way of the decoder's
                value *= factor
        self.steps += 1
        self.optimiser.advance()
        if self.decoder != "frozen":
            self._update_arrays(
                {name: value for name, value in self.network.parameters.items() if self.group_of(name) == "decoder"},
                values,
            )
            weights = {f"{FEEDBACK}_{name}": value for name, value in self.teaching.weights.items()}
            self._update_arrays(
                weights, {f"{FEEDBACK}_{name}": value for name, value in self._asked.items()}, "decoder"
            )
        if not self.teaching.frozen_core:
            self._update(values, n_samples)

    def _update_arrays(self, arrays: Mapping[str, Floats], values: Mapping[str, Floats], group: str = "") -> None:
        for name, array in arrays.items():
            of = group or self.group_of(name)
            rate = self.rates[of] * self.rate_factor
            if self.decay[of]:
                array *= 1.0 - rate * self.decay[of]
            self.optimiser.update(name, array, values[name], rate)

    def state(self) -> dict[str, Floats]:
        """Everything besides the network's own state that an exact resume needs, as copies."""
        from json import dumps

        states = {"optimiser": self.optimiser.state(), "teaching": self.teaching.state(), "rule": self.rule.state()}
        kept = {f"{part}:{key}": value for part, state in states.items() for key, value in state.items()}
        generator = np.frombuffer(dumps(self.rng.bit_generator.state).encode(), np.uint8)
        counted = {"steps": np.array(self.steps), "passes": np.array(self.teaching.passes)}
        return {**kept, "rng": generator.copy(), **counted}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""
        from json import loads

        for part, it in (("optimiser", self.optimiser), ("teaching", self.teaching), ("rule", self.rule)):
            it.restore({k.split(":", 1)[1]: v for k, v in state.items() if k.startswith(f"{part}:")})
        own = {f"{FEEDBACK}_{name}": value for name, value in self.teaching.weights.items()}
        self.optimiser.check({**self.network.parameters, **own})
        self.rng.bit_generator.state = loads(state["rng"].tobytes().decode())
        self.steps, self.teaching.passes = int(state["steps"].item()), int(state["passes"].item())
