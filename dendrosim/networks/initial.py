"""Initial conductances, couplings and gates: one small class per way, registered under its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .layout import Layout

if TYPE_CHECKING:
    from .network import Network

Floats = NDArray[Any]


def softplus(raw: Floats) -> Floats:
    """log(1 + exp(raw))."""
    return np.logaddexp(0.0, raw)


def raw_of(value: Floats, kind: str) -> Floats:
    """Raw parameter whose softplus or exponential is `value`."""
    return np.log(value) if kind == "exp" else value + np.log(-np.expm1(-value))


def candidates(layout: Layout, kind: str, rng: np.random.Generator) -> list[Floats]:
    """Raw weights of all candidates of every bank.

    Excitatory: normal with standard deviation sqrt(2 / (n + 1)), n candidates. Inhibitory: the same spread about a mean
    at which the total conductance of the active inhibitory synapses of a compartment is expected to equal that of its
    excitatory ones, so that both kinds of integration begin balanced.
    """
    banks = layout.banks
    drawn = [rng.normal(0.0, np.sqrt(2.0 / (n + 1)), n) for n in banks.width]
    count = banks.last - banks.first
    total = {1: np.zeros(layout.size), -1: np.zeros(layout.size)}
    for raw, sign, compartment, k in zip(drawn, banks.sign, banks.compartment, count, strict=True):
        total[int(sign)][compartment] += _transform(_largest(raw, int(k)), kind).sum()
    name = np.array([layout.layer[n] for n in banks.compartment])
    for layer in np.unique(name):
        here = np.unique(banks.compartment[name == layer])
        excitation, inhibition = total[1][here].mean(), total[-1][here].mean()
        if excitation > 0 and inhibition > 0:
            number = count[(name == layer) & (banks.sign < 0)].sum() / here.size
            shift = raw_of(np.array(excitation / number), kind) - raw_of(np.array(inhibition / number), kind)
            for bank in np.flatnonzero((name == layer) & (banks.sign < 0)):
                drawn[bank] = drawn[bank] + shift
    return drawn


def _transform(raw: Floats, kind: str) -> Floats:
    return np.exp(raw) if kind == "exp" else softplus(raw)


def _largest(raw: Floats, k: int) -> Floats:
    return raw[np.argpartition(raw, -k)[-k:]]


class Initialisation(ABC):
    """Sets couplings and gates of a fresh network, and again when it meets data."""

    name: ClassVar[str]

    @abstractmethod
    def apply(self, network: Network, x: Floats) -> None:
        """Set couplings and gates from responses to `x` of shape (B, P)."""


class Fair(Initialisation):
    """The same for every integration: what a compartment gets from its children weighs as much as its synapses.

    Couplings: the children's sum up to ``ratio`` times the rest of the parent's mean total conductance.
    Gates: from the 10 and 90 % quantiles of each compartment's own voltage, put at outputs of 0.1 and 0.9, so that no
    integration begins with a flat gate, or a shut one.

    Parameters
    ----------
    ratio : float
    steepest : float
        Largest slope of a gate.
    """

    name = "fair"

    def __init__(self, ratio: float = 1.0, steepest: float = 50.0) -> None:
        self.ratio, self.steepest = ratio, steepest

    def apply(self, network: Network, x: Floats) -> None:
        layout = network.layout
        learned = np.array([not cell.physical for p in layout.populations for cell in p.cells])[layout.cell]
        child = np.flatnonzero((layout.parent >= 0) & learned)
        count = np.bincount(layout.parent[child], minlength=layout.size)
        for first, last in layout.compartments_of:
            inside = (child >= first) & (child < last)
            if inside.any():
                active = network.synaptic_conductance(x).mean(axis=0)
                parent = layout.parent[child[inside]]
                rest = layout.leak[parent] + active[parent]
                network.set_couplings(child[inside], self.ratio * rest / count[parent])
            here = np.arange(first, last)
            for stage in np.unique(layout.stage[here])[::-1]:
                level = here[(layout.stage[here] == stage) & network.gated[here]]
                while level.size:  # several compartments of one branch share a stage: the most distal first
                    above = np.isin(level, layout.parent[level])
                    now = level[~above]
                    voltage = network.forward(x).voltages(now)
                    low, high = np.quantile(voltage, [0.1, 0.9], axis=0)
                    # tanh(m (V - b)) = 0.8 at the quantiles
                    slope = np.arctanh(0.8) / np.maximum((high - low) / 2.0, 1e-3)
                    network.set_gates(now, np.minimum(slope, self.steepest), (low + high) / 2.0)
                    level = level[above]


class Published(Initialisation):
    """As the runs of the local-credit paper began ("analytical expectations"), for replication.

    Inputs count as 0.5. Couplings of shunting cells put the parent at V* = max(0.49, V/2 + 0.25), V being what its
    synapses alone would make; this makes them large. Gates have slope 1.5 (shunting) or 0.1 (additive: nearly flat) and
    their midpoint at the expected voltage.
    """

    name = "published"

    def apply(self, network: Network, x: Floats) -> None:
        layout = network.layout
        shunting = network.integration == "shunting"
        mean_input = 0.5
        sums = {}
        for sign in (1, -1):
            chosen = network.sign == sign
            at = np.repeat(np.arange(layout.size), layout.last - layout.first)[chosen]
            sums[sign] = mean_input * np.bincount(at, weights=network.conductance[chosen], minlength=layout.size)
        g_e, g_i = sums[1], sums[-1]
        child = np.flatnonzero(layout.parent >= 0)
        parent = layout.parent[child]
        count = np.bincount(parent, minlength=layout.size)
        alone = g_e / (g_e + g_i + 1.0)
        target = np.minimum(np.maximum(0.49, 0.5 * alone + 0.25), 0.499)
        total = ((g_e + g_i + 1.0) * target - g_e) / (0.5 - target)
        if shunting:
            network.set_couplings(child, np.maximum(total[parent], 1e-3) / count[parent])
        else:
            network.set_couplings(child, np.ones(child.size))
        inner = count > 0
        additive = g_e - g_i + np.where(inner, 0.5 * count, 0.0)
        expected = np.where(inner, target, alone) if shunting else additive
        gated = np.flatnonzero(network.gated)
        network.set_gates(gated, np.full(gated.size, 1.5 if shunting else 0.1), expected[gated])


INITIALISATIONS: dict[str, type[Initialisation]] = {kind.name: kind for kind in (Fair, Published)}
