"""Single neurons for tests: every direction, integration and unit, and what a learner asks of them."""

from __future__ import annotations

import numpy as np

import dendrosim as ds

CASES = {
    "cell": {"physical": True},
    "cell additive": {"physical": True, "integration": "additive", "learn_couplings": True},
    "cell directed": {"physical": True, "direction": "directed", "learn_couplings": True, "positive": "exp"},
    "two cells, couplings": {"physical": True, "cells": 2, "learn_couplings": True},
    "tree reciprocal": {"physical": False, "cells": 2},
    "tree directed": {"physical": False, "direction": "directed"},
    "tree additive": {"physical": False, "direction": "directed", "integration": "additive"},
    "tree gated": {"physical": False, "direction": "directed", "gate": True},
    "tree additive gated": {"physical": False, "direction": "directed", "integration": "additive", "gate": True},
}
INPUTS = 6


def trees(physical: bool, cells: int) -> ds.Compartments:
    if not physical:
        return ds.Compartments.branching([2, 2], n_cells=cells, coupling=0.7)
    cell = ds.Morphology.load("granule").compartments(ds.Passive(E_leak=-70.0), max_length=60.0)
    return ds.Compartments.forest([cell] * cells)


def neurons(name: str, readout: str = "linear", seed: int = 0) -> ds.Neurons:
    """A model of 6 inputs, and 3 outputs or one per cell."""
    options = dict(CASES[name])
    rng = np.random.default_rng(seed)
    compartments = trees(options.pop("physical"), options.pop("cells", 1))
    places = rng.permutation(np.repeat(np.arange(compartments.size), 2))[:24]
    synapses = ds.Synapses(
        compartments,
        places,
        rng.integers(0, INPUTS, places.size),
        sign=np.where(rng.random(places.size) < 0.7, 1, -1),
        conductance=rng.uniform(0.2, 0.8, places.size),
        n_inputs=INPUTS,
    )
    if options.pop("gate", False):
        options["gate"] = ds.Gate(2.0, 0.3)
    return ds.Neurons(compartments, synapses, 3 if readout == "linear" else None, readout=readout, **options)


def batch(n_samples: int = 5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((n_samples, INPUTS)), rng.integers(0, 3, n_samples)
