"""Local learning of a network of dendritic neurons."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance
from ..kernels import parallel
from ..networks.activity import Activity
from ..networks.integration import INTEGRATIONS
from ..networks.network import Network, spans
from ..teaching.lesson import TreeLesson
from .learning import BaseLearner, Gradients
from .optimisers import EXACT_RATES, GROUPS, LOCAL_RATES

__all__ = ["Gradients", "Learner"]

Floats = NDArray[Any]

WORTH_A_THREAD = 20_000
"""Synapses; fewer are updated sooner than a second thread wakes up."""


class Learner(BaseLearner):
    """Local learning of one `Network`; changes it in place.

    Parameters are those of `BaseLearner`; rates and decays are of ``synapses``, ``couplings``, ``gates`` and
    ``decoder``.

    Attributes
    ----------
    swaps : int
        Synapses that have been replaced by better candidates so far.
    """

    network: Network
    rate_groups: ClassVar[tuple[str, ...]] = GROUPS

    def __init__(self, network: Network, *arguments: Any, **options: Any) -> None:
        instance("network", network, Network, "such as ds.Network.dendritic(...)")
        if options.get("threads") is not None:
            network.threads_for(1, options["threads"])
        super().__init__(network, *arguments, **options)
        self.swaps = 0
        self._activity: Activity | None = None
        self._credit: Floats | None = None

    @staticmethod
    def default_rates(exact: bool) -> dict[str, float]:
        return EXACT_RATES if exact else LOCAL_RATES

    @staticmethod
    def group_of(parameter: str) -> str:
        if parameter.startswith("decoder"):
            return "decoder"
        return "gates" if parameter in ("log_slope", "midpoint") else parameter

    def lesson(self, x: Floats, y: NDArray[Any]) -> tuple[TreeLesson, Floats]:
        network = self.network
        threads = network.threads_for(len(x), self.threads)
        reused = self._activity if self._activity is not None and self._activity.n_samples == len(x) else None
        activity = self._activity = network.run(x, threads, reused)
        if self._credit is None or reused is None:
            self._credit = activity.empty(network.layout.size)
        losses, error = self.loss.evaluate(activity.logits, y)
        error /= len(x)
        later = np.empty(0, network.dtype)
        return TreeLesson(network, activity, y, error, later, self.rng, threads, self._credit, self.loss), losses

    def _contract(self, lesson: TreeLesson) -> None:
        """Eligibility times credit, modulators, and chain factors of positive parameters."""
        from ..kernels import layers

        network, a, layout = self.network, lesson.activity, self.network.layout
        kind, resistance = network.kind, a.resistance
        if self.rule.eligibility == "conductance" and kind.pull == 0.0:
            kind = INTEGRATIONS["shunting"]
            resistance = _as_if_shunting(network, a)
        dtype = network.dtype.type
        tree = [layout.parent, layout.roots, layout.first, layout.middle, layout.last, network.source]
        constants = [(dtype(kind.force[0]), dtype(kind.force[1])), dtype(kind.pull), dtype(kind.normal)]
        arrays = [v.reshape(-1) for v in (a.presynaptic, a.voltage, resistance, a.output, lesson.credit)]
        g = [self._values[name] for name in ("synapses", "couplings", "log_slope", "midpoint")]
        fixed = [*tree, *constants, network.parameters["midpoint"], layout.n_inputs, *arrays, *g]
        jobs = [(*fixed, a.n_blocks, *part, a.lanes) for part in spans(0, layout.n_cells, lesson.threads)]
        parallel.run(lambda _, *job: layers.contract(*job), jobs, lesson.threads, lambda: None)
        synapses, couplings, slopes, midpoints = g
        synapses *= network.conductance_factor
        couplings *= network.coupling_factor
        slopes *= network.gated
        midpoints *= network.gated
        if self.rule.modulators:
            synapses *= np.repeat(lesson.factor, layout.last - layout.first)
            couplings *= np.where(layout.parent >= 0, lesson.factor[layout.parent], 0.0) * lesson.coupling_factor
            slopes *= lesson.factor
            midpoints *= lesson.factor

    def _update(self, values: dict[str, Floats], n_samples: int) -> None:
        network = self.network
        core = {n: a for n, a in network.parameters.items() if n != "synapses" and self.group_of(n) != "decoder"}
        self._update_arrays(core, values)
        self._update_synapses(values["synapses"], network.threads_for(n_samples, self.threads))
        network.refresh_cells()

    def _update_synapses(self, gradient: Floats, threads: int) -> None:
        """Optimiser, choice of the K largest, and conductances, bank by bank while they are in the cache."""
        network, optimiser = self.network, self.optimiser
        banks, raw = network.layout.banks, network.parameters["synapses"]
        moments = [optimiser.kept(m, "synapses", raw) for m in optimiser.moments]
        padded = [*moments, *[np.zeros(0, network.dtype)] * 2]
        rate, decay = self.rates["synapses"] * self.rate_factor, self.decay["synapses"]
        swaps = []

        def share(_: None, i: int, j: int) -> None:
            first, last = int(banks.first[i]), int(banks.last[j - 1])
            if decay:
                raw[first:last] *= 1.0 - rate * decay
            optimiser.update("synapses", raw, gradient, rate, first, last)
            swaps.append(network.connectivity.reselect(padded[0], padded[1], i, j))
            network.refresh_synapses(first, last)

        parts = threads if raw.size > WORTH_A_THREAD else 1
        parallel.run(share, parallel.ranges(banks.first.size, parts), parts, lambda: None)
        self.swaps += sum(swaps)

    def state(self) -> dict[str, Floats]:
        return {**super().state(), "swaps": np.array(self.swaps)}

    def restore(self, state: dict[str, Floats]) -> None:
        super().restore(state)
        self.swaps = int(state["swaps"].item())


def _as_if_shunting(network: Network, a: Activity) -> Floats:
    """R = 1 / (leak + E + I + sum g_c) of every compartment, whatever its integration, in blocks."""
    x = a.batch_first(a.presynaptic[:, : network.n_inputs])
    rest = INTEGRATIONS["shunting"].base(network.layout, network.conductance, network.coupling)
    return a.blocks(1.0 / (network.synaptic_conductance(x) + rest))
