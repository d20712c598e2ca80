"""Teaching signals that perturb units and watch the outputs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import flag, number, whole
from ...construct import call_of
from ...errors import ParameterError, choose
from ..base import Teaching
from ..perturbation import INJECT
from ..regularisers import layer_names
from ..running import RunningMean, inner, outer
from .draws import NOISES

if TYPE_CHECKING:
    from ...networks.network import Network
    from ..lesson import Lesson

Floats = NDArray[Any]

BASELINES = ("clean", "running", "none")
LAYERS = ("together", "in_turn")
PART = 2**24
"""Noise values that are in memory at once; more draws than make this many are made one part after the other."""


class Perturbing(Teaching):
    """Correlates noise at every unit with what it does to some quantity, sample by sample.

    Every draw of noise is one forward pass of the minibatch, in which each sample has noise of its own; with
    ``antithetic`` it is two. The pass without noise, which learning makes anyway, is the baseline, so that K
    perturbations cost K + 1 forward passes.

    Parameters
    ----------
    perturbations : int
        Perturbed forward passes each time.
    sigma : float
        Standard deviation of the noise of every unit, in units of what is perturbed.
    noise : {"rademacher", "gauss", "orthogonal"}
    inject : {"output", "voltage", "current"}
        What is perturbed. "output": a_n = f(V_n), so that dy/da_n is estimated and every sample's own f'(V_n) enters
        its credit; "voltage": V_n, so that dy/dV_n is estimated, with the mean of f' in it; "current": the current into
        n, so that dy/dI_n is estimated and credits are that over R_n, as the eligibilities have R_n.
    antithetic : bool
        Whether draws come in pairs of opposite sign, whose half difference has no even powers of the noise.
    baseline : {"clean", "running", "none"}
        What a single draw is compared with: the pass without noise, the running mean over minibatches (as where there
        is no second pass), or nothing.
    layers : {"together", "in_turn"}
        Whether all layers have noise, and each takes that of the others for an error of its own, or one at a time.
    """

    scale: Floats
    interval: int = 1

    def __init__(
        self, perturbations: int, sigma: float, noise: str, inject: str, antithetic: bool, baseline: str, layers: str
    ) -> None:
        self.perturbations = whole("perturbations", perturbations)
        self.sigma = number("sigma", sigma, above=0.0)
        self.noise = choose("noise", noise, NOISES)
        self.inject = choose("inject", inject, INJECT)
        self.antithetic = flag("antithetic", antithetic)
        self.baseline = choose("baseline", baseline, BASELINES)
        self.layers = choose("layers", layers, LAYERS)
        if antithetic and self.perturbations % 2:
            raise ParameterError(
                f"antithetic=True makes two passes of every draw, which perturbations={perturbations} does not allow; "
                f"use perturbations={self.perturbations + 1}"
            )
        if antithetic and baseline != "clean":
            raise ParameterError(
                f"baseline={baseline!r} has no meaning with antithetic=True: pairs are compared with each other; leave "
                "it out, or use antithetic=False"
            )

    @property
    def draws(self) -> int:
        """Directions per sample each time."""
        return self.perturbations // 2 if self.antithetic else self.perturbations

    def prepare(self, network: Network, rng: np.random.Generator) -> None:
        layout = network.layout
        self.passes, self.steps = 0, 0
        self._layer, self._names = layout.layer, layer_names(layout)
        self.scale = np.full(layout.size, self.sigma)
        self._mean = RunningMean((self.n_quantities(network),))

    @abstractmethod
    def n_quantities(self, network: Network) -> int:
        """How many numbers per sample are watched, Q."""

    @abstractmethod
    def quantities(self, lesson: Lesson, logits: Floats) -> Floats:
        """What is watched, (K, B, Q), from logits of shape (K, B, n_outputs)."""

    def directions(self, lesson: Lesson, draws: int) -> Floats:
        """Noise of unit variance for every unit, (draws, n_blocks, N, width)."""
        a = lesson.activity
        shape = (draws, a.n_blocks, self._layer.size, a.width)
        return NOISES[self.noise].draw(shape, a.n_samples, a.dtype, lesson.rng)

    def noises(self, lesson: Lesson) -> Iterator[Floats]:
        """All draws for a minibatch, in parts small enough for the memory, one after the other."""
        size = lesson.credit.size * (2 if self.antithetic else 1)
        most = max(1, PART // size)
        here = self.scale.astype(lesson.activity.dtype)[:, None]
        if self.layers == "in_turn":
            here = here * (self._layer == self.turn)[:, None]
        for first in range(0, self.draws, most):
            noise = self.directions(lesson, min(most, self.draws - first))
            noise *= here
            yield noise

    @property
    def turn(self) -> int:
        """Layer whose turn it is where layers take turns."""
        return self.steps // self.interval % len(self._names)

    def changes(self, lesson: Lesson, noise: Floats) -> Floats:
        """What noise (K, n_blocks, N, width) does to the quantities of each sample, (K, B, Q)."""
        if self.antithetic:
            there, back = np.split(lesson.perturbed(np.concatenate([noise, -noise]), self.inject), 2)
            half: Floats = (self.quantities(lesson, there) - self.quantities(lesson, back)) / 2
            return half
        watched = self.quantities(lesson, lesson.perturbed(noise, self.inject))
        if self.baseline == "none":
            return watched
        clean = self.quantities(lesson, lesson.activity.logits[None])
        if self.baseline == "running":
            mean = self._mean.value if self._mean.count else clean.mean(axis=(0, 1))
            clean = mean.astype(watched.dtype)
        return watched - clean

    def counted(self, lesson: Lesson) -> None:
        """Take notice of a step that perturbs: its passes, and the mean of the quantities."""
        self.passes += self.perturbations
        if self.baseline == "running":
            self._mean.update(self.quantities(lesson, lesson.activity.logits[None]).mean(axis=(0, 1)))

    def state(self) -> dict[str, Floats]:
        return {"steps": np.array(self.steps), **outer(self._mean.state(), "mean")}

    def restore(self, state: dict[str, Floats]) -> None:
        self.steps = int(state["steps"].item())
        self._mean.restore(inner(state, "mean"))

    def __repr__(self) -> str:
        return call_of(self)


def to_credit(lesson: Lesson, inject: str) -> None:
    """Make credits dL/dV out of estimates of the derivative by what was perturbed."""
    if inject == "output":
        lesson.credit *= lesson.activity.derivative
    elif inject == "current":
        lesson.credit /= lesson.activity.resistance


def perturbed_activity(lesson: Lesson, inject: str) -> Floats:
    """Activity (B, N) of what is perturbed: outputs, or voltages."""
    a = lesson.activity
    values: Floats = a.batch_first(a.output if inject == "output" else a.voltage)
    return values


def in_blocks(lesson: Lesson, changes: Floats) -> Floats:
    """Changes (K, B, Q) as (K, n_blocks, Q, width), zero where there is no sample."""
    a = lesson.activity
    draws, n_samples, width = changes.shape
    flat = np.ascontiguousarray(changes.transpose(1, 0, 2)).reshape(n_samples, draws * width)
    blocks: Floats = a.blocks(flat).reshape(a.n_blocks, draws, width, a.width).transpose(1, 0, 2, 3)
    return blocks
