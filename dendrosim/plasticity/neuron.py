"""Local learning of single neurons."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance
from ..errors import ParameterError
from ..kernels import parallel
from ..networks.neurons import Neurons
from ..teaching.lesson import Lesson
from ..teaching.mismatch import LocalMismatch
from ..teaching.neurons import NeuronLesson
from .learning import BaseLearner
from .modulators import PathGain

Floats = NDArray[Any]

RATES = {"synapses": 1e-2, "couplings": 5e-3, "decoder": 1e-2}
"""Of Adam; a single neuron has hundreds of synapses, not a hundred thousand, and stands larger steps."""


class NeuronLearner(BaseLearner):
    """Local learning of `Neurons`; changes them in place.

    Parameters are those of `BaseLearner`; rates and decays are of ``synapses``, ``couplings`` and ``decoder``. The rule
    is "3F", with or without the exact path gain: ``Rule("3F").with_(PathGain("compartment"))``.

    A synapse j on n asks for ``x_j (E_j - V_n) R_n e_n`` (shunting), ``x_j d_j R_n e_n`` (additive, reciprocal) or
    ``sign_j x_j e_n`` (additive, directed); the coupling of c to p for ``(V_c - V_p)(R_p e_p - R_c e_c)``
    (reciprocal), ``(f(V_c) - V_p) R_p e_p`` (directed, shunting) or ``f(V_c) e_p`` (directed, additive). With exact
    credits these are the derivatives of the loss.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> cell = ds.Morphology.load("stellate").compartments(ds.Passive(E_leak=-70.0), d_lambda=0.1)
    >>> neuron = ds.Neurons(cell, ds.Synapses.scatter(cell, 40, 10), readout="soma")
    >>> learner = ds.NeuronLearner(neuron, "exact", loss="mse")
    >>> x, y = np.random.default_rng(0).random((20, 50)), np.full((20, 1), 2.0)
    >>> before = learner.step(x, y)[0]
    >>> learner.step(x, y)[0] < before
    True
    """

    network: Neurons
    rate_groups: ClassVar[tuple[str, ...]] = tuple(RATES)

    def __init__(self, network: Neurons, *arguments: Any, **options: Any) -> None:
        instance("network", network, Neurons, "such as ds.Neurons(compartments, synapses, n_outputs=2)")
        super().__init__(network, *arguments, **options)
        self._suits()

    def _suits(self) -> None:
        """Raise unless single neurons can do with the rule and the teaching signal."""
        others = [m.name for m in self.rule.modulators if not (isinstance(m, PathGain) and m.per == "compartment")]
        if others or self.rule.eligibility != "matched":
            raise ParameterError(
                f"rule {self.rule.name!r} needs the layers of a network; single neurons learn with rule='3F', or "
                "ds.plasticity.Rule('3F').with_(ds.plasticity.PathGain('compartment'))"
            )
        if isinstance(getattr(self.teaching, "teaching", self.teaching), LocalMismatch):  # of one that is degraded
            raise ParameterError(
                "teaching='local_mismatch' compares voltages of normalised networks; single neurons learn with "
                "'exact', 'per_soma', 'scalar', 'dfa' and others"
            )

    @staticmethod
    def default_rates(exact: bool) -> dict[str, float]:
        return dict(RATES)

    @staticmethod
    def group_of(parameter: str) -> str:
        return "decoder" if parameter.startswith("decoder") else parameter

    def lesson(self, x: Floats, y: NDArray[Any]) -> tuple[NeuronLesson, Floats]:
        network = self.network
        threads = self.threads or parallel.available()
        activity = network.run(x, self.threads)
        losses, error = self.loss.evaluate(activity.logits, y)
        error /= len(x)
        credit = activity.empty(network.layout.size)
        later = np.empty((0, network.layout.n_cells))
        lesson = NeuronLesson(network, activity, y, error, later, self.rng, threads, credit, self.loss)
        return lesson, losses

    def _contract(self, lesson: Lesson) -> None:
        """Eligibility times credit, and chain factors of positive parameters."""
        network, a = self.network, lesson.activity
        state, synapses = a.state, network.synapses
        credit = a.batch_first(lesson.credit)
        q = credit * state.input_resistance
        driven = state.x[:, synapses.source] * q[:, synapses.compartment]
        if network.integration == "shunting":
            force = synapses.reversal - state.solved[:, synapses.compartment]
            asked = np.einsum("bs,bs->s", driven, force)
        else:
            fixed = synapses.sign if network.direction == "directed" else synapses.driving_force
            asked = driven.sum(axis=0) * fixed
        self._values["synapses"] = asked * network.conductance_factor
        if network.learn_couplings:
            self._values["couplings"] = _couplings(network, state, q) * network.coupling_factor

    def _update(self, values: dict[str, Floats], n_samples: int) -> None:
        network = self.network
        core = {name: array for name, array in network.parameters.items() if self.group_of(name) != "decoder"}
        self._update_arrays(core, values)
        network.refresh()


def _couplings(network: Neurons, state: Any, q: Floats) -> Floats:
    """dL/dg of every coupling from q_n = R_n e_n, (B, N); 0 at roots."""
    child = network.layout.child
    parent = network.layout.parent[child]
    v = state.solved
    found: Floats = np.zeros(network.layout.size)
    if network.direction == "reciprocal":
        terms = (v[:, child] - v[:, parent]) * (q[:, parent] - q[:, child])
    elif network.integration == "shunting":
        terms = (state.activity[:, child] - v[:, parent]) * q[:, parent]
    else:
        terms = state.activity[:, child] * q[:, parent]
    found[child] = terms.sum(axis=0)
    return found
