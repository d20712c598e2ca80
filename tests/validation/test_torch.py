"""Trees and networks, and their gradients, against the paper's equations in plain PyTorch with autograd, in float64."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dendrosim as ds
from dendrosim.networks.layout import Population, Projection
from dendrosim.networks.network import Network
from dendrosim.plasticity.learner import Learner

Floats = NDArray[np.float64]

torch: Any = pytest.importorskip("torch", reason='PyTorch is not installed: pip install -e ".[bench]"')

TOLERANCE = 1e-12
"""Largest deviation of a tensor relative to its largest entry."""


def _model() -> Any:
    spec = importlib.util.spec_from_file_location("torch_model", Path(__file__).with_name("torch_model.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tm = _model()


def off(ours: Any, theirs: Any) -> float:
    """Largest deviation relative to the largest entry."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert np.shape(ours) == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


@pytest.mark.parametrize("gated", [True, False], ids=["gates", "no gates"])
@pytest.mark.parametrize("integration", ["shunting", "additive"])
def test_a_directed_forest_of_irregular_trees(integration: str, gated: bool) -> None:
    random = np.random.default_rng(0)
    parent = np.array([-1, 0, 0, 1, 1, 2, -1, 6, 7, 7, 8, 10])
    n, p, b = parent.size, 20, 7
    raw_e, raw_i = random.normal(size=(2, n, p))
    k_e, k_i = random.integers(0, 5, (2, n))
    coupling, slope, midpoint = random.normal(size=n), np.exp(0.3 * random.normal(size=n)), random.random(n)
    x, onto_soma = random.random((b, p)), random.normal(size=(b, 2))

    banks = [tm.Bank(raw, k, "softplus", torch.float64) for raw, k in ((raw_e, k_e), (raw_i, k_i))]
    gates = (np.log(slope), midpoint) if gated else ()
    cells = tm.Cells(parent, *banks, coupling, *gates, integration=integration)
    drive = torch.tensor(x, requires_grad=True)
    voltage, output = cells(drive, drive)
    (output[:, cells.roots] * torch.tensor(onto_soma)).sum().backward()

    (on_e, from_e), (on_i, from_i) = (np.nonzero(bank.mask().numpy()) for bank in banks)
    raw = np.concatenate([raw_e[on_e, from_e], raw_i[on_i, from_i]])
    g = np.where(parent < 0, 0.0, np.log1p(np.exp(coupling)))
    compartments = ds.Compartments(parent, leak=1.0, coupling=g, physical=False)
    synapses = ds.Synapses(
        compartments,
        np.concatenate([on_e, on_i]),
        np.concatenate([from_e, from_i]),
        sign=np.concatenate([np.ones(on_e.size), -np.ones(on_i.size)]),
        conductance=np.log1p(np.exp(raw)),
        n_inputs=p,
    )
    gate = ds.Gate(slope, midpoint) if gated else None
    state = ds.steady_state(compartments, synapses, x, integration=integration, direction="directed", gate=gate)
    assert off(state.voltage, voltage) < TOLERANCE

    roots = np.flatnonzero(parent < 0)
    derivative = 2 * slope * output.detach().numpy() * (1 - output.detach().numpy()) if gated else np.ones((b, n))
    gradient = ds.exact_gradient(state, onto_soma * derivative[:, roots])
    chain = 1 / (1 + np.exp(-raw))
    theirs = np.concatenate([banks[0].raw.grad[on_e, from_e], banks[1].raw.grad[on_i, from_i]])
    assert off(gradient.conductance * chain, theirs) < TOLERANCE
    inner = parent >= 0
    assert off((gradient.coupling / (1 + np.exp(-coupling)))[inner], cells.coupling.grad[inner]) < TOLERANCE
    assert off(gradient.inputs, drive.grad) < TOLERANCE


