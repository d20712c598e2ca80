"""A network, a teaching signal and a rule: local gradients of a minibatch, and steps along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number, numbers
from ..errors import ParameterError, choose
from ..kernels import parallel
from ..networks.activity import Activity
from ..networks.integration import INTEGRATIONS
from ..networks.loss import cross_entropy
from ..networks.network import Network, spans
from ..teaching import Teaching
from ..teaching import teaching as teaching_named
from ..teaching.lesson import Lesson
from .optimisers import EXACT_RATES, LOCAL_RATES, Optimiser, bound_norm, group_of, rates_given
from .optimisers import optimiser as optimiser_named
from .rules import Rule
from .rules import rule as rule_named

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[Any]

WORTH_A_THREAD = 20_000
"""Synapses; fewer are updated sooner than a second thread wakes up."""

DECODER_UPDATES = ("local", "exact", "frozen")


@dataclass(frozen=True)
class Gradients:
    """What a minibatch asks of the raw parameters: an estimate of the gradient of its mean loss.

    Attributes
    ----------
    values : dict of arrays
        Under the names and in the shapes of ``network.parameters``; zero where nothing is to change.
    loss : float
        Mean cross-entropy.
    correct : int
        Number of samples whose largest logit is that of their class.
    """

    values: dict[str, Floats]
    loss: float
    correct: int


class Learner:
    """Local learning of one network; changes it in place.

    Parameters
    ----------
    network : Network
    teaching : str or Teaching, default "per_soma"
    rule : str or Rule, default "3F"
    optimiser : str or Optimiser, default "adam"
    rates : dict or float, optional
        Learning rates of ``synapses``, ``couplings``, ``gates`` and ``decoder``; by default those of the published
        runs, of local rules or (teaching "exact") of backpropagation.
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

    Raises
    ------
    ParameterError
        If parts do not go together; the message names ones that do.
    """

    def __init__(
        self,
        network: Network,
        teaching: str | Teaching = "per_soma",
        rule: str | Rule | Mapping[str, Any] = "3F",
        *,
        optimiser: str | Optimiser = "adam",
        rates: dict[str, float] | float | None = None,
        decoder: str = "local",
        clip_value: float | None = 5.0,
        clip_norm: float | None = None,
        seed: int | np.random.SeedSequence = 0,
        threads: int | None = None,
    ) -> None:
        if not isinstance(network, Network):
            raise ParameterError(f"a Learner trains a dendritic Network; got {network!r}")
        self.network = network
        self.teaching = teaching_named(teaching)
        self.rule = rule_named(rule)
        self.decoder = choose("decoder", decoder, DECODER_UPDATES)
        if decoder == "local" and not network.decoder.local:
            raise ParameterError(
                f"a decoder of kind {network.decoder.name!r} has no local update; use decoder='exact' or 'frozen', or "
                "a network with decoder='linear'"
            )
        default = EXACT_RATES if self.teaching.name == "exact" else LOCAL_RATES
        self.rates = rates_given(rates, default)
        self.rate_factor = 1.0
        self.optimiser = optimiser_named(optimiser, clip_value)
        self.clip_norm = None if clip_norm is None else number("clip_norm", clip_norm, above=0.0)
        if threads is not None:
            network.threads_for(1, threads)
        self.threads = threads
        self.swaps = 0
        self.rng = np.random.default_rng(seed)
        self.teaching.prepare(network, self.rng)
        self.rule.suits(self.teaching)
        self.rule.prepare(network)
        self._activity: Activity | None = None
        self._credit: Floats | None = None
        self._values = {name: np.zeros_like(value) for name, value in network.parameters.items()}

    def gradients(self, x: ArrayLike, y: ArrayLike) -> Gradients:
        """Estimate the gradient for a minibatch, without changing any parameter.

        Modulators that follow running averages take notice of the minibatch.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        y : int array of shape (B,)
            Classes.
        """
        checked = self.network.checked(x)
        labels = self._labels(y, len(checked))
        gradients = self._gradients(checked, labels)
        return Gradients({k: v.copy() for k, v in gradients.values.items()}, gradients.loss, gradients.correct)

    def _labels(self, y: ArrayLike, n: int) -> NDArray[np.int64]:
        labels = numbers("y", y)
        if labels.shape != (n,) or labels.dtype.kind not in "iu":
            raise ParameterError(f"y has shape {labels.shape} and dtype {labels.dtype}; expected {n} whole numbers")
        if labels.min() < 0 or labels.max() >= self.network.n_outputs:
            raise ParameterError(
                f"y has classes from {labels.min()} to {labels.max()}; the network has outputs 0 to "
                f"{self.network.n_outputs - 1}"
            )
        return labels.astype(np.int64)

    def lesson(self, x: Floats, y: NDArray[np.int64]) -> tuple[Lesson, Floats]:
        """Forward pass and output error of a minibatch, and the cross-entropy of each sample."""
        network = self.network
        threads = network.threads_for(len(x), self.threads)
        reused = self._activity if self._activity is not None and self._activity.n_samples == len(x) else None
        activity = self._activity = network.run(x, threads, reused)
        if self._credit is None or reused is None:
            self._credit = activity.empty(network.layout.size)
        losses, error = cross_entropy(activity.logits, y)
        return Lesson(network, activity, y, error, np.empty(0), self.rng, threads, self._credit), losses

    def _gradients(self, x: Floats, y: NDArray[np.int64]) -> Gradients:
        network = self.network
        lesson, losses = self.lesson(x, y)
        decoder, lesson.soma_error = network.decoder.backward(
            network.parameters, lesson.activity.soma, lesson.output_error
        )
        if self.decoder != "frozen":
            self._values.update(decoder)
        if not self.teaching.frozen_core:
            self.teaching.credit(lesson)
            self.rule.modulate(lesson)
            self._contract(lesson)
            self.rule.amend(lesson, self._values)
        correct = int((lesson.activity.logits.argmax(axis=1) == y).sum())
        return Gradients(self._values, float(losses.mean()), correct)

    def _contract(self, lesson: Lesson) -> None:
        """Eligibility times credit, modulators, and chain factors of positive parameters."""
        from ..kernels import layers

        network, a, layout = self.network, lesson.activity, self.network.layout
        kind, resistance = network.kind, a.resistance
        if self.rule.eligibility == "conductance" and kind.pull == 0.0:
            kind = INTEGRATIONS["shunting"]
            resistance = _as_if_shunting(network, a)
        dtype = network.dtype.type
        tree = [layout.parent, layout.roots, layout.first, layout.middle, layout.last, network.source]
        constants = [(dtype(kind.force[0]), dtype(kind.force[1])), dtype(kind.pull), dtype(kind.normal)]
        arrays = [v.reshape(-1) for v in (a.presynaptic, a.voltage, resistance, a.output, lesson.credit)]
        g = [self._values[name] for name in ("synapses", "couplings", "log_slope", "midpoint")]
        fixed = [*tree, *constants, network.parameters["midpoint"], layout.n_inputs, *arrays, *g]
        jobs = [(*fixed, a.n_blocks, *part, a.lanes) for part in spans(0, layout.n_cells, lesson.threads)]
        parallel.run(lambda _, *job: layers.contract(*job), jobs, lesson.threads, lambda: None)
        synapses, couplings, slopes, midpoints = g
        synapses *= network.conductance_factor
        couplings *= network.coupling_factor
        slopes *= network.gated
        midpoints *= network.gated
        if self.rule.modulators:
            synapses *= np.repeat(lesson.factor, layout.last - layout.first)
            couplings *= np.where(layout.parent >= 0, lesson.factor[layout.parent], 0.0) * lesson.coupling_factor
            slopes *= lesson.factor
            midpoints *= lesson.factor

    def step(self, x: Floats, y: NDArray[np.int64]) -> tuple[float, int]:
        """Learn from a minibatch.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
            C-ordered, of the network's dtype and known to be good (`Network.checked`); nothing is checked here.
        y : int array of shape (B,)

        Returns
        -------
        loss : float
            Mean, before the step.
        correct : int
        """
        gradients = self._gradients(x, y)
        values, network = gradients.values, self.network
        if self.clip_norm is not None:
            bound_norm(values, self.clip_norm)
        threads = network.threads_for(len(x), self.threads)
        self.optimiser.advance()
        for name, value in network.parameters.items():
            group = group_of(name)
            if name == "synapses" or ((self.decoder == "frozen") if group == "decoder" else self.teaching.frozen_core):
                continue
            self.optimiser.update(name, value, values[name], self.rates[group] * self.rate_factor)
        if not self.teaching.frozen_core:
            self._update_synapses(values["synapses"], threads)
            network.refresh_cells()
        return gradients.loss, gradients.correct

    def _update_synapses(self, gradient: Floats, threads: int) -> None:
        """Optimiser, choice of the K largest, and conductances, bank by bank while they are in the cache."""
        network, optimiser = self.network, self.optimiser
        banks, raw = network.layout.banks, network.parameters["synapses"]
        moments = [optimiser.kept(m, "synapses", raw) for m in optimiser.moments]
        padded = [*moments, *[np.zeros(0, network.dtype)] * 2]
        rate = self.rates["synapses"] * self.rate_factor
        swaps = []

        def share(_: None, i: int, j: int) -> None:
            first, last = int(banks.first[i]), int(banks.last[j - 1])
            optimiser.update("synapses", raw, gradient, rate, first, last)
            swaps.append(network.connectivity.reselect(padded[0], padded[1], i, j))
            network.refresh_synapses(first, last)

        parts = threads if raw.size > WORTH_A_THREAD else 1
        parallel.run(share, parallel.ranges(banks.first.size, parts), parts, lambda: None)
        self.swaps += sum(swaps)

    def state(self) -> dict[str, Floats]:
        """Everything besides the network's own state that an exact resume needs, as copies."""
        from json import dumps

        states = {"optimiser": self.optimiser.state(), "teaching": self.teaching.state(), "rule": self.rule.state()}
        kept = {f"{part}:{key}": value for part, state in states.items() for key, value in state.items()}
        generator = np.frombuffer(dumps(self.rng.bit_generator.state).encode(), np.uint8)
        return {**kept, "rng": generator.copy(), "swaps": np.array(self.swaps)}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned."""
        from json import loads

        for part, it in (("optimiser", self.optimiser), ("teaching", self.teaching), ("rule", self.rule)):
            it.restore({k.split(":", 1)[1]: v for k, v in state.items() if k.startswith(f"{part}:")})
        self.rng.bit_generator.state = loads(state["rng"].tobytes().decode())
        self.swaps = int(state["swaps"])


def _as_if_shunting(network: Network, a: Activity) -> Floats:
    """R = 1 / (leak + E + I + sum g_c) of every compartment, whatever its integration, in blocks."""
    x = a.batch_first(a.presynaptic[:, : network.n_inputs])
    rest = INTEGRATIONS["shunting"].base(network.layout, network.conductance, network.coupling)
    return a.blocks(1.0 / (network.synaptic_conductance(x) + rest))
