"""Morphologies, compartments, synapses, steady states and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dendrosim as ds

SWC = "1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 105 0 0 1 2\n4 4 0 9 0 1 1\n5 4 0 60 0 0.5 4\n"


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    cell = ds.Morphology.from_swc(SWC, "stick")
    compartments = cell.compartments(ds.Passive(), max_length=25.0)
    tree = ds.Compartments.branching([2])
    synapses = ds.Synapses(compartments, [1, 2, 3], sign=[1, 1, -1])
    x = np.ones((2, 3))
    state = ds.steady_state(compartments, synapses, x)
    return {
        "ds": ds, "np": np, "cell": cell, "compartments": compartments, "tree": tree, "synapses": synapses, "x": x,
        "state": state, "SWC": SWC, "n": compartments.size, "gate": ds.Gate(1.0, -60.0), "graph": cell.graph,
        "targets": [ds.InputResistance("soma", 100.0)], "points": np.random.default_rng(0).random((8, 3)) * 50,
        "box": ds.grow.Box((0, 0, 0), (9, 9, 9)), "fit": ds.fit_passive,
        "part": ds.grow.ball_and_stick(soma_radius=5.0, length=50.0),
    }  # fmt: skip


CALLS = [
    "ds.Morphology(cell.samples, name='a', report=None, cut=(1,))",
    "ds.Morphology.load('ball_and_stick', repair='zero_radius', minimum_radius=0.1)",
    "ds.Morphology.from_swc(SWC, 'a', repair=['zero_radius'], minimum_radius=0.1)",
    "ds.Morphology.from_graph(graph, 'a')",
    "cell.compartments(ds.Passive(), max_length=20.0, d_lambda=0.1, frequency=100.0, minimum_radius=0.1)",
    "cell.draw(depth=2, lines=10)",
    "cell.prune(region='apical', below=None, path_distance=None, where=None)",
    "cell.select(region=['soma', 'basal'], below=None, path_distance=None, where=None)",
    "cell.rows(region='basal', below=2, path_distance=(0.0, 50.0), where=None)",
    "cell.reroot(3)",
    "cell.subtree(2)",
    "cell.save('a.swc')",
    "cell.total_area('basal')",
    "cell.total_length('basal')",
    "cell.total_volume('basal')",
    "ds.Compartments([-1, 0, 1], leak=[1.0, 1.0, 1.0], coupling=1.0, capacitance=1.0, region=['soma', 'a', 'b'], "
    "leak_reversal=0.0, physical=True, stage=[0, 0, 1], path_distance=[0.0, 1.0, 2.0], area=1.0, length=1.0, "
    "xyz=np.zeros((3, 3)), axial_resistance=[1.0, 1.0, 1.0], morphologies=())",
    "ds.Compartments([-1, 0], sample_compartment=[0, 1], outline=None)",
    "ds.Compartments.branching([2, 2], 3, coupling=1.0, leak=1.0)",
    "ds.Compartments.forest([compartments, compartments])",
    "ds.Compartments.from_morphology(cell, ds.Passive(), max_length=20.0, d_lambda=None, frequency=100.0)",
    "compartments.of_sample(3, 0)",
    "compartments.samples_in(1)",
    "compartments.with_(leak=np.ones(n))",
    "ds.Passive(20000.0, 150.0, 1.0, -70.0, spine_factor={'apical': 1.9})",
    "ds.Gate(1.0, np.zeros(3))",
    "ds.SynapseKind('a', 1, 0.0, 0.5, source='here')",
    "ds.Synapses(compartments, [1, 2], [0, 1], sign=[1, -1], conductance=[0.5, 0.5], reversal=[0.0, -70.0], "
    "driving_force=[70.0, -5.0], n_inputs=3)",
    "ds.Synapses.at(compartments, samples=[3, 5], cell=0, sign=1, conductance=0.5)",
    "ds.Synapses.at(compartments, distance=[10.0, 20.0], region='basal', kind='AMPA')",
    "ds.Synapses.scatter(compartments, 20, 5, 30, 0, by='length', regions='basal', conductance=(0.1, 0.5))",
    "synapses.join(synapses, shared_inputs=True)",
    "synapses.made_for(compartments)",
    "synapses.moved(compartments, [1, 1, 2], [0, 1, 1], 2)",
    "synapses.with_(conductance=[0.1, 0.2, 0.3])",
    "ds.steady_state(compartments, synapses, x, integration='shunting', direction='reciprocal', current=np.zeros(n), "
    "gate=None, dtype='float64', threads=1, out=np.empty((2, n)))",
    "ds.steady_state(tree, None, None, integration='additive', direction='directed', gate=ds.Gate(1.0, 0.0))",
    "state.plot(0)",
    "ds.exact_gradient(state, np.ones((2, 1)))",
    "ds.transfer_resistance(state, [0, 1], [2])",
    "ds.InputResistance('soma', 100.0, 5.0)",
    "ds.Attenuation('soma', 3, 0.5, 0.1)",
    "ds.fit_passive(cell, targets, start=ds.Passive(), free=['R_m'], bounds={'R_m': (1e3, 1e5)}, max_length=50.0)",
    "ds.cite('swc', bibtex=True)",
    "ds.grow.Box((0, 0, 0), (9, 9, 9))",
    "ds.grow.Cone((0, 0, 0), (9, 9, 9), 1.0, 5.0)",
    "ds.grow.Ellipsoid((0, 0, 0), (9, 9, 9), 0.5)",
    "ds.grow.ball_and_stick(soma_radius=5.0, length=50.0, radius=1.0, spacing=10.0, structure=3)",
    "ds.grow.graft(part, part)",
    "ds.grow.jitter(cell, 0.5, 0, correlation=20.0)",
    "ds.grow.power_taper(cell, 0.2, exponent=1.5, structure=[3])",
    "ds.grow.quadratic_taper(cell, 1.0, 0.2, structure=[3])",
    "ds.grow.rall_tree(2, radius=2.0, length=50.0, split=0.5, spacing=10.0, angle=80.0, soma_radius=8.0, structure=3)",
    "ds.grow.random_branching(0, stems=2, branching_rate=0.012, order_decay=0.3, termination_rate=0.004, "
    "max_path=50.0, persistence=150.0, outward=0.0, angle=50.0, spacing=2.0, radius=0.5, soma_radius=8.0, structure=3, "
    "max_samples=1000)",
    "ds.grow.minimum_spanning_tree(points, balance=0.5, root=(0.0, 0.0, 0.0), soma_radius=5.0, "
    "grow_from=None, binary=True, max_stems=3, radius=0.5, structure=3)",
    "ds.grow.minimum_spanning_tree(points, start=None)",
    "ds.grow.resample(cell, 10.0)",
    "ds.grow.smooth(cell, 2, weight=0.5)",
    "ds.grow.scatter(box, 5, 0, apart=0.1, density=None)",
    "ds.grow.unbranched(points, np.ones(8), structure=3, soma=None, soma_radius=10.0)",
]
OWN = {"function", "class"}  # what a caller's own function raises is the caller's


@pytest.mark.parametrize("call", CALLS)
def test_hostile_arguments(call: str, names: dict[str, Any], attack: Callable[..., None]) -> None:
    attack(call, names, {"where": OWN, "density": OWN})
