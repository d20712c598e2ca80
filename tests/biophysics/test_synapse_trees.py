"""Synapses know the tree they were made for, and a default place for them must exist."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError

SOMA = "1 1 0 0 0 5 -1\n"
NO_DENDRITE = SOMA + "2 2 0 5 0 1 1\n3 2 0 60 0 1 2\n"


def test_a_cell_without_dendrite_needs_regions() -> None:
    soma = ds.Morphology.from_swc(SOMA).compartments(ds.Passive(), max_length=20.0)
    with pytest.raises(ParameterError, match=r"no dendrite, only soma, .*: regions='soma'"):
        ds.Synapses.scatter(soma, 3, 1)
    assert ds.Synapses.scatter(soma, 3, 1, regions="soma").compartment.tolist() == [0] * 4
    cell = ds.Morphology.from_swc(NO_DENDRITE).compartments(ds.Passive(), max_length=20.0)
    with pytest.raises(ParameterError, match=r"only axon and soma, .*: regions='axon' or regions='soma'"):
        ds.Synapses.scatter(cell)
    assert (cell.region[ds.Synapses.scatter(cell, regions="axon").compartment] == "axon").all()


def test_regular_trees_keep_their_rule() -> None:
    alone = ds.Compartments.branching([])
    assert ds.Synapses.scatter(alone, 3, 0).compartment.tolist() == [0, 0, 0]


def test_synapses_know_their_tree() -> None:
    chain, fork = ds.Compartments([-1, 0, 1]), ds.Compartments([-1, 0, 0])
    synapses = ds.Synapses(chain, [1, 2], sign=1)
    assert synapses.parent is chain.parent
    assert synapses.made_for(chain)
    assert synapses.made_for(chain.with_(leak=2.0))
    assert synapses.made_for(ds.Compartments([-1, 0, 1]))
    assert not synapses.made_for(fork)
    assert not synapses.made_for(ds.Compartments([-1, 0]))
    for made in (synapses[:1], synapses.with_(conductance=0.1), synapses + synapses):
        assert made.parent is chain.parent
    with pytest.raises(ParameterError, match="two different trees of 3 compartments each"):
        synapses.join(ds.Synapses(fork, [1], sign=1))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_are_as_immutable(again) -> None:
    tree = ds.Compartments.branching([2])
    made = again(ds.Synapses(tree, [1, 2], sign=[1, -1]))
    assert made.made_for(tree)
    assert made.compartment.tolist() == [1, 2]
    for array in (made.compartment, made.conductance, made.parent):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert not np.shares_memory(made.parent, tree.parent)
