"""Transfer resistances against an inverse by scipy, whichever set is the smaller one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import dendrosim as ds
from dendrosim.kernels import cable

from .cases import make


def inverse(compartments: ds.Compartments, shunt: np.ndarray) -> np.ndarray:
    """Dense inverse of the conductance matrix of the cable."""
    n, parent = compartments.size, compartments.parent
    child = np.flatnonzero(parent >= 0)
    links = sparse.csr_array(
        (np.r_[np.ones(child.size), -np.ones(child.size)], (np.r_[child, child], np.r_[child, parent[child]])), (n, n)
    )
    matrix = links.T @ sparse.diags_array(compartments.coupling) @ links + sparse.diags_array(compartments.leak + shunt)
    return np.linalg.inv(matrix.toarray())


@pytest.mark.parametrize(("sources", "targets"), [([3], range(24)), (range(24), [3]), ([0, 5, 7], [7, 0]), (4, 9)])
def test_reciprocal_cable_is_symmetric(sources, targets):
    case = make(3, 12, 2, 3, physical=True)
    state = ds.steady_state(case.compartments, case.synapses, case.x)
    z = ds.transfer_resistance(state, sources, targets)
    first, second = np.atleast_1d(sources), np.atleast_1d(targets)
    assert z.shape == (3, first.size, second.size)
    for row in range(3):
        shunt = np.zeros(case.compartments.size)
        np.add.at(shunt, case.synapses.compartment, case.x[row, case.synapses.source] * case.synapses.conductance)
        expected = inverse(case.compartments, shunt)[np.ix_(first, second)]
        np.testing.assert_allclose(z[row], expected, rtol=1e-9, atol=1e-13 * expected.max())


@pytest.mark.parametrize(("sources", "targets"), [([0], np.arange(50)), (np.arange(50), [0])])
def test_cable_is_solved_for_the_smaller_set_only(monkeypatch, sources, targets):
    solves = []
    adjoint = cable.adjoint
    monkeypatch.setattr(cable, "adjoint", lambda *arguments: solves.append(1) or adjoint(*arguments))
    state = ds.steady_state(ds.Compartments(np.arange(-1, 49)))
    ds.transfer_resistance(state, sources, targets)
    assert len(solves) == 1


def test_directed_tree_transfers_towards_the_soma_only():
    tree = ds.Compartments.branching([2, 1], coupling=0.5)  # 0 - (1, 2), 1 - 3, 2 - 4
    state = ds.steady_state(tree, direction="directed")
    z = ds.transfer_resistance(state, [3], np.arange(5))[0, 0]
    r = state.input_resistance[0]
    np.testing.assert_allclose(z, [r[3] * 0.5 * r[1] * 0.5 * r[0], r[3] * 0.5 * r[1], 0.0, r[3], 0.0], rtol=1e-14)
    back = ds.transfer_resistance(state, [0], np.arange(5))[0, 0]
    np.testing.assert_allclose(back, [r[0], 0.0, 0.0, 0.0, 0.0], rtol=1e-14)


def test_nothing_asked_nothing_solved():
    state = ds.steady_state(ds.Compartments([-1, 0]))
    assert ds.transfer_resistance(state, [], [0, 1]).shape == (1, 0, 2)
