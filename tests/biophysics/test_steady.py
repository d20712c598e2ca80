"""Steady states against the equations written out densely, sparse direct solves, and what the paper proves."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from hypothesis import given, settings

import dendrosim as ds

from .cases import MODES, make, shapes
from .reference import voltages

mode = pytest.mark.parametrize(("integration", "direction", "physical", "gated"), MODES)


@mode
@settings(max_examples=40, deadline=None)
@given(shape=shapes)
def test_voltages_solve_the_equations(shape, integration, direction, physical, gated):
    case = make(*shape, physical=physical, gated=gated)
    state = ds.steady_state(
        case.compartments, case.synapses, case.x, integration=integration, direction=direction, current=case.current,
        gate=case.gate,
    )  # fmt: skip
    for row in {0, len(case.x) - 1}:
        expected = voltages(case.stimulus(row), integration, direction)
        # relative to the span of voltages: rounding only
        np.testing.assert_allclose(state.voltage[row], expected, rtol=0, atol=2e-12 * (1 + np.abs(expected).max()))


@settings(max_examples=40, deadline=None)
@given(shape=shapes)
def test_float32_holds_a_microvolt(shape):
    case = make(*shape, physical=True)
    options = {"current": case.current}
    exact = ds.steady_state(case.compartments, case.synapses, case.x, **options)
    single = ds.steady_state(case.compartments, case.synapses, case.x, dtype="float32", **options)
    assert single.voltage.dtype == np.float32
    scale = np.abs(exact.voltage + 70).max() + 70
    np.testing.assert_allclose(single.voltage, exact.voltage, rtol=0, atol=1e-5 * scale)


def matrix(compartments: ds.Compartments, extra: np.ndarray) -> sp.csc_matrix:
    """Conductance matrix of the reciprocal cable."""
    child = np.flatnonzero(compartments.parent >= 0)
    up, g, n = compartments.parent[child], compartments.coupling[child], compartments.size
    incidence = sp.csc_matrix((np.r_[np.sqrt(g), -np.sqrt(g)], (np.r_[child, up], np.r_[child, child])), shape=(n, n))
    return (incidence @ incidence.T + sp.diags(compartments.leak + extra)).tocsc()


def test_sparse_direct_solve_on_a_large_tree():
    case = make(7, 4000, 2, 9, physical=True)
    state = ds.steady_state(case.compartments, case.synapses, case.x)
    for row in range(9):
        xg = case.x[row][case.synapses.source] * case.synapses.conductance
        g = np.bincount(case.synapses.compartment, xg, case.compartments.size)
        b = np.bincount(case.synapses.compartment, xg * (case.synapses.reversal + 70.0), case.compartments.size)
        expected = sla.spsolve(matrix(case.compartments, g), b) - 70.0
        np.testing.assert_allclose(state.voltage[row], expected, rtol=1e-10, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(shape=shapes)
def test_lemma_1_voltages_are_convex_combinations(shape):
    """Paper, Lemma 1: V_n lies between its inputs, 0 < R_n <= 1 and R_n g_c < 1 (leak 1, normalised units)."""
    seed, size, n_cells, batch = shape
    case = make(seed, size, n_cells, batch, physical=False)
    c, s = case.compartments.with_(leak=np.ones(case.compartments.size)), case.synapses
    state = ds.steady_state(c, s, case.x, direction="directed")
    for n in range(c.size):
        children = np.flatnonzero(c.parent == n)
        inputs = np.column_stack(
            [np.zeros(batch), *(np.full(batch, e) for e in s.reversal[s.compartment == n]), state.voltage[:, children]]
        )
        rounding = 1e-14
        assert (state.voltage[:, n] >= inputs.min(axis=1) - rounding).all()
        assert (state.voltage[:, n] <= inputs.max(axis=1) + rounding).all()
        assert (state.input_resistance[:, n] > 0).all()
        assert (state.input_resistance[:, n] <= 1).all()
        assert (state.input_resistance[:, [n]] * c.coupling[children] < 1).all()


@settings(max_examples=60, deadline=None)
@given(shape=shapes)
def test_reciprocal_voltages_are_bounded_by_the_reversal_potentials(shape):
    """The cable's maximum principle, the reciprocal counterpart of Lemma 1."""
    case = make(*shape, physical=True)
    state = ds.steady_state(case.compartments, case.synapses, case.x)
    assert (state.voltage >= -70 - 1e-11).all()
    assert (state.voltage <= max(0.0, case.synapses.reversal.max()) + 1e-11).all()


