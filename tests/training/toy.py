"""Small tasks and networks for tests of the loop."""

from __future__ import annotations

import numpy as np

from dendrosim.biophysics.synapses import Synapses
from dendrosim.morphology.compartments import Compartments
from dendrosim.networks.mlp import PointMLP
from dendrosim.networks.network import Network
from dendrosim.networks.neurons import Neurons
from dendrosim.tasks.task import Task


def task(n: int = 90, n_test: int = 30, seed: int = 0, n_inputs: int = 8) -> Task:
    """Three classes: which of three lines is the most active."""
    rng = np.random.default_rng(seed)
    x = rng.random((n + n_test, n_inputs)).astype(np.float32)
    y = x[:, :3].argmax(axis=1)
    return Task.from_arrays("most active", x[:n], y[:n], x[n:], y[n:])


def mlp(**options) -> PointMLP:
    return PointMLP(8, 3, 12, **options)


def deep(**options) -> PointMLP:
    return PointMLP(8, 3, [12, 6], init="kaiming", density=0.5, **options)


def dendritic(**options) -> Network:
    given = {"cells": [5], "branching": [2], "excitatory": 4, "inhibitory": 2, **options}
    return Network.dendritic(8, 3, **given)


def neurons(seed: int = 0) -> Neurons:
    cells = Compartments.branching([2], n_cells=4)
    synapses = Synapses.scatter(cells, 30, 15, n_inputs=8, seed=seed)
    return Neurons(cells, synapses, 3, direction="directed", seed=seed)


def same(a: dict, b: dict) -> bool:
    """Whether two states are equal, bit for bit."""
    return a.keys() == b.keys() and all(
        np.array_equal(a[key], b[key], equal_nan=np.asarray(a[key]).dtype.kind == "f") for key in a
    )