class Twin:
    """A network rebuilt in PyTorch from its raw parameters.

    Parameters
    ----------
    network : Network
        Float64, with a linear decoder or an MLP.
    """

    def __init__(self, network: Network) -> None:
        self.network, layout = network, network.layout
        self.raw = self._candidates()
        cells = {}
        for population, (a, b), (cell, _) in zip(
            layout.populations, layout.compartments_of, layout.cells_of, strict=True
        ):
            names = ["input", *cells]
            width = network.n_inputs + cell
            parent = np.where(layout.parent[a:b] < 0, -1, layout.parent[a:b] - a)
            counts = {1: (layout.middle - layout.first)[a:b], -1: (layout.last - layout.middle)[a:b]}
            banks = [tm.Bank(self.raw[s][a:b, :width], counts[s], network.positive, torch.float64) for s in (1, -1)]
            gates = [network.parameters[name][a:b] for name in ("log_slope", "midpoint")]
            cells[population.name] = tm.Cells(
                parent,
                *banks,
                network.parameters["couplings"][a:b],
                *(gates if network.gated.any() else ()),
                gated=network.gated[a:b],
                excited_by=names,
                inhibited_by=names,
                leak=layout.leak[a:b],
                integration=network.integration,
                positive=network.positive,
            )
        readout = [p.name for p, (a, _) in zip(layout.populations, layout.cells_of, strict=True) if a in layout.readout]
        decoder = {kind: [v for k, v in network.parameters.items() if kind in k] for kind in ("weight", "bias")}
        self.model = tm.Network(cells, readout, decoder["weight"], decoder["bias"])

    def _candidates(self) -> dict[int, Floats]:
        """Raw weights of all candidates, (N, n_rows) by sign; -inf where no synapse can be.

        Where two projections onto a compartment choose their synapses apart, only the chosen ones are there.
        """
        network, layout = self.network, self.network.layout
        dense = {sign: np.full((layout.size, layout.n_rows), -np.inf) for sign in (1, -1)}
        banks, wiring = layout.banks, network.connectivity
        chosen_apart = np.bincount(2 * banks.compartment + (banks.sign > 0), minlength=2 * layout.size) > 1
        start = 0
        for bank in range(banks.first.size):
            rows, here = dense[int(banks.sign[bank])], int(banks.compartment[bank])
            active = slice(int(banks.first[bank]), int(banks.last[bank]))
            rows[here, network.source[active]] = network.parameters["synapses"][active]
            if wiring.kind == "topk":
                waiting = slice(start, start + int(banks.width[bank]) - (active.stop - active.start))
                if not chosen_apart[2 * here + (banks.sign[bank] > 0)]:
                    rows[here, wiring.heap_source[waiting]] = wiring.heap[waiting]
                start = waiting.stop
        return dense

    def backward(self, x: Floats, y: NDArray[np.int64]) -> float:
        """Mean loss; its gradients are then in `.grad`."""
        self.model.zero_grad()
        loss = self.model.loss(torch.tensor(x), torch.tensor(y))
        loss.backward()
        return float(loss.detach())

    def gather(self, of: str = "grad") -> dict[str, Floats]:
        """Parameters, or their gradients, under the names and in the shapes of the network's."""
        layout, model = self.network.layout, self.model

        def value(p: Any) -> Floats:
            given = p.detach() if of == "value" else p.grad
            return np.zeros(tuple(p.shape)) if given is None else given.numpy()

        at = np.repeat(np.arange(layout.size), layout.last - layout.first)
        synapses = np.zeros(layout.n_synapses)
        flat: dict[str, list[Floats]] = {"couplings": [], "log_slope": [], "midpoint": []}
        for cells, (a, b) in zip(model.cells, layout.compartments_of, strict=True):
            for bank, sign in ((cells.excitatory, 1), (cells.inhibitory, -1)):
                mine = (at >= a) & (at < b) & (self.network.sign == sign)
                synapses[mine] = value(bank.raw)[at[mine] - a, self.network.source[mine]]
            for name, p in zip(flat, (cells.coupling, cells.log_slope, cells.midpoint), strict=True):
                flat[name].append(np.zeros(b - a) if p is None else value(p))
        out = {"synapses": synapses, **{name: np.concatenate(parts) for name, parts in flat.items()}}
        names = {kind: [k for k in self.network.parameters if kind in k] for kind in ("weight", "bias")}
        for kind, parameters in (("weight", model.weights), ("bias", model.biases)):
            out |= {name: value(p) for name, p in zip(names[kind], parameters, strict=True)}
        return out


