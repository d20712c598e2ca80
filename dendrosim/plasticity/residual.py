"""Learning of residual networks: local losses of blocks, from what a credit rule tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, number, short
from ..errors import ParameterError, choose
from ..kernels import parallel
from ..losses import Loss
from ..losses import loss as loss_named
from ..networks.residual import Passage, ResidualNetwork
from ..teaching.residual import Credits, LayerCredit, LayerLesson, layer_credit
from .learning import FEEDBACK, Gradients
from .optimisers import Optimiser, bound_norm, decay_given, rates_given
from .optimisers import optimiser as optimiser_named

Floats = NDArray[Any]

GROUPS = ("embedding", "blocks", "head")
RATE = 1e-3
"""Of all groups, as in the evaluation paper."""
_WORTH_A_THREAD = 300_000
"""Parameters; fewer are updated sooner than a second thread wakes up."""


class BlockRule:
    """The local loss of a block, ``<f_l, a_l> + penalty |f_l|^2`` per sample, descended by its own gradient.

    Its input is taken as given: nothing goes back to other blocks. (The evaluation paper writes -<f_l, a_l>, with a_l
    of the other sign.)

    Parameters
    ----------
    penalty : float, default 0.0
        lambda, which contains the growth of the residual stream.
    """

    name = "3F"

    def __init__(self, penalty: float = 0.0) -> None:
        self.penalty = number("penalty", penalty, least=0.0)

    def describe(self) -> dict[str, Any]:
        """The table that makes an equal rule."""
        return {"name": self.name, "penalty": self.penalty}

    def __repr__(self) -> str:
        return f"BlockRule(penalty={self.penalty!r})"


def block_rule(given: str | BlockRule | Mapping[str, Any]) -> BlockRule:
    """The rule of residual blocks from "3F", ``{"name": "3F", "penalty": 1e-2}`` or an object.

    Raises
    ------
    ParameterError
        If it is another.
    """
    if isinstance(given, BlockRule):
        return given
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, Mapping) or given.get("name") != BlockRule.name or not set(given) <= {"name", "penalty"}:
        raise ParameterError(
            f"rule={short(given)} does not suit a residual network; its blocks learn with '3F', or with "
            "{'name': '3F', 'penalty': 1e-2}"
        )
    return BlockRule(given.get("penalty", 0.0))


class ResidualLearner:
    """Learning of one `ResidualNetwork`; changes it in place.

    Every block descends the gradient of its own local loss; the head, and the normalisation before it, learn by true
    gradients under every credit rule.

    Parameters
    ----------
    network : ResidualNetwork
    teaching : str, LayerCredit or mapping, default "bp"
        What layers are told: "bp", "fa", "dfa", "frozen", "state_bridge", "credit_bridge".
    rule : str, BlockRule or mapping, default "3F"
        ``{"name": "3F", "penalty": 1e-2}`` for a penalty; with "bp" it is part of the loss that is backpropagated.
    loss : str, Loss or mapping, default "cross_entropy"
        One that takes classes.
    optimiser : str or Optimiser, default "adamw"
    rates, decay : dict or float
        Of ``embedding``, ``blocks`` and ``head``; 1e-3, and 0 (AdamW has a decay of its own).
    decoder : {"local", "exact"}
        Of `dendrosim.train`; the head learns by its exact gradient either way, which is local.
    clip_value, clip_norm : float or None, default None
    seed : int or numpy SeedSequence, default 0
        For fixed feedback and initial weights of probes.
    threads : int, optional
        For the optimiser; those of matrix products are numpy's.

    Raises
    ------
    ParameterError
        If parts do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from dendrosim.networks import ResMLP
    >>> x, y = np.random.default_rng(0).random((20, 6), np.float32), np.arange(20) % 3
    >>> learner = ResidualLearner(ResMLP(6, 3, 8, 2), "dfa", rates=0.01)
    >>> before = learner.step(x, y)[0]
    >>> learner.step(x, y)[0] < before
    True
    """

    rate_groups: ClassVar[tuple[str, ...]] = GROUPS

    def __init__(
        self,
        network: ResidualNetwork,
        teaching: str | LayerCredit | Mapping[str, Any] = "bp",
        rule: str | BlockRule | Mapping[str, Any] = "3F",
        *,
        loss: str | Loss | Mapping[str, Any] = "cross_entropy",
        optimiser: str | Optimiser = "adamw",
        rates: Mapping[str, float] | float | None = None,
        decay: Mapping[str, float] | float = 0.0,
        decoder: str = "exact",
        clip_value: float | None = None,
        clip_norm: float | None = None,
        seed: int | np.random.SeedSequence = 0,
        threads: int | None = None,
    ) -> None:
        self.network = instance("network", network, ResidualNetwork, "such as ds.networks.ResMLP(3072, 10)")
        network.threads_for(1, threads)
        self.teaching = layer_credit(teaching)
        self.rule = block_rule(rule)
        self.loss = loss_named(loss)
        self.decoder = choose("decoder", decoder, ["local", "exact"])
        self.rates = rates_given(rates, dict.fromkeys(GROUPS, RATE))
        self.decay = decay_given(decay, self.rates)
        self.rate_factor = 1.0
        self.optimiser = optimiser_named(optimiser, clip_value)
        self.clip_norm = None if clip_norm is None else number("clip_norm", clip_norm, above=0.0)
        self.threads = threads
        self.steps = 0
        self.rng = np.random.default_rng(seed)
        self.teaching.prepare(network, self.rng)
        self._values = network.empty()
        self._grouped = network.grouped(self._values)
        self._passages: dict[int, Passage] = {}

    @property
    def passes(self) -> int:
        """Forward passes of whole minibatches so far."""
        return self.steps

    @staticmethod
    def group_of(parameter: str) -> str:
        """Group of the parameter array with this name."""
        group = parameter.partition("_")[0]
        return "blocks" if group == "block" else group

    def lesson(self, x: Floats, y: NDArray[Any], share: float | None = None) -> tuple[LayerLesson, Floats]:
        """Forward pass, output error and g_L of a minibatch, and the loss of each sample.

        Parameters
        ----------
        x, y : arrays
            Checked.
        share : float, optional
            1 / B by default: gradients of the mean loss.
        """
        network, n = self.network, len(x)
        if n not in self._passages and len(self._passages) > 3:
            self._passages.clear()
        passage = self._passages[n] = network.run(x, self._passages.get(n))
        losses, error = self.loss.evaluate(passage.logits, y)
        share = 1.0 / n if share is None else share
        error *= error.dtype.type(share)
        if error.dtype == np.float32:
            error[np.abs(error) < 1e-30] = 0.0  # their products would be denormal
        lesson = LayerLesson(network, passage, y, error, share, self.rule.penalty, self.loss)
        network.head_backward(passage, error, self._grouped)
        return lesson, losses

    def credits(self, lesson: LayerLesson) -> Credits:
        """What layers are told in a minibatch."""
        return self.teaching.credits(lesson)

    def _gradients(self, x: Floats, y: NDArray[Any]) -> tuple[Gradients, dict[str, Floats]]:
        network, teaching = self.network, self.teaching
        lesson, losses = self.lesson(x, y)
        a, penalty, asked = lesson.passage, self.rule.penalty * lesson.share, {}
        if teaching.exact:
            here = {"embedding": self._grouped["embedding"]} if teaching.frozen else self._grouped
            network.transport(a, penalty, here)
        else:
            credits = teaching.credits(lesson)
            if not teaching.frozen:
                for i, told in enumerate(credits.told):
                    network.block_backward(i, a, told, penalty, self._grouped[f"block_{i}"], None)
            network.embedding.gradients(credits.embedding, a.embedding, self._grouped["embedding"])
            asked = {f"{FEEDBACK}_{name}": value for name, value in teaching.weight_gradients(lesson).items()}
        found = Gradients(self._values, float(losses.mean()), self.loss.correct(a.logits, y))
        return found, asked

    def gradients(self, x: ArrayLike, y: ArrayLike) -> Gradients:
        """What a minibatch asks of all parameters, without changing any; 0 for those that are frozen.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        y : array
            Classes (B,).
        """
        checked = self.network.checked(x)
        targets = self.loss.checked(y, len(checked), self.network.n_outputs)
        found, _ = self._gradients(checked, targets)
        return Gradients({k: v.copy() for k, v in found.values.items()}, found.loss, found.correct)

    def step(self, x: Floats, y: NDArray[Any]) -> tuple[float, int]:
        """Learn from a minibatch of checked arrays; returns the mean loss before the step and the right answers."""
        found, asked = self._gradients(x, y)
        if self.clip_norm is not None:
            factor = bound_norm(found.values, self.clip_norm)
            for value in asked.values():
                value *= factor
        self.steps += 1
        self.optimiser.advance()
        for name, array in self.network.parameters.items():
            group = self.group_of(name)
            if group != "blocks" or not self.teaching.frozen:
                self._update(name, array, found.values[name], group)
        for name, array in self.teaching.weights.items():
            self._update(f"{FEEDBACK}_{name}", array, asked[f"{FEEDBACK}_{name}"], "blocks")
        return found.loss, found.correct

    def _update(self, name: str, array: Floats, gradient: Floats, group: str) -> None:
        rate = self.rates[group] * self.rate_factor
        if self.decay[group]:
            array *= 1.0 - rate * self.decay[group]
        optimiser, size = self.optimiser, array.size
        threads = parallel.available() if self.threads is None else self.threads
        if size < _WORTH_A_THREAD or threads == 1:
            optimiser.update(name, array, gradient, rate)
            return
        for moment in optimiser.moments:
            optimiser.kept(moment, name, array.reshape(-1))  # not by two threads at once
        ends = [min(size, b * 64) for _, b in parallel.ranges(-(-size // 64), threads)]
        jobs = [(first, last) for first, last in zip([0, *ends[:-1]], ends, strict=True)]
        parallel.run(
            lambda _, first, last: optimiser.update(name, array, gradient, rate, first, last), jobs, threads, _nothing
        )

    def state(self) -> dict[str, Floats]:
        """Everything besides the network's own state that an exact resume needs, as copies."""
        states = {"optimiser": self.optimiser.state(), "teaching": self.teaching.state()}
        kept = {f"{part}:{key}": value for part, state in states.items() for key, value in state.items()}
        return {**kept, "steps": np.array(self.steps)}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""
        for part, it in (("optimiser", self.optimiser), ("teaching", self.teaching)):
            it.restore({k.split(":", 1)[1]: v for k, v in state.items() if k.startswith(f"{part}:")})
        self.steps = int(state["steps"])


def _nothing() -> None:
    return None
