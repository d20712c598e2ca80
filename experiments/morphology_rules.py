"""Local rules on one cell: what every rule multiplies the soma's error by, against what the exact gradient does.

Every rule here says what current-like credit q a compartment acts on: q = (factor of the compartment) x (error of the
soma). For the exact gradient the factor is the input resistance times the path gain, R_n A_n; for a broadcast R_n.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

import dendrosim as ds
from dendrosim.diagnostics.measures import by_part
from dendrosim.plasticity.modulators import Phi, Rho

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CASES = (("reciprocal", "shunting"), ("reciprocal", "additive"), ("directed", "shunting"), ("directed", "additive"))
PLACEMENTS = ("uniform", "none", "proximal", "distal", "path", "branch")
RULES = (
    "exact", "3F", "depth", "4F", "5F", "soma_resistance", "path_rest", "path_mean", "path_layer", "path_local",
    "correlation", "slope", "ebd", "vnc_own", "mirror", "echo",
)  # fmt: skip
GROUPS = ("excitatory", "inhibitory", "synapses", "couplings")
MEASURES = ("cosine", "scale", "l2")
PROXIES = {"path_layer": "path_layer", "path_local": "path_compartment"} | {
    name: name for name in ("correlation", "slope", "ebd", "vnc_own", "mirror")
}
BATCH, BATCHES = 96, 2
LANES = 8
PERTURBATIONS = 150
"""Per repetition; two are averaged."""
SPACING = (20.0, 80.0)
"""um of dendrite per excitatory and per inhibitory synapse."""
MOST = (500, 125)
CONDUCTANCE = (0.1, 0.4)
"""nS of a synapse; more where the most synapses are spread over a longer dendrite."""
INPUTS = (80, 20)
STEPS, STEP_BATCH = 120, 32


def synapses_on(cell: ds.Compartments, placement: str, seed: int) -> ds.Synapses:
    """Excitation everywhere, inhibition where `placement` says; as much of both, whatever the placement."""
    rng = np.random.default_rng(seed)
    dendrite = np.where(cell.region != "soma", cell.length, 0.0) * (cell.area > 0)
    total = dendrite.sum()
    wanted = [max(12.0, total / spacing) for spacing in SPACING]
    n = [min(round(w), most) for w, most in zip(wanted, MOST, strict=True)]
    strength = [g * total / spacing / k for g, spacing, k in zip(CONDUCTANCE, SPACING, n, strict=True)]
    excited = rng.choice(cell.size, n[0], p=dendrite / total)
    source_e = rng.integers(INPUTS[0], size=n[0])
    source_i = INPUTS[0] + rng.integers(INPUTS[1], size=n[1])
    if placement == "none":
        inhibited, source_i = np.empty(0, np.int64), np.empty(0, np.int64)
    else:
        weight = dendrite * where_inhibited(cell, placement, excited, rng)
        inhibited = rng.choice(cell.size, n[1], p=weight / weight.sum())
    counts = (excited.size, inhibited.size)
    return ds.Synapses(
        cell,
        np.concatenate([excited, inhibited]),
        np.concatenate([source_e, source_i]),
        sign=np.repeat([1, -1], counts),
        conductance=np.repeat(strength, counts),
        n_inputs=sum(INPUTS),
    )


def where_inhibited(cell: ds.Compartments, placement: str, excited: Ints, rng: np.random.Generator) -> Floats:
    """Weight of every compartment, (N,), besides its length.

    ``proximal`` and ``distal`` are the nearest and the farthest third of the dendrite by path distance; ``path`` weighs
    by the excitatory synapses farther out, which a current from there must pass; ``branch`` is one subtree, that whose
    length is nearest to a tenth of the cell's.
    """
    length = np.where(cell.region != "soma", cell.length, 0.0)
    if placement == "uniform":
        return np.ones(cell.size)
    if placement in ("proximal", "distal"):
        order = np.argsort(cell.path_distance, kind="stable")
        before = np.empty(cell.size)
        before[order] = np.cumsum(length[order]) - 0.5 * length[order]
        near = before if placement == "proximal" else length.sum() - before
        chosen = (near <= length.sum() / 3) & (length > 0)
        return (chosen if chosen.any() else length > 0).astype(np.float64)
    if placement == "path":
        beyond = above(cell.parent, np.bincount(excited, minlength=cell.size).astype(np.float64))
        return np.where(length > 0, beyond, 0.0)
    subtree = above(cell.parent, length)
    off = np.abs(subtree - 0.1 * length.sum()) + rng.random(cell.size) * 1e-6
    off[(cell.parent < 0) | (length <= 0)] = np.inf
    inside = np.zeros(cell.size)
    inside[int(np.argmin(off))] = 1.0
    for child in np.flatnonzero(cell.parent >= 0):
        inside[child] = max(inside[child], inside[cell.parent[child]])
    return inside


def above(parent: Ints, values: Floats) -> Floats:
    """Sum of `values` over every compartment and all beyond it, shape (N,)."""
    total = values.copy()
    for child in range(parent.size - 1, -1, -1):
        if parent[child] >= 0:
            total[parent[child]] += total[child]
    return total


def linearised(cell: ds.Compartments, synapses: ds.Synapses) -> tuple[ds.Compartments, ds.Synapses, Floats]:
    """A directed tree, linear about rest, as an additive tree in normalised units, and its resistances at rest, (N,).

    V_n = R_n (sum of currents + sum of g_c V_c), with R_n of the tree without synapses. Couplings become g_c R_p, and
    synapses g |d| R_n, mV.
    """
    resistance = ds.steady_state(cell, direction="directed").input_resistance[0]
    child = cell.parent >= 0
    up = np.where(child, resistance[cell.parent], 0.0)
    tree = ds.Compartments(
        cell.parent, coupling=cell.coupling * up, physical=False, region=cell.region, stage=cell.stage,
        path_distance=cell.path_distance,
    )  # fmt: skip
    factor = np.abs(synapses.driving_force) * resistance[synapses.compartment]
    drive = ds.Synapses(
        tree, synapses.compartment, synapses.source, sign=synapses.sign, conductance=synapses.conductance * factor,
        n_inputs=synapses.n_inputs,
    )  # fmt: skip
    return tree, drive, resistance


@dataclass
class Case:
    """One cell with its synapses, under one direction and one integration.

    Attributes
    ----------
    neurons : Neurons
    unit : float array of shape (N,)
        What an input resistance of 1 in `neurons` stands for, where that is not in GOhm.
    chain, chain_coupling : float arrays of shape (S,) and (N,)
        Derivatives of the conductances of `neurons` by those in nS.
    pool : float array of shape (B, P)
        Stimuli.
    target : float array of shape (B,)
        What the soma's voltage should be: that of a cell with other conductances.
    seed : int
        Of the perturbations.
    """

    neurons: ds.Neurons
    unit: Floats
    chain: Floats
    chain_coupling: Floats
    pool: Floats
    target: Floats
    seed: int

    @classmethod
    def of(cls, cell: ds.Compartments, synapses: ds.Synapses, direction: str, integration: str, seed: int) -> Case:
        """The case of a cell in physical units."""
        rng = np.random.default_rng([seed, 1])
        pool = (rng.random((BATCH * BATCHES, synapses.n_inputs)) < 0.3) * rng.random((BATCH * BATCHES, 1))
        pool *= rng.random(pool.shape)
        spread = np.linspace(0.1, 1.9, synapses.size)[rng.permutation(synapses.size)]
        unit, chain, chain_coupling = np.ones(cell.size), np.ones(synapses.size), np.ones(cell.size)
        if (direction, integration) == ("directed", "additive"):
            force = np.abs(synapses.driving_force)
            cell, synapses, unit = linearised(cell, synapses)
            chain, chain_coupling = force * unit[synapses.compartment], unit[cell.parent]  # roots have no coupling
        options: dict[str, Any] = {"readout": "soma", "direction": direction, "integration": integration, "scale": 10.0}
        neurons = ds.Neurons(cell, synapses, **options)
        teacher = ds.Neurons(cell, synapses.with_(conductance=synapses.conductance * spread), **options)
        target = teacher.solve(pool, 1).voltage_soma[:, 0]
        return cls(neurons, unit, chain, chain_coupling, pool, target, seed)

    @cached_property
    def state(self) -> ds.State:
        """Steady state under all stimuli of the pool."""
        return self.neurons.solve(self.pool, 1)

    @cached_property
    def error(self) -> Floats:
        """dL/dV at the soma for half the squared error, (B,)."""
        found: Floats = self.state.voltage_soma[:, 0] - self.target
        return found

    @cached_property
    def driven(self) -> Floats:
        """What multiplies q at a synapse, (B, S): activity times driving force times the soma's error."""
        neurons, synapses = self.neurons, self.neurons.synapses
        if neurons.integration == "shunting":
            force = synapses.reversal - self.state.solved[:, synapses.compartment]
        elif neurons.direction == "reciprocal":
            force = synapses.driving_force
        else:
            force = synapses.sign.astype(np.float64)
        found: Floats = self.pool[:, synapses.source] * force * self.chain * self.error[:, None]
        return found

    def gradients(self, factor: Floats, rows: slice) -> tuple[Floats, Floats]:
        """Gradients by the conductances of synapses (S,) and couplings (N,) over some stimuli, for q = factor x error.

        Parameters
        ----------
        factor : float array of shape (B, N) or (N,)
        rows : slice
            Of the pool.
        """
        neurons = self.neurons
        q = np.broadcast_to(factor, self.state.solved.shape)[rows]
        synapses = np.einsum("bs,bs->s", self.driven[rows], q[:, neurons.synapses.compartment])
        child = neurons.layout.child
        parent = neurons.layout.parent[child]
        v, told = self.state.solved[rows], q * self.error[rows, None]
        if neurons.direction == "reciprocal":
            terms = (v[:, child] - v[:, parent]) * (told[:, parent] - told[:, child])
        elif neurons.integration == "shunting":
            terms = (v[:, child] - v[:, parent]) * told[:, parent]
        else:
            terms = v[:, child] * told[:, parent]
        couplings = np.zeros(neurons.layout.size)
        couplings[child] = terms.sum(axis=0)
        return synapses, couplings * self.chain_coupling

    def factors(self, proxies: bool = True) -> dict[str, Floats]:
        """The factor of every rule, (B, N) or (N,); without the estimates of the path gain if not `proxies`."""
        state, neurons = self.state, self.neurons
        resistance, gain = state.input_resistance, state.attenuation_to_soma
        rest = ds.steady_state(neurons.compartments, direction=neurons.direction)
        gain_rest = rest.attenuation_to_soma[0]
        if neurons.integration == "additive":
            gain_rest = gain[0]  # gains of a linear tree are those at rest
        rho, phi = self._modulators()
        found = {
            "exact": resistance * gain,
            "3F": resistance,
            "depth": resistance / (neurons.layout.stage + 1.0),
            "4F": resistance * rho,
            "5F": resistance * rho * phi,
            "soma_resistance": resistance[:, :1] * self.unit[0] / self.unit,
            "path_rest": resistance * gain_rest,
            "path_mean": resistance * gain.mean(axis=0),
        }
        if proxies:
            report = ds.diagnostics.path_gain_proxies(
                neurons, self.pool, proxies=list(PROXIES.values()), samples=[PERTURBATIONS], repetitions=2,
                seed=self.seed, threads=1,
            )  # fmt: skip
            found |= {name: resistance * report.mean[proxy][0] for name, proxy in PROXIES.items()}
        if neurons.direction == "reciprocal":
            found["echo"] = self._echo()
        return found

    def _modulators(self) -> tuple[Floats, Floats]:
        """The library's rho and phi of every compartment, (N,), with the whole pool for their first batch."""
        voltage = self.state.solved - self.neurons.compartments.leak_reversal
        blocks = voltage.reshape(-1, LANES, voltage.shape[1]).transpose(0, 2, 1)  # as networks keep their samples
        given = SimpleNamespace(
            voltage=np.ascontiguousarray(blocks), n_samples=len(voltage), width=LANES, lanes=(0.0,) * LANES
        )
        found = []
        for modulator in (Rho(), Phi()):
            lesson = SimpleNamespace(activity=given, network=self.neurons, factor=np.ones(self.neurons.layout.size))
            modulator.prepare(cast("Any", self.neurons))
            modulator.modulate(cast("Any", lesson))
            found.append(lesson.factor)
        return found[0], found[1]

    def _echo(self) -> Floats:
        """What a current of 10 pA at the soma makes of every voltage, per pA, (B, N)."""
        current = np.zeros(self.neurons.layout.size)
        current[0] = 10.0
        moved = self.neurons.solve(self.pool, 1, np.broadcast_to(current, self.state.solved.shape).copy())
        found: Floats = (moved.solved - self.state.solved) / 10.0
        return found

    def rows(self, proxies: bool = True) -> Iterator[dict[str, Any]]:
        """One row per rule: means over batches of every measure of every group, and what the identity says."""
        batches = [slice(i * BATCH, (i + 1) * BATCH) for i in range(BATCHES)]
        factors = self.factors(proxies)
        found = {rule: [self.gradients(factor, rows) for rows in batches] for rule, factor in factors.items()}
        synapses, couplings = (np.array([[pair[k] for pair in pairs] for pairs in found.values()]) for k in (0, 1))
        kind = np.where(self.neurons.synapses.sign > 0, 0, 1)
        children = couplings[:, :, self.neurons.layout.child]
        by_group = {
            "excitatory": _compared(synapses[:, :, kind == 0]),
            "inhibitory": _compared(synapses[:, :, kind == 1]),
            "synapses": _compared(synapses),
            "couplings": _compared(children),
        }
        for k, rule in enumerate(factors):
            told = [self._identity(synapses[k, i], rows) for i, rows in enumerate(batches)] if rule == "3F" else []
            row: dict[str, Any] = {"rule": rule, "identity": float(np.mean(told)) if told else float("nan")}
            for group in GROUPS:
                row |= {f"{group}_{name}": float(v[k]) for name, v in zip(MEASURES, by_group[group], strict=True)}
            yield row

    def _identity(self, local: Floats, rows: slice) -> float:
        """1 / sqrt(1 + CV^2) of the mean path gain, weighted by the energy of the local gradient."""
        gain = self.state.attenuation_to_soma[rows].mean(axis=0)[self.neurons.synapses.compartment]
        energy = local**2 / (local @ local)
        return float(energy @ gain / np.sqrt(energy @ gain**2))

    def trained(self) -> tuple[Case, dict[str, float]]:
        """The case after a short local training; losses before it, after it, and after as long with exact credit."""
        target = ((self.target - self.neurons.reference) / self.neurons.scale)[:, None]
        losses = {"before": self._loss(self.neurons, target)}
        for name, teaching in (("exact", "exact"), ("local", "per_soma")):
            neurons = self.neurons.copy()
            learner = ds.NeuronLearner(neurons, teaching, loss="mse", threads=1)
            rng = np.random.default_rng([self.seed, 2])
            for _ in range(STEPS):
                rows = rng.choice(len(self.pool), STEP_BATCH, replace=False)
                learner.step(self.pool[rows], target[rows])
            losses[name] = self._loss(neurons, target)
        return Case(neurons, self.unit, self.chain, self.chain_coupling, self.pool, self.target, self.seed), losses

    def _loss(self, neurons: ds.Neurons, target: Floats) -> float:
        return float(((neurons.predict(self.pool, threads=1) - target) ** 2).mean())


def _compared(gradients: Floats) -> tuple[Floats, Floats, Floats]:
    """Cosine, scale mismatch and relative L2, each (n_rules,), of gradients (n_rules, n_batches, n); exact first.

    Means over the batches in which they are defined; nan where there is none.
    """
    n_rules, n_batches, n = gradients.shape
    part = np.repeat(np.arange(n_rules * n_batches), n)
    exact = np.broadcast_to(gradients[0], gradients.shape)
    cosine, scale, error = by_part(gradients.ravel(), exact.ravel(), part, n_rules * n_batches)
    return _means(cosine, n_rules), _means(np.abs(scale), n_rules), _means(error, n_rules)


def _means(values: Floats, n_rules: int) -> Floats:
    known = np.isfinite(values).reshape(n_rules, -1)
    total = np.where(known, values.reshape(n_rules, -1), 0.0).sum(axis=1)
    found: Floats = np.divide(total, known.sum(axis=1), out=np.full(n_rules, np.nan), where=known.any(axis=1))
    return found
