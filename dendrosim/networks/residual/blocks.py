"""Residual blocks: f_l of ``h_{l+1} = h_l + f_l(h_l)``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from .parts import Floats, Norm, Parameters, Perceptron, Work

LINEARS = {"2lin": 1, "3lin": 2}
"""Hidden layers of the kinds of block."""


class Block(ABC):
    """One f_l; holds sizes only (see `parts`)."""

    @abstractmethod
    def initial(self, rng: np.random.Generator) -> Parameters:
        """Initial parameters."""

    @abstractmethod
    def cache(self, n: int, dtype: Any) -> dict[str, Any]:
        """Memory for a forward pass of `n` samples."""

    @abstractmethod
    def forward(self, p: Parameters, h: Floats, f: Floats, cache: dict[str, Any]) -> None:
        """f_l(h), into `f`."""

    @abstractmethod
    def back(self, p: Parameters, df: Floats, cache: dict[str, Any], dh: Floats | None) -> None:
        """From dL/df: what `work` needs, into the cache, and the Jacobian's transpose times `df` into `dh`.

        Without `dh` this is a local update: what a block needs is its own input, and `df`. Rows do not know of each
        other.
        """

    @abstractmethod
    def work(self, h: Floats, df: Floats, cache: dict[str, Any], gradients: Parameters) -> list[Work]:
        """Gradients of the block's parameters, summed over rows, after `back` with the same `df`."""


class PerceptronBlock(Block):
    """A perceptron, after a layer normalisation of its own (pre-LayerNorm) or without one.

    Parameters
    ----------
    width, hidden : int
    linears : {"2lin", "3lin"}
        ``GELU(u W_0 + b_0) W_1 + b_1``, or one more hidden layer: the depth of the block sets the power of its growth.
    norm, bias : bool
    """

    def __init__(self, width: int, hidden: int, linears: str, norm: bool, bias: bool) -> None:
        self.norm = Norm(width) if norm else None
        self.perceptron = Perceptron((width, *[hidden] * LINEARS[linears], width), bias)
        self.width = width

    def initial(self, rng: np.random.Generator) -> Parameters:
        return {**(self.norm.initial() if self.norm else {}), **self.perceptron.initial(rng)}

    def cache(self, n: int, dtype: Any) -> dict[str, Any]:
        return {"norm": self.norm.cache(n, dtype) if self.norm else {}, "perceptron": self.perceptron.cache(n, dtype)}

    def forward(self, p: Parameters, h: Floats, f: Floats, cache: dict[str, Any]) -> None:
        u = self.norm.forward(p, h, cache["norm"]) if self.norm else h
        self.perceptron.forward(p, u, f, cache["perceptron"])

    def back(self, p: Parameters, df: Floats, cache: dict[str, Any], dh: Floats | None) -> None:
        if self.norm is None:
            self.perceptron.back(p, df, cache["perceptron"], dh)
            return
        back = cache["norm"]["back"]
        self.perceptron.back(p, df, cache["perceptron"], back)
        if dh is not None:
            self.norm.backward(p, back, cache["norm"], dh)

    def work(self, h: Floats, df: Floats, cache: dict[str, Any], gradients: Parameters) -> list[Work]:
        if self.norm is None:
            return self.perceptron.work(h, df, cache["perceptron"], gradients)
        norm = cache["norm"]
        made = self.perceptron.work(norm["out"], df, cache["perceptron"], gradients)
        return [*made, self.norm.work(norm["back"], norm, gradients)]
