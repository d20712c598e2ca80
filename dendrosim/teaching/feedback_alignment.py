"""Feedback alignment: errors go back layer by layer, through weights that are not those of the forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import number
from ..construct import call_of
from ..errors import ParameterError, choose
from ..networks.mlp import PointMLP
from ..networks.network import Network
from .base import Teaching
from .broadcast import REAL
from .per_soma import random_feedback

if TYPE_CHECKING:
    from .lesson import Lesson

Floats = NDArray[Any]

SIGNS = ("random", "concordant")
COUPLINGS = ("positive", "normal")


class FA(Teaching):
    """Feedback alignment (Lillicrap et al. 2016): backpropagation with fixed random weights on the way back.

    In a point network ``a_l = f'(u_l) * (B_(l+1)^T a_(l+1))``, with a fixed matrix B for the decoder and for every
    hidden layer above the first. Its entries are normal with standard deviation scale / sqrt(rows of B), drawn once
    (uniform in the paper). With one hidden layer this is `DFA`.

    In dendrites, by our own construction: the decoder has such a matrix; along a tree the exact factor R_p g_n between
    parent and child gives way to a fixed b_n, ``e_n = e_parent b_n f'(V_n)``; and a synapse between cells takes back
    the credit of its compartment times a fixed number of its own, instead of g (E - V) R.

    Parameters
    ----------
    scale : float, default 1.0
    sign : {"random", "concordant"}, default "random"
        "concordant": random magnitudes with the signs that the forward weights have at the time (Liao, Leibo & Poggio
        2016, there "frSF"). Needs a linear decoder.
    couplings : {"positive", "normal"}, default "positive"
        Whether the b_n inside dendrites are magnitudes of normal numbers, or normal themselves. True factors are
        positive, so that "positive" never errs in sign inside a tree. Without effect in point networks.
    """

    name: ClassVar[str] = "fa"

    def __init__(self, scale: float = 1.0, sign: str = "random", couplings: str = "positive") -> None:
        self.scale = number("scale", scale, above=0.0)
        self.sign = choose("sign", sign, SIGNS)
        self.couplings = choose("couplings", couplings, COUPLINGS)

    def prepare(self, network: Any, rng: np.random.Generator) -> None:
        decoder = [name for name in network.parameters if name.startswith("decoder")]
        if self.sign == "concordant" and decoder and "decoder_weight" not in decoder:
            raise ParameterError(
                "sign='concordant' takes signs from the decoder's weights, and a decoder with hidden layers has no one "
                "matrix of them; use sign='random', or a network with decoder='linear'"
            )
        self._feedback: dict[str, Floats] = {}
        if decoder:
            drawn = random_feedback(network.layout.readout.size, network, self.scale, rng)
            self._feedback["decoder_weight"] = np.ascontiguousarray(drawn.T)
        if isinstance(network, PointMLP):
            for i in range(1, len(network.widths)):
                shape = network.widths[i], network.widths[i - 1]
                drawn = rng.standard_normal(shape) * (self.scale / np.sqrt(shape[0]))
                self._feedback[f"hidden_weight_{i}"] = drawn.astype(network.dtype)
        else:
            drawn = self.scale * rng.standard_normal(network.layout.size)
            if self.couplings == "positive":
                np.abs(drawn, out=drawn)
            self._feedback["couplings"] = drawn.astype(network.dtype)
        if isinstance(network, Network) and network.layout.hidden.size:
            self._feedback["synapses"] = self._of_synapses(network, rng)

    def _of_synapses(self, network: Network, rng: np.random.Generator) -> Floats:
        """A fixed number per synapse between cells: the more synapses a cell makes, the less each has to say."""
        drives = network.source >= network.layout.n_inputs
        made = np.bincount(network.source, minlength=network.layout.n_rows)[network.source]
        drawn = rng.standard_normal(network.source.size) * (self.scale / np.sqrt(made)) * drives
        if self.sign == "concordant":  # what a synapse does to its compartment never changes sign
            drawn = np.abs(drawn) * network.sign
        return drawn.astype(network.dtype)

    def credit(self, lesson: Lesson) -> None:
        feedback, forward = self._feedback, lesson.network.parameters
        if self.sign == "concordant":
            weights = {name: np.copysign(it, forward[name]) for name, it in feedback.items() if "weight" in name}
            feedback = {**feedback, **weights}
        lesson.carry(feedback)

    def bits_per_sample(self, network: Any) -> float:
        return REAL * float(network.layout.size)

    def state(self) -> dict[str, Floats]:
        return {name: value.copy() for name, value in self._feedback.items()}

    def restore(self, state: dict[str, Floats]) -> None:
        for name, value in self._feedback.items():
            value[...] = state[name]

    def __repr__(self) -> str:
        return call_of(self)
