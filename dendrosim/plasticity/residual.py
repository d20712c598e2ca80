"""Learning of residual networks: local losses of blocks, from what a credit rule tells them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import generator, instance, number, short
from ..errors import ParameterError, choose
from ..kernels import parallel
from ..losses import Loss
from ..losses import loss as loss_named
from ..networks.residual import Passage, ResidualNetwork
from ..networks.residual.parts import Work, do
from ..teaching.residual import Credits, LayerCredit, LayerLesson, layer_credit
from .learning import FEEDBACK, Gradients
from .optimisers import Optimiser, bound_norm, decay_given, rates_given
from .optimisers import optimiser as optimiser_named

Floats = NDArray[Any]

GROUPS = ("embedding", "blocks", "head")
RATE = 1e-3
"""Of all groups, as in the evaluation paper."""
_WORTH_A_THREAD = 8_000_000
"""Parameters times samples (and tokens): steps with less are over before a second thread wakes up."""
_PIECE = 300_000
"""Parameters of an array above which several threads share it."""


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
        All processors by default. On several, samples go through the network in as many ranges, and gradients and
        optimiser are shared out by parameters; numpy's products then keep to one thread each. On one, products have
        the threads that numpy gives them.

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
        self.rng = generator("seed", seed)
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
        """Group of the array that is called `parameter`."""
        group = parameter.partition("_")[0]
        return "blocks" if group == "block" else group

    def lesson(self, x: Floats, y: NDArray[Any], share: float | None = None) -> tuple[LayerLesson, Floats]:
        """Forward pass, output error and g_L of a minibatch, and the loss of each sample.

        Parameters
        ----------
        x, y : arrays of shape (B, n_inputs) and (B,)
            Checked.
        share : float, optional
            1 / B by default: gradients of the mean loss.

        Returns
        -------
        lesson : LayerLesson
        losses : float array of shape (B,)
        """
        network, n = self.network, len(x)
        if n not in self._passages and len(self._passages) > 3:
            self._passages.clear()
        passage = self._passages[n] = self._passages.get(n) or Passage(network, n)
        passage.inputs = x

        def stream(first: int, last: int, part: Passage) -> None:
            network.stream(x[first:last], part)

        self._by_samples(passage, stream)
        network.top(passage)
        losses, error = self.loss.evaluate(passage.logits, y)
        share = 1.0 / n if share is None else share
        error *= error.dtype.type(share)
        if error.dtype == np.float32:
            error[np.abs(error) < 1e-30] = 0.0  # their products would be denormal
        lesson = LayerLesson(network, passage, y, error, share, self.rule.penalty, self.loss)
        network.head_backward(passage, error, self._grouped)
        return lesson, losses

    def credits(self, lesson: LayerLesson) -> Credits:
        """What layers are told in the minibatch of `lesson`."""
        return self.teaching.credits(lesson)

    def _threads(self, n: int) -> int:
        """Threads for a minibatch of `n` samples."""
        size = self.network.n_parameters * n * self.network.tokens
        most = parallel.available() if self.threads is None else self.threads
        return min(most, max(1, size // _WORTH_A_THREAD), max(1, n // 16))

    def _by_samples(self, a: Passage, kernel: Callable[[int, int, Passage], None]) -> None:
        """Call a function with the beginning, the end and the passage of every range of samples."""
        n = a.n_samples
        threads = self._threads(n)
        if threads == 1:
            kernel(0, n, a)
            return
        jobs = [(first, last, a.part(first, last)) for first, last in parallel.ranges(n, threads)]
        with parallel.products_on_one_thread():
            parallel.run(lambda _, *job: kernel(*job), jobs, threads, _nothing)

    def _work(self, lesson: LayerLesson) -> list[Work]:
        """What is left to do once activity has its derivatives: gradients of embedding and blocks."""
        network, teaching, a = self.network, self.teaching, lesson.passage
        penalty = self.rule.penalty * lesson.share
        if penalty:
            a.told()  # memory for all ranges of samples
        if teaching.exact:
            self._by_samples(a, lambda _, __, part: network.transport(part, penalty))
            told, first = a.g[1:], a.g[0]
        else:
            credits = teaching.credits(lesson)
            told, first = credits.told, credits.embedding
            if not teaching.frozen:

                def back(begin: int, end: int, part: Passage) -> None:
                    for i, one in enumerate(told):
                        network.block_backward(i, part, one[begin:end], penalty, None)

                self._by_samples(a, back)
        return network.work(a, [] if teaching.frozen else told, penalty, first, self._grouped)

    def _gradients(self, x: Floats, y: NDArray[Any]) -> tuple[Gradients, dict[str, Floats]]:
        lesson, losses = self.lesson(x, y)
        do(self._work(lesson))
        return self._found(lesson, losses), self._asked(lesson)

    def _found(self, lesson: LayerLesson, losses: Floats) -> Gradients:
        correct = self.loss.correct(lesson.passage.logits, lesson.targets)
        return Gradients(self._values, float(losses.mean()), correct)

    def _asked(self, lesson: LayerLesson) -> dict[str, Floats]:
        """Of weights that the teaching signal has itself."""
        return {f"{FEEDBACK}_{name}": value for name, value in self.teaching.weight_gradients(lesson).items()}

    def gradients(self, x: ArrayLike, y: ArrayLike) -> Gradients:
        """What a minibatch asks of all parameters, without changing any; 0 for those that are frozen.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        y : array
            Classes (B,).

        Returns
        -------
        Gradients
        """
        checked = self.network.checked(x)
        targets = self.loss.checked(y, len(checked), self.network.n_outputs)
        found, _ = self._gradients(checked, targets)
        return Gradients({k: v.copy() for k, v in found.values.items()}, found.loss, found.correct)

    def step(self, x: ArrayLike, y: ArrayLike) -> tuple[float, int]:
        """Learn from a minibatch.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        y : array
            Classes (B,).

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
        if self._threads(len(x)) == 1:
            return self._step(x, y)
        with parallel.products_on_one_thread():
            return self._step(x, y)

    def _step(self, x: Floats, y: NDArray[Any]) -> tuple[float, int]:
        lesson, losses = self.lesson(x, y)
        work = self._work(lesson)
        asked, found = self._asked(lesson), self._found(lesson, losses)
        if self.clip_norm is not None:
            do(work)
            factor = bound_norm(found.values, self.clip_norm)
            for value in asked.values():
                value *= factor
            work = [Work(one.names, _nothing, one.rows) for one in work]
        self.steps += 1
        self.optimiser.advance()
        head = tuple(f"head_{name}" for name in self._grouped["head"])
        self._learn([*work, Work(head, _nothing)], self._threads(len(x)))
        for name, array in self.teaching.weights.items():
            self._update(f"{FEEDBACK}_{name}", array, asked[f"{FEEDBACK}_{name}"], "blocks")
        return found.loss, found.correct

    def _learn(self, work: list[Work], threads: int) -> None:
        """Gradients and updates array by array, while they are in the cache; large arrays in pieces on several threads.

        Rows of pieces are multiples of 16, so that vectors of the optimiser begin where they do without pieces.
        """
        parameters, pieces = self.network.parameters, []
        for one in work:
            size = parameters[one.names[0]].size if one.rows else 0
            count = -(-size // _PIECE) if threads > 1 else 1
            pieces += [(one, 16 * a, min(16 * b, one.rows)) for a, b in parallel.ranges(-(-one.rows // 16), count)]
            for name in one.names:
                for moment in self.optimiser.moments:
                    self.optimiser.kept(moment, name, parameters[name].reshape(-1))  # not by two threads at once

        def learn(_: None, one: Work, first: int, last: int) -> None:
            one.compute(first, last)
            for name in one.names:
                array = parameters[name]
                each = array.size // one.rows if one.rows else 0
                part = (each * first, each * last) if one.rows else (0, None)
                self._update(name, array, self._values[name], self.group_of(name), *part)

        if threads == 1:
            for piece in pieces:
                learn(None, *piece)
        else:
            parallel.drain(learn, pieces, threads, _nothing)

    def _update(
        self, name: str, array: Floats, gradient: Floats, group: str, first: int = 0, last: int | None = None
    ) -> None:
        rate = self.rates[group] * self.rate_factor
        if self.decay[group]:
            array.reshape(-1)[first:last] *= 1.0 - rate * self.decay[group]
        self.optimiser.update(name, array, gradient, rate, first, last)

    def state(self) -> dict[str, Floats]:
        """Everything besides the network's own state that an exact resume needs, as copies."""
        states = {"optimiser": self.optimiser.state(), "teaching": self.teaching.state()}
        kept = {f"{part}:{key}": value for part, state in states.items() for key, value in state.items()}
        return {**kept, "steps": np.array(self.steps)}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""
        for part, it in (("optimiser", self.optimiser), ("teaching", self.teaching)):
            it.restore({k.split(":", 1)[1]: v for k, v in state.items() if k.startswith(f"{part}:")})
        own = {f"{FEEDBACK}_{name}": value for name, value in self.teaching.weights.items()}
        self.optimiser.check({**self.network.parameters, **own})
        self.steps = int(state["steps"].item())


def _nothing(*_: int) -> None:
    return None
