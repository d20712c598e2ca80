"""One minibatch of single neurons as teaching signals and modulators see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..biophysics.gradient import exact_gradient
from ..errors import ParameterError
from ..networks.neuron_activity import NeuronActivity
from ..networks.neurons import Neurons
from .lesson import Lesson
from .perturbation import check_noise

Floats = NDArray[Any]


@dataclass
class NeuronLesson(Lesson):
    """A minibatch of `Neurons`: every credit is dL/dV_n, per mV, in a directed tree and in the reciprocal cable.

    In the cable e_n = dL/dV_n is the effect of holding n at a slightly different voltage, and q_n = R_n e_n, with the
    true input resistance R_n, that of a current into n.
    """

    network: Neurons
    activity: NeuronActivity
    held: Floats | None = None
    """Currents (B, N) besides those of the steady state, pA: what capacitances take at a moment that is none."""

    def broadcast(self, soma: Floats, below: Floats) -> None:
        layout = self.network.layout
        self.credit[...] = below[:, layout.cell]
        if soma is not below:
            self.credit[:, layout.roots] = soma
        self.credit *= self.activity.derivative

    def transport(self) -> Floats:
        """Exact credits: q of the adjoint, divided by the input resistance (see `Lesson.transport`)."""
        a = self.activity
        slope = a.batch_first(a.derivative[:, self.network.layout.roots])
        gradient = exact_gradient(a.state, self.soma_error * slope)
        self.credit[0] = gradient.credit.T
        return self.of_somas(self.soma_error)

    def path_gain(self, out: Floats) -> Floats:
        """What a broadcast of dL/da_soma lacks at every compartment, into `out`, shaped like the credit.

        a'(V_n) times it times dL/da_soma is the exact dL/dV_n.
        """
        a, layout = self.activity, self.network.layout
        out[0] = a.state.attenuation_to_soma.T
        out *= a.derivative[:, layout.roots[layout.cell]]
        shut = a.derivative == 0.0  # a gate without slope passes nothing on
        out /= np.where(shut, 1.0, a.derivative)
        out[shut] = 0.0
        return out

    def perturbed(self, noise: Floats, inject: str = "voltage") -> Floats:
        """Logits under K perturbations, all in one batch for the solver (see `Lesson.perturbed`).

        Parameters
        ----------
        noise : array of shape (K, 1, N, B)
            mV, or pA.
        inject : {"voltage", "current", "output"}
            As for `TreeLesson`. "voltage" and "output" work in directed trees. In the reciprocal cable every neighbour
            answers to what one compartment is held at, so that voltages cannot be moved at all of them at once;
            currents can.

        Returns
        -------
        array of shape (K, B, n_outputs)

        Raises
        ------
        ParameterError
            If anything but currents is to be moved in the reciprocal cable, or the noise has another shape or type.
        """
        network, state, layout = self.network, self.activity.state, self.network.layout
        if check_noise(self, noise, inject) != "current" and network.direction == "reciprocal":
            raise ParameterError(
                f"inject={inject!r} moves the voltages of all compartments at once, which a reciprocal cable does not "
                "allow: each voltage answers to its neighbours; use inject='current' (estimates are then dL/dI, and "
                "credits dL/dI over the input resistance), or neurons with direction='directed'"
            )
        current, shift = noise[:, 0].transpose(0, 2, 1), None
        k, b, n = current.shape
        if inject == "voltage":
            current = current / state.input_resistance
        elif inject == "output":  # parents receive g_n times it, the decoder that of the somas
            shift = current[:, :, layout.roots].reshape(k * b, -1)
            moved, current = current * (network.scale * network.coupling), np.zeros((k, b, n))
            for c in layout.child:
                current[:, :, layout.parent[c]] += moved[:, :, c]
        if self.held is not None:
            current = current + self.held
        threads = 1 if self.threads == 1 else None  # None: no more than the work is worth
        answers = network.answers(np.tile(state.x, (k, 1)), threads, current.reshape(k * b, n), shift)
        return answers.reshape(k, b, -1)
