"""States, trees and synapses do not change behind one another's back, die independently, and can be pickled."""

from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError


@pytest.fixture(scope="module")
def cell():
    return ds.Morphology.load("granule").compartments(ds.Passive(spine_factor={"basal": 1.2}), max_length=5.0)


def test_passive_cell_after_synapses_are_gone(cell):
    """The wiring that is remembered for synapses must not serve a cell without any once they have been collected."""
    rest = ds.steady_state(cell).voltage.copy()
    pulse = np.eye(cell.size)[0] * 10
    expected = ds.steady_state(cell, current=pulse).voltage.copy()
    for n in (3, 20, 1):
        synapses = ds.Synapses.scatter(cell, n, n)
        ds.steady_state(cell, synapses, np.ones((1, 2 * n)))
        del synapses
        gc.collect()
        np.testing.assert_array_equal(ds.steady_state(cell).voltage, rest)
        np.testing.assert_array_equal(ds.steady_state(cell, current=pulse).voltage, expected)


def test_synapses_that_take_turns(cell):
    x = np.ones((1, 20))
    first = ds.Synapses.scatter(cell, 10, 10, seed=1)
    alone = ds.steady_state(cell, first, x).voltage.copy()
    for seed in range(2, 8):
        other = ds.Synapses.scatter(cell, 10, 10, seed=seed)
        assert not np.array_equal(ds.steady_state(cell, other, x).voltage, alone)
        assert not np.array_equal(ds.steady_state(cell, first.with_(conductance=0.07 * seed), x).voltage, alone)
        np.testing.assert_array_equal(ds.steady_state(cell, first, x).voltage, alone)


def test_compartments_do_not_change(cell):
    for name in ("leak", "parent", "leak_reversal", "physical", "anything"):
        with pytest.raises(AttributeError, match=r"compartments do not change: use with_"):
            setattr(cell, name, 1.0)
    changed = cell.with_(leak=cell.leak * 3)
    assert ds.steady_state(changed).input_resistance[0, 0] < ds.steady_state(cell).input_resistance[0, 0]


def test_a_state_keeps_its_stimuli(cell):
    synapses = ds.Synapses.scatter(cell, 5, 5)
    x = np.random.default_rng(0).random((3, 10))
    state = ds.steady_state(cell, synapses, x)
    expected = ds.exact_gradient(state, np.ones((3, 1))).conductance
    x[:] = 0
    np.testing.assert_array_equal(ds.exact_gradient(state, np.ones((3, 1))).conductance, expected)
    for array in (state.x, state.voltage):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0


def test_a_state_whose_array_was_used_again_says_so(cell):
    synapses = ds.Synapses.scatter(cell, 5, 5)
    x, out = np.ones((2, 10)), np.empty((2, cell.size))
    first = ds.steady_state(cell, synapses, x, out=out)
    ds.exact_gradient(first, np.ones((2, 1)))
    second = ds.steady_state(cell, synapses, 2 * x, out=out)
    assert second.voltage is out
    for use in (
        lambda: ds.exact_gradient(first, np.ones((2, 1))),
        lambda: first.input_resistance,
        lambda: ds.transfer_resistance(first, 0, 1),
    ):
        with pytest.raises(ParameterError, match="overwritten by a later steady_state"):
            use()
    ds.exact_gradient(second, np.ones((2, 1)))


@pytest.mark.parametrize(
    "way", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))], ids=["copy", "pickle"]
)
def test_everything_can_be_copied_and_pickled(cell, way):
    synapses = ds.Synapses.scatter(cell, 5, 5)
    x = np.random.default_rng(0).random((3, 10))
    state = ds.steady_state(cell, synapses, x)
    gradient = ds.exact_gradient(state, np.ones((3, 1)))
    again = way(gradient)
    np.testing.assert_array_equal(again.conductance, gradient.conductance)
    np.testing.assert_array_equal(again.credit, gradient.credit)
    fresh = ds.exact_gradient(again.state, np.ones((3, 1)))
    np.testing.assert_array_equal(fresh.conductance, gradient.conductance)
    tree = way(cell)
    np.testing.assert_array_equal(tree.leak, cell.leak)
    assert not tree.leak.flags.writeable
    assert tree.of_sample(5) == cell.of_sample(5)
    with pytest.raises(AttributeError, match="compartments do not change"):
        tree.leak = 1.0
    morphology = way(cell.morphology)
    np.testing.assert_array_equal(morphology.samples.xyz, cell.morphology.samples.xyz)
    assert not morphology.samples.xyz.flags.writeable
    assert morphology.samples.comments == cell.morphology.samples.comments
    assert way(ds.Passive(R_m=1e4, spine_factor={"basal": 2.0})) == ds.Passive(R_m=1e4, spine_factor={"basal": 2.0})
    forest = way(ds.Compartments.forest([cell, cell]))
    assert forest.of_sample(5, cell=1) == cell.size + cell.of_sample(5)
    gated = ds.Compartments.branching([2])
    state = ds.steady_state(gated, direction="directed", gate=ds.Gate(1.0, 0.5))
    np.testing.assert_array_equal(way(state).activity, state.activity)


def test_synapses_of_another_tree_are_refused(cell):
    synapses = ds.Synapses.scatter(cell, 5, 5)
    chain = ds.Compartments(np.arange(-1, cell.size - 1))
    with pytest.raises(ParameterError, match="made for another tree of as many compartments"):
        ds.steady_state(chain, synapses, np.ones((1, 10)))
    ds.steady_state(cell.with_(leak=cell.leak * 2), synapses, np.ones((1, 10)))
