"""Two probes that learn to predict from the state of a layer, and tell it the gradient of what they predict.

They are no rivals of feedback alignment: they give credits whose cosine differs from its by design (evaluation paper,
section 4.3).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from ...arguments import whole
from ...errors import ParameterError
from ...kernels.memory import aligned
from ...networks.residual import ResidualNetwork
from ...networks.residual.parts import Norm, Perceptron, do
from .base import Credits, Floats, LayerCredit, LayerLesson


class Bridge(LayerCredit):
    """A perceptron of two hidden layers, shared by all layers, that sees [LN(h_l), l / L] and perhaps the label.

    Parameters
    ----------
    hidden : int
        Units of either hidden layer.
    """

    def __init__(self, hidden: int = 256) -> None:
        self.hidden = whole("hidden", hidden, 1)

    @abstractmethod
    def _sizes(self, network: ResidualNetwork) -> tuple[int, int]:
        """Inputs besides the state and the layer, and outputs."""

    @abstractmethod
    def _errors(self, lesson: LayerLesson, out: Floats, memory: dict[str, Any]) -> tuple[Floats, Floats]:
        """What the credit comes from, d(loss)/d(out), and what the probe learns from, d(its own error)/d(out)."""

    def _tell(self, lesson: LayerLesson, u: Floats) -> None:
        """Fill in the inputs besides the state and the layer."""

    def prepare(self, network: ResidualNetwork, rng: np.random.Generator) -> None:
        if network.tokens > 1:
            raise ParameterError(
                f"{self!r} sees one state per layer, and {network!r} has {network.tokens} tokens; use it with a "
                "ResMLP, or 'bp', 'fa' or 'dfa' here"
            )
        self._width, self._depth = network.width, network.depth
        more, outputs = self._sizes(network)
        self._net = Perceptron((network.width + 1 + more, self.hidden, self.hidden, outputs))
        self._norm = Norm(network.width)
        self._plain = {name: value.astype(network.dtype) for name, value in self._norm.initial().items()}
        drawn = self._net.initial(rng)
        self._weights = {name: value.astype(network.dtype) for name, value in drawn.items()}
        self._gradients = {name: np.zeros_like(value) for name, value in self._weights.items()}
        self._memory: dict[int, dict[str, Any]] = {}

    @property
    def weights(self) -> dict[str, Floats]:
        return self._weights

    def _memory_for(self, network: ResidualNetwork, n: int) -> dict[str, Any]:
        rows, dtype = n * self._depth, network.dtype
        if n not in self._memory:
            inputs, outputs = self._net.widths[0], self._net.widths[-1]
            self._memory[n] = {
                "state": aligned((rows, self._width), dtype),
                "norm": self._norm.cache(rows, dtype),
                "u": aligned((rows, inputs), dtype),
                "du": aligned((rows, inputs), dtype),
                "net": self._net.cache(rows, dtype),
                "out": aligned((rows, outputs), dtype),
                "head": network.head.cache(rows, dtype),
                "back": aligned((rows, self._width), dtype),
            }
        return self._memory[n]

    def credits(self, lesson: LayerLesson) -> Credits:
        network, a, d = lesson.network, lesson.passage, self._width
        n = a.n_samples
        memory = self._memory_for(network, n)
        state, u = memory["state"], memory["u"]
        for i in range(self._depth):
            state[i * n : (i + 1) * n] = a.h[i]
            u[i * n : (i + 1) * n, d] = i / self._depth
        u[:, :d] = self._norm.forward(self._plain, state, memory["norm"])
        self._tell(lesson, u)
        self._net.forward(self._weights, u, memory["out"], memory["net"])
        asked, self._own = self._errors(lesson, memory["out"], memory)
        self._net.back(self._weights, asked, memory["net"], memory["du"])
        back = np.ascontiguousarray(memory["du"][:, :d])
        self._norm.backward(self._plain, back, memory["norm"], back)
        told = [back[i * n : (i + 1) * n] for i in range(self._depth)]
        self._told_to = a
        return Credits(told, told[0], told)

    def weight_gradients(self, lesson: LayerLesson) -> dict[str, Floats]:
        if self._told_to is not lesson.passage:
            raise ParameterError(
                f"{self!r} learns from the minibatch that it was last asked about; ask for credits first"
            )
        memory = self._memory[lesson.passage.n_samples]
        self._net.back(self._weights, self._own, memory["net"], None)
        do(self._net.work(memory["u"], self._own, memory["net"], self._gradients))
        return self._gradients

    def state(self) -> dict[str, Floats]:
        return {name: value.copy() for name, value in self._weights.items()}

    def restore(self, state: dict[str, Floats]) -> None:
        for name, value in self._weights.items():
            value[...] = state[name]

    def __deepcopy__(self, memo: dict[int, Any]) -> Bridge:
        from copy import deepcopy

        made = type(self).__new__(type(self))
        memo[id(self)] = made
        kept = {name: value for name, value in self.__dict__.items() if name not in ("_memory", "_told_to", "_own")}
        made.__dict__.update(deepcopy(kept, memo))
        if "_memory" in self.__dict__:
            made._memory = {}
        return made


class StateBridge(Bridge):
    """Predicts h_L from h_l, and tells layer l the gradient of the loss that the head then gives.

    The target is h_L normalised, without gain and bias, where a layer normalisation precedes the head, and h_L itself
    elsewhere; the probe's own error is the mean square.

    Parameters
    ----------
    hidden : int, default 256
        Units of either hidden layer.
    """

    name = "state_bridge"

    def _sizes(self, network: ResidualNetwork) -> tuple[int, int]:
        return 0, network.width

    def _errors(self, lesson: LayerLesson, out: Floats, memory: dict[str, Any]) -> tuple[Floats, Floats]:
        network, a = lesson.network, lesson.passage
        head, of_head = network.head, network.groups["head"]
        logits = head.forward(of_head, out, memory["head"])
        targets = np.tile(lesson.targets, self._depth)
        error = lesson.loss.evaluate(logits, targets)[1]
        error *= lesson.share
        head.backward(of_head, error, memory["head"], None, memory["back"])
        goal = a.h[-1]
        if network.terminal_norm:
            goal = self._norm.forward(self._plain, goal, self._norm.cache(len(goal), network.dtype))
        own: Floats = out - np.tile(goal, (self._depth, 1))
        own *= 2.0 / own.size
        return memory["back"], own


class CreditBridge(Bridge):
    """Predicts the loss of the sample from h_l, and tells layer l the gradient of the prediction.

    Parameters
    ----------
    hidden : int, default 256
        Units of either hidden layer.
    label : bool, default True
        Whether the probe sees the label, one-hot. Without it, what is known of the loss is its mean over labels, and
        credits have a cosine of 0.
    """

    name = "credit_bridge"

    def __init__(self, hidden: int = 256, label: bool = True) -> None:
        super().__init__(hidden)
        if not isinstance(label, bool):
            raise ParameterError(f"label={label!r} must be True or False")
        self.label = label

    def _sizes(self, network: ResidualNetwork) -> tuple[int, int]:
        return network.n_outputs if self.label else 0, 1

    def _tell(self, lesson: LayerLesson, u: Floats) -> None:
        if self.label:
            first = self._width + 1
            u[:, first:] = 0.0
            u[np.arange(len(u)), first + np.tile(lesson.targets, self._depth)] = 1.0

    def _errors(self, lesson: LayerLesson, out: Floats, memory: dict[str, Any]) -> tuple[Floats, Floats]:
        losses = lesson.loss.evaluate(lesson.passage.logits, lesson.targets)[0]
        own: Floats = out - np.tile(losses, self._depth)[:, None]
        own *= 2.0 / own.size
        return np.full_like(out, lesson.share), own
