"""Backpropagation through the baseline: finite differences, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.networks.mlp import PointMLP
from dendrosim.plasticity.backprop import Backprop


def problem(batch: int = 7):
    rng = np.random.default_rng(5)
    return PointMLP(6, 4, 5, seed=2, dtype="float64"), rng.random((batch, 6)), rng.integers(0, 4, batch)


def loss_of(network: PointMLP, x, y) -> float:
    logits = network.predict(x)
    return float(np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(y)), y]))


def test_gradients_are_the_derivatives_of_the_mean_cross_entropy():
    network, x, y = problem()
    values, loss, correct = Backprop(network).gradients(x, y)
    assert loss == pytest.approx(loss_of(network, x, y), rel=1e-12)
    assert correct == int((network.predict(x).argmax(1) == y).sum())
    assert values.keys() == network.parameters.keys()
    h = 1e-6
    for name, array in network.parameters.items():
        for i in np.ndindex(array.shape):
            kept = array[i]
            array[i] = kept + h
            up = loss_of(network, x, y)
            array[i] = kept - h
            down = loss_of(network, x, y)
            array[i] = kept
            assert values[name][i] == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-9)


def test_a_plain_step_descends_by_rate_times_gradient():
    network, x, y = problem()
    learner = Backprop(network, optimiser="sgd", rates={"hidden": 0.1, "decoder": 0.2}, clip_value=None)
    learner.rate_factor = 0.5
    values, loss, correct = learner.gradients(x, y)
    before = network.state()
    assert learner.step(x, y) == (loss, correct)
    for name, rate in (("hidden_weight", 0.05), ("hidden_bias", 0.05), ("decoder_weight", 0.1), ("decoder_bias", 0.1)):
        np.testing.assert_allclose(network.parameters[name], before[name] - rate * values[name], rtol=1e-12)


def test_the_norm_of_all_gradients_together_is_bounded():
    network, x, y = problem()
    learner = Backprop(network, optimiser="sgd", rates=1.0, clip_value=None, clip_norm=1e-3)
    before = network.state()
    learner.step(x, y)
    moved = sum(((network.parameters[name] - before[name]) ** 2).sum() for name in before)
    assert np.sqrt(moved) == pytest.approx(1e-3, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "still"),
    [({"teaching": "decoder_only"}, "hidden"), ({"decoder": "frozen"}, "decoder")],
)
def test_what_is_frozen_does_not_move(options, still):
    network, x, y = problem()
    before = network.state()
    Backprop(network, **options).step(x, y)
    moved = {name for name in before if (network.parameters[name] != before[name]).any()}
    assert moved
    assert not any(name.startswith(still) for name in moved)


def test_a_restored_learner_goes_on_with_the_same_bits():
    network, x, y = problem()
    learner = Backprop(network)
    learner.step(x, y)
    state, weights = learner.state(), network.state()
    learner.step(x, y)
    after = network.state()
    other, _, _ = problem()
    other.restore(weights)
    second = Backprop(other)
    second.restore(state)
    second.step(x, y)
    for name in after:
        np.testing.assert_array_equal(after[name], other.parameters[name])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"teaching": "per_soma"}, "needs dendrites; a point MLP learns with teaching='exact'"),
        ({"rule": "5F"}, "a point MLP learns with rule='3F'"),
        ({"rates": {"synapses": 1.0}}, "'synapses' is not known; valid: 'hidden', 'decoder'"),
        ({"decoder": "odd"}, "decoder='odd'"),
        ({"clip_norm": 0}, "clip_norm=0"),
        ({"threads": 0}, "threads=0"),
    ],
)
def test_impossible_arguments(options, message):
    with pytest.raises(ParameterError, match=message):
        Backprop(problem()[0], **options)


def test_tables_of_experiment_files_name_teaching_and_rule():
    network = PointMLP(4, 3, 5)
    assert Backprop(network, {"name": "decoder_only"}, {"name": "3F"}).frozen["hidden"]
    with pytest.raises(ParameterError, match="needs dendrites"):
        Backprop(network, {"name": "exact", "scale": 2.0})
