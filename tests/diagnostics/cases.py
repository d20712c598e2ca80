"""A network of plain arrays: what the reports read, without anything that computes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


def plain_network(seed: int = 0) -> Any:
    """Two cells [2] reading 5 inputs with 2 E + 1 I per branch, then one cell [2] reading the inputs and both cells.

    Somas carry no synapses; the first population has gates everywhere, the second at its soma only.
    """
    rng = np.random.default_rng(seed)
    parent = np.array([-1, 0, 0, -1, 3, 3, -1, 6, 6])
    branch = parent >= 0
    counts = np.where(branch, 3, 0)
    first = np.cumsum(counts) - counts
    sign = np.tile([1, 1, -1], int(branch.sum()))
    layout = SimpleNamespace(
        parent=parent,
        cell=np.repeat([0, 1, 2], 3),
        layer=np.array([0, 1, 1, 0, 1, 1, 2, 3, 3]),
        layers=[("first", 0), ("first", 1), ("second", 0), ("second", 1)],
        first=first,
        middle=first + np.where(branch, 2, 0),
        last=first + counts,
        # the last two branches choose one excitatory input among 5 and one among both cells of the first population
        banks=SimpleNamespace(
            width=np.array([5, 5] * 4 + [5, 2, 5] * 2),
            sign=np.array([1, -1] * 4 + [1, 1, -1] * 2),
            compartment=np.array([1, 1, 2, 2, 4, 4, 5, 5, 7, 7, 7, 8, 8, 8]),
        ),
    )
    slope = np.array([2.0, 2, 2, 2, 2, 2, 2, 0, 0])
    sizes = {"synapses": 18, "couplings": 9, "log_slope": 9, "midpoint": 9, "decoder.weight": 3, "decoder.bias": 3}
    parameters = {name: rng.normal(size=size) for name, size in sizes.items()}
    return SimpleNamespace(layout=layout, sign=sign, slope=slope, parameters=parameters)


def gradient(network: Any, seed: int) -> dict[str, np.ndarray]:
    """Random numbers in the shape of a gradient."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=array.shape) for name, array in network.parameters.items()}
