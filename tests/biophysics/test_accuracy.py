"""How many digits survive, against the same equations eliminated in extended precision."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds

PRECISE = np.finfo(np.longdouble).eps < 1e-18


def extended(compartments: ds.Compartments, synapses: ds.Synapses, x: np.ndarray) -> np.ndarray:
    """Voltages by textbook Hines elimination (with its subtraction) in long double; shape (N,)."""
    wide = np.longdouble
    n, parent = compartments.size, compartments.parent
    diagonal, b = compartments.leak.astype(wide), np.zeros(n, wide)
    g = compartments.coupling.astype(wide)
    for j in range(synapses.size):
        xg = wide(x[synapses.source[j]]) * wide(synapses.conductance[j])
        diagonal[synapses.compartment[j]] += xg
        b[synapses.compartment[j]] += xg * (wide(synapses.reversal[j]) - wide(compartments.leak_reversal))
    for k in range(1, n):
        diagonal[k] += g[k]
        diagonal[parent[k]] += g[k]
    for k in range(n - 1, 0, -1):
        factor = g[k] / diagonal[k]
        diagonal[parent[k]] -= factor * g[k]
        b[parent[k]] += factor * b[k]
    v = np.zeros(n, wide)
    v[0] = b[0] / diagonal[0]
    for k in range(1, n):
        v[k] = (b[k] + g[k] * v[parent[k]]) / diagonal[k]
    return v + wide(compartments.leak_reversal)


@pytest.mark.skipif(not PRECISE, reason="numpy's long double is no wider than a double on this machine")
@pytest.mark.parametrize("cell", ["pyramidal_l5", "purkinje", "basket"])
@pytest.mark.parametrize("policy", [{"d_lambda": 0.1}, {"max_length": 2.0}])
def test_digits_against_long_double(cell, policy):
    """1e-12 mV in float64 and 1e-3 mV in float32, also on grids so fine that couplings are 1e5 leaks."""
    compartments = ds.Morphology.load(cell).compartments(ds.Passive(), **policy)
    synapses = ds.Synapses.scatter(compartments, seed=5)
    x = np.random.default_rng(6).random((1, synapses.n_inputs))
    expected = extended(compartments, synapses, x[0])
    double = ds.steady_state(compartments, synapses, x).voltage[0]
    single = ds.steady_state(compartments, synapses, x, dtype="float32").voltage[0]
    assert np.abs(double - expected).max() < 1e-12
    assert np.abs(single - expected).max() < 1e-3
