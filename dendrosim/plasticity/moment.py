"""A moment of a running simulation as teaching signals see it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..biophysics.direction import direction
from ..biophysics.integration import integration
from ..biophysics.steady import State
from ..biophysics.synapses import Synapses
from ..biophysics.system import System
from ..biophysics.time.running import Running
from ..losses import Loss
from ..networks.neuron_activity import NeuronActivity
from ..networks.neurons import Neurons
from ..teaching.neurons import NeuronLesson

Floats = NDArray[Any]


class Moments:
    """Lessons about a simulation as it is: voltages, open fractions, and input resistances without capacitance.

    Parameters
    ----------
    network : Neurons
    running : Running
    """

    def __init__(self, network: Neurons, running: Running) -> None:
        self.network, self.running = network, running
        self._made: tuple[Synapses, Synapses] | None = None
        traces = running.eligibility
        column = network.synapses.source[traces.synapse]
        self._inputs = np.zeros((column.size, network.n_inputs))
        self._inputs[np.arange(column.size), column] = 1.0 / np.bincount(column)[column]

    def _synapses(self) -> Synapses:
        """The synapses as they are now, driven each by its own open fraction."""
        now = self.network.synapses
        if self._made is None or self._made[0] is not now:
            columns = np.arange(now.size)
            self._made = now, now.with_(source=columns, n_inputs=now.size)
        return self._made[1]

    def state(self) -> State:
        """Voltages and conductances of this moment."""
        network, traces = self.network, self.running.eligibility
        voltage, synapses = np.ascontiguousarray(self.running.voltage()), self._synapses()
        x = np.ascontiguousarray(traces.unblocked(self.running.fraction, voltage))
        how, way = integration(network.integration), direction(network.direction)
        system = System(network.compartments, synapses, x, how, way, network.gate, 1)
        options = (network.integration, network.direction, network.gate)
        return State(network.compartments, synapses, x, voltage, *options, system)

    def activity(self) -> NeuronActivity:
        """Outputs and logits of this moment; its inputs are open fractions, averaged over time courses of an input."""
        return self.network.read(self.state(), self.running.fraction @ self._inputs)

    def lesson(
        self,
        activity: NeuronActivity,
        y: NDArray[Any],
        error: Floats,
        rng: np.random.Generator,
        loss: Loss,
        perturbing: bool,
    ) -> NeuronLesson:
        """A lesson about a moment.

        Parameters
        ----------
        activity : NeuronActivity
        y : array
            Targets.
        error : float array of shape (B, n_outputs)
            dL/dlogits.
        perturbing : bool
            Whether the teaching signal will perturb what is held at this moment.
        """
        seen = copy.copy(self.network)
        seen.synapses = self._synapses()
        state, layout = activity.state, self.network.layout
        soma = self.network.decoder.backward(self.network.parameters, activity.soma, error)[1]
        held = held_current(seen, state) if perturbing else None
        return NeuronLesson(seen, activity, y, error, soma, rng, 1, activity.empty(layout.size), loss, held)


def held_current(network: Neurons, state: State) -> Floats:
    """Currents (B, N) under which the voltages of `state` are its steady state, pA: what flows into capacitances."""
    cells, synapses, v = network.compartments, network.synapses, state.solved
    how, way = integration(network.integration), direction(network.direction)
    base, offset = way.base(cells, how)
    force = how.force(synapses, cells, directed=way.gated)
    v = v - offset
    passed = state.activity - offset
    open_ = state.x[:, synapses.source] * synapses.conductance
    into = open_ * (force - how.shunt * v[:, synapses.compartment])
    found: Floats = base * v
    child = network.layout.child
    parent, g = network.layout.parent[child], cells.coupling[child]
    if way.gated:
        flow = g * passed[:, child]
    else:
        flow = g * (v[:, child] - v[:, parent])
        found[:, child] += flow
    for row, more, currents in zip(found, into, flow, strict=True):
        row -= np.bincount(synapses.compartment, more, cells.size) + np.bincount(parent, currents, cells.size)
    return found
