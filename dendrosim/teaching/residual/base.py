"""What tells the layers of a residual network about the loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...construct import call_of
from ...errors import ParameterError, choose
from ...losses import Loss
from ...networks.residual import Passage, ResidualNetwork

Floats = NDArray[Any]

EMBEDDINGS = ("local", "own")
BLOCKS = ("trained", "frozen")


@dataclass
class LayerLesson:
    """What happened in a minibatch of a residual network, and what its layers are to be told.

    Credits are gradients: a block that moves its output against its credit descends.

    Attributes
    ----------
    network : ResidualNetwork
    passage : Passage
        Activity; ``passage.g[L]``, the exact derivative by h_L, is filled in.
    targets : int array of shape (B,)
    error : array of shape (B, n_outputs)
        Score of each sample, times `share`.
    share : float
        1 / B for gradients of the mean loss, 1 for those of the sum.
    penalty : float
        lambda of ``|f_l|^2``, per sample and block.
    loss : Loss
    """

    network: ResidualNetwork
    passage: Passage
    targets: NDArray[Any]
    error: Floats
    share: float
    penalty: float
    loss: Loss

    @property
    def exact_top(self) -> Floats:
        """g_L, through the head and its normalisation."""
        return self.passage.g[-1]

    def transport(self) -> list[Floats]:
        """Exact g_0 .. g_L, of the loss and the penalty; arrays of the passage, overwritten by the next call."""
        self.network.transport(self.passage, self.penalty * self.share)
        return self.passage.g


@dataclass(frozen=True)
class Credits:
    """What layers are told in a minibatch.

    Attributes
    ----------
    told : list of L arrays of shape (B, d)
        To block l, an estimate of dL/dh_{l+1}: what moves its output.
    embedding : array of shape (B, d)
        To the embedding, an estimate of dL/dh_0.
    reported : list of L arrays of shape (B, d)
        What the paper calls a_l and compares with dL/dh_l, the gradient at the *input* of block l. It is `told` for
        all but backpropagation, where it is that gradient itself.
    """

    told: list[Floats]
    embedding: Floats
    reported: list[Floats]


class LayerCredit(ABC):
    """Turns output errors into credits of the layers of a `ResidualNetwork`.

    Attributes
    ----------
    exact : bool
        Whether credits are those of backpropagation, so that gradients can be had on the way.
    random : bool
        Whether it has fixed random feedback, which can be drawn afresh.
    frozen : bool
        Whether blocks do not learn.
    """

    name: ClassVar[str]
    exact: ClassVar[bool] = False
    random: ClassVar[bool] = False
    frozen: bool = False
    estimates: ClassVar[bool] = False
    """Of `dendrosim.train`, which keeps a record of credits of its own for compartments only."""
    frozen_core: ClassVar[bool] = False
    passes: int = 0

    def prepare(self, network: ResidualNetwork, rng: np.random.Generator) -> None:  # noqa: B027
        """Draw what is fixed for a whole training of `network` by `rng`."""

    @abstractmethod
    def credits(self, lesson: LayerLesson) -> Credits:
        """Credits of the minibatch of `lesson`; changes nothing but scratch memory."""

    @property
    def weights(self) -> dict[str, Floats]:
        """Weights of its own that learn, by the optimiser of the network."""
        return {}

    def weight_gradients(self, lesson: LayerLesson) -> dict[str, Floats]:
        """What the minibatch of `lesson`, about which `credits` was last asked, asks of `weights`."""
        return {}

    def redraw(self, network: ResidualNetwork, rng: np.random.Generator) -> None:
        """Draw its random feedback to `network` afresh by `rng`.

        Raises
        ------
        ParameterError
            If it has none.
        """
        if not self.random:
            raise ParameterError(
                f"{self!r} has no random feedback to draw afresh; the null of fresh matrices is for 'fa' and 'dfa'"
            )
        self.prepare(network, rng)

    def state(self) -> dict[str, Floats]:
        """What changes or was drawn, for an exact resume."""
        return {}

    def restore(self, state: dict[str, Floats]) -> None:  # noqa: B027
        """Go back to what `state` returned."""

    def __repr__(self) -> str:
        return call_of(self)


class FixedFeedback(LayerCredit):
    """Credits through fixed random matrices.

    Parameters
    ----------
    scale : float
        Entries have standard deviation scale / sqrt(d). Adam does not see it, but with a penalty it sets how strong
        that is: ``|f|`` settles at or below ``|a| / (2 lambda)``.
    embedding : {"local", "own"}
        Whether the embedding is told what block 0 is, or has a matrix of its own.
    blocks : {"trained", "frozen"}
        "frozen" is a control: only embedding and head learn, and credits are told all the same.
    """

    random = True
    _feedback: dict[str, Floats]

    def __init__(self, scale: float = 1.0, embedding: str = "local", blocks: str = "trained") -> None:
        from ...arguments import number

        self.scale = number("scale", scale, above=0.0)
        self.embedding = choose("embedding", embedding, EMBEDDINGS)
        self.blocks = choose("blocks", blocks, BLOCKS)
        self.frozen = blocks == "frozen"

    def draw(self, network: ResidualNetwork, rows: int, rng: np.random.Generator) -> Floats:
        """A matrix of shape (rows, d)."""
        made: Floats = rng.standard_normal((rows, network.width)) * (self.scale / np.sqrt(network.width))
        return made.astype(network.dtype)

    def state(self) -> dict[str, Floats]:
        return {name: value.copy() for name, value in self._feedback.items()}

    def restore(self, state: dict[str, Floats]) -> None:
        for name, value in self._feedback.items():
            value[...] = state[name]