def disturb(network: Network, seed: int = 1) -> Network:
    """Move all parameters off their special initial values, without changing which synapses are the largest."""
    random = np.random.default_rng(seed)
    network.calibrate(random.random((64, network.n_inputs)))
    for name, value in network.parameters.items():
        if name != "synapses":
            value += 0.2 * random.normal(size=value.shape)
    network.parameters["synapses"] += 0.5 * random.random(network.layout.n_synapses)
    network.refresh()
    return network


def batch(network: Network, n: int, seed: int = 2) -> tuple[Floats, NDArray[np.int64]]:
    """Input with zeros among it, and classes."""
    random = np.random.default_rng(seed)
    x = random.random((n, network.n_inputs))
    return x * (random.random(x.shape) > 0.3), random.integers(0, network.n_outputs, n)


def compare(network: Network, n: int = 37) -> None:
    """Voltages, outputs, logits, loss and every gradient of exact teaching against the twin's."""
    x, y = batch(network, n)
    twin, layout = Twin(network), network.layout
    loss = twin.backward(x, y)
    activity = network.forward(x)
    for held, theirs in ((activity.voltage, twin.model.voltage), (activity.output, twin.model.output)):
        ours = activity.batch_first(held)
        for name, (a, b) in zip(theirs, layout.compartments_of, strict=True):
            assert off(ours[:, a:b], theirs[name]) < TOLERANCE
    assert off(network.predict(x), twin.model(torch.tensor(x))) < TOLERANCE
    gradients = Learner(network, "exact", decoder="exact").gradients(x, y)
    assert gradients.loss == pytest.approx(loss, rel=TOLERANCE)
    theirs = twin.gather()
    assert gradients.values.keys() == network.parameters.keys() == theirs.keys()
    for name, ours in gradients.values.items():
        if not theirs[name].any():  # gates, where there are none; couplings of cells without dendrites
            assert not ours.any()
            continue
        assert off(ours, theirs[name]) < TOLERANCE, name


CASES = [
    (integration, cells, gates, branching, positive, inhibitory)
    for integration in ("shunting", "additive", "normalised_additive")
    for cells in ([12], [8, 6])
    for gates in (True, False)
    for branching in ([3, 3], [2], [])
    for positive in ("softplus", "exp")
    for inhibitory in (False, True)
    # without gates a voltage below zero could not drive other cells
    if gates or integration == "shunting" or (len(cells) == 1 and not inhibitory)
]


@pytest.mark.parametrize(("integration", "cells", "gates", "branching", "positive", "inhibitory"), CASES)
def test_networks(
    integration: str, cells: list[int], gates: bool, branching: list[int], positive: str, inhibitory: bool
) -> None:
    network = Network.dendritic(
        30,
        4,
        cells,
        branching,
        excitatory=[7, 5][: len(cells)],
        inhibitory=[4, 3][: len(cells)],
        integration=integration,
        inhibitory_cells=[5, 4][: len(cells)] if inhibitory else None,
        somatic_synapses=not branching,
        gates=gates,
        positive=positive,
        dtype="float64",
    )
    compare(disturb(network))


@pytest.mark.parametrize("integration", ["shunting", "additive", "normalised_additive"])
def test_somatic_synapses_and_a_decoder_with_hidden_layers(integration: str) -> None:
    network = Network.dendritic(
        30, 4, [9], [2, 2], 6, 3, integration, somatic_synapses=True, decoder="mlp", dtype="float64"
    )
    compare(disturb(network))


