"""A step of every learner looks at what it is given before anything changes."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.networks.mlp import PointMLP
from dendrosim.networks.residual import ARCHITECTURES
from dendrosim.plasticity import PointLearner, ResidualLearner


def learner(kind):
    if kind == "dendritic":
        return ds.Learner(ds.Network.dendritic(6, 3, [4], [2], 4, 2, dtype="float32"), "per_soma")
    if kind == "point":
        return PointLearner(PointMLP(6, 3, 4), "dfa")
    if kind == "residual":
        return ResidualLearner(ARCHITECTURES["resmlp"](6, 3, 4, 2), "bp")
    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    neurons = ds.Neurons(cell, ds.Synapses.scatter(cell, 8, 4, n_inputs=6), 3)
    return ds.NeuronLearner(neurons, "per_soma")


KINDS = ("dendritic", "point", "residual", "neurons")
X, Y = np.random.default_rng(0).random((5, 6)), np.array([0, 1, 2, 1, 0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        (X[:, :5], Y, r"shape \(5, 5\)"),
        (X[0], Y[:1], "shape"),
        (np.where(X > 0.9, np.nan, X), Y, "NaN|finite"),
        (X, Y + 1, "3"),
        (X, Y[:4], "4"),
        ("text", Y, "x"),
    ],
    ids=["width", "one sample", "nan", "a class that is none", "too few", "text"],
)
def test_bad_arrays_change_nothing(kind, x, y, told):
    made = learner(kind)
    before = {name: value.copy() for name, value in made.network.parameters.items()}
    with pytest.raises(ParameterError, match=told):
        made.step(x, y)
    assert made.steps == 0
    for name, value in made.network.parameters.items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("kind", KINDS)
def test_lists_of_any_type_are_taken(kind):
    one, other = learner(kind), learner(kind)
    assert one.step(X.tolist(), Y.tolist()) == other.advance(other.network.checked(X), Y)
    for name, value in one.network.parameters.items():
        np.testing.assert_array_equal(value, other.network.parameters[name])