@pytest.mark.parametrize("direction", ["directed", "reciprocal"])
@settings(max_examples=40, deadline=None)
@given(shape=shapes)
def test_proposition_4_a_pure_shunt_divides(shape, direction):
    """Paper, Prop. 4: with E = E_leak the sensitivity to a shunt is -x R (V - E_leak); it divides whatever the drive.

    The divisor is 1 + x g R with the input resistance R before the shunt: the same for drives of any size.
    """
    case = make(*shape, physical=True)
    c, rng = case.compartments, case.rng
    n, x, g = int(rng.integers(c.size)), rng.uniform(0.1, 2.0), rng.uniform(0.1, 5.0)
    shunt = ds.Synapses(c, [n], sign=-1, conductance=g, reversal=c.leak_reversal)
    on, off = np.full((2, 1), x), np.zeros((2, 1))
    drive = np.zeros((2, c.size))
    drive[:, n] = [1.0, 50.0]
    open_ = ds.steady_state(c, shunt, off, direction=direction, current=drive)
    shunted = ds.steady_state(c, shunt, on, direction=direction, current=drive)
    before, after = (state.voltage[:, n] - c.leak_reversal for state in (open_, shunted))
    rounding = 1e-11 / np.abs(after)  # voltages near 70 mV carry 1e-14 mV
    divisor = 1 + x * g * open_.input_resistance[:, n]
    assert (np.abs(after / before * divisor - 1) < 1e-11 + rounding).all()
    for row in range(2):  # the loss is V_n, under one drive at a time
        loss = np.zeros_like(shunted.voltage)
        loss[row, n] = 1.0
        gradient = ds.exact_gradient(shunted, loss).conductance[0]
        expected = -x * shunted.input_resistance[row, n] * after[row]
        assert abs(gradient / expected - 1) < 1e-11 + rounding[row]


@mode
def test_results_do_not_depend_on_threads_or_batch(integration, direction, physical, gated):
    case = make(3, 40, 2, 50, physical=physical, gated=gated)
    options = {"integration": integration, "direction": direction, "gate": case.gate}
    one = ds.steady_state(case.compartments, case.synapses, case.x, current=case.current, threads=1, **options)
    four = ds.steady_state(case.compartments, case.synapses, case.x, current=case.current, threads=4, **options)
    assert np.array_equal(one.voltage, four.voltage)
    loss = case.rng.normal(size=one.voltage.shape)
    a, b = ds.exact_gradient(one, loss), ds.exact_gradient(four, loss)
    for name in ("current", "conductance", "coupling", "leak", "inputs", "credit"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    alone = ds.steady_state(case.compartments, case.synapses, case.x[7:8], current=case.current[7:8], **options)
    np.testing.assert_allclose(alone.voltage[0], one.voltage[7], rtol=1e-13, atol=1e-13)


def test_current_without_synapses():
    tree = ds.Compartments([-1, 0, 0], leak=[2.0, 1.0, 1.0], coupling=[0, 3.0, 5.0], leak_reversal=-65.0)
    state = ds.steady_state(tree, current=[10.0, 0.0, 0.0])
    # by hand: each branch presents g leak / (g + leak) to the root
    root = 10.0 / (2.0 + 3 * 1 / 4 + 5 * 1 / 6)
    np.testing.assert_allclose(state.voltage[0] + 65.0, [root, root * 3 / 4, root * 5 / 6], rtol=1e-14)
    assert ds.steady_state(tree).voltage.tolist() == [[-65.0] * 3]


def test_out_is_used_and_empty_batches_work():
    case = make(1, 10, 1, 6, physical=True)
    out = np.full((6, 10), np.nan)
    state = ds.steady_state(case.compartments, case.synapses, case.x, out=out)
    assert state.voltage is out
    assert np.isfinite(out).all()
    empty = ds.steady_state(case.compartments, case.synapses, case.x[:0])
    gradient = ds.exact_gradient(empty, np.zeros((0, 10)))
    assert gradient.credit.shape == (0, 10)
    assert not gradient.conductance.any()