@pytest.mark.parametrize("integration", ["shunting", "additive", "normalised_additive"])
def test_irregular_trees_in_any_acyclic_wiring(integration: str) -> None:
    random = np.random.default_rng(0)

    def tree(n: int) -> ds.Compartments:
        parent = np.array([-1, *(random.integers(0, k) for k in range(1, n))])
        return ds.Compartments(parent, leak=0.5 + random.random(n), coupling=random.random(n), physical=False)

    populations = [
        Population("late", (tree(5), tree(1), tree(9))),
        Population("basket", (tree(3), tree(4))),
        Population("early", (tree(6), tree(2), tree(12))),
    ]
    projections = [
        Projection("input", "early", 1, 6, "all"),
        Projection("input", "early", -1, 3, "dendrites"),
        Projection("early", "basket", 1, 2, "all"),
        Projection("input", "basket", 1, 3, "all"),
        Projection("early", "late", 1, 3, "all"),
        Projection("basket", "late", -1, 2, "soma"),
        Projection("input", "late", -1, 2, "dendrites"),
    ]
    network = Network(
        20, 3, populations, projections, ["late", "early"], integration=integration, dtype="float64", seed=3
    )
    compare(disturb(network))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("n", [1, 8, 100])
def test_batches_that_fill_no_block(n: int, threads: int) -> None:
    network = disturb(Network.dendritic(30, 4, [12], [3, 3], 7, 4, dtype="float64"))
    x, y = batch(network, n)
    twin = Twin(network)
    twin.backward(x, y)
    ours, theirs = Learner(network, "exact", threads=threads).gradients(x, y).values, twin.gather()
    assert max(off(ours[name], theirs[name]) for name in ours) < TOLERANCE


def test_training_with_connections_that_change() -> None:
    """Steepest descent on dense weights whose masks are found anew in every forward pass, inactive weights at rest."""
    network = disturb(Network.dendritic(30, 4, [6], [3, 2], 7, 4, dtype="float64", seed=4))
    network.parameters["synapses"] -= 0.5 * np.random.default_rng(1).random(network.layout.n_synapses)
    network.connectivity.reselect(np.zeros(0), np.zeros(0))
    network.refresh()
    twin = Twin(network)
    rates = {"synapses": 15.0, "couplings": 0.5, "gates": 0.5, "decoder": 0.1}
    learner = Learner(network, "exact", optimiser="sgd", rates=rates, clip_value=None)
    for step in range(30):
        x, y = batch(network, 32, seed=step)
        loss = twin.backward(x, y)
        with torch.no_grad():
            for name, p in twin.model.named_parameters():
                group = "synapses" if "raw" in name else "couplings" if "coupling" in name else "gates"
                p -= rates["decoder" if name.startswith(("weights", "biases")) else group] * p.grad
        assert learner.step(x, y)[0] == pytest.approx(loss, rel=1e-10)
    assert learner.swaps > 20
    theirs = twin.gather("value")
    for name, ours in network.parameters.items():
        assert off(ours, theirs[name]) < 1e-9, name


def test_adam_with_clipping_by_value_and_rates_by_group() -> None:
    network = disturb(Network.dendritic(30, 4, [6], [3, 2], 7, 4, dtype="float64", connectivity="fixed"))
    twin = Twin(network)
    rates = {"synapses": 1e-2, "couplings": 5e-3, "gates": 2e-3, "decoder": 1e-2}
    clip = 2e-3
    learner = Learner(network, "exact", rates=rates, clip_value=clip)
    groups: dict[str, list[Any]] = {name: [] for name in rates}
    for name, p in twin.model.named_parameters():
        group = "synapses" if "raw" in name else "couplings" if "coupling" in name else "gates"
        groups["decoder" if name.startswith(("weights", "biases")) else group].append(p)
    adam = torch.optim.Adam([{"params": p, "lr": rates[group]} for group, p in groups.items()])
    for step in range(20):
        x, y = batch(network, 32, seed=step)
        loss = twin.backward(x, y)
        torch.nn.utils.clip_grad_value_(twin.model.parameters(), clip)
        adam.step()
        assert learner.step(x, y)[0] == pytest.approx(loss, rel=1e-9)
    theirs = twin.gather("value")
    for name, ours in network.parameters.items():
        assert off(ours, theirs[name]) < 1e-8, name
