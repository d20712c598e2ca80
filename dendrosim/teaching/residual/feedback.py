"""Feedback alignment of residual blocks, step by step or direct (evaluation paper, section 2)."""

from __future__ import annotations

import numpy as np

from ...networks.residual import ResidualNetwork
from .base import Credits, FixedFeedback, Floats, LayerLesson


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
            told.insert(0, self._step(told[0], f"block_{i}"))
        below = self._step(told[0], "embedding") if self.embedding == "own" else told[0]
        return Credits(told, below, told)

    def _step(self, credit: Floats, layer: str) -> Floats:
        """One matrix for all tokens: what the first token alone is told stays with it."""
        matrix = self._feedback[layer]
        stepped: Floats = credit.reshape(-1, len(matrix)) @ matrix.T
        return stepped.reshape(credit.shape)


class DFA(FixedFeedback):
    """Direct feedback alignment: ``a_l = e B_l`` (Nokland 2016); the same to every token of a transformer.

    Parameters are those of `FixedFeedback`.
    """

    name = "dfa"

    def prepare(self, network: ResidualNetwork, rng: np.random.Generator) -> None:
        layers = [f"block_{i}" for i in range(network.depth)]
        layers += ["embedding"] if self.embedding == "own" else []
        self._feedback = {layer: self.draw(network, network.n_outputs, rng) for layer in layers}

    def credits(self, lesson: LayerLesson) -> Credits:
        told = [self._to(lesson, f"block_{i}") for i in range(lesson.network.depth)]
        below = self._to(lesson, "embedding") if self.embedding == "own" else told[0]
        return Credits(told, below, told)

    def _to(self, lesson: LayerLesson, layer: str) -> Floats:
        told: Floats = lesson.error @ self._feedback[layer]
        tokens = lesson.network.tokens
        return told if tokens == 1 else np.tile(told, (1, tokens))
