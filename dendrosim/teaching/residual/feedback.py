"""Feedback alignment of residual blocks, step by step or direct (evaluation paper, section 2)."""

from __future__ import annotations

import numpy as np

from ...networks.residual import ResidualNetwork
from .base import Credits, FixedFeedback, LayerLesson


class FA(FixedFeedback):
    """Feedback alignment: ``a_{L-1} = g_L`` exactly, ``a_l = a_{l+1} B_l^T``; no identity path, no derivative.

    Parameters are those of `FixedFeedback`; an embedding of its own takes one more step, ``a_0 B^T``.
    """

    name = "fa"

    def prepare(self, network: ResidualNetwork, rng: np.random.Generator) -> None:
        layers = [f"block_{i}" for i in range(network.depth - 1)]
        layers += ["embedding"] if self.embedding == "own" else []
        self._feedback = {layer: self.draw(network, network.width, rng) for layer in layers}

    def credits(self, lesson: LayerLesson) -> Credits:
        told = [lesson.exact_top]
        for i in range(lesson.network.depth - 2, -1, -1):
            told.insert(0, told[0] @ self._feedback[f"block_{i}"].T)
        below = told[0] @ self._feedback["embedding"].T if self.embedding == "own" else told[0]
        return Credits(told, below, told)


class DFA(FixedFeedback):
    """Direct feedback alignment: ``a_l = e B_l`` (Nokland 2016).

    Parameters are those of `FixedFeedback`.
    """

    name = "dfa"

    def prepare(self, network: ResidualNetwork, rng: np.random.Generator) -> None:
        layers = [f"block_{i}" for i in range(network.depth)]
        layers += ["embedding"] if self.embedding == "own" else []
        self._feedback = {layer: self.draw(network, network.n_outputs, rng) for layer in layers}

    def credits(self, lesson: LayerLesson) -> Credits:
        told = [lesson.error @ self._feedback[f"block_{i}"] for i in range(lesson.network.depth)]
        below = lesson.error @ self._feedback["embedding"] if self.embedding == "own" else told[0]
        return Credits(told, below, told)
