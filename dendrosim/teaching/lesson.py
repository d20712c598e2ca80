"""One minibatch as teaching signals and modulators see it."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import parallel
from ..networks.layout import INPUT
from ..networks.network import spans

if TYPE_CHECKING:
    from ..losses import Loss
    from ..networks.activity import Activity
    from ..networks.network import Network

Floats = NDArray[Any]
Synapses = tuple[Floats, tuple[Any, Any], Any]
"""Conductances, the force that drives current at V = 0 for either sign, and what a unit of V takes off it."""

MANY = 1_000_000
"""Compartments times samples below which a single pass is done before a second thread wakes up."""


@dataclass
class Lesson(ABC):
    """What happened in a minibatch of B samples, and what the units of a model are told about it.

    Units (N) are compartments, or the hidden units of a point network. Arrays of units are in blocks as in `Activity`.
    The loss L is the mean over the batch: 1/B is in the errors, and gradients are plain sums over samples.

    Attributes
    ----------
    network : Network, PointMLP or Neurons
    activity : Activity
        Or what has the same arrays: ``voltage``, ``resistance``, ``output``, ``derivative``, ``soma``, ``logits``.
    targets : array
        Class labels (B,), or whatever else the loss takes.
    output_error : array of shape (B, n_outputs)
        dL/dlogits: the score of the loss, divided by B.
    soma_error : array of shape (B, n_readout)
        Exact dL/da of the cells that the decoder reads, through the decoder.
    rng : numpy Generator
        For teaching signals with noise.
    threads : int
    credit : array of shape (n_blocks, N, width)
        e_n, an estimate of dL/dV_n; filled by the teaching signal.
    loss : Loss
    """

    network: Any
    activity: Any
    targets: NDArray[Any]
    output_error: Floats
    soma_error: Floats
    rng: np.random.Generator
    threads: int
    credit: Floats
    loss: Loss

    @property
    def x(self) -> Floats:
        """Input of the model, a copy of shape (B, n_inputs)."""
        found: Floats = self.activity.batch_first(self.activity.inputs)
        return found

    def of_somas(self, values: Floats) -> Floats:
        """The `values`, (B, n_readout), in blocks over all cells, 0 at cells that are not read."""
        found: Floats = self.activity.of_cells(values)
        return found

    def twin(self) -> Lesson:
        """The same minibatch with a credit array of its own, and a copy of the generator."""
        other = copy.copy(self)
        other.credit, other.rng = np.zeros_like(self.credit), copy.deepcopy(self.rng)
        return other

    @abstractmethod
    def broadcast(self, soma: Floats, below: Floats) -> None:
        """Fill the credit with what every cell is told, times f'(V_n).

        Parameters
        ----------
        soma, below : arrays of shape (n_blocks, C, width)
            Estimates of dL/da for the root of each cell, and for its other compartments.
        """

    @abstractmethod
    def transport(self) -> Floats:
        """Fill the credit with the exact dL/dV_n.

        Returns
        -------
        array of shape (n_blocks, C, width)
            Exact dL/da of every cell, hidden ones included.
        """

    def carry(self, feedback: Mapping[str, Floats]) -> None:
        """Fill the credit as `transport` does, through other numbers than those that the forward pass goes through.

        Along a tree ``e_n = e_parent feedback["couplings"][n] f'(V_n)``, from ``f'(V_n)`` times what cells are told:
        ``output_error @ feedback["decoder_weight"]``, or the exact error of somas that are the output themselves.

        Parameters
        ----------
        feedback : dict of arrays
            As `FA` draws them.
        """
        layout, derivative = self.network.layout, self.activity.derivative
        self.credit[:, layout.roots] = self.of_somas(self._told(feedback)) * derivative[:, layout.roots]
        for n in np.flatnonzero(layout.parent >= 0):  # parents come before their children
            step = feedback["couplings"][n] * derivative[:, n]
            np.multiply(self.credit[:, layout.parent[n]], step, out=self.credit[:, n])

    def _told(self, feedback: Mapping[str, Floats]) -> Floats:
        """What the cells that are read are told by `carry`, (B, n_readout)."""
        if "decoder_weight" not in feedback:
            return self.soma_error
        told: Floats = self.output_error @ feedback["decoder_weight"]
        return told

    @abstractmethod
    def perturbed(self, noise: Floats, inject: str = "voltage") -> Floats:
        """Logits of the same minibatch under K perturbations.

        Parameters
        ----------
        noise : array of shape (K, n_blocks, N, width)
        inject : {"voltage", "current", "output"}
            Whether noise moves V_n, before the gate and before parents see it; or is a current into compartment n,
            which moves it by R_n as much (in a directed tree); or moves a_n = f(V_n).

        Returns
        -------
        array of shape (K, B, n_outputs)
        """


@dataclass
class TreeLesson(Lesson):
    """A minibatch of a dendritic `Network`.

    Attributes
    ----------
    factor : array of shape (N,)
        Modulators multiply every gradient of a compartment by it.
    coupling_factor : array of shape (N,)
        Modulators multiply the gradient of each coupling by it besides.
    """

    network: Network
    activity: Activity
    factor: Floats = field(init=False)
    coupling_factor: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.factor, self.coupling_factor = (np.ones(self.network.layout.size, self.network.dtype) for _ in range(2))

    @property
    def _few(self) -> int:
        """Threads for what takes a nanosecond or less per compartment and sample."""
        return self.threads if self.credit.size > MANY else 1

    def broadcast(self, soma: Floats, below: Floats) -> None:
        from ..kernels import layers

        a, layout = self.activity, self.network.layout
        told = [layout.roots, a.derivative.reshape(-1), soma.reshape(-1), below.reshape(-1), self.credit.reshape(-1)]
        jobs = [(*told, a.n_blocks, *part, a.lanes) for part in spans(0, layout.n_cells, self._few)]
        parallel.run(lambda _, *job: layers.broadcast(*job), jobs, self._few, _nothing)

    def transport(self) -> Floats:
        """Exact credits by transport along every tree and back through the synapses (see `Lesson.transport`)."""
        network, pull = self.network, self.network.dtype.type(self.network.kind.pull)
        soma = self.of_somas(self.soma_error)
        self._back(soma, network.coupling, self.activity.resistance, (network.conductance, network.force, pull))
        return soma

    def carry(self, feedback: Mapping[str, Floats]) -> None:
        """See `Lesson.carry`; ``feedback["synapses"]`` takes credits to the cells that drive others."""
        dtype = self.network.dtype
        one, nothing = dtype.type(1.0), dtype.type(0.0)
        synapses = (feedback.get("synapses", np.empty(0, dtype)), (one, one), nothing)
        soma = self.of_somas(self._told(feedback))
        self._back(soma, feedback["couplings"], np.ones_like(self.activity.resistance), synapses)

    def _back(self, soma: Floats, coupling: Floats, resistance: Floats, synapses: Synapses) -> None:
        """Fill the credit from dL/da at roots, in `soma`, to which later cells add what they ask of those before."""
        from ..kernels import layers

        a, layout = self.activity, self.network.layout
        tree = [layout.parent, layout.roots, coupling, resistance.reshape(-1), a.derivative.reshape(-1)]
        flat = [soma.reshape(-1), self.credit.reshape(-1)]
        driven = {p.target for p in layout.projections if p.source != INPUT}
        for i in range(len(layout.populations) - 1, -1, -1):
            jobs = [(*tree, *flat, a.n_blocks, *part, a.lanes) for part in spans(*layout.cells_of[i], self._few)]
            parallel.run(lambda _, *job: layers.transport(*job), jobs, self._few, _nothing)
            if layout.populations[i].name in driven:
                self._credit_sources(i, soma, resistance, synapses)

    def _credit_sources(self, population: int, soma: Floats, resistance: Floats, synapses: Synapses) -> None:
        """Add to `soma` what the credits of a population ask of the cells that drive it."""
        from ..kernels import layers

        a, layout = self.activity, self.network.layout
        conductance, force, pull = synapses
        wiring = [layout.first, layout.middle, layout.last, self.network.source, conductance]
        constants = [force, pull, layout.n_inputs, layout.n_cells]
        arrays = [a.voltage.reshape(-1), resistance.reshape(-1), self.credit.reshape(-1), soma.reshape(-1)]
        fixed = [*wiring, *constants, *arrays, *layout.compartments_of[population]]
        jobs = [(*fixed, *part, a.lanes) for part in parallel.ranges(a.n_blocks, self.threads)]
        parallel.run(lambda _, *job: layers.credit_sources(*job), jobs, self.threads, _nothing)

    def perturbed(self, noise: Floats, inject: str = "voltage") -> Floats:
        from .perturbation import perturbed

        return perturbed(self, noise, inject)

    def path_gain(self, out: Floats) -> Floats:
        """What a broadcast of dL/da_soma lacks at every compartment (eq. 10), into `out`, shaped like the credit.

        f'(V_n) times it times dL/da_soma is the exact dL/dV_n.
        """
        from ..kernels import layers

        a, layout = self.activity, self.network.layout
        tree = [layout.parent, layout.roots, self.network.coupling, a.resistance.reshape(-1), a.derivative.reshape(-1)]
        jobs = [(*tree, out.reshape(-1), a.n_blocks, *part, a.lanes) for part in spans(0, layout.n_cells, self.threads)]
        parallel.run(lambda _, *job: layers.path_gain(*job), jobs, self.threads, _nothing)
        return out


def _nothing() -> None:
    return None
