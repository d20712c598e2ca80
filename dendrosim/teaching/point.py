"""One minibatch of a network of point neurons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .lesson import Lesson
from .perturbation import check_noise

if TYPE_CHECKING:
    from ..networks.mlp import PointMLP
    from ..networks.point import PointActivity

Floats = NDArray[Any]


@dataclass
class PointLesson(Lesson):
    """A minibatch of a `PointMLP`: every hidden unit is a cell with one compartment, and R = 1."""

    network: PointMLP
    activity: PointActivity

    @property
    def x(self) -> Floats:
        """Input, shape (B, n_inputs); not a copy."""
        return self.activity.x

    def broadcast(self, soma: Floats, below: Floats) -> None:
        np.multiply(soma, self.activity.derivative, out=self.credit)

    def transport(self) -> Floats:
        """Backpropagation (see `Lesson.transport`)."""
        return self._back(self.soma_error, self.network.parameters)

    def carry(self, feedback: Mapping[str, Floats]) -> None:
        """Feedback alignment: backpropagation through other weights (see `Lesson.carry`)."""
        self._back(self._told(feedback), feedback)

    def _back(self, told: Floats, weights: Mapping[str, Floats]) -> Floats:
        """Fill the credit from dL/da of the last layer, (B, n_readout), down to the first; returns dL/da of all."""
        back: Floats = np.empty_like(self.credit)
        spans = self.network.layout.cells_of
        back[0, slice(*spans[-1])] = told.T
        for i in range(len(spans) - 1, -1, -1):
            here = slice(*spans[i])
            np.multiply(back[0, here], self.activity.derivative[0, here], out=self.credit[0, here])
            if i:
                np.matmul(weights[f"hidden_weight_{i}"].T, self.credit[0, here], out=back[0, slice(*spans[i - 1])])
        return back

    def perturbed(self, noise: Floats, inject: str = "voltage") -> Floats:
        """Logits with noise on V of every unit, or on its output, which later layers see (see `Lesson.perturbed`).

        R = 1: a current moves V as much as it is.
        """
        on_output = check_noise(self, noise, inject) == "output"
        network, a = self.network, self.activity
        below: Floats | None = None  # outputs of the layer below, (K, units, B), once they are other than they were
        for i, (first, last) in enumerate(network.layout.cells_of):
            here = noise[:, 0, first:last]
            if below is None and not here.any():
                continue
            if below is None:
                voltage = np.repeat(a.voltage[:, first:last], len(noise), axis=0)
            else:
                voltage = np.matmul(network.parameters[f"hidden_weight_{i}"], below)
                voltage += network.parameters[f"hidden_bias_{i}"][:, None]
            if not on_output:
                voltage += here
            network.function.apply(voltage, voltage)
            if on_output:
                voltage += here
            below = voltage
        if below is None:
            return np.repeat(a.logits[None], len(noise), axis=0)
        logits: Floats = np.matmul(below.transpose(0, 2, 1), network.parameters["decoder_weight"].T)
        logits += network.parameters["decoder_bias"]
        return logits
